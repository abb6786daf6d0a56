/*
 * Calls in the ladder.
 *
 * A call is held when it is entered. If its return comes next it is one line, "recv(1024) → …".
 * If a packet it causes comes next it is opened, and closed by a line of its own. If anything
 * else comes next it waits, and is said to.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "view/ladder.h"

/* How much of a result must be seen beside its call, columns. */
#define RESULT_LEAST 20

struct ladder_call *ladder_find_call(struct ladder *ladder, uint32_t id)
{
    if (id == 0)
        return NULL;
    size_t low = 0;
    size_t high = ladder->call_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ladder->calls[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < ladder->call_count && ladder->calls[low].id == id ? &ladder->calls[low] : NULL;
}

static void forget_call(struct ladder *ladder, struct ladder_call *call)
{
    size_t at = (size_t)(call - ladder->calls);
    if (ladder->held == call->id)
        ladder->held = 0;
    if (ladder->active == call->id)
        ladder->active = 0;
    memmove(call, call + 1, (ladder->call_count - at - 1) * sizeof *call);
    ladder->call_count--;
}

/* Makes room for a call, which keeps the order of ids. NULL out of memory or on a repeated id. */
static struct ladder_call *insert_call(struct ladder *ladder, uint32_t id)
{
    if (ladder->call_count == ladder->call_capacity) {
        size_t capacity = ladder->call_capacity * 2 + 16;
        struct ladder_call *calls = realloc(ladder->calls, capacity * sizeof *calls);
        if (calls == NULL) {
            ladder->failed = true;
            return NULL;
        }
        ladder->calls = calls;
        ladder->call_capacity = capacity;
    }
    if (ladder_find_call(ladder, id) != NULL)
        return NULL;
    size_t at = ladder->call_count;
    while (at > 0 && ladder->calls[at - 1].id > id)
        at--;
    memmove(&ladder->calls[at + 1], &ladder->calls[at],
            (ladder->call_count - at) * sizeof *ladder->calls);
    ladder->call_count++;
    ladder->calls[at] = (struct ladder_call){.id = id};
    return &ladder->calls[at];
}

/* Keeps a safe text, cut at its room. */
static void keep_text(struct ladder *ladder, char *kept, size_t room, struct trace_text text)
{
    struct trace_text safe = ladder_safe(ladder, text, room);
    const char *ellipsis = ladder->glyphs->ellipsis;
    size_t length = safe.length;
    if (length >= room) {
        length = room - 1 - strlen(ellipsis);
        while (length > 0 && ((unsigned char)safe.data[length] & 0xc0) == 0x80)
            length--;
    }
    memcpy(kept, safe.data, length);
    kept[length] = '\0';
    if (length < safe.length)
        memcpy(kept + length, ellipsis, strlen(ellipsis) + 1);
}

enum bracket { BRACKET_OPENS, BRACKET_CLOSES, BRACKET_SINGLE, BRACKET_NONE };

static const char *bracket_glyph(const struct ladder *ladder, int lane, enum bracket bracket)
{
    const struct ladder_glyphs *glyphs = ladder->glyphs;
    bool right = ladder->lanes[lane].right;
    if (bracket == BRACKET_NONE)
        return NULL;
    if (bracket == BRACKET_SINGLE)
        return right ? glyphs->single_right : glyphs->single_left;
    if (bracket == BRACKET_OPENS)
        return right ? glyphs->opens_right : glyphs->opens_left;
    return right ? glyphs->closes_right : glyphs->closes_left;
}

/* A line of a call: its bracket, and what is in ladder->text. */
static void draw_call(struct ladder *ladder, const struct ladder_call *call, enum bracket bracket,
                      unsigned style, int64_t time, const char *state)
{
    ladder_note_time(ladder, time);
    int lane = ladder_lane_of(ladder, call->role);
    const char *text = buffer_text(&ladder->text);
    struct ladder_place place = {.lane = lane,
                                 .mark = bracket_glyph(ladder, lane, bracket),
                                 .mark_last = bracket == BRACKET_CLOSES,
                                 .line = call->line,
                                 .state = state,
                                 .timed = true,
                                 .time = time};
    ladder_draw_at(ladder, &place, style, (struct trace_text){text, ladder->text.length},
                   style == STYLE_RED ? 3 : 1);
}

/* What the host does by itself stays in the background. */
static unsigned call_style(const struct ladder *ladder, const struct ladder_call *call, int lane)
{
    return call->line == 0 ? STYLE_DIM : ladder->lanes[lane].style;
}

static void show_entry(struct ladder *ladder, struct ladder_call *call, bool waits)
{
    call->shown = true;
    if (ladder->held == call->id)
        ladder->held = 0;
    int lane = ladder_lane_of(ladder, call->role);
    ladder_note_time(ladder, call->time); /* a pause was before the lane became heavy */
    ladder->lanes[lane].calls++;
    size_t name_width = ladder_start_text(ladder, call->role, call->socket);
    /* Room is kept for the word at the end. */
    size_t room = (size_t)ladder->inner - 2 - (waits ? 6 : 0) - name_width;
    char whole[sizeof call->name + sizeof call->arguments + 3];
    snprintf(whole, sizeof whole, "%s(%s)", call->name, call->arguments);
    ladder_append_cut(ladder, &ladder->text, whole, strlen(whole), room);
    if (waits)
        buffer_append_text(&ladder->text, " waits");
    draw_call(ladder, call, BRACKET_OPENS, call_style(ladder, call, lane), call->time, NULL);
}

/* A line that says what a shown call does now: "sendall goes on". */
static void show_word(struct ladder *ladder, const struct ladder_call *call, const char *word,
                      int64_t time)
{
    ladder_start_text(ladder, call->role, call->socket);
    buffer_printf(&ladder->text, "%s %s", call->name, word);
    int lane = ladder_lane_of(ladder, call->role);
    draw_call(ladder, call, BRACKET_NONE, call_style(ladder, call, lane), time, NULL);
}

void ladder_settle(struct ladder *ladder, bool waits)
{
    struct ladder_call *call = ladder_find_call(ladder, ladder->held);
    if (call == NULL || ladder->selects)
        return;
    waits = waits || call->blocked;
    call->blocked = false;
    show_entry(ladder, call, waits);
}

void ladder_turn_to(struct ladder *ladder, uint32_t cause, int64_t time)
{
    struct ladder_call *call = ladder_find_call(ladder, cause);
    if (call == NULL) {
        ladder_settle(ladder, false);
        return;
    }
    if (cause != ladder->held)
        ladder_settle(ladder, true);
    /* Laying out and showing may not move calls, so the pointer stands. */
    if (!call->shown)
        show_entry(ladder, call, false);
    else if (ladder->active != cause)
        show_word(ladder, call, "goes on", time);
    call->blocked = false;
    ladder->active = cause;
}

void ladder_enter(struct ladder *ladder, const struct view_item *item)
{
    const struct trace_call *entered = &item->event->call;
    ladder->has_calls = true;
    ladder_settle(ladder, true);
    struct ladder_call *call = insert_call(ladder, entered->call);
    if (call == NULL)
        return;
    call->role = entered->role;
    call->socket = entered->socket;
    call->line = entered->line;
    call->time = item->event->time;
    keep_text(ladder, call->name, sizeof call->name, entered->name);
    keep_text(ladder, call->arguments, sizeof call->arguments, entered->arguments);
    ladder->held = call->id;
}

void ladder_try(struct ladder *ladder, const struct view_item *item)
{
    const struct trace_syscall *tried = &item->event->syscall;
    struct ladder_call *call = ladder_find_call(ladder, tried->call);
    if (call == NULL)
        return;
    bool was = call->blocked;
    call->blocked = tried->error == EAGAIN || tried->error == EINPROGRESS;
    /* A shown call that now comes to a halt says so; a held one does when it is shown. */
    if (call->shown && call->blocked && !was && ladder->active == call->id) {
        show_word(ladder, call, "waits", tried->end);
        ladder->active = 0;
    }
}

/* The reason in an error's message: what follows its last colon, "Connection refused (…)". */
static struct trace_text reason_of(const struct trace_return *result)
{
    struct trace_text message = result->message;
    for (size_t at = message.length; at > 2; at--)
        if (message.data[at - 2] == ':' && message.data[at - 1] == ' ')
            return (struct trace_text){message.data + at, message.length - at};
    if (message.length > 0)
        return message;
    return trace_text_of(error_code_name(result->error));
}

static bool is_text(struct trace_text text, const char *word)
{
    return text.length == strlen(word) && memcmp(text.data, word, text.length) == 0;
}

/* Appends what came back: " → 21", " fails: Connection refused", or nothing. */
static void append_result(struct ladder *ladder, const struct ladder_call *call,
                          const struct trace_return *result)
{
    struct buffer *text = &ladder->text;
    bool failed = result->error != 0;
    bool receives = strncmp(call->name, "recv", 4) == 0 || strcmp(call->name, "tls.recv") == 0;
    struct trace_text what = failed ? reason_of(result) : result->result;
    if (!failed && (what.length == 0 || (is_text(what, "nil") && !receives)))
        return;
    if (failed)
        buffer_append_text(text, " fails: ");
    else
        buffer_printf(text, " %s ", ladder->glyphs->gives);
    struct trace_text safe = ladder_safe(ladder, what, (size_t)ladder->inner);
    buffer_append(text, safe.data, safe.length);
    if (!failed && is_text(what, "nil"))
        buffer_append_text(text, " (end of stream)");
}

static unsigned result_style(const struct ladder *ladder, const struct ladder_call *call, int lane,
                             const struct trace_return *result)
{
    if (result->error != 0)
        return STYLE_RED;
    return call_style(ladder, call, lane);
}

/* A call that changes a state without a packet: only listen does. */
static const char *new_state(const struct ladder_call *call, const struct trace_return *result)
{
    bool listens = result->error == 0 && strcmp(call->name, "listen") == 0;
    return listens ? tcp_state_name(TCP_STATE_LISTEN) : NULL;
}

/* Both ends of a call under one mark: a long result is cut, a failure goes on in the next line.
 * Returns false where the arguments leave too little room for it. */
static bool show_single(struct ladder *ladder, const struct ladder_call *call, int lane,
                        const struct trace_return *result)
{
    size_t room = (size_t)ladder->inner - 2;
    ladder_start_text(ladder, call->role, call->socket);
    buffer_printf(&ladder->text, "%s(%s)", call->name, call->arguments);
    size_t entry = terminal_width(buffer_text(&ladder->text), ladder->text.length);
    append_result(ladder, call, result);
    size_t whole = terminal_width(buffer_text(&ladder->text), ladder->text.length);
    if (whole > room && entry + RESULT_LEAST > room)
        return false;
    draw_call(ladder, call, BRACKET_SINGLE, result_style(ladder, call, lane, result), call->time,
              new_state(call, result));
    return true;
}

static void show_return(struct ladder *ladder, const struct ladder_call *call, int lane,
                        const struct trace_return *result, int64_t time)
{
    ladder_start_text(ladder, call->role, call->socket);
    buffer_append_text(&ladder->text, call->name);
    size_t bare = ladder->text.length;
    append_result(ladder, call, result);
    if (ladder->text.length == bare)
        buffer_append_text(&ladder->text, " returns");
    draw_call(ladder, call, BRACKET_CLOSES, result_style(ladder, call, lane, result), time,
              new_state(call, result));
    if (ladder->lanes[lane].calls > 0)
        ladder->lanes[lane].calls--;
}

void ladder_return(struct ladder *ladder, const struct view_item *item)
{
    const struct trace_return *result = &item->event->result;
    if (ladder->held != result->call)
        ladder_settle(ladder, true);
    struct ladder_call *call = ladder_find_call(ladder, result->call);
    if (call == NULL)
        return;
    int lane = ladder_lane_of(ladder, call->role);
    if (result->error == 0 && strcmp(call->name, "listen") == 0)
        ladder_socket_listens(ladder, call->socket);
    bool closes = strcmp(call->name, "close") == 0 || strcmp(call->name, "reset") == 0 ||
                  strcmp(call->name, "tls.close") == 0;
    if (!call->shown && !ladder->selects && !show_single(ladder, call, lane, result))
        show_entry(ladder, call, false);
    if (call->shown)
        show_return(ladder, call, lane, result, item->event->time);
    if (closes)
        ladder_socket_closes(ladder, call->socket);
    forget_call(ladder, call);
}
