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
    return task_input(task, "> ", 2);
}

/* What the screen showed: prompts, and lines as they were read. */
static struct buffer shown;

static void show_prompt(void *data, const struct role *role, const char *prompt, size_t length,
                        bool typed)
{
    (void)data;
    assert_true(typed);
    if (prompt == NULL)
        buffer_printf(&shown, "%s ended;", role_name(role));
    else
        buffer_printf(&shown, "%s%.*s", role_name(role), (int)length, prompt);
}

static void show_line(void *data, const struct role *role, enum trace_note_kind kind,
                      const char *text, size_t length)
{
    (void)data, (void)role;
    if (kind == TRACE_NOTE_INPUT)
        buffer_printf(&shown, "%.*s;", (int)length, text);
}

static void listen_to(struct host *host)
{
    buffer_clear(&shown);
    host_listen(host, show_line, NULL);
    host_listen_prompts(host, show_prompt, NULL);
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
    listen_to(stage.host);
    stage_run(&stage);
    assert_true(stage.done);
    assert_received(&first, "first");
    assert_received(&second, "second");
    assert_string_equal(buffer_text(&shown), "first> first;second> second;");
    buffer_free(&shown);
    stage_close(&stage);
    close(keyboard);
}

static enum call_progress type_three_lines(struct actor *actor, struct task *task)
{
    (void)actor;
    type("1\n2\n3\n");
    close(keyboard);
    return task_sleep(task, 0);
}

/* The first task of all asks last: the order of their creation does not count. */
static void prompts_and_lines_go_by_the_order_of_asking(void **state)
{
    (void)state;
    static action *const late[] = {do_sleep, do_input, NULL};
    static action *const early[] = {do_input, NULL};
    static action *const often[] = {do_input, do_input, NULL};
    static action *const typing[] = {do_sleep, do_sleep, do_sleep, type_three_lines, NULL};
    struct stage stage = {0};
    struct actor a = {.actions = late}, b = {.actions = early}, c = {.actions = often};
    struct actor typist = {.actions = typing};
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "a", &a);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "b", &b);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "c", &c);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "typist", &typist);
    listen_to(stage.host);
    stage_run(&stage);
    assert_true(stage.done);
    assert_string_equal(buffer_text(&shown), "b> 1;c> 2;a> 3;c> c ended;");
    buffer_free(&shown);
    stage_close(&stage);
}

static enum call_progress sleep_long(struct actor *actor, struct task *task)
{
    (void)actor;
    return task_sleep(task, NANOSECONDS_PER_SECOND * 3 / 10);
}

static enum call_progress type_a_line(struct actor *actor, struct task *task)
{
    (void)actor;
    type("at last\n");
    return task_sleep(task, 0);
}

static void a_patient_time_out_waits_for_who_types(void **state)
{
    (void)state;
    static action *const reading[] = {do_input, NULL};
    static action *const typing[] = {sleep_long, type_a_line, NULL};
    struct stage stage = {0};
    struct actor reader = {.actions = reading};
    struct actor typist = {.actions = typing};
    struct error error;
    stage_open(&stage);
    host_close(stage.host);
    stage.settings.timeout = NANOSECONDS_PER_SECOND / 5;
    stage.settings.patient = true;
    stage.host = host_open(&stage.settings, &error);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "reader", &reader);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "typist", &typist);
    stage_run(&stage);
    assert_int_equal(stage.outcome, TRACE_DONE);
    assert_received(&reader, "at last");
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
        cmocka_unit_test_setup(prompts_and_lines_go_by_the_order_of_asking, plug_in_keyboard),
        cmocka_unit_test_setup(a_patient_time_out_waits_for_who_types, plug_in_keyboard),
        cmocka_unit_test_setup(waiting_for_somebody_to_type_is_no_deadlock, plug_in_keyboard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
