/*
 * link.c - from the frame's first byte to the network header.
 *
 * Formats: pcap-linktype(7) and the LINKTYPE_ pages of tcpdump.org; VLAN tags IEEE 802.1Q;
 * SNAP RFC 1042.
 */
#include "packet/decode.h"

static void network_decode(struct decoder *d, uint16_t ether_type);

/* What follows is known only by a number, or not at all. */
static void other_decode(struct decoder *d)
{
    d->packet->network = NETWORK_OTHER;
    d->packet->network_at = (uint32_t)d->in.at;
    decoder_payload(d);
}

/* 802.2: DSAP, SSAP, control; with SNAP an organisation and perhaps an EtherType behind it. */
static void llc_decode(struct decoder *d)
{
    const uint8_t *llc = decoder_take(d, 3);
    if (llc == NULL)
        return;
    /* Only unnumbered frames have a control field of one byte. */
    if ((llc[2] & 3) != 3 && decoder_take(d, 1) == NULL)
        return;
    if (llc[0] == 0xaa && llc[1] == 0xaa && llc[2] == 0x03) {
        const uint8_t *snap = decoder_take(d, 5);
        if (snap == NULL)
            return;
        /* RFC 1042's organisation 0, and 802.1H's 00-00-F8, number protocols by EtherType. */
        if (snap[0] == 0 && snap[1] == 0 && (snap[2] == 0 || snap[2] == 0xf8)) {
            network_decode(d, read_be16(snap + 3));
            return;
        }
    }
    other_decode(d);
}

/* An EtherType, or a length: as Ethernet has it at offset 12 and behind each VLAN tag. */
static void ether_decode(struct decoder *d, uint16_t type_or_length)
{
    if (type_or_length >= ETHER_TYPE_MIN) {
        network_decode(d, type_or_length);
        return;
    }
    uint32_t field_at = (uint32_t)d->in.at - 2;
    if (type_or_length > ETHER_LENGTH_MAX)
        decoder_fault(d, FAULT_LENGTH, field_at);
    else
        decoder_bound(d, (uint64_t)d->in.at + type_or_length, field_at);
    llc_decode(d);
}

static void vlan_decode(struct decoder *d)
{
    struct packet *packet = d->packet;
    if (packet->vlan_count == PACKET_VLANS) {
        decoder_fault(d, FAULT_NESTING, (uint32_t)d->in.at);
        decoder_stop(d);
        return;
    }
    const uint8_t *tag = decoder_take(d, 4);
    if (tag == NULL)
        return;
    packet->vlans[packet->vlan_count++] = read_be16(tag);
    ether_decode(d, read_be16(tag + 2));
}

static void network_decode(struct decoder *d, uint16_t ether_type)
{
    d->packet->ether_type = ether_type;
    switch (ether_type) {
    case ETHER_IPV4:
        ipv4_decode(d);
        break;
    case ETHER_IPV6:
        ipv6_decode(d);
        break;
    case ETHER_ARP:
        arp_decode(d);
        break;
    case ETHER_VLAN:
    case ETHER_QINQ:
    case ETHER_QINQ_OLD:
        vlan_decode(d);
        break;
    default:
        other_decode(d);
        break;
    }
}

/* The protocol field of Linux cooked captures: an EtherType, or one of Linux' own small numbers. */
static void cooked_decode(struct decoder *d, uint16_t hardware, uint16_t protocol)
{
    enum { HARDWARE_NETLINK = 824, HARDWARE_RADIOTAP = 803 };
    bool is_ether_type = hardware != HARDWARE_NETLINK && hardware != HARDWARE_RADIOTAP;
    if (is_ether_type && protocol >= ETHER_TYPE_MIN)
        network_decode(d, protocol);
    else if (is_ether_type && protocol == COOKED_LLC)
        llc_decode(d);
    else
        other_decode(d);
}

/* BSD's family number: AF_INET is 2 everywhere, AF_INET6 is each system's own. */
static void family_decode(struct decoder *d)
{
    const uint8_t *b = decoder_take(d, 4);
    if (b == NULL)
        return;
    /* A family is a small number, so the order in which it is small is the one it was written in;
     * LINK_LOOP is big-endian by definition, but captures exist in which it is not. */
    uint32_t family = read_be32(b);
    if (family > 0xffff)
        family = (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
    switch (family) {
    case 2:
        ipv4_decode(d);
        break;
    case 10: /* Linux */
    case 24: /* NetBSD, OpenBSD */
    case 28: /* FreeBSD */
    case 30: /* Darwin */
        ipv6_decode(d);
        break;
    default:
        other_decode(d);
        break;
    }
}

/* Raw IP: the first four bits are the version. */
static void raw_decode(struct decoder *d)
{
    struct cursor peek = d->in;
    uint8_t version = cursor_u8(&peek) >> 4;
    if (version == 4) {
        ipv4_decode(d);
    } else if (version == 6) {
        ipv6_decode(d);
    } else {
        decoder_fault(d, peek.failed ? FAULT_CUT : FAULT_VERSION, 0);
        decoder_stop(d);
    }
}

void link_decode(struct decoder *d)
{
    const uint8_t *b;
    switch (d->packet->link_type) {
    case LINK_ETHERNET:
        if ((b = decoder_take(d, 14)) != NULL)
            ether_decode(d, read_be16(b + 12));
        break;
    case LINK_LINUX_SLL:
        if ((b = decoder_take(d, 16)) != NULL)
            cooked_decode(d, read_be16(b + 2), read_be16(b + 14));
        break;
    case LINK_LINUX_SLL2:
        if ((b = decoder_take(d, 20)) != NULL)
            cooked_decode(d, read_be16(b + 8), read_be16(b));
        break;
    case LINK_NULL:
    case LINK_LOOP:
        family_decode(d);
        break;
    case LINK_RAW:
    case LINK_RAW_BSD:
    case LINK_RAW_OPENBSD:
        raw_decode(d);
        break;
    case LINK_IPV4:
        ipv4_decode(d);
        break;
    case LINK_IPV6:
        ipv6_decode(d);
        break;
    default:
        decoder_payload(d);
        break;
    }
}
