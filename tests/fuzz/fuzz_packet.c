/*
 * fuzz_packet.c - feeds frames to the decoder and to the list of fields.
 *
 * Input: one byte picks the link type, one how much longer the frame was on the wire than what was
 * captured of it, the rest is the frame. Besides what the sanitizers see, the promises of packet.h
 * and fields.h are checked.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/packet/tiling.h"
#include "packet/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check(const struct packet *packet)
{
    must(packet->payload_at <= packet->captured);
    must(packet->payload_captured <= packet->captured - packet->payload_at);
    must(packet->payload_captured <= packet->payload_length);
    must(packet->fault_at <= packet->captured);
    must(packet->network_at <= packet->captured);
    must(packet->transport_at <= packet->captured);
    must(packet->transport != TRANSPORT_TCP || packet->tcp.sack_count <= 4);
    must(packet_protocol_name(packet) != NULL);
    must(packet_fault_text(packet) != NULL);
    must(icmp_type_text(packet) != NULL);
    must(tiling_wrong(packet) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t links[] = {
        LINK_ETHERNET,  LINK_NULL,       LINK_RAW,  LINK_LOOP,    LINK_IPV4,
        LINK_LINUX_SLL, LINK_LINUX_SLL2, LINK_IPV6, LINK_RAW_BSD, 127};
    if (size < 2)
        return 0;
    uint32_t captured = (uint32_t)(size - 2);
    uint8_t *bytes = malloc(captured);
    if (captured > 0)
        memcpy(bytes, data + 2, captured);
    uint32_t link = links[data[0] % (sizeof links / sizeof *links)];
    struct packet packet, bare, quoted;
    packet_decode(&packet, link, bytes, captured, captured + data[1] * 5u, PACKET_CHECKSUMS);
    check(&packet);
    packet_decode(&bare, link, bytes, captured, captured + data[1] * 5u, PACKET_HEADERS);
    must(bare.fault == packet.fault && bare.payload_at == packet.payload_at);
    if (packet_decode_quoted(&packet, &quoted))
        check(&quoted);
    free(bytes);
    return 0;
}
