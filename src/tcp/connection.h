/*
 * connection.h - what the flow table keeps for a flow, and the two who write it.
 *
 * states.c follows both ends' states, analysis.c the sequence numbers. Neither knows the table.
 */
#ifndef HANDLENS_TCP_CONNECTION_H
#define HANDLENS_TCP_CONNECTION_H

#include "tcp/flow.h"
#include "tcp/segments.h"

/* A TCP segment, as both of them need it. */
struct seen {
    int64_t time;
    uint64_t number;
    const struct packet_tcp *tcp;
    uint32_t length; /* of the payload, by the headers */
    enum flow_end from;
    bool options_cut; /* the capture ends within its options */
};

enum { SCALE_UNKNOWN = -1, SCALE_NONE = -2 };

#define WINDOW_UNKNOWN UINT32_MAX

/* What the analysis remembers of one direction. */
struct track {
    int64_t next_time;  /* when next_seq was last raised */
    int64_t last_time;  /* when its newest segment came */
    uint64_t new_ack;   /* the packet that first carried last_ack */
    uint32_t next_seq;  /* behind the highest sequence number seen */
    uint32_t whole_seq; /* behind the highest number seen without a hole before it */
    uint32_t last_ack;
    uint32_t window;     /* of its newest segment, unscaled */
    uint32_t last_marks; /* of its newest segment */
    uint32_t sacked;     /* bytes its newest segment acknowledged selectively */
    int32_t duplicates;  /* duplicate ACKs in a row; -1: see analysis.c */
    int8_t scale;        /* shift count, or SCALE_UNKNOWN, SCALE_NONE */
    bool has_next;
    bool has_ack;
    bool in_flight_known; /* no hole since the other end's newest ACK */
    bool first_ack_due;   /* a SYN was seen, no ACK since: its window is not scaled yet */
    struct segments unacked;
};

/* What the states need to know of one end's FIN. */
struct fin {
    uint32_t next_seq; /* behind the FIN */
    bool received;     /* by the other end, as far as can be told */
    bool acked;
};

struct connection {
    struct connection *chain; /* the next in its hash bucket */
    uint64_t numbers[2];      /* of both ends, by enum flow_end; see flow_table.c */
    uint32_t hash;
    bool reachable; /* still in the hash table: no later flow took its addresses */
    bool ended;     /* in the list of ended flows */
    bool to_itself; /* both ends are one socket */
    struct flow flow;
    struct track track[2];
    struct fin fin[2];
    bool active[2];    /* this end sent a SYN of its own accord, without ACK */
    int64_t syn_time;  /* of the newest SYN; has_syn_time */
    int64_t first_rtt; /* SYN to the first ACK from anybody; 0 unknown */
    bool has_syn_time;
    struct connection *older, *newer;  /* all, by id */
    struct connection *idler, *busier; /* the open ones or the ended ones */
    uint64_t queued; /* its newest packet's number when it was put at the end of that list */
};

/* Follows both ends' states through the segment. hole: bytes before it were not seen. */
void states_follow(struct connection *connection, const struct seen *seen, bool hole);

/* Sets up what must not start as zero. */
void analysis_begin(struct connection *connection);

/* Whether the SYN begins a new flow on the old one's addresses. */
bool analysis_is_new_flow(const struct connection *connection, const struct seen *seen);

/*
 * Marks the segment, measures, and remembers what later ones are compared with. facts->marks may
 * already hold MARK_PORT_REUSED; is_new says that the segment opened the flow.
 */
void analysis_follow(struct connection *connection, const struct seen *seen,
                     struct segment_pool *pool, struct flow_facts *facts);

#endif
