/*
 * loopback.h - the making of a private loopback. For src/place only.
 */
#ifndef HANDLENS_PLACE_LOOPBACK_H
#define HANDLENS_PLACE_LOOPBACK_H

#include <stdbool.h>

#include "place/place.h"

#define LOOPBACK_HOST_NAME "handlens"

enum loopback_step {
    LOOPBACK_DONE,
    LOOPBACK_FORK,
    LOOPBACK_UNSHARE,
    LOOPBACK_MAP_USER,
    LOOPBACK_HOST,
    LOOPBACK_UP,
    LOOPBACK_CAPTURE,
    LOOPBACK_JOIN,
    LOOPBACK_WISH, /* the place is fine, but something that the lab asks for is not */
};

/* Where it went wrong. */
struct loopback_failure {
    enum loopback_step step;
    int error;        /* errno */
    char subject[48]; /* LOOPBACK_WISH: "net.ipv4.tcp_sack"; else "" */
    int value;        /* LOOPBACK_WISH: what was asked for */
};

/*
 * Makes a private loopback and takes this process there, for good. capture: it counts as a failure
 * if packets may not be captured there. On failure the process has not moved.
 */
bool loopback_enter(const struct place_wishes *wishes, bool capture,
                    struct loopback_failure *failure);

/* The words for a step: "unshare". Lives for ever. */
const char *loopback_step_name(enum loopback_step step);

/* Whether any wish is made. */
bool loopback_has_wishes(const struct place_wishes *wishes);

/*
 * Whether this process may open a packet socket in its network namespace. Returns 0, or the errno.
 */
int loopback_capture_error(void);

#endif
