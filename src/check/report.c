#include "check/report.h"

#include <string.h>

#include "support/nearest.h"

static const struct report_format *const formats[] = {&report_text, &report_tap, &report_junit,
                                                      &report_json};
#define FORMATS (sizeof formats / sizeof formats[0])

const struct report_format *report_format_named(const char *name, const char **near)
{
    const char *names[FORMATS];
    for (size_t i = 0; i < FORMATS; i++) {
        names[i] = formats[i]->name;
        if (strcmp(name, names[i]) == 0)
            return formats[i];
    }
    *near = nearest_word(name, names, FORMATS);
    return NULL;
}

const char *report_format_name(size_t n)
{
    return n < FORMATS ? formats[n]->name : NULL;
}

enum status judgement_status(const size_t verdicts[3])
{
    bool failed = verdicts[TRACE_FAILED] > 0;
    bool unknown = verdicts[TRACE_PASSED] == 0 && verdicts[TRACE_NOT_JUDGED] > 0;
    return failed || unknown ? STATUS_CHECK_FAILED : STATUS_DONE;
}

void report_append_counts(struct buffer *out, const size_t verdicts[3])
{
    buffer_printf(out, "%zu passed", verdicts[TRACE_PASSED]);
    if (verdicts[TRACE_FAILED] > 0)
        buffer_printf(out, ", %zu failed", verdicts[TRACE_FAILED]);
    if (verdicts[TRACE_NOT_JUDGED] > 0)
        buffer_printf(out, ", %zu not judged", verdicts[TRACE_NOT_JUDGED]);
}
