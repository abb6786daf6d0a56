/* The TCP header and every option. */
#include "frames.h"

/* Decodes a TCP header with these options, padded by the caller to whole words, and payload. */
static struct decoded with_options(const uint8_t *options, uint8_t length, uint16_t payload)
{
    struct frame f = {0};
    frame_ipv4(&f, 6, (uint16_t)(20 + length + payload));
    FRAME_ADD(&f, 0x03, 0xe8, 0x07, 0xd0, 0x80, 0, 0, 1, 0x90, 0, 0, 2,
              (uint8_t)((5 + length / 4) << 4), 0x12, 0x10, 0x01, 0, 0, 0, 7);
    frame_add(&f, options, length);
    for (unsigned i = 0; i < payload; i++)
        FRAME_ADD(&f, (uint8_t)i);
    return decode(LINK_RAW, f.bytes, f.length);
}

#define WITH(...)                                                                                  \
    with_options((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), 3)

static void the_fixed_header_is_read(void **state)
{
    (void)state;
    struct decoded d = with_options(NULL, 0, 5);
    const struct packet *p = &d.packet;
    assert_int_equal(p->fault, FAULT_NONE);
    assert_int_equal(p->transport, TRANSPORT_TCP);
    assert_int_equal(p->source.port, 1000);
    assert_int_equal(p->destination.port, 2000);
    assert_int_equal(p->tcp.seq, 0x80000001);
    assert_int_equal(p->tcp.ack, 0x90000002);
    assert_int_equal(p->tcp.flags, TCP_SYN | TCP_ACK);
    assert_int_equal(p->tcp.window, 0x1001);
    assert_int_equal(p->tcp.urgent, 7);
    assert_int_equal(p->tcp.header_length, 20);
    assert_int_equal(p->tcp.options_seen, 0);
    assert_int_equal(p->payload_at, 40);
    assert_int_equal(p->payload_length, 5);
    assert_int_equal(p->payload_captured, 5);
    decoded_free(&d);
}

static void a_loopback_syn_is_read_as_a_whole(void **state)
{
    (void)state;
    struct decoded d = decode(LINK_ETHERNET, frame_loopback_syn, sizeof frame_loopback_syn);
    const struct packet *p = &d.packet;
    assert_int_equal(p->tcp.header_length, 40);
    assert_int_equal(p->tcp.flags, TCP_SYN);
    assert_int_equal(p->tcp.options_seen, TCP_SEEN_MSS | TCP_SEEN_SACK_PERMITTED |
                                              TCP_SEEN_TIMESTAMPS | TCP_SEEN_WINDOW_SCALE);
    assert_int_equal(p->tcp.mss, 65495);
    assert_int_equal(p->tcp.window_scale, 7);
    assert_int_equal(p->tcp.timestamp_value, 0x11223344);
    assert_int_equal(p->tcp.timestamp_echo, 0);
    assert_int_equal(p->payload_length, 0);
    assert_int_equal(p->transport_checksum, CHECKSUM_PARTIAL);
    assert_int_equal(p->network_checksum, CHECKSUM_GOOD);
    decoded_free(&d);
}

static void sack_blocks_are_read_up_to_four(void **state)
{
    (void)state;
    struct decoded d = WITH(1, 1, 5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4);
    assert_int_equal(d.packet.fault, FAULT_NONE);
    assert_int_equal(d.packet.tcp.options_seen, TCP_SEEN_SACK);
    assert_int_equal(d.packet.tcp.sack_count, 2);
    assert_int_equal(d.packet.tcp.sack[0][0], 1);
    assert_int_equal(d.packet.tcp.sack[1][1], 4);
    decoded_free(&d);

    uint8_t full[36] = {1, 1, 5, 34};
    full[35] = 9;
    d = with_options(full, sizeof full, 0);
    assert_int_equal(d.packet.tcp.sack_count, 4);
    assert_int_equal(d.packet.tcp.sack[3][1], 9);
    decoded_free(&d);
}

static void fast_open_is_read_in_both_codings(void **state)
{
    (void)state;
    struct decoded d = WITH(34, 2, 1, 1);
    assert_int_equal(d.packet.tcp.options_seen, TCP_SEEN_FAST_OPEN);
    assert_int_equal(d.packet.tcp.fast_open_length, 0);
    decoded_free(&d);
    d = WITH(34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1);
    assert_int_equal(d.packet.tcp.fast_open_length, 8);
    decoded_free(&d);
    d = WITH(254, 8, 0xf9, 0x89, 1, 2, 3, 4);
    assert_int_equal(d.packet.tcp.options_seen, TCP_SEEN_FAST_OPEN);
    assert_int_equal(d.packet.tcp.fast_open_length, 4);
    decoded_free(&d);
    d = WITH(254, 4, 0x12, 0x34);
    assert_int_equal(d.packet.tcp.options_seen, TCP_SEEN_OTHER);
    decoded_free(&d);
}

static void mptcp_md5_and_others_are_told_apart(void **state)
{
    (void)state;
    struct decoded d = WITH(30, 4, 0x21, 0);
    assert_int_equal(d.packet.tcp.options_seen, TCP_SEEN_MPTCP);
    assert_int_equal(d.packet.tcp.mptcp_subtype, 2);
    decoded_free(&d);
    uint8_t md5[20] = {19, 18};
    md5[18] = 1;
    md5[19] = 1;
    d = with_options(md5, sizeof md5, 0);
    assert_int_equal(d.packet.fault, FAULT_NONE);
    assert_int_equal(d.packet.tcp.options_seen, TCP_SEEN_MD5);
    decoded_free(&d);
    d = WITH(28, 4, 0, 9, 4, 2, 0, 0);
    assert_int_equal(d.packet.tcp.options_seen, TCP_SEEN_OTHER | TCP_SEEN_SACK_PERMITTED);
    decoded_free(&d);
}

static void the_end_option_ends_the_options(void **state)
{
    (void)state;
    struct decoded d = WITH(0, 2, 4, 5, 9, 9, 9, 9);
    assert_int_equal(d.packet.fault, FAULT_NONE);
    assert_int_equal(d.packet.tcp.options_seen, 0);
    decoded_free(&d);
}

static void check_broken(const uint8_t *options, uint8_t length, uint32_t fault_at, uint16_t seen)
{
    struct decoded d = with_options(options, length, 3);
    assert_int_equal(d.packet.fault, FAULT_OPTION);
    assert_int_equal(d.packet.fault_at, 40 + fault_at);
    assert_int_equal(d.packet.tcp.options_seen, seen);
    assert_string_equal(packet_fault_text(&d.packet), "broken TCP option");
    /* The header and the payload hold nevertheless. */
    assert_int_equal(d.packet.tcp.header_length, 20 + length);
    assert_int_equal(d.packet.payload_length, 3);
    decoded_free(&d);
}

#define BROKEN(fault_at, seen, ...)                                                                \
    check_broken((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), fault_at, \
                 seen)

static void broken_options_are_marked_and_the_rest_holds(void **state)
{
    (void)state;
    BROKEN(1, 0, 1, 99, 0, 0);                                  /* length 0 */
    BROKEN(1, 0, 1, 99, 1, 0);                                  /* length 1 */
    BROKEN(3, 0, 1, 1, 1, 2);                                   /* no length at all */
    BROKEN(2, TCP_SEEN_SACK_PERMITTED, 4, 2, 2, 4);             /* never ends */
    BROKEN(0, 0, 99, 41, 0, 0);                                 /* beyond the header */
    BROKEN(0, TCP_SEEN_SACK_PERMITTED, 2, 6, 0, 0, 0, 0, 4, 2); /* MSS of a wrong length */
    BROKEN(0, 0, 3, 4, 0, 0);                                   /* window scale of a wrong length */
    BROKEN(0, 0, 5, 6, 0, 0, 0, 0, 1, 1);                       /* half a SACK block */
    BROKEN(0, 0, 5, 2, 1, 1);                                   /* SACK without a block */
    BROKEN(0, 0, 8, 4, 0, 0);                                   /* half a timestamp */
    BROKEN(0, 0, 30, 2, 1, 1);                                  /* MPTCP without a subtype */
    BROKEN(0, 0, 19, 4, 0, 0);                                  /* no digest */
    BROKEN(0, 0, 4, 4, 0, 0); /* SACK permitted of a wrong length */
}

static void an_impossible_data_offset_stops(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv4(&f, 6, 24);
    frame_tcp(&f);
    FRAME_ADD(&f, 1, 2, 3, 4);
    for (int offset = 0; offset < 16; offset++) {
        f.bytes[32] = (uint8_t)(offset << 4);
        struct decoded d = decode(LINK_RAW, f.bytes, f.length);
        if (offset == 5 || offset == 6) {
            assert_int_equal(d.packet.tcp.header_length, offset * 4);
            assert_int_equal(d.packet.payload_length, 24 - offset * 4);
        } else {
            assert_int_equal(d.packet.fault, FAULT_LENGTH);
            assert_int_equal(d.packet.fault_at, 32);
            assert_int_equal(d.packet.tcp.header_length, 0);
            assert_int_equal(d.packet.payload_length, 0);
            assert_int_equal(d.packet.source.port, 1000);
            assert_int_equal(d.packet.tcp.seq, 1);
        }
        decoded_free(&d);
    }
}

static void a_snap_length_cuts_the_payload_not_its_length(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv4(&f, 6, 20 + 100);
    frame_tcp(&f);
    FRAME_ADD(&f, 1, 2, 3, 4);
    struct decoded d = decode_cut(LINK_RAW, f.bytes, f.length, f.length + 96);
    assert_int_equal(d.packet.fault, FAULT_NONE);
    assert_int_equal(d.packet.payload_length, 100);
    assert_int_equal(d.packet.payload_captured, 4);
    assert_int_equal(d.packet.transport_checksum, CHECKSUM_UNKNOWN);
    decoded_free(&d);
}

static void options_cut_by_the_capture_leave_the_payload_length(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv4(&f, 6, 32 + 10);
    frame_tcp(&f);
    f.bytes[32] = 0x80;
    FRAME_ADD(&f, 3, 3, 5, 8, 10, 0, 0);
    struct decoded d = decode_cut(LINK_RAW, f.bytes, f.length, 62);
    assert_int_equal(d.packet.fault, FAULT_CUT);
    assert_string_equal(packet_fault_text(&d.packet), "cut short in the TCP header");
    assert_int_equal(d.packet.tcp.header_length, 32);
    assert_int_equal(d.packet.tcp.options_seen, TCP_SEEN_WINDOW_SCALE);
    assert_int_equal(d.packet.tcp.window_scale, 5);
    assert_int_equal(d.packet.payload_length, 10);
    assert_int_equal(d.packet.payload_captured, 0);
    assert_int_equal(d.packet.payload_at, f.length);
    decoded_free(&d);
}

static void no_room_for_the_header_is_not_a_cut(void **state)
{
    (void)state;
    struct frame f = {0};
    FRAME_ADD(&f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0);
    frame_ipv4(&f, 6, 10);
    frame_tcp(&f); /* half of which is padding */
    struct decoded d = decode(LINK_ETHERNET, f.bytes, f.length);
    assert_int_equal(d.packet.fault, FAULT_LENGTH);
    assert_int_equal(d.packet.tcp.header_length, 0);
    assert_int_equal(d.packet.tcp.seq, 1);
    assert_int_equal(d.packet.tcp.ack, 0);
    assert_int_equal(d.packet.payload_at, 44);
    decoded_free(&d);
}

static void padding_is_not_taken_for_ports(void **state)
{
    (void)state;
    struct frame f = {0};
    FRAME_ADD(&f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0);
    frame_ipv4(&f, 6, 3);
    frame_tcp(&f); /* all of which is padding but three bytes */
    struct decoded d = decode(LINK_ETHERNET, f.bytes, f.length);
    assert_int_equal(d.packet.transport, TRANSPORT_TCP);
    assert_false(d.packet.has_ports);
    decoded_free(&d);
    f.bytes[17] = 24; /* four bytes */
    d = decode(LINK_ETHERNET, f.bytes, f.length);
    assert_true(d.packet.has_ports);
    decoded_free(&d);
}

static void all_flags_but_no_reserved_bits_are_read(void **state)
{
    (void)state;
    struct frame f = {0};
    frame_ipv4(&f, 6, 20);
    frame_tcp(&f);
    f.bytes[32] = 0x5f;
    f.bytes[33] = 0xff;
    struct decoded d = decode(LINK_RAW, f.bytes, f.length);
    assert_int_equal(d.packet.tcp.flags, 0x1ff);
    decoded_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fixed_header_is_read),
        cmocka_unit_test(a_loopback_syn_is_read_as_a_whole),
        cmocka_unit_test(sack_blocks_are_read_up_to_four),
        cmocka_unit_test(fast_open_is_read_in_both_codings),
        cmocka_unit_test(mptcp_md5_and_others_are_told_apart),
        cmocka_unit_test(the_end_option_ends_the_options),
        cmocka_unit_test(broken_options_are_marked_and_the_rest_holds),
        cmocka_unit_test(an_impossible_data_offset_stops),
        cmocka_unit_test(a_snap_length_cuts_the_payload_not_its_length),
        cmocka_unit_test(options_cut_by_the_capture_leave_the_payload_length),
        cmocka_unit_test(no_room_for_the_header_is_not_a_cut),
        cmocka_unit_test(padding_is_not_taken_for_ports),
        cmocka_unit_test(all_flags_but_no_reserved_bits_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
