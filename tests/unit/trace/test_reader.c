#include "unit/trace/samples.h"

#include <fcntl.h>
#include <stdio.h>

#include "support/buffer.h"
#include "support/cursor.h"

/* Foreign files, put together by hand in either byte order. */

struct maker {
    struct buffer out;
    bool big;
    size_t block; /* where the open block begins */
};

static void put16(struct maker *maker, uint16_t value)
{
    buffer_append_byte(&maker->out, (uint8_t)(maker->big ? value >> 8 : value));
    buffer_append_byte(&maker->out, (uint8_t)(maker->big ? value : value >> 8));
}

static void put32(struct maker *maker, uint32_t value)
{
    put16(maker, (uint16_t)(maker->big ? value >> 16 : value));
    put16(maker, (uint16_t)(maker->big ? value : value >> 16));
}

static void put64(struct maker *maker, uint64_t value)
{
    put32(maker, (uint32_t)(maker->big ? value >> 32 : value));
    put32(maker, (uint32_t)(maker->big ? value : value >> 32));
}

static void put_bytes(struct maker *maker, const void *data, size_t length)
{
    buffer_append(&maker->out, data, length);
    buffer_append_repeated(&maker->out, 0, -length & 3);
}

static void begin(struct maker *maker, uint32_t type)
{
    maker->block = maker->out.length;
    put32(maker, type);
    put32(maker, 0);
}

static void end_claiming(struct maker *maker, uint32_t first, uint32_t last)
{
    put32(maker, last);
    size_t length = maker->out.length;
    maker->out.length = maker->block + 4;
    put32(maker, first);
    maker->out.length = length;
}

static void end(struct maker *maker)
{
    uint32_t length = (uint32_t)(maker->out.length - maker->block) + 4;
    end_claiming(maker, length, length);
}

static void section(struct maker *maker, bool big)
{
    maker->big = big;
    begin(maker, 0x0a0d0d0a);
    put32(maker, 0x1a2b3c4d);
    put16(maker, 1);
    put16(maker, 0);
    put64(maker, UINT64_MAX);
    end(maker);
}

static void option(struct maker *maker, uint16_t code, const void *value, uint16_t length)
{
    put16(maker, code);
    put16(maker, length);
    put_bytes(maker, value, length);
}

/* resolution < 0: the option is left out. */
static void interface(struct maker *maker, uint16_t link_type, uint32_t snap_length, int resolution,
                      int64_t offset)
{
    begin(maker, 1);
    put16(maker, link_type);
    put16(maker, 0);
    put32(maker, snap_length);
    option(maker, 2, "eth0", 4);
    if (resolution >= 0)
        option(maker, 9, &(uint8_t){(uint8_t)resolution}, 1);
    if (offset != 0) {
        put16(maker, 14);
        put16(maker, 8);
        put64(maker, (uint64_t)offset);
    }
    option(maker, 1, "a comment", 9);
    put32(maker, 0);
    end(maker);
}

static void packet_head(struct maker *maker, uint32_t index, uint64_t stamp, uint32_t captured)
{
    begin(maker, 6);
    put32(maker, index);
    put32(maker, (uint32_t)(stamp >> 32));
    put32(maker, (uint32_t)stamp);
    put32(maker, captured);
    put32(maker, 100);
}

static void packet(struct maker *maker, uint32_t index, uint64_t stamp)
{
    packet_head(maker, index, stamp, 5);
    put_bytes(maker, "hello", 5);
    end(maker);
}

/* An open reader of what has been made. Its file stays open until the next one. */
static struct trace_reader *reader_of(struct maker *maker)
{
    struct error error = {0};
    static int fd = -1;
    if (fd >= 0)
        close(fd);
    fd = sample_file(maker->out.data, maker->out.length);
    struct trace_reader *reader = trace_reader_from(fd, "made.pcapng", &error);
    if (reader == NULL)
        fail_msg("%s", error.text);
    return reader;
}

static struct trace_event next(struct trace_reader *reader, enum trace_kind kind)
{
    struct trace_event event;
    struct error error;
    enum trace_progress progress = trace_reader_next(reader, &event, &error);
    if (progress == TRACE_READ_DAMAGED)
        fail_msg("%s", error.text);
    assert_int_equal(progress, TRACE_READ_EVENT);
    assert_int_equal(event.kind, kind);
    return event;
}

static void assert_end(struct trace_reader *reader)
{
    struct trace_event event;
    struct error error;
    for (int i = 0; i < 2; i++)
        assert_int_equal(trace_reader_next(reader, &event, &error), TRACE_READ_END);
    trace_reader_close(reader);
}

static void assert_damaged(struct trace_reader *reader, const char *expected)
{
    for (int i = 0; i < 2; i++) {
        struct trace_event event;
        struct error error = {0};
        assert_int_equal(trace_reader_next(reader, &event, &error), TRACE_READ_DAMAGED);
        assert_int_equal(error.status, STATUS_DAMAGED);
        if (strstr(error.text, expected) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", error.text, expected);
    }
    trace_reader_close(reader);
}

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
} classic_forms[] = {
    {0xa1b2c3d4, false, 7000005000},
    {0xa1b2c3d4, true, 7000005000},
    {0xa1b23c4d, false, 7000000005},
    {0xa1b23c4d, true, 7000000005},
};

static void classic(struct maker *maker, uint32_t magic, bool big)
{
    maker->big = big;
    put32(maker, magic);
    put16(maker, 2);
    put16(maker, 4);
    put32(maker, 0);
    put32(maker, 0);
    put32(maker, 65535);
    put32(maker, 101); /* LINKTYPE_RAW, which libpcap calls 12 */
    for (int i = 0; i < 2; i++) {
        put32(maker, 7);
        put32(maker, 5);
        put32(maker, 5);
        put32(maker, 60);
        buffer_append(&maker->out, "hello", 5);
    }
}

static void classic_files_are_read_in_both_orders_and_resolutions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof classic_forms / sizeof *classic_forms; i++) {
        struct maker maker = {0};
        classic(&maker, classic_forms[i].magic, classic_forms[i].big);
        struct trace_reader *reader = reader_of(&maker);
        assert_int_equal(trace_reader_size(reader), maker.out.length);
        struct trace_event event = next(reader, TRACE_INTERFACE);
        assert_int_equal(event.interface.link_type, 101);
        assert_int_equal(event.interface.snap_length, 65535);
        for (uint64_t number = 1; number <= 2; number++) {
            event = next(reader, TRACE_PACKET);
            assert_int_equal(event.time, classic_forms[i].time);
            assert_int_equal(event.packet.number, number);
            assert_int_equal(event.packet.link_type, 101);
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
    classic(&maker, 0xa1b2c3d4, false);
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

/* Our own files, maltreated. */

static void cut_at_any_byte_everything_before_is_read(void **state)
{
    (void)state;
    int fd = sample_written(sample_trace(), SAMPLE_COUNT);
    size_t length;
    uint8_t *bytes = sample_bytes(fd, &length);
    close(fd);
    size_t before = 0;
    for (size_t cut = 1; cut <= length; cut++) {
        struct error error = {0};
        fd = sample_file(bytes, cut);
        /* What the blocks say must have been read. */
        struct cursor blocks = cursor_over(bytes, cut);
        size_t whole = 0, events = 0;
        for (;;) {
            uint32_t type = cursor_le32(&blocks);
            uint32_t size = cursor_le32(&blocks);
            if (blocks.failed || cursor_take(&blocks, size - 8) == NULL)
                break;
            whole = blocks.at;
            events += type != 0x0a0d0d0a && type != 1;
        }
        if (cut < 4) {
            assert_null(trace_reader_from(fd, "cut", &error));
            assert_int_equal(error.status, STATUS_DAMAGED);
            close(fd);
            continue;
        }
        enum trace_progress last;
        size_t seen = sample_read(fd, sample_trace(), SAMPLE_COUNT, &last, &error);
        assert_int_equal(seen, events);
        assert_int_equal(last, whole == cut ? TRACE_READ_END : TRACE_READ_DAMAGED);
        if (last == TRACE_READ_DAMAGED) {
            char expected[64];
            snprintf(expected, sizeof expected, "at byte %zu: the file ends within a block", whole);
            assert_non_null(strstr(error.text, expected));
        }
        assert_true(seen >= before);
        before = seen;
        close(fd);
    }
    assert_int_equal(before, SAMPLE_COUNT);
    free(bytes);
}

static void flipped_bits_never_lead_beyond_the_file(void **state)
{
    (void)state;
    int fd = sample_written(sample_trace(), SAMPLE_COUNT);
    size_t length;
    uint8_t *bytes = sample_bytes(fd, &length);
    close(fd);
    static const uint8_t flips[] = {0x01, 0x80, 0xff, 0x10};
    for (size_t i = 0; i < length * sizeof flips; i++) {
        size_t at = i / sizeof flips;
        bytes[at] ^= flips[i % sizeof flips];
        fd = sample_file(bytes, length);
        struct error error;
        struct trace_event event;
        struct trace_reader *reader = trace_reader_from(fd, "flipped", &error);
        size_t events = 0;
        while (reader != NULL && trace_reader_next(reader, &event, &error) == TRACE_READ_EVENT) {
            /* Looks at every byte it points to, which the sanitizer watches. */
            trace_event_equal(&event, &event);
            events++;
        }
        /* One more where the interface's description lost our mark. */
        assert_true(events <= SAMPLE_COUNT + 1);
        trace_reader_close(reader);
        close(fd);
        bytes[at] ^= flips[i % sizeof flips];
    }
    free(bytes);
}

static void a_pipe_is_read_like_a_file(void **state)
{
    (void)state;
    int fd = sample_written(sample_trace(), SAMPLE_COUNT);
    size_t length;
    uint8_t *bytes = sample_bytes(fd, &length);
    close(fd);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], bytes, length), length);
    close(ends[1]);
    assert_reads_back(ends[0], sample_trace(), SAMPLE_COUNT);
    close(ends[0]);
    free(bytes);

    struct maker maker = {0};
    classic(&maker, 0xa1b2c3d4, true);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], maker.out.data, maker.out.length), maker.out.length);
    close(ends[1]);
    int input = dup(STDIN_FILENO);
    dup2(ends[0], STDIN_FILENO);
    struct error error;
    struct trace_reader *reader = trace_reader_open("-", &error);
    assert_non_null(reader);
    assert_int_equal(trace_reader_size(reader), 0);
    next(reader, TRACE_INTERFACE);
    next(reader, TRACE_PACKET);
    next(reader, TRACE_PACKET);
    assert_end(reader);
    if (input >= 0)
        dup2(input, STDIN_FILENO);
    close(ends[0]);
    buffer_free(&maker.out);
}

static void what_is_no_capture_is_said_in_one_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t length;
        const char *expected;
    } cases[] = {
        {"", 0, "x is empty, not a capture file"},
        {"hi", 2, "x is not a capture file (neither pcapng nor pcap)"},
        {"lab.title = 'Hello'\n", 20, "x is not a capture file (neither pcapng nor pcap)"},
        {"\x1f\x8b\x08\0", 4, "x is compressed; gunzip it first"},
        {"\xd4\xc3\xb2\xa1\x02", 5, "x is damaged at byte 0: it ends within its header"},
    };
    struct error error;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int fd = sample_file(cases[i].bytes, cases[i].length);
        assert_null(trace_reader_from(fd, "x", &error));
        assert_string_equal(error.text, cases[i].expected);
        assert_int_equal(error.status, STATUS_DAMAGED);
        close(fd);
    }
    assert_null(trace_reader_open("/tmp", &error));
    assert_string_equal(error.text, "/tmp is a folder, not a capture file");
    assert_null(trace_reader_open("/tmp/no such file", &error));
    assert_string_equal(error.text, "there is no file /tmp/no such file");
    assert_int_equal(error.status, STATUS_USAGE);
    trace_reader_close(NULL);
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
        cmocka_unit_test(cut_at_any_byte_everything_before_is_read),
        cmocka_unit_test(flipped_bits_never_lead_beyond_the_file),
        cmocka_unit_test(a_pipe_is_read_like_a_file),
        cmocka_unit_test(what_is_no_capture_is_said_in_one_sentence),
    };
    return cmocka_run_group_tests_name("reader", tests, NULL, NULL);
}
