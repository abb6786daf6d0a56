/*
 * sequence.h - sequence numbers compared modulo 2^32, RFC 9293 section 3.4.
 */
#ifndef HANDLENS_TCP_SEQUENCE_H
#define HANDLENS_TCP_SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

/* a comes after b. */
static inline bool sequence_after(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) > 0;
}

/* a comes before b. */
static inline bool sequence_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

#endif
