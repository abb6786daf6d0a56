/*
 * fuzz_flow.c - bytes become segments between a few ends, which go through the flow table and
 * both streams of their flow.
 *
 * Sequence numbers are mostly near those already used, so that the rules meet each other. What
 * must hold is asserted: the facts name a flow, counts add up, and a stream never gives more
 * bytes than it was given.
 *
 *     clang -g -O1 -fsanitize=fuzzer,address,undefined -Isrc \
 *         tests/fuzz/fuzz_flow.c src/tcp/?*.c src/support/tcp_state.c -o fuzz_flow
 */
#include <stdlib.h>
#include <string.h>

#include "tcp/flow.h"
#include "tcp/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

struct input {
    const uint8_t *data;
    size_t left;
};

static uint8_t take(struct input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->data++;
}

static uint32_t take_32(struct input *input)
{
    uint32_t value = take(input);
    for (int i = 0; i < 3; i++)
        value = value << 8 | take(input);
    return value;
}

struct heard {
    uint64_t bytes;
    uint64_t given;
};

static void hear(void *data, const uint8_t *bytes, size_t length, uint64_t number)
{
    struct heard *heard = data;
    volatile uint8_t sink = 0;
    (void)number;
    if (!bytes)
        return;
    sink = bytes[length - 1];
    (void)sink;
    heard->bytes += length;
}

static void flow_gone(void *data, const struct flow *flow)
{
    uint64_t *gone = data;
    ++*gone;
    REQUIRE(flow->id != 0);
    REQUIRE(strcmp(flow_close_text(flow), "?") != 0);
    for (int i = 0; i < 2; i++)
        REQUIRE(flow->side[i].unique_bytes <= flow->side[i].bytes);
}

/* A sequence number: near the one before, or anything. */
static uint32_t take_number(struct input *input, uint32_t *last, uint8_t how)
{
    switch (how & 3) {
    case 0:
        break;
    case 1:
        *last += (uint32_t)(int8_t)take(input);
        break;
    case 2:
        *last += (uint32_t)take(input) << 6;
        break;
    default:
        *last = take_32(input);
        break;
    }
    return *last;
}

static void take_segment(struct input *input, struct packet *packet, uint32_t last[2][2])
{
    memset(packet, 0, sizeof *packet);
    uint8_t how = take(input);
    uint8_t ends = take(input);
    bool back = ends & 1;
    packet->transport = (ends & 0xf0) == 0xf0 ? TRANSPORT_UDP : TRANSPORT_TCP;
    packet->source = (struct address){.family = 4, .port = 1, .bytes = {(uint8_t)(ends >> 1 & 3)}};
    packet->destination = (struct address){.family = 4, .port = 1, .bytes = {3}};
    if (back) {
        struct address other = packet->source;
        packet->source = packet->destination;
        packet->destination = other;
    }
    packet->is_fragment = how == 0xff;
    packet->transport_at = 20;
    packet->captured = 40;
    packet->has_ports = true;
    packet->payload_length = how & 0x80 ? take(input) : 0;
    if (how == 0xfe)
        packet->payload_length = take_32(input);
    packet->payload_captured = packet->payload_length < 100 ? packet->payload_length : 100;
    if (packet->transport == TRANSPORT_UDP)
        return;
    struct packet_tcp *tcp = &packet->tcp;
    tcp->header_length = 20;
    tcp->seq = take_number(input, &last[back][0], how);
    tcp->ack = take_number(input, &last[back][1], how >> 2);
    tcp->flags = how & 0x40 ? take(input) : TCP_ACK;
    tcp->window = how & 0x20 ? (uint16_t)take_32(input) : 100;
    if (!(how & 0x10))
        return;
    tcp->options_seen = take(input);
    tcp->window_scale = take(input);
    tcp->sack_count = take(input) % 5;
    for (int i = 0; i < tcp->sack_count; i++) {
        tcp->sack[i][0] = tcp->ack + take(input);
        tcp->sack[i][1] = tcp->sack[i][0] + take(input);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t payload[100];
    struct input input = {data, size};
    uint64_t gone = 0;
    struct flow_table *table = flow_table_open(flow_gone, &gone);
    struct heard heard[2] = {0};
    struct tcp_stream *streams[2] = {tcp_stream_open(400, hear, &heard[0]),
                                     tcp_stream_open(400, hear, &heard[1])};
    uint32_t last[2][2] = {{take_32(&input), take_32(&input)}};
    last[1][0] = last[0][1];
    last[1][1] = last[0][0];
    int64_t time = 0;
    for (uint64_t number = 1; input.left; number++) {
        struct packet packet;
        struct flow_facts facts;
        take_segment(&input, &packet, last);
        time += (int64_t)(take(&input) & 0x3f) << (number % 40);
        flow_table_add(table, time, number, &packet, &facts);
        REQUIRE(facts.flow != NULL && facts.flow->last_number == number);
        REQUIRE((facts.marks & ~((1u << MARK_COUNT) - 1)) == 0);
        REQUIRE(!(facts.marks & MARK_DUPLICATE_ACK) == (facts.duplicate_number == 0));
        if (packet.transport != TRANSPORT_TCP)
            continue;
        int from = facts.from;
        heard[from].given += packet.payload_captured;
        tcp_stream_add(streams[from], packet.tcp.seq, payload, packet.payload_captured,
                       packet.payload_length, number);
        if (packet.tcp.flags & TCP_ACK)
            tcp_stream_acked(streams[!from], packet.tcp.ack);
    }
    for (int i = 0; i < 2; i++) {
        tcp_stream_end(streams[i]);
        REQUIRE(heard[i].bytes <= heard[i].given);
        tcp_stream_close(streams[i]);
    }
    flow_table_end(table);
    REQUIRE(gone == flow_table_count(table));
    flow_table_close(table);
    return 0;
}
