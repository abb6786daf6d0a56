/* Numbers made short, and styled text put into a line. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "support/terminal.h"
#include "view/flows.h"

/* A number of three digits at most and a unit: "999", "1.2k". Tenths where there is one digit. */
char *flows_count(uint64_t count, char *text)
{
    static const char units[] = "kMGTPE";
    if (count < 1000) {
        snprintf(text, FLOWS_NUMBER, "%u", (unsigned)count);
        return text;
    }
    uint64_t scale = 1000;
    size_t unit = 0;
    while (unit + 2 < sizeof units && count / scale >= 1000) {
        scale *= 1000;
        unit++;
    }
    unsigned whole = (unsigned)(count / scale);
    unsigned tenth = (unsigned)(count % scale / (scale / 10));
    if (whole < 10)
        snprintf(text, FLOWS_NUMBER, "%u.%u%c", whole, tenth, units[unit]);
    else
        snprintf(text, FLOWS_NUMBER, "%u%c", whole, units[unit]);
    return text;
}

char *flows_duration(const struct flows *flows, int64_t duration, char *text)
{
    /* Up to below limit, shown in a unit of so many nanoseconds. */
    static const struct {
        int64_t limit, size;
        const char *name;
        bool tenths; /* below ten */
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
        snprintf(text, FLOWS_NUMBER, "-");
        return text;
    }
    size_t i = 0;
    while (duration >= units[i].limit && units[i].limit != INT64_MAX)
        i++;
    int64_t whole = duration / units[i].size;
    int tenth = units[i].tenths ? (int)(duration % units[i].size / (units[i].size / 10)) : 0;
    const char *name = units[i].name;
    if (whole < 10 && units[i].tenths)
        snprintf(text, FLOWS_NUMBER, "%d.%d%s", (int)whole, tenth, name);
    else if (name != NULL)
        snprintf(text, FLOWS_NUMBER, "%" PRId64 "%s", whole, name);
    else
        snprintf(text, FLOWS_NUMBER, "%" PRId64 "%ss", whole, flows->glyphs->micro);
    return text;
}

char *flows_whole(uint64_t number, char *text)
{
    char digits[FLOWS_NUMBER];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, number);
    size_t at = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && length > 4 && (length - i) % 3 == 0)
            text[at++] = ' ';
        text[at++] = digits[i];
    }
    text[at] = '\0';
    return text;
}

void flows_put(struct flows *flows, enum flows_style style, const char *text)
{
    static const char *const starts[] = {
        [FLOWS_BOLD] = "\033[1m",
        [FLOWS_DIM] = "\033[2m",
        [FLOWS_RED] = "\033[31m",
        [FLOWS_YELLOW] = "\033[33m",
    };
    struct buffer *bytes = &flows->line.bytes;
    size_t length = strlen(text);
    bool styled = flows->options->terminal.color && style != FLOWS_PLAIN && length > 0;
    if (styled)
        buffer_append_text(bytes, starts[style]);
    buffer_append(bytes, text, length);
    if (styled)
        buffer_append_text(bytes, "\033[0m");
    flows->line.width += terminal_width(text, length);
}

void flows_fill(struct flows *flows, size_t columns)
{
    if (flows->line.width >= columns)
        return;
    buffer_append_repeated(&flows->line.bytes, ' ', columns - flows->line.width);
    flows->line.width = columns;
}

void flows_put_right(struct flows *flows, enum flows_style style, const char *text, size_t columns)
{
    size_t width = terminal_width(text, strlen(text));
    if (width < columns)
        flows_fill(flows, flows->line.width + columns - width);
    flows_put(flows, style, text);
}

void flows_put_left(struct flows *flows, enum flows_style style, const char *text, size_t columns)
{
    size_t end = flows->line.width + columns;
    flows_put(flows, style, text);
    flows_fill(flows, end);
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
