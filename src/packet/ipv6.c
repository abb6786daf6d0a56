/*
 * ipv6.c - the IPv6 header and its extension headers, RFC 8200.
 *
 * Extension headers form a chain: each names the kind of the next. Those whose length can be told
 * are stepped over; the first that is none of them is the transport. A jumbo payload's length
 * (RFC 2675) stands in a hop-by-hop option, so the packet's end may be known only inside the
 * chain.
 */
#include "packet/decode.h"

#include <string.h>

bool ip_is_extension(uint8_t protocol)
{
    switch (protocol) {
    case PROTOCOL_HOP_BY_HOP:
    case PROTOCOL_ROUTING:
    case PROTOCOL_FRAGMENT:
    case PROTOCOL_AUTHENTICATION:
    case PROTOCOL_DESTINATION:
    case PROTOCOL_MOBILITY:
    case PROTOCOL_HIP:
    case PROTOCOL_SHIM6:
        return true;
    default:
        return false;
    }
}

uint32_t ip_extension_length(uint8_t protocol, const uint8_t *start)
{
    if (protocol == PROTOCOL_FRAGMENT)
        return 8;
    if (protocol == PROTOCOL_AUTHENTICATION)
        return (start[1] + 2u) * 4;
    return (start[1] + 1u) * 8;
}

/* RFC 2675: the payload length when 16 bits do not hold it. */
static void read_jumbo(struct decoder *d, const uint8_t *option, uint32_t at)
{
    struct packet *packet = d->packet;
    uint32_t length = read_be32(option + 2);
    if (packet->ip_total_length != 40 || length > UINT32_MAX - 40)
        return;
    packet->ip_total_length = length + 40;
    uint64_t end = (uint64_t)packet->network_at + 40 + length;
    if (end < d->in.at)
        decoder_fault(d, FAULT_LENGTH, at + 2);
    else
        decoder_bound(d, end, at + 2);
}

/* The options of a hop-by-hop or destination header. */
static void read_options(struct decoder *d, uint8_t protocol, const uint8_t *header,
                         uint32_t length)
{
    enum { PAD_ONE = 0, JUMBO = 0xc2, HOME_ADDRESS = 0xc9 };
    uint32_t start = (uint32_t)d->in.at - length;
    struct cursor in = cursor_over(header, length);
    cursor_take(&in, 2);
    while (cursor_left(&in) > 0) {
        uint32_t at = start + (uint32_t)in.at;
        struct cursor head = in;
        uint8_t type = cursor_u8(&head);
        if (type == PAD_ONE) {
            in = head;
            continue;
        }
        uint8_t size = cursor_u8(&head);
        const uint8_t *option = head.failed ? NULL : cursor_take(&in, size + 2u);
        if (option == NULL) {
            decoder_fault(d, FAULT_OPTION, at);
            return;
        }
        if (type == JUMBO && size == 4 && protocol == PROTOCOL_HOP_BY_HOP)
            read_jumbo(d, option, at);
        else if (type == HOME_ADDRESS && size == 16 && protocol == PROTOCOL_DESTINATION)
            d->pseudo_source = option + 2; /* RFC 6275 section 6.3 */
    }
}

/* While segments are left, the final destination stands in the routing header. */
static void read_routing(struct decoder *d, const uint8_t *header, uint32_t length)
{
    enum { SOURCE_ROUTE = 0, MOBILE = 2, SEGMENT_ROUTING = 4 };
    uint8_t type = header[2];
    uint8_t segments_left = header[3];
    if (segments_left == 0 || length < 24)
        return;
    if (type == SOURCE_ROUTE || type == MOBILE)
        d->pseudo_destination = header + 8 + (length - 8) / 16 * 16 - 16;
    else if (type == SEGMENT_ROUTING)
        d->pseudo_destination = header + 8; /* RFC 8754: the list is in reverse */
}

static void read_fragment(struct packet *packet, const uint8_t *header)
{
    uint16_t offset = read_be16(header + 2);
    packet->fragment_offset = offset & 0xfff8u;
    packet->more_fragments = (offset & 1) != 0;
    packet->is_fragment = packet->more_fragments || packet->fragment_offset != 0;
    packet->ip_identification = read_be32(header + 4);
}

/* Takes one extension header. Returns NULL when it is not all here. */
static const uint8_t *take_extension(struct decoder *d, uint8_t protocol)
{
    struct cursor peek = d->in;
    const uint8_t *start = cursor_take(&peek, 2);
    uint32_t length = start == NULL ? 2 : ip_extension_length(protocol, start);
    const uint8_t *header = decoder_take(d, length);
    if (header == NULL)
        return NULL;
    if (protocol == PROTOCOL_HOP_BY_HOP || protocol == PROTOCOL_DESTINATION)
        read_options(d, protocol, header, length);
    else if (protocol == PROTOCOL_ROUTING)
        read_routing(d, header, length);
    else if (protocol == PROTOCOL_FRAGMENT)
        read_fragment(d->packet, header);
    return header;
}

static void walk_chain(struct decoder *d, uint8_t protocol)
{
    struct packet *packet = d->packet;
    for (unsigned i = 0; ip_is_extension(protocol) && packet->fragment_offset == 0; i++) {
        packet->ip_protocol = protocol;
        if (i == EXTENSION_HEADERS) {
            decoder_fault(d, FAULT_NESTING, (uint32_t)d->in.at);
            decoder_stop(d);
            return;
        }
        const uint8_t *header = take_extension(d, protocol);
        if (header == NULL)
            return;
        protocol = header[0];
        uint32_t length = (uint32_t)d->in.at - packet->network_at;
        packet->ip_header_length = length > 255 ? 255 : (uint8_t)length;
    }
    transport_decode(d, protocol);
}

void ipv6_decode(struct decoder *d)
{
    struct packet *packet = d->packet;
    packet->network = NETWORK_IPV6;
    packet->network_at = (uint32_t)d->in.at;
    struct cursor peek = d->in;
    uint8_t first = cursor_u8(&peek);
    if (!peek.failed && first >> 4 != 6) {
        decoder_fault(d, FAULT_VERSION, packet->network_at);
        decoder_stop(d);
        return;
    }
    const uint8_t *b = decoder_take(d, 40);
    if (b == NULL)
        return;
    packet->traffic_class = (uint8_t)(read_be16(b) >> 4);
    packet->ip_flow_label = read_be32(b) & 0xfffff;
    uint16_t payload_length = read_be16(b + 4);
    packet->ip_total_length = payload_length + 40u;
    packet->ip_protocol = b[6];
    packet->ip_header_length = 40;
    packet->ttl = b[7];
    packet->source.family = 6;
    memcpy(packet->source.bytes, b + 8, 16);
    packet->destination.family = 6;
    memcpy(packet->destination.bytes, b + 24, 16);
    d->pseudo_source = b + 8;
    d->pseudo_destination = b + 24;
    /* Zero: a jumbo payload, a segment still to be cut up by the device, or truly nothing. */
    if (payload_length != 0 || b[6] == PROTOCOL_NO_NEXT)
        decoder_bound(d, (uint64_t)packet->network_at + 40 + payload_length,
                      packet->network_at + 4);
    walk_chain(d, b[6]);
}
