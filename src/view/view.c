#include "view/view.h"

#include <string.h>

#include "support/clock.h"
#include "support/lines.h"
#include "view/ahead.h"
#include "view/live.h"
#include "view/render.h"

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
    [VIEW_LADDER] = &view_ladder, [VIEW_PACKETS] = &view_packets, [VIEW_BYTES] = &view_bytes,
    [VIEW_STREAM] = &view_stream, [VIEW_FLOWS] = &view_flows,     [VIEW_JSON] = &view_json,
    [VIEW_HTML] = &view_html,
};

/* A file of this many bytes is worth a thread that reads ahead. */
#define AHEAD_FROM ((uint64_t)1 << 20)

/* So many packets before its turn a packet is fetched from the other thread's cache, and its flow
 * from memory in two steps. */
#define EXPECT      4
#define EXPECT_SOON 12
#define FETCH       20

struct progress {
    bool wanted;
    uint64_t size;   /* of the file, bytes; 0 unknown */
    int64_t started; /* by this machine's clock */
    int64_t shown;   /* 0: never */
};

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

const struct view_type *view_type_of(enum view_kind kind)
{
    return (size_t)kind < VIEW_KINDS ? view_types[kind] : NULL;
}

static void show_progress(struct progress *progress, uint64_t offset)
{
    if (!progress->wanted || progress->size == 0)
        return;
    int64_t now = clock_now();
    if (now - progress->started < PROGRESS_AFTER || now - progress->shown < PROGRESS_EVERY)
        return;
    progress->shown = now;
    double share = (double)offset / (double)progress->size;
    fprintf(stderr, "\rreading: %3u %%", (unsigned)(100.0 * share));
    fflush(stderr);
}

static void hide_progress(const struct progress *progress)
{
    if (progress->shown != 0)
        fprintf(stderr, "\r               \r");
}

/* What view_render answers when the reader has no further event. */
static enum view_result result_of(enum trace_progress end)
{
    return end == TRACE_READ_DAMAGED ? VIEW_DAMAGED : VIEW_SHOWN;
}

/* The judge's verdicts stand in place of those that the trace may hold. */
static bool is_shown(const struct trace_event *event, const struct view_options *options)
{
    return event->kind != TRACE_CHECK || options->checks == NULL;
}

/* Reads and shows all events. With VIEW_DAMAGED error says what is wrong with the file. */
static enum view_result show_events(struct view_live *live, struct trace_reader *reader,
                                    const struct view_options *options, struct progress *progress,
                                    struct error *error)
{
    struct trace_event event;
    for (unsigned long count = 1; !view_live_is_over(live); count++) {
        enum trace_progress read = trace_reader_next(reader, &event, error);
        if (read != TRACE_READ_EVENT)
            return result_of(read);
        if (is_shown(&event, options) && !view_live_add(live, &event, error))
            return VIEW_FAILED;
        if (count % PROGRESS_EVENTS == 0)
            show_progress(progress, trace_reader_offset(reader));
    }
    return VIEW_SHOWN;
}

static void expect(const struct view_live *live, const struct ahead_batch *batch, size_t at)
{
    const char *far = (const char *)(batch->items + (at + FETCH < batch->count ? at + FETCH : at));
    for (size_t line = 0; line < sizeof *batch->items; line += CACHE_LINE)
        __builtin_prefetch(far + line);
    const struct ahead_item *soon = &batch->items[at + EXPECT_SOON];
    const struct ahead_item *next = &batch->items[at + EXPECT];
    if (at + EXPECT_SOON < batch->count && soon->event.kind == TRACE_PACKET)
        view_live_expect_soon(live, &soon->prepared);
    if (at + EXPECT < batch->count && next->event.kind == TRACE_PACKET)
        view_live_expect(live, &next->prepared);
}

static bool show_batch(struct view_live *live, const struct ahead_batch *batch,
                       const struct view_options *options, struct error *error)
{
    for (size_t i = 0; i < batch->count && !view_live_is_over(live); i++) {
        const struct ahead_item *item = &batch->items[i];
        expect(live, batch, i);
        if (is_shown(&item->event, options) &&
            !view_live_add_prepared(live, &item->event, &item->prepared, error))
            return false;
    }
    return true;
}

/* The same, with the events that are read ahead. */
static enum view_result show_ahead(struct view_live *live, struct view_ahead *ahead,
                                   const struct view_options *options, struct progress *progress,
                                   struct error *error)
{
    while (!view_live_is_over(live)) {
        const struct ahead_batch *batch = view_ahead_next(ahead);
        if (!show_batch(live, batch, options, error))
            return VIEW_FAILED;
        if (batch->end == TRACE_READ_DAMAGED)
            *error = batch->damage;
        if (batch->end != TRACE_READ_EVENT)
            return result_of(batch->end);
        show_progress(progress, batch->offset);
    }
    return VIEW_SHOWN;
}

/* Shows the whole trace, then the verdicts that came with the options. */
static enum view_result show_all(struct view_live *live, struct trace_reader *reader,
                                 const struct view_options *options, struct error *error)
{
    struct progress progress = {
        .wanted = options->progress, .size = trace_reader_size(reader), .started = clock_now()};
    struct view_ahead *ahead = NULL;
    enum view_result result;
    if (progress.size >= AHEAD_FROM)
        ahead = view_ahead_open(reader, view_live_preparation(live));
    if (ahead != NULL)
        result = show_ahead(live, ahead, options, &progress, error);
    else
        result = show_events(live, reader, options, &progress, error);
    view_ahead_close(ahead);
    hide_progress(&progress);
    struct error checks_error; /* error may tell of damage */
    for (size_t i = 0; result != VIEW_FAILED && i < options->check_count; i++) {
        if (!view_live_add(live, &options->checks[i], &checks_error)) {
            *error = checks_error;
            result = VIEW_FAILED;
        }
    }
    return result;
}

enum view_result view_render(struct trace_reader *reader, enum view_kind kind,
                             const struct view_options *options, FILE *out, struct error *error)
{
    /* A pipe's packets come as they are captured, and somebody watches. */
    bool prompt = trace_reader_size(reader) == 0 && options->terminal.interactive;
    struct view_live *live = view_live_open(kind, options, out, prompt, error);
    if (live == NULL)
        return VIEW_FAILED;
    struct error damage;
    enum view_result result = show_all(live, reader, options, &damage);
    if (result == VIEW_FAILED) {
        view_live_flush(live, NULL); /* what was shown so far stands */
        error_set(error, damage.status, "%s", damage.text);
    } else if (!view_live_end(live, result == VIEW_DAMAGED ? &damage : NULL, error)) {
        result = VIEW_FAILED;
    } else if (result == VIEW_DAMAGED) {
        error_set(error, STATUS_DAMAGED, "%s", damage.text);
    }
    view_live_close(live);
    return result;
}
