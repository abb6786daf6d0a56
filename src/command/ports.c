#include "command/ports.h"

bool ports_add(struct ports *ports, uint16_t port)
{
    for (size_t i = 0; i < ports->count; i++)
        if (ports->list[i] == port)
            return false;
    if (port == 0 || ports->too_many)
        return false;
    if (ports->count == PORTS_LIMIT)
        ports->too_many = true;
    else
        ports->list[ports->count++] = port;
    return true;
}

const char *ports_filter(const struct ports *ports, struct buffer *text)
{
    buffer_clear(text);
    if (ports->too_many)
        return buffer_text(text);
    buffer_append_text(text, "icmp or icmp6");
    for (size_t i = 0; i < ports->count; i++)
        buffer_printf(text, " or port %u", ports->list[i]);
    return buffer_text(text);
}
