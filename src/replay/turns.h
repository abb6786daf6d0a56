/*
 * turns.h - what the two ends of a recorded TCP flow did, in turn: bytes, the end of a stream, a
 * reset.
 *
 * A turn goes on until the other end sends something new; how its bytes were cut into segments,
 * what was sent again, and when, is forgotten. So a turn is what a program can do again with a
 * socket.
 */
#ifndef HANDLENS_REPLAY_TURNS_H
#define HANDLENS_REPLAY_TURNS_H

#include <stdbool.h>
#include <stddef.h>

#include "check/model.h"

enum turn_kind { TURN_BYTES, TURN_END, TURN_RESET };

struct turn {
    enum turn_kind kind;
    enum flow_end from;
    size_t at, length; /* TURN_BYTES: the run of the side's sent */
};

struct turns {
    struct turn *list; /* owned */
    size_t count, capacity;
};

/*
 * Finds the turns of a flow. Returns false with error set (STATUS_USAGE) if that is no TCP, or if
 * bytes of it are missing in the capture. In both cases turns_free is due.
 */
bool turns_find(struct turns *turns, const struct check_trace *trace, const struct check_flow *flow,
                struct error *error);

void turns_free(struct turns *turns);

#endif
