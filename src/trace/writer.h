/*
 * writer.h - a trace onto disk, as pcapng (trace/FORMAT.md), as it goes.
 *
 * Blocks are collected and written whole, so that a run killed at any moment leaves a file that
 * opens and holds everything up to the last flush. (How often the exchange flushes, FORMAT.md says
 * under "Cut short".) Only what comes before the first
 * TRACE_INTERFACE is held back until that event comes, or until a call or the trace's end shows
 * that there is no capture.
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
 * Appends one event. Events come in time order, interfaces in the order of their numbers and
 * before their packets and statistics. A full disk or a lost file is an error
 * (STATUS_NOT_ALLOWED) at this write, the next flush or close; what was written before stays
 * whole: a block that does not fit is taken back from the file's end. The first failure stays:
 * every later call fails with the same sentence, trace_writer_close too. (A limit on the file's
 * size, RLIMIT_FSIZE, is such a failure only where SIGXFSZ is ignored.)
 */
bool trace_writer_add(struct trace_writer *writer, const struct trace_event *event,
                      struct error *error);

/* Hands everything collected to the kernel. */
bool trace_writer_flush(struct trace_writer *writer, struct error *error);

/* Flushes, closes what the writer opened and frees it, also when it fails. NULL is allowed. */
bool trace_writer_close(struct trace_writer *writer, struct error *error);

#endif
