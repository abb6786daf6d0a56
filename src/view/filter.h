/*
 * filter.h - tcpdump's filter language over frames of any link type. For src/view only.
 *
 * libpcap compiles an expression for one link type; a file may hold several, so each gets its own
 * program when its first packet comes.
 */
#ifndef HANDLENS_VIEW_FILTER_H
#define HANDLENS_VIEW_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "support/error.h"
#include "trace/event.h"

struct view_filter;

/*
 * text is copied. A syntax error is shown with a caret under the word where it begins
 * (STATUS_USAGE). Returns NULL with error set.
 */
struct view_filter *view_filter_open(const char *text, struct error *error);

/*
 * Whether the packet matches, into *matches. Returns false with error set where the expression
 * means nothing on the packet's link type (STATUS_USAGE).
 */
bool view_filter_match(struct view_filter *filter, const struct trace_packet *packet, bool *matches,
                       struct error *error);

/* NULL is allowed. */
void view_filter_close(struct view_filter *filter);

#endif
