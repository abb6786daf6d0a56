/*
 * address.h - an IPv4 or IPv6 address with a port.
 *
 * The address bytes are in network order, as on the wire; the port is in host order.
 */
#ifndef HANDLENS_SUPPORT_ADDRESS_H
#define HANDLENS_SUPPORT_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct address {
    uint8_t family;    /* 4, 6, or 0 for none */
    uint16_t port;     /* host order; 0 where there is none */
    uint32_t scope;    /* IPv6 zone index, 0 for none */
    uint8_t bytes[16]; /* the first 4 for IPv4, the rest zero */
};

/* Room for any formatted address with its port and a zero byte. */
#define ADDRESS_TEXT 64

/* "127.0.0.1:80", "[::1]:80" (RFC 5952). Returns text, which holds at least ADDRESS_TEXT bytes. */
char *address_format(const struct address *address, char *text);

/* The same without the port and brackets: "127.0.0.1", "::1". */
char *address_format_host(const struct address *address, char *text);

/* Reads a literal IPv4 or IPv6 address without a port (brackets allowed). No name lookup. */
bool address_parse_host(const char *text, struct address *address);

/* From a struct sockaddr_in or sockaddr_in6 of that length; false for any other kind. */
struct sockaddr;
bool address_from_sockaddr(const struct sockaddr *name, size_t length, struct address *address);

/* Into a struct sockaddr_in or sockaddr_in6. Returns its length; room must hold a sockaddr_in6. */
size_t address_to_sockaddr(const struct address *address, struct sockaddr *name);

/* Same family, bytes and port. The scope does not count. */
bool address_equal(const struct address *a, const struct address *b);

/* 127.0.0.0/8 or ::1. */
bool address_is_loopback(const struct address *address);

/* 0.0.0.0 or ::. */
bool address_is_any(const struct address *address);

#endif
