#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "child.h"
#include "place/place.h"
#include "support/clock.h"

/* Each case has a private loopback of its own, with this listener on it. */
static struct sockaddr_in6 server_address;

static int enter(int *listener, int backlog)
{
    static const struct place_wishes no_wishes = PLACE_NO_WISHES;
    struct place place;
    struct error error = {0};
    if (!place_enter(&place, PLACE_PRIVATE, false, &no_wishes, &error))
        SKIP(error.text);
    if (place.kind != PLACE_PRIVATE)
        SKIP(place.remark);
    socklen_t length = sizeof server_address;
    *listener = socket(AF_INET6, SOCK_STREAM, 0);
    server_address.sin6_family = AF_INET6;
    server_address.sin6_addr = in6addr_loopback;
    CHECK(bind(*listener, (struct sockaddr *)&server_address, length) == 0);
    CHECK(getsockname(*listener, (struct sockaddr *)&server_address, &length) == 0);
    CHECK(listen(*listener, backlog) == 0);
    return CASE_PASSED;
}

#define ENTER(backlog)                                                                             \
    int listener;                                                                                  \
    int entered = enter(&listener, backlog);                                                       \
    if (entered != CASE_PASSED)                                                                    \
    return entered

static int start_connect(int family)
{
    int client = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (family == AF_INET6) {
        connect(client, (struct sockaddr *)&server_address, sizeof server_address);
    } else {
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = server_address.sin6_port,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        connect(client, (struct sockaddr *)&address, sizeof address);
    }
    return client;
}

/* The kernel's timers (delayed ACK: 40 ms) settle it; nothing signals that they have. */
static bool becomes_quiet(void)
{
    int64_t start = clock_now();
    while (clock_now() - start < NANOSECONDS_PER_SECOND) {
        if (place_is_quiet())
            return true;
        usleep(1000);
    }
    return false;
}

static int idle_connection(void)
{
    ENTER(8);
    CHECK(place_is_quiet());
    int client = start_connect(AF_INET6);
    CHECK(place_is_quiet()); /* not accepted, but established on both ends */
    int conn = accept(listener, NULL, NULL);
    CHECK(conn >= 0 && place_is_quiet());
    CHECK(send(client, "hello", 5, 0) == 5);
    CHECK(becomes_quiet()); /* received or not, it is acknowledged */
    int64_t start = clock_now();
    for (int i = 0; i < 100; i++)
        CHECK(place_is_quiet());
    fprintf(stderr, "place_is_quiet takes %.3f ms\n", (double)(clock_now() - start) / 1e8);
    return CASE_PASSED;
}

static void connections_at_rest_are_quiet(void **state)
{
    (void)state;
    RUN_CASE(idle_connection);
}

static int closing(void)
{
    ENTER(8);
    int client = start_connect(AF_INET6);
    int conn = accept(listener, NULL, NULL);
    CHECK(shutdown(client, SHUT_WR) == 0);
    CHECK(becomes_quiet()); /* FIN-WAIT-2 and CLOSE-WAIT */
    close(conn);
    close(client);
    CHECK(becomes_quiet()); /* TIME-WAIT */
    return CASE_PASSED;
}

static void half_closed_and_time_wait_are_quiet(void **state)
{
    (void)state;
    RUN_CASE(closing);
}

/* With a backlog of 0 one connection waits to be accepted; the SYN of the next gets no answer. */
static int full_backlog_of(int family)
{
    ENTER(0);
    if (family == AF_INET) {
        int on = 0;
        close(listener);
        listener = socket(AF_INET6, SOCK_STREAM, 0);
        CHECK(setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0);
        server_address.sin6_addr = in6addr_any;
        CHECK(bind(listener, (struct sockaddr *)&server_address, sizeof server_address) == 0);
        CHECK(listen(listener, 0) == 0);
    }
    start_connect(family);
    CHECK(place_is_quiet());
    int second = start_connect(family);
    struct tcp_info info;
    socklen_t length = sizeof info;
    CHECK(getsockopt(second, IPPROTO_TCP, TCP_INFO, &info, &length) == 0);
    CHECK(info.tcpi_state == TCP_SYN_SENT);
    CHECK(!place_is_quiet());
    close(second);
    CHECK(place_is_quiet());
    return CASE_PASSED;
}

static int full_backlog_v6(void)
{
    return full_backlog_of(AF_INET6);
}

static int full_backlog_v4(void)
{
    return full_backlog_of(AF_INET);
}

static void a_syn_without_an_answer_is_not_quiet(void **state)
{
    (void)state;
    RUN_CASE(full_backlog_v6);
    RUN_CASE(full_backlog_v4);
}

/* A listener that defers accepting ignores the last ACK of the handshake. */
static int deferred(void)
{
    ENTER(8);
    int seconds = 5;
    CHECK(setsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds) == 0);
    start_connect(AF_INET6);
    CHECK(!place_is_quiet());
    return CASE_PASSED;
}

static void a_request_waiting_for_its_ack_is_not_quiet(void **state)
{
    (void)state;
    RUN_CASE(deferred);
}

static int unread(void)
{
    ENTER(8);
    int client = start_connect(AF_INET6);
    int conn = accept(listener, NULL, NULL);
    CHECK(conn >= 0);
    static char bytes[65536];
    ssize_t sent;
    do
        sent = send(client, bytes, sizeof bytes, 0);
    while (sent > 0);
    CHECK(errno == EAGAIN);
    CHECK(!place_is_quiet()); /* the window is closed, the rest waits */
    close(client);
    CHECK(!place_is_quiet()); /* FIN-WAIT-1, and no descriptor */
    close(conn);
    CHECK(becomes_quiet());
    return CASE_PASSED;
}

static void unacknowledged_data_is_not_quiet_even_after_close(void **state)
{
    (void)state;
    RUN_CASE(unread);
}

/* More sockets than fit into one answer of the kernel, the busy one among them. */
static int many(void)
{
    ENTER(1024);
    enum { CONNECTIONS = 300 };
    int clients[CONNECTIONS];
    for (int i = 0; i < CONNECTIONS; i++) {
        clients[i] = start_connect(AF_INET6);
        CHECK(accept(listener, NULL, NULL) >= 0);
    }
    CHECK(becomes_quiet());
    for (int i = 0; i < CONNECTIONS; i += 29) {
        static char bytes[65536];
        while (send(clients[i], bytes, sizeof bytes, 0) > 0)
            continue;
        CHECK(!place_is_quiet());
        const struct linger reset = {.l_onoff = 1};
        CHECK(setsockopt(clients[i], SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0);
        close(clients[i]);
        CHECK(becomes_quiet());
    }
    return CASE_PASSED;
}

static void one_busy_socket_among_hundreds_is_found(void **state)
{
    (void)state;
    RUN_CASE(many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_at_rest_are_quiet),
        cmocka_unit_test(half_closed_and_time_wait_are_quiet),
        cmocka_unit_test(a_syn_without_an_answer_is_not_quiet),
        cmocka_unit_test(a_request_waiting_for_its_ack_is_not_quiet),
        cmocka_unit_test(unacknowledged_data_is_not_quiet_even_after_close),
        cmocka_unit_test(one_busy_socket_among_hundreds_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
