#include "unit/trace/heard.h"

#include "trace/cause.h"

static void a_packet_has_the_cause_whose_window_holds_its_stamp(void **state)
{
    (void)state;
    struct heard heard;
    struct recorder *recorder = listening(&heard, NULL);
    add_interface(recorder, 1);
    /* Two calls overlap; their system calls do not. */
    add_call(recorder, 100, 1, 1, "", 1);
    add_syscall(recorder, 1, 110, 120);
    add_call(recorder, 130, 2, 1, "", 2);
    add_return(recorder, 160, 2, 140, 150);
    add_return(recorder, 200, 1, 180, 190);
    add_call(recorder, 210, 3, 1, "", 3);
    add_return(recorder, 220, 3, 0, 0);
    static const struct {
        int64_t time;
        uint32_t cause;
    } expected[] = {{105, 0}, {109, 0}, {110, 1}, {115, 1}, {120, 1}, {121, 0}, {139, 0}, {140, 2},
                    {150, 2}, {151, 0}, {179, 0}, {180, 1}, {190, 1}, {191, 0}, {215, 0}, {300, 0}};
    size_t count = sizeof expected / sizeof *expected;
    for (size_t i = 0; i < count; i++)
        add_packet(recorder, expected[i].time);
    recorder_capture_ends(recorder);
    recorder_flush(recorder, NULL);
    size_t packet = 0;
    for (size_t i = 0; i < heard.count; i++) {
        if (i > 0)
            assert_true(heard.events[i - 1].time <= heard.events[i].time);
        if (heard.events[i].kind != TRACE_PACKET)
            continue;
        assert_int_equal(heard.events[i].time, expected[packet].time);
        assert_int_equal(heard.events[i].cause, expected[packet].cause);
        assert_int_equal(heard.events[i].number, ++packet);
    }
    assert_int_equal(packet, count);
    recorder_close(recorder);
}

static void packets_that_come_a_little_out_of_order_keep_their_causes(void **state)
{
    (void)state;
    struct heard heard;
    struct recorder *recorder = listening(&heard, NULL);
    add_interface(recorder, 1);
    add_call(recorder, 5, 1, 1, "", 1);
    add_syscall(recorder, 1, 10, 20);
    add_return(recorder, 50, 1, 30, 40);
    add_packet(recorder, 35);
    add_packet(recorder, 15);
    add_packet(recorder, 36);
    recorder_capture_ends(recorder);
    recorder_flush(recorder, NULL);
    size_t packets = 0;
    for (size_t i = 0; i < heard.count; i++) {
        if (heard.events[i].kind == TRACE_PACKET) {
            assert_int_equal(heard.events[i].cause, 1);
            packets++;
        }
    }
    assert_int_equal(packets, 3);
    recorder_close(recorder);
}

static void windows_live_on_until_their_packets_have_come(void **state)
{
    (void)state;
    struct heard heard;
    struct recorder *recorder = listening(&heard, NULL);
    add_interface(recorder, 1);
    add_role(recorder, 2, 1, "client");
    for (uint32_t call = 1; call <= 2000; call++) {
        int64_t time = (int64_t)call * 100;
        heard.count = 0;
        add_call(recorder, time, call, 1, "", call);
        add_return(recorder, time + 50, call, time + 10, time + 40);
        /* The watermark is behind by half a call. */
        recorder_set_watermark(recorder, time - 20);
        recorder_flush(recorder, NULL);
        add_packet(recorder, time + 25);
        recorder_set_watermark(recorder, time + 30);
        recorder_flush(recorder, NULL);
        const enum trace_kind kinds[] = {TRACE_CALL, TRACE_PACKET};
        size_t first = heard.count - 2;
        assert_int_equal(heard.events[first].kind, kinds[0]);
        assert_int_equal(heard.events[first + 1].kind, kinds[1]);
        assert_int_equal(heard.events[first + 1].cause, call);
    }
    recorder_close(recorder);
}

static void windows_and_calls_that_are_over_are_forgotten(void **state)
{
    (void)state;
    struct cause_finder finder = {0};
    size_t capacity = 0;
    for (uint32_t call = 1; call <= 10000; call++) {
        int64_t time = (int64_t)call * 100;
        struct trace_event event = {.kind = TRACE_CALL, .time = time, .call.call = call};
        cause_follow(&finder, &event);
        event = (struct trace_event){.kind = TRACE_RETURN, .time = time + 9};
        event.result.call = call;
        event.result.window_start = time + 1;
        event.result.window_end = time + 8;
        cause_add_window(&finder, &event);
        cause_follow(&finder, &event);
        cause_forget_before(&finder, time);
        assert_true(finder.last - finder.first <= 2);
        if (call == 1000)
            capacity = finder.capacity;
    }
    assert_int_equal(finder.capacity, capacity);
    for (size_t i = 0; i < CAUSE_BUCKETS; i++)
        assert_null(finder.calls[i]);
    assert_false(finder.failed);
    cause_close(&finder);
}

static void a_comment_names_role_call_arguments_and_line(void **state)
{
    (void)state;
    struct heard heard;
    struct recorder *recorder = listening(&heard, NULL);
    add_interface(recorder, 1);
    add_role(recorder, 2, 2, "client");
    add_call(recorder, 10, 1, 2, "127.0.0.1:65432", 14);
    add_return(recorder, 19, 1, 11, 18);
    add_call(recorder, 20, 2, 2, "", 0);
    add_return(recorder, 29, 2, 21, 28);
    char lengthy[1001];
    for (size_t i = 0; i < 999; i += 3)
        memcpy(lengthy + i, "\xe4\xb8\x80", 3);
    lengthy[999] = '\0';
    add_call(recorder, 30, 3, 7, lengthy, 3);
    add_return(recorder, 39, 3, 31, 38);
    add_packet(recorder, 12);
    add_packet(recorder, 22);
    add_packet(recorder, 32);
    add_packet(recorder, 40);
    recorder_capture_ends(recorder);
    recorder_flush(recorder, NULL);
    const char *comments[4];
    size_t count = 0;
    for (size_t i = 0; i < heard.count; i++) {
        if (heard.events[i].kind == TRACE_PACKET)
            comments[count++] = heard.events[i].comment;
    }
    assert_int_equal(count, 4);
    assert_string_equal(comments[0], "client connect(127.0.0.1:65432)  hello.lua:14");
    assert_string_equal(comments[1], "client connect()");
    /* Cut between characters, and a role without a name is left out. */
    assert_memory_equal(comments[2], "connect(\xe4\xb8\x80", 11);
    assert_non_null(strstr(comments[2], "\xe4\xb8\x80…)  hello.lua:3"));
    assert_true(strlen(comments[2]) < 200);
    assert_string_equal(comments[3], "");
    recorder_close(recorder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_has_the_cause_whose_window_holds_its_stamp),
        cmocka_unit_test(packets_that_come_a_little_out_of_order_keep_their_causes),
        cmocka_unit_test(windows_live_on_until_their_packets_have_come),
        cmocka_unit_test(windows_and_calls_that_are_over_are_forgotten),
        cmocka_unit_test(a_comment_names_role_call_arguments_and_line),
    };
    return cmocka_run_group_tests_name("cause", tests, NULL, NULL);
}
