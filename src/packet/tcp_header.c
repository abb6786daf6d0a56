/*
 * tcp_header.c - the TCP header, RFC 9293 section 3.1, and its options.
 */
#include "packet/decode.h"

enum tcp_option_kind {
    OPTION_END = 0,
    OPTION_NO_OPERATION = 1,
    OPTION_MSS = 2,
    OPTION_WINDOW_SCALE = 3,   /* RFC 7323 */
    OPTION_SACK_PERMITTED = 4, /* RFC 2018 */
    OPTION_SACK = 5,
    OPTION_TIMESTAMPS = 8,   /* RFC 7323 */
    OPTION_MD5 = 19,         /* RFC 2385 */
    OPTION_MPTCP = 30,       /* RFC 8684 */
    OPTION_FAST_OPEN = 34,   /* RFC 7413 */
    OPTION_EXPERIMENT = 254, /* RFC 6994: a 16-bit identifier follows */
    EXPERIMENT_FAST_OPEN = 0xf989,
};

/* Takes length - 2 bytes of left and right edges. Returns false for a length that cannot be. */
static bool read_sack(struct packet_tcp *tcp, const uint8_t *option, uint8_t length)
{
    if (length < 10 || (length - 2) % 8 != 0 || length > 34)
        return false;
    tcp->sack_count = (uint8_t)((length - 2) / 8);
    for (unsigned i = 0; i < tcp->sack_count; i++) {
        tcp->sack[i][0] = read_be32(option + 2 + (size_t)i * 8);
        tcp->sack[i][1] = read_be32(option + 6 + (size_t)i * 8);
    }
    tcp->options_seen |= TCP_SEEN_SACK;
    return true;
}

static bool read_experiment(struct packet_tcp *tcp, const uint8_t *option, uint8_t length)
{
    if (length >= 4 && read_be16(option + 2) == EXPERIMENT_FAST_OPEN) {
        tcp->fast_open_length = (uint8_t)(length - 4);
        tcp->options_seen |= TCP_SEEN_FAST_OPEN;
    } else {
        tcp->options_seen |= TCP_SEEN_OTHER;
    }
    return true;
}

/* Remembers that the option was seen if its length is what it must be. */
static bool saw(struct packet_tcp *tcp, enum tcp_option_seen seen, bool length_is_right)
{
    if (length_is_right)
        tcp->options_seen |= (uint16_t)seen;
    return length_is_right;
}

/* Reads one option of length bytes, 2 at least. Returns false if its kind has no such length. */
static bool read_option(struct packet_tcp *tcp, const uint8_t *option, uint8_t length)
{
    switch (option[0]) {
    case OPTION_MSS:
        if (length == 4)
            tcp->mss = read_be16(option + 2);
        return saw(tcp, TCP_SEEN_MSS, length == 4);
    case OPTION_WINDOW_SCALE:
        if (length == 3)
            tcp->window_scale = option[2];
        return saw(tcp, TCP_SEEN_WINDOW_SCALE, length == 3);
    case OPTION_SACK_PERMITTED:
        return saw(tcp, TCP_SEEN_SACK_PERMITTED, length == 2);
    case OPTION_SACK:
        return read_sack(tcp, option, length);
    case OPTION_TIMESTAMPS:
        if (length == 10) {
            tcp->timestamp_value = read_be32(option + 2);
            tcp->timestamp_echo = read_be32(option + 6);
        }
        return saw(tcp, TCP_SEEN_TIMESTAMPS, length == 10);
    case OPTION_FAST_OPEN:
        tcp->fast_open_length = (uint8_t)(length - 2);
        return saw(tcp, TCP_SEEN_FAST_OPEN, true);
    case OPTION_MPTCP:
        if (length >= 3)
            tcp->mptcp_subtype = option[2] >> 4;
        return saw(tcp, TCP_SEEN_MPTCP, length >= 3);
    case OPTION_MD5:
        return saw(tcp, TCP_SEEN_MD5, length == 18);
    case OPTION_EXPERIMENT:
        return read_experiment(tcp, option, length);
    default:
        return saw(tcp, TCP_SEEN_OTHER, true);
    }
}

/*
 * Timestamps behind two NOPs, as RFC 7323 appendix A recommends: what nearly every segment carries,
 * so it is not taken apart. Returns whether the options are just this.
 */
static bool read_usual_options(struct packet_tcp *tcp, struct cursor in, uint32_t length)
{
    enum { USUAL_LENGTH = 12 };
    const uint32_t usual =
        OPTION_NO_OPERATION << 24 | OPTION_NO_OPERATION << 16 | OPTION_TIMESTAMPS << 8 | 10;
    const uint8_t *b = length == USUAL_LENGTH ? cursor_take(&in, USUAL_LENGTH) : NULL;
    if (b == NULL || read_be32(b) != usual)
        return false;
    tcp->timestamp_value = read_be32(b + 4);
    tcp->timestamp_echo = read_be32(b + 8);
    tcp->options_seen = TCP_SEEN_TIMESTAMPS;
    return true;
}

/*
 * The options that begin at start, as many bytes of them as are here. length is what the data
 * offset says.
 */
static void tcp_options(struct decoder *d, uint32_t start, uint32_t length)
{
    struct cursor in = cursor_over(d->in.data, d->in.length);
    in.at = start;
    if (read_usual_options(&d->packet->tcp, in, length))
        return;
    bool is_cut = cursor_left(&in) < length;
    in.length = is_cut ? in.length : start + length;
    while (cursor_left(&in) > 0) {
        uint32_t at = (uint32_t)in.at;
        struct cursor head = in;
        uint8_t kind = cursor_u8(&head);
        if (kind == OPTION_END)
            return;
        if (kind == OPTION_NO_OPERATION) {
            in = head;
            continue;
        }
        uint8_t size = cursor_u8(&head);
        if (head.failed && is_cut)
            return;
        if (size < 2 || size > length - (at - start)) {
            decoder_fault(d, FAULT_OPTION, at);
            return;
        }
        const uint8_t *option = cursor_take(&in, size);
        if (option == NULL)
            return;
        if (!read_option(&d->packet->tcp, option, size))
            decoder_fault(d, FAULT_OPTION, at);
    }
}

/* A header that is not all here: its ports and sequence number may be, as in an ICMP quote. */
static void read_beginning(struct decoder *d)
{
    struct packet *packet = d->packet;
    struct cursor in = cursor_over(d->in.data, d->in.length);
    in.at = packet->transport_at;
    const uint8_t *b = cursor_take(&in, 4);
    if (b == NULL)
        return;
    packet->source.port = read_be16(b);
    packet->destination.port = read_be16(b + 2);
    packet->has_ports = true;
    packet->tcp.seq = cursor_be32(&in);
    packet->tcp.ack = cursor_be32(&in);
}

static void read_fixed(struct packet *packet, const uint8_t *b)
{
    struct packet_tcp *tcp = &packet->tcp;
    packet->source.port = read_be16(b);
    packet->destination.port = read_be16(b + 2);
    packet->has_ports = true;
    tcp->seq = read_be32(b + 4);
    tcp->ack = read_be32(b + 8);
    tcp->flags = read_be16(b + 12) & 0x1ff;
    tcp->window = read_be16(b + 14);
    tcp->checksum = read_be16(b + 16);
    tcp->urgent = read_be16(b + 18);
}

void tcp_decode(struct decoder *d)
{
    struct packet *packet = d->packet;
    packet->transport = TRANSPORT_TCP;
    const uint8_t *b = decoder_take(d, 20);
    if (b == NULL) {
        read_beginning(d);
        return;
    }
    read_fixed(packet, b);
    uint32_t header_length = (b[12] >> 4) * 4u;
    uint32_t room = d->wire_end - packet->transport_at;
    if (header_length < 20 || header_length > room) {
        decoder_fault(d, FAULT_LENGTH, packet->transport_at + 12);
        decoder_stop(d);
        return;
    }
    packet->tcp.header_length = (uint8_t)header_length;
    if (d->effort == PACKET_CHECKSUMS)
        packet->transport_checksum = checksum_transport(d, 16, true);
    if (header_length > 20) {
        uint32_t options_at = (uint32_t)d->in.at;
        if (decoder_take(d, header_length - 20) == NULL) {
            packet->payload_length = room - header_length;
            tcp_options(d, options_at, header_length - 20);
            return;
        }
        tcp_options(d, options_at, header_length - 20);
    }
    decoder_payload(d);
}
