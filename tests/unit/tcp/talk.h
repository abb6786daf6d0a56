/*
 * talk.h - a conversation written down as segments, for tests of the flow table.
 *
 *     say(&talk, CLIENT, "SYN", 1000, 0, 0, 65535);
 *
 * Each segment comes a millisecond after the one before, unless talk.time is set. What the table
 * said about the newest is in talk.facts.
 */
#ifndef HANDLENS_TESTS_TALK_H
#define HANDLENS_TESTS_TALK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcp/flow.h"

#define CLIENT FLOW_CLIENT
#define SERVER FLOW_SERVER

#define MS INT64_C(1000000)
#define S  INT64_C(1000000000)

struct talk {
    struct flow_table *table;
    struct flow_facts facts;
    struct address ends[2];
    struct packet packet; /* the next one's options may be set in advance */
    int64_t time;
    uint64_t number;
    struct flow gone[8]; /* the first that were let go */
    unsigned gone_count;
};

static inline void talk_gone(void *data, const struct flow *flow)
{
    struct talk *talk = data;
    if (talk->gone_count < 8)
        talk->gone[talk->gone_count] = *flow;
    talk->gone_count++;
}

static inline struct address talk_end(uint8_t host, uint16_t port)
{
    return (struct address){.family = 4, .port = port, .bytes = {10, 0, 0, host}};
}

static inline void talk_open(struct talk *talk)
{
    memset(talk, 0, sizeof *talk);
    talk->table = flow_table_open(talk_gone, talk);
    assert_non_null(talk->table);
    talk->ends[CLIENT] = talk_end(1, 40000);
    talk->ends[SERVER] = talk_end(2, 80);
    talk->time = 1000 * S;
}

static inline void talk_close(struct talk *talk)
{
    flow_table_close(talk->table);
    talk->table = NULL;
}

static inline uint16_t talk_flags(const char *text)
{
    static const struct {
        const char *name;
        uint16_t flag;
    } names[] = {{"SYN", TCP_SYN}, {"ACK", TCP_ACK}, {"FIN", TCP_FIN},
                 {"RST", TCP_RST}, {"PSH", TCP_PSH}, {"URG", TCP_URG}};
    uint16_t flags = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strstr(text, names[i].name))
            flags |= names[i].flag;
    return flags;
}

/* Hands the table what talk->packet holds, from one end to the other. */
static inline uint32_t talk_send(struct talk *talk, enum flow_end from)
{
    struct packet *packet = &talk->packet;
    packet->network = NETWORK_IPV4;
    packet->source = talk->ends[from];
    packet->destination = talk->ends[!from];
    packet->transport_at = 34;
    packet->captured = packet->length = 54 + packet->payload_length;
    packet->has_ports = true;
    talk->time += MS;
    flow_table_add(talk->table, talk->time, ++talk->number, packet, &talk->facts);
    memset(packet, 0, sizeof *packet);
    return talk->facts.marks;
}

/* Sends a segment; returns its marks. */
static inline uint32_t say(struct talk *talk, enum flow_end from, const char *flags, uint32_t seq,
                           uint32_t ack, uint32_t length, uint16_t window)
{
    struct packet_tcp *tcp = &talk->packet.tcp;
    talk->packet.transport = TRANSPORT_TCP;
    talk->packet.payload_length = talk->packet.payload_captured = length;
    tcp->flags = talk_flags(flags);
    tcp->seq = seq;
    tcp->ack = ack;
    tcp->window = window;
    tcp->header_length = 20;
    return talk_send(talk, from);
}

static inline void say_udp(struct talk *talk, enum flow_end from, uint32_t length)
{
    talk->packet.transport = TRANSPORT_UDP;
    talk->packet.payload_length = talk->packet.payload_captured = length;
    talk_send(talk, from);
}

/* The window scale option goes with the next segment. */
static inline void with_scale(struct talk *talk, uint8_t scale)
{
    talk->packet.tcp.options_seen |= TCP_SEEN_WINDOW_SCALE;
    talk->packet.tcp.window_scale = scale;
}

/* The capture ends within the next segment's options. */
static inline void with_cut_options(struct talk *talk)
{
    talk->packet.fault = FAULT_CUT;
}

/* SYN, SYN ACK, ACK: the client's ISN is 1000, the server's 5000. 1 ms each. */
static inline void shake_hands(struct talk *talk)
{
    say(talk, CLIENT, "SYN", 1000, 0, 0, 65535);
    say(talk, SERVER, "SYN ACK", 5000, 1001, 0, 65535);
    say(talk, CLIENT, "ACK", 1001, 5001, 0, 65535);
}

#define assert_states(talk, client, server)                                                        \
    do {                                                                                           \
        assert_string_equal(tcp_state_name((talk)->facts.after[CLIENT]), client);                  \
        assert_string_equal(tcp_state_name((talk)->facts.after[SERVER]), server);                  \
    } while (0)

static inline int talk_setup(void **state)
{
    static struct talk talk;
    talk_open(&talk);
    *state = &talk;
    return 0;
}

static inline int talk_teardown(void **state)
{
    talk_close(*state);
    return 0;
}

/* A test of the group, with a talk of its own in *state. */
#define TALK_TEST(name) cmocka_unit_test_setup_teardown(name, talk_setup, talk_teardown)

#endif
