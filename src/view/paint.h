/*
 * paint.h - styled lines, for the views that put text into columns. For src/view only.
 *
 * A line knows its width on the screen, which escape sequences do not count in. Spaces are owed
 * until something follows them, so no line ends in one. Text must be safe already.
 */
#ifndef HANDLENS_VIEW_PAINT_H
#define HANDLENS_VIEW_PAINT_H

#include <stdbool.h>
#include <stddef.h>

#include "support/buffer.h"
#include "support/terminal.h"

/* A style is a colour (the terminal's own numbers; 0 for its default) and flags. */
enum {
    PAINT_PLAIN = 0,
    PAINT_RED = 1,
    PAINT_GREEN = 2,
    PAINT_YELLOW = 3,
    PAINT_BLUE = 4,
    PAINT_MAGENTA = 5,
    PAINT_CYAN = 6,
    PAINT_BOLD = 0x10,
    PAINT_DIM = 0x20,
};

struct paint_line {
    struct buffer bytes;
    size_t width;   /* columns, without the spaces that are owed */
    size_t column;  /* where the next text stands: at least width */
    unsigned style; /* of what was put last, still open */
    bool color;
};

/* Empties the line. color: styles are shown. */
void paint_begin(struct paint_line *line, bool color);

void paint_put(struct paint_line *line, unsigned style, const char *text, size_t length);
void paint_text(struct paint_line *line, unsigned style, const char *text);
void paint_printf(struct paint_line *line, unsigned style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Text that is cut, with "..." at its end, so that the line is at most columns wide. */
void paint_cut(struct paint_line *line, unsigned style, const char *text, size_t length,
               size_t columns);

/* What is put next stands at this column, or where the line has got to if that is further. */
void paint_to(struct paint_line *line, size_t column);

/* The glyph again and again, until the line is columns wide. */
void paint_fill(struct paint_line *line, unsigned style, const char *glyph, size_t columns);

/* Appends the line and a newline to out, and begins it anew. */
void paint_end(struct paint_line *line, struct buffer *out);

/* Puts what other holds at the end of line, styles and all. */
void paint_join(struct paint_line *line, struct paint_line *other);

void paint_free(struct paint_line *line);

/* Words in lines of a given width; what has no room below is left out. */
#define PAINT_ROWS 16

struct paint_block {
    struct paint_line rows[PAINT_ROWS];
    size_t count; /* rows in use, at least 1 */
    size_t room;  /* columns */
};

void paint_block_begin(struct paint_block *block, bool color, size_t room);
/* The text's words, broken between lines where they must be. */
void paint_block_words(struct paint_block *block, unsigned style, const char *text);
/* Begins a new row, unless the present one is empty. */
void paint_block_break(struct paint_block *block);
/* Whether so many more columns, and a space before them, fit into the present row. */
bool paint_block_fits(const struct paint_block *block, size_t columns);
void paint_block_free(struct paint_block *block);

#endif
