/*
 * line_widths.h - what must hold of every line of a view for people.
 */
#ifndef HANDLENS_TESTS_VIEW_LINE_WIDTHS_H
#define HANDLENS_TESTS_VIEW_LINE_WIDTHS_H

#include "support/terminal.h"
#include "unit/view/trace_maker.h"

/* How wide a line is on the screen, its colours left out. */
static inline size_t line_width(const char *line, size_t length)
{
    char plain[4096];
    size_t kept = 0;
    for (size_t i = 0; i < length; i++) {
        if (line[i] != '\033') {
            assert_true(kept < sizeof plain);
            plain[kept++] = line[i];
            continue;
        }
        while (i < length && line[i] != 'm')
            i++;
    }
    return terminal_width(plain, kept);
}

static inline void check_widths(const char *text, int columns, bool utf8)
{
    for (const char *line = text; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        if (line_width(line, length) > (size_t)columns)
            fail_msg("wider than %d: %.*s", columns, (int)length, line);
        if (length > 0 && line[length - 1] == ' ')
            fail_msg("ends in a space: %.*s", (int)length, line);
        for (size_t i = 0; i < length; i++) {
            unsigned char byte = (unsigned char)line[i];
            if ((byte >= 0x80 && !utf8) || (byte < 0x20 && byte != '\033') || byte == 0x7f)
                fail_msg("byte %02x in: %.*s", byte, (int)length, line);
        }
        line += length + (line[length] == '\n');
    }
}

#endif
