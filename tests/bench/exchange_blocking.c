/*
 * exchange_blocking - what an exchange is measured against: one thread that plays both roles with
 * blocking calls, in the one order in which none of them has to wait.
 *
 *     exchange_blocking COUNT SIZE
 *
 * So often: connect, accept, send SIZE bytes, receive them, send them back, receive them, close
 * both; the server first, as in hello. Messages that a socket's buffer may not hold go in parts of
 * 64 KiB, each received before the next is sent.
 */
#include <arpa/inet.h>
#include <err.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 65536 };

static void move(int from, int to, size_t length)
{
    static uint8_t bytes[ROOM];
    while (length > 0) {
        size_t part = length < ROOM ? length : ROOM;
        ssize_t sent = send(from, bytes, part, MSG_NOSIGNAL);
        if (sent <= 0)
            err(1, "send");
        length -= (size_t)sent;
        while (sent > 0) {
            ssize_t got = recv(to, bytes, ROOM, 0);
            if (got <= 0)
                err(1, "recv");
            sent -= got;
        }
    }
}

static void exchange(int listener, const struct sockaddr_in *address, size_t size)
{
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client < 0 || connect(client, (const struct sockaddr *)address, sizeof *address) != 0)
        err(1, "connect");
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    int server = accept4(listener, (struct sockaddr *)&peer, &length, SOCK_CLOEXEC);
    if (server < 0)
        err(1, "accept");
    move(client, server, size);
    move(server, client, size);
    close(server);
    uint8_t byte;
    if (recv(client, &byte, 1, 0) != 0)
        errx(1, "the end did not come");
    close(client);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        errx(2, "usage: exchange_blocking COUNT SIZE");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, 128) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0)
        err(1, "cannot listen");
    size_t size = strtoul(argv[2], NULL, 10);
    for (unsigned long left = strtoul(argv[1], NULL, 10); left > 0; left--)
        exchange(listener, &address, size);
    return 0;
}
