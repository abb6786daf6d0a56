#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "child.h"
#include "place/place.h"
#include "refuse.h"

#define USER  "12345"
#define GROUP "23456"

static void pretend_sudo(const char *user, const char *group)
{
    unsetenv("SUDO_UID");
    unsetenv("SUDO_GID");
    if (user != NULL)
        setenv("SUDO_UID", user, 1);
    if (group != NULL)
        setenv("SUDO_GID", group, 1);
}

static bool has_no_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) != 0)
        return false;
    return data[0].effective == 0 && data[1].effective == 0 && data[0].permitted == 0 &&
           data[1].permitted == 0;
}

/* Waits in pthread_barrier_wait twice, and looks who it is between. */
static pthread_barrier_t barrier;
static void *other_thread(void *data)
{
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    *(uid_t *)data = (uid_t)syscall(SYS_geteuid);
    return NULL;
}

static int dropped(void)
{
    if (geteuid() != 0)
        SKIP("not root");
    pretend_sudo(USER, GROUP);
    struct error error = {0};
    pthread_t thread;
    uid_t seen = 0;
    pthread_barrier_init(&barrier, NULL, 2);
    CHECK(pthread_create(&thread, NULL, other_thread, &seen) == 0);
    pthread_barrier_wait(&barrier);
    CHECK(place_drop_privileges(&error));
    pthread_barrier_wait(&barrier);
    pthread_join(thread, NULL);
    uid_t users[3];
    gid_t groups[3];
    gid_t others[8];
    CHECK(getresuid(&users[0], &users[1], &users[2]) == 0);
    CHECK(getresgid(&groups[0], &groups[1], &groups[2]) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(users[i] == 12345 && groups[i] == 23456);
    CHECK(seen == 12345);
    CHECK(getgroups(8, others) == 1 && others[0] == 23456);
    CHECK(setresuid(0, 0, 0) == -1 && setresgid(0, 0, 0) == -1);
    CHECK(has_no_capabilities());
    return CASE_PASSED;
}

static void root_becomes_the_user_of_sudo_for_good_in_every_thread(void **state)
{
    (void)state;
    RUN_CASE(dropped);
}

static int not_numbers(void)
{
    if (geteuid() != 0)
        SKIP("not root");
    static const char *const bad[] = {"",    " 1",         "1 ",         "-1", "0x10",
                                      "bob", "4294967295", "4294967296", "+1"};
    struct error error = {0};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        pretend_sudo(bad[i], GROUP);
        CHECK(!place_drop_privileges(&error));
        CHECK(error.status == STATUS_NOT_ALLOWED && strstr(error.text, "SUDO_UID") != NULL);
        pretend_sudo(USER, bad[i]);
        CHECK(!place_drop_privileges(&error));
    }
    pretend_sudo(USER, NULL);
    CHECK(!place_drop_privileges(&error));
    CHECK(geteuid() == 0 && getegid() == 0);
    return CASE_PASSED;
}

static void what_is_not_a_number_is_refused(void **state)
{
    (void)state;
    RUN_CASE(not_numbers);
}

static int nothing_to_drop(void)
{
    struct error error = {0};
    uid_t user = geteuid();
    pretend_sudo(NULL, NULL);
    CHECK(place_drop_privileges(&error));
    pretend_sudo("0", "0");
    CHECK(place_drop_privileges(&error));
    if (user != 0) {
        pretend_sudo(USER, GROUP);
        CHECK(place_drop_privileges(&error));
    }
    CHECK(geteuid() == user);
    return CASE_PASSED;
}

static void without_sudo_nothing_changes(void **state)
{
    (void)state;
    RUN_CASE(nothing_to_drop);
}

/* sudo handlens run: the private loopback, then an ordinary user, for whom all ports are free. */
static int sudo_run(void)
{
    if (geteuid() != 0)
        SKIP("not root");
    static const struct place_wishes no_wishes = PLACE_NO_WISHES;
    struct place place;
    struct error error = {0};
    pretend_sudo(USER, GROUP);
    CHECK(place_enter(&place, PLACE_PRIVATE, true, &no_wishes, &error));
    if (place.kind != PLACE_PRIVATE)
        SKIP(place.remark);
    CHECK(place_drop_privileges(&error));
    CHECK(geteuid() == 12345 && has_no_capabilities());
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK(bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(place_is_quiet());
    return CASE_PASSED;
}

static void under_sudo_the_private_loopback_outlives_the_privileges(void **state)
{
    (void)state;
    RUN_CASE(sudo_run);
}

/* Root under sudo whose kernel refuses one step; the sentence says which. */
static int refused_step(unsigned call, int argument, unsigned code, const char *words)
{
    struct error error = {0};
    if (geteuid() != 0)
        SKIP("not root");
    pretend_sudo(USER, GROUP);
    CHECK(refuse(call, argument, code));
    CHECK(!place_drop_privileges(&error));
    if (strcmp(error.text, words) != 0)
        fprintf(stderr, "%s\n", error.text);
    CHECK(error.status == STATUS_NOT_ALLOWED && strcmp(error.text, words) == 0);
    return CASE_PASSED;
}

static int refused_groups(void)
{
    return refused_step(
        SYS_setgroups, -1, EPERM,
        "cannot become user 12345 and group 23456: Operation not permitted (EPERM)");
}

static int refused_user(void)
{
    return refused_step(
        SYS_setresuid, -1, EAGAIN,
        "cannot become user 12345 and group 23456: Resource temporarily unavailable "
        "(EAGAIN)");
}

static int pretended_user(void)
{
    return refused_step(SYS_setresuid, -1, 0,
                        "root's privileges could be taken back after they were given up");
}

static int refused_capabilities(void)
{
    return refused_step(SYS_capset, -1, EPERM,
                        "cannot give up the capabilities: Operation not permitted (EPERM)");
}

static int refused_no_new_privileges(void)
{
    return refused_step(SYS_prctl, PR_SET_NO_NEW_PRIVS, EINVAL,
                        "cannot set no_new_privs: Invalid argument (EINVAL)");
}

static void whatever_cannot_be_given_up_is_an_error(void **state)
{
    (void)state;
    RUN_CASE(refused_groups);
    RUN_CASE(refused_user);
    RUN_CASE(pretended_user);
    RUN_CASE(refused_capabilities);
    RUN_CASE(refused_no_new_privileges);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_becomes_the_user_of_sudo_for_good_in_every_thread),
        cmocka_unit_test(what_is_not_a_number_is_refused),
        cmocka_unit_test(without_sudo_nothing_changes),
        cmocka_unit_test(whatever_cannot_be_given_up_is_an_error),
        cmocka_unit_test(under_sudo_the_private_loopback_outlives_the_privileges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
