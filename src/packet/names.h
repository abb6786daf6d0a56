/*
 * names.h - names of protocol numbers, for src/packet. All texts live for ever.
 */
#ifndef HANDLENS_PACKET_NAMES_H
#define HANDLENS_PACKET_NAMES_H

#include <stdint.h>

/* "TCP", "hop-by-hop options"; NULL for a number without a name here. */
const char *ip_protocol_name(uint8_t protocol);

/* "IPv4", "802.1Q"; NULL for a number without a name here. */
const char *ether_type_name(uint16_t type);

/* "Ethernet", "Linux cooked", "raw IP"; "unknown link type". */
const char *link_type_name(uint32_t link_type);

#endif
