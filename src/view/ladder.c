/*
 * The ladder: a trace as two (or more) lines of life with packets between them.
 *
 * Events are drawn as they come. At most one is held back: the entry of a call, until the next
 * event tells whether it waits (ladder_call.c). Nothing grows with packets.
 */
#include "view/ladder.h"

#include <stdlib.h>
#include <string.h>

#include "support/clock.h"

/* How many lines of a print or note are shown. */
#define NOTE_LINES 6

static const struct ladder_glyphs unicode_glyphs = {
    .light = "│",
    .heavy = "┃",
    .opens_left = "┏",
    .opens_right = "┓",
    .closes_left = "┗",
    .closes_right = "┛",
    .single_left = "┣",
    .single_right = "┫",
    .dash = "─",
    .head_left = "◀",
    .head_right = "▶",
    .cross_light = "┼",
    .cross_heavy = "╂",
    .ellipsis = "…",
    .dot = "·",
    .gives = "→",
};

static const struct ladder_glyphs ascii_glyphs = {
    .light = ":",
    .heavy = "|",
    .opens_left = "+",
    .opens_right = "+",
    .closes_left = "+",
    .closes_right = "+",
    .single_left = "+",
    .single_right = "+",
    .dash = "-",
    .head_left = "<",
    .head_right = ">",
    .cross_light = ":",
    .cross_heavy = "|",
    .ellipsis = "...",
    .dot = "-",
    .gives = "->",
};

/* A view is opaque to everybody else; ours is a struct ladder. */
static struct ladder *ladder_of(struct view *view)
{
    return (struct ladder *)(void *)view;
}

static struct view *ladder_open(const struct view_options *options, struct buffer *out)
{
    struct ladder *ladder = calloc(1, sizeof *ladder);
    if (ladder == NULL)
        return NULL;
    ladder->options = options;
    ladder->out = out;
    ladder->glyphs = options->terminal.utf8 ? &unicode_glyphs : &ascii_glyphs;
    ladder->selects = options->filter != NULL || options->flow != 0 || options->number != 0;
    return (struct view *)(void *)ladder;
}

static void append_safe(struct ladder *ladder, struct trace_text text)
{
    struct trace_text safe = ladder_safe(ladder, text, 1000);
    buffer_append(&ladder->text, safe.data, safe.length);
}

/* Appends a separator and the outside text to ladder->text, if there is any. */
static void append_item(struct ladder *ladder, struct trace_text text)
{
    if (text.length == 0)
        return;
    if (ladder->text.length > 0)
        buffer_printf(&ladder->text, " %s ", ladder->glyphs->dot);
    append_safe(ladder, text);
}

static void draw_exchange(struct ladder *ladder, const struct trace_exchange *exchange)
{
    struct buffer *text = &ladder->text;
    ladder->has_exchange = true;
    ladder->address = exchange->address;
    buffer_clear(text);
    append_item(ladder, exchange->title);
    ladder_draw_plain(ladder, STYLE_BOLD, buffer_text(text), text->length);
    buffer_clear(text);
    append_item(ladder, exchange->about);
    if (text->length > 0)
        ladder_draw_plain(ladder, STYLE_PLAIN, buffer_text(text), text->length);
    buffer_clear(text);
    append_item(ladder, exchange->script);
    if (exchange->address.family != 0 && exchange->address.port != 0) {
        char address[ADDRESS_TEXT];
        address_format(&exchange->address, address);
        append_item(ladder, trace_text_of(address));
    }
    append_item(ladder, exchange->place);
    if (text->length > 0)
        ladder_draw_plain(ladder, STYLE_DIM, buffer_text(text), text->length);
    buffer_append_byte(ladder->out, '\n');
}

/* Outside text with its tabs as spaces, safe and, if wanted, quoted; appended to ladder->text. */
static void append_note(struct ladder *ladder, struct trace_text text, bool quoted)
{
    char plain[4000];
    size_t length = text.length < sizeof plain ? text.length : sizeof plain;
    for (size_t i = 0; i < length; i++)
        plain[i] = text.data[i] == '\t' ? ' ' : text.data[i];
    if (quoted) {
        buffer_append_byte(&ladder->text, '"');
        terminal_append_escaped(&ladder->text, plain, length, 0, ladder->options->terminal.utf8);
        buffer_append_byte(&ladder->text, '"');
    } else {
        struct trace_text safe = ladder_safe(ladder, (struct trace_text){plain, length}, 0);
        buffer_append(&ladder->text, safe.data, safe.length);
    }
}

/* One line of a note's text. first: with the word that says what it is. */
static void draw_note_line(struct ladder *ladder, const struct trace_event *event, bool first,
                           struct trace_text text)
{
    static const char *const words[] = {
        [TRACE_NOTE_PRINT] = "prints ", [TRACE_NOTE_ERROR] = "error: ", [TRACE_NOTE_HOST] = "",
        [TRACE_NOTE_USER] = "typed ",   [TRACE_NOTE_INPUT] = "reads ",
    };
    const struct trace_note *note = &event->note;
    bool known = (size_t)note->kind < sizeof words / sizeof words[0];
    bool quoted = known && note->kind != TRACE_NOTE_ERROR && note->kind != TRACE_NOTE_HOST;
    ladder_start_text(ladder, note->role, 0);
    if (known && first)
        buffer_append_text(&ladder->text, words[note->kind]);
    append_note(ladder, text, quoted);
    unsigned style = note->kind == TRACE_NOTE_ERROR  ? STYLE_RED
                     : note->kind == TRACE_NOTE_HOST ? STYLE_DIM
                                                     : STYLE_PLAIN;
    const struct ladder_role *role = ladder_find_role(ladder, note->role);
    text = (struct trace_text){buffer_text(&ladder->text), ladder->text.length};
    if (role == NULL && !ladder->laid_out) {
        ladder_draw_plain(ladder, style, text.data, text.length);
        return;
    }
    struct ladder_place place = {.lane = role == NULL ? -1 : ladder_lane_of(ladder, role->id),
                                 .line = first ? note->line : 0,
                                 .timed = first,
                                 .time = event->time};
    ladder_draw_at(ladder, &place, style, text, NOTE_LINES);
}

static void draw_note(struct ladder *ladder, const struct trace_event *event)
{
    const struct trace_note *note = &event->note;
    if (ladder->selects && note->kind != TRACE_NOTE_ERROR)
        return;
    ladder_settle(ladder, true);
    ladder_note_time(ladder, event->time);
    /* An error brings its traceback in further lines; others are one text. */
    if (note->kind != TRACE_NOTE_ERROR && note->kind != TRACE_NOTE_HOST) {
        draw_note_line(ladder, event, true, note->text);
        return;
    }
    const char *at = note->text.data;
    size_t left = note->text.length;
    for (int line = 0; left > 0 && line < 4 * NOTE_LINES; line++) {
        const char *newline = memchr(at, '\n', left);
        size_t length = newline == NULL ? left : (size_t)(newline - at);
        draw_note_line(ladder, event, line == 0, (struct trace_text){at, length});
        size_t used = newline == NULL ? length : length + 1;
        at += used;
        left -= used;
    }
}

/*
 * The kernel's own word for a state is only told where it is another than the packets'. Linux
 * hands a connection in TIME-WAIT to a smaller record and calls the socket itself closed
 * (tcp_time_wait() in net/ipv4/tcp_minisocks.c), so that one is no contradiction.
 */
static void compare_state(struct ladder *ladder, const struct trace_event *event)
{
    const struct trace_state *told = &event->state;
    enum tcp_state kernel = (enum tcp_state)told->state;
    if (kernel == TCP_STATE_LISTEN)
        ladder_socket_listens(ladder, told->socket);
    enum flow_end end;
    const struct ladder_flow *flow = ladder_socket_flow(ladder, told->socket, &end);
    if (flow == NULL || flow->protocol != TRACE_TCP || ladder->selects)
        return;
    enum tcp_state seen = flow->state[end];
    if (seen == TCP_STATE_UNKNOWN || kernel == TCP_STATE_UNKNOWN || seen == kernel ||
        (seen == TCP_STATE_TIME_WAIT && kernel == TCP_STATE_CLOSED))
        return;
    ladder_settle(ladder, true);
    int lanes[2];
    ladder_flow_lanes(ladder, flow, lanes);
    buffer_clear(&ladder->text);
    buffer_printf(&ladder->text, "the kernel says %s", tcp_state_name(kernel));
    struct ladder_place place = {.lane = lanes[end], .timed = true, .time = event->time};
    ladder_draw_at(ladder, &place, STYLE_RED,
                   (struct trace_text){buffer_text(&ladder->text), ladder->text.length}, 1);
}

static void draw_check(struct ladder *ladder, const struct trace_check *check)
{
    static const char *const words[] = {
        [TRACE_PASSED] = "passed", [TRACE_FAILED] = "failed", [TRACE_NOT_JUDGED] = "not judged"};
    bool known = (size_t)check->verdict < sizeof words / sizeof words[0];
    bool passed = check->verdict == TRACE_PASSED;
    struct buffer *text = &ladder->text;
    ladder_settle(ladder, true);
    if (!ladder->has_checks)
        buffer_append_byte(ladder->out, '\n');
    ladder->has_checks = true;
    buffer_clear(text);
    buffer_append_text(text, known ? words[check->verdict] : "?");
    if (!passed && check->line != 0) {
        struct trace_text script = ladder_safe(ladder, check->script, 200);
        buffer_printf(text, " (%s:%u)", script.data, check->line);
    }
    buffer_append_text(text, ": ");
    append_safe(ladder, check->expectation);
    if (!passed && check->seen.length > 0) {
        buffer_append_text(text, "; seen: ");
        append_safe(ladder, check->seen);
    }
    if (!passed && check->packets.length > 0) {
        buffer_append_text(text, " [");
        append_safe(ladder, check->packets);
        buffer_append_byte(text, ']');
    }
    unsigned style = check->verdict == TRACE_FAILED ? STYLE_RED : STYLE_PLAIN;
    ladder_draw_plain(ladder, style, buffer_text(text), text->length);
}

static void append_duration(struct buffer *text, int64_t duration)
{
    if (duration < NANOSECONDS_PER_SECOND)
        buffer_printf(text, "%.1f ms", (double)duration / 1e6);
    else
        buffer_printf(text, "%.1f s", (double)duration / 1e9);
}

/* Takes a text's first line off it, without the newline. */
static struct trace_text take_line(struct trace_text *rest)
{
    const char *end = rest->length == 0 ? NULL : memchr(rest->data, '\n', rest->length);
    struct trace_text line = {rest->data, end == NULL ? rest->length : (size_t)(end - rest->data)};
    size_t taken = line.length + (end != NULL);
    *rest = taken == rest->length ? (struct trace_text){NULL, 0}
                                  : (struct trace_text){rest->data + taken, rest->length - taken};
    return line;
}

/* The last lines: how it ended, and how much there was. */
static void draw_end(struct ladder *ladder, const struct trace_end *end)
{
    static const char *const words[] = {
        [TRACE_DONE] = "Done",
        [TRACE_ROLE_FAILED] = "A role failed",
        [TRACE_DEADLOCK] = "Deadlock",
        [TRACE_TIMED_OUT] = "Timed out",
        [TRACE_INTERRUPTED] = "Interrupted",
        [TRACE_STOPPED] = "Stopped",
    };
    ladder_settle(ladder, true);
    struct buffer *text = &ladder->text;
    buffer_clear(text);
    bool good = end == NULL || end->outcome == TRACE_DONE;
    if (end != NULL && (size_t)end->outcome < sizeof words / sizeof words[0])
        buffer_printf(text, "%s: ", words[end->outcome]);
    buffer_printf(text, "%llu packet%s", (unsigned long long)ladder->packets,
                  ladder->packets == 1 ? "" : "s");
    if (ladder->has_time) {
        buffer_append_text(text, " in ");
        append_duration(text, view_time_between(ladder->origin, ladder->last_time));
    }
    if (ladder->dropped > 0)
        buffer_printf(text, "; %llu more were dropped by the capture",
                      (unsigned long long)ladder->dropped);
    buffer_append_byte(text, '.');
    unsigned style = good ? STYLE_BOLD : STYLE_RED;
    struct trace_text rest = {NULL, 0};
    if (end != NULL)
        rest = end->text;
    if (rest.length > 0)
        buffer_append_byte(text, ' ');
    buffer_append_byte(ladder->out, '\n');
    /* The sentence stands behind the numbers, each of its further lines on one of its own. */
    do {
        struct trace_text line = take_line(&rest);
        append_safe(ladder, line);
        ladder_draw_plain(ladder, style, buffer_text(text), text->length);
        buffer_clear(text);
        style &= ~(unsigned)STYLE_BOLD;
    } while (rest.length > 0);
}

static void ladder_add(struct view *view, const struct view_item *item)
{
    struct ladder *ladder = ladder_of(view);
    const struct trace_event *event = item->event;
    ladder->origin = item->origin;
    if (event->time > ladder->last_time)
        ladder->last_time = event->time;
    switch (event->kind) {
    case TRACE_EXCHANGE:
        draw_exchange(ladder, &event->exchange);
        break;
    case TRACE_ROLE:
        if (!ladder_add_role(ladder, &event->role))
            ladder->out->failed = true;
        break;
    case TRACE_CALL:
        ladder_enter(ladder, item);
        break;
    case TRACE_SYSCALL:
        ladder_try(ladder, item);
        break;
    case TRACE_RETURN:
        ladder_return(ladder, item);
        break;
    case TRACE_SOCKET:
        ladder_add_socket(ladder, &event->socket);
        break;
    case TRACE_STATE:
        compare_state(ladder, event);
        break;
    case TRACE_NOTE:
        draw_note(ladder, event);
        break;
    case TRACE_PACKET:
        ladder_packet(ladder, item);
        break;
    case TRACE_STATISTICS:
        ladder->dropped += event->statistics.dropped;
        break;
    case TRACE_CHECK:
        draw_check(ladder, &event->check);
        break;
    case TRACE_END:
        ladder->has_end = true;
        draw_end(ladder, &event->end);
        break;
    case TRACE_SCRIPT:
    case TRACE_INTERFACE:
    case TRACE_SECRETS:
        break;
    }
    if (ladder->failed)
        ladder->out->failed = true;
}

static void ladder_end(struct view *view, const struct error *damage)
{
    struct ladder *ladder = ladder_of(view);
    if (!ladder->has_end)
        draw_end(ladder, NULL);
    if (damage != NULL)
        ladder_draw_plain(ladder, STYLE_RED, damage->text, strlen(damage->text));
}

static void ladder_close(struct view *view)
{
    struct ladder *ladder = ladder_of(view);
    free(ladder->roles);
    free(ladder->calls);
    buffer_free(&ladder->line.bytes);
    buffer_free(&ladder->inside.bytes);
    buffer_free(&ladder->scratch);
    buffer_free(&ladder->text);
    free(ladder);
}

const struct view_type view_ladder = {
    .kind = VIEW_LADDER,
    .effort = PACKET_HEADERS,
    .open = ladder_open,
    .add = ladder_add,
    .end = ladder_end,
    .close = ladder_close,
};
