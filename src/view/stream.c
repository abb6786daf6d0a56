/*
 * The stream: what both ends of one flow said, in the order in which it came.
 *
 * The flow is the one that --flow names, or else the first that carries bytes; only its bytes are
 * kept. TCP's go through two tcp_streams, one for each direction, which sort out what came early,
 * twice or not at all. UDP's datagrams are taken as they come, each for itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tcp/stream.h"
#include "view/render.h"
#include "view/stream_names.h"
#include "view/stream_turn.h"

/* Bytes that wait behind a gap, at most, for each direction. */
#define WAITING_LIMIT (4 << 20)

struct stream;

/* One direction. */
struct side {
    struct stream *stream;
    enum flow_end from;
    struct tcp_stream *bytes; /* owned; NULL for UDP */
};

struct stream {
    const struct view_options *options;
    struct buffer *out;
    struct turn turn;
    struct stream_names names;
    size_t sockets_known; /* when the ends were named */
    struct side sides[2]; /* by enum flow_end */
    uint32_t flow;        /* its id; 0 while none is chosen */
    uint8_t protocol;
    struct address address[2];
    bool failed;
    bool is_over; /* the flow was let go */
    const char *close;
    uint32_t others; /* flows that carry bytes and were not chosen */
};

/* A view is opaque to everybody else; ours is a struct stream. */
static struct stream *stream_of(struct view *view)
{
    return (struct stream *)(void *)view;
}

static bool is_raw(const struct stream *stream)
{
    return stream->options->stream == STREAM_RAW;
}

static void hear_bytes(void *data, const uint8_t *bytes, size_t length, uint64_t number)
{
    const struct side *side = data;
    struct stream *stream = side->stream;
    enum stream_side wanted = stream->options->stream_from;
    if (wanted == STREAM_BOTH || (wanted == STREAM_CLIENT) == (side->from == FLOW_CLIENT))
        turn_add(&stream->turn, side->from, bytes, length, number);
    else
        turn_end(&stream->turn);
}

/* Who is who. Roles' sockets are heard of while the flow goes on. */
static void find_names(struct stream *stream)
{
    static const char *const plain[2] = {"client", "server"};
    if (stream->turn.names[0] != NULL && stream->names.socket_count == stream->sockets_known)
        return;
    stream->sockets_known = stream->names.socket_count;
    for (int end = 0; end < 2; end++) {
        const char *name = stream_names_find(&stream->names, stream->protocol,
                                             &stream->address[end], &stream->address[1 - end]);
        stream->turn.names[end] = name == NULL ? plain[end] : name;
    }
}

static void write_title(struct stream *stream)
{
    const struct terminal *terminal = &stream->options->terminal;
    char address[ADDRESS_TEXT];
    struct paint_block block = {0};
    paint_block_begin(&block, terminal->color, (size_t)terminal->columns);
    snprintf(address, sizeof address, "Flow %u, %s:", stream->flow,
             stream->protocol == TRACE_TCP ? "TCP" : "UDP");
    paint_block_words(&block, PAINT_BOLD, address);
    address_format(&stream->address[FLOW_CLIENT], address);
    paint_block_words(&block, PAINT_CYAN, address);
    paint_block_words(&block, PAINT_PLAIN, "(client),");
    address_format(&stream->address[FLOW_SERVER], address);
    paint_block_words(&block, PAINT_GREEN, address);
    paint_block_words(&block, PAINT_PLAIN, "(server)");
    for (size_t i = 0; i < block.count; i++)
        paint_end(&block.rows[i], stream->out);
    buffer_append_byte(stream->out, '\n');
    paint_block_free(&block);
}

/* Returns false out of memory. */
static bool choose(struct stream *stream, const struct flow *flow)
{
    stream->flow = flow->id;
    stream->protocol = flow->protocol;
    for (int end = 0; end < 2; end++) {
        stream->address[end] = flow->side[end].address;
        stream->sides[end] = (struct side){.stream = stream, .from = (enum flow_end)end};
        if (flow->protocol != TRACE_TCP)
            continue;
        stream->sides[end].bytes = tcp_stream_open(WAITING_LIMIT, hear_bytes, &stream->sides[end]);
        if (stream->sides[end].bytes == NULL)
            return false;
        if (flow->side[end].has_stream_seq && stream->options->number == 0)
            tcp_stream_add(stream->sides[end].bytes, flow->side[end].stream_seq, NULL, 0, 0, 0);
    }
    if (!is_raw(stream))
        write_title(stream);
    return true;
}

static void add_segment(struct stream *stream, const struct view_item *item)
{
    const struct packet *packet = item->packet;
    const struct packet_tcp *tcp = &packet->tcp;
    enum flow_end from = item->facts->from;
    if (tcp->header_length == 0)
        return;
    if ((tcp->flags & TCP_ACK) != 0)
        tcp_stream_acked(stream->sides[1 - from].bytes, tcp->ack);
    /* What a RST may carry is a remark, not part of the stream (RFC 9293 section 3.5.3). */
    if ((tcp->flags & TCP_RST) != 0)
        return;
    uint32_t seq = tcp->seq + ((tcp->flags & TCP_SYN) != 0);
    tcp_stream_add(stream->sides[from].bytes, seq, packet->bytes + packet->payload_at,
                   packet->payload_captured, packet->payload_length, item->event->packet.number);
}

/* A datagram is a turn of its own: its borders mean something. */
static void add_datagram(struct stream *stream, const struct view_item *item)
{
    const struct packet *packet = item->packet;
    struct side *side = &stream->sides[item->facts->from];
    uint64_t number = item->event->packet.number;
    uint32_t length = packet->payload_length;
    if (packet->is_fragment && packet->udp.length > 8u + length)
        length = packet->udp.length - 8u; /* the rest comes in further fragments */
    turn_end(&stream->turn);
    hear_bytes(side, packet->bytes + packet->payload_at, packet->payload_captured, number);
    if (length > packet->payload_captured)
        hear_bytes(side, NULL, length - packet->payload_captured, number);
    turn_end(&stream->turn);
}

static void stream_add(struct view *view, const struct view_item *item)
{
    struct stream *stream = stream_of(view);
    if (item->event->kind != TRACE_PACKET) {
        stream_names_hear(&stream->names, item->event, stream->options->terminal.utf8);
        return;
    }
    const struct flow *flow = item->facts->flow;
    if (flow == NULL || stream->failed || stream->is_over)
        return;
    if (stream->flow == 0 && item->packet->payload_length > 0 && !choose(stream, flow)) {
        stream->failed = true;
        stream->out->failed = true;
        return;
    }
    if (flow->id != stream->flow)
        return;
    find_names(stream);
    if (stream->protocol == TRACE_TCP)
        add_segment(stream, item);
    else
        add_datagram(stream, item);
}

/* The chosen flow's end: what still waits comes out. */
static void end_flow(struct stream *stream)
{
    stream->is_over = true;
    for (int end = 0; end < 2 && !stream->failed; end++)
        if (stream->sides[end].bytes != NULL)
            tcp_stream_end(stream->sides[end].bytes);
    turn_end(&stream->turn);
}

static void stream_flow_ended(struct view *view, const struct flow *flow)
{
    struct stream *stream = stream_of(view);
    if (flow->id != stream->flow) {
        if (flow->side[FLOW_CLIENT].bytes + flow->side[FLOW_SERVER].bytes > 0)
            stream->others++;
        return;
    }
    stream->close = flow->protocol == TRACE_TCP ? flow_close_text(flow) : NULL;
    end_flow(stream);
}

static void say(struct stream *stream, unsigned style, const char *text)
{
    const struct terminal *terminal = &stream->options->terminal;
    struct paint_block block = {0};
    paint_block_begin(&block, terminal->color, (size_t)terminal->columns);
    paint_block_words(&block, style, text);
    for (size_t i = 0; i < block.count; i++)
        paint_end(&block.rows[i], stream->out);
    paint_block_free(&block);
}

static void stream_end(struct view *view, const struct error *damage)
{
    struct stream *stream = stream_of(view);
    (void)damage;
    if (stream->flow != 0 && !stream->is_over)
        end_flow(stream);
    if (is_raw(stream))
        return;
    char text[256];
    if (stream->flow == 0) {
        if (stream->options->flow != 0)
            snprintf(text, sizeof text, "Flow %u carries no bytes.", stream->options->flow);
        else
            snprintf(text, sizeof text, "No flow carries bytes.");
        say(stream, PAINT_PLAIN, text);
        return;
    }
    const struct turn *turn = &stream->turn;
    buffer_append_byte(stream->out, '\n');
    snprintf(text, sizeof text, "%llu bytes from the client, %llu from the server%s%s.",
             (unsigned long long)turn->said[FLOW_CLIENT],
             (unsigned long long)turn->said[FLOW_SERVER], stream->close == NULL ? "" : "; ",
             stream->close == NULL ? "" : stream->close);
    say(stream, PAINT_DIM, text);
    if (stream->others > 0) {
        snprintf(text, sizeof text,
                 "This is the first of %u flows that carry bytes; --flow N shows another.",
                 stream->others + 1);
        say(stream, PAINT_DIM, text);
    }
}

static struct view *stream_open(const struct view_options *options, struct buffer *out)
{
    struct stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return NULL;
    stream->options = options;
    stream->out = out;
    stream->turn.options = options;
    stream->turn.out = out;
    return (struct view *)(void *)stream;
}

static void stream_close(struct view *view)
{
    struct stream *stream = stream_of(view);
    for (int end = 0; end < 2; end++)
        tcp_stream_close(stream->sides[end].bytes);
    turn_free(&stream->turn);
    free(stream);
}

const struct view_type view_stream = {
    .kind = VIEW_STREAM,
    .open = stream_open,
    .add = stream_add,
    .flow_ended = stream_flow_ended,
    .end = stream_end,
    .close = stream_close,
};
