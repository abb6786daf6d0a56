#include "unit/trace/maker.h"

#include <stdio.h>

#include "support/cursor.h"

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
    classic(&maker, 0xa1b2c3d4, true, 1);
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
        cmocka_unit_test(cut_at_any_byte_everything_before_is_read),
        cmocka_unit_test(flipped_bits_never_lead_beyond_the_file),
        cmocka_unit_test(a_pipe_is_read_like_a_file),
        cmocka_unit_test(what_is_no_capture_is_said_in_one_sentence),
    };
    return cmocka_run_group_tests_name("reader", tests, NULL, NULL);
}
