/*
 * bytes.h - what the parts of the view of bytes share. For bytes*.c only.
 *
 * Each packet is its headers' fields beside their bytes, a row for each 32 bits as in the RFCs'
 * drawings, and its payload as a hexdump:
 *
 *     TCP      0022  c8 22│ff 98              Source Port 51234 │ Destination Port 65432
 *              0026  00 00 03 e9              Sequence Number 1001 (relative 1)
 *     Payload  0036  48 65 6c 6c 6f 20 66 72 6f 6d 20 74 68 65 20 63 Hello from the c
 *
 * A packet asked for by --number is told at length: the drawings of its headers, then every field
 * with what it means, then all bytes. The layer is named beside the bytes and is their colour.
 */
#ifndef HANDLENS_VIEW_BYTES_H
#define HANDLENS_VIEW_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/fields.h"
#include "view/paint.h"
#include "view/render.h"

/* Below this many columns layers are named above their rows, and rows are short. */
#define BYTES_NARROW 64

/* One row of a header: fields side by side. */
#define BYTES_ROW_FIELDS 33

struct bytes_row {
    enum packet_layer layer;
    bool quoted;
    uint64_t bit_at, bit_end;
    size_t count;
    uint64_t ends[BYTES_ROW_FIELDS]; /* where each field ends */
};

struct bytes {
    const struct view_options *options;
    struct buffer *out;
    struct paint_line line;
    struct paint_block block;
    uint64_t shown; /* packets */

    /* The packet under way. */
    const struct view_item *item;
    unsigned digits; /* of an offset */
    bool is_narrow;
    bool has_layer; /* layer and layer_quoted are of the last row drawn */
    enum packet_layer layer;
    bool layer_quoted;
    struct bytes_row row;
    uint64_t skip_to; /* fields before this bit are parts of what was told as a whole */
};

/* bytes.c */

/* "IPv4", at most eight columns. */
const char *bytes_layer_label(enum packet_layer layer, bool quoted);
unsigned bytes_layer_style(enum packet_layer layer);
/* What to say behind a field's text, or NULL: its note, or a number's relative one. Lives until the
 * next call of it. */
const char *bytes_note(const struct bytes *bytes, const struct packet_field *field, char text[64]);
/* The separator of fields, "│". */
const char *bytes_bar(const struct bytes *bytes);

/* bytes_rows.c: headers as rows of named fields, payload as a hexdump. */

/* most: rows of payload at most; 0: all. */
void bytes_rows(struct bytes *bytes, size_t most);
/* All bytes as a hexdump, broken where a layer begins. */
void bytes_dump(struct bytes *bytes);

/* bytes_diagram.c: the headers as the RFCs draw them. Nothing below 65 columns. */
void bytes_diagrams(struct bytes *bytes);

/* bytes_list.c: a field a line, with what it means. */
void bytes_list(struct bytes *bytes);

/* bytes_meaning.c: what a field is for, in a few words; "" if its name says it. */
const char *bytes_meaning(const struct packet_field *field);

#endif
