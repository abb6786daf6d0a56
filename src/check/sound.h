/*
 * sound.h - whether packets can be all that was said on a connection (RFC 9293 section 3.10).
 *
 * Each packet is held against those before it. A capture that was edited, or that did not see
 * everything, has faults; one in which packets were lost on the way and sent again has none.
 */
#ifndef HANDLENS_CHECK_SOUND_H
#define HANDLENS_CHECK_SOUND_H

#include "check/judge.h"

struct soundness {
    size_t count;               /* of faults; one a packet at most */
    char first[200];            /* "packet 5: a SYN in the middle of the connection"; "" */
    struct concerned concerned; /* the packets with faults; the caller frees */
};

/* Adds the faults of a flow, an index. UDP has none, nor has a socket connected to itself. */
void sound_flow(const struct check_trace *trace, size_t flow, struct soundness *found);

/* Adds the faults of all flows and, in a trace of our own, whether as many packets are there as
 * its end says were captured. */
void sound_trace(const struct check_trace *trace, struct soundness *found);

#endif
