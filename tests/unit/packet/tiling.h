/*
 * tiling.h - checks what fields.h promises of every packet: that the fields cover it without gap
 * or overlap, and parts their group. For the unit tests and the fuzzer.
 */
#ifndef HANDLENS_TESTS_PACKET_TILING_H
#define HANDLENS_TESTS_PACKET_TILING_H

#include <string.h>

#include "packet/fields.h"

#define TILING_DEPTHS 8

struct tiling {
    uint64_t at;                  /* up to here the fields without parts reach */
    uint64_t ends[TILING_DEPTHS]; /* where the open groups end, outermost first */
    unsigned open;
    unsigned fields;
    const char *wrong; /* the first broken promise, or NULL */
};

static inline bool tiling_visit(void *data, const struct packet_field *field)
{
    struct tiling *t = data;
    t->fields++;
    while (t->open > 0 && t->ends[t->open - 1] == t->at)
        t->open--;
    if (field->bit_length == 0)
        t->wrong = "an empty field";
    else if (field->bit_at != t->at)
        t->wrong = "a gap or an overlap";
    else if (field->depth != t->open)
        t->wrong = "a wrong depth";
    else if (t->open > 0 && field->bit_at + field->bit_length > t->ends[t->open - 1])
        t->wrong = "a part that is longer than its group";
    else if (field->name == NULL || field->note == NULL || field->name[0] == '\0')
        t->wrong = "no name or note";
    else if (memchr(field->text, '\0', sizeof field->text) == NULL)
        t->wrong = "a text without an end";
    else if (field->has_value && field->bit_length < 64 && field->value >> field->bit_length != 0)
        t->wrong = "a value of more bits than the field";
    else if (field->is_group && t->open == TILING_DEPTHS)
        t->wrong = "too many groups in each other";
    if (t->wrong != NULL)
        return false;
    if (field->is_group)
        t->ends[t->open++] = field->bit_at + field->bit_length;
    else
        t->at += field->bit_length;
    return true;
}

/* Returns NULL, or what is wrong with the packet's fields. */
static inline const char *tiling_wrong(const struct packet *packet)
{
    struct tiling t = {0};
    packet_fields(packet, tiling_visit, &t);
    if (t.wrong != NULL)
        return t.wrong;
    return t.at == (uint64_t)packet->captured * 8 ? NULL : "not all bytes are covered";
}

#endif
