/*
 * packet.h - the headers of one captured frame.
 *
 * packet_decode turns bytes into numbers. It knows nothing of files, sockets or other packets,
 * allocates nothing and never fails: what is cut short or absurd is marked (fault, fault_at) and
 * decoding stops there; what had been decoded before stands. All numbers are in host order,
 * addresses in network order, offsets in bytes from the frame's first byte.
 *
 * How to read a struct packet:
 * - network and transport name the header that is announced, whether or not all of it is here.
 *   network_at means something where network is not NETWORK_NONE (and is 0 for raw IP);
 *   transport_at where transport is not TRANSPORT_NONE.
 * - source.family is 0 until the addresses were read. Ports are there as soon as the first four
 *   bytes of the transport header are, as in a packet quoted by ICMP: has_ports.
 * - tcp.header_length is 0 unless the twenty fixed bytes were here and the data offset made
 *   sense: then flags, seq, ack and window hold and payload_length is right. A quoted TCP header
 *   cut after eight bytes still has its ports and seq.
 * - Two kinds of fault do not stop the decoding, since what follows is still known: an option at
 *   fault (of TCP, IPv4 or IPv6), and an IP or UDP length that reaches beyond what holds it, which
 *   is then taken to end where that does. So a fault alone does not make a packet useless. The
 *   first fault is the one that is kept.
 * - payload is what follows the innermost header that was understood. payload_at +
 *   payload_captured is never beyond captured. Where decoding stopped at a fault, payload_at is
 *   where the packet's captured bytes end, before any padding.
 */
#ifndef HANDLENS_PACKET_PACKET_H
#define HANDLENS_PACKET_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/address.h"

/* pcap-linktype(7), the numbers as files carry them. */
enum link_type {
    LINK_NULL = 0, /* BSD loopback: address family in the capturing host's byte order */
    LINK_ETHERNET = 1,
    LINK_RAW_BSD = 12, /* DLT_RAW of some systems */
    LINK_RAW_OPENBSD = 14,
    LINK_RAW = 101,  /* begins with an IPv4 or IPv6 header */
    LINK_LOOP = 108, /* OpenBSD loopback: family in network order */
    LINK_LINUX_SLL = 113,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_LINUX_SLL2 = 276,
};

enum packet_network { NETWORK_NONE, NETWORK_IPV4, NETWORK_IPV6, NETWORK_ARP, NETWORK_OTHER };

enum packet_transport {
    TRANSPORT_NONE,
    TRANSPORT_TCP,
    TRANSPORT_UDP,
    TRANSPORT_ICMP,
    TRANSPORT_ICMPV6,
    TRANSPORT_FRAGMENT, /* a later IP fragment: the transport header was in the first one */
    TRANSPORT_OTHER,
};

enum packet_fault {
    FAULT_NONE,
    FAULT_CUT,     /* the capture ends inside a header (snap length) */
    FAULT_LENGTH,  /* a header claims a length that cannot be */
    FAULT_VERSION, /* an IP header with the wrong version */
    FAULT_OPTION,  /* an option runs past the options' end, or has an impossible length */
    FAULT_NESTING, /* more extension headers or VLAN tags than anybody sends */
};

enum packet_checksum {
    CHECKSUM_UNKNOWN, /* cannot be told: cut, a fragment, or UDP over IPv4 without one */
    CHECKSUM_GOOD,
    CHECKSUM_PARTIAL, /* only the pseudo header's sum: left to the device (loopback, offload);
                         IPv4's header has none, so there it is a plain zero */
    CHECKSUM_BAD,
};

/* TCP flags as they stand in bytes 12 and 13, RFC 9293 section 3.1; AE is RFC 7560's. */
enum tcp_flag {
    TCP_FIN = 0x001,
    TCP_SYN = 0x002,
    TCP_RST = 0x004,
    TCP_PSH = 0x008,
    TCP_ACK = 0x010,
    TCP_URG = 0x020,
    TCP_ECE = 0x040,
    TCP_CWR = 0x080,
    TCP_AE = 0x100,
};

/* Which options a segment carries (bits of packet_tcp.options_seen). */
enum tcp_option_seen {
    TCP_SEEN_MSS = 1 << 0,
    TCP_SEEN_WINDOW_SCALE = 1 << 1,
    TCP_SEEN_SACK_PERMITTED = 1 << 2,
    TCP_SEEN_SACK = 1 << 3,
    TCP_SEEN_TIMESTAMPS = 1 << 4,
    TCP_SEEN_FAST_OPEN = 1 << 5,
    TCP_SEEN_MPTCP = 1 << 6,
    TCP_SEEN_MD5 = 1 << 7,
    TCP_SEEN_OTHER = 1 << 8,
};

struct packet_tcp {
    uint16_t flags;  /* enum tcp_flag; the three reserved bits are left out */
    uint16_t window; /* as on the wire, not scaled */
    uint32_t seq;
    uint32_t ack;
    uint16_t urgent;
    uint16_t checksum;
    uint8_t header_length; /* bytes, options included: 20 to 60 */
    uint8_t window_scale;  /* the option's shift count */
    uint16_t mss;
    uint16_t options_seen;
    uint8_t sack_count;       /* blocks in sack, 0 to 4 */
    uint8_t fast_open_length; /* bytes of cookie; 0 is a request */
    uint8_t mptcp_subtype;
    uint32_t timestamp_value;
    uint32_t timestamp_echo;
    uint32_t sack[4][2]; /* left and right edge, RFC 2018 */
};

struct packet_udp {
    uint16_t length; /* as the header says: header and data */
    uint16_t checksum;
};

struct packet_icmp {
    uint8_t type; /* 255, like code, where it is not here */
    uint8_t code;
    uint16_t checksum;
    uint32_t rest;      /* bytes 4 to 7: identifier and sequence, MTU, … */
    uint32_t quoted_at; /* where the quoted packet's IP header starts, 0 where there is none */
};

struct packet_arp {
    uint16_t operation; /* 1 request, 2 reply */
    uint8_t sender_hardware[6];
    uint8_t target_hardware[6];
    /* The protocol addresses are packet.source and packet.destination. */
};

#define PACKET_VLANS 4

struct packet {
    const uint8_t *bytes; /* borrowed */
    uint32_t captured;    /* how many of them there are */
    uint32_t length;      /* how many were on the wire */
    uint32_t link_type;

    enum packet_fault fault;
    uint32_t fault_at; /* offset of the byte or field at fault */

    uint32_t ether_type; /* of the innermost header: 0x0800, 0x86dd, … ; 0 without one */
    uint8_t vlan_count;
    uint16_t vlans[PACKET_VLANS]; /* TCI: priority, drop eligible, identifier */

    uint32_t network_at; /* 0 means: at the frame's start, for raw IP; see network */
    uint32_t transport_at;
    uint32_t payload_at;
    uint32_t payload_length;   /* by the headers' word, on the wire, bytes */
    uint32_t payload_captured; /* how many of those are here: at most payload_length */

    enum packet_network network;
    enum packet_transport transport;
    struct address source; /* with the port, where the transport has ports */
    struct address destination;
    bool has_ports;
    uint8_t ttl;                /* or hop limit */
    uint8_t traffic_class;      /* or type of service: DSCP and ECN */
    uint8_t ip_protocol;        /* of the innermost header: 6, 17, 1, 58, … */
    uint8_t ip_header_length;   /* IPv4: 20 to 60 with options; IPv6: with extension headers,
                                   255 where they are longer */
    uint32_t ip_total_length;   /* IPv4: as the header says; IPv6: payload length + 40, a
                                   jumbo payload's included (RFC 2675) */
    uint32_t ip_identification; /* IPv4's, or the IPv6 fragment header's */
    uint32_t ip_flow_label;     /* IPv6 */
    uint32_t fragment_offset;   /* bytes */
    bool is_fragment;           /* more_fragments, or an offset that is not 0 */
    bool more_fragments;
    bool dont_fragment;
    enum packet_checksum network_checksum; /* IPv4 header */
    enum packet_checksum transport_checksum;

    union {
        struct packet_tcp tcp;
        struct packet_udp udp;
        struct packet_icmp icmp;
        struct packet_arp arp;
    };
};

/* What packet_decode shall do beyond headers. */
enum packet_effort {
    PACKET_HEADERS = 0,
    PACKET_CHECKSUMS = 1, /* sum up the bytes as well */
};

/*
 * Decodes a frame. captured is how many bytes there are, length how many were on the wire; a
 * length below captured is kept but not believed.
 * packet->bytes points into bytes, which must outlive it.
 */
void packet_decode(struct packet *packet, uint32_t link_type, const uint8_t *bytes,
                   uint32_t captured, uint32_t length, enum packet_effort effort);

/*
 * Decodes the packet quoted in an ICMP error, from icmp.quoted_at. It is cut short by nature, so
 * its fault is usual. Returns false if there is none.
 */
bool packet_decode_quoted(const struct packet *packet, struct packet *quoted);

/* "TCP", "UDP", "ICMP", "ICMPv6", "ARP", "IPv4", "IPv6", "Ethernet", …: the innermost protocol
 * that was understood. Lives for ever. */
const char *packet_protocol_name(const struct packet *packet);

/* A sentence part for the fault: "cut short in the TCP header". Lives for ever. */
const char *packet_fault_text(const struct packet *packet);

/* Room for every flag's name. */
#define TCP_FLAGS_TEXT 48

/*
 * Flag names joined by a space in the order FIN's friends are spoken of: "SYN", "SYN ACK",
 * "PSH ACK", "FIN ACK", "FIN PSH ACK", "RST ACK", "ACK"; "none" for no flag. The order is
 * SYN FIN RST PSH ACK URG ECE CWR AE. Returns text.
 */
char *tcp_flags_text(uint16_t flags, char *text);

/* "echo request", "destination unreachable: port unreachable", …; lives for ever. */
const char *icmp_type_text(const struct packet *packet);

#endif
