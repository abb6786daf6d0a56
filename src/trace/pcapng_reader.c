/*
 * pcapng_reader.c - events out of pcapng (draft-ietf-opsawg-pcapng), anybody's.
 *
 * Theory of operation. One block at a time is made available whole in the source's buffer, its
 * length is checked at both ends, and a cursor over its body gives the numbers; an event points
 * into that buffer. Only the interfaces of the section at hand are remembered, so that nothing
 * grows with the file.
 */
#include "trace/pcapng_reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/clock.h"
#include "support/lines.h"
#include "trace/block.h"
#include "trace/format.h"

/* More interfaces in one section are taken for damage. */
#define INTERFACE_LIMIT 65536

__extension__ typedef __int128 wide;

struct interface {
    uint32_t link_type;
    uint32_t snap_length;
    uint8_t resolution; /* if_tsresol: 10^-n, or with the high bit 2^-n */
    bool hidden;        /* stands in where a trace of ours has no interface */
    uint32_t number;    /* over all sections, hidden ones not counted */
    int64_t offset;     /* if_tsoffset, s */
};

struct pcapng_reader {
    struct source *source;
    bool big; /* the section's byte order */
    struct interface *interfaces;
    size_t interface_count;
    size_t interface_capacity;
    uint32_t numbered; /* interfaces so far, over all sections */
    uint64_t packets;
    int64_t time; /* of the last event; stands in where the file has no stamp */
};

struct pcapng_reader *pcapng_reader_open(struct source *source)
{
    struct pcapng_reader *reader = lines_calloc(sizeof *reader);
    if (reader != NULL)
        reader->source = source;
    return reader;
}

void pcapng_reader_close(struct pcapng_reader *reader)
{
    if (reader == NULL)
        return;
    free(reader->interfaces);
    free(reader);
}

/* Says what is wrong with the block at hand. */
__attribute__((format(printf, 3, 4))) static enum block_result
damaged(const struct pcapng_reader *reader, struct error *error, const char *format, ...)
{
    char what[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    error_set(error, STATUS_DAMAGED, "%s is damaged at byte %" PRIu64 ": %s", reader->source->name,
              reader->source->offset, what);
    return BLOCK_DAMAGED;
}

/* Nanoseconds of a stamp of the interface; a time beyond int64_t becomes the nearest. */
static int64_t stamp_time(const struct interface *interface, uint64_t ticks)
{
    if (interface->resolution == 9 && interface->offset == 0 && ticks <= INT64_MAX)
        return (int64_t)ticks;
    unsigned exponent = interface->resolution & 0x7f;
    wide time = ticks;
    if (interface->resolution & 0x80) {
        time = time * NANOSECONDS_PER_SECOND >> exponent;
    } else {
        for (; exponent < 9; exponent++)
            time *= 10;
        for (; exponent > 9 && time > 0; exponent--)
            time /= 10;
    }
    /* At most 2^64 s, which is 2^94 ns: 128 bits hold it with any offset. */
    time += (wide)interface->offset * NANOSECONDS_PER_SECOND;
    if (time > INT64_MAX)
        return INT64_MAX;
    return time < INT64_MIN ? INT64_MIN : (int64_t)time;
}

static uint64_t take_stamp(struct cursor *body, bool big)
{
    uint64_t high = block_u32(body, big);
    return high << 32 | block_u32(body, big);
}

static struct trace_text text_of(const struct cursor *value)
{
    if (value->length == 0)
        return (struct trace_text){0};
    return (struct trace_text){(const char *)value->data, value->length};
}

static enum block_result read_section(struct pcapng_reader *reader, struct cursor body,
                                      struct error *error)
{
    block_u32(&body, reader->big); /* the byte order, known by now */
    uint16_t major = block_u16(&body, reader->big);
    uint16_t minor = block_u16(&body, reader->big);
    block_u64(&body, reader->big);
    if (body.failed)
        return damaged(reader, error, "the section's header is too short");
    if (major != 1)
        return damaged(reader, error, "the section is in version %u.%u of pcapng, only 1 is known",
                       major, minor);
    reader->interface_count = 0;
    return BLOCK_SKIPPED;
}

static bool remember_interface(struct pcapng_reader *reader, const struct interface *interface)
{
    if (reader->interface_count == reader->interface_capacity) {
        size_t capacity = reader->interface_capacity == 0 ? 4 : reader->interface_capacity * 2;
        struct interface *grown =
            realloc(reader->interfaces, capacity * sizeof *reader->interfaces);
        if (grown == NULL)
            return false;
        reader->interfaces = grown;
        reader->interface_capacity = capacity;
    }
    reader->interfaces[reader->interface_count++] = *interface;
    return true;
}

/* Looks for our option among an interface's: a block of ours tells of it, or it is hidden. */
static bool is_ours(struct cursor value, bool big, struct interface *interface)
{
    if (!block_take_mark(&value))
        return false;
    uint32_t part = block_u32(&value, big);
    interface->hidden = !value.failed && part == INTERFACE_STANDS_IN;
    return !value.failed;
}

static enum block_result read_interface(struct pcapng_reader *reader, struct cursor body,
                                        struct trace_event *event, struct error *error)
{
    struct interface interface = {.resolution = 6};
    interface.link_type = block_u16(&body, reader->big);
    block_u16(&body, reader->big);
    interface.snap_length = block_u32(&body, reader->big);
    if (body.failed)
        return damaged(reader, error, "the interface's description is too short");
    if (reader->interface_count == INTERFACE_LIMIT)
        return damaged(reader, error, "the section claims more than %d interfaces",
                       INTERFACE_LIMIT);
    bool is_event = true;
    *event = (struct trace_event){.kind = TRACE_INTERFACE, .time = reader->time};
    struct block_option option;
    while (block_next_option(&body, reader->big, &option)) {
        if (option.code == OPTION_NAME)
            event->interface.name = text_of(&option.value);
        else if (option.code == OPTION_TIME_RESOLUTION && option.value.length == 1)
            interface.resolution = cursor_u8(&option.value);
        else if (option.code == OPTION_TIME_OFFSET && option.value.length == 8)
            interface.offset = (int64_t)block_u64(&option.value, reader->big);
        else if (option.code == OPTION_TRACE)
            is_event = !is_ours(option.value, reader->big, &interface);
    }
    interface.number = reader->numbered;
    if (!interface.hidden)
        reader->numbered++;
    event->interface.interface = interface.number;
    event->interface.link_type = interface.link_type;
    event->interface.snap_length = interface.snap_length;
    if (!remember_interface(reader, &interface)) {
        error_out_of_memory(error);
        return BLOCK_DAMAGED;
    }
    return is_event ? BLOCK_EVENT : BLOCK_SKIPPED;
}

static void read_packet_options(struct cursor *options, bool big, struct trace_packet *packet)
{
    struct block_option option;
    while (block_next_option(options, big, &option)) {
        if (option.code == OPTION_COMMENT && packet->comment.length == 0) {
            packet->comment = text_of(&option.value);
        } else if (option.code == OPTION_TRACE && block_take_mark(&option.value)) {
            uint32_t cause = block_u32(&option.value, big);
            if (!option.value.failed)
                packet->cause = cause;
        }
    }
}

static bool is_described(const struct pcapng_reader *reader, uint32_t index)
{
    return index < reader->interface_count && !reader->interfaces[index].hidden;
}

/* An enhanced packet block, or its predecessor, the obsolete packet block. */
static enum block_result read_packet(struct pcapng_reader *reader, uint32_t type,
                                     struct cursor body, struct trace_event *event,
                                     struct error *error)
{
    bool big = reader->big;
    uint32_t index;
    if (type == BLOCK_PACKET) {
        index = block_u32(&body, big);
    } else {
        index = block_u16(&body, big);
        block_u16(&body, big); /* how many were dropped before it */
    }
    uint64_t stamp = take_stamp(&body, big);
    uint32_t captured = block_u32(&body, big);
    uint32_t length = block_u32(&body, big);
    if (body.failed)
        return damaged(reader, error, "the packet's block is too short");
    if (!is_described(reader, index))
        return damaged(reader, error, "a packet names interface %u, which was not described",
                       index);
    const uint8_t *bytes = cursor_take(&body, captured);
    if (bytes == NULL)
        return damaged(reader, error, "a packet claims %u bytes, but its block has room for %zu",
                       captured, cursor_left(&body));
    const struct interface *interface = &reader->interfaces[index];
    event->kind = TRACE_PACKET;
    event->time = stamp_time(interface, stamp);
    event->packet = (struct trace_packet){
        .number = ++reader->packets,
        .interface = interface->number,
        .link_type = interface->link_type,
        .length = length,
        .bytes = {bytes, captured},
    };
    size_t padding = -(size_t)captured & 3;
    if (cursor_left(&body) > padding) {
        cursor_take(&body, padding);
        read_packet_options(&body, big, &event->packet);
    }
    return BLOCK_EVENT;
}

static enum block_result read_simple_packet(struct pcapng_reader *reader, struct cursor body,
                                            struct trace_event *event, struct error *error)
{
    uint32_t length = block_u32(&body, reader->big);
    if (body.failed)
        return damaged(reader, error, "the packet's block is too short");
    if (!is_described(reader, 0))
        return damaged(reader, error, "a packet comes before any interface was described");
    const struct interface *interface = &reader->interfaces[0];
    uint32_t captured = length;
    if (interface->snap_length != 0 && captured > interface->snap_length)
        captured = interface->snap_length;
    const uint8_t *bytes = cursor_take(&body, captured);
    if (bytes == NULL)
        return damaged(reader, error, "a packet claims %u bytes, but its block has room for %zu",
                       captured, cursor_left(&body));
    event->kind = TRACE_PACKET;
    event->time = reader->time;
    event->packet = (struct trace_packet){
        .number = ++reader->packets,
        .interface = interface->number,
        .link_type = interface->link_type,
        .length = length,
        .bytes = {bytes, captured},
    };
    return BLOCK_EVENT;
}

static enum block_result read_statistics(struct pcapng_reader *reader, struct cursor body,
                                         struct trace_event *event, struct error *error)
{
    uint32_t index = block_u32(&body, reader->big);
    uint64_t stamp = take_stamp(&body, reader->big);
    if (body.failed)
        return damaged(reader, error, "the block of statistics is too short");
    if (!is_described(reader, index))
        return damaged(reader, error, "statistics name interface %u, which was not described",
                       index);
    *event = (struct trace_event){.kind = TRACE_STATISTICS};
    event->time = stamp_time(&reader->interfaces[index], stamp);
    event->statistics.interface = reader->interfaces[index].number;
    struct block_option option;
    while (block_next_option(&body, reader->big, &option)) {
        if (option.value.length != 8)
            continue;
        if (option.code == OPTION_RECEIVED)
            event->statistics.received = block_u64(&option.value, reader->big);
        else if (option.code == OPTION_DROPPED)
            event->statistics.dropped = block_u64(&option.value, reader->big);
    }
    return BLOCK_EVENT;
}

static enum block_result read_secrets(struct pcapng_reader *reader, struct cursor body,
                                      struct trace_event *event, struct error *error)
{
    *event = (struct trace_event){.kind = TRACE_SECRETS, .time = reader->time};
    event->secrets.type = block_u32(&body, reader->big);
    uint32_t length = block_u32(&body, reader->big);
    const uint8_t *bytes = cursor_take(&body, length);
    if (bytes == NULL)
        return damaged(reader, error, "the secrets run over their block's end");
    event->secrets.bytes = (struct trace_bytes){bytes, length};
    size_t padding = -(size_t)length & 3;
    cursor_take(&body, padding);
    struct block_option option;
    while (block_next_option(&body, reader->big, &option)) {
        if (option.code == OPTION_TRACE && option.value.length == 16 &&
            block_take_mark(&option.value))
            event->time = (int64_t)block_u64(&option.value, reader->big);
    }
    return BLOCK_EVENT;
}

static enum block_result read_body(struct pcapng_reader *reader, uint32_t type, struct cursor body,
                                   struct trace_event *event, struct error *error)
{
    switch (type) {
    case BLOCK_PACKET:
    case BLOCK_OLD_PACKET:
        return read_packet(reader, type, body, event, error);
    case BLOCK_SIMPLE:
        return read_simple_packet(reader, body, event, error);
    case BLOCK_SECTION:
        return read_section(reader, body, error);
    case BLOCK_INTERFACE:
        return read_interface(reader, body, event, error);
    case BLOCK_STATISTICS:
        return read_statistics(reader, body, event, error);
    case BLOCK_SECRETS:
        return read_secrets(reader, body, event, error);
    case BLOCK_TRACE: {
        enum block_result result = block_read_event(body, reader->big, event);
        if (result == BLOCK_DAMAGED)
            damaged(reader, error, "the fields of a block of the trace do not fit into it");
        return result;
    }
    default: /* names, custom blocks, what is yet to be invented */
        return BLOCK_SKIPPED;
    }
}

/*
 * Makes the next block available whole. Returns its length and sets type; 0 at the file's end;
 * or 0 with *result == BLOCK_DAMAGED.
 */
static size_t next_block(struct pcapng_reader *reader, uint32_t *type, enum block_result *result,
                         struct error *error)
{
    struct source *source = reader->source;
    *result = BLOCK_SKIPPED;
    size_t available = source_fill(source, BLOCK_OVERHEAD);
    if (available == 0 && source->error == 0)
        return 0;
    uint32_t length = BLOCK_OVERHEAD;
    if (available >= BLOCK_OVERHEAD) {
        struct cursor head = cursor_over(source_at(source), BLOCK_OVERHEAD);
        *type = block_u32(&head, reader->big);
        if (*type == BLOCK_SECTION) { /* reads the same in both orders */
            struct cursor order = cursor_over(source_at(source) + 8, 4);
            uint32_t mark = cursor_be32(&order);
            reader->big = mark == SECTION_BYTE_ORDER;
            if (!reader->big && mark != __builtin_bswap32(SECTION_BYTE_ORDER)) {
                *result = damaged(reader, error, "a section begins without its byte order");
                return 0;
            }
        }
        length = block_u32(&head, reader->big);
        if (length < BLOCK_OVERHEAD || length % 4 != 0 || length > BLOCK_LIMIT) {
            *result = damaged(reader, error, "the block claims a length of %u bytes", length);
            return 0;
        }
        available = source_fill(source, length);
    }
    if (available < length) {
        *result = source->error != 0
                      ? damaged(reader, error, "it cannot be read on: %s", strerror(source->error))
                      : damaged(reader, error, "the file ends within a block");
        return 0;
    }
    struct cursor tail = cursor_over(source_at(source) + length - 4, 4);
    uint32_t again = block_u32(&tail, reader->big);
    if (again != length) {
        *result = damaged(reader, error, "the block claims %u bytes at its start, %u at its end",
                          length, again);
        return 0;
    }
    return length;
}

enum trace_progress pcapng_reader_next(struct pcapng_reader *reader, struct trace_event *event,
                                       struct error *error)
{
    for (;;) {
        enum block_result result;
        uint32_t type = 0;
        size_t length = next_block(reader, &type, &result, error);
        if (length == 0)
            return result == BLOCK_DAMAGED ? TRACE_READ_DAMAGED : TRACE_READ_END;
        struct cursor body = cursor_over(source_at(reader->source) + 8, length - BLOCK_OVERHEAD);
        result = read_body(reader, type, body, event, error);
        if (result == BLOCK_DAMAGED)
            return TRACE_READ_DAMAGED;
        source_take(reader->source, length);
        if (result == BLOCK_EVENT) {
            reader->time = event->time;
            return TRACE_READ_EVENT;
        }
    }
}
