/*
 * JSON Lines, one object for each trace:
 *
 *     {"file":"hello.pcapng","lab":"hello","script":"hello.lua","passed":3,"failed":1,
 *      "not_judged":0,"expectations":[{"verdict":"failed","expectation":"…","expected":"…",
 *      "seen":"…","packets":[4],"script":"hello.lua","line":34,"sequence":[…]}]}
 *
 * file is null for a run just made; error stands where the trace could not be read, or not to its
 * end.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "check/report.h"

static json_t *text_value(const char *text)
{
    struct buffer utf8 = {0};
    if (text == NULL)
        return json_null();
    terminal_append_repaired(&utf8, text, strlen(text));
    json_t *value = json_string(buffer_text(&utf8));
    buffer_free(&utf8);
    return value;
}

static json_t *packets_value(const char *packets)
{
    json_t *list = json_array();
    for (const char *at = packets; at != NULL && *at != '\0';) {
        char *end;
        unsigned long long first = strtoull(at, &end, 10), last = first;
        if (*end == '-')
            last = strtoull(end + 1, &end, 10);
        for (unsigned long long number = first; number <= last; number++)
            json_array_append_new(list, json_integer((json_int_t)number));
        at = end + strspn(end, ", ");
    }
    return list;
}

static json_t *rows_value(const struct expectation *expectation)
{
    static const char *const kinds[] = {"same", "skipped", "different", "missing", "after"};
    json_t *list = json_array();
    for (size_t i = 0; i < expectation->row_count; i++) {
        const struct ladder_row *row = &expectation->rows[i];
        json_t *value = json_object();
        json_object_set_new(value, "kind", json_string(kinds[row->kind]));
        json_object_set_new(value, "expected", text_value(row->expected));
        if (row->kind == LADDER_SKIPPED)
            json_object_set_new(value, "count", json_integer((json_int_t)row->count));
        json_object_set_new(value, "number",
                            row->number == 0 ? json_null() : json_integer((json_int_t)row->number));
        json_object_set_new(value, "came", text_value(row->came));
        if (row->remark != NULL)
            json_object_set_new(value, "difference", text_value(row->remark));
        json_array_append_new(list, value);
    }
    return list;
}

static json_t *expectation_value(const struct expectation *expectation)
{
    static const char *const verdicts[] = {"passed", "failed", "not judged"};
    json_t *value = json_object();
    json_object_set_new(value, "verdict", json_string(verdicts[expectation->verdict]));
    json_object_set_new(value, "expectation", text_value(expectation->words));
    json_object_set_new(value, "expected", text_value(expectation->expected));
    json_object_set_new(value, "seen", text_value(expectation->seen));
    if (expectation->remark != NULL)
        json_object_set_new(value, "note", text_value(expectation->remark));
    json_object_set_new(value, "packets", packets_value(expectation->packets));
    json_object_set_new(value, "script", text_value(expectation->script));
    json_object_set_new(value, "line",
                        expectation->line == 0 ? json_null() : json_integer(expectation->line));
    if (expectation->broken)
        json_object_set_new(value, "broken", json_true());
    if (expectation->row_count > 0)
        json_object_set_new(value, "sequence", rows_value(expectation));
    return value;
}

static void json_begin(struct buffer *out, size_t files)
{
    (void)out, (void)files;
}

static void json_file(struct buffer *out, const struct report_subject *subject,
                      const struct judgement *judgement, const struct terminal *terminal)
{
    (void)terminal;
    const size_t *verdicts = judgement->verdicts;
    json_t *value = json_object();
    json_object_set_new(value, "file", text_value(subject->file));
    json_object_set_new(value, "lab", text_value(subject->lab));
    json_object_set_new(value, "script", text_value(subject->script));
    json_object_set_new(value, "passed", json_integer((json_int_t)verdicts[TRACE_PASSED]));
    json_object_set_new(value, "failed", json_integer((json_int_t)verdicts[TRACE_FAILED]));
    json_object_set_new(value, "not_judged", json_integer((json_int_t)verdicts[TRACE_NOT_JUDGED]));
    json_t *list = json_array();
    for (size_t i = 0; i < judgement->count; i++)
        json_array_append_new(list, expectation_value(&judgement->list[i]));
    json_object_set_new(value, "expectations", list);
    if (subject->error != NULL)
        json_object_set_new(value, "error", text_value(subject->error));
    char *text = json_dumps(value, JSON_COMPACT);
    json_decref(value);
    if (text == NULL) {
        out->failed = true;
        return;
    }
    buffer_append_text(out, text);
    buffer_append_byte(out, '\n');
    free(text);
}

static void json_end(struct buffer *out, const struct report_row *rows, size_t count,
                     const struct terminal *terminal)
{
    (void)out, (void)rows, (void)count, (void)terminal;
}

const struct report_format report_json = {"json", json_begin, json_file, json_end};
