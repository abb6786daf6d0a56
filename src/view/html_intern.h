/*
 * html_intern.h - numbers for things that are said often, so that each is said once. For html*.c
 * only.
 *
 * A thing is a run of bytes. Numbers count up from 1 and are never used twice. What is remembered
 * is bounded: a full table is emptied, and what comes again then gets a new number.
 */
#ifndef HANDLENS_VIEW_HTML_INTERN_H
#define HANDLENS_VIEW_HTML_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTML_INTERN_SLOTS 4096

/* Zero is an empty table. */
struct html_intern {
    struct {
        uint8_t *key; /* owned; NULL: free */
        size_t length;
        uint32_t number;
    } slots[HTML_INTERN_SLOTS];
    size_t count;
    uint32_t last; /* number given */
};

/*
 * The number of these bytes. *is_new says that it has just been given, so the bytes have to be
 * said. key may be NULL where length is 0. Returns 0 out of memory.
 */
uint32_t html_intern(struct html_intern *table, const void *key, size_t length, bool *is_new);

/* Empties it and frees what it holds. */
void html_intern_free(struct html_intern *table);

#endif
