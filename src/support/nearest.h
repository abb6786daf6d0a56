/*
 * nearest.h - what a misspelt word was probably meant to be.
 */
#ifndef HANDLENS_SUPPORT_NEAREST_H
#define HANDLENS_SUPPORT_NEAREST_H

#include <stddef.h>

/*
 * Returns the candidate with the fewest edits (insert, delete, replace, swap of neighbours) from
 * word, or NULL if none is near enough to be worth suggesting: at most a third of the word's
 * length, and at least one. The first of equals wins. Words over 64 bytes are never near.
 */
const char *nearest_word(const char *word, const char *const *candidates, size_t count);

#endif
