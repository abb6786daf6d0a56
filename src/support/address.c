#include "support/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

char *address_format_host(const struct address *address, char *text)
{
    if (address->family == 4)
        inet_ntop(AF_INET, address->bytes, text, ADDRESS_TEXT);
    else if (address->family == 6)
        inet_ntop(AF_INET6, address->bytes, text, ADDRESS_TEXT);
    else
        snprintf(text, ADDRESS_TEXT, "?");
    return text;
}

char *address_format(const struct address *address, char *text)
{
    char host[ADDRESS_TEXT];
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
