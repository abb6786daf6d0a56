/*
 * render.h - what view_render and the single views say to each other. For src/view only.
 *
 * A view is a struct of functions. Text is collected in a buffer that view_render writes out, so
 * that a view never meets a FILE and can be tested on bytes.
 */
#ifndef HANDLENS_VIEW_RENDER_H
#define HANDLENS_VIEW_RENDER_H

#include "packet/packet.h"
#include "support/buffer.h"
#include "tcp/flow.h"
#include "trace/event.h"
#include "view/view.h"

/* One event with what was found out about it. packet and facts are set for TRACE_PACKET only. */
struct view_item {
    const struct trace_event *event;
    int64_t origin; /* when the trace began, shown or not: relative times count from here */
    const struct packet *packet;
    const struct flow_facts *facts;
};

/* later - earlier in ns. A damaged file's stamps may lie too far apart: then the farthest there is.
 */
static inline int64_t view_time_between(int64_t earlier, int64_t later)
{
    int64_t span;
    if (!__builtin_sub_overflow(later, earlier, &span))
        return span;
    return later < earlier ? -INT64_MAX : INT64_MAX;
}

struct view;

struct view_type {
    enum view_kind kind;
    enum packet_effort effort; /* what it needs of packet_decode */
    /* Returns NULL out of memory. */
    struct view *(*open)(const struct view_options *options, struct buffer *out);
    /* The next event; for TRACE_PACKET only those that filter, flow and number let through. */
    void (*add)(struct view *view, const struct view_item *item);
    /* A flow has been let go; NULL if the view does not care. */
    void (*flow_ended)(struct view *view, const struct flow *flow);
    /* The trace has ended. damage is NULL or what is wrong with the file. Out: the rest. */
    void (*end)(struct view *view, const struct error *damage);
    void (*close)(struct view *view);
};

/* The view of that kind, from the table in view.c; NULL if there is none. */
const struct view_type *view_type_of(enum view_kind kind);

extern const struct view_type view_ladder, view_packets, view_bytes, view_stream, view_flows,
    view_json, view_html;

#endif
