/*
 * load - the client that all servers of bench_serve.py get: so many connections, each of which
 * sends a message, waits for all of it to come back, and sends the next.
 *
 *     load PORT CONNECTIONS SIZE SECONDS PID
 *
 * Connects one after the other to the loopback, each with an echo of one byte: so all have been
 * accepted before the clock runs. Then all send at once, for so long. Prints how many replies came
 * in how many seconds, how many seconds of processor time they cost the server, whose process is
 * PID, and how many connections had none. It ends its connections by reset, which leaves no port
 * occupied. One thread, epoll; a message of any size is sent and received as far as the kernel
 * takes and brings it.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 256 * 1024, EVENTS = 512 };

struct connection {
    int fd;
    bool watches_room; /* epoll tells when more can be sent */
    size_t sent, got;  /* of the message under way */
    uint64_t replies;
};

static size_t message_size;
static uint8_t message[ROOM], answer[ROOM];
static int epoll;

static double seconds_of(clockid_t clock)
{
    struct timespec time;
    if (clock_gettime(clock, &time) != 0)
        err(1, "clock_gettime");
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void watch(struct connection *connection, bool room, int operation)
{
    struct epoll_event event = {.events = EPOLLIN | (room ? EPOLLOUT : 0), .data.ptr = connection};
    if (epoll_ctl(epoll, operation, connection->fd, &event) != 0)
        err(1, "epoll_ctl");
    connection->watches_room = room;
}

static void connect_one(struct connection *connection, uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct linger reset = {.l_onoff = 1};
    const int on = 1;
    char byte = 'x';
    connection->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connection->fd < 0 ||
        connect(connection->fd, (struct sockaddr *)&address, sizeof address) != 0)
        err(1, "connect");
    setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (send(connection->fd, &byte, 1, 0) != 1 || recv(connection->fd, &byte, 1, 0) != 1)
        err(1, "a byte was not echoed");
    watch(connection, false, EPOLL_CTL_ADD);
}

static void send_more(struct connection *connection)
{
    while (connection->sent < message_size) {
        size_t left = message_size - connection->sent;
        ssize_t sent =
            send(connection->fd, message, left < ROOM ? left : ROOM, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            err(1, "send");
        if (sent < 0)
            break;
        connection->sent += (size_t)sent;
    }
    bool wants_room = connection->sent < message_size;
    if (wants_room != connection->watches_room)
        watch(connection, wants_room, EPOLL_CTL_MOD);
}

static void receive(struct connection *connection)
{
    ssize_t got = recv(connection->fd, answer, ROOM, MSG_DONTWAIT);
    if (got == 0)
        errx(1, "the server hung up");
    if (got < 0 && errno != EAGAIN)
        err(1, "recv");
    if (got < 0)
        return;
    connection->got += (size_t)got;
    if (connection->got < message_size)
        return;
    connection->replies++;
    connection->sent = connection->got = 0;
    send_more(connection);
}

static double run(struct connection *connections, size_t count, double seconds)
{
    double begun = seconds_of(CLOCK_MONOTONIC);
    double time = begun;
    struct epoll_event events[EVENTS];
    for (size_t i = 0; i < count; i++)
        send_more(&connections[i]);
    for (; time < begun + seconds; time = seconds_of(CLOCK_MONOTONIC)) {
        int ready = epoll_wait(epoll, events, EVENTS, 100);
        for (int i = 0; i < ready; i++) {
            struct connection *connection = events[i].data.ptr;
            if ((events[i].events & ~(uint32_t)EPOLLOUT) != 0)
                receive(connection);
            if ((events[i].events & EPOLLOUT) != 0)
                send_more(connection);
        }
    }
    return time - begun;
}

static size_t positive(const char *text)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (*end != '\0' || number == 0)
        errx(2, "'%s' is no positive number", text);
    return number;
}

int main(int argc, char **argv)
{
    if (argc != 6)
        errx(2, "usage: load PORT CONNECTIONS SIZE SECONDS PID");
    uint16_t port = (uint16_t)positive(argv[1]);
    size_t count = positive(argv[2]);
    message_size = positive(argv[3]);
    clockid_t server;
    if (clock_getcpuclockid((pid_t)positive(argv[5]), &server) != 0)
        errx(1, "there is no process %s", argv[5]);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    memset(message, 'x', sizeof message);
    struct connection *connections = calloc(count, sizeof *connections);
    epoll = epoll_create1(0);
    if (connections == NULL || epoll < 0)
        err(1, "cannot begin");
    for (size_t i = 0; i < count; i++)
        connect_one(&connections[i], port);
    double before = seconds_of(server);
    double seconds = run(connections, count, strtod(argv[4], NULL));
    double cost = seconds_of(server) - before;
    uint64_t replies = 0;
    size_t starved = 0;
    for (size_t i = 0; i < count; i++) {
        replies += connections[i].replies;
        starved += connections[i].replies == 0;
        close(connections[i].fd);
    }
    printf("%llu %.6f %.6f %zu\n", (unsigned long long)replies, seconds, cost, starved);
    free(connections);
    return 0;
}
