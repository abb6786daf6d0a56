#include "support/terminal.h"

#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utf8proc.h>

static int columns_of(int fd)
{
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col < 40 ? 40 : size.ws_col;
    const char *columns = getenv("COLUMNS");
    long given = columns == NULL ? 0 : strtol(columns, NULL, 10);
    return given >= 40 && given <= 1000 ? (int)given : 80;
}

struct terminal terminal_of(int fd, enum color_choice choice)
{
    struct terminal terminal = {.columns = columns_of(fd), .interactive = isatty(fd) == 1};
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    bool plain = (no_color != NULL && no_color[0] != '\0') || term == NULL ||
                 strcmp(term, "dumb") == 0 || !terminal.interactive;
    terminal.color = choice == COLOR_ALWAYS || (choice == COLOR_AUTO && !plain);
    terminal.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    return terminal;
}

/* One character: its bytes and columns. An invalid byte is one byte and one column. */
static size_t next_character(const char *text, size_t length, int32_t *code, size_t *columns)
{
    if (text[0] >= 0x20 && text[0] < 0x7f) { /* nearly all there is; the library is slow at it */
        *code = (unsigned char)text[0];
        *columns = 1;
        return 1;
    }
    utf8proc_int32_t point = -1;
    utf8proc_ssize_t size =
        utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)length, &point);
    if (size <= 0 || point < 0) {
        *code = -1;
        *columns = 1;
        return 1;
    }
    *code = point;
    *columns = (size_t)utf8proc_charwidth(point);
    return (size_t)size;
}

size_t terminal_width(const char *text, size_t length)
{
    size_t width = 0;
    for (size_t at = 0; at < length;) {
        int32_t code;
        size_t columns;
        at += next_character(text + at, length - at, &code, &columns);
        width += columns;
    }
    return width;
}

size_t terminal_fit(const char *text, size_t length, size_t columns)
{
    size_t at = 0;
    size_t width = 0;
    while (at < length) {
        int32_t code;
        size_t wide;
        size_t size = next_character(text + at, length - at, &code, &wide);
        if (width + wide > columns)
            break;
        width += wide;
        at += size;
    }
    return at;
}

static bool is_printable(int32_t code, bool utf8)
{
    if (code < 0x80)
        return code >= 0x20 && code < 0x7f;
    if (!utf8)
        return false;
    switch (utf8proc_category(code)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return false;
    default:
        return true;
    }
}

/* Writes the escaped form of a character's bytes to out. Returns its length, which is its width. */
static size_t escape(char *out, size_t room, const uint8_t *bytes, size_t size, int32_t code)
{
    const char *plain = code == '\n'   ? "\\n"
                        : code == '\r' ? "\\r"
                        : code == '\t' ? "\\t"
                        : code == '\\' ? "\\\\"
                        : code == '"'  ? "\\\""
                                       : NULL;
    if (plain != NULL)
        return (size_t)snprintf(out, room, "%s", plain);
    size_t length = 0;
    for (size_t i = 0; i < size; i++)
        length += (size_t)snprintf(out + length, room - length, "\\x%02x", bytes[i]);
    return length;
}

/* How many of the bytes, from the first, are ASCII that stands for itself in quotes. */
static size_t plain_run(const char *text, size_t length)
{
    size_t run = 0;
    while (run < length && text[run] >= ' ' && text[run] < 0x7f && text[run] != '"' &&
           text[run] != '\\')
        run++;
    return run;
}

size_t terminal_append_escaped(struct buffer *buffer, const void *bytes, size_t length,
                               size_t columns, bool utf8)
{
    const char *text = bytes;
    size_t at = 0;
    size_t width = 0;
    while (at < length) {
        int32_t code;
        size_t wide;
        char escaped[24];
        size_t run = plain_run(text + at, length - at);
        if (columns != 0 && run > columns - width)
            run = columns - width;
        buffer_append(buffer, text + at, run);
        width += run;
        at += run;
        if (at == length)
            break;
        size_t size = next_character(text + at, length - at, &code, &wide);
        bool plain = code != '\\' && code != '"' && code >= 0 && is_printable(code, utf8);
        if (!plain)
            wide = escape(escaped, sizeof escaped, (const uint8_t *)text + at, size, code);
        if (columns != 0 && width + wide > columns)
            break;
        if (plain)
            buffer_append(buffer, text + at, size);
        else
            buffer_append(buffer, escaped, wide);
        width += wide;
        at += size;
    }
    return at;
}

void terminal_append_printable(struct buffer *buffer, const char *text, size_t length, bool utf8)
{
    for (size_t at = 0; at < length;) {
        int32_t code;
        size_t wide;
        char escaped[24];
        size_t size = next_character(text + at, length - at, &code, &wide);
        if (code == '\t' || (code >= 0 && is_printable(code, utf8)))
            buffer_append(buffer, text + at, size);
        else
            buffer_append(buffer, escaped,
                          escape(escaped, sizeof escaped, (const uint8_t *)text + at, size, code));
        at += size;
    }
}

void terminal_append_repaired(struct buffer *buffer, const char *text, size_t length)
{
    for (size_t at = 0; at < length;) {
        int32_t code;
        size_t wide;
        size_t size = next_character(text + at, length - at, &code, &wide);
        if (code >= 0)
            buffer_append(buffer, text + at, size);
        else
            buffer_append_text(buffer, "\xef\xbf\xbd");
        at += size;
    }
}
