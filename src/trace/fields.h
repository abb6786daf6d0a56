/*
 * fields.h - which fields the events of each kind have. For src/trace only.
 *
 * One table serves everything that goes over an event field by field: writing, reading, copying
 * and comparing. A new field of an event is one new line in fields.c (and in FORMAT.md).
 */
#ifndef HANDLENS_TRACE_FIELDS_H
#define HANDLENS_TRACE_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#include "trace/event.h"

enum field_type {
    FIELD_U8,
    FIELD_U32,
    FIELD_I32,
    FIELD_U64,
    FIELD_I64,
    FIELD_ENUM,
    FIELD_TEXT,
    FIELD_BYTES,
    FIELD_ADDRESS,
};

struct trace_field {
    uint16_t code; /* in the file; 0 where the field is not in a block of ours */
    uint16_t type; /* enum field_type */
    uint16_t offset;
    uint16_t limit; /* FIELD_U8 and FIELD_ENUM: values are below it; 0 for no limit */
};

struct trace_layout {
    const struct trace_field *fields;
    size_t count;
    size_t size; /* bytes of a struct trace_event in use */
};

/* NULL for a number that is no kind. */
const struct trace_layout *trace_layout_of(uint32_t kind);

static inline const void *field_of(const struct trace_event *event, const struct trace_field *field)
{
    return (const char *)event + field->offset;
}

static inline void *field_in(struct trace_event *event, const struct trace_field *field)
{
    return (char *)event + field->offset;
}

#endif
