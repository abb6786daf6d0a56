#include "view/view.h"

#include <string.h>

#include "support/clock.h"
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

struct progress {
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

static void show_progress(struct progress *progress, const struct trace_reader *reader)
{
    int64_t now = clock_now();
    uint64_t size = trace_reader_size(reader);
    if (size == 0 || now - progress->started < PROGRESS_AFTER ||
        now - progress->shown < PROGRESS_EVERY)
        return;
    progress->shown = now;
    double share = (double)trace_reader_offset(reader) / (double)size;
    fprintf(stderr, "\rreading: %3u %%", (unsigned)(100.0 * share));
    fflush(stderr);
}

static void hide_progress(const struct progress *progress)
{
    if (progress->shown != 0)
        fprintf(stderr, "\r               \r");
}

/* Reads and shows all events. With VIEW_DAMAGED error says what is wrong with the file. */
static enum view_result show_events(struct view_live *live, struct trace_reader *reader,
                                    const struct view_options *options, struct error *error)
{
    struct trace_event event;
    struct progress progress = {.started = clock_now()};
    enum view_result result = VIEW_SHOWN;
    for (unsigned long count = 1; !view_live_is_over(live); count++) {
        enum trace_progress read = trace_reader_next(reader, &event, error);
        if (read != TRACE_READ_EVENT) {
            result = read == TRACE_READ_END ? VIEW_SHOWN : VIEW_DAMAGED;
            break;
        }
        bool is_shown = event.kind != TRACE_CHECK || options->checks == NULL;
        if (is_shown && !view_live_add(live, &event, error)) {
            result = VIEW_FAILED;
            break;
        }
        if (options->progress && count % PROGRESS_EVENTS == 0)
            show_progress(&progress, reader);
    }
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
    enum view_result result = show_events(live, reader, options, &damage);
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
