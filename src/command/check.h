/*
 * check.h - what the two halves of the command check share: a run, and recorded captures.
 */
#ifndef HANDLENS_COMMAND_CHECK_H
#define HANDLENS_COMMAND_CHECK_H

#include <stdio.h>

#include "check/judge.h"
#include "check/report.h"
#include "command/command.h"
#include "script/script.h"

struct checking_job {
    const struct invocation *invocation;
    const char *path;      /* of the lab's file */
    struct script *script; /* loaded, its lab.check there */
    const struct report_format *format;
    struct terminal terminal;
    FILE *report; /* --html's file; NULL without it */
};

/* What became of one trace. */
struct check_outcome {
    enum status status;
    size_t verdicts[3];
    char error[2048]; /* why it could not be judged or read; "" */
};

/*
 * Loads the trace, judges it, and appends its part of the report to text. run_failure is NULL or
 * why the run that made the trace ended: it counts as a failed expectation. The judgement is the
 * caller's to free.
 */
void check_judge(const struct checking_job *job, struct trace_reader *reader,
                 struct report_subject subject, const struct error *run_failure,
                 struct judgement *judgement, struct check_outcome *outcome, struct buffer *text);

/* Writes the page of the trace, with the verdicts, onto job->report. reader: the trace again, from
 * its start. file_name "" for a run. Damage is no failure: that has been told. */
bool check_write_page(const struct checking_job *job, struct trace_reader *reader,
                      const char *file_name, const struct verdicts *verdicts, struct error *error);

/* Appends the part of a trace that could not be opened. */
void check_refuse(const struct checking_job *job, struct report_subject subject,
                  const struct error *why, struct check_outcome *outcome, struct buffer *text);

/* check_files.c: judges the files in processes of their own, one for each CPU, and writes the
 * report. */
enum status check_files(const struct checking_job *job, char **files, size_t count,
                        struct error *error);

/* Writes what has been collected to standard output, and empties it. Returns false with error set
 * if memory ran out for a part of it. */
bool check_write(struct buffer *text, struct error *error);

#endif
