#include "packet/fields.h"

#include "packet/decode.h"
#include "packet/field_writer.h"

static void fields_of_packet(struct field_writer *w);

/* The link header ends where the network header begins, or where there is none, the payload. */
static uint32_t link_end(const struct packet *packet)
{
    return packet->network == NETWORK_NONE ? packet->payload_at : packet->network_at;
}

static void fields_of_network(struct field_writer *w)
{
    const struct packet *packet = w->packet;
    uint32_t end = packet->transport == TRANSPORT_NONE ? packet->payload_at : packet->transport_at;
    if (packet->network == NETWORK_IPV4)
        fields_of_ipv4(w, end);
    else if (packet->network == NETWORK_IPV6)
        fields_of_ipv6(w, end);
    else if (packet->network == NETWORK_ARP)
        fields_of_arp(w, end);
}

static void fields_of_transport(struct field_writer *w)
{
    switch (w->packet->transport) {
    case TRANSPORT_TCP:
        fields_of_tcp(w, w->packet->payload_at);
        break;
    case TRANSPORT_UDP:
        fields_of_udp(w, w->packet->payload_at);
        break;
    case TRANSPORT_ICMP:
    case TRANSPORT_ICMPV6:
        fields_of_icmp(w, w->packet->payload_at);
        break;
    case TRANSPORT_NONE:
    case TRANSPORT_FRAGMENT:
    case TRANSPORT_OTHER:
        break;
    }
}

/* The packet quoted by an ICMP error, in its place in the outer frame. A quote within a quote
 * stays payload. Returns false if there is none. */
static bool fields_of_quote(struct field_writer *w)
{
    struct packet quoted;
    if (w->quoted || !packet_decode_quoted(w->packet, &quoted))
        return false;
    struct field_writer inner = {
        .packet = &quoted,
        .visit = w->visit,
        .data = w->data,
        .base = w->base + w->at,
        .quoted = true,
    };
    fields_of_packet(&inner);
    w->refused = inner.refused;
    w->at += (uint64_t)quoted.captured * 8;
    return true;
}

static void fields_of_payload(struct field_writer *w)
{
    const struct packet *packet = w->packet;
    enum packet_layer header = w->layer;
    fields_layer(w, LAYER_PAYLOAD, packet->payload_at + packet->payload_captured);
    if (packet->payload_captured > 0) {
        bool is_cut = packet->payload_captured < packet->payload_length;
        const char *name = "Payload";
        if (fields_of_quote(w)) {
            name = "Extensions"; /* RFC 4884 */
            w->layer = header;
        }
        if (fields_left(w) > 0)
            fields_bytes(w, name, fields_left(w), is_cut ? "the capture has only a part" : "");
    }
    fields_layer(w, LAYER_PADDING, packet->captured);
    if (fields_left(w) > 0)
        fields_bytes(w, "Padding", fields_left(w), "behind the packet's end");
}

static void fields_of_packet(struct field_writer *w)
{
    fields_of_link(w, link_end(w->packet));
    fields_of_network(w);
    fields_of_transport(w);
    fields_of_payload(w);
}

bool packet_fields(const struct packet *packet, packet_field_visit *visit, void *data)
{
    struct field_writer w = {.packet = packet, .visit = visit, .data = data};
    fields_of_packet(&w);
    return !w.refused;
}

const char *packet_layer_name(enum packet_layer layer)
{
    switch (layer) {
    case LAYER_FRAME:
        return "Frame";
    case LAYER_ETHERNET:
        return "Ethernet";
    case LAYER_VLAN:
        return "VLAN";
    case LAYER_LLC:
        return "LLC";
    case LAYER_SLL:
        return "Linux cooked";
    case LAYER_LOOP:
        return "BSD loopback";
    case LAYER_ARP:
        return "ARP";
    case LAYER_IPV4:
        return "IPv4";
    case LAYER_IPV6:
        return "IPv6";
    case LAYER_IPV6_EXTENSION:
        return "IPv6 extension";
    case LAYER_TCP:
        return "TCP";
    case LAYER_UDP:
        return "UDP";
    case LAYER_ICMP:
        return "ICMP";
    case LAYER_ICMPV6:
        return "ICMPv6";
    case LAYER_PAYLOAD:
        return "Payload";
    case LAYER_PADDING:
        return "Padding";
    }
    return "Frame";
}
