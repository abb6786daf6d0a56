#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "view/tls_text.h"

/* What is said of a segment; "-" if it is no TLS. */
static void expect(struct tls_place *place, uint32_t sequence, const void *bytes, size_t captured,
                   size_t length, const char *said)
{
    struct buffer text = {0};
    /* On its own, so that the sanitizer sees a read beyond the end. */
    uint8_t *copy = malloc(captured + 1);
    assert_non_null(copy);
    memcpy(copy, bytes, captured);
    uint8_t *exact = realloc(copy, captured == 0 ? 1 : captured);
    assert_non_null(exact);
    bool is_tls = tls_text_append(&text, place, sequence, exact, captured, length);
    assert_string_equal(is_tls ? buffer_text(&text) : "-", said);
    if (!is_tls)
        assert_int_equal(text.length, 0);
    buffer_free(&text);
    free(exact);
}

static void expect_alone(const char *bytes, size_t length, const char *said)
{
    struct tls_place place = {0};
    expect(&place, 1, bytes, length, length, said);
}

#define ALONE(bytes, said) expect_alone(bytes, sizeof bytes - 1, said)

static void messages_in_the_clear_are_named(void **state)
{
    (void)state;
    ALONE("\x16\3\1\0\4\1\0\0\0", "TLS Client Hello, 9 bytes");
    ALONE("\x16\3\3\0\x0c\2\0\0\0\x0b\0\0\0\x0e\0\0\0",
          "TLS Server Hello, Certificate, Server Hello Done, 17 bytes");
    ALONE("\x14\3\3\0\1\1", "TLS Change Cipher Spec, 6 bytes");
    ALONE("\x15\3\3\0\2\2\x30", "TLS Alert: unknown CA, 7 bytes");
}

static void what_is_encrypted_has_its_records_name(void **state)
{
    (void)state;
    ALONE("\x14\3\3\0\1\1\x16\3\3\0\6\0\0\0\0\0\0",
          "TLS Change Cipher Spec, 6 bytes\nTLS Encrypted Handshake, 11 bytes");
    ALONE("\x16\3\3\0\4\x14\x99\x99\x99", "TLS Encrypted Handshake, 9 bytes");
    ALONE("\x15\3\3\0\3abc", "TLS Encrypted Alert, 8 bytes");
    ALONE("\x17\3\3\0\2ab\x17\3\3\0\1c\x14\3\3\0\1\1",
          "TLS Application Data, 7 + 6 bytes\nTLS Change Cipher Spec, 6 bytes");
}

static void what_is_no_tls_is_left_alone(void **state)
{
    (void)state;
    ALONE("", "-");
    ALONE("Hello", "-");
    ALONE("\x16\3\1\0", "-");
    ALONE("\x16\3\1\0\0", "-");             /* empty */
    ALONE("\x16\3\1\x48\1xyz", "-");        /* too long for a record */
    ALONE("\x16\2\1\0\4\1\0\0\0", "-");     /* no version 2 */
    ALONE("\x16\3\3\0\6\0\0\0\0\0\0", "-"); /* nothing is encrypted before a hello */
    ALONE("\x18\3\1\0\4\1\0\0\0", "-");
}

static void a_record_goes_on_in_the_next_segment(void **state)
{
    (void)state;
    struct tls_place place = {0};
    expect(&place, 1, "\x17\3\3\0\12abc", 8, 8, "TLS Application Data, 15 bytes");
    expect(&place, 9, "defg", 4, 4, "TLS, 4 bytes more of the record");
    expect(&place, 13, "hij\x17\3\3\0\1x", 9, 9,
           "TLS, 3 bytes more of the record\nTLS Application Data, 6 bytes");
    expect(&place, 22, "\x14\3\3\0\1\1", 6, 6, "TLS Change Cipher Spec, 6 bytes");
}

static void a_header_in_two_segments_is_counted_only(void **state)
{
    (void)state;
    struct tls_place place = {0};
    expect(&place, 1, "\x17\3\3\0\1x\x17\3", 8, 8, "TLS Application Data, 6 bytes\n2 bytes more");
    expect(&place, 9, "\3\0\1x", 4, 4, "-");
    expect(&place, 13, "\x17\3\3\0\1x", 6, 6, "TLS Application Data, 6 bytes");
}

static void a_retransmission_is_read_for_itself(void **state)
{
    (void)state;
    struct tls_place place = {0};
    const char *first = "\x17\3\3\0\12abc";
    expect(&place, 1, first, 8, 8, "TLS Application Data, 15 bytes");
    expect(&place, 1, first, 8, 8, "TLS Application Data, 15 bytes");
    expect(&place, 9, "defghij", 7, 7, "TLS, 7 bytes more of the record");
}

static void after_a_gap_it_begins_anew(void **state)
{
    (void)state;
    struct tls_place place = {0};
    expect(&place, 1, "\x17\3\3\0\12abc", 8, 8, "TLS Application Data, 15 bytes");
    expect(&place, 50, "garbage", 7, 7, "-");
    expect(&place, 57, "\x17\3\3\0\12abc", 8, 8, "TLS Application Data, 15 bytes");
    expect(&place, 65, "defghij", 7, 7, "TLS, 7 bytes more of the record");
}

static void a_capture_that_was_cut_short_is_followed_on(void **state)
{
    (void)state;
    struct tls_place place = {0};
    expect(&place, 1, "\x17\3\3\0\12ab", 7, 10, "TLS Application Data, 15 bytes");
    expect(&place, 11, "fghij", 5, 5, "TLS, 5 bytes more of the record");
    expect(&place, 16, "\x17\3\3\0\1x", 6, 20, "TLS Application Data, 6 bytes");
    expect(&place, 36, "who knows", 9, 9, "-");
}

static void sequence_numbers_may_wrap(void **state)
{
    (void)state;
    struct tls_place place = {0};
    expect(&place, 0xfffffffc, "\x17\3\3\0\12abc", 8, 8, "TLS Application Data, 15 bytes");
    expect(&place, 4, "defghij", 7, 7, "TLS, 7 bytes more of the record");
    expect(&place, 11, "\x14\3\3\0\1\1", 6, 6, "TLS Change Cipher Spec, 6 bytes");
}

/* Whatever comes, nothing is read beyond its end, and lengths stay in their bounds. */
static void random_bytes_do_no_harm(void **state)
{
    (void)state;
    uint32_t random = 1;
    struct tls_place place = {0};
    uint32_t sequence = 1;
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[64];
        for (size_t i = 0; i < sizeof bytes; i++) {
            random = random * 1664525 + 1013904223;
            bytes[i] = (uint8_t)(random >> 24);
            if (i % 7 < 4) /* headers of records are frequent */
                bytes[i] = (uint8_t[]){(uint8_t)(20 + bytes[i] % 5), 3, 3, 0}[i % 7];
        }
        size_t captured = random >> 8 & 63;
        size_t length = captured + (random & 1 ? random >> 16 & 15 : 0);
        struct buffer text = {0};
        uint8_t *exact = malloc(captured + 1);
        assert_non_null(exact);
        memcpy(exact, bytes, captured);
        tls_text_append(&text, &place, sequence, exact, captured, length);
        assert_in_range(text.length, 0, 4096);
        sequence += (uint32_t)length + ((random >> 20 & 7) == 0);
        buffer_free(&text);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_in_the_clear_are_named),
        cmocka_unit_test(what_is_encrypted_has_its_records_name),
        cmocka_unit_test(what_is_no_tls_is_left_alone),
        cmocka_unit_test(a_record_goes_on_in_the_next_segment),
        cmocka_unit_test(a_header_in_two_segments_is_counted_only),
        cmocka_unit_test(a_retransmission_is_read_for_itself),
        cmocka_unit_test(after_a_gap_it_begins_anew),
        cmocka_unit_test(a_capture_that_was_cut_short_is_followed_on),
        cmocka_unit_test(sequence_numbers_may_wrap),
        cmocka_unit_test(random_bytes_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
