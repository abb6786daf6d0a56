/*
 * stream_turn.h - what one end said before the other spoke, as text, hexdump or bytes. For
 * stream*.c only.
 *
 *     client → server  21 bytes, packet 4
 *     → Hello from the client
 *
 * A turn is held back until it ends, so that its first line can say how long it is; one that is
 * longer than TURN_LIMIT goes out as it grows. In text, line feeds are shown as \n and end the
 * line, so a line without one goes on in the next. Bytes that are missing are said in their place.
 */
#ifndef HANDLENS_VIEW_STREAM_TURN_H
#define HANDLENS_VIEW_STREAM_TURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tcp/flow.h"
#include "view/paint.h"
#include "view/view.h"

#define TURN_LIMIT 262144u /* bytes of the stream */

struct turn {
    const struct view_options *options;
    struct buffer *out;
    const char *names[2]; /* borrowed; by enum flow_end */
    uint64_t said[2];     /* bytes so far, by enum flow_end */
    uint64_t missing[2];

    bool is_open;
    bool is_long; /* its first line has been written */
    bool any;     /* there was a turn before */
    enum flow_end from;
    uint64_t bytes;
    uint64_t first, last; /* packet numbers */
    struct buffer rest;   /* bytes that are not rendered yet */
    struct buffer text;   /* lines that are not written yet */
    struct buffer row;
    struct paint_line line;
};

/* More bytes from an end, or a gap of that length where bytes is NULL; number is their packet's.
 * A change of ends ends the turn before. */
void turn_add(struct turn *turn, enum flow_end from, const uint8_t *bytes, size_t length,
              uint64_t number);

/* The turn is over, if there is one. */
void turn_end(struct turn *turn);

void turn_free(struct turn *turn);

#endif
