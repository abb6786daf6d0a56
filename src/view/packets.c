/*
 * One line a packet, in the spirit of tcpdump -nn:
 *
 *     4  0.000200  127.0.0.1:51234 > 127.0.0.1:65432  PSH ACK seq 1 ack 1 win 65536 len 21  # …
 *
 * the packet's number in the trace; seconds since the trace began; from whom to whom; the headers
 * in the short form of packet_text.h, with SYN's options in <>, remarks in []; and after # the
 * packet's comment, which in our own traces names the call that caused it. Fields are two spaces
 * apart, so that cut and awk find them. tcp and udp ports are numbers, sequence numbers are
 * relative, the window is scaled where the scale is known.
 *
 * Made for a million packets: a line is written straight into the output's buffer.
 */
#include <stdlib.h>
#include <string.h>

#include "support/clock.h"
#include "tcp/packet_text.h"
#include "view/render.h"
#include "view/safe_text.h"

/* How much of a comment is shown, columns. */
#define COMMENT_COLUMNS 160

/* Room for a line without its comment: two addresses, and what packet_text.h promises. */
#define LINE_ROOM (2 * ADDRESS_TEXT + PACKET_TEXT + PACKET_HEADERS_TEXT)

struct view {
    const struct view_options *options;
    struct buffer *out;
};

static struct view *packets_open(const struct view_options *options, struct buffer *out)
{
    struct view *view = calloc(1, sizeof *view);
    if (view == NULL)
        return NULL;
    view->options = options;
    view->out = out;
    return view;
}

/* "12.000345": seconds and microseconds. */
static char *put_time(char *to, int64_t time)
{
    if (time < 0) {
        *to++ = '-';
        time = -time;
    }
    uint64_t microseconds = (uint64_t)time / 1000;
    to = packet_put_number(to, microseconds / 1000000);
    uint32_t fraction = (uint32_t)(microseconds % 1000000);
    *to = '.';
    for (int i = 6; i > 0; i--) {
        to[i] = (char)('0' + fraction % 10);
        fraction /= 10;
    }
    return to + 7;
}

static char *put_line(char *to, const struct view_item *item)
{
    const struct packet *packet = item->packet;
    bool ports = packet->transport == TRANSPORT_TCP || packet->transport == TRANSPORT_UDP;
    to = packet_put_number(to, item->event->packet.number);
    to = packet_put_text(to, "  ");
    to = put_time(to, view_time_between(item->origin, item->event->time));
    to = packet_put_text(to, "  ");
    if (packet->source.family != 0) {
        to = packet_put_address(to, &packet->source, ports);
        to = packet_put_text(to, " > ");
        to = packet_put_address(to, &packet->destination, ports);
        to = packet_put_text(to, "  ");
    }
    return packet_put_headers(to, packet, item->facts);
}

/* What stands out in colour: resets and marks. Red, for the whole line. */
static bool is_remarkable(const struct view_item *item)
{
    const struct packet *packet = item->packet;
    return item->facts->marks != 0 || packet->fault != FAULT_NONE ||
           (packet->transport == TRANSPORT_TCP && (packet->tcp.flags & TCP_RST) != 0);
}

static void packets_add(struct view *view, const struct view_item *item)
{
    if (item->event->kind != TRACE_PACKET)
        return;
    struct buffer *out = view->out;
    bool red = view->options->terminal.color && is_remarkable(item);
    if (red)
        buffer_append_text(out, "\033[31m");
    char *start = (char *)buffer_reserve(out, LINE_ROOM);
    if (start == NULL)
        return;
    out->length += (size_t)(put_line(start, item) - start);
    if (red)
        buffer_append_text(out, "\033[0m");
    struct trace_text comment = item->event->packet.comment;
    while (comment.length > 0 && comment.data[comment.length - 1] == ' ')
        comment.length--;
    if (comment.length > 0) {
        buffer_append(out, "  # ", 4);
        size_t used = safe_text_append(out, comment.data, comment.length, COMMENT_COLUMNS,
                                       view->options->terminal.utf8);
        if (used < comment.length)
            buffer_append(out, "...", 3);
    }
    buffer_append_byte(out, '\n');
}

static void packets_end(struct view *view, const struct error *damage)
{
    (void)view;
    (void)damage; /* whoever asked for the view tells; the lines stay clean */
}

static void packets_close(struct view *view)
{
    free(view);
}

const struct view_type view_packets = {
    .kind = VIEW_PACKETS,
    .effort = PACKET_HEADERS,
    .open = packets_open,
    .add = packets_add,
    .end = packets_end,
    .close = packets_close,
};
