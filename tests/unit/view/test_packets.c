/*
 * The packets view on traces made by hand. UPDATE_GOLDEN=1 writes the golden files anew (golden.h).
 */
#include "unit/view/golden.h"
#include "unit/view/sample_traces.h"

#include "tcp/packet_text.h"

static void check(const char *name, struct maker *maker, const struct view_options *options)
{
    char *text = maker_render(maker, VIEW_PACKETS, options);
    golden_check(name, text);
    free(text);
    maker_close(maker);
}

static const struct view_options plain = {.terminal = {.columns = 80, .utf8 = true},
                                          .file_name = ""};

static void each_packet_is_one_line_with_its_cause(void **state)
{
    (void)state;
    struct maker maker;
    sample_hello(&maker, "Hello from the client", "Hello from the server");
    check("packets-hello.txt", &maker, &plain);
}

static void marks_and_windows_are_told(void **state)
{
    (void)state;
    struct maker maker;
    sample_troubles(&maker);
    check("packets-troubles.txt", &maker, &plain);
    sample_rarities(&maker);
    check("packets-rarities.txt", &maker, &plain);
}

static void resets_and_marks_are_red(void **state)
{
    (void)state;
    struct view_options color = plain;
    color.terminal.color = true;
    struct maker maker;
    sample_foreign(&maker);
    check("packets-foreign-color.txt", &maker, &color);
}

static void what_has_no_ports_is_named_by_its_protocol(void **state)
{
    (void)state;
    struct maker maker;
    sample_datagrams(&maker);
    check("packets-datagrams.txt", &maker, &plain);
    sample_others(&maker);
    check("packets-others.txt", &maker, &plain);
}

static void numbers_are_written_in_full(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {0, 9, 10, 4294967295u, 18446744073709551615u};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char seen[32], wanted[32];
        *packet_put_number(seen, numbers[i]) = '\0';
        snprintf(wanted, sizeof wanted, "%llu", (unsigned long long)numbers[i]);
        assert_string_equal(seen, wanted);
    }
}

static void addresses_are_written_as_everywhere_else(void **state)
{
    (void)state;
    static const char *const hosts[] = {"0.0.0.0", "127.0.0.1", "255.10.9.100", "::1",
                                        "2001:db8::17"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        struct address address;
        char seen[ADDRESS_TEXT], wanted[ADDRESS_TEXT];
        assert_true(address_parse_host(hosts[i], &address));
        address.port = 65432;
        *packet_put_address(seen, &address, true) = '\0';
        assert_string_equal(seen, address_format(&address, wanted));
        *packet_put_address(seen, &address, false) = '\0';
        assert_string_equal(seen, address_format_host(&address, wanted));
    }
}

/* All that one packet can bring stays within the room that packet_text.h promises. */
static void the_longest_texts_fit(void **state)
{
    (void)state;
    char text[PACKET_TEXT];
    struct packet_tcp tcp = {.options_seen = 0xffff, .mss = 65535, .window_scale = 255};
    assert_true(packet_put_options(text, &tcp) - text < PACKET_TEXT);
    struct flow_facts facts = {.marks = (1u << MARK_COUNT) - 1,
                               .duplicate_number = UINT32_MAX,
                               .duplicate_of = UINT64_MAX};
    assert_true(packet_put_marks(text, &facts) - text < PACKET_TEXT);
    assert_true(packet_put_flags(text, 0x1ff) - text < PACKET_TEXT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_packet_is_one_line_with_its_cause),
        cmocka_unit_test(marks_and_windows_are_told),
        cmocka_unit_test(resets_and_marks_are_red),
        cmocka_unit_test(what_has_no_ports_is_named_by_its_protocol),
        cmocka_unit_test(numbers_are_written_in_full),
        cmocka_unit_test(addresses_are_written_as_everywhere_else),
        cmocka_unit_test(the_longest_texts_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
