#include "unit/host/actor.h"

#include <fcntl.h>
#include <unistd.h>

static int keyboard; /* where the test types */

static void type(const char *text)
{
    assert_int_equal(write(keyboard, text, strlen(text)), (ssize_t)strlen(text));
}

static int plug_in_keyboard(void **state)
{
    int ends[2];
    (void)state;
    if (pipe(ends) != 0 || dup2(ends[0], STDIN_FILENO) < 0)
        return -1;
    close(ends[0]);
    keyboard = ends[1];
    return 0;
}

static enum call_progress do_input(struct actor *actor, struct task *task)
{
    (void)actor;
    return task_input(task, "", 0);
}

static enum call_progress type_one_and_a_half(struct actor *actor, struct task *task)
{
    (void)actor;
    type("one\ntw");
    return task_sleep(task, 0);
}

static enum call_progress type_the_rest(struct actor *actor, struct task *task)
{
    (void)actor;
    type("o\nthree");
    close(keyboard);
    return task_sleep(task, 0);
}

static void lines_come_as_they_are_typed_and_then_the_end(void **state)
{
    (void)state;
    static action *const reading[] = {do_input, do_input, do_input, do_input, NULL};
    static action *const typing[] = {do_sleep, type_one_and_a_half, do_sleep, type_the_rest, NULL};
    struct stage stage = {0};
    struct actor reader = {.actions = reading};
    struct actor typist = {.actions = typing};
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "reader", &reader);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "typist", &typist);
    stage_run(&stage);
    assert_true(stage.done);
    assert_received(&reader, "onetwothree");
    assert_true(reader.end_of_stream);
    static const char *const lines[] = {"one", "two", "three"};
    size_t notes = 0;
    for (size_t i = 0; i < stage.count; i++)
        if (stage.told[i].kind == TRACE_NOTE && stage.told[i].number == TRACE_NOTE_INPUT)
            assert_string_equal(stage.told[i].text, lines[notes++]);
    assert_int_equal(notes, 3);
    /* Whoever shares the input does not find it changed. */
    assert_int_equal(fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK, 0);
    stage_close(&stage);
    assert_int_equal(fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK, 0);
}

static enum call_progress type_two_lines(struct actor *actor, struct task *task)
{
    (void)actor;
    type("first\nsecond\n");
    return task_sleep(task, 0);
}

static void two_tasks_that_ask_get_a_line_each_in_their_order(void **state)
{
    (void)state;
    static action *const reading[] = {do_input, NULL};
    static action *const typing[] = {do_sleep, type_two_lines, NULL};
    struct stage stage = {0};
    struct actor first = {.actions = reading};
    struct actor second = {.actions = reading};
    struct actor typist = {.actions = typing};
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "first", &first);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "second", &second);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "typist", &typist);
    stage_run(&stage);
    assert_true(stage.done);
    assert_received(&first, "first");
    assert_received(&second, "second");
    stage_close(&stage);
    close(keyboard);
}

/* Nobody types for longer than a deadlock takes to be noticed. */
static void waiting_for_somebody_to_type_is_no_deadlock(void **state)
{
    (void)state;
    static action *const reading[] = {do_input, NULL};
    struct stage stage = {0};
    struct actor reader = {.actions = reading};
    struct error error;
    stage_open(&stage);
    host_close(stage.host);
    stage.settings.timeout = NANOSECONDS_PER_SECOND * 6 / 10;
    stage.host = host_open(&stage.settings, &error);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "reader", &reader);
    stage_run(&stage);
    assert_int_equal(stage.outcome, TRACE_TIMED_OUT);
    assert_non_null(strstr(stage.error.text, "reader was waiting in input (test.lua:1)"));
    stage_close(&stage);
    close(keyboard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(lines_come_as_they_are_typed_and_then_the_end, plug_in_keyboard),
        cmocka_unit_test_setup(two_tasks_that_ask_get_a_line_each_in_their_order, plug_in_keyboard),
        cmocka_unit_test_setup(waiting_for_somebody_to_type_is_no_deadlock, plug_in_keyboard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
