/* input(prompt) and lab.answers; and what serve and connect tell the script. */
#include "fake_run.h"

#define TWO_ROLES                                                                                  \
    "function lab.server()\n"                                                                      \
    "  print(input('server? '), input('server? '))\n"                                              \
    "end\n"                                                                                        \
    "function lab.client()\n"                                                                      \
    "  print(input('client? '), input('client? '), input())\n"                                     \
    "end\n"

static void lines_are_read_until_the_input_ends(void **state)
{
    (void)state;
    expect_prints("print(input('first? '), input(2) == '', input(), input('more? '))",
                  "client: one\ttrue\tthree\tnil\n");
    run_lab("function lab.client()\ninput('name? ')\nend", false);
    assert_string_equal(fake_log(), "client input \"name? \" @test.lua:2\n");
    fake_close();
}

static void scripted_answers_stand_in_for_who_would_type(void **state)
{
    (void)state;
    run_lab(TWO_ROLES "lab.answers = { server = {'s1', 2}, client = {'c1'} }", false);
    assert_string_equal(fake_failure(), "");
    assert_string_equal(fake_prints(), "server: server? [s1]\nserver: server? [2]\nserver: s1\t2\n"
                                       "client: client? [c1]\nclient: client? [end]\n"
                                       "client: [end]\nclient: c1\tnil\tnil\n");
    assert_string_equal(fake_log(), "");
    fake_close();
}

static void a_role_without_scripted_answers_is_asked(void **state)
{
    (void)state;
    run_lab(TWO_ROLES "lab.answers = { client = {} }", false);
    assert_string_equal(fake_prints(), "server: one\t\nclient: client? [end]\n"
                                       "client: client? [end]\nclient: [end]\n"
                                       "client: nil\tnil\tnil\n");
    fake_close();
}

static void every_copy_and_repeat_has_the_answers_from_the_first_on(void **state)
{
    (void)state;
    struct script *script = load_text("function lab.client() input() input() end\n"
                                      "lab.answers = { client = {'a', 'b'} }");
    assert_non_null(script);
    struct script_run run = {.parties = SCRIPT_EVERYONE, .client_copies = 2, .repeats = 2};
    uint64_t all = 0;
    struct host *host = fake_open();
    assert_true(script_start(script, host, &run, &lab_error));
    assert_int_equal(script_progress(script, &all), 0);
    assert_int_equal(all, 4);
    fake_run();
    assert_int_equal(script_progress(script, &all), 4);
    assert_string_equal(fake_prints(), "client-1: [a]\nclient-1: [b]\nclient-1: [a]\n"
                                       "client-1: [b]\nclient-2: [a]\nclient-2: [b]\n"
                                       "client-2: [a]\nclient-2: [b]\n");
    script_close(script);
    fake_close();
}

/* Where one side runs alone, somebody is there to type. */
static void run_clients_alone(const char *text, struct script_run run)
{
    struct script *script = load_text(text);
    if (script == NULL)
        fail_msg("%s", lab_error.text);
    run.parties = SCRIPT_CLIENTS;
    struct host *host = fake_open();
    assert_true(script_start(script, host, &run, &lab_error));
    fake_run();
    script_close(script);
}

static void scripted_answers_are_for_both_sides_here(void **state)
{
    (void)state;
    run_clients_alone("function lab.client() print(input()) end\n"
                      "lab.answers = { client = {'scripted'} }",
                      (struct script_run){0});
    assert_string_equal(fake_prints(), "client: one\n");
    fake_close();
}

static void the_command_lines_host_and_port_replace_the_labs(void **state)
{
    (void)state;
    static const char text[] = "lab.host = 'localhost'\n"
                               "function lab.client() print(lab.host, lab.port) end";
    run_clients_alone(text, (struct script_run){0});
    assert_string_equal(fake_prints(), "client: localhost\tnil\n");
    fake_close();
    run_clients_alone(text, (struct script_run){.host = "::1", .port = 0, .port_given = true});
    assert_string_equal(fake_prints(), "client: ::1\t0\n");
    fake_close();
}

static void expect_refusal(const char *answers, const char *message)
{
    char text[256];
    snprintf(text, sizeof text, "function lab.clients.bob() end\nlab.answers = %s", answers);
    assert_null(load_text(text));
    assert_string_equal(lab_error.text, message);
}

static void answers_are_lists_of_lines_for_roles_that_are_there(void **state)
{
    (void)state;
    assert_null(load_text("lab.answers = 'hi'"));
    assert_non_null(strstr(lab_error.text, "lab.answers is a string; it must be a table"));
    expect_refusal("{ alice = {} }",
                   "test.lua: lab.answers has lines for 'alice', but the lab has no such role");
    expect_refusal("{ 'hi' }",
                   "test.lua: lab.answers has lines for '1', but the lab has no such role");
    expect_refusal("{ bob = 'hi' }",
                   "test.lua: lab.answers.bob is a string; it must be a list of lines");
    expect_refusal("{ bob = {'hi', {}} }",
                   "test.lua: lab.answers.bob: line 2 is a table; it must be a text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_read_until_the_input_ends),
        cmocka_unit_test(scripted_answers_stand_in_for_who_would_type),
        cmocka_unit_test(a_role_without_scripted_answers_is_asked),
        cmocka_unit_test(every_copy_and_repeat_has_the_answers_from_the_first_on),
        cmocka_unit_test(scripted_answers_are_for_both_sides_here),
        cmocka_unit_test(the_command_lines_host_and_port_replace_the_labs),
        cmocka_unit_test(answers_are_lists_of_lines_for_roles_that_are_there),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
