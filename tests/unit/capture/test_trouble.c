#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "exchange.h"
#include "support/clock.h"

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
    capture_stop(capture, &dropped, NULL);
    assert_true(dropped > 0);
    assert_true(recorder->count > 0);
    assert_int_equal(dropped + recorder->count, DATAGRAMS);
    assert_int_equal(recorder->statistics.dropped, dropped);
    close(server);
    fake_close(recorder);
}

static void a_hundred_captures_leak_no_descriptor(void **state)
{
    (void)state;
    NEEDS_PRIVATE_LOOPBACK();
    struct recorder *recorder = fake_open();
    for (int i = 0; i < 100; i++)
        capture_stop(start(recorder, "lo", NULL, 1), NULL, NULL);
    /* They are closed aside. */
    int64_t end = clock_now() + 5 * NANOSECONDS_PER_SECOND;
    while (open_descriptors() > descriptors_at_start && clock_now() < end)
        usleep(1000);
    assert_int_equal(open_descriptors(), descriptors_at_start);
    struct error error;
    assert_null(capture_new(recorder, "nothing0", NULL, 0, &error));
    assert_null(capture_new(recorder, "lo", "tcp tcp", 0, &error));
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
        assert_null(capture_new(recorder, interfaces[i], "tcp prt 80", 0, &error));
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
    assert_null(capture_new(recorder, "nothing0", NULL, 0, &error));
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
    bool refused = capture_new(recorder, "lo", NULL, 0, &error) == NULL;
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

/* In a child: what sudo handlens run does. */
static int capture_and_become_a_user(void)
{
    struct recorder *recorder = fake_open();
    struct error error = {0};
    struct capture *capture = capture_new(recorder, "lo", NULL, 0, &error);
    setenv("SUDO_UID", "12345", 1);
    setenv("SUDO_GID", "12345", 1);
    if (capture == NULL || !place_drop_privileges(&error) || geteuid() != 12345 ||
        !capture_start(capture, &error))
        return 1;
    union any_address address;
    socklen_t length;
    int server = open_server(AF_INET, SOCK_DGRAM, &address, &length);
    send_datagrams(&address, length, 9, 20);
    capture_sync(capture);
    size_t count = fake_count(recorder);
    close(server);
    uint64_t dropped = 99;
    capture_stop(capture, &dropped, NULL);
    fake_close(recorder);
    return count == 9 && dropped == 0 ? 0 : 1;
}

static void a_capture_goes_on_when_root_becomes_an_ordinary_user(void **state)
{
    (void)state;
    NEEDS_PRIVATE_LOOPBACK();
    if (geteuid() != 0) {
        print_message("not root\n");
        skip();
    }
    pid_t child = fork();
    if (child == 0)
        _exit(capture_and_become_a_user());
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
    capture_stop(capture, NULL, NULL);
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
    struct error error;
    assert_false(capture_stop(capture, NULL, &error));
    assert_non_null(strstr(error.text, "the capture on gone0 ended early"));
    assert_int_equal(recorder->notes, 1);
    assert_non_null(strstr(recorder->note, "the capture ended early: "));
    assert_int_equal(recorder->statistics_count, 1);
    close(control);
    fake_close(recorder);
}

int main(void)
{
    go_to_private_loopback();
    descriptors_at_start = open_descriptors();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_ring_had_no_room_for_is_counted),
        cmocka_unit_test(a_hundred_captures_leak_no_descriptor),
        cmocka_unit_test(a_filter_that_is_not_understood_is_a_usage_error),
        cmocka_unit_test(an_interface_that_is_not_there_is_named),
        cmocka_unit_test(without_the_right_it_says_so),
        cmocka_unit_test(a_capture_goes_on_when_root_becomes_an_ordinary_user),
        cmocka_unit_test(an_interface_that_was_down_for_a_while_is_still_captured),
        cmocka_unit_test(an_interface_that_goes_away_ends_the_capture_with_a_note),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
