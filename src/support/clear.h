/*
 * clear.h - zeroes a struct that is used once for each packet.
 *
 * For a known size of a hundred bytes or more gcc makes memset a "rep stos", whose start alone
 * takes longer than the stores; in pieces of 32 bytes it uses vector stores instead.
 */
#ifndef HANDLENS_SUPPORT_CLEAR_H
#define HANDLENS_SUPPORT_CLEAR_H

#include <stddef.h>
#include <string.h>

#define CLEAR_PIECE 32

/* Zeroes length bytes. */
static inline void clear_bytes(void *start, size_t length)
{
    unsigned char *at = start;
    for (; length >= CLEAR_PIECE; length -= CLEAR_PIECE) {
        memset(at, 0, CLEAR_PIECE);
        at += CLEAR_PIECE;
    }
    memset(at, 0, length);
}

#endif
