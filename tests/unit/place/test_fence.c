/* What cannot be done behind the fence, tried in children that have closed it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "child.h"
#include "place/place.h"
#include "refuse.h"

/* Each refusal by its number: a library's wrapper might turn to another call. */
#define REFUSED(number, ...) (errno = 0, syscall(number, __VA_ARGS__) == -1 && errno == EPERM)

/* A kernel without Landlock (or one that valgrind stands in for) holds back no file. */
static bool has_landlock(void)
{
    return syscall(444 /* landlock_create_ruleset */, NULL, 0, 1) >= 1;
}

/* By a sanitizer, or who counts the branches: its own code may open files and more. */
static bool is_watched(void)
{
#ifdef HANDLENS_WATCHED
    return true;
#else
    return false;
#endif
}

static char folder[] = "/tmp/handlens-fence-XXXXXX";

/* PATH below the folder of this test. Valid until the next call but one. */
static const char *at(const char *path)
{
    static char whole[2][128];
    static unsigned calls;
    char *text = whole[calls++ % 2];
    snprintf(text, sizeof whole[0], "%s/%s", folder, path);
    return text;
}

static int make_files(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL || mkdir(at("inside"), 0700) != 0)
        return -1;
    close(open(at("secret"), O_CREAT | O_WRONLY, 0600));
    return symlink("../secret", at("inside/link"));
}

static int remove_files(void **state)
{
    (void)state;
    unlink(at("inside/link"));
    rmdir(at("inside"));
    unlink(at("secret"));
    return rmdir(folder);
}

static bool close_fence(bool network, enum fence_opens opens)
{
    const struct fence_opening openings[] = {
        {.path = at("inside"), .right = opens == FENCE_OPENS_TO_WRITE ? FENCE_WRITE : FENCE_READ},
        {.path = "/nothing/is/here", .right = FENCE_READ},
    };
    const struct place_fence fence = {
        .network = network, .opens = opens, .openings = openings, .opening_count = 2};
    struct error error = {0};
    bool done = place_drop_privileges(&error) && place_fence(&fence, &error);
    if (!done)
        fprintf(stderr, "%s\n", error.text);
    return done;
}

static int files(void)
{
    if (!has_landlock())
        SKIP("no Landlock here");
    CHECK(close_fence(true, FENCE_OPENS_TO_WRITE));
    int inside = open(at("inside/new"), O_CREAT | O_RDWR, 0600);
    CHECK(inside >= 0 && write(inside, "x", 1) == 1);
    CHECK(mkdir(at("inside/sub"), 0700) == 0 && rmdir(at("inside/sub")) == 0);
    CHECK(rename(at("inside/new"), at("inside/newer")) == 0);
    CHECK(open(at("secret"), O_WRONLY) == -1 && errno == EACCES);
    CHECK(open(at("new"), O_CREAT | O_WRONLY, 0600) == -1 && errno == EACCES);
    CHECK(open(at("inside/link"), O_WRONLY) == -1 && errno == EACCES);
    CHECK(open("/proc/self/mem", O_WRONLY) == -1 && errno == EACCES);
    CHECK(unlink(at("secret")) == -1 && errno == EACCES);
    CHECK(mkdir(at("other"), 0700) == -1 && errno == EACCES);
    CHECK(is_watched() || (open(at("secret"), O_RDONLY) == -1 && errno == EACCES));
    CHECK(is_watched() || (open("/etc/passwd", O_RDONLY) == -1 && errno == EACCES));
    return CASE_PASSED;
}

static void only_the_named_folder_can_be_written_and_read(void **state)
{
    (void)state;
    RUN_CASE(files);
    unlink(at("inside/newer"));
}

static int reading(void)
{
    if (is_watched())
        SKIP("a watcher's own code may open files");
    close(open(at("inside/old"), O_CREAT | O_WRONLY, 0600));
    CHECK(close_fence(false, FENCE_OPENS_TO_READ));
    CHECK(open(at("inside/old"), O_RDONLY) >= 0);
    CHECK(open(at("inside/old"), O_WRONLY) == -1 && errno == EPERM);
    CHECK(open(at("inside/old"), O_RDWR) == -1 && errno == EPERM);
    CHECK(open(at("inside/new"), O_CREAT | O_RDONLY, 0600) == -1 && errno == EPERM);
    CHECK(open(at("inside/old"), O_RDONLY | O_TRUNC) == -1 && errno == EPERM);
    CHECK(unlink(at("inside/old")) == -1 && errno == EPERM);
    return CASE_PASSED;
}

static void a_fence_for_reading_lets_nothing_be_written(void **state)
{
    (void)state;
    RUN_CASE(reading);
    unlink(at("inside/old"));
}

static int closed(void)
{
    if (is_watched())
        SKIP("a watcher's own code may open files");
    CHECK(close_fence(false, FENCE_OPENS_NOTHING));
    CHECK(open(at("inside/link"), O_RDONLY) == -1 && errno == EPERM);
    CHECK(open("/dev/null", O_RDONLY) == -1 && errno == EPERM);
    CHECK(socket(AF_INET, SOCK_STREAM, 0) == -1 && errno == EPERM);
    CHECK(socket(AF_INET6, SOCK_DGRAM, 0) == -1 && errno == EPERM);
    char *memory = malloc(1 << 20);
    CHECK(memory != NULL);
    free(memory);
    return CASE_PASSED;
}

static void a_closed_fence_opens_no_file_and_no_socket(void **state)
{
    (void)state;
    RUN_CASE(closed);
}

static int sockets(void)
{
    CHECK(close_fence(true, FENCE_OPENS_TO_WRITE));
    static const int families[] = {AF_INET, AF_INET6};
    static const int kinds[] = {SOCK_STREAM, SOCK_DGRAM};
    for (int i = 0; i < 4; i++)
        CHECK(socket(families[i / 2], kinds[i % 2] | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) >= 0);
    CHECK(REFUSED(SYS_socket, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
    CHECK(REFUSED(SYS_socket, AF_PACKET, SOCK_RAW, 0));
    CHECK(REFUSED(SYS_socket, AF_UNIX, SOCK_STREAM, 0));
    CHECK(REFUSED(SYS_socket, AF_INET, SOCK_RAW, IPPROTO_ICMP));
    CHECK(REFUSED(SYS_socket, AF_VSOCK, SOCK_STREAM, 0));
    int pair[2];
    CHECK(REFUSED(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, pair));
    return CASE_PASSED;
}

static void the_network_is_tcp_and_udp(void **state)
{
    (void)state;
    RUN_CASE(sockets);
}

static int programs(void)
{
    char *const words[] = {(char[]){"true"}, NULL};
    CHECK(close_fence(true, FENCE_OPENS_TO_WRITE));
    CHECK(REFUSED(SYS_execve, "/bin/true", words, NULL));
    CHECK(REFUSED(SYS_execveat, AT_FDCWD, "/bin/true", words, NULL, 0));
    CHECK(is_watched() || REFUSED(SYS_ptrace, PTRACE_ATTACH, getppid(), NULL, NULL));
    CHECK(is_watched() || REFUSED(SYS_kill, getppid(), 0));
    CHECK(is_watched() || REFUSED(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
    CHECK(is_watched() || (fork() == -1 && errno == EPERM));
    CHECK(syscall(SYS_clone3, NULL, 0) == -1 && errno == ENOSYS);
    CHECK(syscall(425 /* io_uring_setup */, 1, NULL) == -1 && errno == ENOSYS);
    return CASE_PASSED;
}

static void no_program_is_started_and_no_process_reached(void **state)
{
    (void)state;
    RUN_CASE(programs);
}

static int kernel(void)
{
    CHECK(close_fence(true, FENCE_OPENS_TO_WRITE));
    CHECK(REFUSED(SYS_unshare, CLONE_NEWUSER));
    CHECK(REFUSED(SYS_setns, 0, 0));
    CHECK(REFUSED(SYS_mount, "none", "/mnt", "tmpfs", 0, NULL));
    CHECK(REFUSED(SYS_chroot, "/"));
    CHECK(REFUSED(SYS_bpf, 0, NULL, 0));
    CHECK(REFUSED(SYS_perf_event_open, NULL, 0, -1, -1, 0));
    CHECK(REFUSED(SYS_keyctl, 0, 0));
    CHECK(REFUSED(SYS_setuid, 0));
    CHECK(REFUSED(SYS_memfd_create, "code", 0));
    CHECK(is_watched() || REFUSED(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0));
    CHECK(is_watched() || REFUSED(SYS_ioctl, 0, TIOCSTI, "x"));
    CHECK(is_watched() ||
          REFUSED(SYS_mmap, NULL, 4096, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    return CASE_PASSED;
}

static void the_kernel_is_asked_for_nothing_else(void **state)
{
    (void)state;
    RUN_CASE(kernel);
}

static bool landlock;

static bool is_fenced_in(void)
{
    bool held = open(at("secret"), O_WRONLY) == -1 && errno == EACCES;
    return REFUSED(SYS_execve, "/bin/true", NULL, NULL) && (held || !landlock);
}

static void *look(void *data)
{
    *(bool *)data = is_fenced_in();
    return NULL;
}

static int threads(void)
{
    pthread_t thread;
    bool inside = false;
    landlock = has_landlock();
    CHECK(close_fence(true, FENCE_OPENS_TO_WRITE));
    CHECK(pthread_create(&thread, NULL, look, &inside) == 0 && pthread_join(thread, NULL) == 0);
    CHECK(inside);
    return CASE_PASSED;
}

static void threads_that_start_behind_it_are_inside(void **state)
{
    (void)state;
    RUN_CASE(threads);
}

/* The numbers of a line of /proc/self/status: "CapEff". -1 if it is not there. */
static unsigned long long status_of(const char *name)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    unsigned long long value = ~0ULL;
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
            value = strtoull(line + strlen(name) + 1, NULL, 16);
    if (file != NULL)
        fclose(file);
    return value;
}

static int capabilities(void)
{
    struct error error = {0};
    static const struct place_wishes no_wishes = PLACE_NO_WISHES;
    struct place place;
    unsetenv("SUDO_UID");
    if (!place_enter(&place, PLACE_PRIVATE, true, &no_wishes, &error))
        SKIP(error.text);
    CHECK(place_drop_privileges(&error));
    static const char *const sets[] = {"CapEff", "CapPrm", "CapInh", "CapAmb", "CapBnd"};
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
        CHECK(status_of(sets[i]) == 0);
    CHECK(status_of("NoNewPrivs") == 1);
    CHECK(socket(AF_PACKET, SOCK_RAW, 0) == -1 && errno == EPERM);
    return CASE_PASSED;
}

static void the_private_loopbacks_capabilities_go_too(void **state)
{
    (void)state;
    RUN_CASE(capabilities);
}

/* Landlock's calls by their numbers: the headers may be older. */
enum { LANDLOCK_CREATE_RULESET = 444, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF };

static int refused_files(unsigned call, unsigned code, const char *words)
{
    if (!has_landlock())
        SKIP("no Landlock here");
    const struct fence_opening opening = {.path = at("inside"), .right = FENCE_READ};
    const struct place_fence fence = {.openings = &opening, .opening_count = 1};
    struct error error = {0};
    CHECK(refuse(call, -1, code));
    CHECK(!place_fence(&fence, &error));
    if (strcmp(error.text, words) != 0)
        fprintf(stderr, "%s\n", error.text);
    CHECK(error.status == STATUS_NOT_ALLOWED && strcmp(error.text, words) == 0);
    return CASE_PASSED;
}

static int refused_rule(void)
{
    return refused_files(LANDLOCK_ADD_RULE, ENOMEM,
                         "cannot fence in the files (Landlock): Cannot allocate memory (ENOMEM)");
}

static int refused_restriction(void)
{
    return refused_files(LANDLOCK_RESTRICT_SELF, E2BIG,
                         "cannot fence in the files (Landlock): Argument list too long (E2BIG)");
}

static void a_fence_that_cannot_be_closed_is_an_error(void **state)
{
    (void)state;
    RUN_CASE(refused_rule);
    RUN_CASE(refused_restriction);
}

static int no_landlock(void)
{
    CHECK(refuse(LANDLOCK_CREATE_RULESET, -1, ENOSYS));
    CHECK(close_fence(false, FENCE_OPENS_TO_READ));
    CHECK(open(at("secret"), O_RDONLY) >= 0);
    CHECK(REFUSED(SYS_socket, AF_INET, SOCK_STREAM, 0));
    return CASE_PASSED;
}

static int no_seccomp(void)
{
    if (!has_landlock())
        SKIP("no Landlock here");
    CHECK(refuse(SYS_seccomp, -1, ENOSYS));
    CHECK(close_fence(true, FENCE_OPENS_TO_READ));
    CHECK(open(at("secret"), O_WRONLY) == -1 && errno == EACCES);
    CHECK(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
    return CASE_PASSED;
}

static void a_kernel_that_lacks_one_wall_has_the_other(void **state)
{
    (void)state;
    RUN_CASE(no_landlock);
    RUN_CASE(no_seccomp);
}

static int a_pipe(void)
{
    int ends[2];
    CHECK(pipe(ends) == 0);
    const struct fence_opening opening = {.descriptor = ends[0], .right = FENCE_WRITE};
    const struct place_fence fence = {.openings = &opening, .opening_count = 1};
    struct error error = {0};
    CHECK(place_fence(&fence, &error));
    CHECK(write(ends[1], "x", 1) == 1);
    return CASE_PASSED;
}

static void an_open_pipe_needs_no_opening(void **state)
{
    (void)state;
    RUN_CASE(a_pipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_named_folder_can_be_written_and_read),
        cmocka_unit_test(a_fence_for_reading_lets_nothing_be_written),
        cmocka_unit_test(a_closed_fence_opens_no_file_and_no_socket),
        cmocka_unit_test(the_network_is_tcp_and_udp),
        cmocka_unit_test(no_program_is_started_and_no_process_reached),
        cmocka_unit_test(the_kernel_is_asked_for_nothing_else),
        cmocka_unit_test(threads_that_start_behind_it_are_inside),
        cmocka_unit_test(the_private_loopbacks_capabilities_go_too),
        cmocka_unit_test(a_fence_that_cannot_be_closed_is_an_error),
        cmocka_unit_test(a_kernel_that_lacks_one_wall_has_the_other),
        cmocka_unit_test(an_open_pipe_needs_no_opening),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
