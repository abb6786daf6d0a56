/*
 * JUnit's XML, as CI servers read it: a suite for each trace, a case for each expectation.
 *
 * Everything that is not ours goes through put_xml, which escapes what XML gives a meaning,
 * and drops what XML 1.0 cannot hold at all (section 2.2).
 */
#include <inttypes.h>
#include <string.h>

#include "check/report.h"

static bool is_allowed(const char *at)
{
    unsigned char c = (unsigned char)at[0];
    if (c < 0x20)
        return c == '\n' || c == '\t';
    /* U+FFFE and U+FFFF: EF BF BE, EF BF BF */
    return c != 0x7f &&
           !(c == 0xef && (unsigned char)at[1] == 0xbf && (unsigned char)at[2] >= 0xbe);
}

static void put_xml(struct buffer *out, const char *text)
{
    struct buffer utf8 = {0};
    terminal_append_repaired(&utf8, text, strlen(text));
    for (const char *at = buffer_text(&utf8); *at != '\0'; at++) {
        const char *entity = *at == '&'    ? "&amp;"
                             : *at == '<'  ? "&lt;"
                             : *at == '>'  ? "&gt;"
                             : *at == '"'  ? "&quot;"
                             : *at == '\n' ? "&#10;"
                             : *at == '\t' ? "&#9;"
                                           : NULL;
        if (entity != NULL)
            buffer_append_text(out, entity);
        else if (is_allowed(at))
            buffer_append_byte(out, (uint8_t)*at);
        else
            buffer_append_byte(out, '?');
    }
    buffer_free(&utf8);
}

static void put_attribute(struct buffer *out, const char *name, const char *value)
{
    buffer_printf(out, " %s=\"", name);
    put_xml(out, value);
    buffer_append_byte(out, '"');
}

static void put_line(struct buffer *out, const char *label, const char *text)
{
    if (text == NULL)
        return;
    buffer_printf(out, "%s: ", label);
    put_xml(out, text);
    buffer_append_byte(out, '\n');
}

static void put_rows(struct buffer *out, const struct expectation *expectation)
{
    for (size_t i = 0; i < expectation->row_count; i++) {
        const struct ladder_row *row = &expectation->rows[i];
        bool differs = row->kind == LADDER_DIFFERENT || row->kind == LADDER_MISSING;
        buffer_append_text(out, differs ? "first difference: expected '" : "expected '");
        put_xml(out, row->expected == NULL ? "" : row->expected);
        buffer_append_text(out, "', came ");
        if (row->kind == LADDER_SKIPPED)
            buffer_printf(out, "%" PRIu64 " packets", row->count);
        else if (row->came == NULL)
            buffer_append_text(out, "nothing");
        else
            buffer_printf(out, "%" PRIu64 " ", row->number);
        put_xml(out, row->came == NULL ? "" : row->came);
        if (row->remark != NULL && row->remark[0] != '\0') {
            buffer_append_text(out, " (");
            put_xml(out, row->remark);
            buffer_append_byte(out, ')');
        }
        buffer_append_byte(out, '\n');
    }
}

static void put_outcome(struct buffer *out, const struct expectation *expectation)
{
    const char *seen = expectation->seen == NULL ? "" : expectation->seen;
    if (expectation->verdict == TRACE_NOT_JUDGED) {
        buffer_append_text(out, "      <skipped");
        put_attribute(out, "message", seen);
        buffer_append_text(out, "/>\n");
        return;
    }
    const char *element = expectation->broken ? "error" : "failure";
    buffer_printf(out, "      <%s", element);
    put_attribute(out, "message", seen);
    buffer_append_byte(out, '>');
    put_line(out, "expected", expectation->expected);
    put_line(out, "seen", expectation->seen);
    put_line(out, "packets", expectation->packets);
    put_line(out, "note", expectation->remark);
    put_rows(out, expectation);
    buffer_printf(out, "</%s>\n", element);
}

static void put_case(struct buffer *out, const struct report_subject *subject,
                     const struct expectation *expectation)
{
    struct buffer name = {0};
    if (expectation->line > 0)
        buffer_printf(&name, "line %" PRIu32 ": ", expectation->line);
    buffer_append_text(&name, expectation->words == NULL ? "?" : expectation->words);
    buffer_append_text(out, "    <testcase");
    put_attribute(out, "classname", subject->lab);
    put_attribute(out, "name", buffer_text(&name));
    put_attribute(out, "file", expectation->script == NULL ? subject->script : expectation->script);
    if (expectation->line > 0)
        buffer_printf(out, " line=\"%" PRIu32 "\"", expectation->line);
    buffer_free(&name);
    if (expectation->verdict == TRACE_PASSED) {
        buffer_append_text(out, "/>\n");
        return;
    }
    buffer_append_text(out, ">\n");
    put_outcome(out, expectation);
    buffer_append_text(out, "    </testcase>\n");
}

static void junit_begin(struct buffer *out, size_t files)
{
    (void)files;
    buffer_append_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                            "<testsuites name=\"handlens check\">\n");
}

static void junit_file(struct buffer *out, const struct report_subject *subject,
                       const struct judgement *judgement, const struct terminal *terminal)
{
    (void)terminal;
    size_t broken = 0;
    for (size_t i = 0; i < judgement->count; i++)
        broken += judgement->list[i].verdict == TRACE_FAILED && judgement->list[i].broken;
    bool error = subject->error != NULL;
    buffer_append_text(out, "  <testsuite");
    put_attribute(out, "name", subject->file == NULL ? subject->script : subject->file);
    buffer_printf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\">\n",
                  judgement->count + error, judgement->verdicts[TRACE_FAILED] - broken,
                  broken + error, judgement->verdicts[TRACE_NOT_JUDGED]);
    for (size_t i = 0; i < judgement->count; i++)
        put_case(out, subject, &judgement->list[i]);
    if (error) {
        buffer_append_text(out, "    <testcase");
        put_attribute(out, "classname", subject->lab);
        buffer_append_text(out, " name=\"the trace can be read to its end\">\n      <error");
        put_attribute(out, "message", subject->error);
        buffer_append_text(out, "/>\n    </testcase>\n");
    }
    buffer_append_text(out, "  </testsuite>\n");
}

static void junit_end(struct buffer *out, const struct report_row *rows, size_t count,
                      const struct terminal *terminal)
{
    (void)rows, (void)count, (void)terminal;
    buffer_append_text(out, "</testsuites>\n");
}

const struct report_format report_junit = {"junit", junit_begin, junit_file, junit_end};
