/*
 * perform.h - run, serve and connect: find the lab, make the exchange, show its trace.
 */
#ifndef HANDLENS_COMMAND_PERFORM_H
#define HANDLENS_COMMAND_PERFORM_H

#include "command/exchange.h"

/*
 * The first operand is the lab. Returns the exit status: the script's failure counts before the
 * trace file's, and that before the view's. error holds whatever of it is worth saying.
 */
enum status perform(const struct invocation *invocation, enum place_kind place,
                    enum script_parties parties, bool record, struct error *error);

/* Says where the trace is, and how many packets it misses. */
void perform_remark(const struct exchange *exchange);

/* Adds a second failure (text "": none) to a first one, if there was one. Returns the status that
 * counts. */
enum status perform_join(enum status status, struct error *error, enum status second_status,
                         const struct error *second);

#endif
