/* Arrows of the ladder: across the inner room, or between two lanes of one side. */
#include "view/ladder_arrow.h"

#include <stdio.h>
#include <string.h>

void arrow_end_piece(struct ladder *ladder, struct arrow_pieces *pieces, unsigned style)
{
    size_t length = ladder->text.length - pieces->start;
    if (length > 0 && pieces->count < sizeof pieces->at / sizeof pieces->at[0]) {
        pieces->at[pieces->count].start = pieces->start;
        pieces->at[pieces->count].length = length;
        pieces->at[pieces->count++].style = style;
    }
    pieces->start = ladder->text.length;
}

void arrow_start(struct ladder *ladder, struct arrow_pieces *pieces)
{
    *pieces = (struct arrow_pieces){0};
    buffer_clear(&ladder->text);
}

void arrow_add_text(struct ladder *ladder, struct arrow_pieces *pieces, unsigned style,
                    const char *text)
{
    buffer_append_text(&ladder->text, text);
    arrow_end_piece(ladder, pieces, style);
}

static struct ladder_line arrow_line(const struct ladder *ladder, const struct arrow *arrow)
{
    struct ladder_line line = LADDER_LINE;
    line.timed = true;
    line.time = arrow->time;
    line.from = arrow->from;
    line.to = arrow->to;
    line.arrow_style = arrow->style;
    line.left = arrow->left;
    line.right = arrow->right;
    line.left_style = ladder->lanes[arrow->from < arrow->to ? arrow->from : arrow->to].style;
    line.right_style = ladder->lanes[arrow->from < arrow->to ? arrow->to : arrow->from].style;
    line.left_style |= STYLE_BOLD;
    line.right_style |= STYLE_BOLD;
    return line;
}

/* How many columns the piece takes with its space before. */
static size_t piece_width(struct ladder *ladder, const struct arrow_pieces *pieces, size_t i,
                          bool first)
{
    const char *text = buffer_text(&ladder->text);
    size_t width = terminal_width(text + pieces->at[i].start, pieces->at[i].length);
    return width + (first ? 0 : 2);
}

/* Puts pieces from *next on while they fit; the first is cut rather than left. */
void arrow_put_pieces(struct ladder *ladder, const struct arrow_pieces *pieces, size_t *next,
                      size_t room)
{
    size_t used = 0;
    bool first = true;
    while (*next < pieces->count) {
        size_t width = piece_width(ladder, pieces, *next, first);
        if (!first && used + width > room)
            return;
        if (!first)
            ladder_put(ladder, &ladder->inside, STYLE_PLAIN, "  ", 2);
        const char *text = buffer_text(&ladder->text) + pieces->at[*next].start;
        ladder_put_cut(ladder, &ladder->inside, pieces->at[*next].style, text,
                       pieces->at[*next].length, room - used);
        used += width;
        first = false;
        (*next)++;
    }
}

/* Lines below an arrow for the pieces from next on. */
void arrow_draw_rest(struct ladder *ladder, const struct arrow_pieces *pieces, size_t next)
{
    while (next < pieces->count) {
        ladder_fill(ladder, &ladder->inside, STYLE_PLAIN, " ", 4);
        arrow_put_pieces(ladder, pieces, &next, (size_t)ladder->inner - 5);
        ladder_draw(ladder, &(struct ladder_line)LADDER_LINE);
    }
}

/* An arrow over the whole inner room. */
static void draw_across(struct ladder *ladder, const struct arrow *arrow,
                        const struct arrow_pieces *pieces)
{
    const struct ladder_glyphs *glyphs = ladder->glyphs;
    struct ladder_text *inside = &ladder->inside;
    size_t inner = (size_t)ladder->inner;
    bool rightwards = arrow->from < arrow->to;
    bool left_head = !rightwards && arrow->to == ladder->left_count - 1;
    bool right_head = rightwards && arrow->to == ladder->left_count;
    char number[24];
    size_t number_width =
        (size_t)snprintf(number, sizeof number, "%llu", (unsigned long long)arrow->number);
    size_t tail = number_width + 4; /* " 12 ─▶" */
    const char *start = left_head ? glyphs->head_left : glyphs->dash;
    ladder_put(ladder, inside, arrow->style, start, strlen(start));
    ladder_fill(ladder, inside, arrow->style, glyphs->dash, 3);
    ladder_put(ladder, inside, STYLE_PLAIN, " ", 1);
    size_t next = 0;
    arrow_put_pieces(ladder, pieces, &next, inner - 4 - tail - 3);
    ladder_put(ladder, inside, STYLE_PLAIN, " ", 1);
    ladder_fill(ladder, inside, arrow->style, glyphs->dash, inner - tail);
    ladder_put(ladder, inside, STYLE_PLAIN, " ", 1);
    ladder_put(ladder, inside, STYLE_DIM, number, number_width);
    ladder_put(ladder, inside, STYLE_PLAIN, " ", 1);
    ladder_fill(ladder, inside, arrow->style, glyphs->dash, inner - 1);
    const char *end = right_head ? glyphs->head_right : glyphs->dash;
    ladder_put(ladder, inside, arrow->style, end, strlen(end));
    struct ladder_line line = arrow_line(ladder, arrow);
    ladder_draw(ladder, &line);
    arrow_draw_rest(ladder, pieces, next);
}

/* An arrow between two lanes of one side: what it says stands beside them. */
static void draw_beside(struct ladder *ladder, const struct arrow *arrow,
                        const struct arrow_pieces *pieces)
{
    ladder_fill(ladder, &ladder->inside, STYLE_PLAIN, " ", 2);
    size_t next = 0;
    arrow_put_pieces(ladder, pieces, &next, (size_t)ladder->inner - 14);
    char number[24];
    snprintf(number, sizeof number, "  %llu", (unsigned long long)arrow->number);
    ladder_put(ladder, &ladder->inside, STYLE_DIM, number, strlen(number));
    struct ladder_line line = arrow_line(ladder, arrow);
    ladder_draw(ladder, &line);
    arrow_draw_rest(ladder, pieces, next);
}

void arrow_draw(struct ladder *ladder, const struct arrow *arrow, const struct arrow_pieces *pieces)
{
    if (ladder->lanes[arrow->from].right == ladder->lanes[arrow->to].right)
        draw_beside(ladder, arrow, pieces);
    else
        draw_across(ladder, arrow, pieces);
}
