/*
 * The fence's system calls, as a seccomp filter: what is named here is allowed, all else fails with
 * EPERM. A name that an architecture or this libseccomp does not know is passed over, so one list
 * serves all of them: x86-64 has calls that newer architectures left out, and C libraries since
 * Debian 12's call some by newer names.
 */
#include "place/fence.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

/* The same with any speed of the line, as newer C libraries ask; struct termios2 has 44 bytes. */
#define GET_MODES          _IOC(_IOC_READ, 'T', 0x2a, 44)
#define SET_MODES(variant) _IOC(_IOC_WRITE, 'T', 0x2b + (variant), 44)

#define SOCKET_KIND 0xf /* of a socket's type, without SOCK_CLOEXEC and SOCK_NONBLOCK */

/* What any part of the program may do: it opens nothing. */
static const char *const always[] = {
    /* memory and threads */
    "brk", "madvise", "mremap", "munmap", "exit", "exit_group", "futex", "futex_wait", "futex_wake",
    "futex_requeue", "futex_waitv", "get_robust_list", "getcpu", "membarrier", "rseq",
    "sched_getaffinity", "sched_yield", "set_robust_list", "set_tid_address",
    /* who and where one is */
    "getegid", "geteuid", "getgid", "getpid", "getppid", "getrlimit", "getrusage", "gettid",
    "getuid", "sysinfo", "uname",
    /* signals and time */
    "restart_syscall", "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn",
    "rt_sigtimedwait", "sigaltstack", "clock_getres", "clock_gettime", "clock_nanosleep",
    "gettimeofday", "nanosleep", "time", "getrandom",
    /* descriptors that are open */
    "close", "close_range", "dup", "dup2", "dup3", "fadvise64", "fdatasync", "fstat", "fsync",
    "ftruncate", "lseek", "newfstatat", "statx", "pread64", "preadv", "preadv2", "pwrite64",
    "pwritev", "pwritev2", "read", "readv", "write", "writev", "epoll_create1", "epoll_ctl",
    "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd2", "pipe", "pipe2", "poll", "ppoll",
    "pselect6", "select", NULL};

/* Sockets, of which the filter on socket(2) says which. */
static const char *const network[] = {
    "accept",     "accept4", "bind",       "connect",  "getpeername", "getsockname",
    "getsockopt", "listen",  "recvfrom",   "recvmmsg", "recvmsg",     "sendmmsg",
    "sendmsg",    "sendto",  "setsockopt", "shutdown", NULL};

/* Without names of their own they open nothing; Landlock says what. */
static const char *const looking[] = {"access", "faccessat", "faccessat2", "getcwd", "getdents64",
                                      "lstat",  "readlink",  "readlinkat", "stat",   NULL};

static const char *const writing[] = {"mkdir",  "mkdirat",  "open",      "openat",
                                      "rename", "renameat", "renameat2", "rmdir",
                                      "unlink", "unlinkat", NULL};

/* What a library tries and can do without, if it seems that the kernel has none. */
static const char *const absent[] = {"clone3", "io_uring_setup", NULL};

#ifdef HANDLENS_WATCHED
/* What a sanitizer's and the coverage's own code needs, in programs built for tests only. */
static const char *const watching[] = {"clone",    "fcntl",      "getcwd",
                                       "getdents", "getdents64", "ioctl",
                                       "kill",     "mkdir",      "mmap",
                                       "mprotect", "open",       "openat",
                                       "prctl",    "prlimit64",  "process_vm_readv",
                                       "ptrace",   "readlink",   "readlinkat",
                                       "stat",     "tgkill",     "sched_setaffinity",
                                       "tkill",    "wait4",      NULL};
#endif

struct rules {
    scmp_filter_ctx filter;
    int code; /* 0, or the errno of the first rule that failed */
};

static void add(struct rules *rules, uint32_t action, const char *name, unsigned count,
                const struct scmp_arg_cmp *arguments)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number < 0 || rules->code != 0)
        return;
    int result = seccomp_rule_add_array(rules->filter, action, number, count, arguments);
    if (result != 0 && result != -EEXIST)
        rules->code = -result;
}

static void allow_if(struct rules *rules, const char *name, struct scmp_arg_cmp condition)
{
    add(rules, SCMP_ACT_ALLOW, name, 1, &condition);
}

static void add_all(struct rules *rules, uint32_t action, const char *const names[])
{
    for (size_t i = 0; names[i] != NULL; i++)
        add(rules, action, names[i], 0, NULL);
}

/* TCP and UDP; and sock_diag(7), which lists the sockets of the network namespace (quiet.c). */
static void allow_sockets(struct rules *rules)
{
    static const unsigned families[] = {AF_INET, AF_INET6};
    static const unsigned kinds[] = {SOCK_STREAM, SOCK_DGRAM};
    for (size_t i = 0; i < 4; i++) {
        const struct scmp_arg_cmp kind[] = {
            SCMP_A0_32(SCMP_CMP_EQ, families[i / 2]),
            SCMP_A1_32(SCMP_CMP_MASKED_EQ, SOCKET_KIND, kinds[i % 2]),
        };
        add(rules, SCMP_ACT_ALLOW, "socket", 2, kind);
    }
    const struct scmp_arg_cmp diagnosis[] = {
        SCMP_A0_32(SCMP_CMP_EQ, AF_NETLINK),
        SCMP_A2_32(SCMP_CMP_EQ, NETLINK_SOCK_DIAG),
    };
    add(rules, SCMP_ACT_ALLOW, "socket", 2, diagnosis);
    add_all(rules, SCMP_ACT_ALLOW, network);
}

/* No memory that is filled here can be run. */
static void allow_memory(struct rules *rules)
{
    allow_if(rules, "mmap", SCMP_A2_32(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    allow_if(rules, "mprotect", SCMP_A2_32(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

/* Threads, but no processes; signals to oneself, and one's own limits to read. */
static void allow_threads(struct rules *rules)
{
    uint32_t self = (uint32_t)getpid();
    allow_if(rules, "clone", SCMP_A0_32(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    allow_if(rules, "kill", SCMP_A0_32(SCMP_CMP_EQ, self));
    allow_if(rules, "tgkill", SCMP_A0_32(SCMP_CMP_EQ, self));
    allow_if(rules, "prctl", SCMP_A0_32(SCMP_CMP_EQ, PR_SET_NAME));
    allow_if(rules, "prctl", SCMP_A0_32(SCMP_CMP_EQ, PR_SET_VMA));
    const struct scmp_arg_cmp reading[] = {SCMP_A0_32(SCMP_CMP_EQ, 0), SCMP_A2(SCMP_CMP_EQ, 0)};
    add(rules, SCMP_ACT_ALLOW, "prlimit64", 2, reading);
}

/* Of a terminal, its size and modes (but no typing on the user's behalf, TIOCSTI); of a socket, how
 * much is in it, and the loopback's number. */
static void allow_control(struct rules *rules)
{
    static const unsigned requests[] = {
        TCGETS,       TCSETS,     TCSETSW,  TCSETSF, GET_MODES, SET_MODES(0), SET_MODES(1),
        SET_MODES(2), TIOCGWINSZ, FIONREAD, FIONBIO, FIOCLEX,   SIOCOUTQ,     SIOCGIFINDEX};
    static const unsigned commands[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD,
                                        F_SETFD, F_GETFL,         F_SETFL};
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        allow_if(rules, "ioctl", SCMP_A1_32(SCMP_CMP_EQ, requests[i]));
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        allow_if(rules, "fcntl", SCMP_A1_32(SCMP_CMP_EQ, commands[i]));
}

static void allow_opening(struct rules *rules, enum fence_opens opens)
{
    const unsigned to_write = O_ACCMODE | O_CREAT | O_TRUNC;
    if (opens == FENCE_OPENS_NOTHING)
        return;
    add_all(rules, SCMP_ACT_ALLOW, looking);
    if (opens == FENCE_OPENS_TO_WRITE) {
        add_all(rules, SCMP_ACT_ALLOW, writing);
    } else {
        allow_if(rules, "open", SCMP_A1_32(SCMP_CMP_MASKED_EQ, to_write, O_RDONLY));
        allow_if(rules, "openat", SCMP_A2_32(SCMP_CMP_MASKED_EQ, to_write, O_RDONLY));
    }
}

static void add_rules(struct rules *rules, const struct place_fence *fence)
{
    add_all(rules, SCMP_ACT_ALLOW, always);
    add_all(rules, SCMP_ACT_ERRNO(ENOSYS), absent);
#ifdef HANDLENS_WATCHED
    add_all(rules, SCMP_ACT_ALLOW, watching);
#endif
    allow_memory(rules);
    allow_threads(rules);
    allow_control(rules);
    allow_opening(rules, fence->opens);
    if (fence->network)
        allow_sockets(rules);
}

int fence_system_calls(const struct place_fence *fence)
{
    /* Level 2 is seccomp(2), from Linux 3.17. valgrind has none; by the older prctl(2) it would
     * itself be locked in, and could not go on. */
    if (seccomp_api_get() < 2)
        return 0;
    struct rules rules = {.filter = seccomp_init(SCMP_ACT_ERRNO(EPERM))};
    if (rules.filter == NULL)
        return ENOMEM;
    /* A search tree, for speed; and no script is machine code, which the processor's speculation
     * would have to be reined in for. Both are wishes only. */
    seccomp_attr_set(rules.filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    seccomp_attr_set(rules.filter, SCMP_FLTATR_CTL_SSB, 1);
    seccomp_attr_set(rules.filter, SCMP_FLTATR_API_SYSRAWRC, 1); /* the kernel's own errno */
    add_rules(&rules, fence);
    if (rules.code == 0)
        rules.code = -seccomp_load(rules.filter);
    seccomp_release(rules.filter);
    bool none =
        rules.code == ENOSYS || rules.code == EINVAL; /* the kernel's word for "no seccomp" */
    return none ? 0 : rules.code;
}
