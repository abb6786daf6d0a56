/*
 * hexdump.h - rows of bytes with their text beside them. For src/view only.
 *
 *     48 65 6c 6c 6f 20 e4 bd a0                       Hello 你
 *
 * A byte takes one column of the text, a character of several bytes the columns of its bytes, so
 * that text and bytes stay in step. It stands at its first byte; if a row's end leaves no room
 * there, then at the beginning of the next row. What cannot be shown is a dot.
 */
#ifndef HANDLENS_VIEW_HEXDUMP_H
#define HANDLENS_VIEW_HEXDUMP_H

#include <stddef.h>
#include <stdint.h>

#include "view/paint.h"

/* How many bytes a row holds that begins at column left and ends before columns: 16, 8 or 4. */
size_t hexdump_per_row(size_t left, size_t columns);

/*
 * Puts the row of bytes [at, at + count) onto the line; all bytes that belong together are given,
 * since a character may reach from one row into another.
 */
void hexdump_row(struct paint_line *line, unsigned style, const uint8_t *bytes, size_t length,
                 size_t at, size_t count, size_t per_row, bool utf8);

#endif
