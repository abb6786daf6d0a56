/*
 * random_events.h - traces at random, from a seed, so that a failure comes again.
 */
#ifndef HANDLENS_TESTS_TRACE_RANDOM_EVENTS_H
#define HANDLENS_TESTS_TRACE_RANDOM_EVENTS_H

#include "trace/fields.h"
#include "unit/trace/samples.h"

struct random_source {
    uint64_t state;
    uint8_t pool[4096]; /* what texts and bytes are cut from */
};

/* xorshift64* */
static inline uint64_t random_next(struct random_source *random)
{
    random->state ^= random->state >> 12;
    random->state ^= random->state << 25;
    random->state ^= random->state >> 27;
    return random->state * UINT64_C(0x2545f4914f6cdd1d);
}

static inline uint64_t random_below(struct random_source *random, uint64_t limit)
{
    return random_next(random) % limit;
}

static inline void random_open(struct random_source *random, uint64_t seed)
{
    random->state = seed * 2 + 1;
    for (size_t i = 0; i < sizeof random->pool; i++)
        random->pool[i] = (uint8_t)random_next(random);
}

/* Small numbers, zeros and wild ones. */
static inline uint64_t random_number(struct random_source *random)
{
    uint64_t number = random_next(random);
    return number >> (random_below(random, 9) * 8) % 64;
}

static inline struct trace_bytes random_bytes(struct random_source *random)
{
    size_t length = random_below(random, 3) == 0 ? 0 : random_below(random, 90);
    size_t start = random_below(random, sizeof random->pool - 90);
    return (struct trace_bytes){length == 0 ? NULL : random->pool + start, length};
}

static inline struct address random_address(struct random_source *random)
{
    struct address address = {.family = (uint8_t)(random_below(random, 3) * 2)};
    if (address.family == 2)
        address.family = 6;
    size_t length = address.family == 4 ? 4 : address.family == 6 ? 16 : 0;
    memcpy(address.bytes, random->pool + random_below(random, 4000), length);
    if (address.family != 0)
        address.port = (uint16_t)random_next(random);
    if (address.family == 6)
        address.scope = (uint32_t)random_number(random);
    return address;
}

static inline void random_field(struct random_source *random, struct trace_event *event,
                                const struct trace_field *field)
{
    void *to = field_in(event, field);
    uint64_t number = random_number(random);
    if (field->limit != 0)
        number %= field->limit;
    uint32_t low = (uint32_t)number;
    switch ((enum field_type)field->type) {
    case FIELD_U8:
        *(uint8_t *)to = (uint8_t)number;
        break;
    case FIELD_U32:
    case FIELD_I32:
    case FIELD_ENUM:
        memcpy(to, &low, sizeof low);
        break;
    case FIELD_U64:
    case FIELD_I64:
        memcpy(to, &number, sizeof number);
        break;
    case FIELD_TEXT: {
        struct trace_bytes bytes = random_bytes(random);
        *(struct trace_text *)to = (struct trace_text){(const char *)bytes.data, bytes.length};
        break;
    }
    case FIELD_BYTES:
        *(struct trace_bytes *)to = random_bytes(random);
        break;
    case FIELD_ADDRESS:
        *(struct address *)to = random_address(random);
        break;
    }
}

/* A trace with what a trace keeps to: numbers count, interfaces come before their packets. */
static inline void random_trace(struct random_source *random, struct trace_event *events,
                                size_t count)
{
    uint32_t link_types[64];
    uint32_t interfaces = 0;
    uint64_t packets = 0;
    int64_t time = (int64_t)(random_next(random) >> 3);
    for (size_t i = 0; i < count; i++) {
        struct trace_event *event = &events[i];
        memset(event, 0, sizeof *event);
        event->kind = (enum trace_kind)random_below(random, TRACE_END + 1);
        if (interfaces == 0 || (event->kind == TRACE_INTERFACE && interfaces == 64))
            event->kind = interfaces == 0 ? TRACE_INTERFACE : TRACE_NOTE;
        event->time = time += (int64_t)random_below(random, 100000);
        const struct trace_layout *layout = trace_layout_of(event->kind);
        for (size_t f = 0; f < layout->count; f++)
            random_field(random, event, &layout->fields[f]);
        uint32_t interface = (uint32_t)random_below(random, interfaces + (interfaces == 0));
        if (event->kind == TRACE_INTERFACE) {
            event->interface.link_type &= 0xffff;
            link_types[interfaces] = event->interface.link_type;
            event->interface.interface = interfaces++;
        } else if (event->kind == TRACE_PACKET) {
            event->packet.interface = interface;
            event->packet.link_type = link_types[interface];
            event->packet.number = ++packets;
        } else if (event->kind == TRACE_STATISTICS) {
            event->statistics.interface = interface;
        }
    }
}

#endif
