#include "view/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "support/clock.h"
#include "view/filter.h"
#include "view/render.h"

/* How much text is collected before it is written. */
#define WRITE_AT 65536

/* Progress is looked at every so many events, and shown from the second second on. */
#define PROGRESS_EVENTS 8192
#define PROGRESS_AFTER  NANOSECONDS_PER_SECOND
#define PROGRESS_EVERY  (200 * NANOSECONDS_PER_MILLISECOND)

static const char *const kind_names[VIEW_KINDS] = {
    [VIEW_LADDER] = "ladder", [VIEW_PACKETS] = "packets", [VIEW_BYTES] = "bytes",
    [VIEW_STREAM] = "stream", [VIEW_FLOWS] = "flows",     [VIEW_JSON] = "json",
    [VIEW_HTML] = "html",
};

/* The views there are. A kind that is missing is refused by view_render. */
static const struct view_type *const view_types[VIEW_KINDS] = {
    [VIEW_LADDER] = &view_ladder,
    [VIEW_FLOWS] = &view_flows,
    [VIEW_JSON] = &view_json,
    [VIEW_PACKETS] = &view_packets,
};

/* One call of view_render. */
struct rendering {
    const struct view_options *options;
    const struct view_type *type;
    struct view *view;
    struct trace_reader *reader;
    struct flow_table *flows;
    struct view_filter *filter;
    struct buffer text;
    FILE *out;
    bool prompt; /* events come as they happen: write each at once */
    /* With a filter or a number: a bit for each flow that a shown packet belonged to. */
    bool selects_packets;
    uint8_t *shown_flows;
    size_t shown_flows_size; /* bytes */
    int64_t origin;          /* the time of the trace's first event that has one */
    bool has_origin;
    int64_t started; /* by this machine's clock */
    int64_t progress_shown;
    struct error *error;
};

enum write_progress { WRITTEN, PIPE_CLOSED, NOT_WRITTEN };

const char *view_kind_name(enum view_kind kind)
{
    return (size_t)kind < VIEW_KINDS ? kind_names[kind] : "?";
}

bool view_kind_from_name(const char *name, enum view_kind *kind)
{
    for (size_t i = 0; i < VIEW_KINDS; i++) {
        if (strcmp(name, kind_names[i]) == 0) {
            *kind = (enum view_kind)i;
            return true;
        }
    }
    return false;
}

static bool is_flow_shown(const struct rendering *rendering, uint32_t id)
{
    if (rendering->options->flow != 0 && rendering->options->flow != id)
        return false;
    if (!rendering->selects_packets)
        return true;
    return id / 8 < rendering->shown_flows_size &&
           (rendering->shown_flows[id / 8] >> id % 8 & 1) != 0;
}

static bool remember_flow(struct rendering *rendering, uint32_t id)
{
    if (id / 8 >= rendering->shown_flows_size) {
        size_t size = ((size_t)id / 8 + 64) * 2;
        uint8_t *bits = realloc(rendering->shown_flows, size);
        if (bits == NULL)
            return error_out_of_memory(rendering->error);
        memset(bits + rendering->shown_flows_size, 0, size - rendering->shown_flows_size);
        rendering->shown_flows = bits;
        rendering->shown_flows_size = size;
    }
    rendering->shown_flows[id / 8] |= (uint8_t)(1 << id % 8);
    return true;
}

static void hear_flow_ended(void *data, const struct flow *flow)
{
    struct rendering *rendering = data;
    if (rendering->type->flow_ended != NULL && is_flow_shown(rendering, flow->id))
        rendering->type->flow_ended(rendering->view, flow);
}

/* Every packet goes through the flow table, shown or not, so that numbers and marks are right. */
static bool add_packet(struct rendering *rendering, const struct trace_event *event)
{
    const struct trace_packet *frame = &event->packet;
    const struct view_options *options = rendering->options;
    struct packet packet;
    struct flow_facts facts;
    packet_decode(&packet, frame->link_type, frame->bytes.data, (uint32_t)frame->bytes.length,
                  frame->length, rendering->type->effort);
    flow_table_add(rendering->flows, event->time, frame->number, &packet, &facts);
    if (options->number != 0 && frame->number != options->number)
        return true;
    if (options->flow != 0 && (facts.flow == NULL || facts.flow->id != options->flow))
        return true;
    if (rendering->filter != NULL) {
        bool matches;
        if (!view_filter_match(rendering->filter, frame, &matches, rendering->error))
            return false;
        if (!matches)
            return true;
    }
    if (rendering->selects_packets && facts.flow != NULL &&
        !remember_flow(rendering, facts.flow->id))
        return false;
    struct view_item item = {
        .event = event, .origin = rendering->origin, .packet = &packet, .facts = &facts};
    rendering->type->add(rendering->view, &item);
    return true;
}

static enum write_progress write_text(struct rendering *rendering, bool flush)
{
    struct buffer *text = &rendering->text;
    if (text->failed) {
        error_out_of_memory(rendering->error);
        return NOT_WRITTEN;
    }
    bool ok =
        text->length == 0 || fwrite(text->data, 1, text->length, rendering->out) == text->length;
    if (ok && flush)
        ok = fflush(rendering->out) == 0;
    buffer_clear(text);
    if (ok)
        return WRITTEN;
    if (errno == EPIPE)
        return PIPE_CLOSED;
    error_set(rendering->error, STATUS_NOT_ALLOWED, "cannot write: %s", strerror(errno));
    return NOT_WRITTEN;
}

static void show_progress(struct rendering *rendering)
{
    int64_t now = clock_now();
    uint64_t size = trace_reader_size(rendering->reader);
    if (size == 0 || now - rendering->started < PROGRESS_AFTER ||
        now - rendering->progress_shown < PROGRESS_EVERY)
        return;
    uint64_t offset = trace_reader_offset(rendering->reader);
    rendering->progress_shown = now;
    fprintf(stderr, "\rreading: %3u %%", (unsigned)(100.0 * (double)offset / (double)size));
    fflush(stderr);
}

static void hide_progress(struct rendering *rendering)
{
    if (rendering->progress_shown != 0)
        fprintf(stderr, "\r               \r");
    rendering->progress_shown = 0;
}

/* Reads and adds all events. Returns how it went; *damage is set with TRACE_READ_DAMAGED. */
static enum view_result render_events(struct rendering *rendering, struct error *damage)
{
    struct trace_event event;
    for (unsigned long count = 1;; count++) {
        enum trace_progress progress = trace_reader_next(rendering->reader, &event, damage);
        if (progress != TRACE_READ_EVENT)
            return progress == TRACE_READ_END ? VIEW_SHOWN : VIEW_DAMAGED;
        if (!rendering->has_origin && event.time != 0) {
            rendering->has_origin = true;
            rendering->origin = event.time;
        }
        if (event.kind == TRACE_PACKET) {
            if (!add_packet(rendering, &event))
                return VIEW_FAILED;
        } else {
            struct view_item item = {.event = &event, .origin = rendering->origin};
            rendering->type->add(rendering->view, &item);
        }
        if (rendering->text.length >= WRITE_AT || rendering->prompt || rendering->text.failed) {
            enum write_progress written = write_text(rendering, rendering->prompt);
            if (written == NOT_WRITTEN)
                return VIEW_FAILED;
            if (written == PIPE_CLOSED) {
                rendering->out = NULL;
                return VIEW_SHOWN;
            }
        }
        if (rendering->options->progress && count % PROGRESS_EVENTS == 0)
            show_progress(rendering);
    }
}

static enum view_result render(struct rendering *rendering)
{
    struct error damage;
    enum view_result result = render_events(rendering, &damage);
    hide_progress(rendering);
    if (rendering->out == NULL)
        return VIEW_SHOWN;
    if (result == VIEW_FAILED) {
        /* What was shown so far stands; the failure is what the caller tells. */
        struct error *error = rendering->error;
        rendering->error = NULL;
        write_text(rendering, true);
        rendering->error = error;
        return VIEW_FAILED;
    }
    flow_table_end(rendering->flows);
    rendering->type->end(rendering->view, result == VIEW_DAMAGED ? &damage : NULL);
    enum write_progress written = write_text(rendering, true);
    if (written != WRITTEN)
        return written == PIPE_CLOSED ? VIEW_SHOWN : VIEW_FAILED;
    if (result == VIEW_DAMAGED)
        error_set(rendering->error, STATUS_DAMAGED, "%s", damage.text);
    return result;
}

static bool open_parts(struct rendering *rendering)
{
    const struct view_options *options = rendering->options;
    if (options->filter != NULL && options->filter[0] != '\0') {
        rendering->filter = view_filter_open(options->filter, rendering->error);
        if (rendering->filter == NULL)
            return false;
    }
    rendering->selects_packets = rendering->filter != NULL || options->number != 0;
    rendering->view = rendering->type->open(options, &rendering->text);
    rendering->flows = flow_table_open(hear_flow_ended, rendering);
    if (rendering->view == NULL || rendering->flows == NULL)
        return error_out_of_memory(rendering->error);
    return true;
}

enum view_result view_render(struct trace_reader *reader, enum view_kind kind,
                             const struct view_options *options, FILE *out, struct error *error)
{
    struct rendering rendering = {
        .options = options,
        .type = (size_t)kind < VIEW_KINDS ? view_types[kind] : NULL,
        .reader = reader,
        .out = out,
        .prompt = trace_reader_size(reader) == 0,
        .started = clock_now(),
        .error = error,
    };
    if (rendering.type == NULL) {
        error_set(error, STATUS_USAGE, "a trace cannot be shown as %s", view_kind_name(kind));
        return VIEW_FAILED;
    }
    enum view_result result = open_parts(&rendering) ? render(&rendering) : VIEW_FAILED;
    flow_table_close(rendering.flows);
    if (rendering.view != NULL)
        rendering.type->close(rendering.view);
    view_filter_close(rendering.filter);
    free(rendering.shown_flows);
    buffer_free(&rendering.text);
    return result;
}
