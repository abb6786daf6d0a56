/*
 * flow.h - packets become flows: TCP connections and UDP conversations.
 *
 * A flow table takes decoded packets in the order of their capture and says of each which flow it
 * belongs to, from which end it came, and what Wireshark's TCP analysis would remark about it. It
 * keeps a fixed amount for a flow (under 1 KiB) and nothing for a packet. Flows that ended and
 * stayed silent are let go; the caller hears of each before it goes.
 *
 * Rules of analysis follow Wireshark's packet-tcp.c in what they mean, so that a student can look
 * them up; where we differ it is said and argued in tcp/README.md. Sequence numbers are compared
 * modulo 2^32 (RFC 9293 section 3.4).
 *
 * States (RFC 9293 section 3.3.2): a captured segment counts as sent by one end and received by
 * the other at once, as on a loopback, so both may change with it. A SYN makes the client
 * SYN-SENT and leaves the server in LISTEN; its SYN ACK makes the server SYN-RECEIVED and the
 * client ESTABLISHED; the ACK makes the server ESTABLISHED (figure 6). A FIN makes its sender
 * FIN-WAIT-1 and its receiver CLOSE-WAIT, though not yet acknowledged. An end in TIME-WAIT stays
 * there: no packet ends it. This is what TCP_INFO says at the same moment, but for TIME-WAIT:
 * Linux gives that to a socket of its own, and the program's says CLOSED.
 */
#ifndef HANDLENS_TCP_FLOW_H
#define HANDLENS_TCP_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "packet/packet.h"
#include "support/tcp_state.h"

/* The two ends of a flow. The client is who sent the SYN, or, seen from the middle, the first
 * packet (unless that is a SYN ACK). */
enum flow_end { FLOW_CLIENT = 0, FLOW_SERVER = 1 };

/* What is remarked about a segment; a bit each.  */
enum tcp_mark {
    MARK_RETRANSMISSION = 1 << 0,
    MARK_FAST_RETRANSMISSION = 1 << 1,
    MARK_SPURIOUS_RETRANSMISSION = 1 << 2,
    MARK_OUT_OF_ORDER = 1 << 3,
    MARK_DUPLICATE_ACK = 1 << 4,
    MARK_PREVIOUS_NOT_CAPTURED = 1 << 5,
    MARK_ACKED_UNSEEN = 1 << 6,
    MARK_ZERO_WINDOW = 1 << 7,
    MARK_WINDOW_UPDATE = 1 << 8,
    MARK_WINDOW_FULL = 1 << 9,
    MARK_ZERO_WINDOW_PROBE = 1 << 10,
    MARK_ZERO_WINDOW_PROBE_ACK = 1 << 11,
    MARK_KEEP_ALIVE = 1 << 12,
    MARK_KEEP_ALIVE_ACK = 1 << 13,
    MARK_PORT_REUSED = 1 << 14,
};

#define MARK_COUNT 15

/* "retransmission", "duplicate ACK", "zero window probe", … for one mark. Lives for ever. */
const char *tcp_mark_name(enum tcp_mark mark);

/* How a connection ended. */
enum flow_close {
    FLOW_OPEN,        /* not ended, or its end was not seen */
    FLOW_CLOSED,      /* a FIN each way, both acknowledged */
    FLOW_HALF_CLOSED, /* a FIN one way only, or both and the last ACK not seen */
    FLOW_RESET,       /* RST */
    FLOW_REFUSED,     /* RST in answer to the SYN */
};

/* What is known of one end. Counters start with the flow. */
struct flow_side {
    struct address address;
    enum tcp_state state;
    uint32_t initial_seq; /* relative numbers count from here; valid with has_initial_seq */
    bool has_initial_seq;
    bool has_options; /* its SYN was seen, so the next four lines are known */
    bool sack_permitted;
    bool timestamps;
    uint8_t window_scale; /* 255: no option */
    uint16_t mss;         /* 0: no option */
    bool fin_sent;
    bool syn_sent;
    bool has_stream_seq;
    /* Where its stream begins: its first segment's number, a SYN's plus one; a RST begins none.
     * Valid with has_stream_seq. */
    uint32_t stream_seq;
    uint64_t packets;      /* sent by this end */
    uint64_t bytes;        /* payload bytes sent, retransmitted ones too */
    uint64_t unique_bytes; /* payload bytes of new sequence numbers */
    uint64_t retransmissions;
    int64_t rtt_last; /* nanoseconds from its newest timed segment to its ACK; 0 unknown */
    int64_t rtt_min;
    int64_t rtt_max;
    int64_t rtt_sum;
    uint64_t rtt_count;
    uint32_t marks_seen; /* all marks its segments ever got */
};

/* A flow as others may read it. */
struct flow {
    uint32_t id;      /* counted from 1, TCP and UDP together: the N of --flow N */
    uint32_t stream;  /* counted from 0, TCP and UDP apart: tshark's tcp.stream, udp.stream */
    uint8_t protocol; /* 6 or 17 */
    struct flow_side side[2]; /* by enum flow_end */
    int64_t first_time;
    int64_t last_time;
    uint64_t first_number; /* packet numbers */
    uint64_t last_number;
    int64_t handshake_rtt; /* SYN to the client's ACK of the SYN ACK, ns; 0 unknown */
    uint8_t handshake;     /* bits: 1 SYN seen, 2 SYN ACK seen, 4 its ACK seen */
    enum flow_close close;
    uint8_t closed_by; /* enum flow_end of the first FIN or the RST; 255 while none */
    bool from_middle;  /* its beginning was not captured */
};

/* What the table says about one packet. */
struct flow_facts {
    const struct flow *flow; /* NULL: no TCP or UDP, or unreadable; lives until the next call */
    enum flow_end from;
    uint32_t relative_seq; /* 0-based, as Wireshark shows it */
    uint32_t relative_ack; /* 0 without the ACK flag */
    uint32_t window;       /* scaled where the scale is known */
    bool window_scaled;
    uint32_t next_seq;         /* relative_seq + payload + SYN + FIN */
    uint32_t marks;            /* enum tcp_mark */
    uint32_t duplicate_number; /* with MARK_DUPLICATE_ACK: which one, counted from 1 */
    uint64_t duplicate_of;     /* with MARK_DUPLICATE_ACK: the packet's number it repeats */
    uint32_t bytes_in_flight;  /* of the sender after this segment; 0 unknown or none */
    int64_t rtt;               /* ns from the segment this one acknowledges; 0 none */
    uint64_t rtt_of;           /* that segment's packet number */
    enum tcp_state before[2];  /* both ends' states before this packet, by enum flow_end */
    enum tcp_state after[2];
    bool new_flow; /* this packet opened the flow */
};

struct flow_table;

/* Hears of each flow when it is let go: ended long ago, or at flow_table_end. */
typedef void flow_ended(void *data, const struct flow *flow);

/* ended may be NULL. Returns NULL out of memory. */
struct flow_table *flow_table_open(flow_ended *ended, void *data);

/*
 * Takes the next packet: its capture time in ns, its number in the trace. Always fills facts
 * (zeroes where there is nothing to say). A packet quoted by ICMP is not counted. Out of memory a
 * packet is left unfollowed: facts->flow is NULL, and flow_table_has_lost says so.
 */
void flow_table_add(struct flow_table *table, int64_t time, uint64_t number,
                    const struct packet *packet, struct flow_facts *facts);

/*
 * What a packet's flow is found by. It depends on nothing but the packet and the table's seed, so
 * that another thread may have made it.
 */
struct flow_key {
    uint64_t ends[2]; /* source and destination in a number each: see flow_table.c */
    uint32_t hash;
};

uint64_t flow_table_seed(const struct flow_table *table);
void flow_key_make(struct flow_key *key, uint64_t seed, const struct packet *packet);

/* flow_table_add with the packet's key. */
void flow_table_add_keyed(struct flow_table *table, int64_t time, uint64_t number,
                          const struct packet *packet, const struct flow_key *key,
                          struct flow_facts *facts);

/*
 * Packets with this key will be added: soon, then very soon. Lets the processor fetch from memory
 * meanwhile what will be needed. Changes nothing.
 */
void flow_table_expect_soon(const struct flow_table *table, const struct flow_key *key);
void flow_table_expect(const struct flow_table *table, const struct flow_key *key);

/* Lets all flows go, in the order of their ids. */
void flow_table_end(struct flow_table *table);

/* Whether packets were left unfollowed since memory ran out. */
bool flow_table_has_lost(const struct flow_table *table);

/* How many flows there have been. */
uint64_t flow_table_count(const struct flow_table *table);

/* NULL is allowed. Does not call ended. */
void flow_table_close(struct flow_table *table);

/* "SYN, SYN ACK, ACK", "SYN, SYN ACK", "none", …; lives for ever. */
const char *flow_handshake_text(const struct flow *flow);

/* "closed", "reset", "refused", "half-closed", "open"; lives for ever. */
const char *flow_close_text(const struct flow *flow);

#endif
