#include "view/live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "view/filter.h"
#include "view/render.h"

/* How much text is collected before it is written. */
#define WRITE_AT 65536

struct view_live {
    const struct view_options *options;
    const struct view_type *type;
    struct view *view;
    struct flow_table *flows;
    struct view_filter *filter;
    struct buffer text;
    FILE *out;
    bool prompt;
    bool is_over; /* writing failed */
    /* With a filter or a number: a bit for each flow that a shown packet belonged to. */
    bool selects_packets;
    uint8_t *shown_flows;
    size_t shown_flows_size; /* bytes */
    int64_t origin;          /* the time of the trace's first event that has one */
    bool has_origin;
};

static bool is_flow_shown(const struct view_live *live, uint32_t id)
{
    if (live->options->flow != 0 && live->options->flow != id)
        return false;
    if (!live->selects_packets)
        return true;
    return id / 8 < live->shown_flows_size && (live->shown_flows[id / 8] >> id % 8 & 1) != 0;
}

static bool remember_flow(struct view_live *live, uint32_t id, struct error *error)
{
    if (id / 8 >= live->shown_flows_size) {
        size_t size = ((size_t)id / 8 + 64) * 2;
        uint8_t *bits = realloc(live->shown_flows, size);
        if (bits == NULL)
            return error_out_of_memory(error);
        memset(bits + live->shown_flows_size, 0, size - live->shown_flows_size);
        live->shown_flows = bits;
        live->shown_flows_size = size;
    }
    live->shown_flows[id / 8] |= (uint8_t)(1 << id % 8);
    return true;
}

static void hear_flow_ended(void *data, const struct flow *flow)
{
    struct view_live *live = data;
    if (live->type->flow_ended != NULL && is_flow_shown(live, flow->id))
        live->type->flow_ended(live->view, flow);
}

/* Every packet goes through the flow table, shown or not, so that numbers and marks are right. */
static bool add_packet(struct view_live *live, const struct trace_event *event,
                       const struct view_prepared *prepared, struct error *error)
{
    const struct packet *packet = &prepared->packet;
    const struct trace_packet *frame = &event->packet;
    const struct view_options *options = live->options;
    struct flow_facts facts;
    flow_table_add_keyed(live->flows, event->time, frame->number, packet, &prepared->key, &facts);
    if (facts.flow == NULL && flow_table_has_lost(live->flows))
        return error_out_of_memory(error);
    if (options->number != 0 && frame->number != options->number)
        return true;
    if (options->flow != 0 && (facts.flow == NULL || facts.flow->id != options->flow))
        return true;
    if (live->filter != NULL) {
        bool matches;
        if (!view_filter_match(live->filter, frame, &matches, error))
            return false;
        if (!matches)
            return true;
    }
    if (live->selects_packets && facts.flow != NULL && !remember_flow(live, facts.flow->id, error))
        return false;
    struct view_item item = {
        .event = event, .origin = live->origin, .packet = packet, .facts = &facts};
    live->type->add(live->view, &item);
    return true;
}

/* Hands the collected text on. A closed pipe is quiet: nothing is shown from then on. */
static bool write_text(struct view_live *live, bool flush, struct error *error)
{
    struct buffer *text = &live->text;
    if (text->failed)
        return error_out_of_memory(error);
    bool ok = live->is_over || text->length == 0 ||
              fwrite(text->data, 1, text->length, live->out) == text->length;
    if (ok && flush && !live->is_over)
        ok = fflush(live->out) == 0;
    buffer_clear(text);
    if (ok)
        return true;
    live->is_over = true;
    if (errno == EPIPE)
        return true;
    return error_set(error, STATUS_NOT_ALLOWED, "cannot write the view: %s", strerror(errno));
}

struct view_live *view_live_open(enum view_kind kind, const struct view_options *options, FILE *out,
                                 bool prompt, struct error *error)
{
    const struct view_type *type = view_type_of(kind);
    if (type == NULL) {
        error_set(error, STATUS_USAGE, "a trace cannot be shown as %s", view_kind_name(kind));
        return NULL;
    }
    struct view_live *live = calloc(1, sizeof *live);
    if (live == NULL) {
        error_out_of_memory(error);
        return NULL;
    }
    live->options = options;
    live->type = type;
    live->out = out;
    live->prompt = prompt;
    if (options->filter != NULL && options->filter[0] != '\0') {
        live->filter = view_filter_open(options->filter, error);
        if (live->filter == NULL) {
            view_live_close(live);
            return NULL;
        }
    }
    live->selects_packets = live->filter != NULL || options->number != 0;
    live->view = type->open(options, &live->text);
    live->flows = flow_table_open(hear_flow_ended, live);
    if (live->view == NULL || live->flows == NULL) {
        error_out_of_memory(error);
        view_live_close(live);
        return NULL;
    }
    return live;
}

struct view_preparation view_live_preparation(const struct view_live *live)
{
    return (struct view_preparation){live->type->effort, flow_table_seed(live->flows)};
}

void view_prepare(const struct view_preparation *how, const struct trace_event *event,
                  struct view_prepared *prepared)
{
    if (event->kind != TRACE_PACKET)
        return;
    const struct trace_packet *frame = &event->packet;
    packet_decode(&prepared->packet, frame->link_type, frame->bytes.data,
                  (uint32_t)frame->bytes.length, frame->length, how->effort);
    flow_key_make(&prepared->key, how->seed, &prepared->packet);
}

void view_live_expect(const struct view_live *live, const struct view_prepared *prepared)
{
    flow_table_expect(live->flows, &prepared->key);
}

void view_live_expect_soon(const struct view_live *live, const struct view_prepared *prepared)
{
    flow_table_expect_soon(live->flows, &prepared->key);
}

bool view_live_add(struct view_live *live, const struct trace_event *event, struct error *error)
{
    struct view_prepared prepared;
    struct view_preparation how = view_live_preparation(live);
    view_prepare(&how, event, &prepared);
    return view_live_add_prepared(live, event, &prepared, error);
}

bool view_live_add_prepared(struct view_live *live, const struct trace_event *event,
                            const struct view_prepared *prepared, struct error *error)
{
    if (live->is_over)
        return true;
    if (!live->has_origin && event->time != 0) {
        live->has_origin = true;
        live->origin = event->time;
    }
    if (event->kind == TRACE_PACKET) {
        if (!add_packet(live, event, prepared, error))
            return false;
    } else {
        struct view_item item = {.event = event, .origin = live->origin};
        live->type->add(live->view, &item);
    }
    if (live->text.length < WRITE_AT && !live->prompt && !live->text.failed)
        return true;
    return write_text(live, live->prompt, error);
}

bool view_live_is_over(const struct view_live *live)
{
    return live->is_over;
}

bool view_live_flush(struct view_live *live, struct error *error)
{
    return write_text(live, true, error);
}

bool view_live_end(struct view_live *live, const struct error *damage, struct error *error)
{
    if (live->is_over)
        return true;
    flow_table_end(live->flows);
    live->type->end(live->view, damage);
    return write_text(live, true, error);
}

void view_live_close(struct view_live *live)
{
    if (live == NULL)
        return;
    flow_table_close(live->flows);
    if (live->view != NULL)
        live->type->close(live->view);
    view_filter_close(live->filter);
    free(live->shown_flows);
    buffer_free(&live->text);
    free(live);
}
