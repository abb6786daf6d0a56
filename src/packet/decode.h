/*
 * decode.h - what the layers share while one frame is decoded. For src/packet only.
 *
 * A frame has two ends. What was captured ends at the cursor's length; what was on the wire ends
 * at wire_end. Each header that states a length (802.3, IP, UDP) brings both nearer, so that the
 * padding of a short Ethernet frame is never taken for payload, and so that a header that is not
 * here can be told from a header for which the packet never had room.
 */
#ifndef HANDLENS_PACKET_DECODE_H
#define HANDLENS_PACKET_DECODE_H

#include "packet/packet.h"
#include "support/cursor.h"

enum ether_type_value {
    ETHER_IPV4 = 0x0800,
    ETHER_ARP = 0x0806,
    ETHER_VLAN = 0x8100,
    ETHER_IPV6 = 0x86dd,
    ETHER_QINQ = 0x88a8,
    ETHER_QINQ_OLD = 0x9100,
    ETHER_LENGTH_MAX = 1500, /* up to here the field is 802.3's length */
    ETHER_TYPE_MIN = 0x0600,
    COOKED_LLC = 4, /* Linux' own number in the cooked header's protocol field */
};

enum ip_protocol_value {
    PROTOCOL_HOP_BY_HOP = 0,
    PROTOCOL_ICMP = 1,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    PROTOCOL_ROUTING = 43,
    PROTOCOL_FRAGMENT = 44,
    PROTOCOL_AUTHENTICATION = 51,
    PROTOCOL_ICMPV6 = 58,
    PROTOCOL_NO_NEXT = 59,
    PROTOCOL_DESTINATION = 60,
    PROTOCOL_MOBILITY = 135,
    PROTOCOL_HIP = 139,
    PROTOCOL_SHIM6 = 140,
};

/* More extension headers than this are FAULT_NESTING. */
#define EXTENSION_HEADERS 16

struct decoder {
    struct packet *packet;
    struct cursor in;  /* over the frame, up to the last captured byte of the packet */
    uint32_t wire_end; /* the offset where the packet ended on the wire */
    bool bounded;      /* wire_end comes from a header, not from the frame */
    enum packet_effort effort;
    /* The addresses of the pseudo header: those of the IP header, unless a source route or a home
     * address says otherwise. */
    const uint8_t *pseudo_source;
    const uint8_t *pseudo_destination;
};

/* For bytes that a cursor has handed out. */
static inline uint16_t read_be16(const uint8_t *b)
{
    return (uint16_t)(b[0] << 8 | b[1]);
}

static inline uint32_t read_be32(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Whether the protocol number is an extension header that can be stepped over. */
bool ip_is_extension(uint8_t protocol);

/* The bytes of an extension header by its own word (its first two bytes are start). */
uint32_t ip_extension_length(uint8_t protocol, const uint8_t *start);

/* Marks a fault, unless there is one already. */
void decoder_fault(struct decoder *d, enum packet_fault fault, uint32_t at);

/* Decoding ends here, at a fault: there is no payload. */
void decoder_stop(struct decoder *d);

/* All that is left is payload. */
void decoder_payload(struct decoder *d);

/* Takes a header's bytes. If they are not all here, marks the fault, stops, and returns NULL. */
const uint8_t *decoder_take(struct decoder *d, uint32_t length);

/*
 * A header says that the packet ends at this offset of the frame. If that is beyond the end known
 * so far, marks FAULT_LENGTH at field_at and keeps the known end.
 */
void decoder_bound(struct decoder *d, uint64_t end, uint32_t field_at);

/* link.c: decodes the frame from its first byte. */
void link_decode(struct decoder *d);

/* ipv4.c, ipv6.c, datagram.c, tcp_header.c: each decodes from the cursor on to the end. */
void ipv4_decode(struct decoder *d);
void ipv6_decode(struct decoder *d);
void arp_decode(struct decoder *d);
void transport_decode(struct decoder *d, uint8_t protocol);
void tcp_decode(struct decoder *d);
void udp_decode(struct decoder *d);
void icmp_decode(struct decoder *d);

/* The ones' complement sum of the bytes (RFC 1071), folded to 16 bits, in host order. */
uint16_t checksum_sum(const uint8_t *bytes, size_t length);

/* Judges the IPv4 header checksum; header holds length bytes. */
enum packet_checksum checksum_ipv4(const uint8_t *header, size_t length);

/*
 * Judges the transport checksum stored in a segment that begins at transport_at, reaches to the
 * packet's end and has its checksum field field_at bytes from its start. with_pseudo: whether the
 * pseudo header counts (not in ICMP).
 */
enum packet_checksum checksum_transport(const struct decoder *d, uint32_t field_at,
                                        bool with_pseudo);

/* Whether this ICMP or ICMPv6 message quotes the packet it complains of. */
bool icmp_quotes(const struct packet *packet);

/* How many of the payload's captured bytes the quote has at most (RFC 4884 section 4). */
uint32_t icmp_quote_captured(const struct packet *packet);

#endif
