#include "support/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* A number of at most five digits. Returns its end. */
static char *put_number(char *at, unsigned number)
{
    unsigned unit = 1;
    while (number / unit >= 10)
        unit *= 10;
    for (; unit > 0; unit /= 10)
        *at++ = (char)('0' + number / unit % 10);
    return at;
}

/* Every call in a trace has an address or two, and printf takes its time. Returns the end. */
static char *put_host4(char *at, const uint8_t *bytes)
{
    for (size_t i = 0; i < 4; i++) {
        if (i > 0)
            *at++ = '.';
        at = put_number(at, bytes[i]);
    }
    return at;
}

char *address_format_host(const struct address *address, char *text)
{
    if (address->family == 4)
        *put_host4(text, address->bytes) = '\0';
    else if (address->family == 6)
        inet_ntop(AF_INET6, address->bytes, text, ADDRESS_TEXT);
    else
        snprintf(text, ADDRESS_TEXT, "?");
    return text;
}

char *address_format(const struct address *address, char *text)
{
    char host[ADDRESS_TEXT];
    if (address->family == 4) {
        char *end = put_host4(text, address->bytes);
        *end++ = ':';
        *put_number(end, address->port) = '\0';
        return text;
    }
    address_format_host(address, host);
    snprintf(text, ADDRESS_TEXT, address->family == 6 ? "[%.48s]:%u" : "%.48s:%u", host,
             address->port);
    return text;
}

bool address_parse_host(const char *text, struct address *address)
{
    char bare[ADDRESS_TEXT];
    size_t length = strlen(text);
    if (length >= sizeof bare)
        return false;
    memcpy(bare, text, length + 1);
    if (length > 2 && bare[0] == '[' && bare[length - 1] == ']') {
        memmove(bare, bare + 1, length - 2);
        bare[length - 2] = '\0';
    }
    struct address parsed = {0};
    if (inet_pton(AF_INET, bare, parsed.bytes) == 1)
        parsed.family = 4;
    else if (inet_pton(AF_INET6, bare, parsed.bytes) == 1)
        parsed.family = 6;
    else
        return false;
    *address = parsed;
    return true;
}

bool address_from_sockaddr(const struct sockaddr *name, size_t length, struct address *address)
{
    *address = (struct address){0};
    if (name->sa_family == AF_INET && length >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in in;
        memcpy(&in, name, sizeof in);
        address->family = 4;
        address->port = ntohs(in.sin_port);
        memcpy(address->bytes, &in.sin_addr, 4);
        return true;
    }
    if (name->sa_family == AF_INET6 && length >= sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 in6;
        memcpy(&in6, name, sizeof in6);
        address->family = 6;
        address->port = ntohs(in6.sin6_port);
        address->scope = in6.sin6_scope_id;
        memcpy(address->bytes, &in6.sin6_addr, 16);
        return true;
    }
    return false;
}

size_t address_to_sockaddr(const struct address *address, struct sockaddr *name)
{
    if (address->family == 4) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(address->port)};
        memcpy(&in.sin_addr, address->bytes, 4);
        memcpy(name, &in, sizeof in);
        return sizeof in;
    }
    struct sockaddr_in6 in6 = {
        .sin6_family = AF_INET6,
        .sin6_port = htons(address->port),
        .sin6_scope_id = address->scope,
    };
    memcpy(&in6.sin6_addr, address->bytes, 16);
    memcpy(name, &in6, sizeof in6);
    return sizeof in6;
}

bool address_equal(const struct address *a, const struct address *b)
{
    return a->family == b->family && a->port == b->port &&
           memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool address_is_loopback(const struct address *address)
{
    static const uint8_t loopback6[16] = {[15] = 1};
    if (address->family == 4)
        return address->bytes[0] == 127;
    return address->family == 6 && memcmp(address->bytes, loopback6, 16) == 0;
}

bool address_is_any(const struct address *address)
{
    static const uint8_t any[16];
    return address->family != 0 && memcmp(address->bytes, any, 16) == 0;
}
