/*
 * fields_ip.c - the fields of IPv4 (RFC 791) and IPv6 (RFC 8200) with their options and
 * extension headers.
 */
#include "packet/field_writer.h"

#include "packet/decode.h"
#include "packet/names.h"

static void put_protocol(struct field_writer *w, const char *name)
{
    fields_named(w, name, 8, FORM_DECIMAL, ip_protocol_name((uint8_t)fields_peek(w, 8)));
}

/* RFC 3168 section 5. */
static const char *ecn_name(uint64_t ecn)
{
    static const char *const names[] = {"Not-ECT", "ECT(1)", "ECT(0)", "CE"};
    return names[ecn & 3];
}

static void put_traffic_class(struct field_writer *w)
{
    fields_number(w, "DSCP", 6, FORM_DECIMAL);
    fields_named(w, "ECN", 2, FORM_DECIMAL, ecn_name(fields_peek(w, 2)));
}

static const char *ipv4_option_name(uint64_t type)
{
    switch (type) {
    case 0:
        return "End of Option List";
    case 1:
        return "No Operation";
    case 7:
        return "Record Route";
    case 68:
        return "Internet Timestamp";
    case 130:
        return "Security";
    case 131:
        return "Loose Source Route";
    case 136:
        return "Stream ID";
    case 137:
        return "Strict Source Route";
    case 148:
        return "Router Alert";
    default:
        return NULL;
    }
}

static void put_ipv4_option(struct field_writer *w, uint64_t type, uint32_t length)
{
    const char *name = ipv4_option_name(type);
    struct field_group group =
        fields_open(w, name == NULL ? "Option" : name, length * 8, "%u bytes", length);
    fields_named(w, "Type", 8, FORM_DECIMAL, name);
    fields_number(w, "Length", 8, FORM_DECIMAL);
    if (type == 7 || type == 131 || type == 137) {
        fields_number(w, "Pointer", 8, FORM_DECIMAL);
        while (fields_left(w) >= 4)
            fields_ipv4(w, "Address");
    } else if (length == 4) {
        fields_number(w, "Value", 16, FORM_DECIMAL);
    }
    if (fields_left(w) > 0)
        fields_hex(w, "Data", fields_left(w));
    fields_close(w, group);
}

static void fields_of_ipv4_options(struct field_writer *w, uint32_t length)
{
    uint64_t end = w->at + (uint64_t)length * 8;
    while (w->at < end && fields_left(w) > 0) {
        uint64_t type = fields_peek(w, 8);
        uint32_t left = (uint32_t)((end - w->at) / 8);
        if (type <= 1) {
            fields_named(w, "Option", 8, FORM_DECIMAL, ipv4_option_name(type));
            if (type == 0 && left > 1)
                fields_hex(w, "Padding", left - 1);
            continue;
        }
        uint32_t size = (uint32_t)(fields_peek(w, 16) & 0xff);
        if (size < 2 || size > left) {
            fields_bytes(w, "Broken Option", left, "its length cannot be");
            continue;
        }
        put_ipv4_option(w, type, size);
    }
}

void fields_of_ipv4(struct field_writer *w, uint32_t end)
{
    const struct packet *packet = w->packet;
    fields_layer(w, LAYER_IPV4, end);
    fields_number(w, "Version", 4, FORM_DECIMAL);
    uint32_t ihl = (uint32_t)fields_peek(w, 4);
    fields_put(w, "IHL", 4, "in units of 4 bytes", "%u (%u bytes)", ihl, ihl * 4);
    put_traffic_class(w);
    fields_noted(w, "Total Length", 16, FORM_DECIMAL,
                 packet->ip_header_length != 0 && packet->ip_total_length == 0
                     ? "left to the device: up to the frame's end"
                     : "");
    fields_number(w, "Identification", 16, FORM_HEX);
    uint64_t flags = fields_peek(w, 3);
    struct field_group group = fields_open(w, "Flags", 3, "%s",
                                           (flags & 3) == 3 ? "DF MF"
                                           : flags & 2      ? "DF"
                                           : flags & 1      ? "MF"
                                                            : "none");
    fields_number(w, "Reserved", 1, FORM_BIT);
    fields_noted(w, "DF", 1, FORM_BIT, "don't fragment");
    fields_noted(w, "MF", 1, FORM_BIT, "more fragments");
    fields_close(w, group);
    uint32_t offset = (uint32_t)fields_peek(w, 13);
    fields_put(w, "Fragment Offset", 13, "in units of 8 bytes",
               offset == 0 ? "%u" : "%u (%u bytes)", offset, offset * 8);
    fields_number(w, "Time to Live", 8, FORM_DECIMAL);
    put_protocol(w, "Protocol");
    fields_checksum(w, "Header Checksum", packet->network_checksum);
    fields_ipv4(w, "Source Address");
    fields_ipv4(w, "Destination Address");
    if (ihl > 5)
        fields_of_ipv4_options(w, (ihl - 5) * 4);
    while (fields_left(w) > 0 && packet->transport != TRANSPORT_NONE)
        fields_of_authentication(w);
    fields_fill(w);
}

/* One TLV option of a hop-by-hop or destination header (RFC 8200 section 4.2). */
static void put_ipv6_option(struct field_writer *w)
{
    uint64_t type = fields_peek(w, 8);
    if (type == 0) {
        fields_named(w, "Option Type", 8, FORM_DECIMAL, "Pad1");
        return;
    }
    uint32_t size = (uint32_t)(fields_peek(w, 16) & 0xff);
    if (fields_left(w) < 2 || size + 2 > fields_left(w)) {
        fields_bytes(w, "Broken Option", fields_left(w), "its length cannot be");
        return;
    }
    const char *name = type == 1      ? "PadN"
                       : type == 5    ? "Router Alert"
                       : type == 0xc2 ? "Jumbo Payload"
                       : type == 0xc9 ? "Home Address"
                                      : NULL;
    struct field_group group =
        fields_open(w, name == NULL ? "Option" : name, (size + 2) * 8, "%u bytes", size + 2);
    fields_named(w, "Option Type", 8, FORM_DECIMAL, name);
    fields_number(w, "Opt Data Len", 8, FORM_DECIMAL);
    if (type == 0xc2 && size == 4)
        fields_number(w, "Jumbo Payload Length", 32, FORM_DECIMAL);
    else if (type == 0xc9 && size == 16)
        fields_ipv6(w, "Home Address");
    else if (type == 5 && size == 2)
        fields_number(w, "Value", 16, FORM_DECIMAL);
    else if (size > 0)
        fields_hex(w, "Option Data", size);
    fields_close(w, group);
}

static void put_routing(struct field_writer *w)
{
    uint64_t type = fields_number(w, "Routing Type", 8, FORM_DECIMAL);
    fields_number(w, "Segments Left", 8, FORM_DECIMAL);
    if (type == 4) { /* RFC 8754 */
        uint64_t last = fields_number(w, "Last Entry", 8, FORM_DECIMAL);
        fields_number(w, "Flags", 8, FORM_HEX);
        fields_number(w, "Tag", 16, FORM_HEX);
        for (uint64_t i = 0; i <= last && fields_left(w) >= 16; i++)
            fields_ipv6(w, "Segment");
    } else if (type == 0 || type == 2) {
        fields_number(w, "Reserved", 32, FORM_HEX);
        while (fields_left(w) >= 16)
            fields_ipv6(w, "Address");
    }
    if (fields_left(w) > 0)
        fields_hex(w, "Type-Specific Data", fields_left(w));
}

static void put_fragment(struct field_writer *w)
{
    fields_number(w, "Reserved", 8, FORM_HEX);
    uint32_t offset = (uint32_t)fields_peek(w, 13);
    fields_put(w, "Fragment Offset", 13, "in units of 8 bytes",
               offset == 0 ? "%u" : "%u (%u bytes)", offset, offset * 8);
    fields_number(w, "Reserved", 2, FORM_HEX);
    fields_noted(w, "M", 1, FORM_BIT, "more fragments");
    fields_number(w, "Identification", 32, FORM_HEX);
}

void fields_of_authentication(struct field_writer *w)
{
    uint32_t units = (uint32_t)(fields_peek(w, 16) & 0xff);
    struct field_group group =
        fields_open(w, "Authentication Header", (units + 2) * 32, "%u bytes", (units + 2) * 4);
    put_protocol(w, "Next Header");
    fields_put(w, "Payload Len", 8, "in units of 4 bytes, less 2", "%u (%u bytes)", units,
               (units + 2) * 4);
    fields_number(w, "RESERVED", 16, FORM_HEX);
    fields_number(w, "Security Parameters Index", 32, FORM_HEX);
    fields_number(w, "Sequence Number", 32, FORM_DECIMAL);
    if (fields_left(w) > 0)
        fields_hex(w, "Integrity Check Value", fields_left(w));
    fields_close(w, group);
}

static const char *extension_name(uint8_t protocol)
{
    switch (protocol) {
    case PROTOCOL_HOP_BY_HOP:
        return "Hop-by-Hop Options Header";
    case PROTOCOL_ROUTING:
        return "Routing Header";
    case PROTOCOL_FRAGMENT:
        return "Fragment Header";
    case PROTOCOL_DESTINATION:
        return "Destination Options Header";
    case PROTOCOL_MOBILITY:
        return "Mobility Header";
    default:
        return "Extension Header";
    }
}

/* Returns the next header's protocol number. */
static uint8_t fields_of_extension(struct field_writer *w, uint8_t protocol)
{
    uint8_t start[2] = {(uint8_t)fields_peek(w, 8), (uint8_t)(fields_peek(w, 16) & 0xff)};
    if (protocol == PROTOCOL_AUTHENTICATION) {
        fields_of_authentication(w);
        return start[0];
    }
    uint32_t length = ip_extension_length(protocol, start);
    struct field_group group =
        fields_open(w, extension_name(protocol), length * 8, "%u bytes", length);
    put_protocol(w, "Next Header");
    if (protocol == PROTOCOL_FRAGMENT) {
        put_fragment(w);
        fields_close(w, group);
        return start[0];
    }
    fields_put(w, "Hdr Ext Len", 8, "in units of 8 bytes, less 1", "%u (%u bytes)", start[1],
               length);
    if (protocol == PROTOCOL_HOP_BY_HOP || protocol == PROTOCOL_DESTINATION)
        while (fields_left(w) > 0)
            put_ipv6_option(w);
    else if (protocol == PROTOCOL_ROUTING)
        put_routing(w);
    else if (fields_left(w) > 0)
        fields_hex(w, "Data", fields_left(w));
    fields_close(w, group);
    return start[0];
}

void fields_of_ipv6(struct field_writer *w, uint32_t end)
{
    fields_layer(w, LAYER_IPV6, end);
    fields_number(w, "Version", 4, FORM_DECIMAL);
    struct field_group group =
        fields_open(w, "Traffic Class", 8, "0x%02x", (unsigned)fields_peek(w, 8));
    put_traffic_class(w);
    fields_close(w, group);
    fields_number(w, "Flow Label", 20, FORM_HEX);
    fields_number(w, "Payload Length", 16, FORM_DECIMAL);
    uint8_t protocol = (uint8_t)fields_peek(w, 8);
    put_protocol(w, "Next Header");
    fields_number(w, "Hop Limit", 8, FORM_DECIMAL);
    fields_ipv6(w, "Source Address");
    fields_ipv6(w, "Destination Address");
    if (w->short_of)
        fields_fill(w);
    w->layer = LAYER_IPV6_EXTENSION;
    while (fields_left(w) >= 2 && ip_is_extension(protocol))
        protocol = fields_of_extension(w, protocol);
    fields_fill(w);
}
