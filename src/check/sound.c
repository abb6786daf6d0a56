/*
 * Whether packets can be all that two TCPs said to each other.
 *
 * Theory of operation. Of each end a few numbers are kept: up to where it has sent, where its FIN
 * stands, how far the other end has acknowledged. A packet that TCP would not send then (a SYN in
 * the middle, bytes behind a FIN, a number that nobody has come to) is a fault; so is, at the end,
 * what was neither acknowledged nor sent again. Thus a packet that was taken out or changed shows
 * at one of those behind it. An ACK that a later one covers leaves no trace in the others: it is
 * missed by the count at the end of a trace of ours. Bytes that were sent once may be anything.
 *
 * After an end's RST nothing more is expected of it; the other end may not have heard it.
 */
#include "check/sound.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "packet/packet.h"
#include "tcp/sequence.h"

/* What one end has said so far. Numbers are relative. */
struct speaker {
    bool began;     /* with a SYN */
    bool answered;  /* that SYN had an ACK: it answered another */
    bool syn_alone; /* its SYN had no ACK, and was not acknowledged yet */
    bool fin, reset;
    bool aborted;   /* with an RST, and the other end has said nothing since */
    bool repeated;  /* it has sent something again */
    uint32_t first; /* its SYN's number, as on the wire */
    uint32_t next;  /* behind all it has sent */
    uint32_t acked; /* the other end has all before */
    uint32_t last;  /* index of the packet that reached furthest */
};

struct listener {
    const struct check_trace *trace;
    const struct check_flow *flow;
    struct soundness *found;
    struct speaker speakers[2];
    size_t at;      /* of the flow's packets */
    uint32_t index; /* of the trace's packets: the one in question */
};

static void __attribute__((format(printf, 2, 3)))
add_fault(struct listener *listener, const char *format, ...)
{
    struct soundness *found = listener->found;
    concerned_add(&found->concerned, listener->index);
    if (found->count++ > 0)
        return;
    int length = snprintf(found->first, sizeof found->first, "packet %" PRIu64 ": ",
                          listener->trace->packets[listener->index].number);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(found->first + length, sizeof found->first - (size_t)length, format, arguments);
    va_end(arguments);
}

/* "the client", "alice". */
static const char *name_of(const struct listener *listener, int end)
{
    const char *role = check_side_role(listener->trace, listener->flow, (enum flow_end)end);
    if (strcmp(role, "client") == 0)
        return "the client";
    return strcmp(role, "server") == 0 ? "the server" : role;
}

static const struct check_packet *packet_at(const struct listener *listener, size_t n)
{
    return n < listener->flow->packet_count ? &listener->trace->packets[listener->flow->packets[n]]
                                            : NULL;
}

/* Flags that a TCP sends together (RFC 9293 section 3.10.7). */
static bool are_flags_sound(const struct check_packet *packet)
{
    uint16_t flags = packet->flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_PSH | TCP_ACK);
    if ((flags & TCP_RST) != 0)
        return flags == TCP_RST || flags == (TCP_RST | TCP_ACK);
    if ((flags & TCP_SYN) != 0)
        return (flags & TCP_FIN) == 0 && ((flags & TCP_PSH) == 0 || packet->length > 0);
    return (flags & TCP_ACK) != 0 &&
           ((flags & TCP_PSH) == 0 || packet->length > 0 || (flags & TCP_FIN) != 0);
}

/* What is acknowledged must have been sent. Returns whether it was. */
static bool is_ack_sound(struct listener *listener, const struct check_packet *packet)
{
    struct speaker *other = &listener->speakers[!packet->from];
    bool syn = (packet->flags & TCP_SYN) != 0;
    if ((packet->flags & TCP_ACK) == 0 || (!other->began && !syn))
        return true;
    if (!other->began || sequence_after(packet->ack, other->next) ||
        sequence_before(packet->ack, syn ? 1 : 0)) {
        add_fault(listener, "it acknowledges what %s has not sent",
                  name_of(listener, !packet->from));
        return false;
    }
    if (other->syn_alone && (packet->flags & (TCP_SYN | TCP_RST)) == 0 && packet->ack > 0) {
        add_fault(listener, "it acknowledges a SYN, and is no SYN ACK");
        return false;
    }
    other->syn_alone = other->syn_alone && packet->ack == 0;
    if ((packet->flags & TCP_RST) == 0 && sequence_after(packet->ack, other->acked))
        other->acked = packet->ack;
    return true;
}

/* Bytes that were sent before must be the same again. */
static bool are_bytes_sound(const struct listener *listener, const struct check_packet *packet)
{
    const struct check_side *side = &listener->flow->side[packet->from];
    size_t at = packet->seq - 1, length = packet->payload.length;
    if (packet->seq == 0 || side->missing > 0 || at >= side->sent.length)
        return true;
    if (length > side->sent.length - at)
        length = side->sent.length - at;
    return memcmp(side->sent.data + at, check_text(listener->trace, packet->payload), length) == 0;
}

/* An end's SYN is the first it sends; sent again it is the same. */
static void judge_syn(struct listener *listener, const struct check_packet *packet)
{
    const struct speaker *self = &listener->speakers[packet->from];
    if (self->began && packet->wire_seq != self->first)
        add_fault(listener, "a SYN in the middle of the connection");
    else if (self->answered && (packet->flags & TCP_ACK) == 0)
        add_fault(listener, "a SYN of %s that forgets its ACK", name_of(listener, packet->from));
    else
        is_ack_sound(listener, packet);
}

/* Only who closes sends a FIN. Known of roles, whose calls are in the trace. */
static bool has_closed(const struct listener *listener, const struct check_packet *packet)
{
    return packet->time >= listener->flow->side[packet->from].closing;
}

/* A segment of an end that has begun, behind its SYN. */
static void judge_segment(struct listener *listener, const struct check_packet *packet)
{
    struct speaker *self = &listener->speakers[packet->from];
    bool fin = (packet->flags & TCP_FIN) != 0;
    uint32_t end = packet->seq + packet->length;
    uint32_t limit = self->next - (self->fin ? 1 : 0); /* its FIN's own number */
    if (sequence_after(packet->seq, self->next))
        add_fault(listener, "%s sent %" PRIu32 " before it that are not in the capture",
                  name_of(listener, packet->from), packet->seq - self->next);
    else if (self->fin && packet->length > 0 && sequence_after(end, limit))
        add_fault(listener, "bytes behind %s's FIN", name_of(listener, packet->from));
    else if (self->fin && fin && end != limit)
        add_fault(listener, "a second FIN of %s", name_of(listener, packet->from));
    else if (fin && !self->fin && !has_closed(listener, packet))
        add_fault(listener, "a FIN, and %s has closed nothing", name_of(listener, packet->from));
    else if (packet->length == 0 && !fin && packet->seq != self->next &&
             packet->seq + 1 != (self->acked > 0 ? self->next : 0) &&
             packet->seq + 1 != self->acked)
        add_fault(listener, "%s had come to %" PRIu32 ", not %" PRIu32,
                  name_of(listener, packet->from), self->next, packet->seq);
    else if (!are_bytes_sound(listener, packet))
        add_fault(listener, "its bytes are not those that were sent before");
}

static void judge_reset(struct listener *listener, const struct check_packet *packet)
{
    struct speaker *self = &listener->speakers[packet->from];
    const struct speaker *other = &listener->speakers[!packet->from];
    if (!is_ack_sound(listener, packet))
        return;
    if (self->began && sequence_after(packet->seq, self->next))
        add_fault(listener, "%s had come to %" PRIu32 ", not %" PRIu32,
                  name_of(listener, packet->from), self->next, packet->seq);
    else if ((packet->flags & TCP_ACK) != 0 && self->began && self->aborted)
        add_fault(listener, "a second abort by %s", name_of(listener, packet->from));
    else if ((packet->flags & TCP_ACK) != 0 && self->fin && other->fin)
        add_fault(listener, "an abort by %s, which had already closed",
                  name_of(listener, packet->from));
}

/* An end without a SYN: it may only ask, with an ACK, what it is that came (section 3.5.1), and the
 * next packet is the RST which says that it was nothing. */
static void judge_stranger(struct listener *listener, const struct check_packet *packet)
{
    const struct check_packet *next = packet_at(listener, listener->at + 1);
    bool asks = packet->length == 0 && (packet->flags & (TCP_FIN | TCP_RST)) == 0;
    bool told = next != NULL && next->from != packet->from && (next->flags & TCP_RST) != 0;
    if (!listener->speakers[!packet->from].began)
        add_fault(listener, "the beginning of the connection is not in the capture");
    else if (!asks || !told)
        add_fault(listener, "%s has sent no SYN", name_of(listener, packet->from));
}

static void follow(struct listener *listener, const struct check_packet *packet)
{
    struct speaker *self = &listener->speakers[packet->from];
    uint16_t flags = packet->flags;
    uint32_t takes = packet->length + ((flags & TCP_SYN) != 0) + ((flags & TCP_FIN) != 0);
    listener->speakers[!packet->from].aborted = false;
    if ((flags & TCP_RST) != 0) {
        self->reset = self->aborted = true;
        return;
    }
    if ((flags & TCP_SYN) != 0) {
        self->syn_alone = (flags & TCP_ACK) == 0 && self->acked == 0;
        self->answered = self->answered || (flags & TCP_ACK) != 0;
        self->first = self->began ? self->first : packet->wire_seq;
        self->began = true;
    }
    self->fin = self->fin || (flags & TCP_FIN) != 0;
    if (sequence_after(packet->seq + takes, self->next)) {
        self->next = packet->seq + takes;
        self->last = listener->index;
    } else if (takes > 0) {
        self->repeated = true;
    }
}

static void judge(struct listener *listener, const struct check_packet *packet)
{
    const struct speaker *self = &listener->speakers[packet->from];
    char text[TCP_FLAGS_TEXT];
    if (!are_flags_sound(packet))
        add_fault(listener, "no TCP sends %s %s bytes", tcp_flags_text(packet->flags, text),
                  packet->length > 0 ? "with" : "without");
    else if ((packet->flags & TCP_URG) != 0 && packet->urgent == 0)
        add_fault(listener, "URG, and its pointer points at nothing");
    else if (self->reset && (packet->flags & TCP_RST) == 0)
        add_fault(listener, "%s goes on behind its own RST", name_of(listener, packet->from));
    else if ((packet->flags & TCP_RST) != 0)
        judge_reset(listener, packet);
    else if ((packet->flags & TCP_SYN) != 0)
        judge_syn(listener, packet);
    else if (!self->began)
        judge_stranger(listener, packet);
    else if (is_ack_sound(listener, packet))
        judge_segment(listener, packet);
}

/* What stayed without an answer, though nobody gave it up or tried again. */
static void judge_end(struct listener *listener)
{
    if (listener->speakers[0].reset || listener->speakers[1].reset)
        return;
    for (int end = 0; end < 2; end++) {
        const struct speaker *speaker = &listener->speakers[end];
        listener->index = speaker->last;
        if (speaker->began && !speaker->repeated && sequence_before(speaker->acked, speaker->next))
            add_fault(listener, "nobody acknowledges it, and it is not sent again");
    }
}

void sound_flow(const struct check_trace *trace, size_t flow, struct soundness *found)
{
    struct listener listener = {.trace = trace, .flow = &trace->flows[flow], .found = found};
    if (listener.flow->flow.protocol != 6 || listener.flow->to_itself)
        return;
    for (; listener.at < listener.flow->packet_count; listener.at++) {
        const struct check_packet *packet = packet_at(&listener, listener.at);
        listener.index = listener.flow->packets[listener.at];
        judge(&listener, packet);
        follow(&listener, packet);
    }
    judge_end(&listener);
}

void sound_trace(const struct check_trace *trace, struct soundness *found)
{
    for (size_t i = 0; i < trace->flow_count; i++)
        sound_flow(trace, i, found);
    if (!trace->recorded || !trace->counted || trace->captured == trace->packet_count)
        return;
    if (found->count++ == 0)
        snprintf(found->first, sizeof found->first,
                 "%" PRIu64 " packets were captured, and %zu are here", trace->captured,
                 trace->packet_count);
}
