/* Flag names, layer names. */
#include "frames.h"

#include "packet/fields.h"

static void check_flags(uint16_t flags, const char *expected)
{
    char text[TCP_FLAGS_TEXT];
    assert_ptr_equal(tcp_flags_text(flags, text), text);
    assert_string_equal(text, expected);
}

static void flags_are_named_in_the_usual_order(void **state)
{
    (void)state;
    check_flags(0, "none");
    check_flags(TCP_SYN, "SYN");
    check_flags(TCP_SYN | TCP_ACK, "SYN ACK");
    check_flags(TCP_PSH | TCP_ACK, "PSH ACK");
    check_flags(TCP_FIN | TCP_ACK, "FIN ACK");
    check_flags(TCP_FIN | TCP_PSH | TCP_ACK, "FIN PSH ACK");
    check_flags(TCP_RST | TCP_ACK, "RST ACK");
    check_flags(TCP_ACK, "ACK");
    check_flags(0x1ff, "SYN FIN RST PSH ACK URG ECE CWR AE");
    check_flags(0xfe00, "none");
}

static void every_combination_of_flags_has_room(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags < 0x10000; flags++) {
        char text[TCP_FLAGS_TEXT];
        assert_true(strlen(tcp_flags_text((uint16_t)flags, text)) < TCP_FLAGS_TEXT);
    }
}

static void layers_are_named(void **state)
{
    (void)state;
    assert_string_equal(packet_layer_name(LAYER_TCP), "TCP");
    assert_string_equal(packet_layer_name(LAYER_SLL), "Linux cooked");
    assert_string_equal(packet_layer_name(LAYER_PADDING), "Padding");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_are_named_in_the_usual_order),
        cmocka_unit_test(every_combination_of_flags_has_room),
        cmocka_unit_test(layers_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
