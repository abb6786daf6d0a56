/*
 * What happens where this machine does not allow a private loopback. The refusals are real: a
 * nested user namespace may set its own limits to none, and a seccomp filter refuses single system
 * calls as containers do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "child.h"
#include "place/place.h"
#include "refuse.h"

static const struct place_wishes no_wishes = PLACE_NO_WISHES;

static bool write_file(const char *path, const char *text)
{
    int descriptor = open(path, O_WRONLY);
    bool done = descriptor >= 0 && write(descriptor, text, strlen(text)) == (ssize_t)strlen(text);
    close(descriptor);
    return done;
}

/* Into a user namespace (and what more flags say) that allows no further ones. */
static bool nest(int flags)
{
    char map[64];
    unsigned user = geteuid();
    unsigned group = getegid();
    if (unshare(CLONE_NEWUSER | flags) != 0)
        return false;
    snprintf(map, sizeof map, "%u %u 1", user, user);
    if (!write_file("/proc/self/setgroups", "deny") || !write_file("/proc/self/uid_map", map))
        return false;
    snprintf(map, sizeof map, "%u %u 1", group, group);
    return write_file("/proc/self/gid_map", map) &&
           write_file("/proc/sys/user/max_user_namespaces", "0") &&
           write_file("/proc/sys/user/max_net_namespaces", "0");
}

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

/* Tries the private loopback; it must refuse, and leave neither child nor descriptor nor move. */
static int try_private(bool capture, bool expected, struct place *place, struct error *error)
{
    struct stat before;
    struct stat after;
    size_t descriptors = open_descriptors();
    CHECK(stat("/proc/self/ns/net", &before) == 0);
    CHECK(place_enter(place, PLACE_PRIVATE, capture, &no_wishes, error) == expected);
    CHECK(stat("/proc/self/ns/net", &after) == 0);
    CHECK(before.st_ino == after.st_ino);
    CHECK(open_descriptors() == descriptors);
    CHECK(waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
    return CASE_PASSED;
}

#define TRY_PRIVATE(capture, expected)                                                             \
    struct place place;                                                                            \
    struct error error = {0};                                                                      \
    CHECK(try_private(capture, expected, &place, &error) == CASE_PASSED)

static int no_more_namespaces(void)
{
    if (!nest(0))
        SKIP("no user namespace to nest in");
    TRY_PRIVATE(true, false);
    fprintf(stderr, "%s\n", error.text);
    CHECK(error.status == STATUS_NOT_ALLOWED);
    CHECK(strstr(error.text, "(unshare: No space left on device)") != NULL);
    CHECK(strstr(error.text, "(packet socket: Operation not permitted)") != NULL);
    CHECK(strstr(error.text, "sudo sysctl user.max_user_namespaces=") != NULL);
    if (geteuid() != 0) {
        CHECK(strstr(error.text, "sudo setcap cap_net_raw+ep /") != NULL);
        CHECK(strstr(error.text, "place_test_refused ...") != NULL);
    }
    return CASE_PASSED;
}

static void the_one_message_names_the_cause_and_the_ways_out(void **state)
{
    (void)state;
    RUN_CASE(no_more_namespaces);
}

static int no_more_namespaces_no_capture(void)
{
    if (!nest(0))
        SKIP("no user namespace to nest in");
    TRY_PRIVATE(false, true);
    CHECK(place.kind == PLACE_HERE && !place.may_capture);
    CHECK(strstr(place.remark, "unshare: No space left on device") != NULL);
    return CASE_PASSED;
}

static void without_capture_it_falls_back_whatever_the_rights(void **state)
{
    (void)state;
    RUN_CASE(no_more_namespaces_no_capture);
}

static int no_more_namespaces_but_the_right(void)
{
    if (!nest(CLONE_NEWNET))
        SKIP("no user namespace to nest in");
    TRY_PRIVATE(true, true);
    CHECK(place.kind == PLACE_HERE && place.may_capture);
    CHECK(strcmp(place.name, "this machine's loopback") == 0);
    CHECK(strcmp(place.remark, "no private loopback here (unshare: No space left on device), so "
                               "this runs on this machine's loopback") == 0);
    return CASE_PASSED;
}

static int wishes_are_lost(void)
{
    if (!nest(CLONE_NEWNET))
        SKIP("no user namespace to nest in");
    struct place_wishes wishes = PLACE_NO_WISHES;
    wishes.sack = 0;
    struct place place;
    struct error error;
    CHECK(place_enter(&place, PLACE_PRIVATE, true, &wishes, &error));
    CHECK(place.kind == PLACE_HERE);
    CHECK(strstr(place.remark, ", without the settings that the lab asks for") != NULL);
    return CASE_PASSED;
}

static void who_may_capture_here_gets_this_machines_loopback_and_a_remark(void **state)
{
    (void)state;
    RUN_CASE(no_more_namespaces_but_the_right);
    RUN_CASE(wishes_are_lost);
}

/* A call that is refused in the child, as AppArmor and containers do. */
static int refused_step(unsigned call, int argument, unsigned code, const char *words)
{
    if (!nest(CLONE_NEWNET))
        SKIP("no user namespace to nest in");
    CHECK(write_file("/proc/sys/user/max_user_namespaces", "10"));
    CHECK(write_file("/proc/sys/user/max_net_namespaces", "10"));
    CHECK(refuse(call, argument, code));
    TRY_PRIVATE(true, true);
    if (strstr(place.remark, words) == NULL)
        fprintf(stderr, "%s\n", place.remark);
    CHECK(place.kind == PLACE_HERE);
    CHECK(strstr(place.remark, words) != NULL);
    return CASE_PASSED;
}

static int refused_unshare(void)
{
    return refused_step(SYS_unshare, -1, EPERM, "(unshare: Operation not permitted)");
}

static int refused_nesting(void)
{
    return refused_step(SYS_unshare, -1, EUSERS, "(unshare: Too many users)");
}

static int refused_host_name(void)
{
    return refused_step(SYS_sethostname, -1, EACCES, "(sethostname: Permission denied)");
}

static int refused_ioctl(void)
{
    return refused_step(SYS_ioctl, -1, EPERM, "(bringing lo up: Operation not permitted)");
}

static int refused_join(void)
{
    return refused_step(SYS_setns, -1, EPERM, "(setns: Operation not permitted)");
}

static int refused_pidfd(void)
{
    return refused_step(SYS_pidfd_open, -1, ENOSYS, "(setns: Function not implemented)");
}

static int refused_channel(void)
{
    return refused_step(SYS_socketpair, -1, EMFILE, "(fork: Too many open files)");
}

static int refused_report(void)
{
    return refused_step(SYS_sendto, -1, ENOBUFS, "(fork: No child processes)");
}

static int refused_fork(void)
{
    return refused_step(SYS_clone, -1, EAGAIN, "(fork: Resource temporarily unavailable)");
}

static void whatever_step_is_refused_is_named_and_nothing_moves(void **state)
{
    (void)state;
    RUN_CASE(refused_unshare);
    RUN_CASE(refused_nesting);
    RUN_CASE(refused_host_name);
    RUN_CASE(refused_ioctl);
    RUN_CASE(refused_join);
    RUN_CASE(refused_pidfd);
    RUN_CASE(refused_channel);
    RUN_CASE(refused_report);
    RUN_CASE(refused_fork);
}

static int refused_packets(void)
{
    if (!nest(CLONE_NEWNET))
        SKIP("no user namespace to nest in");
    CHECK(write_file("/proc/sys/user/max_user_namespaces", "10"));
    CHECK(write_file("/proc/sys/user/max_net_namespaces", "10"));
    CHECK(refuse(SYS_socket, AF_PACKET, EAFNOSUPPORT));
    TRY_PRIVATE(true, false);
    CHECK(strstr(error.text, "packet socket: Address family not supported") != NULL);
    CHECK(strstr(error.text, "sysctl") == NULL);
    return CASE_PASSED;
}

static void a_place_without_packets_is_no_place_for_a_capture(void **state)
{
    (void)state;
    RUN_CASE(refused_packets);
}

/* A container's root: it may make no namespaces as root does, but as anybody may. */
static int root_without_namespaces(void)
{
    struct place place;
    struct error error = {0};
    if (geteuid() != 0)
        SKIP("not root");
    unsetenv("SUDO_UID");
    CHECK(refuse(SYS_unshare, CLONE_NEWNET | CLONE_NEWUTS, EPERM));
    CHECK(place_enter(&place, PLACE_PRIVATE, true, &no_wishes, &error));
    CHECK(place.kind == PLACE_PRIVATE && place.may_capture && geteuid() == 0);
    return CASE_PASSED;
}

/* In a namespace of its own root could not become the user who called sudo. */
static int root_under_sudo_without_namespaces(void)
{
    struct place place;
    struct error error = {0};
    if (geteuid() != 0)
        SKIP("not root");
    setenv("SUDO_UID", "12345", 1);
    CHECK(refuse(SYS_unshare, CLONE_NEWNET | CLONE_NEWUTS, EPERM));
    CHECK(place_enter(&place, PLACE_PRIVATE, true, &no_wishes, &error));
    CHECK(place.kind == PLACE_HERE);
    CHECK(strstr(place.remark, "(unshare: Operation not permitted)") != NULL);
    return CASE_PASSED;
}

static void a_containers_root_is_served_as_an_ordinary_user(void **state)
{
    (void)state;
    RUN_CASE(root_without_namespaces);
    RUN_CASE(root_under_sudo_without_namespaces);
}

static int an_ordinary_user(void)
{
    struct place place;
    struct error error = {0};
    if (geteuid() != 0)
        SKIP("not root");
    CHECK(refuse(SYS_unshare, -1, EPERM));
    CHECK(setresgid(23456, 23456, 23456) == 0 && setresuid(12345, 12345, 12345) == 0);
    CHECK(!place_enter(&place, PLACE_PRIVATE, true, &no_wishes, &error));
    fprintf(stderr, "%s\n", error.text);
    CHECK(error.status == STATUS_NOT_ALLOWED);
    CHECK(strstr(error.text, "(unshare: Operation not permitted)\nnor capturing packets") != NULL);
    CHECK(strstr(error.text, "sudo setcap cap_net_raw+ep /") != NULL);
    CHECK(strstr(error.text, "place_test_refused ...") != NULL);
    CHECK(place_enter(&place, PLACE_NETWORK, true, &no_wishes, &error));
    CHECK(strstr(place.remark, "; try sudo, or once: sudo setcap cap_net_raw+ep /") != NULL);
    return CASE_PASSED;
}

static void an_ordinary_user_is_told_of_sudo_and_setcap(void **state)
{
    (void)state;
    RUN_CASE(an_ordinary_user);
}

static int here(void)
{
    struct place place;
    struct error error = {0};
    char name[65];
    CHECK(place_enter(&place, PLACE_HERE, false, &no_wishes, &error));
    CHECK(place.kind == PLACE_HERE && strcmp(place.interface, "lo") == 0);
    CHECK(gethostname(name, sizeof name) == 0 && strcmp(name, place.host_name) == 0);
    CHECK(place.remark[0] == '\0');
    if (!nest(0))
        SKIP("no user namespace to nest in");
    CHECK(place_enter(&place, PLACE_HERE, false, &no_wishes, &error));
    CHECK(!place.may_capture);
    CHECK(!place_enter(&place, PLACE_HERE, true, &no_wishes, &error));
    fprintf(stderr, "%s\n", error.text);
    CHECK(error.status == STATUS_NOT_ALLOWED);
    CHECK(strstr(error.text, "user.max_user_namespaces") == NULL);
    return CASE_PASSED;
}

static void here_works_without_capture_and_needs_the_right_with_it(void **state)
{
    (void)state;
    RUN_CASE(here);
}

static int network(void)
{
    struct place place;
    struct error error = {0};
    if (!nest(CLONE_NEWNET))
        SKIP("no user namespace to nest in");
    CHECK(place_enter(&place, PLACE_NETWORK, true, &no_wishes, &error));
    CHECK(place.may_capture && strcmp(place.interface, "any") == 0 && place.remark[0] == '\0');
    CHECK(refuse(SYS_socket, AF_PACKET, EPERM));
    CHECK(place_enter(&place, PLACE_NETWORK, true, &no_wishes, &error));
    fprintf(stderr, "%s\n", place.remark);
    CHECK(!place.may_capture);
    CHECK(strstr(place.remark, "packet socket: Operation not permitted") != NULL);
    CHECK(strchr(place.remark, '\n') == NULL);
    return CASE_PASSED;
}

static void the_network_never_fails(void **state)
{
    (void)state;
    RUN_CASE(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_one_message_names_the_cause_and_the_ways_out),
        cmocka_unit_test(without_capture_it_falls_back_whatever_the_rights),
        cmocka_unit_test(who_may_capture_here_gets_this_machines_loopback_and_a_remark),
        cmocka_unit_test(whatever_step_is_refused_is_named_and_nothing_moves),
        cmocka_unit_test(a_place_without_packets_is_no_place_for_a_capture),
        cmocka_unit_test(a_containers_root_is_served_as_an_ordinary_user),
        cmocka_unit_test(an_ordinary_user_is_told_of_sudo_and_setcap),
        cmocka_unit_test(here_works_without_capture_and_needs_the_right_with_it),
        cmocka_unit_test(the_network_never_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
