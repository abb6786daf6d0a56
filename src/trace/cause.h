/*
 * cause.h - which call caused a packet, and the words for it. For src/trace only.
 *
 * Windows of system calls are remembered from when they are added until every packet that may
 * fall into them has been seen; calls, from their entry to their return.
 */
#ifndef HANDLENS_TRACE_CAUSE_H
#define HANDLENS_TRACE_CAUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "support/buffer.h"
#include "trace/event.h"

#define CAUSE_BUCKETS 256

struct cause_window {
    int64_t start; /* both ends belong to it */
    int64_t end;
    uint32_t call;
};

struct cause_call;

struct cause_finder {
    struct cause_window *windows; /* by start; [first, last) are in use */
    size_t first, last, capacity;
    size_t near; /* where the last packet fell; the next one falls near */
    struct buffer *roles;
    size_t role_count;
    struct cause_call *calls[CAUSE_BUCKETS]; /* entered and not returned, by number */
    struct cause_call *unused;
    bool failed; /* memory ran out */
};

/* Starts as all zeros. */
void cause_close(struct cause_finder *finder);

/* The host adds an event: its window, if it has one, is remembered. */
void cause_add_window(struct cause_finder *finder, const struct trace_event *event);

/* Every packet stamped before time has been asked for. */
void cause_forget_before(struct cause_finder *finder, int64_t time);

/* An event has its turn in the merged trace: roles and calls come and go. */
void cause_follow(struct cause_finder *finder, const struct trace_event *event);

/* Sets the packet's cause and comment; the comment lives until the next cause_follow. */
void cause_find(struct cause_finder *finder, int64_t time, struct trace_packet *packet);

#endif
