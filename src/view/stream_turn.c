#include "view/stream_turn.h"

#include <stdio.h>
#include <string.h>

#include "view/hexdump.h"

/* While a turn goes on, this much is gathered before rows are made of it. */
#define GATHER 4096

/* The longest UTF-8 character: nearer to the end of what came so far, one may be incomplete. */
#define CHARACTER 4

static unsigned style_of(const struct turn *turn)
{
    return turn->from == FLOW_CLIENT ? PAINT_CYAN : PAINT_GREEN;
}

/* The side's marker, which every line begins with. */
static void begin_line(struct turn *turn)
{
    bool utf8 = turn->options->terminal.utf8;
    const char *marker = turn->from == FLOW_CLIENT ? (utf8 ? "→" : ">") : (utf8 ? "←" : "<");
    paint_begin(&turn->line, turn->options->terminal.color);
    paint_text(&turn->line, style_of(turn) | PAINT_BOLD, marker);
    paint_to(&turn->line, 2);
}

static void end_line(struct turn *turn)
{
    paint_end(&turn->line, &turn->text);
}

/* Escapes all but quotes, which are no trouble here. Returns the bytes used. */
static size_t append_safe(struct buffer *row, const uint8_t *bytes, size_t length, size_t columns,
                          bool utf8)
{
    size_t used = 0;
    while (used < length) {
        const char *safe = buffer_text(row);
        size_t width = terminal_width(safe, row->length);
        if (width >= columns)
            break;
        if (bytes[used] == '"') {
            buffer_append_byte(row, '"');
            used++;
            continue;
        }
        const uint8_t *quote = memchr(bytes + used, '"', length - used);
        size_t run = quote == NULL ? length - used : (size_t)(quote - (bytes + used));
        size_t taken = terminal_append_escaped(row, bytes + used, run, columns - width, utf8);
        used += taken;
        if (taken < run)
            break;
    }
    return used;
}

/*
 * Makes rows of a line's bytes. is_whole: no more of it will come; else what might still grow is
 * left. has_feed: a line feed follows. Returns the bytes used.
 */
static size_t render_line(struct turn *turn, const uint8_t *bytes, size_t length, bool is_whole,
                          bool has_feed)
{
    const struct terminal *terminal = &turn->options->terminal;
    size_t room = (size_t)terminal->columns - 2;
    size_t done = 0;
    do {
        buffer_clear(&turn->row);
        size_t used = append_safe(&turn->row, bytes + done, length - done, room, terminal->utf8);
        if (!is_whole && length - done < used + CHARACTER)
            break;
        if (used == 0 && done < length)
            used = length - done; /* out of memory: the buffer remembers */
        done += used;
        begin_line(turn);
        const char *safe = buffer_text(&turn->row);
        paint_put(&turn->line, style_of(turn), safe, turn->row.length);
        if (has_feed && done == length && turn->line.column + 2 <= room + 2) {
            paint_text(&turn->line, PAINT_DIM, "\\n");
            has_feed = false;
        }
        end_line(turn);
    } while (done < length);
    if (has_feed && done == length) {
        begin_line(turn);
        paint_text(&turn->line, PAINT_DIM, "\\n");
        end_line(turn);
    }
    return done;
}

static size_t render_text(struct turn *turn, const uint8_t *bytes, size_t length, bool is_whole)
{
    size_t done = 0;
    while (done < length) {
        const uint8_t *feed = memchr(bytes + done, '\n', length - done);
        size_t line = feed == NULL ? length - done : (size_t)(feed - (bytes + done));
        size_t used = render_line(turn, bytes + done, line, is_whole || feed != NULL, feed != NULL);
        done += used;
        if (feed == NULL)
            break;
        done++;
    }
    return done;
}

static size_t render_hex(struct turn *turn, const uint8_t *bytes, size_t length, bool is_whole)
{
    const struct terminal *terminal = &turn->options->terminal;
    uint64_t base = turn->said[turn->from] + turn->missing[turn->from] - length;
    size_t left = 2 + 8 + 2;
    size_t per_row = hexdump_per_row(left, (size_t)terminal->columns);
    size_t done = 0;
    while (done < length && (is_whole || length - done >= per_row + CHARACTER)) {
        size_t count = length - done < per_row ? length - done : per_row;
        begin_line(turn);
        paint_printf(&turn->line, PAINT_DIM, "%08llx", (unsigned long long)(base + done));
        paint_to(&turn->line, left);
        hexdump_row(&turn->line, style_of(turn), bytes, length, done, count, per_row,
                    terminal->utf8);
        end_line(turn);
        done += count;
    }
    return done;
}

/* Makes lines of what has gathered. is_whole: all of it. */
static void render(struct turn *turn, bool is_whole)
{
    struct buffer *rest = &turn->rest;
    if (rest->length == 0)
        return;
    size_t used = turn->options->stream == STREAM_HEX
                      ? render_hex(turn, rest->data, rest->length, is_whole)
                      : render_text(turn, rest->data, rest->length, is_whole);
    if (used > 0 && used < rest->length)
        memmove(rest->data, rest->data + used, rest->length - used);
    rest->length -= used;
}

/* The line above a turn. */
static void write_head(struct turn *turn)
{
    struct paint_line *line = &turn->line;
    size_t columns = (size_t)turn->options->terminal.columns;
    const char *who = turn->names[turn->from];
    const char *whom = turn->names[turn->from == FLOW_CLIENT ? FLOW_SERVER : FLOW_CLIENT];
    char size[128];
    if (turn->is_long)
        snprintf(size, sizeof size, "more than %u bytes, from packet %llu on", TURN_LIMIT,
                 (unsigned long long)turn->first);
    else if (turn->first == turn->last)
        snprintf(size, sizeof size, "%llu byte%s, packet %llu", (unsigned long long)turn->bytes,
                 turn->bytes == 1 ? "" : "s", (unsigned long long)turn->first);
    else
        snprintf(size, sizeof size, "%llu bytes, packets %llu to %llu",
                 (unsigned long long)turn->bytes, (unsigned long long)turn->first,
                 (unsigned long long)turn->last);
    if (turn->any)
        buffer_append_byte(turn->out, '\n');
    turn->any = true;
    paint_begin(line, turn->options->terminal.color);
    paint_cut(line, style_of(turn) | PAINT_BOLD, who, strlen(who), columns / 4);
    paint_to(line, line->column + 1);
    paint_text(line, PAINT_BOLD, turn->options->terminal.utf8 ? "→" : "->");
    paint_to(line, line->column + 1);
    paint_cut(line, PAINT_BOLD, whom, strlen(whom), columns / 2);
    paint_to(line, line->column + 2);
    paint_cut(line, PAINT_DIM, size, strlen(size), columns);
    paint_end(line, turn->out);
}

static void write_lines(struct turn *turn)
{
    buffer_append(turn->out, turn->text.data, turn->text.length);
    if (turn->text.failed || turn->rest.failed || turn->row.failed)
        turn->out->failed = true;
    buffer_clear(&turn->text);
}

static void add_gap(struct turn *turn, size_t length)
{
    render(turn, true);
    begin_line(turn);
    paint_printf(&turn->line, PAINT_RED, "[%zu byte%s missing]", length, length == 1 ? "" : "s");
    end_line(turn);
    turn->missing[turn->from] += length;
}

void turn_add(struct turn *turn, enum flow_end from, const uint8_t *bytes, size_t length,
              uint64_t number)
{
    if (turn->options->stream == STREAM_RAW) {
        if (bytes != NULL)
            buffer_append(turn->out, bytes, length);
        return;
    }
    if (turn->is_open && turn->from != from)
        turn_end(turn);
    if (!turn->is_open) {
        turn->is_open = true;
        turn->is_long = false;
        turn->from = from;
        turn->bytes = 0;
        turn->first = turn->last = number;
    }
    if (number < turn->first)
        turn->first = number;
    if (number > turn->last)
        turn->last = number;
    if (bytes == NULL) {
        add_gap(turn, length);
    } else {
        turn->bytes += length;
        turn->said[from] += length;
        buffer_append(&turn->rest, bytes, length);
        if (turn->rest.length >= GATHER)
            render(turn, false);
    }
    if (!turn->is_long && turn->bytes > TURN_LIMIT) {
        turn->is_long = true;
        write_head(turn);
    }
    if (turn->is_long)
        write_lines(turn);
}

void turn_end(struct turn *turn)
{
    if (!turn->is_open)
        return;
    render(turn, true);
    if (!turn->is_long)
        write_head(turn);
    write_lines(turn);
    turn->is_open = false;
    if (!turn->is_long)
        return;
    paint_begin(&turn->line, turn->options->terminal.color);
    paint_printf(&turn->line, PAINT_DIM, "(%llu bytes, packets %llu to %llu)",
                 (unsigned long long)turn->bytes, (unsigned long long)turn->first,
                 (unsigned long long)turn->last);
    paint_end(&turn->line, turn->out);
}

void turn_free(struct turn *turn)
{
    buffer_free(&turn->rest);
    buffer_free(&turn->text);
    buffer_free(&turn->row);
    paint_free(&turn->line);
}
