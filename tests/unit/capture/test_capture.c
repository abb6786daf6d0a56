#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/capture.h"
#include "fake_recorder.h"
#include "place/place.h"
#include "support/clock.h"

/* The whole program goes to a private loopback once; where there is none, nothing can be tested. */
static struct place place;
static struct error place_error;
static bool is_private;
static size_t descriptors_at_start;

static size_t open_descriptors(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

#define NEEDS_PRIVATE_LOOPBACK()                                                                   \
    do {                                                                                           \
        if (!is_private) {                                                                         \
            print_message("no private loopback: %s%s\n", place.remark, place_error.text);          \
            skip();                                                                                \
        }                                                                                          \
    } while (0)

#define ETHERNET 14 /* bytes of the link header on lo */

union any_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static union any_address loopback_address(int family, socklen_t *length)
{
    union any_address address = {0};
    address.any.sa_family = (sa_family_t)family;
    if (family == AF_INET) {
        address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        *length = sizeof address.v4;
    } else {
        address.v6.sin6_addr = in6addr_loopback;
        *length = sizeof address.v6;
    }
    return address;
}

/* A listening TCP socket or a bound UDP socket; address is where. */
static int open_server(int family, int type, union any_address *address, socklen_t *length)
{
    int server = socket(family, type | SOCK_CLOEXEC, 0);
    assert_true(server >= 0);
    *address = loopback_address(family, length);
    assert_int_equal(bind(server, &address->any, *length), 0);
    assert_int_equal(getsockname(server, &address->any, length), 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(server, 128), 0);
    return server;
}

static struct capture *start(struct recorder *recorder, const char *interface, const char *filter,
                             size_t ring)
{
    struct error error = {0};
    struct capture *capture = capture_start(recorder, interface, filter, ring, &error);
    if (capture == NULL)
        fail_msg("%s", error.text);
    return capture;
}

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
    capture_stop(capture, NULL);
    fake_close(recorder);
}

static void the_handshake_is_stamped_between_entry_and_return_of_connect(void **state)
{
    (void)state;
    NEEDS_PRIVATE_LOOPBACK();
    check_handshake(AF_INET);
    check_handshake(AF_INET6);
}

/* Sends count datagrams of the given length to address. */
static void send_datagrams(const union any_address *address, socklen_t length, size_t count,
                           size_t size)
{
    static uint8_t bytes[65000];
    int client = socket(address->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(client >= 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(sendto(client, bytes, size, 0, &address->any, length), size);
    close(client);
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
    capture_stop(capture, NULL);
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
    capture_stop(capture, &dropped);
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
    capture_stop(capture, NULL);
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
    capture_stop(capture, &dropped);
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
    capture_stop(capture, &dropped);
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
    capture_stop(capture, &dropped);
    assert_int_equal(dropped, 0);
    assert_int_equal(recorder->count, sent);
    close(server);
    fake_close(recorder);
}

static void what_the_ring_had_no_room_for_is_counted(void **state)
{
    (void)state;
    NEEDS_PRIVATE_LOOPBACK();
    enum { DATAGRAMS = 200 };
    struct recorder *recorder = fake_open();
    union any_address address;
    socklen_t length;
    int server = open_server(AF_INET, SOCK_DGRAM, &address, &length);
    struct capture *capture = start(recorder, "lo", NULL, 1);
    pthread_mutex_lock(&recorder->gate);
    send_datagrams(&address, length, DATAGRAMS, 60000);
    pthread_mutex_unlock(&recorder->gate);
    uint64_t dropped = 0;
    capture_stop(capture, &dropped);
    assert_true(dropped > 0);
    assert_true(recorder->count > 0);
    assert_int_equal(dropped + recorder->count, DATAGRAMS);
    assert_int_equal(recorder->statistics.dropped, dropped);
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
        capture_stop(capture, NULL);
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
    capture_stop(capture, NULL);
    assert_int_equal(recorder->statistics.received, 12);
    close(server);
    fake_close(recorder);
}

static void a_hundred_captures_leak_no_descriptor(void **state)
{
    (void)state;
    NEEDS_PRIVATE_LOOPBACK();
    struct recorder *recorder = fake_open();
    for (int i = 0; i < 100; i++)
        capture_stop(start(recorder, "lo", NULL, 1), NULL);
    /* They are closed aside. */
    int64_t end = clock_now() + 5 * NANOSECONDS_PER_SECOND;
    while (open_descriptors() > descriptors_at_start && clock_now() < end)
        usleep(1000);
    assert_int_equal(open_descriptors(), descriptors_at_start);
    struct error error;
    assert_null(capture_start(recorder, "nothing0", NULL, 0, &error));
    assert_null(capture_start(recorder, "lo", "tcp tcp", 0, &error));
    assert_int_equal(open_descriptors(), descriptors_at_start);
    fake_close(recorder);
}

static void a_filter_that_is_not_understood_is_a_usage_error(void **state)
{
    (void)state;
    NEEDS_PRIVATE_LOOPBACK();
    struct recorder *recorder = fake_open();
    static const char *const interfaces[] = {"lo", "any"};
    for (size_t i = 0; i < 2; i++) {
        struct error error = {0};
        assert_null(capture_start(recorder, interfaces[i], "tcp prt 80", 0, &error));
        assert_int_equal(error.status, STATUS_USAGE);
        assert_non_null(strstr(error.text, "'tcp prt 80'"));
        assert_non_null(strstr(error.text, "syntax error"));
    }
    assert_false(recorder->capturing);
    fake_close(recorder);
}

static void an_interface_that_is_not_there_is_named(void **state)
{
    (void)state;
    NEEDS_PRIVATE_LOOPBACK();
    struct recorder *recorder = fake_open();
    struct error error = {0};
    assert_null(capture_start(recorder, "nothing0", NULL, 0, &error));
    assert_int_equal(error.status, STATUS_NOT_ALLOWED);
    assert_string_equal(error.text, "cannot capture on nothing0: there is no such interface");
    fake_close(recorder);
}

/* In a child: without capabilities. */
static int start_without_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {0};
    if (syscall(SYS_capset, &header, none) != 0)
        return 2;
    struct recorder *recorder = fake_open();
    struct error error = {0};
    bool refused = capture_start(recorder, "lo", NULL, 0, &error) == NULL;
    fake_close(recorder);
    return refused && error.status == STATUS_NOT_ALLOWED &&
                   strstr(error.text, "CAP_NET_RAW") != NULL
               ? 0
               : 1;
}

static void without_the_right_it_says_so(void **state)
{
    (void)state;
    NEEDS_PRIVATE_LOOPBACK();
    pid_t child = fork();
    if (child == 0)
        _exit(start_without_capabilities());
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void set_up(const char *interface, bool up)
{
    struct ifreq request = {0};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
    int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(ioctl(control, SIOCGIFFLAGS, &request), 0);
    request.ifr_flags = (short)(up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP);
    assert_int_equal(ioctl(control, SIOCSIFFLAGS, &request), 0);
    close(control);
}

static void an_interface_that_was_down_for_a_while_is_still_captured(void **state)
{
    (void)state;
    NEEDS_PRIVATE_LOOPBACK();
    struct recorder *recorder = fake_open();
    union any_address address;
    socklen_t length;
    int server = open_server(AF_INET, SOCK_DGRAM, &address, &length);
    struct capture *capture = start(recorder, "lo", "udp", 0);
    send_datagrams(&address, length, 3, 20);
    set_up("lo", false);
    capture_sync(capture);
    set_up("lo", true);
    send_datagrams(&address, length, 3, 20);
    capture_sync(capture);
    capture_stop(capture, NULL);
    assert_int_equal(recorder->count, 6);
    assert_int_equal(recorder->notes, 0);
    close(server);
    fake_close(recorder);
}

static void an_interface_that_goes_away_ends_the_capture_with_a_note(void **state)
{
    (void)state;
    NEEDS_PRIVATE_LOOPBACK();
    int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (ioctl(control, SIOCBRADDBR, "gone0") != 0) {
        print_message("no bridge to be had: %s\n", strerror(errno));
        close(control);
        skip();
    }
    set_up("gone0", true);
    struct recorder *recorder = fake_open();
    struct capture *capture = start(recorder, "gone0", NULL, 0);
    set_up("gone0", false);
    assert_int_equal(ioctl(control, SIOCBRDELBR, "gone0"), 0);
    /* The thread notices by itself; a sync must not wait for the dead. */
    int64_t before = clock_now();
    while (fake_watermark(recorder) < before + NANOSECONDS_PER_SECOND / 10) {
        capture_sync(capture);
        usleep(10000);
    }
    capture_stop(capture, NULL);
    assert_int_equal(recorder->notes, 1);
    assert_non_null(strstr(recorder->note, "the capture ended early: "));
    assert_int_equal(recorder->statistics_count, 1);
    close(control);
    fake_close(recorder);
}

int main(void)
{
    static const struct place_wishes no_wishes = PLACE_NO_WISHES;
    is_private = place_enter(&place, PLACE_PRIVATE, true, &no_wishes, &place_error) &&
                 place.kind == PLACE_PRIVATE;
    descriptors_at_start = open_descriptors();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_handshake_is_stamped_between_entry_and_return_of_connect),
        cmocka_unit_test(sync_hands_over_everything_sent_before_it),
        cmocka_unit_test(stop_hands_over_everything_sent_before_it),
        cmocka_unit_test(packets_come_without_a_sync_and_so_does_the_watermark),
        cmocka_unit_test(a_flood_of_connections_loses_nothing),
        cmocka_unit_test(a_bulk_sender_that_makes_room_loses_nothing),
        cmocka_unit_test(a_sender_that_makes_room_waits_for_a_capture_that_is_held_up),
        cmocka_unit_test(what_the_ring_had_no_room_for_is_counted),
        cmocka_unit_test(only_what_the_filter_names_is_captured),
        cmocka_unit_test(any_shows_the_loopbacks_packets_once),
        cmocka_unit_test(a_hundred_captures_leak_no_descriptor),
        cmocka_unit_test(a_filter_that_is_not_understood_is_a_usage_error),
        cmocka_unit_test(an_interface_that_is_not_there_is_named),
        cmocka_unit_test(without_the_right_it_says_so),
        cmocka_unit_test(an_interface_that_was_down_for_a_while_is_still_captured),
        cmocka_unit_test(an_interface_that_goes_away_ends_the_capture_with_a_note),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
