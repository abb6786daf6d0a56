/*
 * faults.c - a library for LD_PRELOAD that makes calls of the C library fail. For tests/fault.
 *
 *   FAULT=NAME:ERRNO:N      the Nth call of NAME fails with that error; N+ the Nth and all after it
 *   FAULT=alloc:0:N         of all ways that lead from the program to an allocation, the Nth fails
 * at its first use; N+ so does every allocation of the program after that FAULT_COUNTS=FILE at the
 * end appends, a line each, NAME and how often it was called, and for "alloc" how many ways there
 * are
 *
 * Only what the program and its libraries call is seen, not what the C library calls in itself.
 * Calls of a forked child count on where its parent's had come to. From exit on nothing fails any
 * more.
 *
 * A way is told apart by the program's own return addresses on the stack. What a library allocates
 * for itself is that library's affair; but Lua allocates through a function of the program, and
 * counts.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define NAMES  64
#define WAYS   16384
#define FRAMES 24

void faults_end(void);

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

static struct {
    const char *name; /* what fails; NULL: nothing */
    int code;
    unsigned from;
    bool onwards;
    atomic_bool over;
} fault;

struct counter {
    _Atomic(const char *) name;
    atomic_uint calls;
};

static struct counter counters[NAMES];
static _Atomic(uint64_t) ways[WAYS];
static atomic_uint way_count;
static atomic_bool memory_is_out;
static bool counting_ways;
static uintptr_t program_start, program_end, library_start, library_end;
static int counts_to = -1; /* opened early: later the program may fence itself in */
static _Thread_local bool inside;

static unsigned count_call(const char *name)
{
    for (size_t i = 0; i < NAMES; i++) {
        const char *none = NULL;
        if (atomic_compare_exchange_strong(&counters[i].name, &none, name) || none == name)
            return atomic_fetch_add(&counters[i].calls, 1) + 1;
    }
    return 0;
}

static bool is_the_programs(const void *caller)
{
    return (uintptr_t)caller >= program_start && (uintptr_t)caller < program_end;
}

/* Libraries read and write pipes of their own only, which do not fail; and may, as libuv does,
 * abort where they do. Whether they try again what was interrupted is theirs to say, too. */
static bool is_spared(const char *name, const void *caller)
{
    bool pipes = strcmp(name, "read") == 0 || strcmp(name, "write") == 0;
    return (pipes || fault.code == EINTR) && !is_the_programs(caller);
}

static bool fails(const char *name, const void *caller)
{
    if (is_spared(name, caller))
        return false;
    unsigned number = count_call(name);
    if (fault.name == NULL || atomic_load(&fault.over) || strcmp(name, fault.name) != 0)
        return false;
    if (number != fault.from && !(fault.onwards && number > fault.from))
        return false;
    errno = fault.code;
    return true;
}

/* The program's own addresses on the stack, as one number; 0 if it does not allocate for itself. */
static uint64_t way_here(void)
{
    void *frames[FRAMES];
    int count = backtrace(frames, FRAMES);
    uint64_t way = 0;
    /* 0 and 1 are this file's. */
    for (int i = 2; i < count; i++) {
        uintptr_t at = (uintptr_t)frames[i];
        if (at >= program_start && at < program_end)
            way = (way ^ (at - program_start)) * 0x100000001b3U + 1;
        else if (way == 0 && (at < library_start || at >= library_end) && i > 2)
            return 0; /* another library's */
    }
    return way;
}

/* Whether nobody went this way before. */
static bool is_new_way(uint64_t way)
{
    for (size_t at = way % WAYS, tries = 0; tries < WAYS; at = (at + 1) % WAYS, tries++) {
        uint64_t none = 0;
        if (atomic_compare_exchange_strong(&ways[at], &none, way))
            return true;
        if (none == way)
            return false;
    }
    return false;
}

static bool __attribute__((noinline)) allocation_fails(void)
{
    if (!counting_ways || inside || atomic_load(&fault.over))
        return false;
    inside = true;
    uint64_t way = way_here();
    bool failing = way != 0 && atomic_load(&memory_is_out);
    if (way != 0 && is_new_way(way) && atomic_fetch_add(&way_count, 1) + 1 == fault.from) {
        failing = true;
        atomic_store(&memory_is_out, fault.onwards);
    }
    inside = false;
    if (failing)
        errno = ENOMEM;
    return failing;
}

void *malloc(size_t size)
{
    return allocation_fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return allocation_fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    return allocation_fails() ? NULL : __libc_realloc(memory, size);
}

/* NOLINTBEGIN(bugprone-macro-parentheses): parameters and types */
#define FAILING(type, name, parameters, arguments)                                                 \
    type name parameters                                                                           \
    {                                                                                              \
        static type(*real) parameters;                                                             \
        if (real == NULL)                                                                          \
            *(void **)&real = dlsym(RTLD_NEXT, #name);                                             \
        return fails(#name, __builtin_return_address(0)) ? (type)-1 : real arguments;              \
    }
/* NOLINTEND(bugprone-macro-parentheses) */

FAILING(int, socket, (int family, int type, int protocol), (family, type, protocol))
FAILING(int, socketpair, (int family, int type, int protocol, int ends[2]),
        (family, type, protocol, ends))
FAILING(int, bind, (int fd, const struct sockaddr *to, socklen_t length), (fd, to, length))
FAILING(int, connect, (int fd, const struct sockaddr *to, socklen_t length), (fd, to, length))
FAILING(int, listen, (int fd, int backlog), (fd, backlog))
FAILING(int, accept4, (int fd, struct sockaddr *from, socklen_t *length, int flags),
        (fd, from, length, flags))
FAILING(ssize_t, send, (int fd, const void *bytes, size_t length, int flags),
        (fd, bytes, length, flags))
FAILING(ssize_t, sendto,
        (int fd, const void *bytes, size_t length, int flags, const struct sockaddr *to,
         socklen_t size),
        (fd, bytes, length, flags, to, size))
FAILING(ssize_t, recv, (int fd, void *bytes, size_t length, int flags), (fd, bytes, length, flags))
FAILING(ssize_t, recvfrom,
        (int fd, void *bytes, size_t length, int flags, struct sockaddr *from, socklen_t *size),
        (fd, bytes, length, flags, from, size))
FAILING(int, shutdown, (int fd, int how), (fd, how))
FAILING(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t length),
        (fd, level, name, value, length))
FAILING(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *length),
        (fd, level, name, value, length))
FAILING(int, getsockname, (int fd, struct sockaddr *name, socklen_t *length), (fd, name, length))
FAILING(int, epoll_create1, (int flags), (flags))
FAILING(int, epoll_ctl, (int fd, int change, int other, struct epoll_event *event),
        (fd, change, other, event))
FAILING(int, epoll_wait, (int fd, struct epoll_event *events, int most, int timeout),
        (fd, events, most, timeout))
FAILING(int, epoll_pwait,
        (int fd, struct epoll_event *events, int most, int timeout, const sigset_t *mask),
        (fd, events, most, timeout, mask))
FAILING(int, poll, (struct pollfd * files, nfds_t count, int timeout), (files, count, timeout))
FAILING(ssize_t, read, (int fd, void *bytes, size_t length), (fd, bytes, length))
FAILING(ssize_t, write, (int fd, const void *bytes, size_t length), (fd, bytes, length))
FAILING(void *, mmap, (void *at, size_t length, int what, int how, int fd, off_t offset),
        (at, length, what, how, fd, offset))
FAILING(int, eventfd, (unsigned int count, int flags), (count, flags))
FAILING(int, pipe, (int ends[2]), (ends))
FAILING(int, pipe2, (int ends[2], int flags), (ends, flags))
FAILING(int, memfd_create, (const char *name, unsigned int flags), (name, flags))
FAILING(int, ftruncate, (int fd, off_t length), (fd, length))
FAILING(int, fstat, (int fd, struct stat *status), (fd, status))
FAILING(off_t, lseek, (int fd, off_t offset, int whence), (fd, offset, whence))
FAILING(pid_t, fork, (void), ())
FAILING(int, unshare, (int what), (what))
FAILING(int, setns, (int fd, int what), (fd, what))

static mode_t mode_of(int flags, va_list list)
{
    return (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
    static int (*real)(const char *, int, ...);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "open");
    va_list list;
    va_start(list, flags);
    mode_t mode = mode_of(flags, list);
    va_end(list);
    return fails("open", __builtin_return_address(0)) ? -1 : real(path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
    static int (*real)(int, const char *, int, ...);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "openat");
    va_list list;
    va_start(list, flags);
    mode_t mode = mode_of(flags, list);
    va_end(list);
    return fails("openat", __builtin_return_address(0)) ? -1 : real(folder, path, flags, mode);
}

FILE *fopen(const char *path, const char *mode)
{
    static FILE *(*real)(const char *, const char *);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "fopen");
    return fails("fopen", __builtin_return_address(0)) ? NULL : real(path, mode);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*body)(void *), void *data)
{
    static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    return fails("pthread_create", __builtin_return_address(0)) ? errno
                                                                : real(thread, how, body, data);
}

/* From here on nothing fails any more. tests/coverage/exit.c calls it, too. */
void faults_end(void)
{
    atomic_store(&fault.over, true);
}

static void tell_counts(void)
{
    faults_end();
    if (counts_to < 0)
        return;
    for (size_t i = 0; i < NAMES && atomic_load(&counters[i].name) != NULL; i++)
        dprintf(counts_to, "%s %u\n", counters[i].name, atomic_load(&counters[i].calls));
    dprintf(counts_to, "alloc %u\n", atomic_load(&way_count));
}

/* The program comes first in the list; of the C library only where it lies is of interest. */
static int look_at_object(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    bool *first = data;
    bool library = strstr(info->dlpi_name, "/libc.so") != NULL;
    for (int i = 0; i < info->dlpi_phnum && (*first || library); i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || (part->p_flags & PF_X) == 0)
            continue;
        uintptr_t start = info->dlpi_addr + part->p_vaddr;
        *(*first ? &program_start : &library_start) = start;
        *(*first ? &program_end : &library_end) = start + part->p_memsz;
    }
    *first = false;
    return 0;
}

static void __attribute__((constructor)) begin(void)
{
    const char *text = getenv("FAULT");
    static char name[32];
    char more = 0;
    bool first = true;
    dl_iterate_phdr(look_at_object, &first);
    void *warm[1];
    backtrace(warm, 1); /* it loads its library at the first call */
    if (text != NULL &&
        sscanf(text, "%31[^:]:%d:%u%c", name, &fault.code, &fault.from, &more) >= 3) {
        fault.onwards = more == '+';
        fault.name = name;
    }
    const char *path = getenv("FAULT_COUNTS");
    int low = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (low >= 0) {
        counts_to = fcntl(low, F_DUPFD_CLOEXEC, 100);
        close(low);
    }
    counting_ways = strcmp(name, "alloc") == 0;
    memset(counters, 0, sizeof counters);
    atexit(tell_counts);
}
