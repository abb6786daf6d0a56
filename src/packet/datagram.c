/*
 * datagram.c - UDP (RFC 768), ICMP (RFC 792), ICMPv6 (RFC 4443) and ARP (RFC 826).
 */
#include "packet/decode.h"

#include <string.h>

/* Applies UDP's own length. Returns false where it is less than the header. */
static bool bound_by_udp_length(struct decoder *d)
{
    struct packet *packet = d->packet;
    uint32_t length = packet->udp.length;
    uint32_t field_at = packet->transport_at + 4;
    /* Zero in IPv6: longer than 16 bits hold (RFC 2675 section 4). */
    if (length == 0 && packet->network == NETWORK_IPV6)
        return true;
    if (length < 8) {
        decoder_fault(d, FAULT_LENGTH, field_at);
        decoder_stop(d);
        return false;
    }
    /* The first fragment of a longer datagram has only a part of it. */
    uint64_t end = (uint64_t)packet->transport_at + length;
    if (!packet->is_fragment || end <= d->wire_end)
        decoder_bound(d, end, field_at);
    return true;
}

static enum packet_checksum udp_checksum(const struct decoder *d)
{
    const struct packet *packet = d->packet;
    /* Zero is "none" over IPv4, and forbidden over IPv6 (RFC 8200 section 8.1). */
    if (packet->udp.checksum == 0)
        return packet->network == NETWORK_IPV6 ? CHECKSUM_BAD : CHECKSUM_UNKNOWN;
    if (packet->udp.length > d->wire_end - packet->transport_at)
        return CHECKSUM_UNKNOWN;
    return checksum_transport(d, 6, true);
}

void udp_decode(struct decoder *d)
{
    struct packet *packet = d->packet;
    packet->transport = TRANSPORT_UDP;
    struct cursor before = d->in;
    const uint8_t *b = decoder_take(d, 8);
    if (b == NULL) {
        const uint8_t *ports = cursor_take(&before, 4);
        if (ports != NULL) {
            packet->source.port = read_be16(ports);
            packet->destination.port = read_be16(ports + 2);
            packet->has_ports = true;
        }
        return;
    }
    packet->source.port = read_be16(b);
    packet->destination.port = read_be16(b + 2);
    packet->has_ports = true;
    packet->udp.length = read_be16(b + 4);
    packet->udp.checksum = read_be16(b + 6);
    if (!bound_by_udp_length(d))
        return;
    if (d->effort == PACKET_CHECKSUMS)
        packet->transport_checksum = udp_checksum(d);
    decoder_payload(d);
}

bool icmp_quotes(const struct packet *packet)
{
    uint8_t type = packet->icmp.type;
    if (packet->transport == TRANSPORT_ICMP)
        return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
    if (packet->transport == TRANSPORT_ICMPV6)
        return type >= 1 && type <= 4;
    return false;
}

uint32_t icmp_quote_captured(const struct packet *packet)
{
    uint8_t type = packet->icmp.type;
    uint32_t length = 0;
    if (packet->transport == TRANSPORT_ICMP && (type == 3 || type == 11 || type == 12))
        length = (packet->icmp.rest >> 16 & 0xff) * 4;
    else if (packet->transport == TRANSPORT_ICMPV6 && (type == 1 || type == 3))
        length = (packet->icmp.rest >> 24) * 8;
    return length == 0 || length > packet->payload_captured ? packet->payload_captured : length;
}

void icmp_decode(struct decoder *d)
{
    struct packet *packet = d->packet;
    struct cursor before = d->in;
    const uint8_t *b = decoder_take(d, 8);
    if (b == NULL) {
        /* Absent, they must not read as type 0, an echo reply. */
        bool is_here = cursor_left(&before) >= 2;
        packet->icmp.type = is_here ? cursor_u8(&before) : 255;
        packet->icmp.code = is_here ? cursor_u8(&before) : 255;
        return;
    }
    packet->icmp.type = b[0];
    packet->icmp.code = b[1];
    packet->icmp.checksum = read_be16(b + 2);
    packet->icmp.rest = read_be32(b + 4);
    if (d->effort == PACKET_CHECKSUMS)
        packet->transport_checksum =
            checksum_transport(d, 2, packet->transport == TRANSPORT_ICMPV6);
    decoder_payload(d);
    if (icmp_quotes(packet) && packet->payload_captured > 0)
        packet->icmp.quoted_at = packet->payload_at;
}

void arp_decode(struct decoder *d)
{
    struct packet *packet = d->packet;
    packet->network = NETWORK_ARP;
    packet->network_at = (uint32_t)d->in.at;
    const uint8_t *b = decoder_take(d, 8);
    if (b == NULL)
        return;
    uint8_t hardware = b[4];
    uint8_t protocol = b[5];
    packet->arp.operation = read_be16(b + 6);
    const uint8_t *body = decoder_take(d, 2u * (hardware + protocol));
    if (body == NULL)
        return;
    if (hardware == 6) {
        memcpy(packet->arp.sender_hardware, body, 6);
        memcpy(packet->arp.target_hardware, body + 6 + protocol, 6);
    }
    if (read_be16(b + 2) == ETHER_IPV4 && protocol == 4) {
        packet->source.family = 4;
        memcpy(packet->source.bytes, body + hardware, 4);
        packet->destination.family = 4;
        memcpy(packet->destination.bytes, body + 2 * hardware + 4, 4);
    }
    /* Nothing follows an ARP message; the rest of the frame is padding. */
    decoder_bound(d, d->in.at, packet->network_at);
    decoder_payload(d);
}
