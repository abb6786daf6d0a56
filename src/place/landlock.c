/*
 * The fence's files: a Landlock ruleset that handles every access the running kernel knows of, and
 * so refuses it, but for what the openings grant. See landlock(7); the kernel's numbers stand here
 * since its headers may be older than it is.
 */
#include "place/fence.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule       445
#define SYS_landlock_restrict_self  446
#endif

#define CREATE_RULESET_VERSION 1u
#define RULE_PATH_BENEATH      1

enum {
    WRITE_FILE = 1 << 1,
    READ_FILE = 1 << 2,
    READ_DIR = 1 << 3,
    REMOVE_DIR = 1 << 4,
    REMOVE_FILE = 1 << 5,
    MAKE_DIR = 1 << 7,
    MAKE_REG = 1 << 8,
    TRUNCATE = 1 << 14,

    OF_FILES =
        WRITE_FILE | READ_FILE | TRUNCATE, /* what a rule for anything but a folder may hold */
    TCP_ALL = 3,                           /* bind and connect, since ABI 4 */
    SCOPE_ALL = 3,                         /* abstract Unix sockets and signals, since 6 */
};

struct ruleset {
    uint64_t files, network, scopes;
};

struct path_rule {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

/* Which accesses to files the kernel of an ABI knows: execute up to make_sym, then more. */
static uint64_t known_accesses(int abi)
{
    unsigned count = abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13;
    return (UINT64_C(1) << count) - 1;
}

static uint64_t accesses_of(enum fence_right right)
{
    switch (right) {
    case FENCE_READ:
        return READ_FILE | READ_DIR;
    case FENCE_WRITE:
        return READ_FILE | READ_DIR | WRITE_FILE | TRUNCATE | MAKE_REG | MAKE_DIR | REMOVE_FILE |
               REMOVE_DIR;
    case FENCE_REMOVE_FOLDERS:
        return REMOVE_DIR;
    }
    return 0;
}

/* A pipe or a socket has no place among the files, and no rule. */
static int add_rule(int ruleset, int descriptor, uint64_t allowed, uint64_t known)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0)
        return errno;
    if (!S_ISDIR(status.st_mode))
        allowed &= OF_FILES;
    struct path_rule rule = {.allowed = allowed & known, .parent = descriptor};
    if (rule.allowed == 0 ||
        syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0)
        return 0;
    return errno == EBADFD ? 0 : errno;
}

static int add_opening(int ruleset, const struct fence_opening *opening, uint64_t known)
{
    if (opening->path == NULL)
        return add_rule(ruleset, opening->descriptor, accesses_of(opening->right), known);
    int descriptor = open(opening->path, O_PATH | O_CLOEXEC);
    if (descriptor < 0)
        return 0; /* what is not there needs no opening */
    int code = add_rule(ruleset, descriptor, accesses_of(opening->right), known);
    close(descriptor);
    return code;
}

static int fill(int ruleset, const struct place_fence *fence, uint64_t known)
{
    int code = 0;
    for (size_t i = 0; i < fence->opening_count && code == 0; i++)
        code = add_opening(ruleset, &fence->openings[i], known);
#ifdef HANDLENS_WATCHED
    const struct fence_opening watcher = {.path = HANDLENS_WATCHED, .right = HANDLENS_WATCHER};
    if (code == 0)
        code = add_opening(ruleset, &watcher, known);
#endif
    return code;
}

int fence_files(const struct place_fence *fence)
{
    int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
    if (abi < 1)
        return 0;
    struct ruleset rules = {
        .files = known_accesses(abi),
        .network = abi >= 4 && !fence->network ? TCP_ALL : 0,
        .scopes = abi >= 6 ? SCOPE_ALL : 0,
    };
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
    if (ruleset < 0)
        return errno;
    int code = fill(ruleset, fence, rules.files);
    if (code == 0 && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
                      syscall(SYS_landlock_restrict_self, ruleset, 0) != 0))
        code = errno;
    close(ruleset);
    return code;
}
