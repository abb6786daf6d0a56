#include "unit/trace/samples.h"

static void a_text_of_nothing_is_empty(void **state)
{
    (void)state;
    assert_int_equal(trace_text_of(NULL).length, 0);
    assert_int_equal(trace_text_of("").length, 0);
    struct trace_text text = trace_text_of("hello");
    assert_int_equal(text.length, 5);
    assert_memory_equal(text.data, "hello", 5);
}

static void an_event_equals_itself_and_no_other(void **state)
{
    (void)state;
    const struct trace_event *events = sample_trace();
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        for (size_t k = 0; k < SAMPLE_COUNT; k++)
            assert_int_equal(trace_event_equal(&events[i], &events[k]), i == k);
        struct trace_event later = events[i];
        later.time++;
        assert_false(trace_event_equal(&events[i], &later));
    }
}

/* Changes one member of a copy of the sample's event and looks whether that is seen. */
#define CHANGED(index, member, value)                                                              \
    do {                                                                                           \
        struct trace_event copy = sample_trace()[index];                                           \
        assert_true(trace_event_equal(&copy, &sample_trace()[index]));                             \
        copy.member = value;                                                                       \
        if (trace_event_equal(&copy, &sample_trace()[index]))                                      \
            fail_msg("%s does not count", #member);                                                \
    } while (0)

static void every_text_counts(void **state)
{
    (void)state;
    const struct trace_text other = trace_text_of("other");
    CHANGED(0, exchange.lab, other);
    CHANGED(0, exchange.script, other);
    CHANGED(0, exchange.title, other);
    CHANGED(0, exchange.about, other);
    CHANGED(0, exchange.place, other);
    CHANGED(0, exchange.program, other);
    CHANGED(0, exchange.command, other);
    CHANGED(1, script.name, other);
    CHANGED(1, script.text, other);
    CHANGED(2, role.name, other);
    CHANGED(4, interface.name, other);
    CHANGED(6, call.name, other);
    CHANGED(6, call.arguments, other);
    CHANGED(6, call.script, other);
    CHANGED(8, packet.comment, other);
    CHANGED(9, result.result, other);
    CHANGED(9, result.message, other);
    CHANGED(11, note.text, other);
    CHANGED(11, note.script, other);
    CHANGED(14, check.expectation, other);
    CHANGED(14, check.seen, other);
    CHANGED(14, check.packets, other);
    CHANGED(14, check.script, other);
    CHANGED(16, end.text, other);
    CHANGED(8, packet.bytes.length, 12);
    CHANGED(12, secrets.bytes.length, 12);
}

static void every_number_of_the_host_counts(void **state)
{
    (void)state;
    CHANGED(2, role.role, 9);
    CHANGED(2, role.kind, TRACE_ROLE_CLIENT);
    CHANGED(6, call.call, 9);
    CHANGED(6, call.role, 9);
    CHANGED(6, call.socket, 9);
    CHANGED(6, call.line, 9);
    CHANGED(7, syscall.call, 9);
    CHANGED(7, syscall.end, 9);
    CHANGED(7, syscall.value, 9);
    CHANGED(7, syscall.error, 9);
    CHANGED(9, result.call, 9);
    CHANGED(9, result.window_start, 9);
    CHANGED(9, result.window_end, 9);
    CHANGED(9, result.value, 9);
    CHANGED(9, result.error, 9);
    CHANGED(5, socket.socket, 9);
    CHANGED(5, socket.role, 9);
    CHANGED(5, socket.transport, TRACE_UDP);
    CHANGED(10, state.socket, 9);
    CHANGED(10, state.call, 9);
    CHANGED(10, state.state, TCP_STATE_CLOSED);
    CHANGED(10, state.retransmits, 9);
    CHANGED(10, state.rtt_us, 9);
    CHANGED(10, state.congestion, 9);
    CHANGED(11, note.kind, TRACE_NOTE_HOST);
    CHANGED(11, note.role, 9);
    CHANGED(11, note.line, 9);
    CHANGED(14, check.verdict, TRACE_FAILED);
    CHANGED(14, check.line, 9);
    CHANGED(16, end.outcome, TRACE_STOPPED);
}

static void every_number_of_the_capture_counts(void **state)
{
    (void)state;
    CHANGED(4, interface.interface, 9);
    CHANGED(4, interface.link_type, 9);
    CHANGED(4, interface.snap_length, 9);
    CHANGED(8, packet.number, 9);
    CHANGED(8, packet.interface, 9);
    CHANGED(8, packet.link_type, 9);
    CHANGED(8, packet.length, 9);
    CHANGED(8, packet.cause, 9);
    CHANGED(12, secrets.type, 9);
    CHANGED(15, statistics.interface, 9);
    CHANGED(15, statistics.received, 9);
    CHANGED(15, statistics.dropped, 9);
}

static void every_address_counts(void **state)
{
    (void)state;
    CHANGED(0, exchange.address, sample_v6);
    CHANGED(5, socket.local, sample_v6);
    CHANGED(5, socket.remote, sample_v4);
    CHANGED(10, state.local, sample_v4);
    CHANGED(10, state.remote, sample_v6);
    CHANGED(5, socket.local.port, 1);
    CHANGED(5, socket.remote.scope, 9);
    CHANGED(5, socket.remote.bytes[15], 9);
    CHANGED(5, socket.remote.family, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_of_nothing_is_empty),
        cmocka_unit_test(an_event_equals_itself_and_no_other),
        cmocka_unit_test(every_text_counts),
        cmocka_unit_test(every_number_of_the_host_counts),
        cmocka_unit_test(every_number_of_the_capture_counts),
        cmocka_unit_test(every_address_counts),
    };
    return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
