/* What fields are for, in the words one would use at a blackboard. */
#include <string.h>

#include "view/bytes.h"

struct meaning {
    const char *name;
    const char *text;
};

static const struct meaning link_meanings[] = {
    {"Destination Address", "the card this frame is for; all zero on a loopback"},
    {"Source Address", "the card that sent it"},
    {"EtherType", "what follows this header"},
    {"Priority Code Point", "0 to 7, what to send first"},
    {"VLAN Identifier", "which virtual network it belongs to"},
    {"Address Family", "what follows this header"},
    {"Protocol Type", "what follows this header"},
    {NULL, NULL},
};

static const struct meaning arp_meanings[] = {
    {"Operation", "asks for an address, or answers"},
    {"Sender Hardware Address", "who is speaking"},
    {"Sender Protocol Address", "the IP address of who is speaking"},
    {"Target Hardware Address", "what a request wants to learn"},
    {"Target Protocol Address", "the IP address that is asked about"},
    {NULL, NULL},
};

static const struct meaning ip_meanings[] = {
    {"IHL", "how long this header is"},
    {"DSCP", "how urgent routers may treat it"},
    {"ECN", "routers mark congestion here instead of dropping"},
    {"Traffic Class", "how routers may treat it"},
    {"Total Length", "header and data, in bytes"},
    {"Identification", "tells fragments of one packet from others"},
    {"DF", "forbids routers to cut it up"},
    {"MF", "says that more fragments follow"},
    {"M", "says that more fragments follow"},
    {"Fragment Offset", "where this fragment belongs"},
    {"Time to Live", "routers it may still pass"},
    {"Hop Limit", "routers it may still pass"},
    {"Protocol", "what follows this header"},
    {"Next Header", "what follows this header"},
    {"Header Checksum", "over this header alone"},
    {"Source Address", "who sent it"},
    {"Destination Address", "who is to get it"},
    {"Flow Label", "the same for all packets of a flow"},
    {"Payload Length", "everything behind this header, in bytes"},
    {"Hdr Ext Len", "how long this header is"},
    {NULL, NULL},
};

static const struct meaning tcp_meanings[] = {
    {"Source Port", "the sender's socket"},
    {"Destination Port", "the receiver's socket"},
    {"Sequence Number", "of the first byte of data here, counted from a random start"},
    {"Acknowledgment Number", "the next byte the sender of this expects"},
    {"Data Offset", "how long this header is"},
    {"Flags", "what this segment does"},
    {"AE", ""},
    {"CWR", "says that the sender slowed down"},
    {"ECE", "says that a router is congested"},
    {"URG", ""},
    {"ACK", "in all segments but the first"},
    {"PSH", "asks to give data on at once"},
    {"RST", "breaks the connection off"},
    {"SYN", "opens the connection"},
    {"FIN", "says that no more will be sent"},
    {"Window", "how many more bytes its sender has room for"},
    {"Checksum", "over addresses, header and data"},
    {"Urgent Pointer", "counts only with URG"},
    {"Maximum Segment Size", "the most data it takes in one segment"},
    {"Shift Count", "windows are to be multiplied by this"},
    {"SACK Permitted", "it understands selective acknowledgments"},
    {"Left Edge", "it has the bytes from here"},
    {"Right Edge", "up to before here"},
    {"TS Value", "the sender's clock"},
    {"TS Echo Reply", "the other end's clock, sent back: measures the round trip"},
    {"Option", ""},
    {NULL, NULL},
};

static const struct meaning udp_meanings[] = {
    {"Source Port", "the sender's socket"},
    {"Destination Port", "the receiver's socket"},
    {"Length", "header and data, in bytes"},
    {"Checksum", "over addresses, header and data"},
    {NULL, NULL},
};

static const struct meaning icmp_meanings[] = {
    {"Type", "what kind of message this is"},
    {"Code", "which case of that kind"},
    {"Checksum", "over the whole message"},
    {"Identifier", "tells one ping from another"},
    {"Sequence Number", "counts the requests"},
    {"Next-Hop MTU", "the largest packet that would have passed"},
    {"MTU", "the largest packet that would have passed"},
    {NULL, NULL},
};

static const struct meaning other_meanings[] = {
    {"Payload", "the data itself"},
    {"Padding", "short frames are filled up to 60 bytes"},
    {NULL, NULL},
};

static const struct meaning *table_of(enum packet_layer layer)
{
    switch (layer) {
    case LAYER_ARP:
        return arp_meanings;
    case LAYER_IPV4:
    case LAYER_IPV6:
    case LAYER_IPV6_EXTENSION:
        return ip_meanings;
    case LAYER_TCP:
        return tcp_meanings;
    case LAYER_UDP:
        return udp_meanings;
    case LAYER_ICMP:
    case LAYER_ICMPV6:
        return icmp_meanings;
    case LAYER_PAYLOAD:
    case LAYER_PADDING:
        return other_meanings;
    case LAYER_FRAME:
    case LAYER_ETHERNET:
    case LAYER_VLAN:
    case LAYER_LLC:
    case LAYER_SLL:
    case LAYER_LOOP:
        break;
    }
    return link_meanings;
}

const char *bytes_meaning(const struct packet_field *field)
{
    if (field->is_group && strcmp(field->name, "Flags") != 0 &&
        strcmp(field->name, "Traffic Class") != 0)
        return "";
    for (const struct meaning *each = table_of(field->layer); each->name != NULL; each++)
        if (strcmp(field->name, each->name) == 0)
            return each->text;
    return "";
}
