/*
 * The headers as the RFCs draw them: 32 bits a row, two columns a bit, each field a cell with its
 * name and this packet's value.
 *
 * A header's fields are collected as cells, then drawn row by row. A cell that reaches over a
 * row's end is drawn in parts, and named in its widest; one that fills whole rows is one tall
 * cell. Names of single bits stand upright.
 */
#include <stdio.h>
#include <string.h>

#include "view/bytes.h"

#define ROW_BITS     32
#define DRAWING      (2 * ROW_BITS + 1) /* columns */
#define MOST_CELLS   96
#define MOST_ROWS    16 /* 15 for the longest IPv4 or TCP header */
#define LABEL_LINES  3
#define LABEL_LENGTH 32

struct cell {
    uint32_t bit_at; /* from the header's first bit */
    uint32_t bits;
    const char *name;
    char text[PACKET_FIELD_TEXT];
    bool is_set; /* of a single bit */
};

struct drawing {
    struct bytes *bytes;
    enum packet_layer layer;
    bool any;
    uint64_t base; /* the header's first bit in the frame */
    uint64_t limit;
    size_t count;
    struct cell cells[MOST_CELLS];
    size_t left; /* columns before the drawing */
};

/* A cell's part in one row. cell NULL: what the capture does not have. */
struct part {
    const struct cell *cell;
    uint32_t from, to; /* bits of the row */
    bool is_named;
};

struct row {
    size_t count;
    struct part parts[ROW_BITS];
    uint64_t borders; /* a bit for each bit position where a part begins or ends */
};

static const char *reference(enum packet_layer layer)
{
    switch (layer) {
    case LAYER_IPV4:
        return "RFC 791 section 3.1";
    case LAYER_IPV6:
        return "RFC 8200 section 3";
    case LAYER_TCP:
        return "RFC 9293 section 3.1";
    case LAYER_UDP:
        return "RFC 768";
    case LAYER_ICMP:
        return "RFC 792";
    case LAYER_ICMPV6:
        return "RFC 4443 section 2.1";
    default:
        return NULL;
    }
}

/* Names that have no room in their cells. */
static const char *short_name(const char *name, uint32_t bits)
{
    if (bits <= 4 && strcmp(name, "Reserved") == 0)
        return bits == 1 ? "R" : "Rsrvd";
    return name;
}

/* The same for values. */
static const char *short_value(const char *text)
{
    if (strcmp(text, "2 Maximum Segment Size") == 0)
        return "2 MSS";
    if (strcmp(text, "4 SACK Permitted") == 0)
        return "4 SACK Perm.";
    return text;
}

static size_t part_width(const struct part *part)
{
    return 2 * (part->to - part->from) - 1;
}

/* The name in lines, each as wide as the part at most. Returns how many. */
static size_t label_lines(const struct part *part, char lines[LABEL_LINES][LABEL_LENGTH])
{
    if (part->cell == NULL || !part->is_named) {
        snprintf(lines[0], LABEL_LENGTH, "%s", part->cell == NULL ? "cut off" : "(cont.)");
        if (part_width(part) < strlen(lines[0]))
            lines[0][0] = '\0';
        return 1;
    }
    const char *name = short_name(part->cell->name, part->cell->bits);
    size_t width = part_width(part);
    size_t count = 0;
    if (width == 1) {
        for (; count < LABEL_LINES && name[count] != '\0'; count++)
            snprintf(lines[count], LABEL_LENGTH, "%c", name[count]);
        return count;
    }
    while (*name != '\0' && count < LABEL_LINES) {
        size_t length = strlen(name);
        size_t fits = length <= width ? length : width;
        while (fits < length && fits > 0 && name[fits] != ' ')
            fits--;
        if (fits == 0)
            fits = length < width ? length : width;
        snprintf(lines[count++], LABEL_LENGTH, "%.*s", (int)fits, name);
        name += fits;
        name += strspn(name, " ");
    }
    return count;
}

/* The value, as much of it as there is room for. */
static void value_text(const struct part *part, char text[PACKET_FIELD_TEXT])
{
    text[0] = '\0';
    if (part->cell == NULL || !part->is_named)
        return;
    size_t width = part_width(part);
    if (part->cell->bits == 1) {
        snprintf(text, PACKET_FIELD_TEXT, "%s", part->cell->is_set ? "1" : "0");
        return;
    }
    const char *full = short_value(part->cell->text);
    size_t length = strlen(full);
    if (terminal_width(full, length) > width) {
        length = strcspn(full, " ");
        if (length > width)
            length = terminal_fit(full, length, width);
    }
    snprintf(text, PACKET_FIELD_TEXT, "%.*s", (int)length, full);
}

static void put_centered(struct paint_line *line, unsigned style, const char *text, size_t width)
{
    size_t start = line->column;
    size_t used = terminal_width(text, strlen(text));
    if (used < width)
        paint_to(line, start + (width - used) / 2);
    paint_text(line, style, text);
    paint_to(line, start + width);
}

static bool collect(void *data, const struct packet_field *field)
{
    struct drawing *drawing = data;
    if (field->quoted || field->layer != drawing->layer || field->is_group)
        return true;
    if (!drawing->any) {
        drawing->any = true;
        drawing->base = field->bit_at;
    }
    uint64_t at = field->bit_at - drawing->base;
    if (at + field->bit_length > drawing->limit || drawing->count == MOST_CELLS)
        return true;
    struct cell *cell = &drawing->cells[drawing->count++];
    cell->bit_at = (uint32_t)at;
    cell->bits = (uint32_t)field->bit_length;
    cell->name = field->name;
    cell->is_set = field->value != 0;
    memcpy(cell->text, field->text, sizeof cell->text);
    return true;
}

/* Which bits of the row are the cell's; false if none. */
static bool cut_to_row(const struct cell *cell, uint32_t row, struct part *part)
{
    uint32_t start = row * ROW_BITS;
    uint32_t end = cell->bit_at + cell->bits;
    if (end <= start || cell->bit_at >= start + ROW_BITS)
        return false;
    part->cell = cell;
    part->from = cell->bit_at > start ? cell->bit_at - start : 0;
    part->to = end < start + ROW_BITS ? end - start : ROW_BITS;
    return true;
}

/* Whether the cell fills whole rows, more than one. */
static bool is_tall(const struct cell *cell)
{
    return cell->bit_at % ROW_BITS == 0 && cell->bits % ROW_BITS == 0 && cell->bits > ROW_BITS;
}

/* A cell in parts is named in the first of its widest ones. */
static bool is_named_in(const struct cell *cell, uint32_t row)
{
    uint32_t widest = 0, best = row;
    for (uint32_t each = cell->bit_at / ROW_BITS; each * ROW_BITS < cell->bit_at + cell->bits;
         each++) {
        struct part part;
        if (cut_to_row(cell, each, &part) && part.to - part.from > widest) {
            widest = part.to - part.from;
            best = each;
        }
    }
    return best == row;
}

static void make_row(const struct drawing *drawing, uint32_t number, struct row *row)
{
    uint32_t covered = 0;
    row->count = 0;
    row->borders = 1 | UINT64_C(1) << ROW_BITS;
    for (size_t i = 0; i < drawing->count && row->count < ROW_BITS; i++) {
        struct part *part = &row->parts[row->count];
        if (!cut_to_row(&drawing->cells[i], number, part))
            continue;
        part->is_named = is_named_in(part->cell, number);
        row->borders |= UINT64_C(1) << part->from | UINT64_C(1) << part->to;
        covered = part->to;
        row->count++;
    }
    if (covered < ROW_BITS && row->count < ROW_BITS)
        row->parts[row->count++] = (struct part){.from = covered, .to = ROW_BITS};
}

static void put_border(const struct drawing *drawing, uint64_t above, uint64_t below)
{
    static const char *const inner[] = {"─", "┬", "┴", "┼"};
    static const char *const first[] = {"─", "┌", "└", "├"};
    static const char *const last[] = {"─", "┐", "┘", "┤"};
    struct paint_line *line = &drawing->bytes->line;
    bool utf8 = drawing->bytes->options->terminal.utf8;
    paint_to(line, drawing->left);
    for (unsigned bit = 0; bit <= ROW_BITS; bit++) {
        unsigned shape = (unsigned)(above >> bit & 1) << 1 | (unsigned)(below >> bit & 1);
        const char *const *shapes = bit == 0 ? first : bit == ROW_BITS ? last : inner;
        paint_text(line, PAINT_DIM, !utf8 ? "+" : shapes[shape]);
        if (bit < ROW_BITS)
            paint_text(line, PAINT_DIM, utf8 ? "─" : "-");
    }
    paint_end(line, drawing->bytes->out);
}

static void put_offset(const struct drawing *drawing, uint32_t row)
{
    struct paint_line *line = &drawing->bytes->line;
    if (drawing->left > 0)
        paint_printf(line, PAINT_DIM, "%0*llx", (int)drawing->bytes->digits,
                     (unsigned long long)(drawing->base / 8 + row * (ROW_BITS / 8)));
    paint_to(line, drawing->left);
}

static void put_row(const struct drawing *drawing, uint32_t number, const struct row *row)
{
    char labels[ROW_BITS][LABEL_LINES][LABEL_LENGTH];
    size_t heights[ROW_BITS];
    size_t height = 1;
    for (size_t i = 0; i < row->count; i++) {
        heights[i] = label_lines(&row->parts[i], labels[i]);
        if (heights[i] > height)
            height = heights[i];
    }
    struct paint_line *line = &drawing->bytes->line;
    unsigned style = bytes_layer_style(drawing->layer);
    const char *bar = bytes_bar(drawing->bytes);
    for (size_t y = 0; y <= height; y++) {
        if (y == 0)
            put_offset(drawing, number);
        paint_to(line, drawing->left);
        for (size_t i = 0; i < row->count; i++) {
            const struct part *part = &row->parts[i];
            size_t top = (height - heights[i]) / 2;
            char value[PACKET_FIELD_TEXT] = "";
            paint_text(line, PAINT_DIM, bar);
            if (y == height) {
                value_text(part, value);
                bool is_clear = part->cell != NULL && part->cell->bits == 1 && !part->cell->is_set;
                put_centered(line, is_clear ? PAINT_DIM : style | PAINT_BOLD, value,
                             part_width(part));
            } else {
                bool inside = y >= top && y - top < heights[i];
                put_centered(line, part->cell == NULL ? PAINT_RED : PAINT_PLAIN,
                             inside ? labels[i][y - top] : "", part_width(part));
            }
        }
        paint_text(line, PAINT_DIM, bar);
        paint_end(line, drawing->bytes->out);
    }
}

/* A tall cell: a line for each of its rows. Returns how many. */
static uint32_t put_tall(const struct drawing *drawing, uint32_t number, const struct cell *cell)
{
    struct paint_line *line = &drawing->bytes->line;
    uint32_t rows = cell->bits / ROW_BITS;
    uint32_t name_at = (rows - 2) / 2;
    const char *bar = bytes_bar(drawing->bytes);
    for (uint32_t y = 0; y < rows; y++) {
        put_offset(drawing, number + y);
        paint_text(line, PAINT_DIM, bar);
        if (y == name_at)
            put_centered(line, PAINT_PLAIN, cell->name, DRAWING - 2);
        else if (y == name_at + 1)
            put_centered(line, bytes_layer_style(drawing->layer) | PAINT_BOLD, cell->text,
                         DRAWING - 2);
        paint_to(line, drawing->left + DRAWING - 1);
        paint_text(line, PAINT_DIM, bar);
        paint_end(line, drawing->bytes->out);
    }
    return rows;
}

/* The RFCs' ruler: tens above, ones below. */
static void put_ruler(const struct drawing *drawing)
{
    struct paint_line *line = &drawing->bytes->line;
    for (unsigned bit = 0; bit < ROW_BITS; bit += 10) {
        paint_to(line, drawing->left + 1 + 2 * bit);
        paint_printf(line, PAINT_DIM, "%u", bit / 10);
    }
    paint_end(line, drawing->bytes->out);
    for (unsigned bit = 0; bit < ROW_BITS; bit++) {
        paint_to(line, drawing->left + 1 + 2 * bit);
        paint_printf(line, PAINT_DIM, "%u", bit % 10);
    }
    paint_end(line, drawing->bytes->out);
}

static void draw(const struct drawing *drawing)
{
    struct bytes *bytes = drawing->bytes;
    const struct cell *last = &drawing->cells[drawing->count - 1];
    uint32_t bits = last->bit_at + last->bits;
    uint32_t rows = (bits + ROW_BITS - 1) / ROW_BITS;
    struct row row;
    uint64_t above = 0;
    paint_begin(&bytes->line, bytes->options->terminal.color);
    paint_to(&bytes->line, drawing->left);
    paint_text(&bytes->line, bytes_layer_style(drawing->layer) | PAINT_BOLD,
               packet_layer_name(drawing->layer));
    paint_printf(&bytes->line, PAINT_DIM, " header, %s", reference(drawing->layer));
    paint_end(&bytes->line, bytes->out);
    put_ruler(drawing);
    for (uint32_t number = 0; number < rows;) {
        make_row(drawing, number, &row);
        put_border(drawing, above, row.borders);
        above = row.borders;
        if (row.count == 1 && row.parts[0].cell != NULL && is_tall(row.parts[0].cell))
            number += put_tall(drawing, number, row.parts[0].cell);
        else
            put_row(drawing, number++, &row);
    }
    put_border(drawing, above, 0);
    buffer_append_byte(bytes->out, '\n');
}

/* How long the header is, in bits: behind the IPv4 header an Authentication Header may follow. */
static uint64_t header_bits(const struct packet *packet, enum packet_layer layer)
{
    if (layer == LAYER_IPV4 && packet->ip_header_length >= 20 && packet->ip_header_length <= 60)
        return (uint64_t)packet->ip_header_length * 8;
    return (uint64_t)MOST_ROWS * ROW_BITS;
}

void bytes_diagrams(struct bytes *bytes)
{
    static const enum packet_layer layers[] = {LAYER_IPV4, LAYER_IPV6, LAYER_TCP,
                                               LAYER_UDP,  LAYER_ICMP, LAYER_ICMPV6};
    size_t columns = (size_t)bytes->options->terminal.columns;
    size_t left = bytes->digits + 2;
    if (columns < DRAWING)
        return;
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        struct drawing drawing = {
            .bytes = bytes,
            .layer = layers[i],
            .limit = header_bits(bytes->item->packet, layers[i]),
            .left = columns < left + DRAWING ? 0 : left,
        };
        packet_fields(bytes->item->packet, collect, &drawing);
        if (drawing.count > 0)
            draw(&drawing);
    }
}
