/* Checksums: good, partial, bad, or not to be told. The sums here are computed a second way. */
#include "frames.h"

/* RFC 1071 word by word: the plain way. */
static uint32_t add(uint32_t sum, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    while (sum > 0xffff)
        sum = (sum >> 16) + (sum & 0xffff);
    return sum;
}

static void put(struct frame *f, uint32_t at, uint32_t value)
{
    f->bytes[at] = (uint8_t)(value >> 8);
    f->bytes[at + 1] = (uint8_t)value;
}

/* The pseudo header's sum for what follows the IP header of f. */
static uint32_t pseudo(const struct frame *f, uint32_t start, uint8_t protocol)
{
    bool is_v4 = f->bytes[0] >> 4 == 4;
    uint32_t sum = add(0, f->bytes + (is_v4 ? 12 : 8), is_v4 ? 8 : 32);
    uint32_t length = f->length - start;
    uint8_t rest[4] = {0, protocol, (uint8_t)(length >> 8), (uint8_t)length};
    return add(sum, rest, 4);
}

/* Checks all four judgements of the transport checksum at field, in a segment from start on. */
static void check_judgements(struct frame *f, uint32_t start, uint32_t field, uint8_t protocol)
{
    uint32_t with_pseudo = pseudo(f, start, protocol);
    put(f, field, 0);
    uint32_t good = 0xffff ^ add(with_pseudo, f->bytes + start, f->length - start);

    put(f, field, good);
    struct decoded d = decode(LINK_RAW, f->bytes, f->length);
    assert_int_equal(d.packet.transport_checksum, CHECKSUM_GOOD);
    decoded_free(&d);

    f->bytes[f->length - 1] ^= 1;
    d = decode(LINK_RAW, f->bytes, f->length);
    assert_int_equal(d.packet.transport_checksum, CHECKSUM_BAD);
    decoded_free(&d);

    put(f, field, with_pseudo);
    d = decode(LINK_RAW, f->bytes, f->length);
    assert_int_equal(d.packet.transport_checksum, CHECKSUM_PARTIAL);
    decoded_free(&d);

    d = decode_cut(LINK_RAW, f->bytes, f->length - 1, f->length);
    assert_int_equal(d.packet.transport_checksum, CHECKSUM_UNKNOWN);
    decoded_free(&d);
}

static void tcp_over_ipv4_is_judged(void **state)
{
    (void)state;
    for (uint16_t payload = 1; payload < 40; payload++) {
        struct frame f = {0};
        frame_ipv4(&f, 6, (uint16_t)(20 + payload));
        frame_tcp(&f);
        for (unsigned i = 0; i < payload; i++)
            FRAME_ADD(&f, (uint8_t)(i * 37 + 200));
        check_judgements(&f, 20, 36, 6);
    }
}

static void tcp_over_ipv6_is_judged(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv6(&f, 6, 23);
    frame_tcp(&f);
    FRAME_ADD(&f, 1, 2, 3);
    check_judgements(&f, 40, 56, 6);
}

static void udp_is_judged_over_both(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv4(&f, 17, 11);
    frame_udp(&f, 3);
    FRAME_ADD(&f, 1, 2, 3);
    check_judgements(&f, 20, 26, 17);
    struct frame g = {0};
    frame_ipv6(&g, 17, 11);
    frame_udp(&g, 3);
    FRAME_ADD(&g, 1, 2, 3);
    check_judgements(&g, 40, 46, 17);
}

static void icmpv6_is_judged(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv6(&f, 58, 12);
    FRAME_ADD(&f, 128, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8);
    check_judgements(&f, 40, 42, 58);
}

static void icmp_is_judged_without_a_pseudo_header(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv4(&f, 1, 12);
    FRAME_ADD(&f, 8, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8);
    put(&f, 22, 0xffff ^ add(0, f.bytes + 20, 12));
    struct decoded d = decode(LINK_RAW, f.bytes, f.length);
    assert_int_equal(d.packet.transport_checksum, CHECKSUM_GOOD);
    decoded_free(&d);
    f.bytes[30] ^= 0x80;
    d = decode(LINK_RAW, f.bytes, f.length);
    assert_int_equal(d.packet.transport_checksum, CHECKSUM_BAD);
    decoded_free(&d);
    put(&f, 22, 0);
    d = decode(LINK_RAW, f.bytes, f.length);
    assert_int_equal(d.packet.transport_checksum, CHECKSUM_BAD);
    decoded_free(&d);
}

static void no_udp_checksum_is_unknown_over_ipv4_and_bad_over_ipv6(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv4(&f, 17, 8);
    frame_udp(&f, 0);
    struct decoded d = decode(LINK_RAW, f.bytes, f.length);
    assert_int_equal(d.packet.transport_checksum, CHECKSUM_UNKNOWN);
    decoded_free(&d);
    struct frame g = {0};
    frame_ipv6(&g, 17, 8);
    frame_udp(&g, 0);
    d = decode(LINK_RAW, g.bytes, g.length);
    assert_int_equal(d.packet.transport_checksum, CHECKSUM_BAD);
    decoded_free(&d);
}

static void the_ipv4_header_is_judged(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv4(&f, 17, 8);
    frame_udp(&f, 0);
    struct decoded d = decode(LINK_RAW, f.bytes, f.length);
    assert_int_equal(d.packet.network_checksum, CHECKSUM_PARTIAL); /* zero: left to the device */
    decoded_free(&d);
    put(&f, 10, 0xffff ^ add(0, f.bytes, 20));
    d = decode(LINK_RAW, f.bytes, f.length);
    assert_int_equal(d.packet.network_checksum, CHECKSUM_GOOD);
    decoded_free(&d);
    f.bytes[8]--;
    d = decode(LINK_RAW, f.bytes, f.length);
    assert_int_equal(d.packet.network_checksum, CHECKSUM_BAD);
    decoded_free(&d);
}

static void padding_is_not_summed(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv4(&f, 6, 20);
    frame_tcp(&f);
    put(&f, 36, 0xffff ^ add(pseudo(&f, 20, 6), f.bytes + 20, 20));
    FRAME_ADD(&f, 0xaa, 0xbb, 0xcc);
    struct decoded d = decode(LINK_RAW, f.bytes, f.length);
    assert_int_equal(d.packet.transport_checksum, CHECKSUM_GOOD);
    decoded_free(&d);
}

/* The sum is over the address that the packet will have when it arrives. */
static void a_source_route_names_the_final_destination(void **state)
{
    (void)state;
    struct frame f = {0};
    FRAME_ADD(&f, 0x47, 0, 0, 48, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 99);
    FRAME_ADD(&f, 131, 7, 4, 10, 0, 0, 2, 0);
    frame_tcp(&f);
    struct frame arrived = {0};
    frame_ipv4(&arrived, 6, 20);
    frame_tcp(&arrived);
    put(&f, 44, 0xffff ^ add(pseudo(&arrived, 20, 6), arrived.bytes + 20, 20));
    struct decoded d = decode(LINK_RAW, f.bytes, f.length);
    assert_int_equal(d.packet.transport_checksum, CHECKSUM_GOOD);
    decoded_free(&d);
    f.bytes[22] = 8; /* the pointer is past the route: it has arrived */
    d = decode(LINK_RAW, f.bytes, f.length);
    assert_int_equal(d.packet.transport_checksum, CHECKSUM_BAD);
    decoded_free(&d);
}

static void a_routing_header_names_the_final_destination(void **state)
{
    (void)state;
    static const uint8_t types[] = {0, 2, 4};
    for (size_t i = 0; i < sizeof types; i++) {
        struct frame f = {0};
        frame_ipv6(&f, 43, 24 + 20);
        f.bytes[39] = 99; /* the next hop */
        FRAME_ADD(&f, 6, 2, types[i], 1, 0, 0, 0, 0);
        FRAME_ADD(&f, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2);
        frame_tcp(&f);
        struct frame arrived = {0};
        frame_ipv6(&arrived, 6, 20);
        frame_tcp(&arrived);
        put(&f, 80, 0xffff ^ add(pseudo(&arrived, 40, 6), arrived.bytes + 40, 20));
        struct decoded d = decode(LINK_RAW, f.bytes, f.length);
        assert_int_equal(d.packet.transport_checksum, CHECKSUM_GOOD);
        assert_host(&d.packet.destination, "2001:db8::63");
        decoded_free(&d);
        f.bytes[43] = 0; /* no segments left */
        d = decode(LINK_RAW, f.bytes, f.length);
        assert_int_equal(d.packet.transport_checksum, CHECKSUM_BAD);
        decoded_free(&d);
    }
}

static void headers_alone_leave_checksums_unknown(void **state)
{
    (void)state;
    struct packet p;
    packet_decode(&p, LINK_ETHERNET, frame_loopback_syn, sizeof frame_loopback_syn,
                  sizeof frame_loopback_syn, PACKET_HEADERS);
    assert_int_equal(p.network_checksum, CHECKSUM_UNKNOWN);
    assert_int_equal(p.transport_checksum, CHECKSUM_UNKNOWN);
    assert_int_equal(p.tcp.checksum, 0xfe30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_over_ipv4_is_judged),
        cmocka_unit_test(tcp_over_ipv6_is_judged),
        cmocka_unit_test(udp_is_judged_over_both),
        cmocka_unit_test(icmpv6_is_judged),
        cmocka_unit_test(icmp_is_judged_without_a_pseudo_header),
        cmocka_unit_test(no_udp_checksum_is_unknown_over_ipv4_and_bad_over_ipv6),
        cmocka_unit_test(the_ipv4_header_is_judged),
        cmocka_unit_test(padding_is_not_summed),
        cmocka_unit_test(a_source_route_names_the_final_destination),
        cmocka_unit_test(a_routing_header_names_the_final_destination),
        cmocka_unit_test(headers_alone_leave_checksums_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
