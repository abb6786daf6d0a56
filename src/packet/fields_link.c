/*
 * fields_link.c - the fields of the link headers: what link.c decodes, in the same order.
 */
#include "packet/field_writer.h"

#include "packet/decode.h"
#include "packet/names.h"

static void put_ether_type(struct field_writer *w, const char *name)
{
    fields_named(w, name, 16, FORM_HEX, ether_type_name((uint16_t)fields_peek(w, 16)));
}

static void fields_of_llc(struct field_writer *w)
{
    w->layer = LAYER_LLC;
    uint64_t dsap = fields_number(w, "DSAP", 8, FORM_HEX);
    uint64_t ssap = fields_number(w, "SSAP", 8, FORM_HEX);
    bool is_unnumbered = (fields_peek(w, 8) & 3) == 3;
    uint64_t control = fields_number(w, "Control", is_unnumbered ? 8 : 16, FORM_HEX);
    if (dsap == 0xaa && ssap == 0xaa && control == 3) {
        fields_number(w, "Organization Code", 24, FORM_HEX);
        put_ether_type(w, "EtherType");
    }
}

/* Type or length, then whatever that calls for up to the network header. */
static void fields_of_ether_type(struct field_writer *w)
{
    if (fields_left(w) >= 2 && fields_peek(w, 16) < ETHER_TYPE_MIN) {
        fields_number(w, "Length", 16, FORM_DECIMAL);
        fields_of_llc(w);
        return;
    }
    put_ether_type(w, "EtherType");
}

static void fields_of_vlans(struct field_writer *w)
{
    for (unsigned i = 0; i < w->packet->vlan_count; i++) {
        w->layer = LAYER_VLAN;
        fields_number(w, "Priority Code Point", 3, FORM_DECIMAL);
        fields_number(w, "Drop Eligible Indicator", 1, FORM_BIT);
        fields_number(w, "VLAN Identifier", 12, FORM_DECIMAL);
        fields_of_ether_type(w);
    }
}

static const char *cooked_type_name(uint64_t type)
{
    static const char *const names[] = {"to us", "broadcast", "multicast", "to somebody else",
                                        "sent by us"};
    return type < sizeof names / sizeof *names ? names[type] : NULL;
}

static const char *hardware_name(uint64_t type)
{
    switch (type) {
    case 1:
        return "Ethernet";
    case 512:
        return "PPP";
    case 772:
        return "loopback";
    case 778:
        return "GRE";
    case 803:
        return "radiotap";
    case 824:
        return "netlink";
    case 65534:
        return "none";
    default:
        return NULL;
    }
}

/* The address field is eight bytes, of which so many are used. */
static void put_cooked_address(struct field_writer *w, uint64_t length)
{
    if (length == 6) {
        fields_ether(w, "Link-Layer Address");
        fields_bytes(w, "Unused", 2, "");
    } else {
        fields_hex(w, "Link-Layer Address", 8);
    }
}

/* Returns whether 802.2 follows. */
static bool put_cooked_protocol(struct field_writer *w)
{
    uint64_t protocol = fields_peek(w, 16);
    bool is_llc = protocol == COOKED_LLC;
    if (is_llc)
        fields_named(w, "Protocol Type", 16, FORM_HEX, "LLC");
    else
        put_ether_type(w, "Protocol Type");
    return is_llc;
}

/* What stands between the cooked header and the network header. */
static void fields_behind_cooked(struct field_writer *w, bool is_llc)
{
    if (is_llc && fields_left(w) > 0)
        fields_of_llc(w);
    fields_of_vlans(w);
}

static void fields_of_cooked(struct field_writer *w)
{
    w->layer = LAYER_SLL;
    fields_named(w, "Packet Type", 16, FORM_DECIMAL, cooked_type_name(fields_peek(w, 16)));
    fields_named(w, "ARPHRD Type", 16, FORM_DECIMAL, hardware_name(fields_peek(w, 16)));
    put_cooked_address(w, fields_number(w, "Link-Layer Address Length", 16, FORM_DECIMAL));
    fields_behind_cooked(w, put_cooked_protocol(w));
}

static void fields_of_cooked2(struct field_writer *w)
{
    w->layer = LAYER_SLL;
    bool is_llc = put_cooked_protocol(w);
    fields_number(w, "Reserved", 16, FORM_HEX);
    fields_number(w, "Interface Index", 32, FORM_DECIMAL);
    fields_named(w, "ARPHRD Type", 16, FORM_DECIMAL, hardware_name(fields_peek(w, 16)));
    fields_named(w, "Packet Type", 8, FORM_DECIMAL, cooked_type_name(fields_peek(w, 8)));
    put_cooked_address(w, fields_number(w, "Link-Layer Address Length", 8, FORM_DECIMAL));
    fields_behind_cooked(w, is_llc);
}

static void fields_of_family(struct field_writer *w)
{
    w->layer = LAYER_LOOP;
    uint32_t family = (uint32_t)fields_peek(w, 32);
    const char *note = "big-endian";
    if (family > 0xffff) {
        family = __builtin_bswap32(family);
        note = "little-endian";
    }
    const char *name = w->packet->network == NETWORK_IPV4   ? "IPv4"
                       : w->packet->network == NETWORK_IPV6 ? "IPv6"
                                                            : "";
    fields_put(w, "Address Family", 32, note, *name == '\0' ? "%u%s" : "%u %s", family, name);
}

void fields_of_link(struct field_writer *w, uint32_t end)
{
    switch (w->packet->link_type) {
    case LINK_ETHERNET:
        fields_layer(w, LAYER_ETHERNET, end);
        fields_ether(w, "Destination Address");
        fields_ether(w, "Source Address");
        fields_of_ether_type(w);
        fields_of_vlans(w);
        break;
    case LINK_LINUX_SLL:
        fields_layer(w, LAYER_SLL, end);
        fields_of_cooked(w);
        break;
    case LINK_LINUX_SLL2:
        fields_layer(w, LAYER_SLL, end);
        fields_of_cooked2(w);
        break;
    case LINK_NULL:
    case LINK_LOOP:
        fields_layer(w, LAYER_LOOP, end);
        fields_of_family(w);
        break;
    default:
        fields_layer(w, LAYER_FRAME, end);
        break;
    }
    fields_fill(w);
}
