/*
 * lines.h - memory that shares no cache line with other memory.
 *
 * Where one thread writes to what lies beside something that another reads, each write takes the
 * line away from the other; a thread's own structs are therefore allocated so. Freed by free.
 */
#ifndef HANDLENS_SUPPORT_LINES_H
#define HANDLENS_SUPPORT_LINES_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_LINE ((size_t)64)

/* Zeroed memory for a struct of that size. Returns NULL out of memory. */
static inline void *lines_calloc(size_t size)
{
    size_t whole = (size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    void *start = aligned_alloc(CACHE_LINE, whole);
    return start == NULL ? NULL : memset(start, 0, whole);
}

#endif
