#include "view/paint.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void set_style(struct paint_line *line, unsigned style)
{
    if (!line->color || line->style == style)
        return;
    buffer_append_text(&line->bytes, "\033[0");
    if ((style & PAINT_BOLD) != 0)
        buffer_append_text(&line->bytes, ";1");
    if ((style & PAINT_DIM) != 0)
        buffer_append_text(&line->bytes, ";2");
    if ((style & 7) != 0)
        buffer_printf(&line->bytes, ";%u", 30 + (style & 7));
    buffer_append_byte(&line->bytes, 'm');
    line->style = style;
}

/* No style shows on a space. */
static void pay_spaces(struct paint_line *line)
{
    if (line->column > line->width) {
        buffer_append_repeated(&line->bytes, ' ', line->column - line->width);
        line->width = line->column;
    }
}

void paint_begin(struct paint_line *line, bool color)
{
    buffer_clear(&line->bytes);
    line->width = 0;
    line->column = 0;
    line->style = PAINT_PLAIN;
    line->color = color;
}

void paint_put(struct paint_line *line, unsigned style, const char *text, size_t length)
{
    while (length > 0 && text[0] == ' ') {
        line->column++;
        text++;
        length--;
    }
    size_t spaces = 0;
    while (length > 0 && text[length - 1] == ' ') {
        spaces++;
        length--;
    }
    if (length > 0) {
        pay_spaces(line);
        set_style(line, style);
        buffer_append(&line->bytes, text, length);
        line->width += terminal_width(text, length);
        line->column = line->width;
    }
    line->column += spaces;
}

void paint_text(struct paint_line *line, unsigned style, const char *text)
{
    paint_put(line, style, text, strlen(text));
}

void paint_printf(struct paint_line *line, unsigned style, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length > 0)
        paint_text(line, style, text);
}

void paint_cut(struct paint_line *line, unsigned style, const char *text, size_t length,
               size_t columns)
{
    size_t room = columns > line->column ? columns - line->column : 0;
    if (terminal_width(text, length) <= room) {
        paint_put(line, style, text, length);
        return;
    }
    if (room < 3)
        return;
    paint_put(line, style, text, terminal_fit(text, length, room - 3));
    paint_text(line, style, "...");
}

void paint_to(struct paint_line *line, size_t column)
{
    if (column > line->column)
        line->column = column;
}

void paint_fill(struct paint_line *line, unsigned style, const char *glyph, size_t columns)
{
    if (line->column >= columns)
        return;
    pay_spaces(line);
    set_style(line, style);
    for (; line->width < columns; line->width++)
        buffer_append_text(&line->bytes, glyph);
    line->column = line->width;
}

void paint_end(struct paint_line *line, struct buffer *out)
{
    set_style(line, PAINT_PLAIN);
    buffer_append(out, line->bytes.data, line->bytes.length);
    buffer_append_byte(out, '\n');
    out->failed = out->failed || line->bytes.failed;
    paint_begin(line, line->color);
}

void paint_join(struct paint_line *line, struct paint_line *other)
{
    if (other->width == 0)
        return;
    set_style(other, PAINT_PLAIN);
    pay_spaces(line);
    set_style(line, PAINT_PLAIN);
    buffer_append(&line->bytes, other->bytes.data, other->bytes.length);
    line->width += other->width;
    line->column = line->width;
}

void paint_free(struct paint_line *line)
{
    buffer_free(&line->bytes);
}

void paint_block_begin(struct paint_block *block, bool color, size_t room)
{
    block->count = 1;
    block->room = room;
    for (size_t i = 0; i < PAINT_ROWS; i++)
        paint_begin(&block->rows[i], color);
}

bool paint_block_fits(const struct paint_block *block, size_t columns)
{
    const struct paint_line *row = &block->rows[block->count - 1];
    return row->width + (row->width > 0) + columns <= block->room;
}

void paint_block_break(struct paint_block *block)
{
    if (block->rows[block->count - 1].width > 0 && block->count < PAINT_ROWS)
        block->count++;
}

static void put_word(struct paint_block *block, unsigned style, const char *word, size_t length)
{
    size_t width = terminal_width(word, length);
    if (!paint_block_fits(block, width))
        paint_block_break(block);
    while (length > 0) {
        struct paint_line *row = &block->rows[block->count - 1];
        if (row->width > 0)
            paint_to(row, row->width + 1);
        size_t room = block->room > row->column ? block->room - row->column : 0;
        size_t fits = terminal_fit(word, length, room);
        if (fits == 0)
            return;
        paint_put(row, style, word, fits);
        word += fits;
        length -= fits;
        if (length > 0)
            paint_block_break(block);
    }
}

void paint_block_words(struct paint_block *block, unsigned style, const char *text)
{
    while (*text != '\0') {
        size_t length = strcspn(text, " ");
        put_word(block, style, text, length);
        text += length;
        text += strspn(text, " ");
    }
}

void paint_block_free(struct paint_block *block)
{
    for (size_t i = 0; i < PAINT_ROWS; i++)
        paint_free(&block->rows[i]);
}
