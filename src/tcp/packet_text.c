#include "tcp/packet_text.h"

#include <string.h>

char *packet_put_text(char *to, const char *text)
{
    size_t length = strlen(text);
    memcpy(to, text, length);
    return to + length;
}

static char *put_small(char *to, uint32_t number)
{
    if (number >= 100)
        *to++ = (char)('0' + number / 100);
    if (number >= 10)
        *to++ = (char)('0' + number / 10 % 10);
    *to++ = (char)('0' + number % 10);
    return to;
}

/* Digits are counted first and written where they belong: copying them there costs more. */
char *packet_put_number(char *to, uint64_t number)
{
    if (number < 1000) /* most are: ports and addresses' bytes, lengths, counts */
        return put_small(to, (uint32_t)number);
    size_t length = 3;
    for (uint64_t limit = 1000; number >= limit; limit *= 10) {
        length++;
        if (length == 20) /* the next limit would not fit into 64 bits */
            break;
    }
    char *end = to + length;
    while (end > to) {
        *--end = (char)('0' + number % 10);
        number /= 10;
    }
    return to + length;
}

char *packet_put_flags(char *to, uint16_t flags)
{
    /* What nearly every segment carries. */
    if (flags == TCP_ACK)
        return packet_put_text(to, "ACK");
    if (flags == (TCP_PSH | TCP_ACK))
        return packet_put_text(to, "PSH ACK");
    char text[TCP_FLAGS_TEXT];
    return packet_put_text(to, tcp_flags_text(flags, text));
}

char *packet_put_address(char *to, const struct address *address, bool with_port)
{
    if (address->family != 4) {
        char text[ADDRESS_TEXT];
        return packet_put_text(to, with_port ? address_format(address, text)
                                             : address_format_host(address, text));
    }
    for (int i = 0; i < 4; i++) {
        if (i > 0)
            *to++ = '.';
        to = packet_put_number(to, address->bytes[i]);
    }
    if (with_port) {
        *to++ = ':';
        to = packet_put_number(to, address->port);
    }
    return to;
}

static char *put_separator(char *to, const char *start)
{
    return to == start ? to : packet_put_text(to, ", ");
}

char *packet_put_options(char *to, const struct packet_tcp *tcp)
{
    const char *start = to;
    if ((tcp->options_seen & TCP_SEEN_MSS) != 0) {
        to = packet_put_text(to, "mss ");
        to = packet_put_number(to, tcp->mss);
    }
    if ((tcp->options_seen & TCP_SEEN_SACK_PERMITTED) != 0)
        to = packet_put_text(put_separator(to, start), "sack");
    if ((tcp->options_seen & TCP_SEEN_TIMESTAMPS) != 0)
        to = packet_put_text(put_separator(to, start), "timestamps");
    if ((tcp->options_seen & TCP_SEEN_WINDOW_SCALE) != 0) {
        to = packet_put_text(put_separator(to, start), "window scale ");
        to = packet_put_number(to, tcp->window_scale);
    }
    if ((tcp->options_seen & TCP_SEEN_FAST_OPEN) != 0)
        to = packet_put_text(put_separator(to, start),
                             tcp->fast_open_length == 0 ? "fast open request" : "fast open cookie");
    if ((tcp->options_seen & TCP_SEEN_MPTCP) != 0)
        to = packet_put_text(put_separator(to, start), "mptcp");
    if ((tcp->options_seen & TCP_SEEN_MD5) != 0)
        to = packet_put_text(put_separator(to, start), "md5");
    return to;
}

char *packet_put_urgent(char *to, const struct packet_tcp *tcp)
{
    if ((tcp->flags & TCP_URG) == 0)
        return to;
    to = packet_put_text(to, "urgent ");
    return packet_put_number(to, tcp->urgent);
}

char *packet_put_sack(char *to, const struct packet_tcp *tcp, const struct flow_facts *facts)
{
    if ((tcp->flags & TCP_SYN) != 0 || tcp->sack_count == 0)
        return to;
    /* The blocks count the bytes that the receiver of this segment has sent. */
    const struct flow_side *other = facts->flow == NULL ? NULL : &facts->flow->side[!facts->from];
    uint32_t zero = other != NULL && other->has_initial_seq ? other->initial_seq : 0;
    to = packet_put_text(to, "sack");
    for (size_t i = 0; i < tcp->sack_count; i++) {
        *to++ = ' ';
        to = packet_put_number(to, (uint32_t)(tcp->sack[i][0] - zero));
        *to++ = '-';
        to = packet_put_number(to, (uint32_t)(tcp->sack[i][1] - zero));
    }
    return to;
}

char *packet_put_marks(char *to, const struct flow_facts *facts)
{
    const char *start = to;
    for (int bit = 0; bit < MARK_COUNT; bit++) {
        enum tcp_mark mark = (enum tcp_mark)(1 << bit);
        if ((facts->marks & (uint32_t)mark) == 0)
            continue;
        if (to != start)
            *to++ = ' ';
        *to++ = '[';
        to = packet_put_text(to, tcp_mark_name(mark));
        if (mark == MARK_DUPLICATE_ACK) {
            to = packet_put_text(to, " #");
            to = packet_put_number(to, facts->duplicate_number);
            if (facts->duplicate_of != 0) {
                to = packet_put_text(to, " of packet ");
                to = packet_put_number(to, facts->duplicate_of);
            }
        }
        *to++ = ']';
    }
    return to;
}

static char *put_named(char *to, const char *name, uint64_t number)
{
    return packet_put_number(packet_put_text(to, name), number);
}

static char *put_segment(char *to, const struct packet *packet, const struct flow_facts *facts)
{
    const struct packet_tcp *tcp = &packet->tcp;
    bool followed = facts->flow != NULL;
    to = packet_put_flags(to, tcp->flags);
    to = put_named(to, " seq ", followed ? facts->relative_seq : tcp->seq);
    if ((tcp->flags & TCP_ACK) != 0)
        to = put_named(to, " ack ", followed ? facts->relative_ack : tcp->ack);
    to = put_named(to, " win ", followed ? facts->window : tcp->window);
    to = put_named(to, " len ", packet->payload_length);
    if ((tcp->flags & TCP_SYN) != 0 && tcp->options_seen != 0) {
        to = packet_put_text(to, " <");
        to = packet_put_options(to, tcp);
        *to++ = '>';
    } else if ((tcp->flags & TCP_URG) != 0 || tcp->sack_count > 0) {
        to = packet_put_text(to, " <");
        const char *start = to;
        to = packet_put_urgent(to, tcp);
        if (tcp->sack_count > 0)
            to = packet_put_sack(put_separator(to, start), tcp, facts);
        *to++ = '>';
    }
    if (facts->marks != 0) {
        *to++ = ' ';
        to = packet_put_marks(to, facts);
    }
    return to;
}

/* What has no ports: the protocol by name or number, and what it says. */
static char *put_other(char *to, const struct packet *packet)
{
    const char *name = packet_protocol_name(packet);
    to = packet_put_text(to, name);
    switch (packet->transport) {
    case TRANSPORT_ICMP:
    case TRANSPORT_ICMPV6:
        *to++ = ' ';
        to = packet_put_text(to, icmp_type_text(packet));
        return put_named(to, " len ", packet->payload_length);
    case TRANSPORT_FRAGMENT:
        to = put_named(to, " fragment at ", packet->fragment_offset);
        return put_named(to, " len ", packet->payload_length);
    case TRANSPORT_OTHER:
        if (strncmp(name, "IP", 2) == 0) /* it has no name of its own */
            to = put_named(to, " protocol ", packet->ip_protocol);
        return put_named(to, " len ", packet->payload_length);
    default:
        break;
    }
    if (packet->network == NETWORK_ARP)
        to = packet_put_text(to, packet->arp.operation == 1   ? " request"
                                 : packet->arp.operation == 2 ? " reply"
                                                              : "");
    return put_named(to, " len ", packet->length);
}

char *packet_put_headers(char *to, const struct packet *packet, const struct flow_facts *facts)
{
    if (packet->transport == TRANSPORT_TCP && packet->tcp.header_length < 20)
        to = packet_put_text(to, "TCP"); /* there is no header to tell about */
    else if (packet->transport == TRANSPORT_TCP)
        to = put_segment(to, packet, facts);
    else if (packet->transport == TRANSPORT_UDP)
        to = put_named(to, "UDP len ", packet->payload_length);
    else
        to = put_other(to, packet);
    if (packet->fault != FAULT_NONE) {
        to = packet_put_text(to, " [");
        to = packet_put_text(to, packet_fault_text(packet));
        *to++ = ']';
    }
    return to;
}
