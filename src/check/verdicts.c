#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "check/judge.h"
#include "support/terminal.h"

/* Each text has a zero behind it, so that the next is found when they do not move any more. */
static void keep(struct verdicts *verdicts, const char *text)
{
    if (text != NULL)
        terminal_append_repaired(&verdicts->texts, text, strlen(text));
    buffer_append_byte(&verdicts->texts, '\0');
}

static struct trace_text take(const char **at)
{
    struct trace_text text = trace_text_of(*at);
    *at += text.length + 1;
    return text;
}

/* What was seen, where a sequence first differed, and what else there is to know. */
static void keep_seen(struct verdicts *verdicts, const struct expectation *expectation)
{
    struct buffer words = {0};
    if (expectation->seen != NULL)
        buffer_append_text(&words, expectation->seen);
    for (size_t i = 0; i < expectation->row_count; i++) {
        const struct ladder_row *row = &expectation->rows[i];
        bool differs = row->kind == LADDER_DIFFERENT && row->came != NULL;
        if (differs)
            buffer_printf(&words, "%spacket %" PRIu64 " is %s", words.length > 0 ? "; " : "",
                          row->number, row->came);
        if (differs && row->remark != NULL)
            buffer_printf(&words, ": %s", row->remark);
    }
    if (expectation->remark != NULL)
        buffer_printf(&words, "%s%s", words.length > 0 ? "; " : "", expectation->remark);
    keep(verdicts, buffer_text(&words));
    verdicts->texts.failed = verdicts->texts.failed || words.failed;
    buffer_free(&words);
}

bool verdicts_make(struct verdicts *verdicts, const struct judgement *judgement, int64_t time,
                   struct error *error)
{
    *verdicts = (struct verdicts){.list = calloc(judgement->count + 1, sizeof *verdicts->list)};
    if (verdicts->list == NULL)
        return error_out_of_memory(error);
    for (size_t i = 0; i < judgement->count; i++) {
        keep(verdicts, judgement->list[i].words);
        keep_seen(verdicts, &judgement->list[i]);
        keep(verdicts, judgement->list[i].packets);
        keep(verdicts, judgement->list[i].script);
    }
    if (verdicts->texts.failed) {
        verdicts_free(verdicts);
        return error_out_of_memory(error);
    }
    const char *at = buffer_text(&verdicts->texts);
    for (; verdicts->count < judgement->count; verdicts->count++) {
        const struct expectation *expectation = &judgement->list[verdicts->count];
        struct trace_event *event = &verdicts->list[verdicts->count];
        *event = (struct trace_event){.kind = TRACE_CHECK, .time = time};
        event->check.verdict = expectation->verdict;
        event->check.expectation = take(&at);
        event->check.seen = take(&at);
        event->check.packets = take(&at);
        event->check.script = take(&at);
        event->check.line = expectation->line;
    }
    return true;
}

void verdicts_free(struct verdicts *verdicts)
{
    free(verdicts->list);
    buffer_free(&verdicts->texts);
    *verdicts = (struct verdicts){0};
}
