/*
 * model.h - a whole trace in memory, for judging.
 *
 * Views read a trace once and keep little; a check asks back and forth. So here all of it is read
 * first: packets decoded and followed, both directions of every flow put together, calls with what
 * they returned. The trace may come from anybody: without calls, roles or a beginning.
 *
 * Texts and bytes lie in one arena and are named by where they begin, for the arena moves while it
 * grows. Memory is bounded: a trace beyond CHECK_PACKETS_LIMIT or CHECK_BYTES_LIMIT is refused.
 */
#ifndef HANDLENS_CHECK_MODEL_H
#define HANDLENS_CHECK_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/buffer.h"
#include "support/error.h"
#include "tcp/flow.h"
#include "trace/reader.h"

#define CHECK_PACKETS_LIMIT 1000000
#define CHECK_CALLS_LIMIT   1000000
#define CHECK_BYTES_LIMIT   ((size_t)512 << 20)

/* States that an end passed through are remembered up to here. */
#define CHECK_STATES 24

/* A run of bytes in the arena. Texts have a zero behind them that is not counted. */
struct check_text {
    size_t at;
    size_t length;
};

struct check_packet {
    uint64_t number; /* counted from 1 */
    int64_t time;    /* ns since the epoch */
    uint32_t flow;   /* its id; 0 for none */
    uint32_t cause;  /* the call; 0 for none */
    struct address source, destination;
    uint32_t seq, ack; /* relative where there is a flow, else as on the wire */
    uint32_t wire_seq; /* as on the wire */
    uint32_t window;   /* scaled where the scale is known */
    uint32_t length;   /* of the payload, bytes on the wire */
    uint32_t marks;    /* enum tcp_mark */
    uint16_t flags;    /* enum tcp_flag */
    uint16_t urgent;   /* the urgent pointer; means something with URG */
    uint8_t from;      /* enum flow_end; means something with a flow */
    bool tcp, udp;
    struct check_text headers; /* as tcp/packet_text.h writes them */
    struct check_text payload; /* as captured */
};

struct check_call {
    uint32_t call;
    uint32_t role;   /* index into roles + 1; 0 for none */
    uint32_t socket; /* 0 for none */
    uint32_t line;
    int32_t error; /* errno; 0 */
    bool returned;
    int64_t time, end; /* ns since the epoch; end is 0 while it has not returned */
    struct check_text name, arguments, script, result, message;
};

struct check_role {
    uint32_t id;
    enum trace_role_kind kind;
    struct check_text name;
};

/* One end of a flow. */
struct check_side {
    uint32_t role;                /* index into roles + 1; 0: nobody knows */
    int64_t closing;              /* when a role began to close its socket; INT64_MAX: never;
                                     0: nobody knows */
    struct buffer sent;           /* the bytes it sent, in order, each once */
    uint64_t missing;             /* bytes it sent that are not in the capture */
    uint32_t marks;               /* enum tcp_mark, of all its packets */
    uint8_t states[CHECK_STATES]; /* enum tcp_state, each when it was reached */
    uint8_t state_count;
};

#define CHECK_HANDSHAKE 96

struct check_flow {
    struct flow flow; /* as it was at the end */
    struct check_side side[2];
    uint32_t *packets; /* indices into the trace's packets, in order; owned by the trace */
    size_t packet_count;
    char handshake[CHECK_HANDSHAKE]; /* "SYN, SYN ACK, ACK", "SYN, RST ACK", "none" */
    uint32_t handshake_packets[4];   /* indices */
    size_t handshake_count;
    bool to_itself; /* both ends have one address: sides cannot be told apart */
};

/* Roles' sockets, for finding out whose packets these are. */
struct check_socket {
    uint32_t role; /* index + 1 */
    uint32_t socket;
    uint8_t transport;
    struct address local, remote;
};

struct check_trace {
    struct check_packet *packets;
    size_t packet_count, packet_capacity;
    struct check_call *calls;
    size_t call_count, call_capacity;
    struct check_role *roles;
    size_t role_count, role_capacity;
    struct check_flow *flows; /* flow N is flows[N - 1] */
    size_t flow_count, flow_capacity;
    struct check_socket *sockets;
    size_t socket_count, socket_capacity;
    uint32_t *indices; /* that flows' packets point into */
    struct buffer arena;
    size_t stream_bytes; /* in all sides' sent */
    int64_t origin;      /* when the trace began */
    bool recorded;       /* calls were recorded: one of our own traces */
    bool counted;        /* it says how many packets were captured: the next line holds */
    uint64_t captured;
    enum trace_outcome outcome;
    bool has_end; /* outcome holds */
};

/*
 * Reads everything. Returns false with error set: STATUS_DAMAGED when the file is damaged, and then
 * the trace holds what could be read; anything else when there is nothing to judge.
 */
bool check_trace_load(struct check_trace *trace, struct trace_reader *reader, struct error *error);

void check_trace_free(struct check_trace *trace);

/* The bytes of a text; those of an arena text end with a zero. */
const char *check_text(const struct check_trace *trace, struct check_text text);

/*
 * Who sent the packet: the role's name where one is known, else "client" or "server" by the flow's
 * ends, else "". Lives until the trace is freed.
 */
const char *check_packet_role(const struct check_trace *trace, const struct check_packet *packet);

/* The same for an end of a flow. */
const char *check_side_role(const struct check_trace *trace, const struct check_flow *flow,
                            enum flow_end end);

/* roles.c: finds the roles of all ends by their sockets' addresses, and when they closed. Returns
 * false out of memory. */
bool check_find_roles(struct check_trace *trace);

/* handshake.c: fills each flow's handshake. */
void check_find_handshakes(struct check_trace *trace);

#endif
