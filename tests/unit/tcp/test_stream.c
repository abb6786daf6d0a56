#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcp/stream.h"

/* What came out: bytes as they are, a gap of n as "<n>". */
struct heard {
    struct tcp_stream *stream;
    char text[4096];
    size_t length;
    uint64_t last_number;
};

static void hear(void *data, const uint8_t *bytes, size_t length, uint64_t number)
{
    struct heard *heard = data;
    heard->last_number = number;
    if (bytes) {
        assert_true(heard->length + length < sizeof heard->text);
        memcpy(heard->text + heard->length, bytes, length);
        heard->length += length;
    } else {
        heard->length += (size_t)sprintf(heard->text + heard->length, "<%zu>", length);
    }
    heard->text[heard->length] = '\0';
}

static void open_stream(struct heard *heard, size_t limit)
{
    memset(heard, 0, sizeof *heard);
    heard->stream = tcp_stream_open(limit, hear, heard);
    assert_non_null(heard->stream);
}

/* Adds text as a whole segment. */
static void add(struct heard *heard, uint32_t seq, const char *text)
{
    uint32_t length = (uint32_t)strlen(text);
    tcp_stream_add(heard->stream, seq, (const uint8_t *)text, length, length, seq);
}

static int setup(void **state)
{
    static struct heard heard;
    open_stream(&heard, 10000);
    *state = &heard;
    return 0;
}

static int teardown(void **state)
{
    struct heard *heard = *state;
    tcp_stream_close(heard->stream);
    return 0;
}

static void bytes_in_order_pass_at_once(void **state)
{
    struct heard *heard = *state;
    add(heard, 100, "");
    add(heard, 100, "hello ");
    assert_string_equal(heard->text, "hello ");
    assert_int_equal(heard->last_number, 100);
    add(heard, 106, "world");
    assert_string_equal(heard->text, "hello world");
}

static void first_segment_is_the_start_where_no_syn_was_seen(void **state)
{
    struct heard *heard = *state;
    add(heard, 5000, "abc");
    add(heard, 5003, "def");
    assert_string_equal(heard->text, "abcdef");
    add(heard, 2, ""); /* too late to matter */
    add(heard, 5006, "ghi");
    assert_string_equal(heard->text, "abcdefghi");
}

static void segment_without_bytes_is_the_start_too(void **state)
{
    struct heard *heard = *state;
    add(heard, 5000, "");
    add(heard, 5003, "def");
    assert_string_equal(heard->text, "");
    add(heard, 5000, "abc");
    assert_string_equal(heard->text, "abcdef");
}

static void four_segments_give_the_same_in_all_24_orders(void **state)
{
    (void)state;
    static const char *const parts[] = {"one ", "two, ", "three; ", "four."};
    uint32_t at[4] = {0xfffffff8u};
    for (int i = 1; i < 4; i++)
        at[i] = at[i - 1] + (uint32_t)strlen(parts[i - 1]);
    int orders = 0;
    for (int code = 0; code < 256; code++) {
        int order[4] = {code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6 & 3};
        if ((1 << order[0] | 1 << order[1] | 1 << order[2] | 1 << order[3]) != 15)
            continue;
        orders++;
        struct heard heard;
        open_stream(&heard, 10000);
        add(&heard, at[0], "");
        for (int i = 0; i < 4; i++)
            add(&heard, at[order[i]], parts[order[i]]);
        assert_string_equal(heard.text, "one two, three; four.");
        tcp_stream_close(heard.stream);
    }
    assert_int_equal(orders, 24);
}

static void retransmission_passes_nothing_whatever_it_holds(void **state)
{
    struct heard *heard = *state;
    add(heard, 100, "hello");
    add(heard, 100, "HELLO");
    add(heard, 102, "LL");
    assert_string_equal(heard->text, "hello");
}

static void overlap_passes_only_its_new_end(void **state)
{
    struct heard *heard = *state;
    add(heard, 100, "hello");
    add(heard, 103, "LO world");
    assert_string_equal(heard->text, "hello world");
}

static void waiting_bytes_win_over_later_ones(void **state)
{
    struct heard *heard = *state;
    add(heard, 100, "");
    add(heard, 104, "efg");
    add(heard, 108, "i");
    add(heard, 102, "CDEFGHIJ"); /* new before, between and behind */
    assert_string_equal(heard->text, "");
    add(heard, 100, "abXXXX");
    assert_string_equal(heard->text, "abCDefgHiJ");
}

static void in_order_segment_does_not_overwrite_waiting_bytes(void **state)
{
    struct heard *heard = *state;
    add(heard, 100, "");
    add(heard, 103, "de");
    add(heard, 107, "h");
    add(heard, 100, "abcDEfgHij");
    assert_string_equal(heard->text, "abcdefghij");
}

static void gap_is_marked_at_the_end(void **state)
{
    struct heard *heard = *state;
    add(heard, 100, "abc");
    add(heard, 110, "klm");
    add(heard, 120, "uvw");
    assert_string_equal(heard->text, "abc");
    tcp_stream_end(heard->stream);
    assert_string_equal(heard->text, "abc<7>klm<7>uvw");
    tcp_stream_end(heard->stream);
    assert_string_equal(heard->text, "abc<7>klm<7>uvw");
}

static void gap_is_marked_when_the_bytes_behind_it_are_acknowledged(void **state)
{
    struct heard *heard = *state;
    add(heard, 100, "abc");
    add(heard, 110, "klm");
    tcp_stream_acked(heard->stream, 103);
    assert_string_equal(heard->text, "abc");
    tcp_stream_acked(heard->stream, 113);
    assert_string_equal(heard->text, "abc<7>klm");
    add(heard, 105, "late");
    assert_string_equal(heard->text, "abc<7>klm");
    add(heard, 113, "n");
    assert_string_equal(heard->text, "abc<7>klmn");
}

static void segment_captured_behind_its_ACK_is_not_lost(void **state)
{
    struct heard *heard = *state;
    add(heard, 100, "abc");
    tcp_stream_acked(heard->stream, 106);
    add(heard, 106, "ghi");
    tcp_stream_acked(heard->stream, 106);
    assert_string_equal(heard->text, "abc");
    add(heard, 103, "def");
    assert_string_equal(heard->text, "abcdefghi");
    tcp_stream_acked(heard->stream, 115);
    add(heard, 112, "mno");
    add(heard, 109, "jkl");
    assert_string_equal(heard->text, "abcdefghijklmno");
}

static void bytes_beyond_the_limit_do_not_wait(void **state)
{
    (void)state;
    struct heard heard;
    open_stream(&heard, 200);
    add(&heard, 1, "start");
    char long_text[151];
    memset(long_text, 'x', 150);
    long_text[150] = '\0';
    add(&heard, 100, long_text);
    assert_string_equal(heard.text, "start");
    add(&heard, 300, long_text);
    assert_int_equal(strncmp(heard.text, "start<94>xxx", 12), 0);
    assert_int_equal(heard.length, 5 + 4 + 150);
    tcp_stream_end(heard.stream);
    assert_int_equal(heard.length, 5 + 4 + 150 + 4 + 150);
    tcp_stream_close(heard.stream);
}

static void bytes_cut_by_the_snap_length_are_a_gap(void **state)
{
    struct heard *heard = *state;
    tcp_stream_add(heard->stream, 100, (const uint8_t *)"abcd", 4, 10, 1);
    assert_string_equal(heard->text, "abcd<6>");
    tcp_stream_add(heard->stream, 120, (const uint8_t *)"uv", 2, 5, 2);
    tcp_stream_add(heard->stream, 110, NULL, 0, 3, 3);
    assert_string_equal(heard->text, "abcd<6><3>");
    tcp_stream_add(heard->stream, 113, (const uint8_t *)"nopqrst", 7, 7, 4);
    assert_string_equal(heard->text, "abcd<6><3>nopqrstuv<3>");
}

static void cut_segment_that_waits_and_overlaps_keeps_its_places(void **state)
{
    struct heard *heard = *state;
    add(heard, 100, "");
    add(heard, 104, "ef");
    tcp_stream_add(heard->stream, 102, (const uint8_t *)"cdEFg", 5, 9, 1);
    add(heard, 100, "ab");
    assert_string_equal(heard->text, "abcdefg<4>");
    add(heard, 114, "o");
    tcp_stream_add(heard->stream, 112, (const uint8_t *)"m", 1, 6, 2); /* nothing behind the o */
    add(heard, 111, "l");
    assert_string_equal(heard->text, "abcdefg<4>lm<1>o<3>");
}

static void stream_goes_on_across_the_wrap_of_sequence_numbers(void **state)
{
    struct heard *heard = *state;
    add(heard, 0xfffffffe, "");
    add(heard, 3, "fgh");
    add(heard, 0, "cde");
    assert_string_equal(heard->text, "");
    add(heard, 0xfffffffe, "ab");
    assert_string_equal(heard->text, "abcdefgh");
    add(heard, 0xfffffffe, "ab");
    assert_string_equal(heard->text, "abcdefgh");
}

static void stream_may_be_longer_than_4_GiB(void **state)
{
    struct heard *heard = *state;
    add(heard, 1, "");
    for (uint32_t i = 0; i < 5; i++)
        tcp_stream_add(heard->stream, 1 + i * 0x40000000u, NULL, 0, 0x40000000u, i);
    add(heard, 1 + 5u * 0x40000000u, "end");
    assert_string_equal(heard->text,
                        "<1073741824><1073741824><1073741824><1073741824><1073741824>end");
}

static void empty_segments_and_keep_alives_pass_nothing(void **state)
{
    struct heard *heard = *state;
    add(heard, 100, "");
    tcp_stream_add(heard->stream, 99, NULL, 0, 0, 1);
    add(heard, 100, "abc");
    add(heard, 102, "X");
    tcp_stream_add(heard->stream, 500, NULL, 0, 0, 1);
    tcp_stream_end(heard->stream);
    assert_string_equal(heard->text, "abc");
}

/* Against a byte array filled by the rule itself: who comes first, wins. */
static void random_segments_agree_with_the_plain_rule(void **state)
{
    (void)state;
    srand(1);
    for (int round = 0; round < 300; round++) {
        struct heard heard;
        open_stream(&heard, 1000000);
        uint32_t start = (uint32_t)rand() * 3u;
        add(&heard, start, "");
        char plain[201] = {0};
        for (int i = 0; i < 60; i++) {
            uint32_t from = (uint32_t)rand() % 200;
            uint32_t length = (uint32_t)rand() % 20 + 1;
            if (from + length > 200)
                length = 200 - from;
            char text[21] = {0};
            for (uint32_t j = 0; j < length; j++) {
                text[j] = (char)('a' + rand() % 26);
                if (!plain[from + j])
                    plain[from + j] = text[j];
            }
            add(&heard, start + from, text);
        }
        tcp_stream_end(heard.stream);
        char expected[2048];
        size_t at = 0;
        int last = 199;
        while (last >= 0 && !plain[last])
            last--;
        for (int i = 0; i <= last;) {
            int gap = 0;
            while (!plain[i + gap])
                gap++;
            if (gap)
                at += (size_t)sprintf(expected + at, "<%d>", gap);
            i += gap;
            expected[at++] = plain[i++];
        }
        expected[at] = '\0';
        assert_string_equal(heard.text, expected);
        tcp_stream_close(heard.stream);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bytes_in_order_pass_at_once),
        TEST(first_segment_is_the_start_where_no_syn_was_seen),
        TEST(segment_without_bytes_is_the_start_too),
        TEST(four_segments_give_the_same_in_all_24_orders),
        TEST(retransmission_passes_nothing_whatever_it_holds),
        TEST(overlap_passes_only_its_new_end),
        TEST(waiting_bytes_win_over_later_ones),
        TEST(in_order_segment_does_not_overwrite_waiting_bytes),
        TEST(gap_is_marked_at_the_end),
        TEST(gap_is_marked_when_the_bytes_behind_it_are_acknowledged),
        TEST(segment_captured_behind_its_ACK_is_not_lost),
        TEST(bytes_beyond_the_limit_do_not_wait),
        TEST(bytes_cut_by_the_snap_length_are_a_gap),
        TEST(cut_segment_that_waits_and_overlaps_keeps_its_places),
        TEST(stream_goes_on_across_the_wrap_of_sequence_numbers),
        TEST(stream_may_be_longer_than_4_GiB),
        TEST(empty_segments_and_keep_alives_pass_nothing),
        TEST(random_segments_agree_with_the_plain_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
