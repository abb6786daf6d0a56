/*
 * report.h - a judgement in words, for people, graders and CI.
 *
 * One format is a struct of functions; each appends to a buffer. A report may be about one trace
 * or many: begin, then file for each in order, then end with a row for each. file is called in the
 * process that judged, so it knows nothing of the other files but how many there are.
 */
#ifndef HANDLENS_CHECK_REPORT_H
#define HANDLENS_CHECK_REPORT_H

#include "check/judge.h"
#include "support/error.h"
#include "support/terminal.h"

/* What is reported on. */
struct report_subject {
    const char *lab;    /* "hello" */
    const char *script; /* "hello.lua" */
    const char *title;  /* lab.title */
    const char *file;   /* the capture's path; NULL: a run of the lab just made */
    size_t number;      /* counted from 1 */
    size_t files;       /* how many there are in all */
    const char *error;  /* why it could not be judged, or not read to its end; NULL */
};

/* How one of many files came out. */
struct report_row {
    const char *file;
    enum status status;
    size_t verdicts[3]; /* by enum trace_verdict */
    const char *error;  /* NULL */
};

struct report_format {
    const char *name;
    void (*begin)(struct buffer *out, size_t files);
    void (*file)(struct buffer *out, const struct report_subject *subject,
                 const struct judgement *judgement, const struct terminal *terminal);
    void (*end)(struct buffer *out, const struct report_row *rows, size_t count,
                const struct terminal *terminal);
};

extern const struct report_format report_text, report_tap, report_junit, report_json;

/* NULL for an unknown name; then *near is the nearest one or NULL. */
const struct report_format *report_format_named(const char *name, const char **near);

/* The name of the n-th format; NULL behind the last. */
const char *report_format_name(size_t n);

/*
 * The exit status that a judgement deserves: STATUS_CHECK_FAILED when something failed, and also
 * when nothing passed and nothing could be judged; else STATUS_DONE.
 */
enum status judgement_status(const size_t verdicts[3]);

/* "3 passed, 1 failed, 2 not judged". */
void report_append_counts(struct buffer *out, const size_t verdicts[3]);

#endif
