/*
 * outcome.c - how an exchange ended, in words: a sentence, then a line for each role that was
 * doing something.
 */
#include "host/internal.h"

#include <stdio.h>
#include <string.h>

/* Of a thousand clients the first few say what all do. */
enum { MOST_LINES = 12 };

static void describe_task(struct buffer *text, const struct task *task)
{
    const struct call *call = &task->call;
    buffer_printf(text, "\n%s ", task->role->name);
    if (task->phase == TASK_HELD) {
        buffer_append_text(text, "had not begun, for no server was waiting yet");
        return;
    }
    if (call->attempt == NULL) {
        bool waits = task->phase == TASK_PARKED; /* by socket_await */
        buffer_append_text(text, waits ? "was waiting for its peer" : "was running");
        return;
    }
    if (strcmp(call->name, "sleep") == 0)
        buffer_append_text(text, "was sleeping");
    else
        buffer_printf(text, "was waiting in %s", call->name);
    if (call->script != NULL && call->script[0] != '\0')
        buffer_printf(text, " (%s:%u)", call->script, call->line);
}

static void describe_tasks(struct host *host, struct buffer *text, const char *ending)
{
    size_t lines = 0;
    size_t left_out = 0;
    for (struct role *role = host->first_role; role != NULL; role = role->next)
        for (struct task *task = role->first; task != NULL; task = task->next) {
            if (lines++ >= MOST_LINES) {
                left_out++;
                continue;
            }
            describe_task(text, task);
            buffer_append_text(text, ending);
        }
    if (left_out > 0)
        buffer_printf(text, "\nand %zu more", left_out);
}

static void describe_failure(struct host *host, struct buffer *text)
{
    char ending[96] = "";
    if (host->culprit != NULL)
        snprintf(ending, sizeof ending, " when %.64s failed", host->culprit->name);
    buffer_append_text(text, host->failure == NULL ? "out of memory" : host->failure);
    describe_tasks(host, text, ending);
}

void outcome_describe(struct host *host, struct error *error)
{
    struct buffer text = {0};
    enum status status = STATUS_USAGE;
    switch (host->outcome) {
    case TRACE_DONE:
        return;
    case TRACE_ROLE_FAILED:
    case TRACE_STOPPED:
        describe_failure(host, &text);
        break;
    case TRACE_DEADLOCK:
        buffer_append_text(&text, "every role waits for another: deadlock");
        describe_tasks(host, &text, "");
        break;
    case TRACE_TIMED_OUT:
        buffer_printf(&text, "the exchange took longer than %g s",
                      (double)host->settings.timeout / (double)NANOSECONDS_PER_SECOND);
        describe_tasks(host, &text, "");
        break;
    case TRACE_INTERRUPTED:
        buffer_append_text(&text, "the exchange was interrupted");
        describe_tasks(host, &text, "");
        status = STATUS_DONE;
        break;
    }
    error_set(error, status, "%s", buffer_text(&text));
    buffer_free(&text);
}
