/*
 * check: runs a lab and judges its trace by lab.check, or judges recorded captures.
 */
#include "command/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command/exchange.h"
#include "command/lab_path.h"
#include "command/perform.h"
#include "command/show.h"
#include "script/check.h"
#include "support/clock.h"
#include "trace/reader.h"

bool check_write(struct buffer *text, struct error *error)
{
    bool whole = !text->failed || error_out_of_memory(error);
    if (text->length > 0)
        fwrite(text->data, 1, text->length, stdout);
    fflush(stdout); /* main tells if it cannot be written */
    buffer_clear(text);
    return whole;
}

/* What the check printed is for its author, not part of the report. */
static void say_printed(const struct checking_job *job, const struct report_subject *subject,
                        struct judgement *judgement)
{
    if (job->invocation->quiet || judgement->printed.length == 0)
        return;
    struct buffer text = {0};
    const char *at = buffer_text(&judgement->printed);
    while (*at != '\0') {
        size_t length = strcspn(at, "\n");
        if (subject->files > 1)
            buffer_printf(&text, "%s: ", subject->file);
        terminal_append_printable(&text, at, length, terminal_of(STDERR_FILENO, COLOR_NEVER).utf8);
        buffer_append_byte(&text, '\n');
        at += length + (at[length] == '\n');
    }
    fwrite(text.data, 1, text.length, stderr);
    buffer_free(&text);
}

static void add_run_failure(struct judgement *judgement, const struct error *failure)
{
    struct expectation *added = judgement_add(judgement, TRACE_FAILED);
    if (added == NULL)
        return;
    added->broken = true;
    added->words = strdup("the exchange runs to its end");
    added->seen = strndup(failure->text, strcspn(failure->text, "\n"));
}

void check_judge(const struct checking_job *job, struct trace_reader *reader,
                 struct report_subject subject, const struct error *run_failure,
                 struct judgement *judgement, struct check_outcome *outcome, struct buffer *text)
{
    struct check_trace trace;
    struct error error = {0};
    *judgement = (struct judgement){0};
    *outcome = (struct check_outcome){0};
    bool loaded = check_trace_load(&trace, reader, &error);
    enum status damage = loaded ? STATUS_DONE : error.status;
    if (run_failure != NULL)
        add_run_failure(judgement, run_failure);
    if (loaded || damage == STATUS_DAMAGED) {
        struct error refusal = {0};
        if (!script_check(job->script, &trace, judgement, &refusal)) {
            error = refusal;
            damage = refusal.status;
        }
    }
    enum status verdict =
        judgement->count > 0 ? judgement_status(judgement->verdicts) : STATUS_DONE;
    outcome->status = judgement->failed || verdict == STATUS_DONE ? damage : verdict;
    memcpy(outcome->verdicts, judgement->verdicts, sizeof outcome->verdicts);
    snprintf(outcome->error, sizeof outcome->error, "%s", error.text);
    subject.error = error.text[0] != '\0' ? error.text : NULL;
    say_printed(job, &subject, judgement);
    job->format->file(text, &subject, judgement, &job->terminal);
    check_trace_free(&trace);
}

bool check_write_page(const struct checking_job *job, struct trace_reader *reader,
                      const char *file_name, const struct verdicts *verdicts, struct error *error)
{
    struct view_options options = show_options(job->invocation, fileno(job->report));
    options.file_name = file_name;
    options.checks = verdicts->list;
    options.check_count = verdicts->count;
    enum view_result result = view_render(reader, VIEW_HTML, &options, job->report, error);
    return result != VIEW_FAILED;
}

void check_refuse(const struct checking_job *job, struct report_subject subject,
                  const struct error *why, struct check_outcome *outcome, struct buffer *text)
{
    struct judgement nothing = {0};
    *outcome = (struct check_outcome){.status = why->status};
    snprintf(outcome->error, sizeof outcome->error, "%s", why->text);
    subject.error = why->text;
    job->format->file(text, &subject, &nothing, &job->terminal);
}

/* The verdicts go where the trace goes: into -w's file, and with the whole of it into the page. */
static bool keep_verdicts(const struct checking_job *job, struct exchange *exchange,
                          const struct judgement *judgement, struct error *error)
{
    struct verdicts verdicts;
    if (!verdicts_make(&verdicts, judgement, clock_now(), error))
        return false;
    for (size_t i = 0; i < verdicts.count; i++)
        exchange_add(exchange, &verdicts.list[i]);
    struct trace_reader *reader = NULL;
    bool done = job->report == NULL ||
                ((reader = trace_reader_from(exchange->trace, "the trace", error)) != NULL &&
                 check_write_page(job, reader, "", &verdicts, error));
    trace_reader_close(reader);
    verdicts_free(&verdicts);
    return done;
}

/* Judges the trace of the exchange that has just ended. */
static enum status judge_run(const struct checking_job *job, struct exchange *exchange,
                             struct error *failure)
{
    const struct lab *lab = script_lab(job->script);
    struct report_subject subject = {
        .lab = lab->name, .script = lab->file, .title = lab->title, .number = 1, .files = 1};
    struct error error = {0};
    struct trace_reader *reader = trace_reader_from(exchange->trace, "the trace", &error);
    if (reader == NULL) {
        *failure = error;
        return error.status;
    }
    bool failed = failure->text[0] != '\0';
    struct judgement judgement;
    struct check_outcome outcome;
    struct buffer text = {0};
    job->format->begin(&text, 1);
    check_judge(job, reader, subject, failed ? failure : NULL, &judgement, &outcome, &text);
    trace_reader_close(reader);
    bool kept = keep_verdicts(job, exchange, &judgement, &error);
    judgement_free(&judgement);
    struct report_row row = {.file = lab->file, .status = outcome.status};
    memcpy(row.verdicts, outcome.verdicts, sizeof row.verdicts);
    job->format->end(&text, &row, 1, &job->terminal);
    bool whole = check_write(&text, &error);
    buffer_free(&text);
    if (failed)
        return failure->status;
    if (!whole) {
        *failure = error;
        return outcome.status != STATUS_DONE ? outcome.status : error.status;
    }
    error_set(failure, outcome.status, "%s", outcome.error);
    return kept ? outcome.status : perform_join(outcome.status, failure, error.status, &error);
}

/* The exchange runs in a state of its own: lab.check gets the same fresh one as for a FILE. */
static enum status check_run(const struct checking_job *job, struct error *error)
{
    const struct invocation *invocation = job->invocation;
    struct script *script = script_load(job->path, &(struct script_limits){0}, error);
    if (script == NULL)
        return error->status;
    struct exchange exchange = {
        .invocation = invocation,
        .script = script,
        .place = invocation->here ? PLACE_HERE : PLACE_PRIVATE,
        .parties = SCRIPT_EVERYONE,
        .record = true,
        .judged = true,
        .trace = -1,
    };
    enum status status = exchange_run(&exchange, error) ? STATUS_DONE : error->status;
    bool began = exchange.trace >= 0;
    if (began)
        status = judge_run(job, &exchange, error);
    exchange_close(&exchange);
    script_close(script);
    if (began)
        perform_remark(&exchange);
    return perform_join(status, error, exchange.recording.status, &exchange.recording);
}

static bool choose_format(const struct invocation *invocation, struct checking_job *job,
                          struct error *error)
{
    const char *near = NULL;
    const char *name = invocation->format == NULL ? "text" : invocation->format;
    job->format = report_format_named(name, &near);
    if (job->format != NULL)
        return true;
    if (near != NULL)
        return error_set(error, STATUS_USAGE, "there is no format '%s'; did you mean '%s'?", name,
                         near);
    return error_set(error, STATUS_USAGE,
                     "there is no format '%s'; there are text, tap, junit and json", name);
}

/* With FILEs: what belongs to a run, and what only one file can have, is refused. */
static bool check_options(const struct invocation *invocation, size_t files, struct error *error)
{
    if (files > 0 && (invocation->trace_path != NULL || invocation->here))
        return error_set(error, STATUS_USAGE, "%s is for a run, and with a FILE nothing is run",
                         invocation->here ? "--here" : "-w");
    if (files > 1 && invocation->html_path != NULL)
        return error_set(
            error, STATUS_USAGE,
            "--html makes the page of one FILE, and here are %zu: check them one by one", files);
    struct stat known;
    if (files == 1 && invocation->html_path != NULL &&
        (strcmp(invocation->operands[1], "-") == 0 ||
         (stat(invocation->operands[1], &known) == 0 && !S_ISREG(known.st_mode))))
        return error_set(error, STATUS_USAGE,
                         "--html needs a FILE that can be read twice, and %s cannot",
                         invocation->operands[1]);
    return true;
}

/* A page of which nothing was written is of no use, and would be in the way next time. */
static enum status close_page(const struct checking_job *job, enum status status,
                              struct error *error)
{
    const char *path = job->invocation->html_path;
    struct error unwritten = {0};
    struct stat known;
    bool is_empty = fstat(fileno(job->report), &known) == 0 && known.st_size == 0;
    show_close(job->report, path, &unwritten);
    if (is_empty && !job->invocation->force)
        unlink(path);
    return perform_join(status, error, unwritten.status, &unwritten);
}

static enum status check_all(struct checking_job *job, size_t files, struct error *error)
{
    const struct invocation *invocation = job->invocation;
    /* First of all, since behind the place's door the user may write less. */
    if (invocation->html_path != NULL) {
        job->report = show_open(invocation, invocation->html_path, error);
        if (job->report == NULL)
            return error->status;
    }
    enum status status = files > 0 ? check_files(job, invocation->operands + 1, files, error)
                                   : check_run(job, error);
    return job->report == NULL ? status : close_page(job, status, error);
}

static enum status run_check(const struct invocation *invocation, struct error *error)
{
    char path[LAB_PATH_SIZE];
    struct checking_job job = {.invocation = invocation, .path = path};
    size_t files = (size_t)invocation->operand_count - 1;
    if (!choose_format(invocation, &job, error) ||
        !lab_path_find(invocation->operands[0], path, error) ||
        !check_options(invocation, files, error))
        return error->status;
    job.terminal = terminal_of(STDOUT_FILENO, invocation->color);
    job.script = script_load(path, &(struct script_limits){0}, error);
    if (job.script == NULL)
        return error->status;
    enum status status;
    if (script_lab(job.script)->has_check) {
        status = check_all(&job, files, error);
    } else {
        error_set(error, STATUS_USAGE, "%s has no lab.check(trace), so there is nothing to check",
                  script_lab(job.script)->file);
        status = error->status;
    }
    script_close(job.script);
    return status;
}

const struct command command_check = {
    .bit = COMMAND_CHECK,
    .name = "check",
    .operands = "LAB [FILE...]",
    .summary = "run a lab and judge it, or judge captures",
    .about = "Runs LAB and judges its trace by the lab's own check: for each expectation, what\n"
             "was expected, what the trace shows, and in which packets. With FILEs nothing is\n"
             "run: each capture is judged, of handlens or of tcpdump and Wireshark; what needs\n"
             "calls is then not judged. Exit status: 0 all passed; 1 something failed, or\n"
             "nothing could be judged.",
    .examples =
        "  handlens check hello                    run it and judge it\n"
        "  handlens check hello hello.pcapng       judge a recorded capture\n"
        "  handlens check hello */hello.pcapng     a whole class, with a table\n"
        "  handlens check hello --html hello.html  the report of the run, with the verdicts\n"
        "  handlens check hello --format junit     for CI\n",
    .least_operands = 1,
    .most_operands = -1,
    .run = run_check,
};
