/* Text and lines of the ladder: styles, cutting, wrapping, and lanes with arrows across them. */
#include <stdio.h>
#include <string.h>

#include "support/clock.h"
#include "view/ladder.h"
#include "view/safe_text.h"

/* A pause that is worth a line of its own. */
#define NOTABLE_PAUSE (100 * NANOSECONDS_PER_MILLISECOND)

void ladder_text_clear(struct ladder_text *text)
{
    buffer_clear(&text->bytes);
    text->width = 0;
}

static void start_style(struct ladder *ladder, struct ladder_text *text, unsigned style)
{
    if (!ladder->options->terminal.color || style == STYLE_PLAIN)
        return;
    buffer_append_text(&text->bytes, "\033[");
    const char *separator = "";
    if ((style & STYLE_BOLD) != 0) {
        buffer_append_text(&text->bytes, "1");
        separator = ";";
    }
    if ((style & STYLE_DIM) != 0) {
        buffer_printf(&text->bytes, "%s2", separator);
        separator = ";";
    }
    if ((style & 7) != 0)
        buffer_printf(&text->bytes, "%s%u", separator, 30 + (style & 7));
    buffer_append_byte(&text->bytes, 'm');
}

static void end_style(struct ladder *ladder, struct ladder_text *text, unsigned style)
{
    if (ladder->options->terminal.color && style != STYLE_PLAIN)
        buffer_append_text(&text->bytes, "\033[0m");
}

void ladder_put(struct ladder *ladder, struct ladder_text *text, unsigned style, const char *bytes,
                size_t length)
{
    if (length == 0)
        return;
    start_style(ladder, text, style);
    buffer_append(&text->bytes, bytes, length);
    end_style(ladder, text, style);
    text->width += terminal_width(bytes, length);
}

void ladder_put_cut(struct ladder *ladder, struct ladder_text *text, unsigned style,
                    const char *bytes, size_t length, size_t columns)
{
    if (terminal_width(bytes, length) <= columns) {
        ladder_put(ladder, text, style, bytes, length);
        return;
    }
    const char *ellipsis = ladder->glyphs->ellipsis;
    size_t ellipsis_width = terminal_width(ellipsis, strlen(ellipsis));
    if (columns < ellipsis_width)
        return;
    ladder_put(ladder, text, style, bytes, terminal_fit(bytes, length, columns - ellipsis_width));
    ladder_put(ladder, text, style, ellipsis, strlen(ellipsis));
}

void ladder_append_cut(struct ladder *ladder, struct buffer *buffer, const char *bytes,
                       size_t length, size_t columns)
{
    const char *ellipsis = ladder->glyphs->ellipsis;
    size_t ellipsis_width = terminal_width(ellipsis, strlen(ellipsis));
    if (terminal_width(bytes, length) <= columns) {
        buffer_append(buffer, bytes, length);
    } else if (columns >= ellipsis_width) {
        buffer_append(buffer, bytes, terminal_fit(bytes, length, columns - ellipsis_width));
        buffer_append_text(buffer, ellipsis);
    }
}

void ladder_fill(struct ladder *ladder, struct ladder_text *text, unsigned style, const char *glyph,
                 size_t columns)
{
    if (text->width >= columns)
        return;
    size_t length = strlen(glyph);
    start_style(ladder, text, style);
    for (; text->width < columns; text->width++)
        buffer_append(&text->bytes, glyph, length);
    end_style(ladder, text, style);
}

struct trace_text ladder_safe(struct ladder *ladder, struct trace_text text, size_t columns)
{
    buffer_clear(&ladder->scratch);
    safe_text_append(&ladder->scratch, text.data, text.length, columns,
                     ladder->options->terminal.utf8);
    const char *safe = buffer_text(&ladder->scratch);
    return (struct trace_text){.data = safe, .length = ladder->scratch.length};
}

size_t ladder_wrap(const char *text, size_t length, size_t columns)
{
    size_t fits = terminal_fit(text, length, columns);
    if (fits == length)
        return length;
    if (fits == 0) /* a character wider than the room: never stand still */
        return terminal_fit(text, length, 2) > 0 ? terminal_fit(text, length, 2) : 1;
    for (size_t at = fits; at > fits / 2; at--)
        if (text[at] == ' ')
            return at;
    return fits;
}

/* The lane's bar or what stands in its place. passed: an arrow goes across. */
static void draw_lane(struct ladder *ladder, const struct ladder_line *line, int number,
                      bool passed)
{
    const struct ladder_glyphs *glyphs = ladder->glyphs;
    const struct ladder_lane *lane = &ladder->lanes[number];
    const char *glyph = lane->calls > 0 ? glyphs->heavy : glyphs->light;
    if (number == line->lane && line->mark != NULL)
        glyph = line->mark;
    else if (passed)
        glyph = lane->calls > 0 ? glyphs->cross_heavy : glyphs->cross_light;
    ladder_put(ladder, &ladder->line, lane->style, glyph, strlen(glyph));
}

/* The column between two lanes of one side. */
static void draw_gap(struct ladder *ladder, const struct ladder_line *line, int left_lane)
{
    int low = line->from < line->to ? line->from : line->to;
    int high = line->from < line->to ? line->to : line->from;
    const char *glyph = " ";
    if (low >= 0 && left_lane >= low && left_lane < high) {
        bool at_head = line->to == high ? left_lane + 1 == high : left_lane == low;
        glyph = !at_head           ? ladder->glyphs->dash
                : line->to == high ? ladder->glyphs->head_right
                                   : ladder->glyphs->head_left;
    }
    ladder_put(ladder, &ladder->line, line->arrow_style, glyph, strlen(glyph));
}

static void draw_side(struct ladder *ladder, const struct ladder_line *line, int first, int end)
{
    int low = line->from < line->to ? line->from : line->to;
    int high = line->from < line->to ? line->to : line->from;
    for (int i = first; i < end; i++) {
        draw_lane(ladder, line, i, low >= 0 && i > low && i < high);
        if (i + 1 < end)
            draw_gap(ladder, line, i);
    }
}

static void draw_time(struct ladder *ladder, const struct ladder_line *line)
{
    if (ladder->time_width == 0)
        return;
    if (line->timed) {
        char text[32];
        double ms = (double)view_time_between(ladder->origin, line->time) / 1e6;
        if (ms < 1e6)
            snprintf(text, sizeof text, "%10.3f", ms);
        else
            snprintf(text, sizeof text, "%9.1fs", ms / 1e3);
        ladder_put_cut(ladder, &ladder->line, STYLE_DIM, text, strlen(text),
                       (size_t)ladder->time_width);
    }
    ladder_fill(ladder, &ladder->line, STYLE_PLAIN, " ", (size_t)ladder->time_width);
}

void ladder_draw(struct ladder *ladder, const struct ladder_line *line)
{
    ladder_lay_out(ladder);
    struct ladder_text *text = &ladder->line;
    ladder_text_clear(text);
    draw_time(ladder, line);
    size_t lanes_at = (size_t)(ladder->time_width + ladder->left_gutter);
    if (line->left != NULL) {
        /* SYN-RECEIVED, which only a simultaneous open brings here, takes the space as well. */
        size_t width = terminal_width(line->left, strlen(line->left));
        size_t room = (size_t)ladder->left_gutter - (width < (size_t)ladder->left_gutter ? 1 : 0);
        if (width < room)
            ladder_fill(ladder, text, STYLE_PLAIN, " ", lanes_at - 1 - width);
        ladder_put_cut(ladder, text, line->left_style, line->left, strlen(line->left), room);
    }
    ladder_fill(ladder, text, STYLE_PLAIN, " ", lanes_at);
    draw_side(ladder, line, 0, ladder->left_count);
    buffer_append(&text->bytes, ladder->inside.bytes.data, ladder->inside.bytes.length);
    text->width += ladder->inside.width;
    ladder_fill(ladder, text, STYLE_PLAIN, " ", (size_t)(ladder->inner_column + ladder->inner));
    draw_side(ladder, line, ladder->left_count, ladder->lane_count);
    if (line->right != NULL && line->right[0] != '\0') {
        ladder_put(ladder, text, STYLE_PLAIN, " ", 1);
        ladder_put_cut(ladder, text, line->right_style, line->right, strlen(line->right),
                       (size_t)ladder->right_gutter - 1);
    }
    buffer_append_byte(&text->bytes, '\n');
    buffer_append(ladder->out, text->bytes.data, text->bytes.length);
    ladder_text_clear(&ladder->inside);
}

/* "12", "12 LISTEN": what stands in the gutter beside a call. */
static void make_gutter(const struct ladder *ladder, const struct ladder_place *place,
                        char gutter[64])
{
    bool right = ladder->lanes[place->lane].right;
    char number[16] = "";
    char state[32] = "";
    if (place->line != 0)
        snprintf(number, sizeof number, "%u", place->line);
    if (place->state != NULL && !ladder->narrow)
        snprintf(state, sizeof state, "%s", place->state);
    const char *space = state[0] != '\0' && number[0] != '\0' ? " " : "";
    snprintf(gutter, 64, "%s%s%s", right ? number : state, space, right ? state : number);
}

struct trace_text ladder_skip(struct trace_text text, size_t used)
{
    while (used < text.length && text.data[used] == ' ')
        used++;
    return (struct trace_text){text.data + used, text.length - used};
}

void ladder_draw_at(struct ladder *ladder, const struct ladder_place *place, unsigned style,
                    struct trace_text text, int rows)
{
    ladder_lay_out(ladder);
    bool right = place->lane >= 0 && ladder->lanes[place->lane].right;
    size_t room = (size_t)ladder->inner - 2;
    char gutter[64] = "";
    if (place->lane >= 0)
        make_gutter(ladder, place, gutter);
    for (int row = 0; row < rows && (row == 0 || text.length > 0); row++) {
        size_t fits = row + 1 < rows ? ladder_wrap(text.data, text.length, room) : text.length;
        size_t width = terminal_width(text.data, fits);
        size_t start = right && width < room ? room - width + 1 : 1;
        bool last = fits == text.length;
        struct ladder_line line = LADDER_LINE;
        line.lane = place->lane;
        if (place->mark_last ? last : row == 0)
            line.mark = place->mark;
        if (row == 0) {
            line.timed = place->timed;
            line.time = place->time;
            *(right ? &line.right : &line.left) = gutter;
            line.left_style = line.right_style = STYLE_DIM;
        }
        ladder_fill(ladder, &ladder->inside, STYLE_PLAIN, " ", start);
        ladder_put_cut(ladder, &ladder->inside, style, text.data, fits, room);
        ladder_draw(ladder, &line);
        text = ladder_skip(text, fits);
    }
}

void ladder_draw_plain(struct ladder *ladder, unsigned style, const char *text, size_t length)
{
    struct ladder_text *line = &ladder->line;
    size_t columns = (size_t)ladder->options->terminal.columns;
    do {
        size_t fits = ladder_wrap(text, length, columns);
        size_t shown = fits;
        while (shown > 0 && text[shown - 1] == ' ')
            shown--;
        ladder_text_clear(line);
        ladder_put(ladder, line, style, text, shown);
        buffer_append_byte(&line->bytes, '\n');
        buffer_append(ladder->out, line->bytes.data, line->bytes.length);
        struct trace_text rest = ladder_skip((struct trace_text){text, length}, fits);
        text = rest.data;
        length = rest.length;
    } while (length > 0);
}

void ladder_note_time(struct ladder *ladder, int64_t time)
{
    if (!ladder->has_time) {
        ladder->has_time = true;
        ladder->shown_time = time;
    }
    int64_t pause = view_time_between(ladder->shown_time, time);
    if (time > ladder->shown_time)
        ladder->shown_time = time;
    if (pause < NOTABLE_PAUSE)
        return;
    char text[64];
    if (pause < NANOSECONDS_PER_SECOND)
        snprintf(text, sizeof text, "%d ms later", (int)(pause / NANOSECONDS_PER_MILLISECOND));
    else
        snprintf(text, sizeof text, "%.1f s later", (double)pause / 1e9);
    ladder_lay_out(ladder);
    size_t width = strlen(text);
    size_t room = (size_t)ladder->inner;
    ladder_fill(ladder, &ladder->inside, STYLE_PLAIN, " ", width < room ? (room - width) / 2 : 0);
    ladder_put_cut(ladder, &ladder->inside, STYLE_DIM, text, width, room);
    ladder_draw(ladder, &(struct ladder_line)LADDER_LINE);
}
