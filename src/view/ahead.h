/*
 * ahead.h - a trace read and decoded ahead, by a thread of its own. For src/view only.
 *
 * Reading a file and decoding its packets asks nothing of the packets before; following their flows
 * does. So a large file is shown by two threads: this one does the first, and hands events over in
 * batches and in order; the caller's does the second. What comes out is the same to the byte.
 */
#ifndef HANDLENS_VIEW_AHEAD_H
#define HANDLENS_VIEW_AHEAD_H

#include "trace/reader.h"
#include "view/live.h"

struct ahead_item {
    struct trace_event event;
    struct view_prepared prepared; /* of TRACE_PACKET alone */
};

struct ahead_batch {
    struct ahead_item *items;
    size_t count;
    uint64_t offset;         /* trace_reader_offset behind the newest item */
    enum trace_progress end; /* what follows the items: TRACE_READ_EVENT for another batch */
    struct error damage;     /* of TRACE_READ_DAMAGED */
};

struct view_ahead;

/*
 * Begins. The reader is the thread's from now on until view_ahead_close. Returns NULL where it
 * cannot be done: the file's events do not outlive the next one, there is no memory or no thread.
 * The reader is then where it was.
 */
struct view_ahead *view_ahead_open(struct trace_reader *reader, struct view_preparation how);

/* Waits for the next batch, which is the caller's until the next call. Not to be called behind the
 * last one. */
const struct ahead_batch *view_ahead_next(struct view_ahead *ahead);

/* Stops the thread wherever it is. NULL is allowed. */
void view_ahead_close(struct view_ahead *ahead);

#endif
