/*
 * How a connection was opened, in words: the flags of the segments that did it, each once, however
 * often it was sent. "SYN, SYN ACK, ACK" is all of it; "SYN, RST ACK" was refused; "SYN" had no
 * answer; "none" began before the capture did.
 */
#include <stdio.h>
#include <string.h>

#include "check/model.h"
#include "packet/packet.h"

static void append(struct check_flow *flow, uint32_t index, uint16_t flags)
{
    char text[TCP_FLAGS_TEXT];
    size_t length = strlen(flow->handshake);
    snprintf(flow->handshake + length, sizeof flow->handshake - length, "%s%s",
             length == 0 ? "" : ", ", tcp_flags_text(flags, text));
    flow->handshake_packets[flow->handshake_count++] = index;
}

static void find_handshake(const struct check_trace *trace, struct check_flow *flow)
{
    const uint16_t kind = TCP_SYN | TCP_ACK | TCP_RST;
    bool syn = false, syn_ack = false;
    for (size_t i = 0; i < flow->packet_count && flow->handshake_count < 3; i++) {
        const struct check_packet *packet = &trace->packets[flow->packets[i]];
        uint16_t flags = packet->flags & kind;
        bool client = packet->from == FLOW_CLIENT;
        if (!packet->tcp)
            continue;
        if (flags == TCP_SYN && !syn && client) {
            syn = true;
            append(flow, flow->packets[i], TCP_SYN);
        } else if (flags == (TCP_SYN | TCP_ACK) && !syn_ack && !client) {
            syn_ack = true;
            append(flow, flow->packets[i], flags);
        } else if ((flags & TCP_RST) != 0 && syn) {
            append(flow, flow->packets[i], flags);
            return;
        } else if (flags == TCP_ACK && client && (syn || syn_ack)) {
            append(flow, flow->packets[i], TCP_ACK);
            return;
        } else if ((flags & TCP_SYN) == 0) {
            return;
        }
    }
}

void check_find_handshakes(struct check_trace *trace)
{
    for (size_t i = 0; i < trace->flow_count; i++) {
        struct check_flow *flow = &trace->flows[i];
        find_handshake(trace, flow);
        if (flow->handshake_count == 0)
            snprintf(flow->handshake, sizeof flow->handshake, "none");
    }
}
