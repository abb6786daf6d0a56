/* Numbers made short, and styled text put into a line. */
#include <string.h>

#include "support/terminal.h"
#include "tcp/packet_text.h"
#include "view/flows.h"

/* "9.9k" below ten where tenths are wanted, else "12k". Returns the end. */
static char *put_scaled(char *to, uint64_t number, uint64_t scale, bool tenths)
{
    uint64_t whole = scale == 1 ? number : number / scale;
    to = packet_put_number(to, whole);
    if (whole >= 10 || !tenths)
        return to;
    *to++ = '.';
    return packet_put_number(to, number % scale / (scale / 10));
}

char *flows_count(uint64_t count, char *text)
{
    static const char units[] = "kMGTPE";
    if (count < 1000) { /* most are */
        *packet_put_number(text, count) = '\0';
        return text;
    }
    uint64_t scale = 1;
    size_t unit = 0;
    while (count / scale >= 1000) {
        scale *= 1000;
        unit++;
    }
    char *end = put_scaled(text, count, scale, unit > 0);
    if (unit > 0)
        *end++ = units[unit - 1];
    *end = '\0';
    return text;
}

char *flows_duration(const struct flows *flows, int64_t duration, char *text)
{
    /* Up to below limit, shown in a unit of so many nanoseconds. */
    static const struct {
        int64_t limit, size;
        const char *name; /* NULL: microseconds, by the terminal's letters */
        bool tenths;      /* below ten */
    } units[] = {
        {1000, 1, "ns", false},
        {1000000, 1000, NULL, false},
        {1000000000, 1000000, "ms", true},
        {INT64_C(1000000000000), 1000000000, "s", true},
        {INT64_C(6000000000000), INT64_C(60000000000), "min", false},
        {INT64_C(3600000000000000), INT64_C(3600000000000), "h", true},
        {INT64_C(86400000000000000), INT64_C(86400000000000), "d", true},
        {INT64_MAX, INT64_C(31557600000000000), "y", true},
    };
    if (duration < 0) {
        memcpy(text, "-", 2);
        return text;
    }
    size_t i = 0;
    while (duration >= units[i].limit && units[i].limit != INT64_MAX)
        i++;
    char *end = put_scaled(text, (uint64_t)duration, (uint64_t)units[i].size, units[i].tenths);
    end = packet_put_text(end, units[i].name != NULL ? units[i].name : flows->glyphs->microseconds);
    *end = '\0';
    return text;
}

char *flows_whole(uint64_t number, char *text)
{
    char digits[FLOWS_NUMBER];
    size_t length = (size_t)(packet_put_number(digits, number) - digits);
    size_t at = 0;
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && length > 4 && (length - i) % 3 == 0)
            text[at++] = ' ';
        text[at++] = digits[i];
    }
    text[at] = '\0';
    return text;
}

/*
 * The text's bytes into *length; returns its columns. All text of a row is ASCII and our own
 * glyphs, which are one column each.
 */
static size_t measure(const char *text, size_t *length)
{
    enum { CONTINUATION = 0x80, CONTINUATION_MASK = 0xc0 };
    size_t end = 0;
    size_t columns = 0;
    for (; text[end] != '\0'; end++)
        columns += (text[end] & CONTINUATION_MASK) != CONTINUATION;
    *length = end;
    return columns;
}

size_t flows_width(const char *text)
{
    size_t length;
    return measure(text, &length);
}

/* Text with spaces before and behind it, in one piece: there are many of these in a row. */
static void put(struct flows *flows, enum flows_style style, const char *text, size_t length,
                size_t before, size_t behind)
{
    static const char *const starts[] = {
        [FLOWS_BOLD] = "\033[1m",
        [FLOWS_DIM] = "\033[2m",
        [FLOWS_RED] = "\033[31m",
        [FLOWS_YELLOW] = "\033[33m",
    };
    enum { STYLES_ROOM = 16 };
    struct buffer *bytes = &flows->line.bytes;
    bool styled = flows->options->terminal.color && style != FLOWS_PLAIN && length > 0;
    char *start = (char *)buffer_reserve(bytes, before + length + behind + STYLES_ROOM);
    if (start == NULL)
        return;
    char *to = start;
    while (before-- > 0)
        *to++ = ' ';
    if (styled)
        to = packet_put_text(to, starts[style]);
    memcpy(to, text, length);
    to += length;
    if (styled)
        to = packet_put_text(to, "\033[0m");
    while (behind-- > 0)
        *to++ = ' ';
    bytes->length += (size_t)(to - start);
}

void flows_put(struct flows *flows, enum flows_style style, const char *text)
{
    size_t length;
    flows->line.width += measure(text, &length);
    put(flows, style, text, length, 0, 0);
}

void flows_fill(struct flows *flows, size_t columns)
{
    if (flows->line.width >= columns)
        return;
    put(flows, FLOWS_PLAIN, "", 0, columns - flows->line.width, 0);
    flows->line.width = columns;
}

void flows_put_right(struct flows *flows, enum flows_style style, const char *text, size_t columns)
{
    size_t length;
    size_t width = measure(text, &length);
    size_t room = width < columns ? columns - width : 0;
    put(flows, style, text, length, room, 0);
    flows->line.width += room + width;
}

void flows_put_left(struct flows *flows, enum flows_style style, const char *text, size_t columns)
{
    size_t length;
    size_t width = measure(text, &length);
    size_t room = width < columns ? columns - width : 0;
    put(flows, style, text, length, 0, room);
    flows->line.width += room + width;
}

void flows_end_line(struct flows *flows)
{
    struct buffer *bytes = &flows->line.bytes;
    while (bytes->length > 0 && bytes->data[bytes->length - 1] == ' ')
        bytes->length--;
    buffer_append_byte(bytes, '\n');
    buffer_append(flows->out, bytes->data, bytes->length);
    flows->out->failed |= bytes->failed;
    buffer_clear(bytes);
    flows->line.width = 0;
}
