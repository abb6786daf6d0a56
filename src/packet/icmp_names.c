/*
 * icmp_names.c - ICMP types and codes in words, as IANA's registries have them.
 */
#include "packet/packet.h"

struct icmp_name {
    uint8_t type;
    uint8_t code;
    const char *text;
};

enum { ANY = 255 };

/* A type's codes come before its ANY. */
static const struct icmp_name icmp_names[] = {
    {0, ANY, "echo reply"},
    {3, 0, "destination unreachable: network unreachable"},
    {3, 1, "destination unreachable: host unreachable"},
    {3, 2, "destination unreachable: protocol unreachable"},
    {3, 3, "destination unreachable: port unreachable"},
    {3, 4, "destination unreachable: fragmentation needed"},
    {3, 5, "destination unreachable: source route failed"},
    {3, 6, "destination unreachable: network unknown"},
    {3, 7, "destination unreachable: host unknown"},
    {3, 8, "destination unreachable: source host isolated"},
    {3, 9, "destination unreachable: network prohibited"},
    {3, 10, "destination unreachable: host prohibited"},
    {3, 11, "destination unreachable: network unreachable for this type of service"},
    {3, 12, "destination unreachable: host unreachable for this type of service"},
    {3, 13, "destination unreachable: administratively prohibited"},
    {3, 14, "destination unreachable: host precedence violation"},
    {3, 15, "destination unreachable: precedence cutoff in effect"},
    {3, ANY, "destination unreachable"},
    {4, ANY, "source quench"},
    {5, 0, "redirect for the network"},
    {5, 1, "redirect for the host"},
    {5, 2, "redirect for the type of service and network"},
    {5, 3, "redirect for the type of service and host"},
    {5, ANY, "redirect"},
    {8, ANY, "echo request"},
    {9, ANY, "router advertisement"},
    {10, ANY, "router solicitation"},
    {11, 0, "time exceeded: TTL expired in transit"},
    {11, 1, "time exceeded: fragment reassembly"},
    {11, ANY, "time exceeded"},
    {12, 0, "parameter problem: pointer shows the error"},
    {12, 1, "parameter problem: a required option is missing"},
    {12, 2, "parameter problem: bad length"},
    {12, ANY, "parameter problem"},
    {13, ANY, "timestamp request"},
    {14, ANY, "timestamp reply"},
    {15, ANY, "information request"},
    {16, ANY, "information reply"},
    {17, ANY, "address mask request"},
    {18, ANY, "address mask reply"},
    {42, ANY, "extended echo request"},
    {43, ANY, "extended echo reply"},
};

static const struct icmp_name icmpv6_names[] = {
    {1, 0, "destination unreachable: no route"},
    {1, 1, "destination unreachable: administratively prohibited"},
    {1, 2, "destination unreachable: beyond the scope of the source address"},
    {1, 3, "destination unreachable: address unreachable"},
    {1, 4, "destination unreachable: port unreachable"},
    {1, 5, "destination unreachable: source address failed policy"},
    {1, 6, "destination unreachable: route rejected"},
    {1, 7, "destination unreachable: error in source routing header"},
    {1, ANY, "destination unreachable"},
    {2, ANY, "packet too big"},
    {3, 0, "time exceeded: hop limit expired in transit"},
    {3, 1, "time exceeded: fragment reassembly"},
    {3, ANY, "time exceeded"},
    {4, 0, "parameter problem: erroneous header field"},
    {4, 1, "parameter problem: unrecognized next header"},
    {4, 2, "parameter problem: unrecognized option"},
    {4, ANY, "parameter problem"},
    {128, ANY, "echo request"},
    {129, ANY, "echo reply"},
    {130, ANY, "multicast listener query"},
    {131, ANY, "multicast listener report"},
    {132, ANY, "multicast listener done"},
    {133, ANY, "router solicitation"},
    {134, ANY, "router advertisement"},
    {135, ANY, "neighbor solicitation"},
    {136, ANY, "neighbor advertisement"},
    {137, ANY, "redirect"},
    {143, ANY, "multicast listener report, version 2"},
    {160, ANY, "extended echo request"},
    {161, ANY, "extended echo reply"},
};

const char *icmp_type_text(const struct packet *packet)
{
    const struct icmp_name *names = icmp_names;
    size_t count = sizeof icmp_names / sizeof *icmp_names;
    if (packet->transport == TRANSPORT_ICMPV6) {
        names = icmpv6_names;
        count = sizeof icmpv6_names / sizeof *icmpv6_names;
    }
    for (size_t i = 0; i < count; i++)
        if (names[i].type == packet->icmp.type &&
            (names[i].code == ANY || names[i].code == packet->icmp.code))
            return names[i].text;
    return "unknown type";
}
