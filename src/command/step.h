/*
 * step.h - the step mode of run: before each call of the exchange it stops, shows where in the
 * script it is made and with what, and asks.
 *
 * The ladder grows above the question by what the recorder tells; keys say how far to go. While it
 * is stopped the exchange stands still, and no time-out of the script runs (host.h).
 */
#ifndef HANDLENS_COMMAND_STEP_H
#define HANDLENS_COMMAND_STEP_H

#include "host/host.h"
#include "script/script.h"
#include "support/terminal.h"

struct step;

/* The script is borrowed. Returns NULL with error set, STATUS_USAGE if there is no terminal. */
struct step *step_open(const struct script *script, enum color_choice color, struct error *error);

/* The next event of the trace. */
void step_hear(struct step *step, const struct trace_event *event);

/* A call is about to be made, and everything before it has been heard. Returns false to quit. */
bool step_before_call(struct step *step, struct host *host, const struct host_preview *preview);

/* Now and then while the exchange goes on: shows what has been heard, and hears whether somebody
 * wants it to stop. */
void step_tick(struct step *step);

/* Before somebody else writes to the terminal, or, with types, reads a line from it. */
void step_make_way(struct step *step, bool types);
/* The line has been read. */
void step_typed(struct step *step);

/* The trace has ended: shows the rest, and gives the terminal back. NULL is allowed. */
void step_close(struct step *step);

#endif
