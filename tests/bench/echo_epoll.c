/*
 * echo_epoll - what lab.reply's echo is measured against: the same server in bare C.
 *
 *     echo_epoll PORT
 *
 * One thread; epoll, level-triggered; every connection is armed once. A message is up to 64 KiB, as
 * lab.reply's; what the kernel does not take at once is kept, and no more is read until it is sent.
 * Says "ready" when it listens; ends by a signal.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 65536, BACKLOG = 128, EVENTS = 512 };

struct connection {
    int fd;
    uint8_t *unsent; /* NULL: all has been sent */
    size_t length, sent;
};

static int epoll;

static void watch(struct connection *connection, uint32_t events, int operation)
{
    struct epoll_event event = {.events = events, .data.ptr = connection};
    if (epoll_ctl(epoll, operation, connection->fd, &event) != 0)
        err(1, "epoll_ctl");
}

static void hang_up(struct connection *connection)
{
    close(connection->fd);
    free(connection->unsent);
    free(connection);
}

static void keep(struct connection *connection, const uint8_t *bytes, size_t length)
{
    connection->unsent = malloc(length);
    if (connection->unsent == NULL)
        err(1, "malloc");
    memcpy(connection->unsent, bytes, length);
    connection->length = length;
    connection->sent = 0;
    watch(connection, EPOLLOUT, EPOLL_CTL_MOD);
}

static void answer(struct connection *connection)
{
    static uint8_t message[ROOM];
    ssize_t got = recv(connection->fd, message, sizeof message, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        hang_up(connection);
        return;
    }
    ssize_t sent = send(connection->fd, message, (size_t)got, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN)
        sent = 0;
    if (sent < 0)
        hang_up(connection);
    else if (sent < got)
        keep(connection, message + sent, (size_t)(got - sent));
}

static void send_rest(struct connection *connection)
{
    ssize_t sent = send(connection->fd, connection->unsent + connection->sent,
                        connection->length - connection->sent, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN)
        return;
    if (sent < 0) {
        hang_up(connection);
        return;
    }
    connection->sent += (size_t)sent;
    if (connection->sent < connection->length)
        return;
    free(connection->unsent);
    connection->unsent = NULL;
    watch(connection, EPOLLIN, EPOLL_CTL_MOD);
}

static void accept_all(int listener)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *connection = calloc(1, sizeof *connection);
        if (connection == NULL)
            err(1, "calloc");
        connection->fd = fd;
        watch(connection, EPOLLIN, EPOLL_CTL_ADD);
    }
}

static struct connection *start_listening(const char *port)
{
    static struct connection listener;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int on = 1;
    listener.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(listener.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener.fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener.fd, BACKLOG) != 0)
        err(1, "cannot listen on port %s", port);
    watch(&listener, EPOLLIN, EPOLL_CTL_ADD);
    return &listener;
}

int main(int argc, char **argv)
{
    struct rlimit limit;
    if (argc != 2)
        errx(2, "usage: echo_epoll PORT");
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    const struct connection *listener = start_listening(argv[1]);
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            struct connection *connection = events[i].data.ptr;
            if (connection == listener)
                accept_all(listener->fd);
            else if (connection->unsent != NULL)
                send_rest(connection);
            else
                answer(connection);
        }
    }
}
