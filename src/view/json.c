/*
 * json.c - JSON Lines: one object an event, in time order.
 *
 * Theory of operation. A call's object has its time of entry and also how it returned, and stands
 * where it was entered; so what comes between is held back, as finished text, until the call
 * returns. In the same way the first line, "capture", waits for the number of dropped packets,
 * which a trace tells last. What is held back is bounded: beyond HELD_LIMIT objects the oldest
 * unfinished one is written as it is, with nulls for what is not known yet, and the rest follows
 * later as an object "return", or "statistics".
 */
#include <stdlib.h>
#include <string.h>

#include "view/json_event.h"
#include "view/json_packet.h"
#include "view/render.h"

#define HELD_LIMIT 4096
#define ROLE_LIMIT 65536

/* Fifteen digits: 0.021 stays 0.021, and no nanosecond is lost. */
#define DUMP_FLAGS (JSON_COMPACT | JSON_REAL_PRECISION(15))

/* An object that waits, or the text of one that is finished and stands behind such a one. */
struct held {
    json_t *object; /* owned; NULL for text */
    uint32_t call;  /* the call whose return it waits for; 0: none */
    bool waits;
    char *text; /* owned */
    size_t length;
};

struct role_name {
    char *text; /* owned */
    size_t length;
};

struct view {
    struct buffer *out;
    const struct view_options *options;
    struct held held[HELD_LIMIT]; /* a ring */
    size_t first;
    size_t count;
    struct role_name *roles; /* by number */
    size_t role_count;
    json_t *capture;    /* borrowed: the first object while it is held; else NULL */
    json_t *interfaces; /* borrowed, of capture */
    uint64_t dropped;
    struct json_packet packet;
    struct buffer text; /* of one object that shall be held */
};

/* jansson hands over a few characters at a time. */
static int append(const char *text, size_t length, void *data)
{
    struct buffer *buffer = data;
    if (buffer->capacity - buffer->length < length) {
        buffer_append(buffer, text, length);
        return 0;
    }
    memcpy(buffer->data + buffer->length, text, length);
    buffer->length += length;
    return 0;
}

/* NULL means that memory ran out. */
static void dump(struct view *view, const json_t *object, struct buffer *to)
{
    if (object == NULL || json_dump_callback(object, append, to, DUMP_FLAGS) != 0)
        view->out->failed = true;
    buffer_append_byte(to, '\n');
    view->out->failed |= to->failed;
}

static void write_object(struct view *view, json_t *object)
{
    dump(view, object, view->out);
    json_decref(object);
}

static struct held *held_at(struct view *view, size_t n)
{
    return &view->held[(view->first + n) % HELD_LIMIT];
}

static void write_first(struct view *view)
{
    struct held *held = held_at(view, 0);
    if (held->object == view->capture) {
        view->capture = NULL;
        view->interfaces = NULL;
    }
    if (held->object != NULL)
        write_object(view, held->object);
    else
        buffer_append(view->out, held->text, held->length);
    free(held->text);
    view->first = (view->first + 1) % HELD_LIMIT;
    view->count--;
}

static void write_finished(struct view *view)
{
    while (view->count > 0 && !held_at(view, 0)->waits)
        write_first(view);
}

/* What is not known yet is written as null, and is told later. */
static void give_up_first(struct view *view)
{
    struct held *held = held_at(view, 0);
    const char *unknown = held->object == view->capture ? "dropped" : "end";
    json_object_set_new_nocheck(held->object, unknown, json_null());
    write_first(view);
}

static struct held *hold_next(struct view *view)
{
    if (view->count == HELD_LIMIT) {
        give_up_first(view);
        write_finished(view);
    }
    struct held *held = held_at(view, view->count++);
    *held = (struct held){0};
    return held;
}

/* Holds the object until it is finished; call: whose return finishes it. Takes the reference. */
static void hold(struct view *view, json_t *object, uint32_t call)
{
    if (object == NULL) {
        view->out->failed = true;
        return;
    }
    struct held *held = hold_next(view);
    held->object = object;
    held->call = call;
    held->waits = true;
}

/* A finished object comes, which is borrowed: its text is written, or held behind what waits. */
static void tell_borrowed(struct view *view, const json_t *object)
{
    if (view->count == 0) {
        dump(view, object, view->out);
        return;
    }
    struct held *held = hold_next(view);
    buffer_clear(&view->text);
    dump(view, object, &view->text);
    held->text = malloc(view->text.length);
    if (held->text == NULL) {
        view->out->failed = true;
        return;
    }
    held->length = view->text.length;
    memcpy(held->text, view->text.data, held->length);
}

/* The same; takes the reference. */
static void tell(struct view *view, json_t *object)
{
    tell_borrowed(view, object);
    json_decref(object);
}

static struct trace_text role_name(const struct view *view, uint32_t role)
{
    if (role >= view->role_count)
        return (struct trace_text){"", 0};
    return (struct trace_text){view->roles[role].text, view->roles[role].length};
}

static void add_role(struct view *view, const struct trace_role *role)
{
    static const char *const kinds[] = {"server", "client"};
    json_t *object = json_event_new("role");
    json_object_set_new_nocheck(object, "id", json_integer(role->role));
    json_object_set_new_nocheck(object, "kind", json_string_nocheck(kinds[role->kind]));
    json_object_set_new_nocheck(object, "name", json_event_text(role->name));
    tell(view, object);
    if (role->role >= ROLE_LIMIT)
        return;
    if (role->role >= view->role_count) {
        size_t count = role->role + 1;
        struct role_name *roles = realloc(view->roles, count * sizeof *roles);
        if (roles == NULL) {
            view->out->failed = true;
            return;
        }
        memset(roles + view->role_count, 0, (count - view->role_count) * sizeof *roles);
        view->roles = roles;
        view->role_count = count;
    }
    struct role_name *name = &view->roles[role->role];
    free(name->text);
    *name = (struct role_name){malloc(role->name.length + 1), role->name.length};
    if (name->text == NULL)
        name->length = 0;
    else if (name->length > 0)
        memcpy(name->text, role->name.data, name->length);
}

static void add_return(struct view *view, const struct trace_event *event)
{
    for (size_t n = 0; n < view->count; n++) {
        struct held *held = held_at(view, n);
        if (held->waits && held->call == event->result.call && held->call != 0) {
            json_event_add_return(held->object, event);
            held->waits = false;
            write_finished(view);
            return;
        }
    }
    json_t *object = json_event_new("return");
    json_object_set_new_nocheck(object, "id", json_integer(event->result.call));
    json_event_add_return(object, event);
    tell(view, object);
}

/* The first object. It waits for the trace's statistics. */
static void add_capture(struct view *view)
{
    json_t *object = json_event_new("capture");
    const char *file = view->options->file_name;
    json_object_set_new_nocheck(
        object, "file",
        file[0] == '\0' ? json_null() : json_event_text((struct trace_text){file, strlen(file)}));
    view->interfaces = json_array();
    json_object_set_new_nocheck(object, "link_type", json_null());
    json_object_set_new_nocheck(object, "interfaces", view->interfaces);
    view->capture = object;
    hold(view, object, 0);
}

static json_t *interface_object(const struct trace_interface *interface)
{
    json_t *object = json_object();
    json_object_set_new_nocheck(object, "id", json_integer(interface->interface));
    json_object_set_new_nocheck(object, "name", json_event_text(interface->name));
    json_object_set_new_nocheck(object, "link_type", json_integer(interface->link_type));
    json_object_set_new_nocheck(object, "snap_length", json_integer(interface->snap_length));
    return object;
}

static void add_interface(struct view *view, const struct trace_interface *interface)
{
    if (view->capture == NULL) {
        json_t *object = json_event_new("interface");
        json_t *fields = interface_object(interface);
        json_object_update(object, fields);
        json_decref(fields);
        tell(view, object);
        return;
    }
    if (json_array_size(view->interfaces) == 0)
        json_object_set_new_nocheck(view->capture, "link_type", json_integer(interface->link_type));
    json_array_append_new(view->interfaces, interface_object(interface));
}

static void add_statistics(struct view *view, const struct trace_statistics *statistics)
{
    view->dropped += statistics->dropped < UINT64_MAX - view->dropped ? statistics->dropped
                                                                      : UINT64_MAX - view->dropped;
    if (view->capture != NULL)
        return;
    json_t *object = json_event_new("statistics");
    json_object_set_new_nocheck(object, "interface", json_integer(statistics->interface));
    json_object_set_new_nocheck(object, "received", json_integer((json_int_t)statistics->received));
    json_object_set_new_nocheck(object, "dropped", json_integer((json_int_t)statistics->dropped));
    tell(view, object);
}

static struct view *json_open(const struct view_options *options, struct buffer *out)
{
    struct view *view = calloc(1, sizeof *view);
    if (view == NULL)
        return NULL;
    view->out = out;
    view->options = options;
    add_capture(view);
    return view;
}

static void json_add(struct view *view, const struct view_item *item)
{
    const struct trace_event *event = item->event;
    switch (event->kind) {
    case TRACE_EXCHANGE:
        tell(view, json_event_exchange(event));
        break;
    case TRACE_ROLE:
        add_role(view, &event->role);
        break;
    case TRACE_CALL:
        hold(view, json_event_call(event, role_name(view, event->call.role)), event->call.call);
        break;
    case TRACE_RETURN:
        add_return(view, event);
        break;
    case TRACE_SOCKET:
        tell(view, json_event_socket(event, role_name(view, event->socket.role)));
        break;
    case TRACE_STATE:
        tell(view, json_event_state(event));
        break;
    case TRACE_NOTE:
        tell(view, json_event_note(event, role_name(view, event->note.role)));
        break;
    case TRACE_PACKET:
        tell_borrowed(view, json_packet_fill(&view->packet, item));
        break;
    case TRACE_INTERFACE:
        add_interface(view, &event->interface);
        break;
    case TRACE_STATISTICS:
        add_statistics(view, &event->statistics);
        break;
    case TRACE_CHECK:
        tell(view, json_event_check(event));
        break;
    case TRACE_END:
        tell(view, json_event_end(event));
        break;
    case TRACE_SCRIPT:
    case TRACE_SYSCALL:
    case TRACE_SECRETS:
        break;
    }
}

static void json_flow_ended(struct view *view, const struct flow *flow)
{
    tell(view, json_event_flow(flow));
}

static void json_end(struct view *view, const struct error *damage)
{
    if (view->capture != NULL) {
        json_object_set_new_nocheck(view->capture, "dropped",
                                    json_integer((json_int_t)view->dropped));
        if (damage != NULL)
            json_object_set_new_nocheck(
                view->capture, "damage",
                json_event_text((struct trace_text){damage->text, strlen(damage->text)}));
    }
    while (view->count > 0) {
        struct held *held = held_at(view, 0);
        if (held->waits && held->object != view->capture)
            json_object_set_new_nocheck(held->object, "end", json_null());
        write_first(view);
    }
}

static void json_close(struct view *view)
{
    for (size_t n = 0; n < view->count; n++) {
        json_decref(held_at(view, n)->object);
        free(held_at(view, n)->text);
    }
    json_packet_free(&view->packet);
    buffer_free(&view->text);
    for (size_t n = 0; n < view->role_count; n++)
        free(view->roles[n].text);
    free(view->roles);
    free(view);
}

const struct view_type view_json = {
    .kind = VIEW_JSON,
    .open = json_open,
    .add = json_add,
    .flow_ended = json_flow_ended,
    .end = json_end,
    .close = json_close,
};
