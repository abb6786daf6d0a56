/*
 * queue.h - events from one thread to one other, copied whole. For src/trace only.
 *
 * Theory of operation. One thread adds, one takes; they may be the same. Events are copied, with
 * everything they point to, into chunks of 256 KiB, one behind the other, so that adding one
 * costs no malloc. The adder fills a chunk and publishes how much of it is valid (release); the
 * taker reads up to there (acquire) and follows to the next chunk. No lock: neither side ever
 * waits. One spent chunk is kept for the adder to take again.
 */
#ifndef HANDLENS_TRACE_QUEUE_H
#define HANDLENS_TRACE_QUEUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "trace/event.h"

struct chunk;

struct queue {
    /* The adder's. */
    struct chunk *tail;
    /* The taker's. */
    struct chunk *head;
    size_t at; /* of the next event in head */
    /* Both sides'. */
    _Atomic(struct chunk *) spare;
    atomic_bool failed; /* memory ran out; events are missing */
};

/* Returns false out of memory. The queue must not move in memory afterwards. */
bool queue_open(struct queue *queue);
void queue_close(struct queue *queue);

/* The adding thread. Out of memory the event is lost and queue->failed set. */
void queue_add(struct queue *queue, const struct trace_event *event);

/*
 * The taking thread: the oldest event, or NULL. Only the part of the struct that its kind uses is
 * there, so it must not be assigned as a whole (queue_copy). It lives until queue_drop.
 */
const struct trace_event *queue_peek(struct queue *queue);
void queue_drop(struct queue *queue);

/* A full struct of a peeked event, pointing to the same texts. */
void queue_copy(struct trace_event *to, const struct trace_event *event);

#endif
