/*
 * One line a flow, then totals: in the spirit of tcptrace and tshark -z conv,tcp.
 *
 *     flow client ↔ server             how ended packets ▶ ◀   bytes ▶ ◀  retr   RTT  time
 *        1 127.0.0.1:51234 ↔ :65432    closed ▶     5    4    21   21     0  42µs 1.2ms
 *
 * ▶ is the client's: what it sent, and that it was the first to end the connection; ◀ the
 * server's. Rows come when the flow table lets flows go: those that ended and then were silent for
 * a minute of the capture's time in the order in which they went silent, all others at the end in
 * the order of their numbers. So a capture of less than a minute is in the order of numbers
 * altogether, and a long one needs no more memory than the flows it has open at once.
 */
#include "view/flows.h"

#include <stdlib.h>

static const struct flows_glyphs unicode_glyphs = {
    .both = "↔",
    .to = {"▶", "◀"},
    .middle = "…",
    .microseconds = "µs",
    .ellipsis = "…",
};

static const struct flows_glyphs ascii_glyphs = {
    .both = "-",
    .to = {">", "<"},
    .middle = "~",
    .microseconds = "us",
    .ellipsis = "...",
};

/* A view is opaque to everybody else; ours is a struct flows. */
static struct flows *flows_of(struct view *view)
{
    return (struct flows *)(void *)view;
}

static struct view *flows_open(const struct view_options *options, struct buffer *out)
{
    struct flows *flows = calloc(1, sizeof *flows);
    if (flows == NULL)
        return NULL;
    flows->options = options;
    flows->out = out;
    flows->glyphs = options->terminal.utf8 ? &unicode_glyphs : &ascii_glyphs;
    flows_lay_out(flows);
    return (struct view *)(void *)flows;
}

/* A packet without a flow. Names are constants, so comparing where they lie will do. */
static void count_stranger(struct flows_totals *totals, const struct packet *packet)
{
    const char *protocol = packet_protocol_name(packet);
    totals->flowless++;
    for (size_t i = 0; i < FLOWS_STRANGERS; i++) {
        struct flows_stranger *stranger = &totals->strangers[i];
        if (stranger->protocol == NULL)
            stranger->protocol = protocol;
        if (stranger->protocol == protocol) {
            stranger->packets++;
            return;
        }
    }
}

static void count_packet(struct flows_totals *totals, const struct view_item *item)
{
    int64_t time = item->event->time;
    if (totals->packets == 0)
        totals->first_time = totals->last_time = time;
    if (time < totals->first_time)
        totals->first_time = time;
    if (time > totals->last_time)
        totals->last_time = time;
    totals->packets++;
    totals->bytes += item->event->packet.length;
    if (item->facts->flow == NULL) {
        count_stranger(totals, item->packet);
        return;
    }
    totals->payload += item->packet->payload_length;
    for (uint32_t marks = item->facts->marks; marks != 0; marks &= marks - 1) {
        unsigned bit = (unsigned)__builtin_ctz(marks);
        if (bit < MARK_COUNT)
            totals->marks[bit]++;
    }
}

static void flows_add(struct view *view, const struct view_item *item)
{
    struct flows_totals *totals = &flows_of(view)->totals;
    if (item->event->kind == TRACE_PACKET)
        count_packet(totals, item);
    else if (item->event->kind == TRACE_STATISTICS)
        totals->dropped += item->event->statistics.dropped;
}

static void flows_flow_ended(struct view *view, const struct flow *flow)
{
    struct flows *flows = flows_of(view);
    struct flows_totals *totals = &flows->totals;
    enum flow_story story = flows_story(flow);
    if (story == STORY_UDP)
        totals->udp++;
    else
        totals->tcp++;
    totals->stories[story]++;
    if (story == STORY_CLOSED && flow->closed_by <= FLOW_SERVER)
        totals->first_to_close[flow->closed_by]++;
    if (!flows->has_head)
        flows_draw_head(flows);
    flows->has_head = true;
    flows_draw_row(flows, flow);
}

static void flows_end(struct view *view, const struct error *damage)
{
    flows_draw_totals(flows_of(view), damage);
}

static void flows_close(struct view *view)
{
    struct flows *flows = flows_of(view);
    buffer_free(&flows->line.bytes);
    free(flows);
}

const struct view_type view_flows = {
    .kind = VIEW_FLOWS,
    .effort = PACKET_HEADERS,
    .open = flows_open,
    .add = flows_add,
    .flow_ended = flows_flow_ended,
    .end = flows_end,
    .close = flows_close,
};
