#include "trace/event.h"

#include <string.h>

#include "trace/fields.h"

struct trace_text trace_text_of(const char *text)
{
    if (text == NULL || text[0] == '\0')
        return (struct trace_text){0};
    return (struct trace_text){text, strlen(text)};
}

static bool same_bytes(const void *a, size_t a_length, const void *b, size_t b_length)
{
    return a_length == b_length && (a_length == 0 || memcmp(a, b, a_length) == 0);
}

static bool same_address(const struct address *a, const struct address *b)
{
    if (a->family == 0 || b->family == 0)
        return a->family == b->family;
    return address_equal(a, b) && a->scope == b->scope;
}

static bool same_field(const void *a, const void *b, enum field_type type)
{
    switch (type) {
    case FIELD_U8:
        return memcmp(a, b, sizeof(uint8_t)) == 0;
    case FIELD_U32:
    case FIELD_I32:
    case FIELD_ENUM:
        return memcmp(a, b, sizeof(uint32_t)) == 0;
    case FIELD_U64:
    case FIELD_I64:
        return memcmp(a, b, sizeof(uint64_t)) == 0;
    case FIELD_TEXT: {
        const struct trace_text *x = a, *y = b;
        return same_bytes(x->data, x->length, y->data, y->length);
    }
    case FIELD_BYTES: {
        const struct trace_bytes *x = a, *y = b;
        return same_bytes(x->data, x->length, y->data, y->length);
    }
    case FIELD_ADDRESS:
        return same_address(a, b);
    }
    return false;
}

bool trace_event_equal(const struct trace_event *a, const struct trace_event *b)
{
    if (a->kind != b->kind || a->time != b->time)
        return false;
    const struct trace_layout *layout = trace_layout_of((uint32_t)a->kind);
    if (layout == NULL)
        return false;
    for (size_t i = 0; i < layout->count; i++) {
        const struct trace_field *field = &layout->fields[i];
        if (!same_field(field_of(a, field), field_of(b, field), (enum field_type)field->type))
            return false;
    }
    return true;
}
