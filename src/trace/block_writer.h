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

/* Texts and bytes beyond the limits of FORMAT.md are cut. */
bool block_write_event(struct buffer *out, const struct trace_event *event);

/* The interface that stands in where a trace has none; it is no event. */
bool block_write_no_interface(struct buffer *out);

#endif
