/*
 * The view of bytes: what is said of each packet before and behind its bytes. See bytes.h.
 */
#include "view/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/clock.h"
#include "tcp/packet_text.h"

/* Rows of payload in the compact form. */
#define PAYLOAD_ROWS 8

/* A view is opaque to everybody else; ours is a struct bytes. */
static struct bytes *bytes_of(struct view *view)
{
    return (struct bytes *)(void *)view;
}

const char *bytes_layer_label(enum packet_layer layer, bool quoted)
{
    static const struct {
        const char *own, *quoted;
    } labels[] = {
        [LAYER_FRAME] = {"Frame", "> Frame"},    [LAYER_ETHERNET] = {"Ethernet", "> Ether"},
        [LAYER_VLAN] = {"VLAN", "> VLAN"},       [LAYER_LLC] = {"LLC", "> LLC"},
        [LAYER_SLL] = {"Cooked", "> Cooked"},    [LAYER_LOOP] = {"Loopback", "> Loop"},
        [LAYER_ARP] = {"ARP", "> ARP"},          [LAYER_IPV4] = {"IPv4", "> IPv4"},
        [LAYER_IPV6] = {"IPv6", "> IPv6"},       [LAYER_IPV6_EXTENSION] = {"IPv6 ext", "> ext"},
        [LAYER_TCP] = {"TCP", "> TCP"},          [LAYER_UDP] = {"UDP", "> UDP"},
        [LAYER_ICMP] = {"ICMP", "> ICMP"},       [LAYER_ICMPV6] = {"ICMPv6", "> ICMPv6"},
        [LAYER_PAYLOAD] = {"Payload", "> data"}, [LAYER_PADDING] = {"Padding", "> pad"},
    };
    return quoted ? labels[layer].quoted : labels[layer].own;
}

unsigned bytes_layer_style(enum packet_layer layer)
{
    switch (layer) {
    case LAYER_FRAME:
    case LAYER_ETHERNET:
    case LAYER_VLAN:
    case LAYER_LLC:
    case LAYER_SLL:
    case LAYER_LOOP:
        return PAINT_YELLOW;
    case LAYER_ARP:
    case LAYER_IPV4:
    case LAYER_IPV6:
    case LAYER_IPV6_EXTENSION:
        return PAINT_CYAN;
    case LAYER_TCP:
    case LAYER_UDP:
    case LAYER_ICMP:
    case LAYER_ICMPV6:
        return PAINT_GREEN;
    case LAYER_PAYLOAD:
        return PAINT_MAGENTA;
    case LAYER_PADDING:
        return PAINT_DIM;
    }
    return PAINT_PLAIN;
}

const char *bytes_bar(const struct bytes *bytes)
{
    return bytes->options->terminal.utf8 ? "│" : "|";
}

const char *bytes_note(const struct bytes *bytes, const struct packet_field *field, char text[64])
{
    const struct flow_facts *facts = bytes->item->facts;
    if (field->layer == LAYER_TCP && !field->quoted && facts->flow != NULL) {
        if (strcmp(field->name, "Sequence Number") == 0) {
            snprintf(text, 64, "relative %u", facts->relative_seq);
            return text;
        }
        if (strcmp(field->name, "Acknowledgment Number") == 0 &&
            (bytes->item->packet->tcp.flags & TCP_ACK) != 0) {
            snprintf(text, 64, "relative %u", facts->relative_ack);
            return text;
        }
        if (strcmp(field->name, "Window") == 0 && facts->window_scaled) {
            snprintf(text, 64, "scaled %u", facts->window);
            return text;
        }
    }
    return field->note[0] == '\0' ? NULL : field->note;
}

static void end_block(struct bytes *bytes)
{
    for (size_t i = 0; i < bytes->block.count; i++)
        if (bytes->block.rows[i].width > 0)
            paint_end(&bytes->block.rows[i], bytes->out);
}

static void begin_block(struct bytes *bytes)
{
    paint_block_begin(&bytes->block, bytes->options->terminal.color,
                      (size_t)bytes->options->terminal.columns);
}

/* A text of its own, over as many rows as it takes. */
static void say(struct bytes *bytes, unsigned style, const char *text)
{
    begin_block(bytes);
    paint_block_words(&bytes->block, style, text);
    end_block(bytes);
}

/* "TCP PSH ACK  seq 1 ack 1 len 21" */
static void summarize(const struct view_item *item, char text[PACKET_TEXT])
{
    const struct packet *packet = item->packet;
    char *to = packet_put_text(text, packet_protocol_name(packet));
    if (packet->transport == TRANSPORT_TCP && packet->tcp.header_length != 0) {
        *to++ = ' ';
        to = packet_put_flags(to, packet->tcp.flags);
        to = packet_put_number(packet_put_text(to, " seq "), item->facts->relative_seq);
        if ((packet->tcp.flags & TCP_ACK) != 0)
            to = packet_put_number(packet_put_text(to, " ack "), item->facts->relative_ack);
        to = packet_put_number(packet_put_text(to, " len "), packet->payload_length);
    } else if (packet->transport == TRANSPORT_UDP) {
        to = packet_put_number(packet_put_text(to, " len "), packet->payload_length);
    } else if (packet->transport == TRANSPORT_ICMP || packet->transport == TRANSPORT_ICMPV6) {
        *to++ = ' ';
        to = packet_put_text(to, icmp_type_text(packet));
    } else if (packet->network == NETWORK_ARP) {
        to = packet_put_text(to, packet->arp.operation == 1 ? " request" : " reply");
    }
    *to = '\0';
}

static void say_who(struct bytes *bytes, const struct view_item *item)
{
    const struct packet *packet = item->packet;
    if (packet->source.family == 0)
        return;
    bool ports = packet->source.port != 0 || packet->destination.port != 0;
    char address[PACKET_TEXT];
    begin_block(bytes);
    *packet_put_address(address, &packet->source, ports) = '\0';
    paint_block_words(&bytes->block, PAINT_PLAIN, address);
    paint_block_words(&bytes->block, PAINT_PLAIN, bytes->options->terminal.utf8 ? "→" : "->");
    *packet_put_address(address, &packet->destination, ports) = '\0';
    paint_block_words(&bytes->block, PAINT_PLAIN, address);
    if (item->facts->flow != NULL) {
        snprintf(address, sizeof address, " (flow %u, the %s's)", item->facts->flow->id,
                 item->facts->from == FLOW_CLIENT ? "client" : "server");
        paint_block_words(&bytes->block, PAINT_DIM, address + 1);
    }
    end_block(bytes);
}

/* A packet's comment: in our own traces, its cause. */
static void say_comment(struct bytes *bytes, const struct trace_text *comment)
{
    if (comment->length == 0)
        return;
    struct buffer safe = {0};
    for (size_t at = 0; at < comment->length && at < 4096;) {
        size_t length = 0;
        while (at + length < comment->length && comment->data[at + length] != '\n' &&
               comment->data[at + length] != '\t')
            length++;
        terminal_append_printable(&safe, comment->data + at, length, bytes->options->terminal.utf8);
        buffer_append_byte(&safe, ' ');
        at += length + 1;
    }
    say(bytes, PAINT_PLAIN, buffer_text(&safe));
    buffer_free(&safe);
}

static void say_title(struct bytes *bytes, const struct view_item *item)
{
    const struct trace_packet *frame = &item->event->packet;
    const struct terminal *terminal = &bytes->options->terminal;
    const char *dash = terminal->utf8 ? "─" : "-";
    char summary[PACKET_TEXT], time[48];
    double ms = (double)view_time_between(item->origin, item->event->time) / 1e6;
    if (ms < 1e6)
        snprintf(time, sizeof time, " %u bytes, %.3f ms", frame->length, ms);
    else
        snprintf(time, sizeof time, " %u bytes, %.1f s", frame->length, ms / 1e3);
    summarize(item, summary);
    struct paint_line *line = &bytes->line;
    paint_begin(line, terminal->color);
    paint_printf(line, PAINT_BOLD, "Packet %llu  ", (unsigned long long)frame->number);
    paint_cut(line, PAINT_BOLD, summary, strlen(summary), (size_t)terminal->columns);
    size_t time_at = (size_t)terminal->columns - strlen(time);
    if (line->width + 3 < time_at) {
        paint_to(line, line->width + 1);
        paint_fill(line, PAINT_DIM, dash, time_at);
        paint_text(line, PAINT_DIM, time);
    }
    paint_end(line, bytes->out);
    say_who(bytes, item);
    say_comment(bytes, &frame->comment);
    char marks[PACKET_TEXT];
    *packet_put_marks(marks, item->facts) = '\0';
    if (marks[0] != '\0')
        say(bytes, PAINT_YELLOW, marks);
}

/* Where reading stopped, and what the capture does not have. */
static void say_end(struct bytes *bytes, const struct view_item *item)
{
    const struct packet *packet = item->packet;
    char text[256];
    if (packet->fault != FAULT_NONE) {
        snprintf(text, sizeof text, "At byte %u (0x%04x): %s.", packet->fault_at, packet->fault_at,
                 packet_fault_text(packet));
        say(bytes, PAINT_RED, text);
    }
    if (packet->captured < packet->length) {
        snprintf(text, sizeof text, "The capture has %u of the packet's %u bytes.",
                 packet->captured, packet->length);
        say(bytes, PAINT_RED, text);
    }
}

/* When it was captured, as nobody's local time. */
static void say_time(struct bytes *bytes, int64_t time)
{
    time_t seconds = (time_t)(time / NANOSECONDS_PER_SECOND);
    struct tm parts;
    char day[64], text[128];
    if (time < 0 || gmtime_r(&seconds, &parts) == NULL ||
        strftime(day, sizeof day, "%Y-%m-%d %H:%M:%S", &parts) == 0)
        return;
    snprintf(text, sizeof text, "captured %s.%09lld UTC", day,
             (long long)(time % NANOSECONDS_PER_SECOND));
    say(bytes, PAINT_DIM, text);
}

static void add_packet(struct bytes *bytes, const struct view_item *item)
{
    bool at_length = bytes->options->number != 0;
    uint32_t captured = item->packet->captured;
    bytes->item = item;
    bytes->is_narrow = bytes->options->terminal.columns < BYTES_NARROW;
    bytes->digits = 4;
    while (bytes->digits < 8 && captured >> (4 * bytes->digits) != 0)
        bytes->digits++;
    if (bytes->shown++ > 0)
        buffer_append_byte(bytes->out, '\n');
    say_title(bytes, item);
    if (at_length) {
        say_time(bytes, item->event->time);
        buffer_append_byte(bytes->out, '\n');
        bytes_diagrams(bytes);
        bytes_list(bytes);
        buffer_append_byte(bytes->out, '\n');
        bytes_dump(bytes);
    } else {
        bytes_rows(bytes, PAYLOAD_ROWS);
    }
    say_end(bytes, item);
}

static struct view *bytes_open(const struct view_options *options, struct buffer *out)
{
    struct bytes *bytes = calloc(1, sizeof *bytes);
    if (bytes == NULL)
        return NULL;
    bytes->options = options;
    bytes->out = out;
    return (struct view *)(void *)bytes;
}

static void bytes_add(struct view *view, const struct view_item *item)
{
    struct bytes *bytes = bytes_of(view);
    if (item->event->kind == TRACE_PACKET)
        add_packet(bytes, item);
}

static void bytes_end(struct view *view, const struct error *damage)
{
    struct bytes *bytes = bytes_of(view);
    (void)damage;
    if (bytes->shown == 0)
        say(bytes, PAINT_PLAIN, "No packet to show.");
}

static void bytes_close(struct view *view)
{
    struct bytes *bytes = bytes_of(view);
    paint_free(&bytes->line);
    paint_block_free(&bytes->block);
    free(bytes);
}

const struct view_type view_bytes = {
    .kind = VIEW_BYTES,
    .effort = PACKET_CHECKSUMS,
    .open = bytes_open,
    .add = bytes_add,
    .end = bytes_end,
    .close = bytes_close,
};
