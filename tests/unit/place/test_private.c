#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "child.h"
#include "place/place.h"
#include "support/clock.h"

static const struct place_wishes no_wishes = PLACE_NO_WISHES;

/* Goes to the private loopback, or leaves the case: skipped where this machine allows none. */
#define ENTER(wishes)                                                                              \
    struct place place;                                                                            \
    struct error error = {0};                                                                      \
    if (!place_enter(&place, PLACE_PRIVATE, true, wishes, &error))                                 \
        SKIP(error.text);                                                                          \
    if (place.kind != PLACE_PRIVATE)                                                               \
    SKIP(place.remark)

static size_t open_descriptors(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder != NULL && readdir(folder) != NULL)
        count++;
    if (folder != NULL)
        closedir(folder);
    return count;
}

/* Connects to a new listener at port of the loopback. Returns both ends, or -1. */
static int connect_at(int family, uint16_t port, int ends[2])
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {0};
    socklen_t length = family == AF_INET ? sizeof address.v4 : sizeof address.v6;
    address.any.sa_family = (sa_family_t)family;
    if (family == AF_INET) {
        address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.v4.sin_port = htons(port);
    } else {
        address.v6.sin6_addr = in6addr_loopback;
        address.v6.sin6_port = htons(port);
    }
    int listener = socket(family, SOCK_STREAM, 0);
    ends[0] = socket(family, SOCK_STREAM, 0);
    if (bind(listener, &address.any, length) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, &address.any, &length) != 0 ||
        connect(ends[0], &address.any, length) != 0)
        return -1;
    ends[1] = accept(listener, NULL, NULL);
    close(listener);
    return ends[1];
}

static int both_families(void)
{
    ENTER(&no_wishes);
    int ends[2];
    CHECK(connect_at(AF_INET, 0, ends) >= 0);
    CHECK(connect_at(AF_INET6, 0, ends) >= 0);
    return CASE_PASSED;
}

static void tcp_connects_on_both_loopback_addresses(void **state)
{
    (void)state;
    RUN_CASE(both_families);
}

static int described(void)
{
    ENTER(&no_wishes);
    char name[65];
    CHECK(gethostname(name, sizeof name) == 0);
    CHECK(strcmp(name, place.host_name) == 0 && strcmp(name, "handlens") == 0);
    CHECK(strcmp(place.name, "private loopback") == 0);
    CHECK(strcmp(place.interface, "lo") == 0);
    CHECK(place.may_capture);
    CHECK(place.remark[0] == '\0');
    return CASE_PASSED;
}

static void the_place_says_what_it_is(void **state)
{
    (void)state;
    RUN_CASE(described);
}

static int every_port(void)
{
    ENTER(&no_wishes);
    int ends[2];
    CHECK(connect_at(AF_INET, 80, ends) >= 0);
    CHECK(connect_at(AF_INET6, 22, ends) >= 0);
    return CASE_PASSED;
}

static void every_port_is_free_the_low_ones_too(void **state)
{
    (void)state;
    RUN_CASE(every_port);
}

static int same_user(void)
{
    uid_t user = geteuid();
    gid_t group = getegid();
    char path[] = "/tmp/handlens-place-XXXXXX";
    ENTER(&no_wishes);
    CHECK(getuid() == user && geteuid() == user && getgid() == group && getegid() == group);
    int descriptor = mkstemp(path);
    CHECK(descriptor >= 0);
    struct stat file;
    CHECK(fstat(descriptor, &file) == 0);
    unlink(path);
    CHECK(file.st_uid == user && file.st_gid == group);
    return CASE_PASSED;
}

static void the_user_stays_who_it_was_and_owns_its_files(void **state)
{
    (void)state;
    RUN_CASE(same_user);
}

static int ordinary_user(void)
{
    if (geteuid() != 0)
        SKIP("not root");
    CHECK(setresgid(23456, 23456, 23456) == 0 && setresuid(12345, 12345, 12345) == 0);
    ENTER(&no_wishes);
    int ends[2];
    CHECK(place.may_capture && geteuid() == 12345 && getegid() == 23456);
    CHECK(connect_at(AF_INET, 80, ends) >= 0);
    CHECK(socket(AF_PACKET, SOCK_RAW, 0) >= 0);
    return CASE_PASSED;
}

static void an_ordinary_user_needs_no_root(void **state)
{
    (void)state;
    RUN_CASE(ordinary_user);
}

static int nothing_left(void)
{
    size_t before = open_descriptors();
    int64_t start = clock_now();
    ENTER(&no_wishes);
    fprintf(stderr, "place_enter took %.2f ms\n", (double)(clock_now() - start) / 1e6);
    CHECK(open_descriptors() == before);
    CHECK(waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
    return CASE_PASSED;
}

static void entering_leaves_no_child_and_no_descriptor_behind(void **state)
{
    (void)state;
    RUN_CASE(nothing_left);
}

/* Collects the longest frame among what lo carried while a megabyte was sent. */
static size_t longest_frame(int ends[2])
{
    int packets = socket(AF_PACKET, SOCK_RAW, 0);
    struct sockaddr_ll lo = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = 1};
    if (bind(packets, (struct sockaddr *)&lo, sizeof lo) != 0)
        return 0;
    static char bytes[70000];
    size_t longest = 0;
    for (size_t sent = 0; sent < 1 << 20;) {
        ssize_t length = send(ends[0], bytes, 60000, MSG_DONTWAIT);
        if (length > 0)
            sent += (size_t)length;
        while (recv(ends[1], bytes, sizeof bytes, MSG_DONTWAIT) > 0)
            continue;
        ssize_t frame;
        while ((frame = recv(packets, bytes, sizeof bytes, MSG_DONTWAIT | MSG_TRUNC)) > 0)
            longest = (size_t)frame > longest ? (size_t)frame : longest;
    }
    close(packets);
    return longest;
}

static int small_mtu(void)
{
    struct place_wishes wishes = PLACE_NO_WISHES;
    wishes.mtu = 1500;
    ENTER(&wishes);
    int ends[2];
    CHECK(connect_at(AF_INET, 0, ends) >= 0);
    CHECK(longest_frame(ends) == 1514);
    CHECK(connect_at(AF_INET6, 0, ends) >= 0);
    CHECK(longest_frame(ends) == 1514);
    return CASE_PASSED;
}

static int own_mtu(void)
{
    struct place_wishes wishes = PLACE_NO_WISHES;
    wishes.mtu = 65536;
    ENTER(&wishes);
    int ends[2];
    CHECK(connect_at(AF_INET, 0, ends) >= 0);
    CHECK(longest_frame(ends) > 10000);
    return CASE_PASSED;
}

static void with_a_small_mtu_segments_are_no_longer_than_it(void **state)
{
    (void)state;
    RUN_CASE(small_mtu);
    RUN_CASE(own_mtu);
}

static int read_sysctl(const char *name)
{
    char path[96];
    char text[32] = "";
    snprintf(path, sizeof path, "/proc/sys/net/ipv4/%s", name);
    int descriptor = open(path, O_RDONLY);
    ssize_t length = read(descriptor, text, sizeof text - 1);
    close(descriptor);
    return length > 0 ? atoi(text) : -1;
}

static int all_wishes(void)
{
    const struct place_wishes wishes = {9000, 0, 0, 0, 2, 3, 11, 3, 1};
    ENTER(&wishes);
    CHECK(read_sysctl("tcp_timestamps") == 0);
    CHECK(read_sysctl("tcp_sack") == 0);
    CHECK(read_sysctl("tcp_window_scaling") == 0);
    CHECK(read_sysctl("tcp_syn_retries") == 2);
    CHECK(read_sysctl("tcp_synack_retries") == 3);
    CHECK(read_sysctl("tcp_fin_timeout") == 11);
    CHECK(read_sysctl("tcp_fastopen") == 3);
    CHECK(read_sysctl("tcp_ecn") == 1);
    return CASE_PASSED;
}

static void every_wish_is_granted(void **state)
{
    (void)state;
    RUN_CASE(all_wishes);
}

/* Whether the wish is refused by an error that says text. */
static int refused(const struct place_wishes *wishes, const char *text)
{
    struct place place;
    struct error error = {0};
    struct stat before;
    struct stat after;
    pid_t scout = fork();
    if (scout == 0)
        _exit(!place_enter(&place, PLACE_PRIVATE, true, &no_wishes, NULL) ||
              place.kind != PLACE_PRIVATE);
    int no_place;
    CHECK(waitpid(scout, &no_place, 0) == scout);
    if (no_place != 0)
        SKIP("no private loopback");
    CHECK(stat("/proc/self/ns/net", &before) == 0);
    CHECK(!place_enter(&place, PLACE_PRIVATE, true, wishes, &error));
    CHECK(error.status == STATUS_NOT_ALLOWED);
    if (strstr(error.text, text) == NULL)
        fprintf(stderr, "%s\n", error.text);
    CHECK(strstr(error.text, text) != NULL);
    CHECK(stat("/proc/self/ns/net", &after) == 0);
    CHECK(before.st_ino == after.st_ino);
    CHECK(waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
    return CASE_PASSED;
}

static int bad_mtu(void)
{
    struct place_wishes wishes = PLACE_NO_WISHES;
    wishes.mtu = 20;
    return refused(&wishes, "cannot set mtu to 20 on the private loopback: Invalid argument");
}

static int too_large_mtu(void)
{
    struct place_wishes wishes = PLACE_NO_WISHES;
    wishes.mtu = 65537;
    return refused(&wishes, "cannot set mtu to 65537 on the private loopback: Invalid argument");
}

static int bad_sysctl(void)
{
    struct place_wishes wishes = PLACE_NO_WISHES;
    wishes.ecn = 77;
    return refused(&wishes, "cannot set net.ipv4.tcp_ecn to 77 on the private loopback: ");
}

static void a_wish_that_cannot_be_granted_is_named_and_nothing_moves(void **state)
{
    (void)state;
    RUN_CASE(bad_mtu);
    RUN_CASE(too_large_mtu);
    RUN_CASE(bad_sysctl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_connects_on_both_loopback_addresses),
        cmocka_unit_test(the_place_says_what_it_is),
        cmocka_unit_test(every_port_is_free_the_low_ones_too),
        cmocka_unit_test(the_user_stays_who_it_was_and_owns_its_files),
        cmocka_unit_test(an_ordinary_user_needs_no_root),
        cmocka_unit_test(entering_leaves_no_child_and_no_descriptor_behind),
        cmocka_unit_test(with_a_small_mtu_segments_are_no_longer_than_it),
        cmocka_unit_test(every_wish_is_granted),
        cmocka_unit_test(a_wish_that_cannot_be_granted_is_named_and_nothing_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
