/*
 * pattern.h - packets written down: what a check says of one.
 *
 *     client SYN
 *     server SYN ACK win 65483 <mss 65495, sack>
 *     client PSH ACK len 21
 *     * RST
 *     client FIN ACK [retransmission]
 *     4  0.000240  127.0.0.1:51234 > 127.0.0.1:65432  PSH ACK seq 1 ack 1 win 65536 len 21  # …
 *     ...
 *
 * What is written must be so; what is not written may be anything. A line of `view --as packets`
 * is such a pattern: its number, its time, the client's port and its comment say nothing about
 * another run, and are not compared. scripts/README.md defines the form for users.
 */
#ifndef HANDLENS_CHECK_PATTERN_H
#define HANDLENS_CHECK_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "check/model.h"
#include "support/address.h"
#include "support/error.h"

#define PATTERN_TEXT    400
#define PATTERN_ROLE    64
#define PATTERN_OPTIONS 12
#define PATTERN_OPTION  40
#define PATTERN_FAULT   64

enum pattern_kind {
    PATTERN_ANY,   /* any packet */
    PATTERN_TCP,   /* a segment, by its flags */
    PATTERN_UDP,   /* a datagram */
    PATTERN_OTHER, /* anything else, by the text of its headers */
    PATTERN_GAP,   /* "...": any number of packets, none too */
};

enum pattern_flags {
    PATTERN_FLAGS_ANY,     /* none written, or a * alone */
    PATTERN_FLAGS_EXACT,   /* these and no others */
    PATTERN_FLAGS_AT_LEAST /* these and a *: others too */
};

/* A number: from least to most. */
struct pattern_range {
    bool given;
    uint64_t least, most;
};

struct pattern {
    char text[PATTERN_TEXT]; /* as it was written, without number, time and comment */
    enum pattern_kind kind;
    char role[PATTERN_ROLE]; /* "": anybody */
    bool has_addresses;
    struct address from, to;
    enum pattern_flags flags_given;
    uint16_t flags;
    struct pattern_range seq, ack, window, length;
    uint32_t marks; /* each must be there */
    size_t option_count;
    char options[PATTERN_OPTIONS][PATTERN_OPTION]; /* each must be there; may hold a * */
    char fault[PATTERN_FAULT];                     /* "": none asked for */
    char other[PATTERN_TEXT];                      /* PATTERN_OTHER: may hold a * */
};

/* Returns false with error set: a sentence that names the word that is not understood. */
bool pattern_parse(struct pattern *pattern, const char *text, struct error *error);

/* Whether the packet is one the pattern describes. Never for PATTERN_GAP. */
bool pattern_match(const struct pattern *pattern, const struct check_trace *trace,
                   const struct check_packet *packet);

/*
 * Whether the trace can tell who the pattern's role is. If not, error says why: STATUS_CHECK_FAILED
 * where the trace has roles but not this one, STATUS_DONE where it has none at all.
 */
bool pattern_role_known(const struct pattern *pattern, const struct check_trace *trace,
                        struct error *error);

/* What of the packet differs from the pattern, in words: "flags are ACK, not SYN ACK"; "" if it
 * matches. Writes at most size bytes to text and returns it. */
const char *pattern_difference(const struct pattern *pattern, const struct check_trace *trace,
                               const struct check_packet *packet, char *text, size_t size);

#endif
