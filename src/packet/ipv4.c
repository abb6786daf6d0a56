/*
 * ipv4.c - the IPv4 header, RFC 791, and the step from IP to the transport header.
 */
#include "packet/decode.h"

#include <string.h>

/* Final destination of a source route, which the pseudo header names (RFC 1122 4.1.3.5). */
static void read_route(struct decoder *d, const uint8_t *option, uint8_t length)
{
    /* Type, length, pointer (from 1) to the next hop, then addresses. */
    if (length >= 7 && (length - 3) % 4 == 0 && option[2] < length)
        d->pseudo_destination = option + length - 4;
}

static void ipv4_options(struct decoder *d, const uint8_t *bytes, uint32_t length)
{
    enum { END = 0, NO_OPERATION = 1, LOOSE_ROUTE = 131, STRICT_ROUTE = 137 };
    uint32_t start = (uint32_t)d->in.at - length;
    struct cursor in = cursor_over(bytes, length);
    while (cursor_left(&in) > 0) {
        uint32_t at = start + (uint32_t)in.at;
        struct cursor head = in;
        uint8_t type = cursor_u8(&head);
        if (type == END)
            return;
        if (type == NO_OPERATION) {
            in = head;
            continue;
        }
        uint8_t size = cursor_u8(&head);
        const uint8_t *option = size < 2 ? NULL : cursor_take(&in, size);
        if (option == NULL) {
            decoder_fault(d, FAULT_OPTION, at);
            return;
        }
        if (type == LOOSE_ROUTE || type == STRICT_ROUTE)
            read_route(d, option, size);
    }
}

static void read_header(struct packet *packet, const uint8_t *b)
{
    packet->traffic_class = b[1];
    packet->ip_total_length = read_be16(b + 2);
    packet->ip_identification = read_be16(b + 4);
    uint16_t fragment = read_be16(b + 6);
    packet->dont_fragment = (fragment & 0x4000) != 0;
    packet->more_fragments = (fragment & 0x2000) != 0;
    packet->fragment_offset = (fragment & 0x1fffu) * 8;
    packet->is_fragment = (fragment & 0x3fffu) != 0;
    packet->ttl = b[8];
    packet->ip_protocol = b[9];
    packet->source.family = 4;
    memcpy(packet->source.bytes, b + 12, 4);
    packet->destination.family = 4;
    memcpy(packet->destination.bytes, b + 16, 4);
}

/* Applies the total length. Returns false where it is less than the header's own. */
static bool bound_by_total_length(struct decoder *d, uint32_t header_length)
{
    struct packet *packet = d->packet;
    uint32_t total = packet->ip_total_length;
    /* Zero: the segment was longer than the field holds when it was captured, before the device
     * cut it up. It ends where the frame does. */
    if (total == 0)
        return true;
    if (total < header_length) {
        decoder_fault(d, FAULT_LENGTH, packet->network_at + 2);
        decoder_stop(d);
        return false;
    }
    decoder_bound(d, (uint64_t)packet->network_at + total, packet->network_at + 2);
    return true;
}

void ipv4_decode(struct decoder *d)
{
    struct packet *packet = d->packet;
    packet->network = NETWORK_IPV4;
    packet->network_at = (uint32_t)d->in.at;
    struct cursor peek = d->in;
    uint8_t first = cursor_u8(&peek);
    uint32_t header_length = (first & 15u) * 4;
    if (!peek.failed && (first >> 4 != 4 || header_length < 20)) {
        decoder_fault(d, first >> 4 != 4 ? FAULT_VERSION : FAULT_LENGTH, packet->network_at);
        decoder_stop(d);
        return;
    }
    const uint8_t *b = decoder_take(d, 20);
    if (b == NULL)
        return;
    read_header(packet, b);
    packet->ip_header_length = (uint8_t)header_length;
    d->pseudo_source = b + 12;
    d->pseudo_destination = b + 16;
    if (!bound_by_total_length(d, header_length))
        return;
    if (header_length > 20) {
        const uint8_t *options = decoder_take(d, header_length - 20);
        if (options == NULL)
            return;
        ipv4_options(d, options, header_length - 20);
    }
    if (d->effort == PACKET_CHECKSUMS)
        packet->network_checksum = checksum_ipv4(b, header_length);
    transport_decode(d, packet->ip_protocol);
}

/* RFC 4302: IPsec's authentication header, which hides nothing, stands before the transport. */
static bool step_over_authentication(struct decoder *d, uint8_t *protocol)
{
    for (unsigned i = 0; *protocol == PROTOCOL_AUTHENTICATION; i++) {
        if (i == EXTENSION_HEADERS) {
            decoder_fault(d, FAULT_NESTING, (uint32_t)d->in.at);
            decoder_stop(d);
            return false;
        }
        struct cursor peek = d->in;
        const uint8_t *start = cursor_take(&peek, 2);
        uint32_t length = start == NULL ? 2 : ip_extension_length(*protocol, start);
        const uint8_t *header = decoder_take(d, length);
        if (header == NULL)
            return false;
        *protocol = header[0];
    }
    return true;
}

void transport_decode(struct decoder *d, uint8_t protocol)
{
    struct packet *packet = d->packet;
    bool is_later = packet->fragment_offset != 0;
    if (!is_later && packet->network == NETWORK_IPV4 && !step_over_authentication(d, &protocol))
        return;
    packet->ip_protocol = protocol;
    packet->transport_at = (uint32_t)d->in.at;
    if (is_later) {
        packet->transport = TRANSPORT_FRAGMENT;
        decoder_payload(d);
    } else if (protocol == PROTOCOL_TCP) {
        tcp_decode(d);
    } else if (protocol == PROTOCOL_UDP) {
        udp_decode(d);
    } else if (protocol == PROTOCOL_ICMP && packet->network == NETWORK_IPV4) {
        packet->transport = TRANSPORT_ICMP;
        icmp_decode(d);
    } else if (protocol == PROTOCOL_ICMPV6 && packet->network == NETWORK_IPV6) {
        packet->transport = TRANSPORT_ICMPV6;
        icmp_decode(d);
    } else {
        /* "No next header" is exactly that. */
        packet->transport = protocol == PROTOCOL_NO_NEXT ? TRANSPORT_NONE : TRANSPORT_OTHER;
        decoder_payload(d);
    }
}
