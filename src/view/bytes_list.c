/* Every field of a packet on a line of its own: offset, bytes, name, value, and what it means. */
#include <stdio.h>
#include <string.h>

#include "view/bytes.h"

#define NAME_COLUMNS 25

/* Bytes of a long field that are shown; the hexdump has them all. */
#define MOST_BYTES 16

struct columns {
    size_t bytes, name, text; /* where they begin */
    size_t per_line;          /* bytes */
};

struct list {
    struct bytes *bytes;
    struct columns columns;
    bool any;
    bool quoted;
    enum packet_layer layer;
};

static struct columns columns_of(const struct bytes *bytes)
{
    struct columns columns = {.bytes = bytes->digits + 2, .per_line = 4};
    if (bytes->options->terminal.columns >= 110)
        columns.per_line = 8;
    columns.name = columns.bytes + 3 * columns.per_line + 1;
    columns.text = columns.name + NAME_COLUMNS;
    if (bytes->options->terminal.columns < BYTES_NARROW) /* all in one column */
        columns.text = columns.name;
    return columns;
}

/* Bits that are part of one byte: "010.....". */
static void put_bits(struct list *list, const struct packet_field *field)
{
    char text[9];
    unsigned from = field->bit_at % 8;
    unsigned to = from + (unsigned)field->bit_length;
    for (unsigned bit = 0; bit < 8; bit++) {
        unsigned value = (unsigned)(field->value >> ((to - 1 - bit) & 63) & 1);
        text[bit] = bit < from || bit >= to ? '.' : value != 0 ? '1' : '0';
    }
    text[8] = '\0';
    paint_text(&list->bytes->line, bytes_layer_style(field->layer), text);
}

/*
 * The line's bytes of the field, counted from its first one. Bits that reach over two or three
 * bytes are shown as those bytes and the mask that picks them out.
 */
static void put_bytes(struct list *list, const struct packet_field *field, size_t from)
{
    const struct packet *packet = list->bytes->item->packet;
    struct paint_line *line = &list->bytes->line;
    uint64_t first = field->bit_at / 8;
    uint64_t end = (field->bit_at + field->bit_length + 7) / 8;
    bool is_whole = field->bit_at % 8 == 0 && field->bit_length % 8 == 0;
    if (!is_whole && end - first == 1) {
        if (from == 0)
            put_bits(list, field);
        return;
    }
    uint64_t shown = end - first > MOST_BYTES ? first + MOST_BYTES : end;
    for (size_t i = 0; i < list->columns.per_line; i++) {
        uint64_t at = first + from + i;
        if (at >= shown || at >= packet->captured)
            break;
        if (i > 0)
            paint_to(line, line->column + 1);
        paint_printf(line, bytes_layer_style(field->layer), "%02x", packet->bytes[at]);
    }
    if (!is_whole && from == 0 && end - first <= 2 && field->bit_length < 16) {
        unsigned shift = (unsigned)((16 - (field->bit_at + field->bit_length) % 8) % 8);
        unsigned mask = ((1u << field->bit_length) - 1) << shift;
        paint_printf(line, PAINT_DIM, " &%04x", mask);
    }
}

static size_t byte_lines(const struct list *list, const struct packet_field *field)
{
    uint64_t count = (field->bit_at % 8 + field->bit_length + 7) / 8;
    if (count > MOST_BYTES)
        count = list->columns.per_line; /* a beginning is enough */
    return (size_t)((count + list->columns.per_line - 1) / list->columns.per_line);
}

static void begin_layer(struct list *list, const struct packet_field *field)
{
    struct bytes *bytes = list->bytes;
    if (list->any && list->layer == field->layer && list->quoted == field->quoted)
        return;
    if (list->any)
        buffer_append_byte(bytes->out, '\n');
    list->any = true;
    list->layer = field->layer;
    list->quoted = field->quoted;
    paint_begin(&bytes->line, bytes->options->terminal.color);
    paint_text(&bytes->line, bytes_layer_style(field->layer) | PAINT_BOLD,
               packet_layer_name(field->layer));
    if (field->quoted)
        paint_text(&bytes->line, PAINT_DIM, ", of the packet that is quoted");
    paint_end(&bytes->line, bytes->out);
}

/* What the field is for, behind its value. Units belong to that; a bit's note is in other words. */
static void write_meaning(struct list *list, const struct packet_field *field, bool units)
{
    struct paint_block *block = &list->bytes->block;
    const char *meaning = bytes_meaning(field);
    char words[192];
    snprintf(words, sizeof words, "%s%s%s", meaning, units && meaning[0] != '\0' ? ", " : "",
             units ? field->note : "");
    if (words[0] == '\0')
        return;
    if (paint_block_fits(block, 2 + strlen(words)))
        paint_block_words(block, PAINT_DIM, list->bytes->options->terminal.utf8 ? "·" : "-");
    else
        paint_block_break(block);
    paint_block_words(block, PAINT_DIM, words);
}

/* Value, judgement and meaning, wrapped. */
static void write_text(struct list *list, const struct packet_field *field)
{
    struct paint_block *block = &list->bytes->block;
    char room[64], words[192];
    const char *note = bytes_note(list->bytes, field, room);
    bool units = note != NULL && strncmp(note, "in units", 8) == 0;
    paint_block_begin(block, list->bytes->options->terminal.color,
                      (size_t)list->bytes->options->terminal.columns - list->columns.text);
    if (list->columns.text == list->columns.name)
        paint_block_words(block, PAINT_PLAIN, field->name);
    paint_block_words(block, PAINT_BOLD, field->text);
    if (note != NULL && !units && (field->bit_length > 1 || bytes_meaning(field)[0] == '\0')) {
        snprintf(words, sizeof words, "(%s)", note);
        paint_block_words(block, strcmp(note, "bad") == 0 ? PAINT_RED : PAINT_PLAIN, words);
    }
    write_meaning(list, field, units);
}

static bool visit_field(void *data, const struct packet_field *field)
{
    struct list *list = data;
    struct bytes *bytes = list->bytes;
    struct paint_line *line = &bytes->line;
    begin_layer(list, field);
    write_text(list, field);
    size_t lines = byte_lines(list, field);
    if (lines < bytes->block.count)
        lines = bytes->block.count;
    for (size_t i = 0; i < lines; i++) {
        paint_begin(line, bytes->options->terminal.color);
        if (i == 0)
            paint_printf(line, PAINT_DIM, "%0*llx", (int)bytes->digits,
                         (unsigned long long)(field->bit_at / 8));
        paint_to(line, list->columns.bytes);
        if (i < byte_lines(list, field))
            put_bytes(list, field, i * list->columns.per_line);
        if (i == 0 && list->columns.name != list->columns.text) {
            paint_to(line, list->columns.name + 2u * (field->depth < 3 ? field->depth : 3u));
            paint_cut(line, PAINT_PLAIN, field->name, strlen(field->name), list->columns.text - 1);
        }
        paint_to(line, list->columns.text);
        if (i < bytes->block.count)
            paint_join(line, &bytes->block.rows[i]);
        paint_end(line, bytes->out);
    }
    return true;
}

void bytes_list(struct bytes *bytes)
{
    struct list list = {.bytes = bytes, .columns = columns_of(bytes)};
    packet_fields(bytes->item->packet, visit_field, &list);
}
