#include "manual/markdown.h"

#include <ctype.h>
#include <string.h>

#include "manual/mdoc.h"

#define COLUMNS 8

enum block {
    BLOCK_NONE, /* directly behind a heading: whatever comes needs no space before it */
    BLOCK_TEXT,
    BLOCK_LIST,
    BLOCK_TABLE,
    BLOCK_CODE,
};

struct page {
    struct buffer *out;
    enum block open;            /* what has begun and not ended; BLOCK_NONE between blocks */
    bool fenced;                /* the open code is in a fence */
    bool spaced;                /* nothing stands between here and the last heading or item */
    struct buffer text;         /* the running text read so far */
    char headings[COLUMNS][64]; /* of the open table */
};

/* A piece of a line, not ended by a zero. */
struct piece {
    const char *text;
    size_t length;
};

static bool begins_with(struct piece line, const char *prefix)
{
    size_t length = strlen(prefix);
    return line.length >= length && strncmp(line.text, prefix, length) == 0;
}

static struct piece trimmed(struct piece piece)
{
    while (piece.length > 0 && piece.text[0] == ' ') {
        piece.text++;
        piece.length--;
    }
    while (piece.length > 0 && piece.text[piece.length - 1] == ' ')
        piece.length--;
    return piece;
}

static struct piece without(struct piece piece, size_t bytes)
{
    return (struct piece){piece.text + bytes, piece.length - bytes};
}

/* How many bytes until mark comes again behind at; the piece's length if it doesn't. */
static size_t until(struct piece piece, size_t at, const char *mark)
{
    size_t length = strlen(mark);
    while (at + length <= piece.length && strncmp(piece.text + at, mark, length) != 0)
        at++;
    return at + length <= piece.length ? at : piece.length;
}

static void append_font(struct buffer *out, char font, struct piece piece)
{
    buffer_printf(out, "\\f%c", font);
    mdoc_append_escaped(out, piece.text, piece.length);
    buffer_append_text(out, "\\fR");
}

/* If a marked part of a line begins at at, appends it and returns where it ends; else returns at.
 */
static size_t append_marked(struct buffer *out, struct piece line, size_t at)
{
    static const struct {
        const char *mark;
        char font;
    } marks[] = {{"`", 'B'}, {"**", 'B'}, {"*", 'I'}};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        size_t mark = strlen(marks[i].mark);
        if (!begins_with(without(line, at), marks[i].mark))
            continue;
        size_t end = until(line, at + mark, marks[i].mark);
        if (end == line.length)
            return at;
        append_font(out, marks[i].font, (struct piece){line.text + at + mark, end - at - mark});
        return end + mark;
    }
    return at;
}

/* One line of text with its marks; links leave their words. */
static void append_inline(struct buffer *out, struct piece line)
{
    for (size_t at = 0; at < line.length;) {
        size_t behind = append_marked(out, line, at);
        if (behind > at) {
            at = behind;
            continue;
        }
        size_t words = line.text[at] == '[' ? until(line, at, "](") : line.length;
        size_t link = words < line.length ? until(line, words, ")") : line.length;
        if (link < line.length) {
            append_inline(out, (struct piece){line.text + at + 1, words - at - 1});
            at = link + 1;
            continue;
        }
        size_t plain = 1;
        while (at + plain < line.length && strchr("`*[", line.text[at + plain]) == NULL)
            plain++;
        mdoc_append_escaped(out, line.text + at, plain);
        at += plain;
    }
}

/* Running text as lines of the page, each sentence on one of its own. */
static void append_running(struct buffer *out, struct piece text)
{
    struct buffer marked = {0};
    append_inline(&marked, text);
    const char *at = buffer_text(&marked);
    while (*at != '\0') {
        size_t end = 0;
        while (at[end] != '\0' && !(strchr(".?!", at[end]) != NULL && at[end + 1] == ' '))
            end++;
        end += at[end] != '\0';
        if (at[0] == '.' || at[0] == '\'')
            buffer_append_text(out, "\\&");
        buffer_printf(out, "%.*s\n", (int)end, at);
        at += end + strspn(at + end, " ");
    }
    buffer_free(&marked);
}

static void flush_text(struct page *page)
{
    if (page->text.length == 0)
        return;
    struct piece text = {(const char *)page->text.data, page->text.length};
    append_running(page->out, trimmed(text));
    buffer_clear(&page->text);
    page->spaced = false;
}

static void end_block(struct page *page)
{
    flush_text(page);
    if (page->open == BLOCK_LIST || page->open == BLOCK_TABLE)
        buffer_append_text(page->out, ".El\n");
    else if (page->open == BLOCK_CODE)
        buffer_append_text(page->out, ".Ed\n");
    page->open = BLOCK_NONE;
    page->fenced = false;
}

static void begin_block(struct page *page, enum block block)
{
    if (page->open == block)
        return;
    end_block(page);
    page->open = block;
    if (block == BLOCK_TEXT && !page->spaced)
        buffer_append_text(page->out, ".Pp\n");
    else if (block == BLOCK_LIST)
        buffer_append_text(page->out, ".Bl -bullet\n");
    else if (block == BLOCK_TABLE)
        buffer_append_text(page->out, ".Bl -tag -width Ds\n");
    else if (block == BLOCK_CODE)
        buffer_append_text(page->out, ".Bd -literal -offset indent\n");
    page->spaced = false;
}

static void add_heading(struct page *page, struct piece line)
{
    end_block(page);
    bool is_section = !begins_with(line, "###");
    line = trimmed(without(line, is_section ? 2 : 3));
    struct buffer words = {0};
    for (size_t i = 0; i < line.length; i++) {
        int letter = (unsigned char)line.text[i];
        if (letter != '`')
            buffer_append_byte(&words, (uint8_t)(is_section ? toupper(letter) : letter));
    }
    /* As one word, in which no macro can be called. */
    buffer_append_text(page->out, is_section ? ".Sh \"" : ".Ss \"");
    mdoc_append_escaped(page->out, buffer_text(&words), words.length);
    buffer_append_text(page->out, "\"\n");
    buffer_free(&words);
    page->spaced = true;
}

static void add_code(struct page *page, struct piece line)
{
    begin_block(page, BLOCK_CODE);
    if (line.length > 0 && (line.text[0] == '.' || line.text[0] == '\''))
        buffer_append_text(page->out, "\\&");
    mdoc_append_escaped(page->out, line.text, line.length);
    buffer_append_byte(page->out, '\n');
}

/* Splits "| a | b |". A bar within `code` is the code's. Returns how many cells there are. */
static size_t split_row(struct piece line, struct piece cells[COLUMNS])
{
    size_t count = 0;
    size_t start = 1;
    bool is_code = false;
    for (size_t at = 1; at < line.length && count < COLUMNS; at++) {
        is_code ^= line.text[at] == '`';
        if (line.text[at] != '|' || is_code)
            continue;
        cells[count++] = trimmed((struct piece){line.text + start, at - start});
        start = at + 1;
    }
    return count;
}

static void remember_headings(struct page *page, const struct piece *cells, size_t count)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        size_t length = i < count ? cells[i].length : 0;
        if (length >= sizeof page->headings[i])
            length = sizeof page->headings[i] - 1;
        memcpy(page->headings[i], length > 0 ? cells[i].text : "", length);
        page->headings[i][length] = '\0';
    }
    if (page->headings[0][0] != '\0')
        page->headings[0][0] = (char)toupper((unsigned char)page->headings[0][0]);
}

/* What a column says of its row; the columns between the first and "value" need their heading. */
static void append_cell(struct buffer *out, const char *heading, struct piece cell,
                        bool with_heading)
{
    if (cell.length == 0)
        return;
    struct buffer text = {0};
    if (with_heading)
        buffer_printf(&text, "%c%s: ", toupper((unsigned char)heading[0]), heading + 1);
    buffer_append(&text, cell.text, cell.length);
    if (strchr(".!?`", cell.text[cell.length - 1]) == NULL)
        buffer_append_byte(&text, '.');
    append_running(out, (struct piece){(const char *)text.data, text.length});
    buffer_free(&text);
}

static void add_row(struct page *page, struct piece line)
{
    struct piece cells[COLUMNS];
    size_t count = split_row(line, cells);
    if (page->open != BLOCK_TABLE) {
        begin_block(page, BLOCK_TABLE);
        remember_headings(page, cells, count);
        return;
    }
    if (begins_with(line, "|--") || count == 0)
        return;
    buffer_append_text(page->out, ".It \"");
    append_inline(page->out, cells[0]);
    buffer_append_text(page->out, "\"\n");
    for (size_t i = 1; i < count; i++) {
        const char *heading = page->headings[i];
        bool is_plain = strcmp(heading, "value") == 0 || count == 2;
        append_cell(page->out, heading, cells[i], !is_plain);
    }
}

static void add_text(struct page *page, struct piece line)
{
    if (page->open != BLOCK_LIST)
        begin_block(page, BLOCK_TEXT);
    if (page->text.length > 0)
        buffer_append_byte(&page->text, ' ');
    buffer_append(&page->text, trimmed(line).text, trimmed(line).length);
}

static void add_item(struct page *page, struct piece line)
{
    flush_text(page);
    begin_block(page, BLOCK_LIST);
    buffer_append_text(page->out, ".It\n");
    add_text(page, without(line, 2));
}

static void add_line(struct page *page, struct piece line)
{
    bool is_fence = begins_with(line, "```");
    bool is_code = page->open == BLOCK_CODE;
    bool is_indented = begins_with(line, "    ") && page->open != BLOCK_LIST;
    if (is_code && page->fenced && !is_fence)
        add_code(page, line);
    else if (line.length == 0 || (is_fence && is_code))
        end_block(page);
    else if (is_fence) {
        begin_block(page, BLOCK_CODE);
        page->fenced = true;
    } else if (is_indented && page->text.length == 0)
        add_code(page, without(line, 4));
    else if (line.text[0] == '#')
        add_heading(page, line);
    else if (begins_with(line, "- "))
        add_item(page, line);
    else if (line.text[0] == '|')
        add_row(page, line);
    else
        add_text(page, line);
}

bool markdown_append_mdoc(struct buffer *out, const char *text, const char *first)
{
    struct page page = {.out = out, .spaced = true};
    bool found = false;
    while (*text != '\0') {
        struct piece line = {text, strcspn(text, "\n")};
        found = found || (begins_with(line, "## ") && line.length == strlen(first) + 3 &&
                          strncmp(text + 3, first, strlen(first)) == 0);
        if (found)
            add_line(&page, line);
        text += line.length + (text[line.length] == '\n');
    }
    end_block(&page);
    buffer_free(&page.text);
    return found;
}
