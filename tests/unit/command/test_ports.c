/* Which ports a capture lets through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "command/ports.h"

static void assert_filter(const struct ports *ports, const char *expected)
{
    struct buffer text = {0};
    assert_string_equal(ports_filter(ports, &text), expected);
    buffer_free(&text);
}

static void each_port_is_let_through_from_when_it_is_known(void **state)
{
    (void)state;
    struct ports ports = {0};
    assert_filter(&ports, "icmp or icmp6");
    assert_true(ports_add(&ports, 80));
    assert_true(ports_add(&ports, 65535));
    assert_filter(&ports, "icmp or icmp6 or port 80 or port 65535");
}

static void a_port_that_is_known_or_none_changes_nothing(void **state)
{
    (void)state;
    struct ports ports = {0};
    assert_false(ports_add(&ports, 0));
    assert_true(ports_add(&ports, 80));
    assert_false(ports_add(&ports, 80));
    assert_filter(&ports, "icmp or icmp6 or port 80");
}

static void beyond_the_limit_all_are_let_through(void **state)
{
    (void)state;
    struct ports ports = {0};
    for (uint16_t port = 1; port <= PORTS_LIMIT; port++)
        assert_true(ports_add(&ports, port));
    assert_false(ports_add(&ports, PORTS_LIMIT));
    assert_true(ports_add(&ports, PORTS_LIMIT + 1));
    assert_filter(&ports, "");
    assert_false(ports_add(&ports, PORTS_LIMIT + 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_port_is_let_through_from_when_it_is_known),
        cmocka_unit_test(a_port_that_is_known_or_none_changes_nothing),
        cmocka_unit_test(beyond_the_limit_all_are_let_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
