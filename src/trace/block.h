/*
 * block.h - what the parts of a pcapng block have in common: numbers in the section's byte order,
 * options, and the fields of our own blocks. For src/trace only.
 */
#ifndef HANDLENS_TRACE_BLOCK_H
#define HANDLENS_TRACE_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "support/cursor.h"
#include "trace/event.h"

/* big: the section's byte order is big-endian. */
static inline uint16_t block_u16(struct cursor *cursor, bool big)
{
    return big ? cursor_be16(cursor) : cursor_le16(cursor);
}

static inline uint32_t block_u32(struct cursor *cursor, bool big)
{
    return big ? cursor_be32(cursor) : cursor_le32(cursor);
}

uint64_t block_u64(struct cursor *cursor, bool big);

struct block_option {
    uint16_t code;
    struct cursor value;
};

/* The next option. Returns false at the end of the list; a list that breaks off ends there. */
bool block_next_option(struct cursor *options, bool big, struct block_option *option);

/* Whether the value is of an option of ours: takes the mark off. */
bool block_take_mark(struct cursor *value);

enum block_result { BLOCK_EVENT, BLOCK_SKIPPED, BLOCK_DAMAGED };

/*
 * Reads the body of a block of our local-use type. BLOCK_SKIPPED: somebody else's, of a later
 * version, or of a kind or a word that is not known here.
 */
enum block_result block_read_event(struct cursor body, bool big, struct trace_event *event);

#endif
