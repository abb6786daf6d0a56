/* Whatever a frame is cut to, nothing behind the cut is read and every promise holds. */
#include "frames.h"
#include "tiling.h"

struct sample {
    uint32_t link_type;
    struct frame frame;
};

static struct sample loopback_syn(void)
{
    struct sample s = {.link_type = LINK_ETHERNET};
    frame_add(&s.frame, frame_loopback_syn, sizeof frame_loopback_syn);
    return s;
}

static struct sample tagged_snap_udp(void)
{
    struct sample s = {.link_type = LINK_ETHERNET};
    FRAME_ADD(&s.frame, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x88, 0xa8, 0, 7, 0x81, 0, 0, 8);
    FRAME_ADD(&s.frame, 0, 48, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0);
    FRAME_ADD(&s.frame, 0x47, 0, 0, 40, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2);
    FRAME_ADD(&s.frame, 131, 7, 4, 10, 0, 0, 9, 0);
    frame_udp(&s.frame, 4);
    FRAME_ADD(&s.frame, 'a', 'b', 'c', 'd', 0, 0, 0);
    return s;
}

static struct sample extended_ipv6(void)
{
    struct sample s = {.link_type = LINK_LINUX_SLL2};
    FRAME_ADD(&s.frame, 0x86, 0xdd, 0, 0, 0, 0, 0, 2, 0, 1, 4, 6, 1, 2, 3, 4, 5, 6, 0, 0);
    frame_ipv6(&s.frame, 0, 16 + 24 + 8 + 16 + 24 + 52 + 3);
    FRAME_ADD(&s.frame, 43, 1, 5, 2, 0, 0, 1, 0, 0, 0, 0, 62, 3, 2, 3, 4);
    FRAME_ADD(&s.frame, 44, 2, 4, 1, 0, 0, 0, 0, 0x20, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3);
    FRAME_ADD(&s.frame, 60, 0, 0, 0, 0xde, 0xad, 0xbe, 0xef);
    FRAME_ADD(&s.frame, 51, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    FRAME_ADD(&s.frame, 6, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9);
    FRAME_ADD(&s.frame, 3, 232, 7, 208, 0, 0, 0, 1, 0, 0, 0, 2, 0xd0, 0x10, 1, 0, 0, 0, 0, 0);
    FRAME_ADD(&s.frame, 1, 1, 5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4);
    FRAME_ADD(&s.frame, 34, 6, 1, 2, 3, 4, 30, 4, 0x20, 1, 0, 0, 7, 7, 7);
    return s;
}

static struct sample unreachable(void)
{
    struct sample s = {.link_type = LINK_NULL};
    FRAME_ADD(&s.frame, 2, 0, 0, 0);
    frame_ipv4(&s.frame, 1, 8 + 68 + 8);
    FRAME_ADD(&s.frame, 3, 4, 0, 0, 0, 17, 5, 0xdc);
    frame_ipv4(&s.frame, 6, 1480);
    frame_add(&s.frame, frame_loopback_syn + 34, 40);
    FRAME_ADD(&s.frame, 1, 2, 3, 4, 5, 6, 7, 8);
    FRAME_ADD(&s.frame, 0x20, 0, 0, 0, 0, 4, 1, 1);
    return s;
}

static struct sample unreachable_v6(void)
{
    struct sample s = {.link_type = LINK_RAW};
    frame_ipv6(&s.frame, 58, 8 + 60);
    FRAME_ADD(&s.frame, 1, 4, 0, 0, 0, 0, 0, 0);
    frame_ipv6(&s.frame, 6, 1000);
    frame_tcp(&s.frame);
    return s;
}

static struct sample arp(void)
{
    struct sample s = {.link_type = LINK_LINUX_SLL};
    FRAME_ADD(&s.frame, 0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 0x81, 0, 0, 5, 8, 6);
    FRAME_ADD(&s.frame, 0, 1, 8, 0, 6, 4, 0, 1);
    FRAME_ADD(&s.frame, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 9, 10, 0, 0, 2, 0, 0, 0);
    return s;
}

static struct sample cooked_llc(void)
{
    struct sample s = {.link_type = LINK_LINUX_SLL};
    FRAME_ADD(&s.frame, 0, 2, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 0, 4);
    FRAME_ADD(&s.frame, 0x42, 0x42, 0, 1, 9, 9, 9, 9);
    return s;
}

static struct sample tagged_unknown(void)
{
    struct sample s = {.link_type = LINK_LOOP};
    FRAME_ADD(&s.frame, 0, 0, 0, 99, 1, 2, 3, 4, 5);
    return s;
}

static void check(const struct sample *sample, uint32_t captured, uint32_t length)
{
    struct decoded d = decode_cut(sample->link_type, sample->frame.bytes, captured, length);
    const struct packet *p = &d.packet;
    assert_int_equal(p->captured, captured);
    assert_true(p->payload_at + p->payload_captured <= captured);
    assert_true(p->payload_captured <= p->payload_length);
    assert_true(p->fault_at <= captured);
    assert_true(p->network_at <= captured && p->transport_at <= captured);
    assert_non_null(packet_protocol_name(p));
    assert_string_not_equal(packet_fault_text(p), "");
    const char *wrong = tiling_wrong(p);
    if (wrong != NULL)
        fail_msg("cut to %u: %s", captured, wrong);
    struct packet quoted;
    if (packet_decode_quoted(p, &quoted))
        assert_null(tiling_wrong(&quoted));
    decoded_free(&d);
}

static void samples(struct sample *all)
{
    all[0] = loopback_syn();
    all[1] = tagged_snap_udp();
    all[2] = extended_ipv6();
    all[3] = unreachable();
    all[4] = unreachable_v6();
    all[5] = arp();
    all[6] = cooked_llc();
    all[7] = tagged_unknown();
}

#define SAMPLES 8

static void whole_samples_have_no_fault(void **state)
{
    (void)state;
    struct sample all[SAMPLES];
    samples(all);
    for (size_t i = 0; i < SAMPLES; i++) {
        struct decoded d = decode(all[i].link_type, all[i].frame.bytes, all[i].frame.length);
        if (d.packet.fault != FAULT_NONE)
            fail_msg("sample %zu: %s", i, packet_fault_text(&d.packet));
        decoded_free(&d);
    }
}

static void every_truncation_by_the_capture_is_safe(void **state)
{
    (void)state;
    struct sample all[SAMPLES];
    samples(all);
    for (size_t i = 0; i < SAMPLES; i++)
        for (uint32_t cut = 0; cut <= all[i].frame.length; cut++)
            check(&all[i], cut, all[i].frame.length);
}

static void every_truncation_on_the_wire_is_safe(void **state)
{
    (void)state;
    struct sample all[SAMPLES];
    samples(all);
    for (size_t i = 0; i < SAMPLES; i++)
        for (uint32_t cut = 0; cut <= all[i].frame.length; cut++)
            check(&all[i], cut, cut);
}

static void every_byte_may_take_any_value(void **state)
{
    (void)state;
    static const uint8_t values[] = {0,    1,    2,    3,    4,    5,    8,   0x0f,
                                     0x3c, 0x40, 0x7f, 0x80, 0xc9, 0xfe, 0xff};
    struct sample all[SAMPLES];
    samples(all);
    for (size_t i = 0; i < SAMPLES; i++) {
        for (uint32_t at = 0; at < all[i].frame.length; at++) {
            uint8_t before = all[i].frame.bytes[at];
            for (size_t v = 0; v < sizeof values; v++) {
                all[i].frame.bytes[at] = values[v];
                check(&all[i], all[i].frame.length, all[i].frame.length);
            }
            all[i].frame.bytes[at] = before;
        }
    }
}

static void a_cut_inside_a_header_is_marked_where_the_capture_ends(void **state)
{
    (void)state;
    for (uint32_t cut = 0; cut < 74; cut++) {
        struct decoded d = decode_cut(LINK_ETHERNET, frame_loopback_syn, cut, 74);
        assert_int_equal(d.packet.fault, FAULT_CUT);
        assert_int_equal(d.packet.fault_at, cut);
        assert_string_equal(packet_fault_text(&d.packet), cut < 14 ? "cut short in the link header"
                                                          : cut < 34
                                                              ? "cut short in the IPv4 header"
                                                              : "cut short in the TCP header");
        assert_int_equal(d.packet.source.port, cut >= 38 ? 46580 : 0);
        decoded_free(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_samples_have_no_fault),
        cmocka_unit_test(every_truncation_by_the_capture_is_safe),
        cmocka_unit_test(every_truncation_on_the_wire_is_safe),
        cmocka_unit_test(every_byte_may_take_any_value),
        cmocka_unit_test(a_cut_inside_a_header_is_marked_where_the_capture_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
