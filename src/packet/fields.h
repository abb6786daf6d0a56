/*
 * fields.h - every field of a decoded packet, one by one, for views that show bytes.
 *
 * packet_fields visits a frame from its first bit to its last captured one. Fields of depth 0 lie
 * side by side without gap or overlap and together cover exactly packet->captured bytes. A field
 * with is_group set is made of parts: the fields of the next depth that follow it, which cover it
 * in the same way. So the fields without is_group, whatever their depth, also cover every bit
 * once.
 *
 * Names are the RFCs'. After the headers comes the payload (LAYER_PAYLOAD) as one field, and
 * behind it, if anything, what the link padded the frame with (LAYER_PADDING). What stands where
 * a header should be but could not be read is one field "Not decoded" of that header's layer,
 * whose note is packet_fault_text. The packet quoted in an ICMP error is taken apart too: its
 * fields have quoted set and stand in place of the payload.
 *
 * Nothing is allocated; packet must have been filled by packet_decode, and its bytes still live.
 * Checksums are judged if it was decoded with PACKET_CHECKSUMS.
 */
#ifndef HANDLENS_PACKET_FIELDS_H
#define HANDLENS_PACKET_FIELDS_H

#include <stdbool.h>
#include <stdint.h>

#include "packet/packet.h"

enum packet_layer {
    LAYER_FRAME, /* of a link type that is not known */
    LAYER_ETHERNET,
    LAYER_VLAN,
    LAYER_LLC,  /* with SNAP, where there is one */
    LAYER_SLL,  /* Linux cooked, both versions */
    LAYER_LOOP, /* the family number of BSD loopbacks */
    LAYER_ARP,
    LAYER_IPV4,
    LAYER_IPV6,
    LAYER_IPV6_EXTENSION, /* one or more; each begins with its field "Next Header" */
    LAYER_TCP,
    LAYER_UDP,
    LAYER_ICMP,
    LAYER_ICMPV6,
    LAYER_PAYLOAD,
    LAYER_PADDING,
};

/* Room for the longest formatted value. */
#define PACKET_FIELD_TEXT 96

struct packet_field {
    enum packet_layer layer;
    uint8_t depth;       /* 0, or how many groups it is part of */
    bool is_group;       /* its parts follow */
    bool quoted;         /* of the packet quoted in an ICMP error */
    bool has_value;      /* value holds it: a number of at most 64 bits */
    const char *name;    /* "Source Port"; lives for ever */
    const char *note;    /* what to say about it: "good", "left to the device", or ""; lives for
                            ever */
    uint64_t bit_at;     /* from the frame's first bit */
    uint64_t bit_length; /* never 0 */
    uint64_t value;      /* as a big-endian number, 0 without has_value */
    /* UTF-8:  "127.0.0.1", "0x0800 IPv4", "SYN ACK", "7 (x128)" */
    char text[PACKET_FIELD_TEXT];
};

/* Called for each field, which it must copy if it keeps it. Returning false ends the visit. */
typedef bool packet_field_visit(void *data, const struct packet_field *field);

/* Visits all fields of the packet in order. Returns false if a visit did. */
bool packet_fields(const struct packet *packet, packet_field_visit *visit, void *data);

/* "Ethernet", "TCP", "Payload", …; lives for ever. */
const char *packet_layer_name(enum packet_layer layer);

#endif
