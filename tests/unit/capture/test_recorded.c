/* The capture and the real recorder: calls and packets come out as one trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "capture/capture.h"
#include "place/place.h"
#include "support/clock.h"
#include "trace/recorder.h"

static struct place place;
static struct error place_error;
static bool is_private;

#define NEEDS_PRIVATE_LOOPBACK()                                                                   \
    do {                                                                                           \
        if (!is_private) {                                                                         \
            print_message("no private loopback: %s%s\n", place.remark, place_error.text);          \
            skip();                                                                                \
        }                                                                                          \
    } while (0)

/* What the listener heard. */
struct heard {
    enum trace_kind kinds[16];
    uint32_t causes[16]; /* of packets */
    size_t count;
    uint64_t packets;
    uint64_t without_cause;
    int64_t last_time;
    bool in_order;
};

static void hear(void *data, const struct trace_event *event)
{
    struct heard *heard = data;
    if (heard->count < 16) {
        heard->kinds[heard->count] = event->kind;
        heard->causes[heard->count++] = event->kind == TRACE_PACKET ? event->packet.cause : 0;
    }
    if (event->kind == TRACE_PACKET) {
        heard->packets++;
        heard->without_cause += event->packet.cause == 0;
        heard->in_order = heard->in_order && event->packet.number == heard->packets;
    }
    heard->in_order = heard->in_order && event->time >= heard->last_time;
    heard->last_time = event->time;
}

static void add_call(struct recorder *recorder, uint32_t call, const char *name)
{
    const struct trace_event event = {
        .kind = TRACE_CALL,
        .time = clock_now(),
        .call = {.call = call, .role = 1, .name = {name, strlen(name)}},
    };
    recorder_add(recorder, &event);
}

static void add_return(struct recorder *recorder, uint32_t call, int64_t start, int64_t end)
{
    const struct trace_event event = {
        .kind = TRACE_RETURN,
        .time = end,
        .result = {.call = call, .window_start = start, .window_end = end},
    };
    recorder_add(recorder, &event);
}

static int listen_on_loopback(struct sockaddr_in *address)
{
    socklen_t length = sizeof *address;
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(server, (struct sockaddr *)address, length), 0);
    assert_int_equal(getsockname(server, (struct sockaddr *)address, &length), 0);
    assert_int_equal(listen(server, 16), 0);
    return server;
}

/* A connect, recorded as the host records it. Returns the socket. */
static int recorded_connect(struct recorder *recorder, uint32_t call,
                            const struct sockaddr_in *address)
{
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    add_call(recorder, call, "connect");
    int64_t start = clock_now();
    int result = connect(client, (const struct sockaddr *)address, sizeof *address);
    int64_t end = clock_now();
    assert_int_equal(result, 0);
    add_return(recorder, call, start, end);
    return client;
}

static void the_handshakes_cause_is_the_connect(void **state)
{
    (void)state;
    NEEDS_PRIVATE_LOOPBACK();
    struct error error = {0};
    struct heard heard = {.in_order = true};
    struct sockaddr_in address;
    struct recorder *recorder = recorder_open(NULL, &error);
    recorder_listen(recorder, hear, &heard);
    int server = listen_on_loopback(&address);
    struct capture *capture = capture_new(recorder, "lo", NULL, 0, &error);
    assert_non_null(capture);
    assert_true(capture_start(capture, &error));
    int client = recorded_connect(recorder, 1, &address);
    capture_sync(capture);
    assert_true(recorder_flush(recorder, &error));
    static const enum trace_kind expected[] = {TRACE_INTERFACE, TRACE_CALL,   TRACE_PACKET,
                                               TRACE_PACKET,    TRACE_PACKET, TRACE_RETURN};
    assert_int_equal(heard.count, 6);
    assert_memory_equal(heard.kinds, expected, sizeof expected);
    for (size_t i = 2; i < 5; i++)
        assert_int_equal(heard.causes[i], 1);
    close(client);
    close(server);
    capture_stop(capture, NULL, NULL);
    assert_true(recorder_flush(recorder, &error));
    assert_true(heard.in_order);
    recorder_close(recorder);
}

static void thousands_of_calls_have_their_packets_and_no_others(void **state)
{
    (void)state;
    NEEDS_PRIVATE_LOOPBACK();
    enum { CALLS = 3000 };
    struct error error = {0};
    struct heard heard = {.in_order = true};
    struct sockaddr_in address;
    struct recorder *recorder = recorder_open(NULL, &error);
    recorder_listen(recorder, hear, &heard);
    int server = listen_on_loopback(&address);
    struct capture *capture =
        capture_new(recorder, "lo", "tcp[tcpflags] & tcp-syn != 0", 0, &error);
    assert_non_null(capture);
    assert_true(capture_start(capture, &error));
    for (uint32_t call = 1; call <= CALLS; call++) {
        capture_make_room(capture, 0);
        int client = recorded_connect(recorder, call, &address);
        int conn = accept(server, NULL, NULL);
        close(client);
        close(conn);
        if (call % 100 == 0)
            assert_true(recorder_flush(recorder, &error));
    }
    uint64_t dropped = 99;
    capture_stop(capture, &dropped, NULL);
    assert_true(recorder_flush(recorder, &error));
    assert_int_equal(dropped, 0);
    assert_int_equal(heard.packets, 2 * CALLS);
    assert_int_equal(heard.without_cause, 0);
    assert_true(heard.in_order);
    close(server);
    recorder_close(recorder);
}

int main(void)
{
    static const struct place_wishes no_wishes = PLACE_NO_WISHES;
    is_private = place_enter(&place, PLACE_PRIVATE, true, &no_wishes, &place_error) &&
                 place.kind == PLACE_PRIVATE;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_handshakes_cause_is_the_connect),
        cmocka_unit_test(thousands_of_calls_have_their_packets_and_no_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
