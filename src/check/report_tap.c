/*
 * TAP version 14 (testanything.org). One trace is a flat list; of many, each is a subtest. What is
 * not judged is a test with the directive SKIP, so no reader takes it for a failure, and the
 * summary comment counts it apart from what passed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "check/report.h"

/* A line break would begin a new line of TAP, and a # a directive. */
static void put_description(struct buffer *out, const char *text)
{
    struct buffer safe = {0};
    terminal_append_printable(&safe, text, strlen(text), true);
    for (const char *at = buffer_text(&safe); *at != '\0'; at++) {
        if (*at == '#' || *at == '\\')
            buffer_append_byte(out, '\\');
        buffer_append_byte(out, (uint8_t)*at);
    }
    buffer_free(&safe);
}

/* A YAML double-quoted scalar: its escapes are those of C. */
static void put_field(struct buffer *out, const char *indent, const char *name, const char *text)
{
    if (text == NULL)
        return;
    buffer_printf(out, "%s  %s: \"", indent, name);
    struct buffer utf8 = {0};
    terminal_append_repaired(&utf8, text, strlen(text));
    terminal_append_escaped(out, buffer_text(&utf8), utf8.length, 0, true);
    buffer_append_text(out, "\"\n");
    buffer_free(&utf8);
}

static void put_rows(struct buffer *out, const char *indent, const struct expectation *expectation)
{
    if (expectation->row_count == 0)
        return;
    buffer_printf(out, "%s  sequence:\n", indent);
    char deeper[32];
    snprintf(deeper, sizeof deeper, "%s    ", indent);
    for (size_t i = 0; i < expectation->row_count; i++) {
        const struct ladder_row *row = &expectation->rows[i];
        bool differs = row->kind == LADDER_DIFFERENT || row->kind == LADDER_MISSING;
        buffer_printf(out, "%s    - number: %" PRIu64 "\n", indent, row->number);
        put_field(out, deeper, "expected", row->expected);
        put_field(out, deeper, "came", row->came);
        if (differs)
            put_field(out, deeper, "difference", row->remark == NULL ? "" : row->remark);
    }
}

static void put_details(struct buffer *out, const char *indent,
                        const struct expectation *expectation)
{
    buffer_printf(out, "%s  ---\n", indent);
    put_field(out, indent, "expected", expectation->expected);
    put_field(out, indent, "seen", expectation->seen);
    put_field(out, indent, "note", expectation->remark);
    put_field(out, indent, "packets", expectation->packets);
    put_field(out, indent, "script", expectation->script);
    if (expectation->line > 0)
        buffer_printf(out, "%s  line: %" PRIu32 "\n", indent, expectation->line);
    put_rows(out, indent, expectation);
    buffer_printf(out, "%s  ...\n", indent);
}

static void put_expectation(struct buffer *out, const char *indent, size_t number,
                            const struct expectation *expectation)
{
    bool failed = expectation->verdict == TRACE_FAILED;
    buffer_printf(out, "%s%s %zu - ", indent, failed ? "not ok" : "ok", number);
    put_description(out, expectation->words == NULL ? "?" : expectation->words);
    if (expectation->verdict == TRACE_NOT_JUDGED) {
        buffer_append_text(out, " # SKIP not judged");
        if (expectation->seen != NULL) {
            buffer_append_text(out, ": ");
            put_description(out, expectation->seen);
        }
    }
    buffer_append_byte(out, '\n');
    if (expectation->verdict != TRACE_NOT_JUDGED)
        put_details(out, indent, expectation);
}

static void tap_begin(struct buffer *out, size_t files)
{
    buffer_append_text(out, "TAP version 14\n");
    if (files != 1)
        buffer_printf(out, "1..%zu\n", files);
}

static void tap_file(struct buffer *out, const struct report_subject *subject,
                     const struct judgement *judgement, const struct terminal *terminal)
{
    (void)terminal;
    const char *indent = subject->files == 1 ? "" : "    ";
    const char *name = subject->file == NULL ? subject->script : subject->file;
    bool failed = judgement_status(judgement->verdicts) != STATUS_DONE || subject->error != NULL;
    size_t tests = judgement->count + (subject->error != NULL);
    if (subject->files != 1) {
        buffer_append_text(out, "# Subtest: ");
        put_description(out, name);
        buffer_append_byte(out, '\n');
    }
    buffer_printf(out, "%s1..%zu\n", indent, tests);
    for (size_t i = 0; i < judgement->count; i++)
        put_expectation(out, indent, i + 1, &judgement->list[i]);
    if (subject->error != NULL) {
        buffer_printf(out, "%snot ok %zu - ", indent, tests);
        put_description(out, subject->error);
        buffer_append_byte(out, '\n');
    }
    buffer_printf(out, "%s# ", indent);
    report_append_counts(out, judgement->verdicts);
    buffer_append_byte(out, '\n');
    if (subject->files != 1) {
        buffer_printf(out, "%s %zu - ", failed ? "not ok" : "ok", subject->number);
        put_description(out, name);
        buffer_append_byte(out, '\n');
    }
}

static void tap_end(struct buffer *out, const struct report_row *rows, size_t count,
                    const struct terminal *terminal)
{
    (void)out, (void)rows, (void)count, (void)terminal;
}

const struct report_format report_tap = {"tap", tap_begin, tap_file, tap_end};
