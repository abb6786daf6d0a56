/*
 * fields_datagram.c - the fields of UDP, ICMP, ICMPv6 and ARP.
 */
#include "packet/field_writer.h"

#include "packet/decode.h"
#include "packet/names.h"

void fields_of_udp(struct field_writer *w, uint32_t end)
{
    fields_layer(w, LAYER_UDP, end);
    fields_number(w, "Source Port", 16, FORM_DECIMAL);
    fields_number(w, "Destination Port", 16, FORM_DECIMAL);
    fields_number(w, "Length", 16, FORM_DECIMAL);
    if (fields_left(w) >= 2 && fields_peek(w, 16) == 0 && w->packet->network == NETWORK_IPV4)
        fields_noted(w, "Checksum", 16, FORM_HEX, "none");
    else
        fields_checksum(w, "Checksum", w->packet->transport_checksum);
    fields_fill(w);
}

/* The four bytes behind the checksum, whose meaning is the type's. */
static void put_rest(struct field_writer *w)
{
    bool is_v6 = w->packet->transport == TRANSPORT_ICMPV6;
    uint8_t type = w->packet->icmp.type;
    bool is_echo = is_v6 ? type == 128 || type == 129 : type == 0 || type == 8;
    if (is_echo || (!is_v6 && type >= 13 && type <= 18)) {
        fields_number(w, "Identifier", 16, FORM_HEX);
        fields_number(w, "Sequence Number", 16, FORM_DECIMAL);
    } else if (is_v6 && type == 2) {
        fields_number(w, "MTU", 32, FORM_DECIMAL);
    } else if (is_v6 && type == 4) {
        fields_number(w, "Pointer", 32, FORM_DECIMAL);
    } else if (is_v6 && (type == 1 || type == 3)) {
        fields_noted(w, "Length", 8, FORM_DECIMAL, "in units of 8 bytes");
        fields_number(w, "Unused", 24, FORM_HEX);
    } else if (!is_v6 && type == 5) {
        fields_ipv4(w, "Gateway Internet Address");
    } else if (!is_v6 && (type == 3 || type == 11 || type == 12)) {
        fields_number(w, type == 12 ? "Pointer" : "Unused", 8, FORM_DECIMAL);
        fields_noted(w, "Length", 8, FORM_DECIMAL, "in units of 4 bytes");
        if (type == 3 && w->packet->icmp.code == 4)
            fields_number(w, "Next-Hop MTU", 16, FORM_DECIMAL);
        else
            fields_number(w, "Unused", 16, FORM_HEX);
    } else {
        fields_number(w, "Rest of Header", 32, FORM_HEX);
    }
}

void fields_of_icmp(struct field_writer *w, uint32_t end)
{
    bool is_v6 = w->packet->transport == TRANSPORT_ICMPV6;
    fields_layer(w, is_v6 ? LAYER_ICMPV6 : LAYER_ICMP, end);
    fields_named(w, "Type", 8, FORM_DECIMAL, fields_left(w) > 0 ? icmp_type_text(w->packet) : NULL);
    fields_number(w, "Code", 8, FORM_DECIMAL);
    fields_checksum(w, "Checksum", w->packet->transport_checksum);
    if (fields_left(w) >= 4)
        put_rest(w);
    fields_fill(w);
}

static const char *arp_operation(uint64_t operation)
{
    switch (operation) {
    case 1:
        return "request";
    case 2:
        return "reply";
    case 3:
        return "reverse request";
    case 4:
        return "reverse reply";
    default:
        return NULL;
    }
}

static void put_hardware(struct field_writer *w, const char *name, uint32_t length)
{
    if (length == 6)
        fields_ether(w, name);
    else if (length > 0)
        fields_hex(w, name, length);
}

static void put_arp_protocol(struct field_writer *w, const char *name, uint32_t length)
{
    if (length == 4)
        fields_ipv4(w, name);
    else if (length > 0)
        fields_hex(w, name, length);
}

void fields_of_arp(struct field_writer *w, uint32_t end)
{
    fields_layer(w, LAYER_ARP, end);
    fields_named(w, "Hardware Type", 16, FORM_DECIMAL, fields_peek(w, 16) == 1 ? "Ethernet" : NULL);
    fields_named(w, "Protocol Type", 16, FORM_HEX, ether_type_name((uint16_t)fields_peek(w, 16)));
    uint32_t hardware = (uint32_t)fields_number(w, "Hardware Address Length", 8, FORM_DECIMAL);
    uint32_t protocol = (uint32_t)fields_number(w, "Protocol Address Length", 8, FORM_DECIMAL);
    fields_named(w, "Operation", 16, FORM_DECIMAL, arp_operation(fields_peek(w, 16)));
    put_hardware(w, "Sender Hardware Address", hardware);
    put_arp_protocol(w, "Sender Protocol Address", protocol);
    put_hardware(w, "Target Hardware Address", hardware);
    put_arp_protocol(w, "Target Protocol Address", protocol);
    fields_fill(w);
}
