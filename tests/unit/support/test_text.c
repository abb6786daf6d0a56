/*
 * What support/ promises about text and bytes: widths, escapes, suggestions, addresses, buffers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/address.h"
#include "support/buffer.h"
#include "support/cursor.h"
#include "support/error.h"
#include "support/nearest.h"
#include "support/terminal.h"

static const char *escaped(const char *text, size_t length, size_t columns, bool utf8)
{
    static char copy[512];
    struct buffer buffer = {0};
    terminal_append_escaped(&buffer, text, length, columns, utf8);
    strcpy(copy, buffer_text(&buffer));
    buffer_free(&buffer);
    return copy;
}

static void wide_characters_take_two_columns(void **state)
{
    (void)state;
    static const char welcome[] = "欢迎访问服务器！";
    assert_int_equal(terminal_width(welcome, strlen(welcome)), 16);
    assert_int_equal(terminal_width("abc", 3), 3);
    assert_int_equal(terminal_width("e\xcc\x81", 3), 1); /* a combining accent */
    assert_int_equal(terminal_width("\xff\xfe", 2), 2);  /* no UTF-8: one column a byte */
}

static void a_cut_never_splits_a_character(void **state)
{
    (void)state;
    static const char text[] = "a欢b";
    assert_int_equal(terminal_fit(text, 5, 0), 0);
    assert_int_equal(terminal_fit(text, 5, 1), 1);
    assert_int_equal(terminal_fit(text, 5, 2), 1);
    assert_int_equal(terminal_fit(text, 5, 3), 4);
    assert_int_equal(terminal_fit(text, 5, 9), 5);
    assert_int_equal(terminal_fit("e\xcc\x81x", 4, 1), 3); /* the accent stays with its letter */
}

static void nothing_from_outside_reaches_the_terminal_raw(void **state)
{
    (void)state;
    assert_string_equal(escaped("\033[31mred", 8, 0, true), "\\x1b[31mred");
    assert_string_equal(escaped("a\"b\\c\r\n\t", 8, 0, true), "a\\\"b\\\\c\\r\\n\\t");
    assert_string_equal(escaped("\xc2\x9b", 2, 0, true), "\\xc2\\x9b");          /* C1 CSI */
    assert_string_equal(escaped("\xe2\x80\xae", 3, 0, true), "\\xe2\\x80\\xae"); /* override */
    assert_string_equal(escaped("\xff\0z", 3, 0, true), "\\xff\\x00z");
    assert_string_equal(escaped("欢", 3, 0, true), "欢");
    assert_string_equal(escaped("欢", 3, 0, false), "\\xe6\\xac\\xa2");
}

static void an_escape_is_not_cut_in_the_middle(void **state)
{
    (void)state;
    assert_string_equal(escaped("ab\xff", 3, 5, true), "ab");
    assert_string_equal(escaped("ab\xff", 3, 6, true), "ab\\xff");
    assert_string_equal(escaped("欢迎", 6, 3, true), "欢");
}

static void a_near_word_is_suggested_and_a_far_one_is_not(void **state)
{
    (void)state;
    static const char *const labs[] = {"hello", "refused", "steps"};
    assert_string_equal(nearest_word("helo", labs, 3), "hello");
    assert_string_equal(nearest_word("hlelo", labs, 3), "hello");
    assert_string_equal(nearest_word("step", labs, 3), "steps");
    assert_null(nearest_word("goodbye", labs, 3));
    assert_null(nearest_word("", labs, 3));
    char lengthy[300];
    memset(lengthy, 'h', sizeof lengthy - 1);
    lengthy[sizeof lengthy - 1] = '\0';
    assert_null(nearest_word(lengthy, labs, 3));
}

static void addresses_read_back_as_they_were_written(void **state)
{
    (void)state;
    char text[ADDRESS_TEXT];
    struct address address;
    assert_true(address_parse_host("127.0.0.1", &address));
    address.port = 65432;
    assert_string_equal(address_format(&address, text), "127.0.0.1:65432");
    assert_true(address_is_loopback(&address));
    assert_true(address_parse_host("[::1]", &address));
    address.port = 80;
    assert_string_equal(address_format(&address, text), "[::1]:80");
    assert_string_equal(address_format_host(&address, text), "::1");
    assert_true(address_is_loopback(&address));
    assert_true(address_parse_host("0.0.0.0", &address) && address_is_any(&address));
    assert_false(address_parse_host("localhost", &address));
    assert_false(address_parse_host("300.1.1.1", &address));
    assert_false(address_parse_host("", &address));
}

static void a_cursor_never_reads_past_the_end(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 2, 3, 4, 5};
    struct cursor cursor = cursor_over(bytes, sizeof bytes);
    assert_int_equal(cursor_be32(&cursor), 0x01020304);
    assert_int_equal(cursor_be16(&cursor), 0);
    assert_true(cursor.failed);
    assert_int_equal(cursor_u8(&cursor), 0); /* it stays failed, though a byte is left */
    cursor = cursor_over(bytes, sizeof bytes);
    assert_int_equal(cursor_le16(&cursor), 0x0201);
    assert_int_equal(cursor_left(&cursor), 3);
    assert_null(cursor_take(&cursor, SIZE_MAX));
}

static void a_buffer_grows_and_keeps_what_it_has(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    assert_string_equal(buffer_text(&buffer), "");
    for (int i = 0; i < 1000; i++)
        buffer_printf(&buffer, "%d,", i);
    buffer_append_repeated(&buffer, '-', 3);
    assert_int_equal(buffer.length, 3890 + 3);
    assert_int_equal(strncmp(buffer_text(&buffer), "0,1,2,3,", 8), 0);
    assert_string_equal(buffer_text(&buffer) + buffer.length - 7, "999,---");
    assert_null(buffer_reserve(&buffer, SIZE_MAX - 10));
    assert_true(buffer.failed);
    buffer_free(&buffer);
}

static void an_error_may_be_made_from_its_own_text(void **state)
{
    (void)state;
    struct error error;
    assert_false(error_set(&error, STATUS_USAGE, "first"));
    assert_false(error_set(&error, STATUS_NOT_ALLOWED, "%s, then second", error.text));
    assert_string_equal(error.text, "first, then second");
    assert_int_equal(error.status, STATUS_NOT_ALLOWED);
    assert_false(error_set(NULL, STATUS_USAGE, "nobody listens"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wide_characters_take_two_columns),
        cmocka_unit_test(a_cut_never_splits_a_character),
        cmocka_unit_test(nothing_from_outside_reaches_the_terminal_raw),
        cmocka_unit_test(an_escape_is_not_cut_in_the_middle),
        cmocka_unit_test(a_near_word_is_suggested_and_a_far_one_is_not),
        cmocka_unit_test(addresses_read_back_as_they_were_written),
        cmocka_unit_test(a_cursor_never_reads_past_the_end),
        cmocka_unit_test(a_buffer_grows_and_keeps_what_it_has),
        cmocka_unit_test(an_error_may_be_made_from_its_own_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
