#include "trace/block.h"

#include <string.h>

#include "trace/fields.h"
#include "trace/format.h"

uint64_t block_u64(struct cursor *cursor, bool big)
{
    uint64_t first = block_u32(cursor, big);
    uint64_t second = block_u32(cursor, big);
    return big ? first << 32 | second : second << 32 | first;
}

static void skip_padding(struct cursor *cursor, size_t length)
{
    size_t padding = -length & 3;
    cursor_take(cursor, padding < cursor_left(cursor) ? padding : cursor_left(cursor));
}

bool block_next_option(struct cursor *options, bool big, struct block_option *option)
{
    option->code = block_u16(options, big);
    uint16_t length = block_u16(options, big);
    if (options->failed || option->code == OPTION_END)
        return false;
    const uint8_t *value = cursor_take(options, length);
    if (value == NULL)
        return false;
    option->value = cursor_over(value, length);
    skip_padding(options, length);
    return true;
}

bool block_take_mark(struct cursor *value)
{
    const uint8_t *mark = cursor_take(value, strlen(FORMAT_MARK));
    return mark != NULL && memcmp(mark, FORMAT_MARK, strlen(FORMAT_MARK)) == 0;
}

static void read_address(struct cursor *value, bool big, struct address *address)
{
    bool v4 = value->length == 8;
    *address = (struct address){.family = v4 ? 4 : 6};
    address->port = block_u16(value, big);
    block_u16(value, big);
    if (!v4)
        address->scope = block_u32(value, big);
    size_t length = v4 ? 4 : 16;
    const uint8_t *bytes = cursor_take(value, length);
    if (bytes != NULL)
        memcpy(address->bytes, bytes, length);
}

/* Returns BLOCK_EVENT when the field has been read. */
static enum block_result read_field(struct cursor *value, bool big, struct trace_event *event,
                                    const struct trace_field *field)
{
    void *to = field_in(event, field);
    switch ((enum field_type)field->type) {
    case FIELD_TEXT:
        *(struct trace_text *)to = (struct trace_text){(const char *)value->data, value->length};
        return BLOCK_EVENT;
    case FIELD_BYTES:
        *(struct trace_bytes *)to = (struct trace_bytes){value->data, value->length};
        return BLOCK_EVENT;
    case FIELD_ADDRESS:
        if (value->length != 8 && value->length != 24)
            return BLOCK_DAMAGED;
        read_address(value, big, to);
        return BLOCK_EVENT;
    case FIELD_U64:
    case FIELD_I64: {
        uint64_t number = block_u64(value, big);
        memcpy(to, &number, sizeof number);
        return value->length == 8 ? BLOCK_EVENT : BLOCK_DAMAGED;
    }
    case FIELD_U8:
    case FIELD_U32:
    case FIELD_I32:
    case FIELD_ENUM:
        break;
    }
    uint32_t number = block_u32(value, big);
    if (value->length != 4)
        return BLOCK_DAMAGED;
    if (field->limit != 0 && number >= field->limit)
        return BLOCK_SKIPPED; /* a word of a later version */
    if (field->type == FIELD_U8)
        *(uint8_t *)to = (uint8_t)number;
    else
        memcpy(to, &number, sizeof number);
    return BLOCK_EVENT;
}

/* The next field's code and value; code 0 at the end. Returns false if the list is broken. */
static bool next_field(struct cursor *fields, bool big, struct block_option *field)
{
    field->code = block_u16(fields, big);
    uint32_t length = block_u16(fields, big);
    if (fields->failed)
        return false;
    if (field->code == OPTION_END)
        return true;
    if (length == FIELD_LONG)
        length = block_u32(fields, big);
    const uint8_t *value = cursor_take(fields, length);
    field->value = cursor_over(value, length);
    skip_padding(fields, length);
    return !fields->failed;
}

/* Fields usually come in the layout's order: the search begins at *next, and moves it on. */
static const struct trace_field *field_with(const struct trace_layout *layout, uint16_t code,
                                            size_t *next)
{
    for (size_t tried = 0; tried < layout->count; tried++) {
        size_t at = *next < layout->count ? *next : 0;
        *next = at + 1;
        if (layout->fields[at].code == code)
            return &layout->fields[at];
    }
    return NULL;
}

enum block_result block_read_event(struct cursor body, bool big, struct trace_event *event)
{
    if (!block_take_mark(&body) || block_u16(&body, big) != FORMAT_VERSION)
        return BLOCK_SKIPPED;
    uint16_t kind = block_u16(&body, big);
    const struct trace_layout *layout = trace_layout_of(kind);
    if (layout == NULL || layout->fields[0].code == 0)
        return BLOCK_SKIPPED;
    memset(event, 0, layout->size);
    event->kind = (enum trace_kind)kind;
    event->time = (int64_t)block_u64(&body, big);
    size_t next = 0;
    for (;;) {
        struct block_option field;
        if (!next_field(&body, big, &field))
            return BLOCK_DAMAGED;
        if (field.code == OPTION_END)
            return BLOCK_EVENT;
        const struct trace_field *known = field_with(layout, field.code, &next);
        if (known == NULL)
            continue;
        enum block_result result = read_field(&field.value, big, event, known);
        if (result != BLOCK_EVENT)
            return result;
    }
}
