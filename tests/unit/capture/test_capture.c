#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>

#include "exchange.h"
#include "support/clock.h"

#define ETHERNET 14 /* bytes of the link header on lo */

static uint8_t tcp_flags(const struct fake_packet *packet, int family)
{
    return packet->bytes[ETHERNET + (family == AF_INET ? 20 : 40) + 13];
}

static void check_handshake(int family)
{
    struct recorder *recorder = fake_open();
    union any_address address;
    socklen_t length;
    int server = open_server(family, SOCK_STREAM, &address, &length);
    struct capture *capture = start(recorder, "lo", NULL, 0);
    int client = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int64_t before = clock_now();
    int result = connect(client, &address.any, length);
    int64_t after = clock_now();
    assert_int_equal(result, 0);
    capture_sync(capture);

    static const uint8_t flags[] = {TH_SYN, TH_SYN | TH_ACK, TH_ACK};
    assert_int_equal(fake_count(recorder), 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tcp_flags(&recorder->packets[i], family), flags[i]);
        assert_in_range(recorder->packets[i].time, before, after);
        assert_int_equal(recorder->packets[i].link_type, 1);
        assert_int_equal(recorder->packets[i].length, recorder->packets[i].captured);
    }
    close(client);
    close(server);
    capture_stop(capture, NULL, NULL);
    fake_close(recorder);
}

static void the_handshake_is_stamped_between_entry_and_return_of_connect(void **state)
{
    (void)state;
    NEEDS_PRIVATE_LOOPBACK();
    check_handshake(AF_INET);
    check_handshake(AF_INET6);
}

static void sync_hands_over_everything_sent_before_it(void **state)
{
    (void)state;
    NEEDS_PRIVATE_LOOPBACK();
    struct recorder *recorder = fake_open();
    union any_address address;
    socklen_t length;
    int server = open_server(AF_INET, SOCK_DGRAM, &address, &length);
    struct capture *capture = start(recorder, "lo", NULL, 0);
    size_t sent = 0;
    int64_t longest = 0;
    int64_t total = 0;
    for (size_t i = 0; i < 200; i++) {
        size_t count = i % 10;
        send_datagrams(&address, length, count, 100);
        sent += count;
        int64_t before = clock_now();
        capture_sync(capture);
        int64_t took = clock_now() - before;
        assert_int_equal(fake_count(recorder), sent);
        assert_true(fake_watermark(recorder) >= before);
        total += took;
        longest = took > longest ? took : longest;
    }
    print_message("sync took %.2f ms on average, %.2f ms at most\n", (double)total / 200e6,
                  (double)longest / 1e6);
    assert_int_equal(recorder->late, 0);
    close(server);
    capture_stop(capture, NULL, NULL);
    fake_close(recorder);
}

static void stop_hands_over_everything_sent_before_it(void **state)
{
    (void)state;
    NEEDS_PRIVATE_LOOPBACK();
    struct recorder *recorder = fake_open();
    union any_address address;
    socklen_t length;
    int server = open_server(AF_INET, SOCK_DGRAM, &address, &length);
    struct capture *capture = start(recorder, "lo", NULL, 0);
    assert_true(recorder->capturing);
    send_datagrams(&address, length, 77, 1000);
    uint64_t dropped = 99;
    capture_stop(capture, &dropped, NULL);
    assert_int_equal(recorder->count, 77);
    assert_int_equal(dropped, 0);
    assert_false(recorder->capturing);
    assert_int_equal(recorder->interfaces, 1);
    assert_string_equal(recorder->interface_name, "lo");
    assert_int_equal(recorder->interface.link_type, 1);
    assert_int_equal(recorder->interface.snap_length, 262144);
    assert_int_equal(recorder->statistics_count, 1);
    assert_int_equal(recorder->statistics.received, 77);
    assert_int_equal(recorder->statistics.dropped, 0);
    assert_int_equal(recorder->notes, 0);
    close(server);
    fake_close(recorder);
}

static void packets_come_without_a_sync_and_so_does_the_watermark(void **state)
{
    (void)state;
    NEEDS_PRIVATE_LOOPBACK();
    struct recorder *recorder = fake_open();
    union any_address address;
    socklen_t length;
    int server = open_server(AF_INET, SOCK_DGRAM, &address, &length);
    struct capture *capture = start(recorder, "lo", NULL, 0);
    send_datagrams(&address, length, 5, 10);
    int64_t sent = clock_now();
    while ((fake_count(recorder) < 5 || fake_watermark(recorder) < sent) &&
           clock_now() < sent + NANOSECONDS_PER_SECOND)
        usleep(200);
    assert_int_equal(fake_count(recorder), 5);
    assert_true(fake_watermark(recorder) >= sent);
    capture_stop(capture, NULL, NULL);
    close(server);
    fake_close(recorder);
}

static void a_flood_of_connections_loses_nothing(void **state)
{
    (void)state;
    NEEDS_PRIVATE_LOOPBACK();
    enum { CONNECTIONS = 4000 };
    struct recorder *recorder = fake_open();
    union any_address address;
    socklen_t length;
    int server = open_server(AF_INET, SOCK_STREAM, &address, &length);
    struct capture *capture = start(recorder, "lo", NULL, 0);
    int64_t before = clock_now();
    for (int i = 0; i < CONNECTIONS; i++) {
        int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        capture_make_room(capture, 0);
        assert_int_equal(connect(client, &address.any, length), 0);
        int conn = accept(server, NULL, NULL);
        assert_true(conn >= 0);
        close(client);
        close(conn);
    }
    double seconds = (double)(clock_now() - before) / 1e9;
    uint64_t dropped = 99;
    capture_stop(capture, &dropped, NULL);
    size_t syns = 0;
    size_t fins = 0;
    for (size_t i = 0; i < recorder->count; i++) {
        syns += tcp_flags(&recorder->packets[i], AF_INET) == TH_SYN;
        fins += (tcp_flags(&recorder->packets[i], AF_INET) & TH_FIN) != 0;
    }
    print_message("%.0f connections/s, %zu packets\n", CONNECTIONS / seconds, recorder->count);
    assert_int_equal(dropped, 0);
    assert_int_equal(recorder->statistics.received, recorder->count);
    assert_int_equal(syns, CONNECTIONS);
    assert_int_equal(fins, 2 * CONNECTIONS);
    assert_int_equal(recorder->late, 0);
    assert_int_equal(recorder->backwards, 0);
    close(server);
    fake_close(recorder);
}

static void a_bulk_sender_that_makes_room_loses_nothing(void **state)
{
    (void)state;
    NEEDS_PRIVATE_LOOPBACK();
    enum { DATAGRAMS = 2000, SIZE = 60000 };
    struct recorder *recorder = fake_open();
    union any_address address;
    socklen_t length;
    int server = open_server(AF_INET, SOCK_DGRAM, &address, &length);
    struct capture *capture = start(recorder, "lo", NULL, 1 << 20);
    for (size_t i = 0; i < DATAGRAMS; i++) {
        capture_make_room(capture, SIZE);
        send_datagrams(&address, length, 1, SIZE);
    }
    uint64_t dropped = 99;
    capture_stop(capture, &dropped, NULL);
    assert_int_equal(dropped, 0);
    assert_int_equal(recorder->count, DATAGRAMS);
    close(server);
    fake_close(recorder);
}

/* Keeps the capture's thread from working for a while, as a busy machine does. */
static void *hold_up(void *data)
{
    struct recorder *recorder = data;
    for (int i = 0; i < 5; i++) {
        pthread_mutex_lock(&recorder->gate);
        usleep(50000);
        pthread_mutex_unlock(&recorder->gate);
        usleep(2000);
    }
    return NULL;
}

static void a_sender_that_makes_room_waits_for_a_capture_that_is_held_up(void **state)
{
    (void)state;
    NEEDS_PRIVATE_LOOPBACK();
    struct recorder *recorder = fake_open();
    union any_address address;
    socklen_t length;
    int server = open_server(AF_INET, SOCK_DGRAM, &address, &length);
    struct capture *capture = start(recorder, "lo", NULL, 2 << 20);
    pthread_t holder;
    size_t sent = 0;
    assert_int_equal(pthread_create(&holder, NULL, hold_up, recorder), 0);
    while (pthread_tryjoin_np(holder, NULL) != 0) {
        capture_make_room(capture, 1);
        send_datagrams(&address, length, 1, 1);
        sent++;
        usleep(300); /* so slow that it is not the bytes that overrun the ring */
    }
    uint64_t dropped = 99;
    capture_stop(capture, &dropped, NULL);
    assert_int_equal(dropped, 0);
    assert_int_equal(recorder->count, sent);
    close(server);
    fake_close(recorder);
}

static void only_what_the_filter_names_is_captured(void **state)
{
    (void)state;
    NEEDS_PRIVATE_LOOPBACK();
    union any_address wanted;
    union any_address other;
    socklen_t length;
    int first = open_server(AF_INET, SOCK_DGRAM, &wanted, &length);
    int second = open_server(AF_INET, SOCK_DGRAM, &other, &length);
    char filter[64];
    snprintf(filter, sizeof filter, "udp dst port %u", ntohs(wanted.v4.sin_port));
    static const char *const interfaces[] = {"lo", "any"};
    for (size_t i = 0; i < 2; i++) {
        struct recorder *recorder = fake_open();
        struct capture *capture = start(recorder, interfaces[i], filter, 0);
        send_datagrams(&wanted, length, 3, 20);
        send_datagrams(&other, length, 4, 20);
        send_datagrams(&wanted, length, 2, 20);
        capture_sync(capture);
        assert_int_equal(fake_count(recorder), 5);
        capture_stop(capture, NULL, NULL);
        assert_int_equal(recorder->statistics.received, 5);
        fake_close(recorder);
    }
    close(first);
    close(second);
}

static void any_shows_the_loopbacks_packets_once(void **state)
{
    (void)state;
    NEEDS_PRIVATE_LOOPBACK();
    struct recorder *recorder = fake_open();
    union any_address address;
    socklen_t length;
    int server = open_server(AF_INET, SOCK_DGRAM, &address, &length);
    struct capture *capture = start(recorder, "any", NULL, 0);
    send_datagrams(&address, length, 12, 20);
    int64_t before = clock_now();
    capture_sync(capture);
    /* Had the counts disagreed, it would have waited for what does not come. */
    assert_true(clock_now() - before < 40 * NANOSECONDS_PER_MILLISECOND);
    assert_int_equal(fake_count(recorder), 12);
    assert_int_equal(recorder->packets[0].link_type, 276);
    capture_stop(capture, NULL, NULL);
    assert_int_equal(recorder->statistics.received, 12);
    close(server);
    fake_close(recorder);
}

static void another_filter_counts_from_the_next_packet_on(void **state)
{
    (void)state;
    NEEDS_PRIVATE_LOOPBACK();
    static const char *const interfaces[] = {"lo", "any"};
    for (size_t i = 0; i < 2; i++) {
        struct recorder *recorder = fake_open();
        union any_address here, there;
        socklen_t length;
        char filter[32];
        struct error error = {0};
        int wanted = open_server(AF_INET, SOCK_DGRAM, &here, &length);
        int other = open_server(AF_INET, SOCK_DGRAM, &there, &length);
        struct capture *capture = start(recorder, interfaces[i], "port 1", 0);
        send_datagrams(&here, length, 3, 100);
        snprintf(filter, sizeof filter, "port %u", ntohs(here.v4.sin_port));
        assert_true(capture_set_filter(capture, filter, &error));
        send_datagrams(&here, length, 5, 100);
        send_datagrams(&there, length, 7, 100);
        capture_sync(capture);
        assert_int_equal(fake_count(recorder), 5);
        assert_true(capture_set_filter(capture, NULL, &error));
        send_datagrams(&there, length, 7, 100);
        capture_sync(capture);
        assert_int_equal(fake_count(recorder), 12);
        assert_false(capture_set_filter(capture, "prt 80", &error));
        assert_non_null(strstr(error.text, "the filter 'prt 80' is not understood"));
        close(wanted);
        close(other);
        uint64_t dropped = 1;
        capture_stop(capture, &dropped, NULL);
        assert_int_equal(dropped, 0);
        fake_close(recorder);
    }
}

int main(void)
{
    go_to_private_loopback();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_handshake_is_stamped_between_entry_and_return_of_connect),
        cmocka_unit_test(sync_hands_over_everything_sent_before_it),
        cmocka_unit_test(stop_hands_over_everything_sent_before_it),
        cmocka_unit_test(packets_come_without_a_sync_and_so_does_the_watermark),
        cmocka_unit_test(a_flood_of_connections_loses_nothing),
        cmocka_unit_test(a_bulk_sender_that_makes_room_loses_nothing),
        cmocka_unit_test(a_sender_that_makes_room_waits_for_a_capture_that_is_held_up),
        cmocka_unit_test(only_what_the_filter_names_is_captured),
        cmocka_unit_test(any_shows_the_loopbacks_packets_once),
        cmocka_unit_test(another_filter_counts_from_the_next_packet_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
