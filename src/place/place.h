/*
 * place.h - where an exchange happens. All that is Linux alone stands behind this header.
 *
 * Theory of operation of the private loopback. A new user namespace makes an ordinary user root
 * of a new network namespace in which there is nothing but a loopback of its own: every port is
 * free, nobody else talks, and libpcap may capture. The user is mapped to itself, so that files
 * are written as ever. Whether the machine allows this cannot be known but by trying, and a
 * process that has entered a user namespace in vain cannot leave it; so a forked child makes it
 * all and reports the step and errno that failed, and this process joins it only if none did.
 */
#ifndef HANDLENS_PLACE_PLACE_H
#define HANDLENS_PLACE_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/error.h"

enum place_kind {
    PLACE_PRIVATE, /* a loopback of our own */
    PLACE_HERE,    /* this machine's loopback */
    PLACE_NETWORK, /* this machine's network: real peers */
};

/* What a lab asks of its private loopback; -1 leaves the kernel's own value. */
struct place_wishes {
    int mtu;            /* bytes; below 65536 segmentation offload is switched off too */
    int timestamps;     /* net.ipv4.tcp_timestamps: 0 or 1 */
    int sack;           /* net.ipv4.tcp_sack */
    int window_scaling; /* net.ipv4.tcp_window_scaling */
    int syn_retries;    /* net.ipv4.tcp_syn_retries */
    int synack_retries; /* net.ipv4.tcp_synack_retries */
    int fin_timeout;    /* net.ipv4.tcp_fin_timeout, seconds */
    int fast_open;      /* net.ipv4.tcp_fastopen, its bits */
    int ecn;            /* net.ipv4.tcp_ecn */
};

#define PLACE_NO_WISHES                                                                            \
    {                                                                                              \
        -1, -1, -1, -1, -1, -1, -1, -1, -1                                                         \
    }

struct place {
    enum place_kind kind;
    const char *name;      /* "private loopback", "this machine's loopback", "this machine's
                              network"; lives for ever */
    const char *interface; /* where to capture: "lo" or "any"; lives for ever */
    char host_name[65];    /* the name that stands for the loopback here */
    bool may_capture;
    char remark[512]; /* one line for the user, or "": why it is not what was wanted */
};

/*
 * Goes to the place, for good; the process must be single-threaded. Where PLACE_PRIVATE is not
 * allowed it falls back to PLACE_HERE if the process may capture there, and says so in
 * place->remark; else, and also when capture is wanted and PLACE_HERE was asked for without the
 * right to capture, it fails with STATUS_NOT_ALLOWED and a message that names the ways out: the
 * sysctl, setcap, sudo. Without capture (--no-capture) PLACE_HERE always works.
 * PLACE_NETWORK never fails: without the right, may_capture is false and remark says why.
 */
bool place_enter(struct place *place, enum place_kind wanted, bool capture,
                 const struct place_wishes *wishes, struct error *error);

/*
 * Whether, in this network namespace, no TCP socket has anything unacknowledged or is opening or
 * closing: nothing is on its way. Only meaningful in PLACE_PRIVATE.
 */
bool place_is_quiet(void);

/* Gives the kernel what the allocator has free, also amid what is in use. */
void place_return_memory(void);

/*
 * Gives up, for good and for every thread: root (run under sudo it becomes SUDO_UID and SUDO_GID,
 * if they are set), all capabilities in all their sets, and the means to get any by running a
 * program (no_new_privs). Call when the capture is open and before any thread is started.
 */
bool place_drop_privileges(struct error *error);

enum fence_right {
    FENCE_READ,           /* the file, or every file below the folder */
    FENCE_WRITE,          /* read, write, make and remove files and folders below the folder */
    FENCE_REMOVE_FOLDERS, /* the empty ones in the folder */
};

/* What can be reached through the fence: a path, or where that is NULL an open file or folder. */
struct fence_opening {
    const char *path; /* nothing there: passed over */
    int descriptor;
    enum fence_right right;
};

/* How files may be opened at all. */
enum fence_opens { FENCE_OPENS_NOTHING, FENCE_OPENS_TO_READ, FENCE_OPENS_TO_WRITE };

struct place_fence {
    bool network; /* TCP and UDP over IPv4 and IPv6 */
    enum fence_opens opens;
    const struct fence_opening *openings;
    size_t opening_count;
};

/*
 * Closes the fence behind this process, for good: from now on it can use what it has open, memory,
 * threads, clocks, and what fence says. All else fails with EPERM or EACCES: other files, programs,
 * processes, namespaces, other sockets than the network's. Single-threaded, after
 * place_drop_privileges; the threads started later are inside. Where the kernel lacks one of the
 * means it is left out. fence.c has the whole story.
 */
bool place_fence(const struct place_fence *fence, struct error *error);

#endif
