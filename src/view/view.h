/*
 * view.h - renderings of a trace.
 *
 * A view sees a trace and nothing else: whether the run has just ended or the file is ten years
 * old makes no difference. view_render reads events one by one, decodes each packet, follows its
 * flow, and hands all three to the view; so memory grows with open flows only.
 */
#ifndef HANDLENS_VIEW_VIEW_H
#define HANDLENS_VIEW_VIEW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "support/error.h"
#include "support/terminal.h"
#include "trace/reader.h"

enum view_kind {
    VIEW_LADDER,
    VIEW_PACKETS,
    VIEW_BYTES,
    VIEW_STREAM,
    VIEW_FLOWS,
    VIEW_JSON,
    VIEW_HTML,
    VIEW_KINDS
};

/* "ladder", "packets", …: the words of --as. */
const char *view_kind_name(enum view_kind kind);
/* Returns false for an unknown word. */
bool view_kind_from_name(const char *name, enum view_kind *kind);

enum stream_form { STREAM_TEXT, STREAM_HEX, STREAM_RAW };

enum stream_side { STREAM_BOTH, STREAM_CLIENT, STREAM_SERVER };

struct view_options {
    struct terminal terminal; /* of the output */
    const char *file_name;    /* to be shown as the trace's name; "" for a run */
    const char *filter;       /* tcpdump's language, or NULL */
    uint32_t flow;            /* --flow N; 0: all */
    uint64_t number;          /* --number N; 0: all */
    enum stream_form stream;
    enum stream_side stream_from; /* whose bytes */
    bool progress;                /* show progress on stderr when it takes long */
    /* What a check has just said of the trace, TRACE_CHECK; shown at its end, and whatever the
     * trace itself holds of the kind is not. NULL: the trace's own. */
    const struct trace_event *checks;
    size_t check_count;
};

enum view_result {
    VIEW_SHOWN,
    VIEW_FAILED,  /* error set; nothing or not all was shown */
    VIEW_DAMAGED, /* shown up to the damage; error set, STATUS_DAMAGED */
};

/*
 * Renders the whole trace onto out. A closed pipe (EPIPE) ends it quietly with VIEW_SHOWN; any
 * other write error is VIEW_FAILED. A filter's syntax error is shown with a caret (STATUS_USAGE).
 */
enum view_result view_render(struct trace_reader *reader, enum view_kind kind,
                             const struct view_options *options, FILE *out, struct error *error);

#endif
