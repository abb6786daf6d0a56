#include "packet/decode.h"

#include <arpa/inet.h>
#include <string.h>

/* Adds four bytes at a time in the machine's own order, which RFC 1071 section 2 allows: the sum
 * comes out in the order in which the bytes were read. */
static uint64_t sum_native(const uint8_t *bytes, size_t length)
{
    uint64_t sum = 0;
    size_t at = 0;
    for (; at + 8 <= length; at += 8) {
        uint64_t word;
        memcpy(&word, bytes + at, 8);
        sum += (word & 0xffffffff) + (word >> 32);
    }
    for (; at + 2 <= length; at += 2) {
        uint16_t word;
        memcpy(&word, bytes + at, 2);
        sum += word;
    }
    if (at < length) {
        uint16_t word = 0;
        memcpy(&word, bytes + at, 1);
        sum += word;
    }
    return sum;
}

static uint16_t fold(uint64_t sum)
{
    while (sum > 0xffff)
        sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)sum;
}

uint16_t checksum_sum(const uint8_t *bytes, size_t length)
{
    return ntohs(fold(sum_native(bytes, length)));
}

enum packet_checksum checksum_ipv4(const uint8_t *header, size_t length)
{
    if (checksum_sum(header, length) == 0xffff)
        return CHECKSUM_GOOD;
    /* There is no pseudo header here, so a sum left to the device is a plain zero. */
    return read_be16(header + 10) == 0 ? CHECKSUM_PARTIAL : CHECKSUM_BAD;
}

/* RFC 9293 section 3.1, RFC 8200 section 8.1; both sum to the same for lengths below 2^16. */
static uint64_t sum_pseudo(const struct decoder *d, uint32_t length)
{
    size_t address = d->packet->network == NETWORK_IPV6 ? 16 : 4;
    uint32_t rest[2] = {htonl(length), htonl(d->packet->ip_protocol)};
    uint8_t bytes[sizeof rest];
    memcpy(bytes, rest, sizeof rest);
    return sum_native(d->pseudo_source, address) + sum_native(d->pseudo_destination, address) +
           sum_native(bytes, sizeof bytes);
}

enum packet_checksum checksum_transport(const struct decoder *d, uint32_t field_at,
                                        bool with_pseudo)
{
    const struct packet *packet = d->packet;
    struct cursor in = d->in;
    in.at = packet->transport_at;
    uint32_t length = d->wire_end - packet->transport_at;
    const uint8_t *segment = cursor_take(&in, length);
    if (segment == NULL || length < field_at + 2 || packet->is_fragment)
        return CHECKSUM_UNKNOWN;

    uint64_t pseudo = with_pseudo ? sum_pseudo(d, length) : 0;
    if (fold(pseudo + sum_native(segment, length)) == 0xffff)
        return CHECKSUM_GOOD;
    bool is_partial = with_pseudo && read_be16(segment + field_at) == ntohs(fold(pseudo));
    return is_partial ? CHECKSUM_PARTIAL : CHECKSUM_BAD;
}
