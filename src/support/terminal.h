/*
 * terminal.h - text for people: what the terminal can show, how wide text is, and how text from
 * outside is made safe to print.
 */
#ifndef HANDLENS_SUPPORT_TERMINAL_H
#define HANDLENS_SUPPORT_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/buffer.h"

enum color_choice { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct terminal {
    int columns; /* at least 40; 80 where the output is no terminal and COLUMNS is not set */
    bool color;
    bool utf8; /* the locale's encoding is UTF-8: box drawing and wide characters may be used */
    bool interactive; /* the output is a terminal */
};

/*
 * Asks what descriptor fd can show: isatty, TIOCGWINSZ or COLUMNS, NO_COLOR (set and not empty)
 * and TERM=dumb under COLOR_AUTO, nl_langinfo(CODESET) (setlocale has been called by main).
 */
struct terminal terminal_of(int fd, enum color_choice choice);

/* How many columns UTF-8 text takes; a byte that is not UTF-8 counts as one. No tabs, no escapes.
 */
size_t terminal_width(const char *text, size_t length);

/*
 * The longest start of the text that fits into columns, in bytes; never splits a character or
 * parts it from its combining marks.
 */
size_t terminal_fit(const char *text, size_t length, size_t columns);

/*
 * Appends outside bytes as safe text: valid printable UTF-8 as it is; \n \r \t \\ and \" escaped
 * as in C; every other control character, direction override or invalid byte as \xNN. With
 * utf8 false everything beyond ASCII is escaped too. Stops before the text would be wider than
 * columns (0: no limit). Returns how many of the bytes were used.
 */
size_t terminal_append_escaped(struct buffer *buffer, const void *bytes, size_t length,
                               size_t columns, bool utf8);

/*
 * Appends text that a person is to read on a line of its own: as terminal_append_escaped, but
 * tabs, quotes and backslashes stay as they are.
 */
void terminal_append_printable(struct buffer *buffer, const char *text, size_t length, bool utf8);

/* Appends text with U+FFFD in the place of every byte that is not UTF-8: for formats that must be
 * UTF-8 and have escapes of their own. */
void terminal_append_repaired(struct buffer *buffer, const char *text, size_t length);

#endif
