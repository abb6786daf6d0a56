#include "command/perform.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command/lab_path.h"
#include "command/show.h"
#include "trace/reader.h"

static enum status show(const struct exchange *exchange, struct error *error)
{
    struct trace_reader *reader = trace_reader_from(exchange->trace, "the trace", error);
    if (reader == NULL)
        return error->status;
    struct view_options options = show_options(exchange->invocation, STDOUT_FILENO);
    enum view_result result =
        view_render(reader, exchange->invocation->as, &options, stdout, error);
    trace_reader_close(reader);
    return result == VIEW_SHOWN ? STATUS_DONE : error->status;
}

static void remark(const struct exchange *exchange)
{
    const struct invocation *invocation = exchange->invocation;
    if (exchange->dropped > 0)
        fprintf(stderr,
                "handlens: %llu packets were not captured: the kernel had no room for them\n",
                (unsigned long long)exchange->dropped);
    if (invocation->trace_path != NULL && exchange->recording.text[0] == '\0' && !invocation->quiet)
        fprintf(stderr, "handlens: the trace is in %s\n", invocation->trace_path);
}

/* Adds a second failure to a first one, if there was one. Returns the status that counts. */
static enum status join(enum status status, struct error *error, enum status second_status,
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

static enum status perform_script(struct exchange *exchange, struct error *error)
{
    enum status status = exchange_run(exchange, error) ? STATUS_DONE : error->status;
    struct error shown = {0};
    enum status show_status = STATUS_DONE;
    if (exchange->trace >= 0) {
        if (!exchange->invocation->step) /* else it has been shown as it grew */
            show_status = show(exchange, &shown);
        remark(exchange);
    }
    exchange_close(exchange);
    status = join(status, error, exchange->recording.status, &exchange->recording);
    return join(status, error, show_status, &shown);
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
