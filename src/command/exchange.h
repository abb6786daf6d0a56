/*
 * exchange.h - one run of a lab, from the place to the recorded trace. What run, and every other
 * command that makes an exchange, have in common.
 *
 * Order matters and stands in exchange_run: the trace file is made before the place is entered
 * (inside, the user may write less), the place before any thread exists, the capture before the
 * first socket call, and once the capture is open, privileges go and the fence is closed, behind
 * which all that follows happens: the threads, the exchange, and the showing of its trace.
 */
#ifndef HANDLENS_COMMAND_EXCHANGE_H
#define HANDLENS_COMMAND_EXCHANGE_H

#include "command/command.h"
#include "command/step.h"
#include "place/place.h"
#include "script/script.h"
#include "support/error.h"
#include "trace/writer.h"

struct exchange {
    /* In: what is wanted. */
    const struct invocation *invocation;
    struct script *script;
    enum place_kind place;
    enum script_parties parties;
    bool record;       /* whether anything is recorded and captured at all */
    bool judged;       /* -w's file stays open behind the trace's end, for exchange_add */
    struct step *step; /* who stops at each call; NULL: nobody */
    /* Out: the recorded trace, an open file; -1 if there is none. exchange_close closes it. */
    int trace;
    uint64_t packets;
    uint64_t dropped;
    enum trace_outcome outcome;
    struct trace_writer *file; /* with judged: -w's; NULL without -w. exchange_close closes it. */
    struct error recording;    /* text is "" unless the trace could not be written to -w's file */
};

/*
 * Makes the exchange. Returns false with error set if it could not begin, or did not end well;
 * the trace recorded so far is there in either case, if exchange->trace is not -1.
 */
bool exchange_run(struct exchange *exchange, struct error *error);

/* With judged, and before exchange_close: an event for -w's file that tells of the whole trace. A
 * failure is in exchange->recording. */
void exchange_add(struct exchange *exchange, const struct trace_event *event);

/* What is left of -w's file to write is written now: exchange->recording may only then be set. */
void exchange_close(struct exchange *exchange);

#endif
