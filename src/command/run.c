#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "command/exchange.h"
#include "command/lab_path.h"
#include "command/show.h"
#include "trace/reader.h"

/* Shows the recorded trace. The worse of the two statuses is the command's. */
static enum status show(const struct exchange *exchange, struct error *error)
{
    struct trace_reader *reader = trace_reader_from(exchange->trace, "the trace", error);
    if (reader == NULL)
        return error->status;
    struct view_options options = show_options(exchange->invocation, 1);
    enum view_result result =
        view_render(reader, exchange->invocation->as, &options, stdout, error);
    trace_reader_close(reader);
    fflush(stdout);
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

static enum status run_exchange(const struct invocation *invocation, struct script *script,
                                struct error *error)
{
    struct exchange exchange = {
        .invocation = invocation,
        .script = script,
        .place = invocation->here ? PLACE_HERE : PLACE_PRIVATE,
        .parties = SCRIPT_EVERYONE,
    };
    bool done = exchange_run(&exchange, error);
    enum status status = done ? STATUS_DONE : error->status;
    if (exchange.trace < 0)
        return status;
    struct error shown = {0};
    enum status show_status = show(&exchange, &shown);
    remark(&exchange);
    exchange_close(&exchange);
    if (exchange.recording.text[0] != '\0') {
        /* Both are worth saying; what the script did wrong comes first. */
        if (error->text[0] != '\0')
            error_set(error, status, "%s\n%s", error->text, exchange.recording.text);
        else
            *error = exchange.recording;
        return status == STATUS_DONE ? exchange.recording.status : status;
    }
    if (status == STATUS_DONE && error->text[0] == '\0' && show_status != STATUS_DONE) {
        *error = shown;
        return show_status;
    }
    return status;
}

static enum status run_run(const struct invocation *invocation, struct error *error)
{
    char path[LAB_PATH_SIZE];
    if (!lab_path_find(invocation->operands[0], path, error))
        return error->status;
    struct script *script = script_load(path, &(struct script_limits){0}, error);
    if (script == NULL)
        return error->status;
    enum status status = run_exchange(invocation, script, error);
    script_close(script);
    return status;
}

const struct command command_run = {
    .bit = COMMAND_RUN,
    .name = "run",
    .operands = "LAB",
    .summary = "run a lab, both ends, and show each packet in its call",
    .about = "Runs both ends of LAB on a private loopback that nobody else uses, captures what\n"
             "goes over it, and shows each packet inside the socket call that caused it. No\n"
             "root is needed. LAB is a lab's name or the path of a Lua script.",
    .examples = "  handlens run hello                  the first lab\n"
                "  handlens run hello -w hello.pcapng  keep the trace, for Wireshark too\n"
                "  handlens run ./mine.lua --as json   your own lab, for a program to read\n",
    .least_operands = 1,
    .most_operands = 1,
    .run = run_run,
};
