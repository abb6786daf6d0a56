/*
 * Sequence numbers followed in both directions, and what is remarkable about a segment.
 *
 * README.md beside this file says what each mark means and where the rules part from Wireshark's.
 * Every rule compares the segment with what its own direction sent before (mine) and with what
 * the other end said last (theirs); only when all marks are made are both brought up to date.
 */
#include "tcp/connection.h"
#include "tcp/sequence.h"
#include "tcp/span.h"

#define CONTROL (TCP_SYN | TCP_FIN | TCP_RST)

/* A retransmission this soon after the third equal ACK was provoked by it: 20 ms. */
#define FAST_WITHIN INT64_C(20000000)
/* How late a segment may come and pass for reordered, while no round trip time is known: 3 ms. */
#define REORDERED_WITHIN INT64_C(3000000)

/* Blocks that count as delivered: as many as fit beside timestamps, RFC 2018 section 3. */
#define SACK_BLOCKS 3

struct analysis {
    struct connection *connection;
    const struct seen *seen;
    const struct packet_tcp *tcp;
    struct track *mine;
    struct track *theirs;
    struct flow_side *sender;
    struct flow_side *receiver;
    uint32_t length;
    uint32_t next_seq; /* behind the segment, SYN or FIN counted */
    bool has_ack;
    uint32_t marks;
    struct flow_facts *facts;
};

void analysis_begin(struct connection *connection)
{
    for (int i = 0; i < 2; i++) {
        connection->track[i].window = WINDOW_UNKNOWN;
        connection->track[i].scale = SCALE_UNKNOWN;
        connection->track[i].in_flight_known = true;
    }
}

bool analysis_is_new_flow(const struct connection *connection, const struct seen *seen)
{
    const struct flow_side *sender = &connection->flow.side[seen->from];
    if ((seen->tcp->flags & (TCP_SYN | TCP_ACK)) != TCP_SYN || !sender->has_initial_seq)
        return false;
    return seen->tcp->seq != sender->initial_seq;
}

/* From which numbers the relative ones count: where no SYN was seen, as if it had just been; and
 * where the sender's stream begins. */
static void note_initial_seqs(struct analysis *a)
{
    struct flow_side *sender = a->sender;
    bool syn = (a->tcp->flags & TCP_SYN) != 0;
    if (!sender->has_initial_seq) {
        sender->initial_seq = syn ? a->tcp->seq : a->tcp->seq - 1;
        sender->has_initial_seq = true;
    } else if (syn && a->has_ack && sender->initial_seq != a->tcp->seq) {
        sender->initial_seq = a->tcp->seq; /* the listener took up a newer SYN than we know of */
        a->marks |= MARK_PORT_REUSED;
    }
    if (!sender->has_stream_seq && (a->tcp->flags & TCP_RST) == 0) {
        sender->stream_seq = a->tcp->seq + syn;
        sender->has_stream_seq = true;
    }
    if (syn && !a->has_ack && a->mine->has_next) /* again: what a RST claimed since is void */
        a->mine->next_seq = a->mine->whole_seq;
    if (!a->receiver->has_initial_seq && a->has_ack) {
        a->receiver->initial_seq = a->tcp->ack - 1;
        a->receiver->has_initial_seq = true;
    }
}

/* No payload, nothing but ACK, and the same place and acknowledgement as the one before. */
static bool repeats_itself(const struct analysis *a)
{
    return a->length == 0 && a->has_ack && !(a->tcp->flags & CONTROL) && a->mine->has_next &&
           a->tcp->seq == a->mine->next_seq && a->mine->has_ack && a->tcp->ack == a->mine->last_ack;
}

static bool fills_window(const struct analysis *a)
{
    const struct track *theirs = a->theirs;
    if (a->length == 0 || (a->tcp->flags & CONTROL) || theirs->scale == SCALE_UNKNOWN ||
        theirs->window == WINDOW_UNKNOWN || !theirs->has_ack)
        return false;
    uint32_t window = theirs->window;
    if (!theirs->first_ack_due && theirs->scale > 0)
        window <<= theirs->scale;
    return a->tcp->seq + a->length == theirs->last_ack + window;
}

/* A segment that says again what its end said last: why? */
static void mark_repetition(struct analysis *a)
{
    struct track *mine = a->mine;
    if (a->tcp->window != mine->window) {
        if (a->tcp->window != 0)
            a->marks |= MARK_WINDOW_UPDATE;
    } else if (a->tcp->window == 0) {
        if (a->theirs->last_marks & MARK_ZERO_WINDOW_PROBE)
            a->marks |= MARK_ZERO_WINDOW_PROBE_ACK;
    } else if (a->theirs->last_marks & MARK_KEEP_ALIVE) {
        a->marks |= MARK_KEEP_ALIVE_ACK;
    } else {
        mine->duplicates = mine->duplicates < 0 ? 1 : mine->duplicates + 1;
        a->marks |= MARK_DUPLICATE_ACK;
        a->facts->duplicate_number = (uint32_t)mine->duplicates;
        a->facts->duplicate_of = mine->new_ack;
    }
}

static void mark_place_and_window(struct analysis *a)
{
    struct track *mine = a->mine;
    uint32_t seq = a->tcp->seq;
    bool control = a->tcp->flags & CONTROL;

    if (a->length == 1 && mine->has_next && seq == mine->next_seq && a->theirs->window == 0) {
        a->marks |= MARK_ZERO_WINDOW_PROBE;
        return;
    }
    if (a->tcp->window == 0 && !control)
        a->marks |= MARK_ZERO_WINDOW;
    if (mine->has_next && sequence_after(seq, mine->next_seq) && !(a->tcp->flags & TCP_RST)) {
        a->marks |= MARK_PREVIOUS_NOT_CAPTURED;
        mine->in_flight_known = false;
    }
    if (a->length <= 1 && mine->has_next && seq == mine->next_seq - 1 && !control)
        a->marks |= MARK_KEEP_ALIVE;
    if (fills_window(a))
        a->marks |= MARK_WINDOW_FULL;
    if (repeats_itself(a))
        mark_repetition(a);
}

/*
 * An acknowledgement of bytes that were never captured. Said once for each hole: the other
 * direction is then taken as whole up to what it sent; where it has sent nothing since, -1 in its
 * count of duplicate ACKs remembers that it was said.
 */
static void mark_acked_unseen(struct analysis *a)
{
    struct track *theirs = a->theirs;
    if (!a->has_ack || !theirs->has_next || !sequence_after(a->tcp->ack, theirs->whole_seq))
        return;
    if (sequence_before(theirs->whole_seq, theirs->next_seq)) {
        theirs->whole_seq = theirs->next_seq;
        a->marks |= MARK_ACKED_UNSEEN;
        return;
    }
    if (theirs->duplicates == 0)
        a->marks |= MARK_ACKED_UNSEEN;
    theirs->duplicates = -1;
}

static bool within(int64_t from, int64_t to, int64_t limit)
{
    int64_t past = span(from, to);
    return past >= 0 && past < limit;
}

/* A segment that takes up sequence space: is it new, late, or sent again? */
static uint32_t mark_of_place(const struct analysis *a)
{
    const struct track *mine = a->mine;
    const struct track *theirs = a->theirs;
    uint32_t seq = a->tcp->seq;

    if (a->length > 0 && theirs->has_ack && !sequence_after(seq + a->length, theirs->last_ack))
        return MARK_SPURIOUS_RETRANSMISSION;
    if (!mine->has_next || !sequence_before(seq, mine->next_seq))
        return 0;
    if (a->length > 1 && seq == mine->next_seq - 1) /* new bytes behind a window probe's one */
        return 0;
    if (theirs->duplicates >= 2 && theirs->last_ack == seq &&
        within(theirs->last_time, a->seen->time, FAST_WITHIN))
        return MARK_FAST_RETRANSMISSION;
    int64_t soon = a->connection->first_rtt ? a->connection->first_rtt : REORDERED_WITHIN;
    if (a->next_seq != mine->next_seq && within(mine->next_time, a->seen->time, soon))
        return MARK_OUT_OF_ORDER;
    return MARK_RETRANSMISSION;
}

/* Counts the payload bytes that were not sent before. Before the track learns of them. */
static void count_unique(struct analysis *a)
{
    const struct track *mine = a->mine;
    uint32_t fresh = a->length;
    if (a->marks & MARK_ZERO_WINDOW_PROBE)
        fresh = 0; /* the byte comes again when the window opens */
    else if (mine->has_next && !(a->marks & MARK_OUT_OF_ORDER)) {
        uint32_t start = a->tcp->seq + (a->tcp->flags & TCP_SYN ? 1 : 0);
        uint32_t old = sequence_before(start, mine->next_seq) ? mine->next_seq - start : 0;
        fresh = old < fresh ? fresh - old : 0;
    }
    a->sender->unique_bytes += fresh;
    if (a->marks & (MARK_RETRANSMISSION | MARK_FAST_RETRANSMISSION | MARK_SPURIOUS_RETRANSMISSION))
        a->sender->retransmissions++;
}

/* The RST that answers a SYN has no place in the stream (RFC 9293 section 3.10.7.1: its number is
 * 0), so it says nothing of what its end has sent. */
static bool is_nowhere(const struct analysis *a)
{
    return (a->tcp->flags & TCP_RST) != 0 && a->tcp->seq == 0 && a->mine->has_next;
}

static void remember_segment(struct analysis *a, struct segment_pool *pool)
{
    struct track *mine = a->mine;
    if (is_nowhere(a))
        return;
    bool takes_one = a->tcp->flags & (TCP_SYN | TCP_FIN);
    if (a->length > 0 || takes_one)
        segments_add(pool, &mine->unacked, a->seen->time, a->seen->number, a->tcp->seq,
                     a->next_seq);
    bool probe = a->marks & MARK_ZERO_WINDOW_PROBE;
    bool first = !mine->has_next;
    if (!probe && (first || sequence_after(a->next_seq, mine->next_seq))) {
        mine->next_seq = a->next_seq;
        mine->next_time = a->seen->time;
        mine->has_next = true;
    }
    if (!probe && (first || a->tcp->seq == mine->whole_seq))
        mine->whole_seq = mine->next_seq;
    mine->window = a->tcp->window;
    mine->last_time = a->seen->time;
    mine->last_marks = a->marks;
    mine->last_ack = a->tcp->ack;
    mine->has_ack = a->has_ack;
}

/* Which segment this one acknowledges, and how long that took. */
static void measure_rtt(struct analysis *a, struct segment_pool *pool)
{
    struct segment acked;
    if (!a->has_ack || !segments_acked(pool, &a->theirs->unacked, a->tcp->ack, &acked))
        return;
    int64_t rtt = span(acked.time, a->seen->time);
    a->facts->rtt = rtt;
    a->facts->rtt_of = acked.number;
    if (rtt < 0)
        return;
    struct flow_side *timed = a->receiver;
    timed->rtt_last = rtt;
    if (timed->rtt_count == 0 || rtt < timed->rtt_min)
        timed->rtt_min = rtt;
    if (rtt > timed->rtt_max)
        timed->rtt_max = rtt;
    timed->rtt_sum = rtt > INT64_MAX - timed->rtt_sum ? INT64_MAX : timed->rtt_sum + rtt;
    timed->rtt_count++;
}

static uint32_t bytes_in_flight(const struct analysis *a, const struct segment_pool *pool)
{
    if (a->length == 0 || !a->mine->in_flight_known || a->mine->unacked.count == 0)
        return 0;
    uint32_t bytes = segments_span(pool, &a->mine->unacked, a->sender->initial_seq);
    bytes -= a->theirs->sacked;
    if (bytes == 0 || bytes >= 2000000000)
        return 0;
    return a->tcp->flags & (TCP_SYN | TCP_FIN) ? bytes - 1 : bytes;
}

/* Window scaling is in use only if both SYNs carry the option, RFC 7323 section 2.2. */
static void note_options(struct analysis *a)
{
    const struct packet_tcp *tcp = a->tcp;
    struct flow_side *sender = a->sender;
    uint16_t seen = tcp->options_seen;
    sender->has_options = true;
    sender->sack_permitted = seen & TCP_SEEN_SACK_PERMITTED;
    sender->timestamps = seen & TCP_SEEN_TIMESTAMPS;
    sender->window_scale = seen & TCP_SEEN_WINDOW_SCALE ? tcp->window_scale : 255;
    sender->mss = seen & TCP_SEEN_MSS ? tcp->mss : 0;

    if (seen & TCP_SEEN_WINDOW_SCALE) /* a shift above 14 counts as 14, section 2.3 */
        a->mine->scale = (int8_t)(tcp->window_scale > 14 ? 14 : tcp->window_scale);
    else if (a->seen->options_cut)
        return;
    if (a->mine->scale == SCALE_UNKNOWN) {
        a->mine->scale = SCALE_NONE;
        a->theirs->scale = SCALE_NONE;
    } else if (a->has_ack && a->theirs->scale == SCALE_NONE) {
        a->mine->scale = SCALE_NONE;
    }
}

static void note_handshake_time(struct analysis *a)
{
    struct connection *connection = a->connection;
    uint16_t kind = a->tcp->flags & (TCP_SYN | TCP_ACK);
    if (kind == TCP_SYN) {
        connection->syn_time = a->seen->time;
        connection->has_syn_time = true;
    }
    if (kind & TCP_SYN)
        a->mine->first_ack_due = true;
    if (kind != TCP_ACK)
        return;
    a->mine->first_ack_due = false;
    if (!connection->has_syn_time)
        return;
    if (connection->first_rtt == 0)
        connection->first_rtt = span(connection->syn_time, a->seen->time);
}

static void note_selective_acks(struct analysis *a)
{
    a->mine->sacked = 0;
    if (!(a->tcp->options_seen & TCP_SEEN_SACK))
        return;
    for (int i = 0; i < a->tcp->sack_count && i < SACK_BLOCKS; i++)
        a->mine->sacked += a->tcp->sack[i][1] - a->tcp->sack[i][0];
}

static void fill_facts(struct analysis *a)
{
    struct flow_facts *facts = a->facts;
    facts->marks = a->marks;
    facts->relative_seq = a->tcp->seq - a->sender->initial_seq;
    facts->relative_ack = a->has_ack ? a->tcp->ack - a->receiver->initial_seq : 0;
    facts->next_seq = a->next_seq - a->sender->initial_seq;
    facts->window = a->tcp->window;
    if (!(a->tcp->flags & TCP_SYN) && a->mine->scale >= 0) {
        facts->window <<= a->mine->scale;
        facts->window_scaled = true;
    }
}

void analysis_follow(struct connection *connection, const struct seen *seen,
                     struct segment_pool *pool, struct flow_facts *facts)
{
    const struct packet_tcp *tcp = seen->tcp;
    struct analysis a = {
        .connection = connection,
        .seen = seen,
        .tcp = tcp,
        .mine = &connection->track[seen->from],
        .theirs = &connection->track[!seen->from],
        .sender = &connection->flow.side[seen->from],
        .receiver = &connection->flow.side[!seen->from],
        .length = seen->length,
        .next_seq = tcp->seq + seen->length + (tcp->flags & (TCP_SYN | TCP_FIN) ? 1 : 0),
        .has_ack = tcp->flags & TCP_ACK,
        .marks = facts->marks,
        .facts = facts,
    };
    note_initial_seqs(&a);
    if (a.has_ack)
        a.theirs->in_flight_known = true;
    mark_place_and_window(&a);
    if (a.has_ack != a.mine->has_ack || (a.has_ack && tcp->ack != a.mine->last_ack)) {
        a.mine->new_ack = seen->number;
        a.mine->duplicates = 0;
    }
    mark_acked_unseen(&a);
    if ((a.length > 0 || (tcp->flags & (TCP_SYN | TCP_FIN))) && !(a.marks & MARK_KEEP_ALIVE))
        a.marks |= mark_of_place(&a);
    fill_facts(&a);
    count_unique(&a);
    remember_segment(&a, pool);
    measure_rtt(&a, pool);
    facts->bytes_in_flight = bytes_in_flight(&a, pool);
    note_selective_acks(&a);
    if (tcp->flags & TCP_SYN)
        note_options(&a);
    note_handshake_time(&a);
    a.sender->marks_seen |= a.marks;
}
