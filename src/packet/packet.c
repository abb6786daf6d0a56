#include "packet/packet.h"

#include <string.h>

#include "packet/decode.h"
#include "support/clear.h"

void decoder_fault(struct decoder *d, enum packet_fault fault, uint32_t at)
{
    if (d->packet->fault != FAULT_NONE)
        return;
    d->packet->fault = fault;
    d->packet->fault_at = at;
}

void decoder_stop(struct decoder *d)
{
    d->packet->payload_at = (uint32_t)d->in.length;
    d->packet->payload_length = 0;
    d->packet->payload_captured = 0;
}

void decoder_payload(struct decoder *d)
{
    d->packet->payload_at = (uint32_t)d->in.at;
    d->packet->payload_length = d->wire_end - (uint32_t)d->in.at;
    d->packet->payload_captured = (uint32_t)cursor_left(&d->in);
}

const uint8_t *decoder_take(struct decoder *d, uint32_t length)
{
    const uint8_t *bytes = cursor_take(&d->in, length);
    if (bytes != NULL)
        return bytes;
    bool no_room = d->bounded && length > d->wire_end - d->in.at;
    decoder_fault(d, no_room ? FAULT_LENGTH : FAULT_CUT, (uint32_t)d->in.length);
    decoder_stop(d);
    return NULL;
}

void decoder_bound(struct decoder *d, uint64_t end, uint32_t field_at)
{
    d->bounded = true;
    if (end > d->wire_end) {
        decoder_fault(d, FAULT_LENGTH, field_at);
        return;
    }
    d->wire_end = (uint32_t)end;
    if (d->in.length > end)
        d->in.length = (size_t)end;
}

void packet_decode(struct packet *packet, uint32_t link_type, const uint8_t *bytes,
                   uint32_t captured, uint32_t length, enum packet_effort effort)
{
    clear_bytes(packet, sizeof *packet);
    packet->bytes = bytes;
    packet->captured = captured;
    packet->length = length;
    packet->link_type = link_type;
    struct decoder d = {
        .packet = packet,
        .in = cursor_over(bytes, captured),
        .wire_end = length > captured ? length : captured,
        .effort = effort,
    };
    link_decode(&d);
}

/* How long the quoted packet was, by its own header: captured bytes are its beginning. */
static uint32_t quoted_length(const uint8_t *bytes, uint32_t captured, bool is_ipv6)
{
    struct cursor in = cursor_over(bytes, captured);
    cursor_take(&in, is_ipv6 ? 4 : 2);
    uint32_t length = cursor_be16(&in);
    if (in.failed || length == 0)
        return captured;
    if (is_ipv6)
        length += 40;
    return length > captured ? length : captured;
}

bool packet_decode_quoted(const struct packet *packet, struct packet *quoted)
{
    if (!icmp_quotes(packet) || packet->icmp.quoted_at == 0)
        return false;
    struct cursor in = cursor_over(packet->bytes, packet->captured);
    uint32_t captured = icmp_quote_captured(packet);
    cursor_take(&in, packet->icmp.quoted_at);
    const uint8_t *bytes = cursor_take(&in, captured);
    if (bytes == NULL || captured == 0)
        return false;
    bool is_ipv6 = packet->transport == TRANSPORT_ICMPV6;
    packet_decode(quoted, is_ipv6 ? LINK_IPV6 : LINK_IPV4, bytes, captured,
                  quoted_length(bytes, captured, is_ipv6), PACKET_HEADERS);
    return true;
}
