#include "command/perform.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command/lab_path.h"
#include "command/show.h"
#include "trace/reader.h"

static enum status show(const struct exchange *exchange, enum view_kind kind, FILE *out,
                        struct error *error)
{
    struct trace_reader *reader = trace_reader_from(exchange->trace, "the trace", error);
    if (reader == NULL)
        return error->status;
    struct view_options options = show_options(exchange->invocation, fileno(out));
    enum view_result result = view_render(reader, kind, &options, out, error);
    trace_reader_close(reader);
    return result == VIEW_SHOWN ? STATUS_DONE : error->status;
}

void perform_remark(const struct exchange *exchange)
{
    const struct invocation *invocation = exchange->invocation;
    if (exchange->dropped > 0)
        fprintf(stderr,
                "handlens: %llu packets were not captured: the kernel had no room for them\n",
                (unsigned long long)exchange->dropped);
    if (invocation->trace_path != NULL && exchange->recording.text[0] == '\0' && !invocation->quiet)
        fprintf(stderr, "handlens: the trace is in %s\n", invocation->trace_path);
}

enum status perform_join(enum status status, struct error *error, enum status second_status,
                         const struct error *second)
{
    if (second->text[0] == '\0' || strcmp(error->text, second->text) == 0)
        return status;
    if (error->text[0] == '\0')
        *error = *second;
    else
        error_set(error, status, "%s\n%s", error->text, second->text);
    return status == STATUS_DONE ? second_status : status;
}

/* Shows what was recorded, on stdout and, if one was asked for, as a report. */
static enum status show_all(const struct exchange *exchange, FILE *report, struct error *error)
{
    enum status status = STATUS_DONE;
    if (!exchange->invocation->step) /* else it has been shown as it grew */
        status = show(exchange, exchange->invocation->as, stdout, error);
    if (report == NULL)
        return status;
    struct error second = {0};
    return perform_join(status, error, show(exchange, VIEW_HTML, report, &second), &second);
}

/* The report's file is opened first of all: behind the place's door the user may write less. */
static enum status perform_script(struct exchange *exchange, struct error *error)
{
    const char *html_path = exchange->invocation->html_path;
    FILE *report = NULL;
    if (html_path != NULL && (report = show_open(exchange->invocation, html_path, error)) == NULL)
        return error->status;
    enum status status = exchange_run(exchange, error) ? STATUS_DONE : error->status;
    struct error shown = {0};
    struct error unwritten = {0};
    enum status show_status = STATUS_DONE;
    bool has_trace = exchange->trace >= 0;
    if (has_trace) {
        show_status = show_all(exchange, report, &shown);
        perform_remark(exchange);
    }
    exchange_close(exchange);
    if (report != NULL && !show_close(report, html_path, &unwritten))
        show_status = perform_join(show_status, &shown, unwritten.status, &unwritten);
    if (report != NULL && !has_trace && !exchange->invocation->force)
        unlink(html_path); /* which was not there before */
    status = perform_join(status, error, exchange->recording.status, &exchange->recording);
    return perform_join(status, error, show_status, &shown);
}

enum status perform(const struct invocation *invocation, enum place_kind place,
                    enum script_parties parties, bool record, struct error *error)
{
    char path[LAB_PATH_SIZE];
    if (!lab_path_find(invocation->operands[0], path, error))
        return error->status;
    struct script *script = script_load(path, &(struct script_limits){0}, error);
    if (script == NULL)
        return error->status;
    struct exchange exchange = {
        .invocation = invocation,
        .script = script,
        .place = place,
        .parties = parties,
        .record = record,
        .trace = -1,
    };
    if (invocation->step)
        exchange.step = step_open(script, invocation->color, error);
    enum status status = invocation->step && exchange.step == NULL
                             ? error->status
                             : perform_script(&exchange, error);
    script_close(script);
    return status;
}
