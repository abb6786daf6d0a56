/*
 * html.c - the report: one HTML page that holds the trace, for a browser without a network.
 *
 * Theory of operation. page.html is written up to {{trace}}, then the events as they come, then the
 * rest; so memory does not grow with the trace. The page may run the one script whose hash stands
 * in its Content-Security-Policy, and load nothing. The trace is a data block inside <script
 * type="application/json">: since no '<' is in it (JSON's \u003c stands for it), nothing in a
 * payload or a name can end the block or begin markup; and the page puts texts into the document
 * as text only.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "view/html.h"
#include "view/html_page.h"
#include "view/json_event.h"

struct view {
    struct buffer *out;
    const struct view_options *options;
    size_t frame_at;  /* how much of page.html is written */
    bool has_report;  /* the first object */
    uint64_t dropped; /* by the kernel, while capturing */
    struct html_packets packets;
};

/* Base64 of SHA-256, as Content-Security-Policy wants it. */
static void append_hash(struct buffer *out, const unsigned char *data, size_t length)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned char text[4 * EVP_MAX_MD_SIZE / 3 + 5];
    unsigned digest_length = 0;
    if (EVP_Digest(data, length, digest, &digest_length, EVP_sha256(), NULL) != 1) {
        out->failed = true; /* of libcrypto only memory can run out here */
        return;
    }
    int text_length = EVP_EncodeBlock(text, digest, (int)digest_length);
    buffer_append_text(out, "'sha256-");
    buffer_append(out, text, (size_t)text_length);
    buffer_append_text(out, "'");
}

static void append_policy(struct buffer *out)
{
    buffer_append_text(out, "default-src 'none'; script-src ");
    append_hash(out, html_page_program, html_page_program_length);
    buffer_append_text(out, "; style-src ");
    append_hash(out, html_page_style, html_page_style_length);
    buffer_append_text(out, "; base-uri 'none'; form-action 'none'");
}

/* Writes page.html up to the next of its places, and goes behind that. Returns the place's name,
 * "" at the end. */
static const char *frame_to_place(struct view *view)
{
    static const char *const places[] = {"{{policy}}", "{{style}}", "{{trace}}", "{{program}}"};
    const unsigned char *frame = html_page_frame + view->frame_at;
    size_t left = html_page_frame_length - view->frame_at;
    const unsigned char *found = memmem(frame, left, "{{", 2);
    size_t before = found == NULL ? left : (size_t)(found - frame);
    buffer_append(view->out, frame, before);
    view->frame_at += before;
    for (size_t i = 0; found != NULL && i < sizeof places / sizeof places[0]; i++) {
        size_t length = strlen(places[i]);
        if (left - before >= length && memcmp(found, places[i], length) == 0) {
            view->frame_at += length;
            return places[i];
        }
    }
    return "";
}

static void fill_frame(struct view *view)
{
    for (;;) {
        const char *place = frame_to_place(view);
        if (strcmp(place, "{{policy}}") == 0)
            append_policy(view->out);
        else if (strcmp(place, "{{style}}") == 0)
            buffer_append(view->out, html_page_style, html_page_style_length);
        else if (strcmp(place, "{{program}}") == 0)
            buffer_append(view->out, html_page_program, html_page_program_length);
        else
            return; /* at {{trace}}, or at the end */
    }
}

static int append_safe(const char *text, size_t length, void *data)
{
    struct buffer *out = data;
    const char *end = text + length;
    while (text < end) {
        const char *less = memchr(text, '<', (size_t)(end - text));
        buffer_append(out, text, (size_t)((less == NULL ? end : less) - text));
        if (less == NULL)
            return 0;
        buffer_append_text(out, "\\u003c");
        text = less + 1;
    }
    return 0;
}

static void write_object(void *data, json_t *object)
{
    struct view *view = data;
    if (object == NULL) {
        view->out->failed = true;
        return;
    }
    json_dump_callback(object, append_safe, view->out, JSON_COMPACT);
    buffer_append_text(view->out, ",\n");
    json_decref(object);
}

static void set(json_t *object, const char *key, json_t *value)
{
    json_object_set_new_nocheck(object, key, value);
}

static json_t *state_names(void)
{
    json_t *names = json_array();
    for (int i = TCP_STATE_UNKNOWN; i <= TCP_STATE_CLOSED; i++)
        json_array_append_new(names, json_string_nocheck(tcp_state_name((enum tcp_state)i)));
    return names;
}

static json_t *mark_names(void)
{
    json_t *names = json_array();
    for (int i = 0; i < MARK_COUNT; i++)
        json_array_append_new(names, json_string_nocheck(tcp_mark_name((enum tcp_mark)(1 << i))));
    return names;
}

/* The first object; origin is what relative times count from. */
static void write_report(struct view *view, int64_t origin)
{
    if (view->has_report)
        return;
    view->has_report = true;
    json_t *object = json_event_new("report");
    const char *file = view->options->file_name;
    const char *slash = strrchr(file, '/');
    const char *name = slash == NULL ? file : slash + 1;
    const char *filter = view->options->filter == NULL ? "" : view->options->filter;
    set(object, "program", json_string_nocheck("handlens " HANDLENS_VERSION));
    set(object, "file", json_event_text((struct trace_text){name, strlen(name)}));
    set(object, "filter", json_event_text((struct trace_text){filter, strlen(filter)}));
    set(object, "origin", json_event_time(origin));
    set(object, "states", state_names());
    set(object, "marks", mark_names());
    write_object(view, object);
}

/* Roles go by their numbers. */
static json_t *with_role(json_t *object, uint32_t role)
{
    if (object != NULL)
        set(object, "role", json_integer(role));
    return object;
}

static json_t *role_object(const struct trace_role *role)
{
    json_t *object = json_event_new("role");
    set(object, "id", json_integer(role->role));
    set(object, "kind", json_string_nocheck(role->kind == TRACE_ROLE_SERVER ? "server" : "client"));
    set(object, "name", json_event_text(role->name));
    return object;
}

static json_t *script_object(const struct trace_script *script)
{
    json_t *object = json_event_new("script");
    set(object, "name", json_event_text(script->name));
    set(object, "text", json_event_text(script->text));
    return object;
}

static json_t *return_object(const struct trace_event *event)
{
    json_t *object = json_event_new("return");
    set(object, "id", json_integer(event->result.call));
    json_event_add_return(object, event);
    return object;
}

static struct view *html_open(const struct view_options *options, struct buffer *out)
{
    struct view *view = calloc(1, sizeof *view);
    if (view == NULL)
        return NULL;
    view->out = out;
    view->options = options;
    fill_frame(view);
    buffer_append_text(out, "[\n");
    return view;
}

static void html_add(struct view *view, const struct view_item *item)
{
    static const struct trace_text nobody = {"", 0};
    const struct trace_event *event = item->event;
    write_report(view, item->origin);
    switch (event->kind) {
    case TRACE_EXCHANGE:
        write_object(view, json_event_exchange(event));
        break;
    case TRACE_SCRIPT:
        write_object(view, script_object(&event->script));
        break;
    case TRACE_ROLE:
        write_object(view, role_object(&event->role));
        break;
    case TRACE_CALL:
        write_object(view, with_role(json_event_call(event, nobody), event->call.role));
        break;
    case TRACE_RETURN:
        write_object(view, return_object(event));
        break;
    case TRACE_SOCKET:
        write_object(view, with_role(json_event_socket(event, nobody), event->socket.role));
        break;
    case TRACE_STATE:
        write_object(view, json_event_state(event));
        break;
    case TRACE_NOTE:
        write_object(view, with_role(json_event_note(event, nobody), event->note.role));
        break;
    case TRACE_PACKET:
        html_packet(&view->packets, item, write_object, view);
        break;
    case TRACE_STATISTICS:
        view->dropped += event->statistics.dropped;
        break;
    case TRACE_CHECK:
        write_object(view, json_event_check(event));
        break;
    case TRACE_END:
        write_object(view, json_event_end(event));
        break;
    case TRACE_INTERFACE:
    case TRACE_SYSCALL:
    case TRACE_SECRETS: /* stay in the trace: a report is handed on more easily */
        break;
    }
}

static void html_flow_ended(struct view *view, const struct flow *flow)
{
    if (!html_has_room_for_flow(&view->packets, flow->id)) {
        view->packets.flows_left_out++;
        return;
    }
    json_t *object = json_event_flow(flow);
    if (object != NULL) {
        /* As the first packets have them on the wire. */
        for (int end = FLOW_CLIENT; end <= FLOW_SERVER; end++)
            set(object, end == FLOW_CLIENT ? "client_isn" : "server_isn",
                flow->side[end].syn_sent ? json_integer(flow->side[end].initial_seq) : json_null());
    }
    write_object(view, object);
}

static void html_end(struct view *view, const struct error *damage)
{
    write_report(view, 0);
    json_t *object = json_event_new("finish");
    set(object, "dropped", json_integer((json_int_t)view->dropped));
    set(object, "left_out", json_integer((json_int_t)view->packets.left_out));
    set(object, "flows_left_out", json_integer((json_int_t)view->packets.flows_left_out));
    set(object, "cut", json_integer((json_int_t)view->packets.cut));
    if (damage != NULL)
        set(object, "damage",
            json_event_text((struct trace_text){damage->text, strlen(damage->text)}));
    json_dump_callback(object, append_safe, view->out, JSON_COMPACT);
    json_decref(object);
    buffer_append_text(view->out, "\n]");
    fill_frame(view);
}

static void html_close(struct view *view)
{
    html_intern_free(&view->packets.layouts);
    html_intern_free(&view->packets.texts);
    free(view);
}

const struct view_type view_html = {
    .kind = VIEW_HTML,
    .effort = PACKET_CHECKSUMS,
    .open = html_open,
    .add = html_add,
    .flow_ended = html_flow_ended,
    .end = html_end,
    .close = html_close,
};
