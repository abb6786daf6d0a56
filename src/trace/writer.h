/*
 * writer.h - a trace onto disk, as pcapng (trace/FORMAT.md), as it goes.
 *
 * Blocks are collected and written whole, so that a run killed at any moment leaves a file that
 * opens and holds everything up to the last flush.
 */
#ifndef HANDLENS_TRACE_WRITER_H
#define HANDLENS_TRACE_WRITER_H

#include <stdbool.h>

#include "support/error.h"
#include "trace/event.h"

struct trace_writer;

/*
 * Makes the file at path. A file that is already there is an error (STATUS_USAGE) unless force;
 * so is a missing folder. Returns NULL with error set.
 */
struct trace_writer *trace_writer_create(const char *path, bool force, struct error *error);

/* The same into an open descriptor, which the writer does not own and which must be at its start.
 */
struct trace_writer *trace_writer_to(int descriptor, struct error *error);

/*
 * Appends one event. Events come in time order. A full disk or a lost file is an error
 * (STATUS_NOT_ALLOWED) at this write, the next flush or close; what was written before stays
 * whole: a block that does not fit is taken back from the file's end.
 */
bool trace_writer_add(struct trace_writer *writer, const struct trace_event *event,
                      struct error *error);

/* Hands everything collected to the kernel. */
bool trace_writer_flush(struct trace_writer *writer, struct error *error);

/* Flushes, closes what the writer opened and frees it, also when it fails. NULL is allowed. */
bool trace_writer_close(struct trace_writer *writer, struct error *error);

#endif
