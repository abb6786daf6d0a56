/*
 * check.h - runs lab.check on a trace.
 */
#ifndef HANDLENS_SCRIPT_CHECK_H
#define HANDLENS_SCRIPT_CHECK_H

#include "check/judge.h"
#include "script/script.h"

/*
 * Calls lab.check(trace) and adds what it expects to the judgement, each judged. An error in the
 * check is a failed expectation like others, and what stands behind it in the check is not judged.
 * Returns false with error set where there is nothing to check (STATUS_USAGE).
 * The trace must outlive the script.
 */
bool script_check(struct script *script, const struct check_trace *trace,
                  struct judgement *judgement, struct error *error);

#endif
