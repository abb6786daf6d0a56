/*
 * block_writer.h - events to pcapng blocks in memory. For src/trace only.
 *
 * Each function appends one whole block, or nothing and returns false out of memory.
 */
#ifndef HANDLENS_TRACE_BLOCK_WRITER_H
#define HANDLENS_TRACE_BLOCK_WRITER_H

#include <stdbool.h>

#include "support/buffer.h"
#include "trace/event.h"

/* The section's header, with which a file begins. */
bool block_write_section(struct buffer *out);

/* An interface's description, apart from its event; NULL: the one that stands in for none. */
bool block_write_interface(struct buffer *out, const struct trace_interface *interface);

/*
 * The event. Texts and bytes beyond the limits of FORMAT.md are cut. shift is added to numbers of
 * interfaces: 1 behind an interface that stands in.
 */
bool block_write_event(struct buffer *out, const struct trace_event *event, uint32_t shift);

#endif
