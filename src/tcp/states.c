/*
 * Both ends' states, RFC 9293 section 3.3.2 and figure 5.
 *
 * A captured segment counts as sent by one end and received by the other, in that order. So each
 * segment moves first the sender, by what its sending proves, then the receiver, by what its
 * arrival does. What is impossible by the diagram (a capture that begins late, or misses
 * packets) is resolved by what the segment proves about its sender.
 */
#include "tcp/connection.h"
#include "tcp/sequence.h"
#include "tcp/span.h"

struct parties {
    struct flow *flow;
    struct flow_side *sender, *receiver;
    struct fin *sender_fin, *receiver_fin;
    bool *sender_active, *receiver_active;
    const struct track *receiver_track;
    const struct packet_tcp *tcp;
    uint32_t length;
    enum flow_end from;
};

/* The segment acknowledges the receiver's SYN; one that waits for it, and nothing unsent. */
static bool acks_syn(const struct parties *p)
{
    if (!(p->tcp->flags & TCP_ACK))
        return false;
    if (!p->receiver->has_initial_seq || !p->receiver_track->has_next)
        return true;
    if (p->receiver->state != TCP_STATE_SYN_SENT) /* it may have sent what was not captured */
        return sequence_after(p->tcp->ack, p->receiver->initial_seq);
    uint32_t beyond = p->tcp->ack - p->receiver->initial_seq;
    return beyond >= 1 && beyond <= p->receiver_track->next_seq - p->receiver->initial_seq;
}

static bool reaches(const struct packet_tcp *tcp, uint32_t seq)
{
    return (tcp->flags & TCP_ACK) && !sequence_before(tcp->ack, seq);
}

/* An end takes the other's FIN. */
static void take_fin(struct flow_side *end, struct fin *fin)
{
    fin->received = true;
    switch (end->state) {
    case TCP_STATE_SYN_RECEIVED:
    case TCP_STATE_ESTABLISHED:
        end->state = TCP_STATE_CLOSE_WAIT;
        break;
    case TCP_STATE_FIN_WAIT_1:
        end->state = TCP_STATE_CLOSING;
        break;
    case TCP_STATE_FIN_WAIT_2:
        end->state = TCP_STATE_TIME_WAIT;
        break;
    default:
        break;
    }
}

/* An end's own FIN is acknowledged. */
static void fin_acked(struct flow_side *end, struct fin *fin)
{
    fin->acked = true;
    switch (end->state) {
    case TCP_STATE_FIN_WAIT_1:
        end->state = TCP_STATE_FIN_WAIT_2;
        break;
    case TCP_STATE_CLOSING:
        end->state = TCP_STATE_TIME_WAIT;
        break;
    case TCP_STATE_LAST_ACK:
        end->state = TCP_STATE_CLOSED;
        break;
    default:
        break;
    }
}

/* The same SYN once more, after a RST for instance: as Windows asks again where it was refused. */
static void open_again(struct parties *p)
{
    p->sender->state = TCP_STATE_SYN_SENT;
    if (p->receiver->state == TCP_STATE_CLOSED)
        p->receiver->state = TCP_STATE_LISTEN;
    p->flow->close = FLOW_OPEN;
    p->flow->closed_by = 255;
    p->sender->fin_sent = p->receiver->fin_sent = false;
    *p->sender_fin = *p->receiver_fin = (struct fin){0};
}

static void send_syn(struct parties *p)
{
    enum tcp_state *state = &p->sender->state;
    bool ack = p->tcp->flags & TCP_ACK;
    p->sender->syn_sent = true;
    if (!ack)
        *p->sender_active = true;
    if (*state == TCP_STATE_UNKNOWN || *state == TCP_STATE_LISTEN)
        *state = ack ? TCP_STATE_SYN_RECEIVED : TCP_STATE_SYN_SENT;
    else if (*state == TCP_STATE_CLOSED && !ack)
        open_again(p);
    else if (*state == TCP_STATE_SYN_SENT && ack)
        *state = TCP_STATE_SYN_RECEIVED;
}

static void receive_syn(struct parties *p)
{
    enum tcp_state *state = &p->receiver->state;
    if (p->tcp->flags & TCP_ACK) {
        if (*state == TCP_STATE_UNKNOWN ||
            ((*state == TCP_STATE_SYN_SENT || *state == TCP_STATE_SYN_RECEIVED) && acks_syn(p)))
            *state = TCP_STATE_ESTABLISHED;
        return;
    }
    if (*state == TCP_STATE_UNKNOWN)
        *state = TCP_STATE_LISTEN;
    else if (*state == TCP_STATE_SYN_SENT) {
        /* Both opened at once, and each SYN has arrived. */
        *state = TCP_STATE_SYN_RECEIVED;
        p->sender->state = TCP_STATE_SYN_RECEIVED;
    }
}

static void send_fin(struct parties *p)
{
    struct flow_side *sender = p->sender;
    if (!sender->fin_sent) {
        sender->fin_sent = true;
        p->sender_fin->next_seq = p->tcp->seq + p->length + 1;
    }
    if (sender->state == TCP_STATE_ESTABLISHED || sender->state == TCP_STATE_SYN_RECEIVED)
        sender->state = TCP_STATE_FIN_WAIT_1;
    else if (sender->state == TCP_STATE_CLOSE_WAIT)
        /* A FIN that leaves the other's unacknowledged was sent before that one came. */
        sender->state = p->receiver->fin_sent && !reaches(p->tcp, p->receiver_fin->next_seq)
                            ? TCP_STATE_CLOSING
                            : TCP_STATE_LAST_ACK;
    if (p->flow->closed_by == 255)
        p->flow->closed_by = (uint8_t)p->from;
}

/* What a segment without SYN and RST proves about its sender. */
static void send_plain(struct parties *p)
{
    if (!(p->tcp->flags & TCP_ACK))
        return;
    enum tcp_state *state = &p->sender->state;
    if (*state == TCP_STATE_UNKNOWN || *state == TCP_STATE_LISTEN || *state == TCP_STATE_SYN_SENT)
        *state = TCP_STATE_ESTABLISHED;
    if (p->receiver->fin_sent && !p->receiver_fin->received &&
        reaches(p->tcp, p->receiver_fin->next_seq))
        take_fin(p->sender, p->receiver_fin);
}

static void receive_plain(struct parties *p)
{
    if (!(p->tcp->flags & TCP_ACK))
        return;
    struct flow_side *receiver = p->receiver;
    if (receiver->state == TCP_STATE_UNKNOWN || receiver->state == TCP_STATE_LISTEN ||
        (receiver->state == TCP_STATE_SYN_RECEIVED && acks_syn(p)))
        receiver->state = TCP_STATE_ESTABLISHED;
    if (receiver->fin_sent && !p->receiver_fin->acked && reaches(p->tcp, p->receiver_fin->next_seq))
        fin_acked(receiver, p->receiver_fin);
}

static void follow_rst(struct parties *p)
{
    struct flow_side *sender = p->sender;
    struct flow_side *receiver = p->receiver;
    bool refused = receiver->state == TCP_STATE_SYN_SENT;
    /* Before its SYN is answered an end believes only a RST that acknowledges that SYN. */
    if (refused && !acks_syn(p))
        return;
    if (receiver->state == TCP_STATE_SYN_RECEIVED && !*p->receiver_active)
        receiver->state = TCP_STATE_LISTEN; /* it waits for the next one */
    else if (receiver->state != TCP_STATE_LISTEN)
        receiver->state = TCP_STATE_CLOSED;
    /* Who is still connecting sends a RST only at remains of an older connection. */
    if (sender->state != TCP_STATE_SYN_SENT)
        sender->state = TCP_STATE_CLOSED;
    if (p->flow->close == FLOW_OPEN || p->flow->close == FLOW_HALF_CLOSED) {
        p->flow->close = refused ? FLOW_REFUSED : FLOW_RESET;
        if (p->flow->closed_by == 255)
            p->flow->closed_by = (uint8_t)p->from;
    }
}

static void note_handshake(struct connection *connection, const struct parties *p, int64_t time)
{
    struct flow *flow = p->flow;
    uint16_t kind = p->tcp->flags & (TCP_SYN | TCP_ACK);
    if (kind == TCP_SYN)
        flow->handshake |= 1;
    else if (kind == (TCP_SYN | TCP_ACK))
        flow->handshake |= 2;
    else if (kind == TCP_ACK && (flow->handshake & 2) && !(flow->handshake & 4) &&
             p->from == FLOW_CLIENT && acks_syn(p)) {
        flow->handshake |= 4;
        int64_t rtt = connection->has_syn_time ? span(connection->syn_time, time) : 0;
        flow->handshake_rtt = rtt > 0 ? rtt : 0;
    }
}

static void note_close(struct connection *connection)
{
    struct flow *flow = &connection->flow;
    if (flow->close != FLOW_OPEN && flow->close != FLOW_HALF_CLOSED)
        return;
    const struct fin *fin = connection->fin;
    enum flow_end other = connection->to_itself ? FLOW_CLIENT : FLOW_SERVER;
    if (fin[FLOW_CLIENT].acked && fin[other].acked)
        flow->close = FLOW_CLOSED;
    else if (flow->side[FLOW_CLIENT].fin_sent || flow->side[other].fin_sent)
        flow->close = FLOW_HALF_CLOSED;
}

void states_follow(struct connection *connection, const struct seen *seen, bool hole)
{
    enum flow_end from = seen->from;
    enum flow_end to = connection->to_itself ? from : (enum flow_end) !from;
    struct flow *flow = &connection->flow;
    struct parties p = {
        .flow = flow,
        .sender = &flow->side[from],
        .receiver = &flow->side[to],
        .sender_fin = &connection->fin[from],
        .receiver_fin = &connection->fin[to],
        .sender_active = &connection->active[from],
        .receiver_active = &connection->active[to],
        .receiver_track = &connection->track[to],
        .tcp = seen->tcp,
        .length = seen->length,
        .from = from,
    };
    note_handshake(connection, &p, seen->time);
    if (seen->tcp->flags & TCP_RST) {
        follow_rst(&p);
    } else if (seen->tcp->flags & TCP_SYN) {
        send_syn(&p);
        receive_syn(&p);
    } else {
        send_plain(&p);
        if (seen->tcp->flags & TCP_FIN)
            send_fin(&p);
        receive_plain(&p);
        if ((seen->tcp->flags & TCP_FIN) && !p.sender_fin->received && !hole)
            take_fin(p.receiver, p.sender_fin);
        note_close(connection);
    }
    if (connection->to_itself)
        flow->side[!from].state = p.sender->state;
}
