/*
 * clock.h - the one clock of a trace.
 *
 * Packets and calls are stamped from CLOCK_REALTIME, the clock libpcap stamps with, so that their
 * times can be compared (see trace/recorder.h).
 */
#ifndef HANDLENS_SUPPORT_CLOCK_H
#define HANDLENS_SUPPORT_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NANOSECONDS_PER_SECOND      INT64_C(1000000000)
#define NANOSECONDS_PER_MILLISECOND INT64_C(1000000)

/* Nanoseconds since the epoch, CLOCK_REALTIME. */
static inline int64_t clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * NANOSECONDS_PER_SECOND + now.tv_nsec;
}

#endif
