/*
 * block_writer.c - events to pcapng blocks (FORMAT.md), little-endian on every machine, so that the
 * same trace is the same file.
 */
#include "trace/block_writer.h"

#include <string.h>

#include "trace/fields.h"
#include "trace/format.h"

/* A block under construction: room for all of it has been reserved. */
struct block {
    uint8_t *start;
    uint8_t *at;
};

static void put_u16(struct block *block, uint16_t value)
{
    *block->at++ = (uint8_t)value;
    *block->at++ = (uint8_t)(value >> 8);
}

static void put_u32(struct block *block, uint32_t value)
{
    put_u16(block, (uint16_t)value);
    put_u16(block, (uint16_t)(value >> 16));
}

static void put_u64(struct block *block, uint64_t value)
{
    put_u32(block, (uint32_t)value);
    put_u32(block, (uint32_t)(value >> 32));
}

/* Bytes, then zeros up to a multiple of 4. */
static void put_padded(struct block *block, const void *data, size_t length)
{
    if (length > 0)
        memcpy(block->at, data, length);
    block->at += length;
    while ((length++ & 3) != 0)
        *block->at++ = 0;
}

static void put_time(struct block *block, int64_t time)
{
    put_u32(block, (uint32_t)((uint64_t)time >> 32));
    put_u32(block, (uint32_t)time);
}

static void put_option(struct block *block, uint16_t code, const void *data, size_t length)
{
    put_u16(block, code);
    put_u16(block, (uint16_t)length);
    put_padded(block, data, length);
}

static void put_option_u64(struct block *block, uint16_t code, uint64_t value)
{
    put_u16(block, code);
    put_u16(block, 8);
    put_u64(block, value);
}

/* Our option in a block of pcapng: the mark, then one number. */
static void put_option_mark(struct block *block, uint32_t number)
{
    put_u16(block, OPTION_TRACE);
    put_u16(block, 12);
    put_padded(block, FORMAT_MARK, 8);
    put_u32(block, number);
}

/* Starts a block whose body takes at most room bytes. Returns false out of memory. */
static bool block_begin(struct buffer *out, struct block *block, uint32_t type, size_t room)
{
    block->start = buffer_reserve(out, room + BLOCK_OVERHEAD);
    if (block->start == NULL)
        return false;
    block->at = block->start;
    put_u32(block, type);
    put_u32(block, 0);
    return true;
}

static void block_end(struct buffer *out, struct block *block)
{
    uint32_t length = (uint32_t)(block->at - block->start) + 4;
    put_u32(block, length);
    struct block head = {block->start, block->start + 4};
    put_u32(&head, length);
    out->length += length;
}

/* The longest start of the text with at most limit bytes that does not split a character. */
static size_t text_fit(struct trace_text text, size_t limit)
{
    if (text.length <= limit)
        return text.length;
    size_t length = limit;
    while (length > limit - 3 && ((uint8_t)text.data[length] & 0xc0) == 0x80)
        length--;
    return length;
}

static size_t padded(size_t length)
{
    return (length + 3) & ~(size_t)3;
}

bool block_write_section(struct buffer *out)
{
    static const char program[] = "handlens " HANDLENS_VERSION;
    struct block block;
    if (!block_begin(out, &block, BLOCK_SECTION, 64 + sizeof program))
        return false;
    put_u32(&block, SECTION_BYTE_ORDER);
    put_u16(&block, 1);
    put_u16(&block, 0);
    put_u64(&block, UINT64_MAX); /* the section's length is not known */
    put_option(&block, OPTION_APPLICATION, program, sizeof program - 1);
    put_u32(&block, OPTION_END);
    block_end(out, &block);
    return true;
}

bool block_write_interface(struct buffer *out, const struct trace_interface *interface)
{
    static const struct trace_interface nothing = {.link_type = 1};
    uint32_t role = interface != NULL ? INTERFACE_TOLD : INTERFACE_STANDS_IN;
    if (interface == NULL)
        interface = &nothing;
    size_t name_length = text_fit(interface->name, OPTION_LIMIT);
    struct block block;
    if (!block_begin(out, &block, BLOCK_INTERFACE, 64 + padded(name_length)))
        return false;
    put_u16(&block, (uint16_t)interface->link_type);
    put_u16(&block, 0);
    put_u32(&block, interface->snap_length);
    if (name_length > 0)
        put_option(&block, OPTION_NAME, interface->name.data, name_length);
    put_option(&block, OPTION_TIME_RESOLUTION, &(uint8_t){9}, 1);
    put_option_mark(&block, role);
    put_u32(&block, OPTION_END);
    block_end(out, &block);
    return true;
}

static bool add_packet(struct buffer *out, const struct trace_event *event, uint32_t shift)
{
    const struct trace_packet *packet = &event->packet;
    size_t captured = packet->bytes.length < BYTES_LIMIT ? packet->bytes.length : BYTES_LIMIT;
    size_t comment = text_fit(packet->comment, OPTION_LIMIT);
    struct block block;
    if (!block_begin(out, &block, BLOCK_PACKET, 64 + padded(captured) + padded(comment)))
        return false;
    put_u32(&block, packet->interface + shift);
    put_time(&block, event->time);
    put_u32(&block, (uint32_t)captured);
    put_u32(&block, packet->length);
    put_padded(&block, packet->bytes.data, captured);
    if (comment > 0)
        put_option(&block, OPTION_COMMENT, packet->comment.data, comment);
    if (packet->cause != 0)
        put_option_mark(&block, packet->cause);
    if (comment > 0 || packet->cause != 0)
        put_u32(&block, OPTION_END);
    block_end(out, &block);
    return true;
}

static bool add_statistics(struct buffer *out, const struct trace_event *event, uint32_t shift)
{
    struct block block;
    if (!block_begin(out, &block, BLOCK_STATISTICS, 64))
        return false;
    put_u32(&block, event->statistics.interface + shift);
    put_time(&block, event->time);
    put_option_u64(&block, OPTION_RECEIVED, event->statistics.received);
    put_option_u64(&block, OPTION_DROPPED, event->statistics.dropped);
    put_u32(&block, OPTION_END);
    block_end(out, &block);
    return true;
}

static bool add_secrets(struct buffer *out, const struct trace_event *event)
{
    const struct trace_bytes *bytes = &event->secrets.bytes;
    size_t length = bytes->length < BYTES_LIMIT ? bytes->length : BYTES_LIMIT;
    struct block block;
    if (!block_begin(out, &block, BLOCK_SECRETS, 64 + padded(length)))
        return false;
    put_u32(&block, event->secrets.type);
    put_u32(&block, (uint32_t)length);
    put_padded(&block, bytes->data, length);
    put_u16(&block, OPTION_TRACE);
    put_u16(&block, 16);
    put_padded(&block, FORMAT_MARK, 8);
    put_u64(&block, (uint64_t)event->time);
    put_u32(&block, OPTION_END);
    block_end(out, &block);
    return true;
}

static void put_field_number(struct block *block, uint16_t code, uint64_t value, uint16_t size)
{
    if (value == 0)
        return; /* a field that is absent is zero */
    put_u16(block, code);
    put_u16(block, size);
    if (size == 4)
        put_u32(block, (uint32_t)value);
    else
        put_u64(block, value);
}

static void put_field_text(struct block *block, uint16_t code, const struct trace_text *text)
{
    size_t length = text_fit(*text, TEXT_LIMIT);
    if (length == 0)
        return;
    put_u16(block, code);
    put_u16(block, length < FIELD_LONG ? (uint16_t)length : FIELD_LONG);
    if (length >= FIELD_LONG)
        put_u32(block, (uint32_t)length);
    put_padded(block, text->data, length);
}

static void put_field_address(struct block *block, uint16_t code, const struct address *address)
{
    if (address->family != 4 && address->family != 6)
        return;
    put_u16(block, code);
    put_u16(block, address->family == 4 ? 8 : 24);
    put_u16(block, address->port);
    put_u16(block, 0);
    if (address->family == 6)
        put_u32(block, address->scope);
    put_padded(block, address->bytes, address->family == 4 ? 4 : 16);
}

static void put_field(struct block *block, const struct trace_event *event,
                      const struct trace_field *field)
{
    const void *value = field_of(event, field);
    switch ((enum field_type)field->type) {
    case FIELD_U8:
        put_field_number(block, field->code, *(const uint8_t *)value, 4);
        break;
    case FIELD_U32:
    case FIELD_I32:
    case FIELD_ENUM: {
        uint32_t number;
        memcpy(&number, value, sizeof number);
        put_field_number(block, field->code, number, 4);
        break;
    }
    case FIELD_U64:
    case FIELD_I64: {
        uint64_t number;
        memcpy(&number, value, sizeof number);
        put_field_number(block, field->code, number, 8);
        break;
    }
    case FIELD_TEXT:
        put_field_text(block, field->code, value);
        break;
    case FIELD_ADDRESS:
        put_field_address(block, field->code, value);
        break;
    case FIELD_BYTES: /* stands in blocks of pcapng only */
        break;
    }
}

/* An event for which pcapng has no block of its own. */
static bool add_trace_block(struct buffer *out, const struct trace_event *event,
                            const struct trace_layout *layout)
{
    size_t room = 32;
    for (size_t i = 0; i < layout->count; i++) {
        room += 28; /* the longest field that is not a text */
        if (layout->fields[i].type == FIELD_TEXT) {
            const struct trace_text *text = field_of(event, &layout->fields[i]);
            room += text_fit(*text, TEXT_LIMIT);
        }
    }
    struct block block;
    if (!block_begin(out, &block, BLOCK_TRACE, room))
        return false;
    put_padded(&block, FORMAT_MARK, 8);
    put_u16(&block, FORMAT_VERSION);
    put_u16(&block, (uint16_t)event->kind);
    put_u64(&block, (uint64_t)event->time);
    for (size_t i = 0; i < layout->count; i++)
        put_field(&block, event, &layout->fields[i]);
    put_u32(&block, OPTION_END);
    block_end(out, &block);
    return true;
}

bool block_write_event(struct buffer *out, const struct trace_event *event, uint32_t shift)
{
    switch (event->kind) {
    case TRACE_PACKET:
        return add_packet(out, event, shift);
    case TRACE_STATISTICS:
        return add_statistics(out, event, shift);
    case TRACE_SECRETS:
        return add_secrets(out, event);
    default: {
        const struct trace_layout *layout = trace_layout_of((uint32_t)event->kind);
        return layout == NULL || add_trace_block(out, event, layout);
    }
    }
}
