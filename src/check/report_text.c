/*
 * The report for people: a line for each expectation, and for what failed all that is known. In
 * front stands the script's line, as in the ladder's gutter.
 *
 *     Hello
 *     hello.lua · hello.pcapng
 *
 *      33 ✓ flow.handshake is "SYN, SYN ACK, ACK"  (packets 1-3)
 *      36 ✗ the packets come in order
 *             expected             came
 *             client SYN            1  client SYN seq 0 win 65495 len 0
 *             server SYN ACK    ≠   2  server ACK seq 0 ack 1 win 65483 len 0
 *                                      its flags are ACK, not SYN ACK
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "check/report.h"

#define GUTTER          10 /* columns before what belongs to an expectation */
#define PACKETS_COLUMNS 48 /* of a list of packets */

enum color { GREEN = 32, RED = 31, YELLOW = 33, DIM = 2, BOLD = 1 };

struct page {
    struct buffer *out;
    const struct terminal *terminal;
    const struct report_subject *subject;
};

static void color_on(struct page *page, enum color color)
{
    if (page->terminal->color)
        buffer_printf(page->out, "\033[%dm", (int)color);
}

static void color_off(struct page *page)
{
    if (page->terminal->color)
        buffer_append_text(page->out, "\033[0m");
}

static void put_safe(struct page *page, const char *text, size_t length)
{
    terminal_append_printable(page->out, text, length, page->terminal->utf8);
}

static const char *dot(const struct page *page)
{
    return page->terminal->utf8 ? " · " : " - ";
}

/* The text, wrapped at blanks; further lines begin at the column indent, where the first is too. */
static void put_wrapped(struct page *page, const char *text, size_t indent)
{
    struct buffer safe = {0};
    terminal_append_printable(&safe, text, strlen(text), page->terminal->utf8);
    const char *at = buffer_text(&safe);
    size_t left = safe.length, room = (size_t)page->terminal->columns - indent;
    while (left > 0) {
        size_t fits = terminal_fit(at, left, room);
        if (fits == 0)
            fits = left;
        if (fits < left) {
            size_t blank = fits;
            while (blank > fits / 2 && at[blank] != ' ')
                blank--;
            fits = blank > fits / 2 ? blank : fits;
        }
        buffer_append(page->out, at, fits);
        at += fits;
        left -= fits;
        while (left > 0 && *at == ' ')
            at++, left--;
        if (left > 0) {
            buffer_append_byte(page->out, '\n');
            buffer_append_repeated(page->out, ' ', indent);
        }
    }
    buffer_free(&safe);
}

static void put_labelled(struct page *page, const char *label, const char *text)
{
    if (text == NULL)
        return;
    buffer_append_repeated(page->out, ' ', GUTTER);
    color_on(page, DIM);
    buffer_printf(page->out, "%-10s", label);
    color_off(page);
    put_wrapped(page, text, GUTTER + 10);
    buffer_append_byte(page->out, '\n');
}

/* The text cut to columns and filled up to them. */
static void put_cell(struct page *page, const char *text, size_t columns)
{
    struct buffer safe = {0};
    terminal_append_printable(&safe, text, strlen(text), page->terminal->utf8);
    const char *cell = buffer_text(&safe);
    size_t width = terminal_width(cell, safe.length);
    if (width <= columns) {
        buffer_append(page->out, cell, safe.length);
        buffer_append_repeated(page->out, ' ', columns - width);
    } else {
        size_t fits = terminal_fit(cell, safe.length, columns - 1);
        buffer_append(page->out, cell, fits);
        buffer_append_text(page->out, page->terminal->utf8 ? "…" : "~");
    }
    buffer_free(&safe);
}

static size_t expected_width(const struct page *page, const struct expectation *expectation)
{
    size_t width = strlen("expected");
    for (size_t i = 0; i < expectation->row_count; i++) {
        const char *expected = expectation->rows[i].expected;
        size_t wide = expected == NULL ? 0 : terminal_width(expected, strlen(expected));
        width = wide > width ? wide : width;
    }
    size_t most = ((size_t)page->terminal->columns - GUTTER) * 2 / 5;
    return width < most ? width : most;
}

static void put_came(struct page *page, const struct ladder_row *row, size_t columns)
{
    char text[96];
    if (row->kind == LADDER_SKIPPED) {
        snprintf(text, sizeof text, "      (%" PRIu64 " packet%s)", row->count,
                 row->count == 1 ? "" : "s");
        put_cell(page, text, columns);
    } else if (row->came != NULL) {
        buffer_printf(page->out, "%4" PRIu64 "  ", row->number);
        put_cell(page, row->came, columns > 6 ? columns - 6 : 1);
    } else {
        put_cell(page, row->kind == LADDER_MISSING ? "      nothing of the kind comes" : "",
                 columns);
    }
}

static void trim_line(struct buffer *out)
{
    while (out->length > 0 && out->data[out->length - 1] == ' ')
        out->length--;
}

static void put_row(struct page *page, const struct ladder_row *row, size_t width)
{
    bool differs = row->kind == LADDER_DIFFERENT || row->kind == LADDER_MISSING;
    const char *sign = !differs ? "   " : page->terminal->utf8 ? " ≠ " : " # ";
    size_t left = (size_t)page->terminal->columns - GUTTER - width - 3;
    buffer_append_repeated(page->out, ' ', GUTTER);
    if (differs)
        color_on(page, RED);
    else if (row->kind == LADDER_AFTER)
        color_on(page, DIM);
    put_cell(page, row->expected == NULL ? "" : row->expected, width);
    buffer_append_text(page->out, sign);
    put_came(page, row, left);
    trim_line(page->out);
    if (differs || row->kind == LADDER_AFTER)
        color_off(page);
    buffer_append_byte(page->out, '\n');
    if (row->remark != NULL && row->remark[0] != '\0') {
        buffer_append_repeated(page->out, ' ', GUTTER + width + 9);
        color_on(page, RED);
        put_wrapped(page, row->remark, GUTTER + width + 9);
        color_off(page);
        buffer_append_byte(page->out, '\n');
    }
}

/* What was expected beside what came. */
static void put_ladder(struct page *page, const struct expectation *expectation)
{
    size_t width = expected_width(page, expectation);
    buffer_append_repeated(page->out, ' ', GUTTER);
    color_on(page, DIM);
    put_cell(page, "expected", width);
    buffer_append_text(page->out, "         came");
    color_off(page);
    buffer_append_byte(page->out, '\n');
    for (size_t i = 0; i < expectation->row_count; i++)
        put_row(page, &expectation->rows[i], width);
}

static void put_mark(struct page *page, enum trace_verdict verdict)
{
    bool utf8 = page->terminal->utf8;
    switch (verdict) {
    case TRACE_PASSED:
        color_on(page, GREEN);
        buffer_append_text(page->out, utf8 ? "✓" : "+");
        break;
    case TRACE_FAILED:
        color_on(page, RED);
        buffer_append_text(page->out, utf8 ? "✗" : "x");
        break;
    case TRACE_NOT_JUDGED:
        color_on(page, YELLOW);
        buffer_append_text(page->out, utf8 ? "–" : "-");
        break;
    }
    color_off(page);
}

/* "3, 5-7", cut where it would be longer than a line. */
static void append_packets(struct buffer *words, const char *packets)
{
    size_t length = strlen(packets);
    if (length > PACKETS_COLUMNS) {
        length = PACKETS_COLUMNS;
        while (length > 0 && packets[length] != ',')
            length--;
    }
    buffer_append(words, packets, length);
    if (packets[length] != '\0')
        buffer_printf(words, ", and on to %s", strrchr(packets, ' ') + 1);
}

static void put_packets(struct page *page, const char *packets)
{
    if (packets == NULL)
        return;
    struct buffer text = {0};
    append_packets(&text, packets);
    put_labelled(page, "packets", buffer_text(&text));
    buffer_free(&text);
}

static void put_expectation(struct page *page, const struct expectation *expectation)
{
    char place[96] = "";
    bool own =
        expectation->script == NULL || strcmp(expectation->script, page->subject->script) == 0;
    if (expectation->line > 0 && own)
        snprintf(place, sizeof place, "%" PRIu32, expectation->line);
    buffer_printf(page->out, "%6s ", place);
    put_mark(page, expectation->verdict);
    buffer_append_byte(page->out, ' ');
    struct buffer words = {0};
    buffer_append_text(&words, expectation->words == NULL ? "?" : expectation->words);
    if (!own)
        buffer_printf(&words, "  (%s:%" PRIu32 ")", expectation->script, expectation->line);
    if (expectation->verdict == TRACE_PASSED && expectation->packets != NULL) {
        bool several = strpbrk(expectation->packets, "-,") != NULL;
        buffer_append_text(&words, several ? "  (packets " : "  (packet ");
        append_packets(&words, expectation->packets);
        buffer_append_byte(&words, ')');
    }
    put_wrapped(page, buffer_text(&words), GUTTER);
    buffer_append_byte(page->out, '\n');
    buffer_free(&words);
    if (expectation->verdict == TRACE_PASSED)
        return;
    if (expectation->row_count > 0) {
        put_ladder(page, expectation);
    } else {
        if (expectation->verdict == TRACE_FAILED)
            put_labelled(page, "expected", expectation->expected);
        put_labelled(page, expectation->verdict == TRACE_FAILED ? "seen" : "because",
                     expectation->seen);
        put_packets(page, expectation->packets);
    }
    put_labelled(page, "note", expectation->remark);
}

static void put_heading(struct page *page)
{
    const struct report_subject *subject = page->subject;
    color_on(page, BOLD);
    put_safe(page, subject->title, strlen(subject->title));
    color_off(page);
    buffer_append_byte(page->out, '\n');
    put_safe(page, subject->script, strlen(subject->script));
    buffer_append_text(page->out, dot(page));
    if (subject->file == NULL)
        buffer_append_text(page->out, "a run just made");
    else
        put_safe(page, subject->file, strlen(subject->file));
    buffer_append_text(page->out, "\n\n");
}

static void text_begin(struct buffer *out, size_t files)
{
    (void)out, (void)files;
}

/* Of many files only those that are not all well are told at length. */
static bool is_worth_telling(const struct report_subject *subject,
                             const struct judgement *judgement)
{
    return subject->files == 1 || subject->error != NULL || judgement->verdicts[TRACE_FAILED] > 0 ||
           judgement->count == 0 || judgement->verdicts[TRACE_PASSED] == 0;
}

static void text_file(struct buffer *out, const struct report_subject *subject,
                      const struct judgement *judgement, const struct terminal *terminal)
{
    struct page page = {out, terminal, subject};
    bool told_elsewhere = subject->files == 1; /* of one file main tells the error */
    if (!is_worth_telling(subject, judgement) || (told_elsewhere && judgement->count == 0))
        return;
    put_heading(&page);
    for (size_t i = 0; i < judgement->count; i++)
        put_expectation(&page, &judgement->list[i]);
    if (subject->error != NULL && !told_elsewhere) {
        buffer_append_text(out, judgement->count > 0 ? "\n" : "");
        color_on(&page, RED);
        put_wrapped(&page, subject->error, 0);
        color_off(&page);
        buffer_append_byte(out, '\n');
    }
    buffer_append_text(out, "\n");
}

static const char *outcome_word(const struct report_row *row)
{
    switch (row->status) {
    case STATUS_DONE:
        return row->verdicts[TRACE_NOT_JUDGED] > 0 ? "passed, but not all judged" : "passed";
    case STATUS_CHECK_FAILED:
        return row->verdicts[TRACE_FAILED] > 0 ? "FAILED" : "not judged";
    case STATUS_DAMAGED:
        return "DAMAGED";
    default:
        return "NOT READ";
    }
}

static void put_table_row(struct page *page, const struct report_row *row, size_t width)
{
    put_cell(page, row->file, width);
    if (row->verdicts[0] + row->verdicts[1] + row->verdicts[2] > 0)
        buffer_printf(page->out, " %7zu %7zu %11zu  ", row->verdicts[TRACE_PASSED],
                      row->verdicts[TRACE_FAILED], row->verdicts[TRACE_NOT_JUDGED]);
    else
        buffer_printf(page->out, " %7s %7s %11s  ", "", "", "");
    color_on(page, row->status == STATUS_DONE ? GREEN : RED);
    buffer_append_text(page->out, outcome_word(row));
    color_off(page);
    buffer_append_byte(page->out, '\n');
}

static void put_table(struct page *page, const struct report_row *rows, size_t count)
{
    size_t width = strlen("file"), most = (size_t)page->terminal->columns - 40;
    size_t passed = 0;
    for (size_t i = 0; i < count; i++) {
        size_t wide = terminal_width(rows[i].file, strlen(rows[i].file));
        width = wide > width ? wide : width;
        passed += rows[i].status == STATUS_DONE;
    }
    if (width > most)
        width = most > 8 ? most : 8;
    color_on(page, DIM);
    put_cell(page, "file", width);
    buffer_printf(page->out, " %7s %7s %11s", "passed", "failed", "not judged");
    color_off(page);
    buffer_append_byte(page->out, '\n');
    for (size_t i = 0; i < count; i++)
        put_table_row(page, &rows[i], width);
    buffer_printf(page->out, "\n%zu of %zu files passed.\n", passed, count);
}

static void text_end(struct buffer *out, const struct report_row *rows, size_t count,
                     const struct terminal *terminal)
{
    struct page page = {out, terminal, NULL};
    if (count != 1) {
        put_table(&page, rows, count);
        return;
    }
    const size_t *verdicts = rows[0].verdicts;
    if (verdicts[0] + verdicts[1] + verdicts[2] == 0)
        return;
    color_on(&page, verdicts[TRACE_FAILED] > 0       ? RED
                    : verdicts[TRACE_NOT_JUDGED] > 0 ? YELLOW
                                                     : GREEN);
    report_append_counts(out, verdicts);
    buffer_append_byte(out, '.');
    color_off(&page);
    buffer_append_byte(out, '\n');
}

const struct report_format report_text = {"text", text_begin, text_file, text_end};
