/* UDP, ICMP with what it quotes, ICMPv6, ARP. */
#include "frames.h"

static void udp_is_read(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv4(&f, 17, 8 + 5);
    frame_udp(&f, 5);
    FRAME_ADD(&f, 1, 2, 3, 4, 5);
    struct decoded d = decode(LINK_RAW, f.bytes, f.length);
    assert_int_equal(d.packet.fault, FAULT_NONE);
    assert_int_equal(d.packet.source.port, 53);
    assert_int_equal(d.packet.destination.port, 5353);
    assert_int_equal(d.packet.udp.length, 13);
    assert_int_equal(d.packet.payload_at, 28);
    assert_int_equal(d.packet.payload_length, 5);
    assert_string_equal(packet_protocol_name(&d.packet), "UDP");
    decoded_free(&d);
}

static void udps_own_length_bounds_the_payload(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv4(&f, 17, 8 + 5);
    frame_udp(&f, 2);
    FRAME_ADD(&f, 1, 2, 3, 4, 5);
    struct decoded d = decode(LINK_RAW, f.bytes, f.length);
    assert_int_equal(d.packet.fault, FAULT_NONE);
    assert_int_equal(d.packet.payload_length, 2);
    assert_int_equal(d.packet.payload_captured, 2);
    decoded_free(&d);
    f.bytes[25] = 99; /* more than IP has */
    d = decode(LINK_RAW, f.bytes, f.length);
    assert_int_equal(d.packet.fault, FAULT_LENGTH);
    assert_int_equal(d.packet.fault_at, 24);
    assert_int_equal(d.packet.payload_length, 5);
    decoded_free(&d);
    for (uint8_t length = 0; length < 8; length++) {
        f.bytes[25] = length;
        d = decode(LINK_RAW, f.bytes, f.length);
        assert_int_equal(d.packet.fault, FAULT_LENGTH);
        assert_int_equal(d.packet.payload_length, 0);
        assert_int_equal(d.packet.source.port, 53);
        assert_string_equal(packet_fault_text(&d.packet), "impossible length in the UDP header");
        decoded_free(&d);
    }
}

static void icmp_echo_is_read(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv4(&f, 1, 12);
    FRAME_ADD(&f, 8, 0, 0, 0, 0x12, 0x34, 0, 9, 1, 2, 3, 4);
    struct decoded d = decode(LINK_RAW, f.bytes, f.length);
    assert_int_equal(d.packet.transport, TRANSPORT_ICMP);
    assert_int_equal(d.packet.icmp.type, 8);
    assert_int_equal(d.packet.icmp.rest, 0x12340009);
    assert_int_equal(d.packet.icmp.quoted_at, 0);
    assert_int_equal(d.packet.payload_length, 4);
    assert_string_equal(icmp_type_text(&d.packet), "echo request");
    struct packet quoted;
    assert_false(packet_decode_quoted(&d.packet, &quoted));
    decoded_free(&d);
}

static void port_unreachable_quotes_the_datagram(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv4(&f, 1, 8 + 28);
    FRAME_ADD(&f, 3, 3, 0, 0, 0, 0, 0, 0);
    frame_ipv4(&f, 17, 8 + 100);
    frame_udp(&f, 100);
    struct decoded d = decode(LINK_RAW, f.bytes, f.length);
    assert_string_equal(icmp_type_text(&d.packet), "destination unreachable: port unreachable");
    assert_int_equal(d.packet.icmp.quoted_at, 28);
    struct packet quoted;
    assert_true(packet_decode_quoted(&d.packet, &quoted));
    assert_int_equal(quoted.fault, FAULT_NONE);
    assert_int_equal(quoted.transport, TRANSPORT_UDP);
    assert_int_equal(quoted.source.port, 53);
    assert_int_equal(quoted.destination.port, 5353);
    assert_int_equal(quoted.payload_length, 100);
    assert_int_equal(quoted.payload_captured, 0);
    assert_ptr_equal(quoted.bytes, d.packet.bytes + 28);
    decoded_free(&d);
}

static void eight_quoted_bytes_of_tcp_have_ports_and_seq(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv4(&f, 1, 8 + 28);
    FRAME_ADD(&f, 11, 0, 0, 0, 0, 0, 0, 0);
    frame_ipv4(&f, 6, 40);
    FRAME_ADD(&f, 0x03, 0xe8, 0x07, 0xd0, 0x01, 0x02, 0x03, 0x04);
    struct decoded d = decode(LINK_RAW, f.bytes, f.length);
    struct packet quoted;
    assert_true(packet_decode_quoted(&d.packet, &quoted));
    assert_int_equal(quoted.fault, FAULT_CUT);
    assert_int_equal(quoted.transport, TRANSPORT_TCP);
    assert_int_equal(quoted.source.port, 1000);
    assert_int_equal(quoted.destination.port, 2000);
    assert_int_equal(quoted.tcp.seq, 0x01020304);
    assert_int_equal(quoted.tcp.header_length, 0);
    decoded_free(&d);
}

static void the_quote_ends_where_extensions_begin(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv4(&f, 1, 8 + 28 + 8);
    FRAME_ADD(&f, 3, 3, 0, 0, 0, 7, 0, 0); /* RFC 4884: seven words are quoted */
    frame_ipv4(&f, 17, 8);
    frame_udp(&f, 0);
    FRAME_ADD(&f, 0x20, 0, 0, 0, 0, 4, 1, 1);
    struct decoded d = decode(LINK_RAW, f.bytes, f.length);
    struct packet quoted;
    assert_true(packet_decode_quoted(&d.packet, &quoted));
    assert_int_equal(quoted.captured, 28);
    decoded_free(&d);
}

static void icmpv6_quotes_ipv6(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv6(&f, 58, 8 + 48);
    FRAME_ADD(&f, 2, 0, 0, 0, 0, 0, 5, 0);
    frame_ipv6(&f, 17, 1400);
    frame_udp(&f, 1392);
    struct decoded d = decode(LINK_RAW, f.bytes, f.length);
    assert_int_equal(d.packet.transport, TRANSPORT_ICMPV6);
    assert_string_equal(icmp_type_text(&d.packet), "packet too big");
    assert_int_equal(d.packet.icmp.rest, 1280);
    struct packet quoted;
    assert_true(packet_decode_quoted(&d.packet, &quoted));
    assert_int_equal(quoted.fault, FAULT_NONE);
    assert_int_equal(quoted.length, 1440);
    assert_int_equal(quoted.source.port, 53);
    decoded_free(&d);
}

static void a_cut_icmp_header_is_no_echo_reply(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv4(&f, 1, 8);
    struct decoded d = decode_cut(LINK_RAW, f.bytes, f.length, 28);
    assert_int_equal(d.packet.fault, FAULT_CUT);
    assert_int_equal(d.packet.icmp.type, 255);
    assert_string_equal(icmp_type_text(&d.packet), "unknown type");
    assert_string_equal(packet_fault_text(&d.packet), "cut short in the ICMP header");
    struct packet quoted;
    assert_false(packet_decode_quoted(&d.packet, &quoted));
    decoded_free(&d);
    FRAME_ADD(&f, 3, 1);
    d = decode_cut(LINK_RAW, f.bytes, f.length, 28);
    assert_int_equal(d.packet.icmp.type, 3);
    assert_int_equal(d.packet.icmp.code, 1);
    assert_false(packet_decode_quoted(&d.packet, &quoted));
    decoded_free(&d);
}

static void arp_is_read(void **state)
{
    (void)state;
    struct frame f = {0};
    FRAME_ADD(&f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8, 6);
    FRAME_ADD(&f, 0, 1, 8, 0, 6, 4, 0, 1);
    FRAME_ADD(&f, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 9, 10, 0, 0, 2);
    FRAME_ADD(&f, 0, 0, 0, 0, 0, 0, 0, 0);
    struct decoded d = decode(LINK_ETHERNET, f.bytes, f.length);
    static const uint8_t sender[6] = {2, 0, 0, 0, 0, 1};
    assert_int_equal(d.packet.fault, FAULT_NONE);
    assert_int_equal(d.packet.network, NETWORK_ARP);
    assert_int_equal(d.packet.arp.operation, 1);
    assert_memory_equal(d.packet.arp.sender_hardware, sender, 6);
    assert_int_equal(d.packet.arp.target_hardware[5], 9);
    assert_host(&d.packet.source, "10.0.0.1");
    assert_host(&d.packet.destination, "10.0.0.2");
    assert_int_equal(d.packet.payload_length, 0);
    assert_int_equal(d.packet.payload_at, 42);
    assert_string_equal(packet_protocol_name(&d.packet), "ARP");
    decoded_free(&d);
}

static void arp_of_odd_address_lengths_has_no_addresses(void **state)
{
    (void)state;
    struct frame f = {0};
    FRAME_ADD(&f, 0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 6);
    FRAME_ADD(&f, 0, 7, 8, 0, 1, 4, 0, 2, 5, 10, 0, 0, 1, 6, 10, 0, 0, 2);
    struct decoded d = decode(LINK_LINUX_SLL, f.bytes, f.length);
    assert_int_equal(d.packet.fault, FAULT_NONE);
    assert_host(&d.packet.source, "10.0.0.1");
    assert_host(&d.packet.destination, "10.0.0.2");
    assert_int_equal(d.packet.arp.sender_hardware[0], 0);
    decoded_free(&d);
    f.bytes[16 + 5] = 255;
    d = decode(LINK_LINUX_SLL, f.bytes, f.length);
    assert_int_equal(d.packet.fault, FAULT_CUT);
    assert_string_equal(packet_fault_text(&d.packet), "cut short in the ARP message");
    decoded_free(&d);
}

static void every_icmp_type_has_a_text(void **state)
{
    (void)state;
    struct packet p = {.transport = TRANSPORT_ICMP};
    for (unsigned type = 0; type < 256; type++) {
        for (unsigned code = 0; code < 256; code++) {
            p.icmp.type = (uint8_t)type;
            p.icmp.code = (uint8_t)code;
            p.transport = TRANSPORT_ICMP;
            assert_non_null(icmp_type_text(&p));
            p.transport = TRANSPORT_ICMPV6;
            assert_non_null(icmp_type_text(&p));
        }
    }
    p.icmp.type = 128;
    p.icmp.code = 7;
    assert_string_equal(icmp_type_text(&p), "echo request");
    p.transport = TRANSPORT_ICMP;
    p.icmp.type = 3;
    p.icmp.code = 200;
    assert_string_equal(icmp_type_text(&p), "destination unreachable");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(udp_is_read),
        cmocka_unit_test(udps_own_length_bounds_the_payload),
        cmocka_unit_test(icmp_echo_is_read),
        cmocka_unit_test(port_unreachable_quotes_the_datagram),
        cmocka_unit_test(eight_quoted_bytes_of_tcp_have_ports_and_seq),
        cmocka_unit_test(the_quote_ends_where_extensions_begin),
        cmocka_unit_test(icmpv6_quotes_ipv6),
        cmocka_unit_test(a_cut_icmp_header_is_no_echo_reply),
        cmocka_unit_test(arp_is_read),
        cmocka_unit_test(arp_of_odd_address_lengths_has_no_addresses),
        cmocka_unit_test(every_icmp_type_has_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
