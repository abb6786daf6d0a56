/*
 * ways_out.h - what a user can do who may not capture. For src/place only.
 */
#ifndef HANDLENS_PLACE_WAYS_OUT_H
#define HANDLENS_PLACE_WAYS_OUT_H

#include <stdbool.h>
#include <stddef.h>

#include "support/buffer.h"

/* Appends lines, each after a newline: what would help. private_place: also what would allow user
 * namespaces, as far as a setting of this kernel forbids them. */
void ways_out_append(struct buffer *text, bool private_place);

/* The nearest way as a clause for one line. */
void ways_out_shortest(char *text, size_t room);

#endif
