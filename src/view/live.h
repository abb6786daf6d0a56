/*
 * live.h - a view of events as they happen.
 *
 * What view_render does with a file, one event at a time: decode, follow, select, show. For
 * whoever hears events from the recorder; the view never knows the difference.
 */
#ifndef HANDLENS_VIEW_LIVE_H
#define HANDLENS_VIEW_LIVE_H

#include <stdbool.h>
#include <stdio.h>

#include "tcp/flow.h"
#include "trace/event.h"
#include "view/view.h"

struct view_live;

/*
 * prompt: each event's text is written at once, not when there is enough of it. options, and what
 * it points to, must outlive the view. Returns NULL with error set.
 */
struct view_live *view_live_open(enum view_kind kind, const struct view_options *options, FILE *out,
                                 bool prompt, struct error *error);

/*
 * Shows the next event, which is borrowed. Returns false with error set when the text cannot be
 * written or the filter means nothing on the packet's link type.
 */
bool view_live_add(struct view_live *live, const struct trace_event *event, struct error *error);

/*
 * What can be done for a packet before those in front of it have been added, and so by another
 * thread. Of an event that is no packet there is nothing to prepare.
 */
struct view_prepared {
    struct packet packet;
    struct flow_key key;
};

/* How this view wants it. Does not change while the view lives. */
struct view_preparation {
    enum packet_effort effort;
    uint64_t seed; /* flow_table_seed */
};

struct view_preparation view_live_preparation(const struct view_live *live);
void view_prepare(const struct view_preparation *how, const struct trace_event *event,
                  struct view_prepared *prepared);

/* view_live_add of what has been prepared. */
bool view_live_add_prepared(struct view_live *live, const struct trace_event *event,
                            const struct view_prepared *prepared, struct error *error);

/* flow_table_expect of a packet. */
void view_live_expect(const struct view_live *live, const struct view_prepared *prepared);
void view_live_expect_soon(const struct view_live *live, const struct view_prepared *prepared);

/* The reader of the output has gone (EPIPE): nothing is shown any more, and that is no error. */
bool view_live_is_over(const struct view_live *live);

/* Writes what has been collected, for whoever stops without an end. */
bool view_live_flush(struct view_live *live, struct error *error);

/* The trace has ended; damage is NULL or what is wrong with its file. Writes all that is left. */
bool view_live_end(struct view_live *live, const struct error *damage, struct error *error);

/* NULL is allowed. */
void view_live_close(struct view_live *live);

#endif
