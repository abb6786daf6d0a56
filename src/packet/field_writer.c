#include "packet/field_writer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "packet/decode.h"

static struct cursor cursor_here(const struct field_writer *w)
{
    struct cursor in = cursor_over(w->packet->bytes, w->packet->captured);
    cursor_take(&in, (size_t)(w->at / 8));
    return in;
}

uint64_t fields_peek(const struct field_writer *w, uint32_t bits)
{
    if (w->short_of || bits > 64 || w->at + bits > w->limit)
        return 0;
    struct cursor in = cursor_here(w);
    uint64_t value = 0;
    uint32_t skip = w->at % 8;
    for (uint32_t got = 0; got < bits;) {
        uint32_t here = 8 - skip < bits - got ? 8 - skip : bits - got;
        uint32_t part = (cursor_u8(&in) >> (8 - skip - here)) & ((1u << here) - 1);
        value = value << here | part;
        got += here;
        skip = 0;
    }
    return value;
}

uint32_t fields_left(const struct field_writer *w)
{
    if (w->short_of || w->refused || w->at > w->limit)
        return 0;
    return (uint32_t)((w->limit - w->at) / 8);
}

/* Whether so many bits fit; remembers if not. */
static bool fits(struct field_writer *w, uint64_t bits)
{
    if (w->short_of || w->refused)
        return false;
    if (w->at + bits > w->limit)
        w->short_of = true;
    return !w->short_of && bits > 0;
}

/* Begins a field of so many bits, which fit. Its text is still empty. */
static void begin(const struct field_writer *w, struct packet_field *field, const char *name,
                  uint64_t bits, const char *note)
{
    field->layer = w->layer;
    field->depth = w->depth;
    field->is_group = false;
    field->quoted = w->quoted;
    field->has_value = bits <= 64;
    field->name = name;
    field->note = note;
    field->bit_at = w->base + w->at;
    field->bit_length = bits;
    field->value = field->has_value ? fields_peek(w, (uint32_t)bits) : 0;
    field->text[0] = '\0';
}

static void end(struct field_writer *w, const struct packet_field *field)
{
    if (!w->visit(w->data, field))
        w->refused = true;
    if (!field->is_group)
        w->at += field->bit_length;
}

static void format_number(struct packet_field *field, enum field_form form)
{
    unsigned long long value = field->value;
    if (form == FORM_BIT)
        snprintf(field->text, sizeof field->text, "%s", value ? "set" : "not set");
    else if (form == FORM_HEX)
        snprintf(field->text, sizeof field->text, "0x%0*llx", (int)((field->bit_length + 3) / 4),
                 value);
    else
        snprintf(field->text, sizeof field->text, "%llu", value);
}

uint64_t fields_noted(struct field_writer *w, const char *name, uint32_t bits, enum field_form form,
                      const char *note)
{
    if (!fits(w, bits))
        return 0;
    struct packet_field field;
    begin(w, &field, name, bits, note);
    format_number(&field, form);
    end(w, &field);
    return field.value;
}

uint64_t fields_number(struct field_writer *w, const char *name, uint32_t bits,
                       enum field_form form)
{
    return fields_noted(w, name, bits, form, "");
}

uint64_t fields_put(struct field_writer *w, const char *name, uint32_t bits, const char *note,
                    const char *format, ...)
{
    if (!fits(w, bits))
        return 0;
    struct packet_field field;
    begin(w, &field, name, bits, note);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(field.text, sizeof field.text, format, arguments);
    va_end(arguments);
    end(w, &field);
    return field.value;
}

uint64_t fields_named(struct field_writer *w, const char *name, uint32_t bits, enum field_form form,
                      const char *meaning)
{
    if (meaning == NULL)
        return fields_number(w, name, bits, form);
    if (!fits(w, bits))
        return 0;
    struct packet_field field;
    begin(w, &field, name, bits, "");
    format_number(&field, form);
    size_t length = strlen(field.text);
    snprintf(field.text + length, sizeof field.text - length, " %s", meaning);
    end(w, &field);
    return field.value;
}

/* Bytes as hex digits, with between between them. */
static void format_bytes(const uint8_t *bytes, size_t count, const char *between, char *text,
                         size_t size)
{
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;
    size_t gap = strlen(between);
    for (size_t i = 0; i < count; i++) {
        if (at + gap + 2 + sizeof "…" > size) {
            memcpy(text + at, "…", sizeof "…");
            return;
        }
        if (i > 0) {
            memcpy(text + at, between, gap);
            at += gap;
        }
        text[at++] = digits[bytes[i] >> 4];
        text[at++] = digits[bytes[i] & 15];
    }
    text[at] = '\0';
}

static void put_hex(struct field_writer *w, const char *name, uint32_t count, const char *between)
{
    if (!fits(w, (uint64_t)count * 8))
        return;
    struct packet_field field;
    begin(w, &field, name, (uint64_t)count * 8, "");
    struct cursor in = cursor_here(w);
    const uint8_t *bytes = cursor_take(&in, count);
    if (bytes != NULL)
        format_bytes(bytes, count, between, field.text, sizeof field.text);
    end(w, &field);
}

void fields_ether(struct field_writer *w, const char *name)
{
    put_hex(w, name, 6, ":");
}

void fields_hex(struct field_writer *w, const char *name, uint32_t bytes)
{
    put_hex(w, name, bytes, "");
}

static void put_address(struct field_writer *w, const char *name, uint8_t family)
{
    uint32_t count = family == 4 ? 4 : 16;
    if (!fits(w, count * 8))
        return;
    struct packet_field field;
    begin(w, &field, name, count * 8, "");
    struct cursor in = cursor_here(w);
    const uint8_t *bytes = cursor_take(&in, count);
    if (bytes != NULL) {
        struct address address = {.family = family};
        memcpy(address.bytes, bytes, count);
        address_format_host(&address, field.text);
    }
    end(w, &field);
}

void fields_ipv4(struct field_writer *w, const char *name)
{
    put_address(w, name, 4);
}

void fields_ipv6(struct field_writer *w, const char *name)
{
    put_address(w, name, 6);
}

static void format_size(struct packet_field *field)
{
    unsigned long long bytes = field->bit_length / 8;
    snprintf(field->text, sizeof field->text, bytes == 1 ? "%llu byte" : "%llu bytes", bytes);
}

void fields_bytes(struct field_writer *w, const char *name, uint32_t bytes, const char *note)
{
    if (!fits(w, (uint64_t)bytes * 8))
        return;
    struct packet_field field;
    begin(w, &field, name, (uint64_t)bytes * 8, note);
    field.has_value = false;
    field.value = 0;
    format_size(&field);
    end(w, &field);
}

void fields_checksum(struct field_writer *w, const char *name, enum packet_checksum checksum)
{
    const char *note = "";
    switch (checksum) {
    case CHECKSUM_GOOD:
        note = "good";
        break;
    case CHECKSUM_PARTIAL:
        note = "partial: left to the device";
        break;
    case CHECKSUM_BAD:
        note = "bad";
        break;
    case CHECKSUM_UNKNOWN:
        break;
    }
    fields_noted(w, name, 16, FORM_HEX, note);
}

struct field_group fields_open(struct field_writer *w, const char *name, uint32_t bits,
                               const char *format, ...)
{
    struct field_group group = {.limit = w->limit};
    if (!fits(w, bits))
        return group;
    struct packet_field field;
    begin(w, &field, name, bits, "");
    field.is_group = true;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(field.text, sizeof field.text, format, arguments);
    va_end(arguments);
    end(w, &field);
    group.is_open = true;
    w->limit = w->at + bits;
    w->depth++;
    return group;
}

void fields_close(struct field_writer *w, struct field_group group)
{
    if (!group.is_open)
        return;
    fields_fill(w);
    w->limit = group.limit;
    w->depth--;
}

void fields_layer(struct field_writer *w, enum packet_layer layer, uint32_t last)
{
    w->layer = layer;
    w->limit = (uint64_t)last * 8;
}

void fields_fill(struct field_writer *w)
{
    w->short_of = false;
    if (w->refused || w->at >= w->limit)
        return;
    struct packet_field field;
    uint64_t bits = w->limit - w->at;
    const char *note = w->packet->fault == FAULT_NONE ? "" : packet_fault_text(w->packet);
    begin(w, &field, "Not decoded", bits, note);
    if (bits % 8 != 0)
        snprintf(field.text, sizeof field.text, bits == 1 ? "%u bit" : "%u bits", (unsigned)bits);
    else
        format_size(&field);
    field.has_value = false;
    field.value = 0;
    end(w, &field);
}
