#include "view/safe_text.h"

#include "support/terminal.h"

static bool is_plain(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] < 0x20 || text[i] > 0x7e)
            return false;
    return true;
}

size_t safe_text_append(struct buffer *buffer, const char *text, size_t length, size_t columns,
                        bool utf8)
{
    if ((columns == 0 || length <= columns) && is_plain(text, length)) {
        buffer_append(buffer, text, length);
        return length;
    }
    size_t width = 0;
    size_t at = 0;
    while (at < length && (columns == 0 || width < columns)) {
        if (text[at] == '"' || text[at] == '\\') {
            buffer_append_byte(buffer, (uint8_t)text[at++]);
            width++;
            continue;
        }
        size_t end = at;
        while (end < length && text[end] != '"' && text[end] != '\\')
            end++;
        size_t start = buffer->length;
        size_t used = terminal_append_escaped(buffer, text + at, end - at,
                                              columns == 0 ? 0 : columns - width, utf8);
        width += terminal_width((const char *)buffer->data + start, buffer->length - start);
        at += used;
        if (at < end)
            break;
    }
    return at;
}
