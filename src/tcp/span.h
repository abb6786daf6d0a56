/*
 * span.h - how far apart two times are, whatever a file claims they are.
 */
#ifndef HANDLENS_TCP_SPAN_H
#define HANDLENS_TCP_SPAN_H

#include <stdint.h>

/* to - from in ns; what would overflow is as far as can be told. */
static inline int64_t span(int64_t from, int64_t to)
{
    int64_t past;
    if (__builtin_sub_overflow(to, from, &past))
        return to > from ? INT64_MAX : INT64_MIN;
    return past;
}

#endif
