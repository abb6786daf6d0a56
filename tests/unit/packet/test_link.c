/* Link headers: from the frame's first byte to the network header. */
#include "frames.h"

static void ethernet_leads_to_ipv4(void **state)
{
    (void)state;
    struct decoded d = decode(LINK_ETHERNET, frame_loopback_syn, sizeof frame_loopback_syn);
    assert_int_equal(d.packet.fault, FAULT_NONE);
    assert_int_equal(d.packet.ether_type, 0x0800);
    assert_int_equal(d.packet.network, NETWORK_IPV4);
    assert_int_equal(d.packet.network_at, 14);
    assert_int_equal(d.packet.transport_at, 34);
    assert_string_equal(packet_protocol_name(&d.packet), "TCP");
    decoded_free(&d);
}

static void one_vlan_tag_is_read(void **state)
{
    (void)state;
    struct frame f = {0};
    FRAME_ADD(&f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x81, 0x00, 0xb0, 0x64, 0x08, 0x00);
    frame_ipv4(&f, 17, 8);
    frame_udp(&f, 0);
    struct decoded d = decode(LINK_ETHERNET, f.bytes, f.length);
    assert_int_equal(d.packet.fault, FAULT_NONE);
    assert_int_equal(d.packet.vlan_count, 1);
    assert_int_equal(d.packet.vlans[0], 0xb064);
    assert_int_equal(d.packet.network_at, 18);
    assert_int_equal(d.packet.transport, TRANSPORT_UDP);
    decoded_free(&d);
}

static void stacked_tags_are_read_in_all_three_types(void **state)
{
    (void)state;
    struct frame f = {0};
    FRAME_ADD(&f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x88, 0xa8, 0, 1, 0x91, 0, 0, 2, 0x81, 0,
              0, 3, 0x86, 0xdd);
    frame_ipv6(&f, 59, 0);
    struct decoded d = decode(LINK_ETHERNET, f.bytes, f.length);
    assert_int_equal(d.packet.fault, FAULT_NONE);
    assert_int_equal(d.packet.vlan_count, 3);
    assert_int_equal(d.packet.vlans[2], 3);
    assert_int_equal(d.packet.network, NETWORK_IPV6);
    decoded_free(&d);
}

static void a_fifth_tag_is_one_too_many(void **state)
{
    (void)state;
    struct frame f = {0};
    FRAME_ADD(&f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x81, 0);
    for (int i = 0; i < 5; i++)
        FRAME_ADD(&f, 0, 1, 0x81, 0);
    struct decoded d = decode(LINK_ETHERNET, f.bytes, f.length);
    assert_int_equal(d.packet.fault, FAULT_NESTING);
    assert_int_equal(d.packet.fault_at, 14 + 16);
    assert_int_equal(d.packet.vlan_count, PACKET_VLANS);
    assert_string_equal(packet_fault_text(&d.packet), "too many VLAN tags");
    decoded_free(&d);
}

static void a_length_field_bounds_an_llc_frame(void **state)
{
    (void)state;
    struct frame f = {0};
    /* Spanning tree: 802.3 length 7, LLC 42 42 03, four bytes, then padding. */
    FRAME_ADD(&f, 1, 0x80, 0xc2, 0, 0, 0, 7, 8, 9, 10, 11, 12, 0, 7, 0x42, 0x42, 3, 1, 2, 3, 4, 0,
              0, 0, 0);
    struct decoded d = decode(LINK_ETHERNET, f.bytes, f.length);
    assert_int_equal(d.packet.fault, FAULT_NONE);
    assert_int_equal(d.packet.network, NETWORK_OTHER);
    assert_int_equal(d.packet.ether_type, 0);
    assert_int_equal(d.packet.payload_at, 17);
    assert_int_equal(d.packet.payload_length, 4);
    assert_string_equal(packet_protocol_name(&d.packet), "LLC");
    decoded_free(&d);
}

static void snap_leads_to_ipv4(void **state)
{
    (void)state;
    struct frame f = {0};
    FRAME_ADD(&f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 36, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0);
    frame_ipv4(&f, 17, 8);
    frame_udp(&f, 0);
    struct decoded d = decode(LINK_ETHERNET, f.bytes, f.length);
    assert_int_equal(d.packet.fault, FAULT_NONE);
    assert_int_equal(d.packet.network, NETWORK_IPV4);
    assert_int_equal(d.packet.network_at, 22);
    assert_int_equal(d.packet.source.port, 53);
    decoded_free(&d);
}

static void an_impossible_length_field_is_marked(void **state)
{
    (void)state;
    struct frame f = {0};
    FRAME_ADD(&f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 1, 0, 0x42, 0x42, 3, 9);
    struct decoded d = decode(LINK_ETHERNET, f.bytes, f.length);
    assert_int_equal(d.packet.fault, FAULT_LENGTH);
    assert_int_equal(d.packet.fault_at, 12);
    assert_string_equal(packet_fault_text(&d.packet), "impossible length in the link header");
    decoded_free(&d);
    f.bytes[12] = 5; /* 1500 < 0x05ff < 0x0600: neither length nor type */
    f.bytes[13] = 0xff;
    d = decode(LINK_ETHERNET, f.bytes, f.length);
    assert_int_equal(d.packet.fault, FAULT_LENGTH);
    decoded_free(&d);
}

static void an_unknown_ether_type_is_payload(void **state)
{
    (void)state;
    struct frame f = {0};
    FRAME_ADD(&f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x88, 0xcc, 1, 2, 3);
    struct decoded d = decode(LINK_ETHERNET, f.bytes, f.length);
    assert_int_equal(d.packet.network, NETWORK_OTHER);
    assert_int_equal(d.packet.ether_type, 0x88cc);
    assert_int_equal(d.packet.payload_at, 14);
    assert_int_equal(d.packet.payload_length, 3);
    assert_string_equal(packet_protocol_name(&d.packet), "LLDP");
    decoded_free(&d);
}

static void cooked_frames_of_both_versions_lead_to_ip(void **state)
{
    (void)state;
    struct frame f = {0};
    FRAME_ADD(&f, 0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0);
    frame_ipv4(&f, 17, 8);
    frame_udp(&f, 0);
    struct decoded d = decode(LINK_LINUX_SLL, f.bytes, f.length);
    assert_int_equal(d.packet.fault, FAULT_NONE);
    assert_int_equal(d.packet.network_at, 16);
    assert_int_equal(d.packet.transport, TRANSPORT_UDP);
    decoded_free(&d);

    struct frame g = {0};
    FRAME_ADD(&g, 0x86, 0xdd, 0, 0, 0, 0, 0, 2, 0, 1, 4, 6, 1, 2, 3, 4, 5, 6, 0, 0);
    frame_ipv6(&g, 17, 8);
    frame_udp(&g, 0);
    d = decode(LINK_LINUX_SLL2, g.bytes, g.length);
    assert_int_equal(d.packet.fault, FAULT_NONE);
    assert_int_equal(d.packet.network_at, 20);
    assert_int_equal(d.packet.network, NETWORK_IPV6);
    assert_int_equal(d.packet.transport, TRANSPORT_UDP);
    decoded_free(&d);
}

static void cooked_netlink_is_no_ip(void **state)
{
    (void)state;
    struct frame f = {0};
    FRAME_ADD(&f, 0, 4, 0x03, 0x38, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 1, 2, 3, 4);
    struct decoded d = decode(LINK_LINUX_SLL, f.bytes, f.length);
    assert_int_equal(d.packet.network, NETWORK_OTHER);
    assert_int_equal(d.packet.payload_at, 16);
    assert_string_equal(packet_protocol_name(&d.packet), "Linux cooked");
    decoded_free(&d);
}

static void check_family(uint32_t link_type, uint8_t b0, uint8_t b1, uint8_t b2, uint8_t b3,
                         enum packet_network network)
{
    struct frame f = {0};
    FRAME_ADD(&f, b0, b1, b2, b3);
    if (network == NETWORK_IPV6)
        frame_ipv6(&f, 17, 8);
    else
        frame_ipv4(&f, 17, 8);
    frame_udp(&f, 0);
    struct decoded d = decode(link_type, f.bytes, f.length);
    assert_int_equal(d.packet.fault, FAULT_NONE);
    assert_int_equal(d.packet.network, network);
    assert_int_equal(d.packet.network_at, 4);
    assert_int_equal(d.packet.ether_type, 0);
    decoded_free(&d);
}

static void families_are_read_in_either_byte_order(void **state)
{
    (void)state;
    static const uint8_t ipv6[] = {10, 24, 28, 30};
    check_family(LINK_NULL, 2, 0, 0, 0, NETWORK_IPV4);
    check_family(LINK_NULL, 0, 0, 0, 2, NETWORK_IPV4);
    check_family(LINK_LOOP, 0, 0, 0, 2, NETWORK_IPV4);
    for (size_t i = 0; i < sizeof ipv6; i++) {
        check_family(LINK_NULL, ipv6[i], 0, 0, 0, NETWORK_IPV6);
        check_family(LINK_NULL, 0, 0, 0, ipv6[i], NETWORK_IPV6);
        check_family(LINK_LOOP, 0, 0, 0, ipv6[i], NETWORK_IPV6);
    }
    check_family(LINK_NULL, 7, 0, 0, 0, NETWORK_OTHER);
}

static void raw_links_look_at_the_version(void **state)
{
    (void)state;
    static const uint32_t raw[] = {LINK_RAW, LINK_RAW_BSD, LINK_RAW_OPENBSD};
    struct frame four = {0}, six = {0};
    frame_ipv4(&four, 17, 8);
    frame_udp(&four, 0);
    frame_ipv6(&six, 17, 8);
    frame_udp(&six, 0);
    for (size_t i = 0; i < 3; i++) {
        struct decoded d = decode(raw[i], four.bytes, four.length);
        assert_int_equal(d.packet.network, NETWORK_IPV4);
        assert_int_equal(d.packet.network_at, 0);
        assert_int_equal(d.packet.transport_at, 20);
        decoded_free(&d);
        d = decode(raw[i], six.bytes, six.length);
        assert_int_equal(d.packet.network, NETWORK_IPV6);
        assert_int_equal(d.packet.transport_at, 40);
        decoded_free(&d);
    }
    struct decoded d = decode(LINK_IPV4, four.bytes, four.length);
    assert_int_equal(d.packet.network, NETWORK_IPV4);
    decoded_free(&d);
    d = decode(LINK_IPV6, six.bytes, six.length);
    assert_int_equal(d.packet.network, NETWORK_IPV6);
    decoded_free(&d);
}

static void a_wrong_version_is_a_fault(void **state)
{
    (void)state;
    static const uint8_t junk[24] = {0x55};
    struct decoded d = decode(LINK_RAW, junk, sizeof junk);
    assert_int_equal(d.packet.fault, FAULT_VERSION);
    assert_int_equal(d.packet.network, NETWORK_NONE);
    assert_string_equal(packet_fault_text(&d.packet), "neither IP version 4 nor 6");
    decoded_free(&d);
    d = decode(LINK_IPV4, junk, sizeof junk);
    assert_int_equal(d.packet.fault, FAULT_VERSION);
    assert_string_equal(packet_fault_text(&d.packet), "IP version is not 4 in the IPv4 header");
    decoded_free(&d);
    d = decode(LINK_IPV6, junk, sizeof junk);
    assert_int_equal(d.packet.fault, FAULT_VERSION);
    assert_int_equal(d.packet.source.family, 0);
    decoded_free(&d);
}

static void an_unknown_link_type_is_all_payload(void **state)
{
    (void)state;
    struct decoded d = decode(127, frame_loopback_syn, sizeof frame_loopback_syn);
    assert_int_equal(d.packet.fault, FAULT_NONE);
    assert_int_equal(d.packet.network, NETWORK_NONE);
    assert_int_equal(d.packet.payload_at, 0);
    assert_int_equal(d.packet.payload_length, sizeof frame_loopback_syn);
    assert_string_equal(packet_protocol_name(&d.packet), "unknown link type");
    decoded_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ethernet_leads_to_ipv4),
        cmocka_unit_test(one_vlan_tag_is_read),
        cmocka_unit_test(stacked_tags_are_read_in_all_three_types),
        cmocka_unit_test(a_fifth_tag_is_one_too_many),
        cmocka_unit_test(a_length_field_bounds_an_llc_frame),
        cmocka_unit_test(snap_leads_to_ipv4),
        cmocka_unit_test(an_impossible_length_field_is_marked),
        cmocka_unit_test(an_unknown_ether_type_is_payload),
        cmocka_unit_test(cooked_frames_of_both_versions_lead_to_ip),
        cmocka_unit_test(cooked_netlink_is_no_ip),
        cmocka_unit_test(families_are_read_in_either_byte_order),
        cmocka_unit_test(raw_links_look_at_the_version),
        cmocka_unit_test(a_wrong_version_is_a_fault),
        cmocka_unit_test(an_unknown_link_type_is_all_payload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
