/* Headers as rows of named fields beside their bytes, payload as a hexdump. */
#include <stdio.h>
#include <string.h>

#include "view/bytes.h"
#include "view/hexdump.h"

/* Groups up to this size are told as one field, longer ones by their parts. */
#define WHOLE_BITS 32

#define LABEL_COLUMNS 9

static size_t bytes_left(const struct bytes *bytes)
{
    size_t label = bytes->is_narrow ? 0 : LABEL_COLUMNS;
    size_t offset = bytes->digits + (bytes->digits > 4 && label > 0 ? 1 : 2);
    return label + offset;
}

/* The layer's name where it begins, and the offset of the row's first byte. */
static void begin_row(struct bytes *bytes, enum packet_layer layer, bool quoted, uint64_t offset)
{
    bool is_new = !bytes->has_layer || bytes->layer != layer || bytes->layer_quoted != quoted;
    struct paint_line *line = &bytes->line;
    paint_begin(line, bytes->options->terminal.color);
    if (is_new) {
        paint_text(line, bytes_layer_style(layer) | PAINT_BOLD, bytes_layer_label(layer, quoted));
        if (bytes->is_narrow)
            paint_end(line, bytes->out);
    }
    paint_to(line, bytes->is_narrow ? 0 : LABEL_COLUMNS);
    paint_printf(line, PAINT_DIM, "%0*llx", (int)bytes->digits, (unsigned long long)offset);
    paint_to(line, bytes_left(bytes));
    bytes->has_layer = true;
    bytes->layer = layer;
    bytes->layer_quoted = quoted;
}

/* Whether a field ends, and another begins, before this byte. */
static bool is_border(const struct bytes_row *row, uint64_t byte)
{
    for (size_t i = 0; i + 1 < row->count; i++)
        if (row->ends[i] == byte * 8)
            return true;
    return false;
}

/* So many bytes of the row, from its first one or a later one. */
static void put_row_bytes(struct bytes *bytes, uint64_t from, size_t count)
{
    const struct packet *packet = bytes->item->packet;
    unsigned style = bytes_layer_style(bytes->row.layer);
    struct paint_line *line = &bytes->line;
    for (uint64_t at = from; at < from + count && at < packet->captured; at++) {
        if (at > from && is_border(&bytes->row, at))
            paint_text(line, PAINT_DIM, bytes_bar(bytes));
        else if (at > from)
            paint_to(line, line->column + 1);
        paint_printf(line, style, "%02x", packet->bytes[at]);
    }
}

static void end_row(struct bytes *bytes)
{
    struct bytes_row *row = &bytes->row;
    struct paint_block *block = &bytes->block;
    if (row->count == 0)
        return;
    size_t per_line = bytes->is_narrow ? 4 : 8;
    size_t text_at = bytes_left(bytes) + per_line * 3 + 1;
    uint64_t first = row->bit_at / 8;
    uint64_t end = (row->bit_end + 7) / 8;
    for (size_t i = 0; first + i * per_line < end || i < block->count; i++) {
        uint64_t from = first + i * per_line;
        size_t left = from < end ? (size_t)(end - from) : 0;
        if (left > 0)
            begin_row(bytes, row->layer, row->quoted, from);
        else
            paint_begin(&bytes->line, bytes->options->terminal.color);
        put_row_bytes(bytes, from, left < per_line ? left : per_line);
        paint_to(&bytes->line, text_at);
        if (i < block->count)
            paint_join(&bytes->line, &block->rows[i]);
        paint_end(&bytes->line, bytes->out);
    }
    row->count = 0;
}

/* "10 bytes" of a group says nothing that its bytes do not. */
static bool is_size_only(const struct packet_field *field)
{
    return field->is_group && strstr(field->text, " bytes") != NULL;
}

static void put_field(struct bytes *bytes, const struct packet_field *field)
{
    struct bytes_row *row = &bytes->row;
    struct paint_block *block = &bytes->block;
    char room[64];
    const char *note = bytes_note(bytes, field, room);
    if (note != NULL && strncmp(note, "in units", 8) == 0)
        note = NULL; /* the value is told in bytes as well */
    const char *text = is_size_only(field) ? "" : field->text;
    if (row->count == 0) {
        size_t left = bytes_left(bytes) + (bytes->is_narrow ? 4 : 8) * 3 + 1;
        paint_block_begin(block, bytes->options->terminal.color,
                          (size_t)bytes->options->terminal.columns - left);
        *row = (struct bytes_row){
            .layer = field->layer, .quoted = field->quoted, .bit_at = field->bit_at};
    } else {
        size_t width = 2 + strlen(field->name) + 1 + terminal_width(text, strlen(text)) +
                       (note == NULL ? 0 : 3 + strlen(note));
        if (paint_block_fits(block, width))
            paint_block_words(block, PAINT_DIM, bytes_bar(bytes));
        else
            paint_block_break(block);
    }
    row->ends[row->count++] = field->bit_at + field->bit_length;
    row->bit_end = field->bit_at + field->bit_length;
    paint_block_words(block, PAINT_PLAIN, field->name);
    paint_block_words(block, PAINT_BOLD, text);
    if (note == NULL)
        return;
    char words[128];
    snprintf(words, sizeof words, "(%s)", note);
    paint_block_words(block, strcmp(note, "bad") == 0 ? PAINT_RED : PAINT_DIM, words);
}

static void put_dump(struct bytes *bytes, enum packet_layer layer, bool quoted, uint64_t at,
                     uint64_t length, size_t most)
{
    const struct packet *packet = bytes->item->packet;
    const struct terminal *terminal = &bytes->options->terminal;
    size_t left = bytes_left(bytes);
    size_t per_row = hexdump_per_row(left, (size_t)terminal->columns);
    uint64_t shown = length;
    if (most != 0 && length > most * per_row)
        shown = (most - 1) * per_row;
    for (uint64_t from = 0; from < shown; from += per_row) {
        size_t count = shown - from < per_row ? (size_t)(shown - from) : per_row;
        begin_row(bytes, layer, quoted, at + from);
        hexdump_row(&bytes->line, bytes_layer_style(layer), packet->bytes + at, (size_t)length,
                    (size_t)from, count, per_row, terminal->utf8 && layer == LAYER_PAYLOAD);
        paint_end(&bytes->line, bytes->out);
    }
    if (shown == length)
        return;
    char rest[96];
    snprintf(rest, sizeof rest, "%llu more bytes; --number %llu shows all",
             (unsigned long long)(length - shown),
             (unsigned long long)bytes->item->event->packet.number);
    paint_to(&bytes->line, bytes->is_narrow ? 0 : left);
    paint_cut(&bytes->line, PAINT_DIM, rest, strlen(rest), (size_t)terminal->columns);
    paint_end(&bytes->line, bytes->out);
}

struct rows_visit {
    struct bytes *bytes;
    size_t most;
};

/* Whether the field is bytes without a header's form. */
static bool is_plain(const struct packet_field *field)
{
    return field->layer == LAYER_PAYLOAD || field->layer == LAYER_PADDING ||
           (field->bit_length > 256 && field->bit_at % 8 == 0);
}

static bool visit_row(void *data, const struct packet_field *field)
{
    const struct rows_visit *visit = data;
    struct bytes *bytes = visit->bytes;
    struct bytes_row *row = &bytes->row;
    if (field->bit_at < bytes->skip_to || (field->is_group && field->bit_length > WHOLE_BITS))
        return true;
    uint64_t row_bits = row->bit_end - row->bit_at;
    if (row->count > 0 &&
        (row->layer != field->layer || row->quoted != field->quoted || is_plain(field) ||
         row->count == BYTES_ROW_FIELDS ||
         (row->bit_end % 8 == 0 && (row_bits >= 32 || row_bits + field->bit_length > 64))))
        end_row(bytes);
    if (is_plain(field))
        put_dump(bytes, field->layer, field->quoted, field->bit_at / 8, field->bit_length / 8,
                 visit->most);
    else
        put_field(bytes, field);
    bytes->skip_to = field->bit_at + field->bit_length;
    return true;
}

void bytes_rows(struct bytes *bytes, size_t most)
{
    struct rows_visit visit = {bytes, most};
    bytes->has_layer = false;
    bytes->row.count = 0;
    bytes->skip_to = 0;
    packet_fields(bytes->item->packet, visit_row, &visit);
    end_row(bytes);
}

/* A run of fields of one layer. */
struct dump_visit {
    struct bytes *bytes;
    bool any;
    bool quoted;
    enum packet_layer layer;
    uint64_t bit_at, bit_end;
};

static void end_dump(const struct dump_visit *visit)
{
    uint64_t at = visit->bit_at / 8;
    if (visit->any)
        put_dump(visit->bytes, visit->layer, visit->quoted, at, (visit->bit_end + 7) / 8 - at, 0);
}

static bool visit_dump(void *data, const struct packet_field *field)
{
    struct dump_visit *visit = data;
    if (!visit->any || visit->layer != field->layer || visit->quoted != field->quoted) {
        end_dump(visit);
        visit->any = true;
        visit->layer = field->layer;
        visit->quoted = field->quoted;
        visit->bit_at = field->bit_at;
    }
    visit->bit_end = field->bit_at + field->bit_length;
    return true;
}

void bytes_dump(struct bytes *bytes)
{
    struct dump_visit visit = {.bytes = bytes};
    bytes->has_layer = false;
    packet_fields(bytes->item->packet, visit_dump, &visit);
    end_dump(&visit);
}
