#include "view/hexdump.h"

#include <string.h>

size_t hexdump_per_row(size_t left, size_t columns)
{
    /* Two digits and a space each, another space, and the text. */
    for (size_t count = 16; count > 4; count /= 2)
        if (left + count * 3 + 1 + count <= columns)
            return count;
    return 4;
}

static void put_hex(struct paint_line *line, unsigned style, const uint8_t *bytes, size_t count)
{
    static const char digits[] = "0123456789abcdef";
    char text[3 * 16] = {0};
    size_t at = 0;
    for (size_t i = 0; i < count && i < 16; i++) {
        text[at++] = digits[bytes[i] >> 4];
        text[at++] = digits[bytes[i] & 15];
        text[at++] = ' ';
    }
    paint_put(line, style, text, at);
}

/* How long a character is that begins with this byte, by UTF-8's rules; 1 if none does. */
static size_t character_size(uint8_t first)
{
    return first >= 0xf0 && first < 0xf8 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
}

/* Whether a terminal may show the character right to left, which would move its neighbours. */
static bool is_right_to_left(const uint8_t *bytes, size_t size)
{
    static const uint8_t masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t code = bytes[0] & masks[size];
    for (size_t i = 1; i < size; i++)
        code = code << 6 | (bytes[i] & 0x3f);
    return (code >= 0x590 && code < 0x900) || (code >= 0xfb1d && code < 0xff00) ||
           (code >= 0x10800 && code < 0x11000) || (code >= 0x1e800 && code < 0x1f000);
}

/* The columns of the character at these bytes, 0 if there is none that can be shown. *size: its
 * bytes. */
static size_t character_width(const uint8_t *bytes, size_t length, size_t *size)
{
    *size = character_size(bytes[0]);
    if (*size == 1)
        return bytes[0] >= 0x20 && bytes[0] < 0x7f;
    if (*size > length)
        return 0;
    struct buffer shown = {0};
    terminal_append_escaped(&shown, bytes, *size, 0, true);
    bool plain = !shown.failed && shown.length == *size && memcmp(shown.data, bytes, *size) == 0;
    buffer_free(&shown);
    size_t width =
        plain && !is_right_to_left(bytes, *size) ? terminal_width((const char *)bytes, *size) : 0;
    return width <= 2 ? width : 0;
}

/* Of a character that began in the row before: puts it here if it had no room there. Returns how
 * many of the row's bytes belong to it. */
static size_t put_rest(struct paint_line *line, const uint8_t *bytes, size_t length, size_t at,
                       size_t count)
{
    for (size_t back = 1; back <= 3 && back <= at; back++) {
        size_t size;
        const uint8_t *first = bytes + at - back;
        size_t width = character_width(first, length - (at - back), &size);
        if (size <= back || width == 0)
            continue;
        size_t here = size - back < count ? size - back : count;
        size_t column = line->column;
        if (width > back && width <= here)
            paint_put(line, PAINT_PLAIN, (const char *)first, size);
        paint_to(line, column + here);
        return here;
    }
    return 0;
}

static void put_characters(struct paint_line *line, const uint8_t *bytes, size_t length, size_t at,
                           size_t count, bool utf8)
{
    size_t done = utf8 ? put_rest(line, bytes, length, at, count) : 0;
    while (done < count) {
        const uint8_t *first = bytes + at + done;
        size_t size = 1;
        size_t width =
            utf8 || first[0] < 0x80 ? character_width(first, length - at - done, &size) : 0;
        if (width == 0) {
            paint_text(line, PAINT_DIM, ".");
            done++;
            continue;
        }
        size_t here = size < count - done ? size : count - done;
        size_t column = line->column;
        if (width <= here)
            paint_put(line, PAINT_PLAIN, (const char *)first, size);
        paint_to(line, column + here);
        done += here;
    }
}

void hexdump_row(struct paint_line *line, unsigned style, const uint8_t *bytes, size_t length,
                 size_t at, size_t count, size_t per_row, bool utf8)
{
    size_t start = line->column;
    put_hex(line, style, bytes + at, count);
    paint_to(line, start + 3 * per_row + 1);
    put_characters(line, bytes, length, at, count, utf8);
}
