/*
 * names.h - "did you mean": which of the known names is nearest to a mistyped one.
 */
#ifndef HANDLENS_SCRIPT_NAMES_H
#define HANDLENS_SCRIPT_NAMES_H

#include <stddef.h>

struct names_search {
    const char *wanted;  /* borrowed */
    const char *nearest; /* borrowed from the offers; NULL while nothing is near enough */
    size_t distance;     /* of nearest */
};

struct names_search names_search_for(const char *wanted);

/* Between equally near names the first in the alphabet wins, so the order of offers is free. */
void names_offer(struct names_search *search, const char *name);

#endif
