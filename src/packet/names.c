/*
 * names.c - what things are called. Numbers and names are IANA's registries'.
 */
#include "packet/names.h"

#include <string.h>

#include "packet/packet.h"

struct number_name {
    uint32_t number;
    const char *name;
};

static const char *find(const struct number_name *names, size_t count, uint32_t number,
                        const char *otherwise)
{
    for (size_t i = 0; i < count; i++)
        if (names[i].number == number)
            return names[i].name;
    return otherwise;
}

const char *ip_protocol_name(uint8_t protocol)
{
    static const struct number_name names[] = {
        {0, "hop-by-hop options"},
        {1, "ICMP"},
        {2, "IGMP"},
        {4, "IPv4"},
        {6, "TCP"},
        {17, "UDP"},
        {33, "DCCP"},
        {41, "IPv6"},
        {43, "routing"},
        {44, "fragment"},
        {46, "RSVP"},
        {47, "GRE"},
        {50, "ESP"},
        {51, "AH"},
        {58, "ICMPv6"},
        {59, "no next header"},
        {60, "destination options"},
        {88, "EIGRP"},
        {89, "OSPF"},
        {103, "PIM"},
        {112, "VRRP"},
        {115, "L2TP"},
        {132, "SCTP"},
        {135, "mobility"},
        {136, "UDP-Lite"},
        {139, "HIP"},
        {140, "shim6"},
    };
    return find(names, sizeof names / sizeof *names, protocol, NULL);
}

const char *ether_type_name(uint16_t type)
{
    static const struct number_name names[] = {
        {0x0800, "IPv4"},     {0x0806, "ARP"},       {0x0842, "Wake-on-LAN"},
        {0x8035, "RARP"},     {0x809b, "AppleTalk"}, {0x8100, "802.1Q"},
        {0x8137, "IPX"},      {0x86dd, "IPv6"},      {0x8808, "Ethernet flow control"},
        {0x8809, "LACP"},     {0x8847, "MPLS"},      {0x8848, "MPLS"},
        {0x8863, "PPPoE"},    {0x8864, "PPPoE"},     {0x888e, "EAPOL"},
        {0x8892, "PROFINET"}, {0x88a8, "802.1ad"},   {0x88cc, "LLDP"},
        {0x88e5, "MACsec"},   {0x88f7, "PTP"},       {0x9000, "loopback test"},
        {0x9100, "QinQ"},
    };
    return find(names, sizeof names / sizeof *names, type, NULL);
}

const char *link_type_name(uint32_t link_type)
{
    static const struct number_name names[] = {
        {LINK_NULL, "BSD loopback"},
        {LINK_LOOP, "BSD loopback"},
        {LINK_ETHERNET, "Ethernet"},
        {LINK_LINUX_SLL, "Linux cooked"},
        {LINK_LINUX_SLL2, "Linux cooked"},
        {LINK_RAW, "raw IP"},
        {LINK_RAW_BSD, "raw IP"},
        {LINK_RAW_OPENBSD, "raw IP"},
        {LINK_IPV4, "raw IP"},
        {LINK_IPV6, "raw IP"},
    };
    return find(names, sizeof names / sizeof *names, link_type, "unknown link type");
}

static const char *network_name(const struct packet *packet)
{
    switch (packet->network) {
    case NETWORK_IPV4:
        return "IPv4";
    case NETWORK_IPV6:
        return "IPv6";
    case NETWORK_ARP:
        return "ARP";
    case NETWORK_OTHER:
        if (packet->ether_type != 0) {
            const char *name = ether_type_name((uint16_t)packet->ether_type);
            if (name != NULL)
                return name;
        } else if (packet->link_type == LINK_ETHERNET) {
            return "LLC";
        }
        return link_type_name(packet->link_type);
    case NETWORK_NONE:
        break;
    }
    return link_type_name(packet->link_type);
}

const char *packet_protocol_name(const struct packet *packet)
{
    switch (packet->transport) {
    case TRANSPORT_TCP:
        return "TCP";
    case TRANSPORT_UDP:
        return "UDP";
    case TRANSPORT_ICMP:
        return "ICMP";
    case TRANSPORT_ICMPV6:
        return "ICMPv6";
    case TRANSPORT_OTHER: {
        /* A tunnel's inner packet is not decoded, so what is understood is the outer one. */
        const char *name = ip_protocol_name(packet->ip_protocol);
        bool is_tunnel = packet->ip_protocol == 4 || packet->ip_protocol == 41;
        return name == NULL || is_tunnel ? network_name(packet) : name;
    }
    case TRANSPORT_FRAGMENT:
    case TRANSPORT_NONE:
        break;
    }
    return network_name(packet);
}

/* The header in which a fault lies. */
enum fault_place {
    PLACE_LINK,
    PLACE_IPV4,
    PLACE_IPV6,
    PLACE_ARP,
    PLACE_TCP,
    PLACE_UDP,
    PLACE_ICMP,
    PLACE_ICMPV6,
    PLACES
};

static enum fault_place fault_place(const struct packet *packet)
{
    if (packet->transport != TRANSPORT_NONE && packet->fault_at >= packet->transport_at) {
        switch (packet->transport) {
        case TRANSPORT_TCP:
            return PLACE_TCP;
        case TRANSPORT_UDP:
            return PLACE_UDP;
        case TRANSPORT_ICMP:
            return PLACE_ICMP;
        case TRANSPORT_ICMPV6:
            return PLACE_ICMPV6;
        default:
            break;
        }
    }
    if (packet->network != NETWORK_NONE && packet->fault_at >= packet->network_at) {
        switch (packet->network) {
        case NETWORK_IPV4:
            return PLACE_IPV4;
        case NETWORK_IPV6:
            return PLACE_IPV6;
        case NETWORK_ARP:
            return PLACE_ARP;
        default:
            break;
        }
    }
    return PLACE_LINK;
}

const char *packet_fault_text(const struct packet *packet)
{
    static const char *const cut[PLACES] = {
        "cut short in the link header", "cut short in the IPv4 header",
        "cut short in the IPv6 header", "cut short in the ARP message",
        "cut short in the TCP header",  "cut short in the UDP header",
        "cut short in the ICMP header", "cut short in the ICMPv6 header",
    };
    static const char *const length[PLACES] = {
        "impossible length in the link header", "impossible length in the IPv4 header",
        "impossible length in the IPv6 header", "impossible length in the ARP message",
        "impossible length of the TCP header",  "impossible length in the UDP header",
        "no room for the ICMP header",          "no room for the ICMPv6 header",
    };
    static const char *const option[PLACES] = {
        "broken option",     "broken IPv4 option", "broken IPv6 option", "broken option",
        "broken TCP option", "broken option",      "broken option",      "broken option",
    };
    enum fault_place place = fault_place(packet);
    switch (packet->fault) {
    case FAULT_NONE:
        return "no fault";
    case FAULT_CUT:
        return cut[place];
    case FAULT_LENGTH:
        return length[place];
    case FAULT_OPTION:
        return option[place];
    case FAULT_VERSION:
        if (place == PLACE_IPV4)
            return "IP version is not 4 in the IPv4 header";
        return place == PLACE_IPV6 ? "IP version is not 6 in the IPv6 header"
                                   : "neither IP version 4 nor 6";
    case FAULT_NESTING:
        return place == PLACE_LINK ? "too many VLAN tags" : "too many extension headers";
    }
    return "no fault";
}

char *tcp_flags_text(uint16_t flags, char *text)
{
    static const struct {
        uint16_t flag;
        char name[4];
    } order[] = {
        {TCP_SYN, "SYN"}, {TCP_FIN, "FIN"}, {TCP_RST, "RST"}, {TCP_PSH, "PSH"}, {TCP_ACK, "ACK"},
        {TCP_URG, "URG"}, {TCP_ECE, "ECE"}, {TCP_CWR, "CWR"}, {TCP_AE, "AE"},
    };
    size_t length = 0;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        if ((flags & order[i].flag) == 0)
            continue;
        if (length > 0)
            text[length++] = ' ';
        size_t name = strlen(order[i].name);
        memcpy(text + length, order[i].name, name);
        length += name;
    }
    text[length] = '\0';
    if (length == 0)
        memcpy(text, "none", sizeof "none");
    return text;
}
