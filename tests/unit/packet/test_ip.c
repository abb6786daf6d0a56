/* IPv4 with options and fragments, IPv6 with extension headers, and where a packet ends. */
#include "frames.h"

static void the_ipv4_header_is_read(void **state)
{
    (void)state;
    struct frame f = {0};
    FRAME_ADD(&f, 0x45, 0xb9, 0, 24, 0xab, 0xcd, 0x40, 0, 33, 99, 0, 0, 192, 0, 2, 1, 198, 51, 100,
              7, 1, 2, 3, 4);
    struct decoded d = decode(LINK_RAW, f.bytes, f.length);
    const struct packet *p = &d.packet;
    assert_int_equal(p->fault, FAULT_NONE);
    assert_int_equal(p->traffic_class, 0xb9);
    assert_int_equal(p->ip_total_length, 24);
    assert_int_equal(p->ip_header_length, 20);
    assert_int_equal(p->ip_identification, 0xabcd);
    assert_true(p->dont_fragment);
    assert_false(p->is_fragment);
    assert_int_equal(p->ttl, 33);
    assert_int_equal(p->ip_protocol, 99);
    assert_int_equal(p->transport, TRANSPORT_OTHER);
    assert_int_equal(p->payload_length, 4);
    assert_host(&p->source, "192.0.2.1");
    assert_host(&p->destination, "198.51.100.7");
    assert_string_equal(packet_protocol_name(p), "IPv4");
    decoded_free(&d);
}

static void ethernet_padding_is_no_payload(void **state)
{
    (void)state;
    struct frame f = {0};
    FRAME_ADD(&f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0);
    frame_ipv4(&f, 6, 20);
    frame_tcp(&f);
    FRAME_ADD(&f, 0, 0, 0, 0, 0, 0);
    struct decoded d = decode(LINK_ETHERNET, f.bytes, f.length);
    assert_int_equal(d.packet.fault, FAULT_NONE);
    assert_int_equal(d.packet.payload_at, 54);
    assert_int_equal(d.packet.payload_length, 0);
    assert_int_equal(d.packet.payload_captured, 0);
    decoded_free(&d);
}

static void a_total_length_of_zero_reaches_to_the_frames_end(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv4(&f, 6, 20);
    frame_tcp(&f);
    FRAME_ADD(&f, 1, 2, 3);
    f.bytes[2] = f.bytes[3] = 0;
    struct decoded d = decode_cut(LINK_RAW, f.bytes, f.length, 70000);
    assert_int_equal(d.packet.fault, FAULT_NONE);
    assert_int_equal(d.packet.ip_total_length, 0);
    assert_int_equal(d.packet.payload_length, 70000 - 40);
    assert_int_equal(d.packet.payload_captured, 3);
    decoded_free(&d);
}

static void an_impossible_header_length_stops(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv4(&f, 17, 8);
    frame_udp(&f, 0);
    for (int ihl = 0; ihl < 16; ihl++) {
        f.bytes[0] = (uint8_t)(0x40 | ihl);
        struct decoded d = decode(LINK_RAW, f.bytes, f.length);
        if (ihl < 5) {
            assert_int_equal(d.packet.fault, FAULT_LENGTH);
            assert_int_equal(d.packet.fault_at, 0);
            assert_int_equal(d.packet.source.family, 0);
        } else if (ihl > 7) {
            assert_int_equal(d.packet.fault, FAULT_LENGTH); /* total length 28 < IHL */
            assert_int_equal(d.packet.fault_at, 2);
            assert_int_equal(d.packet.transport, TRANSPORT_NONE);
        }
        decoded_free(&d);
    }
}

static void a_total_length_below_the_header_stops(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv4(&f, 17, 8);
    frame_udp(&f, 0);
    for (uint8_t total = 1; total < 20; total++) {
        f.bytes[3] = total;
        struct decoded d = decode(LINK_RAW, f.bytes, f.length);
        assert_int_equal(d.packet.fault, FAULT_LENGTH);
        assert_int_equal(d.packet.fault_at, 2);
        assert_host(&d.packet.source, "10.0.0.1");
        assert_int_equal(d.packet.transport, TRANSPORT_NONE);
        assert_string_equal(packet_fault_text(&d.packet), "impossible length in the IPv4 header");
        decoded_free(&d);
    }
}

static void a_total_length_beyond_the_frame_is_marked_and_decoding_goes_on(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv4(&f, 6, 1000);
    frame_tcp(&f);
    FRAME_ADD(&f, 1, 2, 3);
    struct decoded d = decode(LINK_RAW, f.bytes, f.length);
    assert_int_equal(d.packet.fault, FAULT_LENGTH);
    assert_int_equal(d.packet.fault_at, 2);
    assert_int_equal(d.packet.tcp.header_length, 20);
    assert_int_equal(d.packet.payload_length, 3);
    decoded_free(&d);
}

/* UDP behind these IPv4 options. */
static struct decoded with_options(const uint8_t *options, uint8_t length)
{
    struct frame f = {0};
    FRAME_ADD(&f, (uint8_t)(0x45 + length / 4), 0, 0, (uint8_t)(28 + length), 0, 0, 0, 0, 64, 17, 0,
              0, 10, 0, 0, 1, 10, 0, 0, 2);
    frame_add(&f, options, length);
    frame_udp(&f, 0);
    return decode(LINK_RAW, f.bytes, f.length);
}

#define WITH(...)                                                                                  \
    with_options((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void ipv4_options_are_stepped_over(void **state)
{
    (void)state;
    struct decoded d = WITH(148, 4, 0, 0, 1, 7, 7, 4, 0, 0, 0, 0);
    assert_int_equal(d.packet.fault, FAULT_NONE);
    assert_int_equal(d.packet.ip_header_length, 32);
    assert_int_equal(d.packet.transport_at, 32);
    assert_int_equal(d.packet.source.port, 53);
    decoded_free(&d);
    d = WITH(0, 99, 99, 99); /* nothing counts behind the end of the list */
    assert_int_equal(d.packet.fault, FAULT_NONE);
    decoded_free(&d);
}

static void broken_ipv4_options_are_marked_and_udp_holds(void **state)
{
    (void)state;
    static const uint8_t broken[][4] = {
        {1, 148, 0, 0}, {1, 148, 1, 0}, {1, 148, 4, 0}, {1, 1, 1, 148}, {1, 200, 255, 0}};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct decoded d = with_options(broken[i], 4);
        assert_int_equal(d.packet.fault, FAULT_OPTION);
        assert_int_equal(d.packet.fault_at, i == 3 ? 23 : 21);
        assert_string_equal(packet_fault_text(&d.packet), "broken IPv4 option");
        assert_int_equal(d.packet.source.port, 53);
        decoded_free(&d);
    }
}

static void ipv4_fragments_are_told_apart(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv4(&f, 17, 16);
    frame_udp(&f, 1000);
    FRAME_ADD(&f, 1, 2, 3, 4, 5, 6, 7, 8);
    f.bytes[6] = 0x20; /* the first of them */
    struct decoded d = decode(LINK_RAW, f.bytes, f.length);
    assert_int_equal(d.packet.fault, FAULT_NONE);
    assert_true(d.packet.is_fragment);
    assert_true(d.packet.more_fragments);
    assert_int_equal(d.packet.transport, TRANSPORT_UDP);
    assert_int_equal(d.packet.udp.length, 1008);
    assert_int_equal(d.packet.payload_length, 8);
    assert_int_equal(d.packet.transport_checksum, CHECKSUM_UNKNOWN);
    decoded_free(&d);

    f.bytes[6] = 0x00; /* the last of them */
    f.bytes[7] = 0x7d;
    d = decode(LINK_RAW, f.bytes, f.length);
    assert_int_equal(d.packet.fault, FAULT_NONE);
    assert_true(d.packet.is_fragment);
    assert_false(d.packet.more_fragments);
    assert_int_equal(d.packet.fragment_offset, 1000);
    assert_int_equal(d.packet.transport, TRANSPORT_FRAGMENT);
    assert_int_equal(d.packet.source.port, 0);
    assert_int_equal(d.packet.payload_at, 20);
    assert_int_equal(d.packet.payload_length, 16);
    assert_string_equal(packet_protocol_name(&d.packet), "IPv4");
    decoded_free(&d);
}

static void the_ipv6_header_is_read(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv6(&f, 6, 23);
    f.bytes[0] = 0x6b;
    f.bytes[1] = 0x9a;
    f.bytes[2] = 0xbc;
    f.bytes[3] = 0xde;
    frame_tcp(&f);
    FRAME_ADD(&f, 1, 2, 3, 0, 0); /* two of them padding */
    struct decoded d = decode(LINK_RAW, f.bytes, f.length);
    const struct packet *p = &d.packet;
    assert_int_equal(p->fault, FAULT_NONE);
    assert_int_equal(p->traffic_class, 0xb9);
    assert_int_equal(p->ip_flow_label, 0xabcde);
    assert_int_equal(p->ip_total_length, 63);
    assert_int_equal(p->ip_header_length, 40);
    assert_int_equal(p->ttl, 64);
    assert_host(&p->source, "2001:db8::1");
    assert_host(&p->destination, "2001:db8::2");
    assert_int_equal(p->source.port, 1000);
    assert_int_equal(p->payload_length, 3);
    decoded_free(&d);
}

static void every_extension_header_is_stepped_over(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv6(&f, 0, 8 + 16 + 8 + 8 + 24 + 16 + 8 + 8 + 8 + 20);
    FRAME_ADD(&f, 60, 0, 5, 2, 0, 0, 1, 0);                          /* hop-by-hop */
    FRAME_ADD(&f, 43, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0); /* destination */
    FRAME_ADD(&f, 44, 0, 253, 0, 0, 0, 0, 0);                        /* routing */
    FRAME_ADD(&f, 51, 99, 0, 0, 0xde, 0xad, 0xbe, 0xef);             /* atomic fragment */
    FRAME_ADD(&f, 135, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9,
              9);                                                    /* AH */
    FRAME_ADD(&f, 139, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0); /* mobility */
    FRAME_ADD(&f, 140, 0, 0, 0, 0, 0, 0, 0);                         /* HIP */
    FRAME_ADD(&f, 60, 0, 0, 0, 0, 0, 0, 0);                          /* shim6 */
    FRAME_ADD(&f, 6, 0, 0, 0, 0, 0, 0, 0);                           /* destination */
    frame_tcp(&f);
    struct decoded d = decode(LINK_RAW, f.bytes, f.length);
    const struct packet *p = &d.packet;
    assert_int_equal(p->fault, FAULT_NONE);
    assert_int_equal(p->ip_protocol, 6);
    assert_int_equal(p->transport, TRANSPORT_TCP);
    assert_int_equal(p->source.port, 1000);
    assert_int_equal(p->transport_at, 144);
    assert_int_equal(p->ip_header_length, 144);
    assert_int_equal(p->ip_identification, 0xdeadbeef);
    assert_false(p->is_fragment); /* an atomic one is none */
    assert_int_equal(p->payload_length, 0);
    decoded_free(&d);
}

static void a_later_ipv6_fragment_has_no_transport_header(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv6(&f, 44, 16);
    FRAME_ADD(&f, 6, 0, 0x05, 0xa9, 0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8);
    struct decoded d = decode(LINK_RAW, f.bytes, f.length);
    assert_int_equal(d.packet.fault, FAULT_NONE);
    assert_int_equal(d.packet.transport, TRANSPORT_FRAGMENT);
    assert_int_equal(d.packet.ip_protocol, 6);
    assert_int_equal(d.packet.fragment_offset, 1448);
    assert_true(d.packet.more_fragments);
    assert_int_equal(d.packet.ip_identification, 9);
    assert_int_equal(d.packet.payload_at, 48);
    assert_int_equal(d.packet.payload_length, 8);
    assert_string_equal(packet_protocol_name(&d.packet), "IPv6");
    decoded_free(&d);
}

static void endless_extension_headers_are_a_fault(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv6(&f, 60, 50 * 8);
    for (int i = 0; i < 50; i++)
        FRAME_ADD(&f, 60, 0, 1, 4, 0, 0, 0, 0);
    struct decoded d = decode(LINK_RAW, f.bytes, f.length);
    assert_int_equal(d.packet.fault, FAULT_NESTING);
    assert_int_equal(d.packet.transport, TRANSPORT_NONE);
    assert_string_equal(packet_fault_text(&d.packet), "too many extension headers");
    decoded_free(&d);
}

static void a_long_chain_of_headers_is_255(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv6(&f, 60, 264 + 8);
    FRAME_ADD(&f, 17, 32, 1, 253);
    for (int i = 0; i < 260; i++)
        FRAME_ADD(&f, i == 253 ? 1 : i == 254 ? 5 : 0);
    frame_udp(&f, 0);
    struct decoded d = decode(LINK_RAW, f.bytes, f.length);
    assert_int_equal(d.packet.fault, FAULT_NONE);
    assert_int_equal(d.packet.ip_header_length, 255);
    assert_int_equal(d.packet.transport_at, 304);
    decoded_free(&d);
}

static void broken_ipv6_options_are_marked(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv6(&f, 0, 16);
    FRAME_ADD(&f, 17, 0, 1, 9, 0, 0, 0, 0);
    frame_udp(&f, 0);
    struct decoded d = decode(LINK_RAW, f.bytes, f.length);
    assert_int_equal(d.packet.fault, FAULT_OPTION);
    assert_int_equal(d.packet.fault_at, 42);
    assert_string_equal(packet_fault_text(&d.packet), "broken IPv6 option");
    assert_int_equal(d.packet.source.port, 53);
    decoded_free(&d);
}

static void a_jumbo_payload_has_its_length_in_an_option(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv6(&f, 0, 0);
    FRAME_ADD(&f, 6, 0, 0xc2, 4, 0, 1, 0x11, 0x70); /* 70000 */
    frame_tcp(&f);
    FRAME_ADD(&f, 1, 2, 3);
    struct decoded d = decode_cut(LINK_RAW, f.bytes, f.length, 70040);
    assert_int_equal(d.packet.fault, FAULT_NONE);
    assert_int_equal(d.packet.ip_total_length, 70040);
    assert_int_equal(d.packet.payload_length, 70000 - 28);
    assert_int_equal(d.packet.payload_captured, 3);
    decoded_free(&d);

    /* One that ends before its own header does. */
    f.bytes[44] = f.bytes[45] = f.bytes[46] = f.bytes[47] = 0;
    d = decode(LINK_RAW, f.bytes, f.length);
    assert_int_equal(d.packet.fault, FAULT_LENGTH);
    decoded_free(&d);
}

static void an_ipv6_payload_length_of_zero_reaches_to_the_frames_end(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv6(&f, 6, 0);
    frame_tcp(&f);
    FRAME_ADD(&f, 1, 2, 3);
    struct decoded d = decode(LINK_RAW, f.bytes, f.length);
    assert_int_equal(d.packet.fault, FAULT_NONE);
    assert_int_equal(d.packet.payload_length, 3);
    decoded_free(&d);
    f.bytes[6] = 59; /* but nothing follows "no next header" */
    d = decode(LINK_RAW, f.bytes, f.length);
    assert_int_equal(d.packet.fault, FAULT_NONE);
    assert_int_equal(d.packet.transport, TRANSPORT_NONE);
    assert_int_equal(d.packet.payload_length, 0);
    decoded_free(&d);
}

static void an_authentication_header_is_stepped_over_in_ipv4(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv4(&f, 51, 24 + 20);
    FRAME_ADD(&f, 6, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9);
    frame_tcp(&f);
    struct decoded d = decode(LINK_RAW, f.bytes, f.length);
    assert_int_equal(d.packet.fault, FAULT_NONE);
    assert_int_equal(d.packet.transport, TRANSPORT_TCP);
    assert_int_equal(d.packet.ip_protocol, 6);
    assert_int_equal(d.packet.transport_at, 44);
    decoded_free(&d);
}

static void other_transports_are_named(void **state)
{
    (void)state;
    static const struct {
        uint8_t protocol;
        const char *name;
    } others[] = {{2, "IGMP"},   {47, "GRE"}, {50, "ESP"},
                  {132, "SCTP"}, {4, "IPv4"}, {58, "ICMPv6"}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct frame f = {0};
        frame_ipv4(&f, others[i].protocol, 8);
        FRAME_ADD(&f, 1, 2, 3, 4, 5, 6, 7, 8);
        struct decoded d = decode(LINK_RAW, f.bytes, f.length);
        assert_int_equal(d.packet.transport, TRANSPORT_OTHER);
        assert_int_equal(d.packet.payload_at, 20);
        assert_string_equal(packet_protocol_name(&d.packet), others[i].name);
        decoded_free(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ipv4_header_is_read),
        cmocka_unit_test(ethernet_padding_is_no_payload),
        cmocka_unit_test(a_total_length_of_zero_reaches_to_the_frames_end),
        cmocka_unit_test(an_impossible_header_length_stops),
        cmocka_unit_test(a_total_length_below_the_header_stops),
        cmocka_unit_test(a_total_length_beyond_the_frame_is_marked_and_decoding_goes_on),
        cmocka_unit_test(ipv4_options_are_stepped_over),
        cmocka_unit_test(broken_ipv4_options_are_marked_and_udp_holds),
        cmocka_unit_test(ipv4_fragments_are_told_apart),
        cmocka_unit_test(the_ipv6_header_is_read),
        cmocka_unit_test(every_extension_header_is_stepped_over),
        cmocka_unit_test(a_later_ipv6_fragment_has_no_transport_header),
        cmocka_unit_test(endless_extension_headers_are_a_fault),
        cmocka_unit_test(a_long_chain_of_headers_is_255),
        cmocka_unit_test(broken_ipv6_options_are_marked),
        cmocka_unit_test(a_jumbo_payload_has_its_length_in_an_option),
        cmocka_unit_test(an_ipv6_payload_length_of_zero_reaches_to_the_frames_end),
        cmocka_unit_test(an_authentication_header_is_stepped_over_in_ipv4),
        cmocka_unit_test(other_transports_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
