#include "unit/trace/maker.h"

#include <stdio.h>

static void stamps_of_every_resolution_become_nanoseconds_in_both_byte_orders(void **state)
{
    (void)state;
    static const struct {
        int resolution;
        int64_t offset;
        uint64_t ticks;
        int64_t time;
    } cases[] = {
        {-1, 0, 1500000, 1500000000}, /* microseconds */
        {0, 0, 7, 7000000000},        /* seconds */
        {3, 0, 1790000000123, 1790000000123000000},
        {9, 0, 1790000000123456789, 1790000000123456789},
        {12, 0, 1234567890123, 1234567890},
        {127, 0, UINT64_MAX, 0},
        {0x80 | 1, 0, 3, 1500000000}, /* half seconds */
        {0x80 | 30, 0, UINT64_C(1) << 31, 2000000000},
        {0x80 | 0, 0, 5, 5000000000},
        {0xff, 0, UINT64_MAX, 0},
        {9, 100, 5, 100000000005},
        {6, -3, 5000000, 2000000000},
        {9, 0, UINT64_MAX, INT64_MAX},
        {0, 0, UINT64_MAX, INT64_MAX},
        {9, INT64_MIN, 0, INT64_MIN},
        {9, INT64_MAX, 0, INT64_MAX},
    };
    for (int big = 0; big < 2; big++) {
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            struct maker maker = {0};
            section(&maker, big);
            interface(&maker, 101, 65535, cases[i].resolution, cases[i].offset);
            packet(&maker, 0, cases[i].ticks);
            struct trace_reader *reader = reader_of(&maker);
            struct trace_event event = next(reader, TRACE_INTERFACE);
            assert_int_equal(event.interface.link_type, 101);
            assert_int_equal(event.interface.snap_length, 65535);
            assert_int_equal(event.interface.name.length, 4);
            event = next(reader, TRACE_PACKET);
            if (event.time != cases[i].time)
                fail_msg("case %zu: %lld", i, (long long)event.time);
            assert_int_equal(event.packet.number, 1);
            assert_int_equal(event.packet.link_type, 101);
            assert_int_equal(event.packet.length, 100);
            assert_int_equal(event.packet.bytes.length, 5);
            assert_memory_equal(event.packet.bytes.data, "hello", 5);
            assert_int_equal(event.packet.cause, 0);
            assert_int_equal(event.packet.comment.length, 0);
            assert_end(reader);
            buffer_free(&maker.out);
        }
    }
}

static void interfaces_are_numbered_over_all_sections(void **state)
{
    (void)state;
    struct maker maker = {0};
    section(&maker, false);
    interface(&maker, 1, 0, 9, 0);
    interface(&maker, 113, 0, 6, 0);
    packet(&maker, 1, 2);
    section(&maker, true);
    packet(&maker, 0, 1);
    struct trace_reader *reader = reader_of(&maker);
    assert_int_equal(next(reader, TRACE_INTERFACE).interface.interface, 0);
    assert_int_equal(next(reader, TRACE_INTERFACE).interface.interface, 1);
    struct trace_event event = next(reader, TRACE_PACKET);
    assert_int_equal(event.packet.link_type, 113);
    assert_int_equal(event.time, 2000);
    /* The new section knows no interface of the old one. */
    assert_damaged(reader, "interface 0, which was not described");
    maker.out.length -= 40; /* without that packet */
    interface(&maker, 228, 0, 9, 0);
    packet(&maker, 0, 5);
    reader = reader_of(&maker);
    next(reader, TRACE_INTERFACE);
    next(reader, TRACE_INTERFACE);
    next(reader, TRACE_PACKET);
    assert_int_equal(next(reader, TRACE_INTERFACE).interface.interface, 2);
    event = next(reader, TRACE_PACKET);
    assert_int_equal(event.packet.interface, 2);
    assert_int_equal(event.packet.link_type, 228);
    assert_int_equal(event.packet.number, 2);
    assert_end(reader);
    buffer_free(&maker.out);
}

static void packets_of_the_older_block_types_are_read(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        struct maker maker = {0};
        section(&maker, big);
        interface(&maker, 1, 3, -1, 0);
        begin(&maker, 2); /* the obsolete packet block */
        put16(&maker, 0);
        put16(&maker, 9);
        put32(&maker, 0);
        put32(&maker, 7);
        put32(&maker, 5);
        put32(&maker, 6);
        put_bytes(&maker, "hello", 5);
        option(&maker, 1, "old", 3);
        put32(&maker, 0);
        end(&maker);
        begin(&maker, 3); /* the simple one: cut at the snapshot length, no stamp */
        put32(&maker, 50);
        put_bytes(&maker, "hel", 3);
        end(&maker);
        struct trace_reader *reader = reader_of(&maker);
        next(reader, TRACE_INTERFACE);
        struct trace_event event = next(reader, TRACE_PACKET);
        assert_int_equal(event.time, 7000);
        assert_int_equal(event.packet.length, 6);
        assert_int_equal(event.packet.bytes.length, 5);
        assert_memory_equal(event.packet.comment.data, "old", 3);
        event = next(reader, TRACE_PACKET);
        assert_int_equal(event.time, 7000); /* of the one before it */
        assert_int_equal(event.packet.length, 50);
        assert_int_equal(event.packet.bytes.length, 3);
        assert_int_equal(event.packet.number, 2);
        assert_end(reader);
        buffer_free(&maker.out);
    }
}

static void statistics_and_secrets_of_others_are_read(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        struct maker maker = {0};
        section(&maker, big);
        interface(&maker, 1, 0, 6, 0);
        begin(&maker, 10);
        put32(&maker, 0x544c534b);
        put32(&maker, 6);
        put_bytes(&maker, "secret", 6);
        end(&maker);
        begin(&maker, 5);
        put32(&maker, 0);
        put32(&maker, 0);
        put32(&maker, 8);
        put16(&maker, 4);
        put16(&maker, 8);
        put64(&maker, UINT64_C(0x100000002));
        put16(&maker, 5);
        put16(&maker, 8);
        put64(&maker, 3);
        end(&maker); /* without an end of options */
        struct trace_reader *reader = reader_of(&maker);
        next(reader, TRACE_INTERFACE);
        struct trace_event event = next(reader, TRACE_SECRETS);
        assert_int_equal(event.secrets.type, 0x544c534b);
        assert_int_equal(event.secrets.bytes.length, 6);
        assert_memory_equal(event.secrets.bytes.data, "secret", 6);
        event = next(reader, TRACE_STATISTICS);
        assert_int_equal(event.time, 8000);
        assert_true(event.statistics.received == UINT64_C(0x100000002));
        assert_int_equal(event.statistics.dropped, 3);
        assert_end(reader);
        buffer_free(&maker.out);
    }
}

static void what_is_not_known_is_skipped(void **state)
{
    (void)state;
    static const uint32_t types[] = {4, 9, 0xbad, 0x40000bad, 0x80000001, 0x80004c48, 0x7fffffff};
    struct maker maker = {0};
    section(&maker, false);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        begin(&maker, types[i]);
        put_bytes(&maker, "anything at all, of any sense", 29);
        end(&maker);
        begin(&maker, types[i]); /* nothing at all */
        end(&maker);
    }
    interface(&maker, 1, 0, 9, 0);
    /* A foreign option of our code, and an option list that breaks off. */
    packet_head(&maker, 0, 1, 5);
    put_bytes(&maker, "hello", 5);
    option(&maker, 0xcc48, "somebody's 4", 12);
    put16(&maker, 1);
    put16(&maker, 500);
    end(&maker);
    struct trace_reader *reader = reader_of(&maker);
    next(reader, TRACE_INTERFACE);
    struct trace_event event = next(reader, TRACE_PACKET);
    assert_int_equal(event.packet.cause, 0);
    assert_int_equal(event.packet.comment.length, 0);
    assert_end(reader);
    buffer_free(&maker.out);
}

/* Our own block, of any version and kind, with a field of any code and length. */
static void trace_block(struct maker *maker, uint16_t version, uint16_t kind, uint16_t code,
                        uint16_t length, uint32_t value)
{
    begin(maker, 0x80004c48);
    put_bytes(maker, "handlens", 8);
    put16(maker, version);
    put16(maker, kind);
    put64(maker, 5);
    put16(maker, code);
    put16(maker, length);
    put32(maker, value);
    put32(maker, 0);
    end(maker);
}

static void what_later_versions_may_add_is_skipped(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        struct maker maker = {0};
        section(&maker, big);
        trace_block(&maker, 2, TRACE_NOTE, 2, 4, 1);    /* another version */
        trace_block(&maker, 1, 999, 2, 4, 1);           /* another kind */
        trace_block(&maker, 1, TRACE_PACKET, 2, 4, 1);  /* one with no block of ours */
        trace_block(&maker, 1, TRACE_NOTE, 1, 4, 77);   /* another kind of note */
        trace_block(&maker, 1, TRACE_STATE, 3, 4, 99);  /* another TCP state */
        trace_block(&maker, 1, TRACE_NOTE, 300, 4, 77); /* another field */
        struct trace_reader *reader = reader_of(&maker);
        struct trace_event event = next(reader, TRACE_NOTE);
        assert_int_equal(event.time, 5);
        assert_int_equal(event.note.text.length, 0);
        assert_end(reader);
        trace_block(&maker, 1, TRACE_NOTE, 2, 3, 77); /* a number of three bytes */
        reader = reader_of(&maker);
        next(reader, TRACE_NOTE);
        assert_damaged(reader, "do not fit");
        buffer_free(&maker.out);
    }
}

static void lengths_that_cannot_be_are_damage_at_their_byte(void **state)
{
    (void)state;
    static const struct {
        uint32_t first, last;
        const char *expected;
    } cases[] = {
        {0, 0, "made.pcapng is damaged at byte 28: the block claims a length of 0 bytes"},
        {8, 8, "at byte 28: the block claims a length of 8 bytes"},
        {14, 14, "claims a length of 14 bytes"},
        {0xfffffffc, 16, "claims a length of 4294967292 bytes"},
        {(16 << 20) + 4, 16, "claims a length of 16777220 bytes"},
        {16 << 20, 16, "at byte 28: the file ends within a block"},
        {20, 20, "at byte 28: the file ends within a block"},
        {16, 20, "the block claims 16 bytes at its start, 20 at its end"},
        {12, 16, "the block claims 12 bytes at its start, 7 at its end"},
    };
    for (int big = 0; big < 2; big++) {
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            struct maker maker = {0};
            section(&maker, big);
            begin(&maker, 4);
            put32(&maker, 7);
            end_claiming(&maker, cases[i].first, cases[i].last);
            assert_damaged(reader_of(&maker), cases[i].expected);
            buffer_free(&maker.out);
        }
    }
}

static void contents_that_do_not_fit_into_their_block_are_damage(void **state)
{
    (void)state;
    static const struct {
        uint32_t type;
        size_t words;
        uint32_t value;
        const char *expected;
    } cases[] = {
        {1, 1, 0, "the interface's description is too short"},
        {6, 4, 0, "the packet's block is too short"},
        {6, 5, 0x7fffffff, "names interface 2147483647"},
        {2, 4, 0, "the packet's block is too short"},
        {3, 0, 0, "the packet's block is too short"},
        {3, 1, 1, "claims 1 bytes, but its block has room for 0"},
        {5, 2, 0, "statistics is too short"},
        {5, 3, 1, "statistics name interface 1"},
        {10, 1, 0, "the secrets run over"},
        {10, 2, 1, "the secrets run over"},
        {0x0a0d0d0a, 2, 0, "a section begins without its byte order"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct maker maker = {0};
        section(&maker, false);
        interface(&maker, 1, 0, 9, 0);
        begin(&maker, cases[i].type);
        for (size_t word = 0; word < cases[i].words; word++)
            put32(&maker, cases[i].value);
        end(&maker);
        struct trace_reader *reader = reader_of(&maker);
        next(reader, TRACE_INTERFACE);
        assert_damaged(reader, cases[i].expected);
        buffer_free(&maker.out);
    }
    struct maker maker = {0};
    section(&maker, true);
    interface(&maker, 1, 0, 9, 0);
    packet_head(&maker, 0, 1, 0xffffffff);
    put_bytes(&maker, "hello", 5);
    end(&maker);
    struct trace_reader *reader = reader_of(&maker);
    next(reader, TRACE_INTERFACE);
    assert_damaged(reader, "claims 4294967295 bytes, but its block has room for 8");
    buffer_free(&maker.out);
}

/* Classic pcap. */

static const struct {
    uint32_t magic;
    bool big;
    int64_t time; /* of 7 s and 5 units */
    uint32_t link_type;
} classic_forms[] = {
    {0xa1b2c3d4, false, 7000005000, 101}, /* raw IP, which libpcap calls 12 */
    {0xa1b2c3d4, true, 7000005000, 276},
    {0xa1b23c4d, false, 7000000005, 1},
    {0xa1b23c4d, true, 7000000005, 113},
};

static void classic_files_are_read_in_both_orders_and_resolutions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof classic_forms / sizeof *classic_forms; i++) {
        struct maker maker = {0};
        classic(&maker, classic_forms[i].magic, classic_forms[i].big, classic_forms[i].link_type);
        struct trace_reader *reader = reader_of(&maker);
        assert_int_equal(trace_reader_size(reader), maker.out.length);
        struct trace_event event = next(reader, TRACE_INTERFACE);
        assert_int_equal(event.interface.link_type, classic_forms[i].link_type);
        assert_int_equal(event.interface.snap_length, 65535);
        for (uint64_t number = 1; number <= 2; number++) {
            event = next(reader, TRACE_PACKET);
            assert_int_equal(event.time, classic_forms[i].time);
            assert_int_equal(event.packet.number, number);
            assert_int_equal(event.packet.link_type, classic_forms[i].link_type);
            assert_int_equal(event.packet.length, 60);
            assert_int_equal(event.packet.bytes.length, 5);
            assert_memory_equal(event.packet.bytes.data, "hello", 5);
        }
        assert_int_equal(trace_reader_offset(reader), maker.out.length);
        assert_end(reader);
        buffer_free(&maker.out);
    }
}

static void a_classic_file_cut_anywhere_gives_its_whole_packets(void **state)
{
    (void)state;
    struct maker maker = {0};
    classic(&maker, 0xa1b2c3d4, false, 1);
    for (size_t length = 24; length < 24 + 42; length++) {
        maker.out.length = length;
        struct trace_reader *reader = reader_of(&maker);
        next(reader, TRACE_INTERFACE);
        size_t whole = (length - 24) / 21;
        for (size_t i = 0; i < whole; i++)
            next(reader, TRACE_PACKET);
        char expected[32];
        snprintf(expected, sizeof expected, "at byte %zu:", 24 + whole * 21);
        if (length == 24 + whole * 21)
            assert_end(reader);
        else
            assert_damaged(reader, expected);
    }
    buffer_free(&maker.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stamps_of_every_resolution_become_nanoseconds_in_both_byte_orders),
        cmocka_unit_test(interfaces_are_numbered_over_all_sections),
        cmocka_unit_test(packets_of_the_older_block_types_are_read),
        cmocka_unit_test(statistics_and_secrets_of_others_are_read),
        cmocka_unit_test(what_is_not_known_is_skipped),
        cmocka_unit_test(what_later_versions_may_add_is_skipped),
        cmocka_unit_test(lengths_that_cannot_be_are_damage_at_their_byte),
        cmocka_unit_test(contents_that_do_not_fit_into_their_block_are_damage),
        cmocka_unit_test(classic_files_are_read_in_both_orders_and_resolutions),
        cmocka_unit_test(a_classic_file_cut_anywhere_gives_its_whole_packets),
    };
    return cmocka_run_group_tests_name("foreign", tests, NULL, NULL);
}
