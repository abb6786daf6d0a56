#include "unit/host/actor.h"

#include <errno.h>

#include "support/tcp_state.h"

struct setting {
    const char *name;
    int64_t value, expected;
};

static const struct setting settings[] = {
    {"SO_REUSEADDR", 1, 1}, {"SO_KEEPALIVE", 1, 1},         {"SO_RCVBUF", 8192, 16384},
    {"SO_LINGER", 7, 7},    {"SO_LINGER", -1, -1},          {"SO_LINGER", 0, 0},
    {"TCP_NODELAY", 1, 1},  {"TCP_KEEPIDLE", 11, 11},       {"TCP_KEEPINTVL", 12, 12},
    {"TCP_KEEPCNT", 3, 3},  {"TCP_USER_TIMEOUT", 500, 500}, {"TCP_CORK", 1, 1},
    {"IP_TTL", 9, 9},
};
enum { SETTINGS = sizeof settings / sizeof settings[0] };

static enum call_progress do_set(struct actor *actor, struct task *task)
{
    const struct setting *setting = &settings[actor->rounds];
    return socket_setoption(task, actor->socket, setting->name, setting->value);
}

static enum call_progress do_get(struct actor *actor, struct task *task)
{
    const struct setting *setting = &settings[actor->rounds];
    enum call_progress progress = socket_getoption(task, actor->socket, setting->name);
    assert_int_equal(task_result(task)->value, setting->expected);
    if (++actor->rounds < SETTINGS)
        actor->at -= 2;
    return progress;
}

static void what_was_set_is_got(void **state)
{
    (void)state;
    static action *const setting[] = {do_tcp, do_set, do_get, NULL};
    struct stage stage = {0};
    struct actor client = {.actions = setting};
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &client);
    stage_run(&stage);
    assert_true(stage.done);
    assert_int_equal(client.rounds, SETTINGS);
    assert_string_equal(find_call(&stage, 1, "setoption", 0)->text, "SO_REUSEADDR, 1");
    const struct told *got = find_call(&stage, 1, "getoption", 2);
    assert_string_equal(got->text, "SO_RCVBUF");
    assert_string_equal(find_return(&stage, got)->text, "16384");
    stage_close(&stage);
}

static enum call_progress set_unknown(struct actor *actor, struct task *task)
{
    return socket_setoption(task, actor->socket, "SO_NONSENSE", 1);
}

static enum call_progress set_too_much(struct actor *actor, struct task *task)
{
    return socket_setoption(task, actor->socket, "SO_RCVBUF", INT64_MAX);
}

static void an_unknown_option_or_value_is_an_error_that_names_the_option(void **state)
{
    (void)state;
    static action *const wrong[] = {do_tcp, set_unknown, set_too_much, NULL};
    struct stage stage = {0};
    struct actor client = {.actions = wrong, .daring = true};
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &client);
    stage_run(&stage);
    assert_int_equal(client.error_count, 2);
    assert_string_equal(client.messages[0], "setoption SO_NONSENSE: no such option (ENOPROTOOPT)");
    assert_string_equal(client.messages[1], "setoption SO_RCVBUF: Invalid argument (EINVAL)");
    stage_close(&stage);
}

static enum call_progress ask_each(struct actor *actor, struct task *task)
{
    const char *const *names = socket_option_names();
    enum call_progress progress = socket_getoption(task, actor->socket, names[actor->rounds]);
    assert_null(strstr(task_result(task)->message, "no such option"));
    if (names[++actor->rounds] != NULL)
        actor->at--;
    return progress;
}

static void every_option_listed_is_known(void **state)
{
    (void)state;
    static action *const asking[] = {do_tcp, ask_each, NULL};
    struct stage stage = {0};
    struct actor client = {.actions = asking, .daring = true};
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &client);
    stage_run(&stage);
    assert_true(client.rounds > 30);
    stage_close(&stage);
}

static enum call_progress ask_info(struct actor *actor, struct task *task)
{
    struct socket_info info;
    assert_true(socket_info(talking(actor), &info));
    assert_int_equal(info.state, TCP_STATE_ESTABLISHED);
    assert_int_equal(info.bytes_sent, 5);
    assert_true(info.mss_send > 0);
    return task_sleep(task, 0);
}

static void info_tells_of_the_connection(void **state)
{
    (void)state;
    static action *const serving[] = {LISTENING, do_accept, do_recv, do_hello, do_recv, NULL};
    static action *const asking[] = {do_tcp, do_connect, do_hello, do_recv, ask_info, NULL};
    struct stage stage = {0};
    struct actor server = {.actions = serving};
    struct actor client = {.actions = asking};
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_SERVER, "server", &server);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &client);
    stage_run(&stage);
    assert_true(stage.done);
    stage_close(&stage);
}

static enum call_progress resolve_localhost(struct actor *actor, struct task *task)
{
    (void)actor;
    return host_resolve(task, "localhost", 80);
}

static enum call_progress check_localhost(struct actor *actor, struct task *task)
{
    assert_int_equal(actor->value, 2);
    assert_true(address_is_loopback(&task_addresses(task)[0]));
    assert_int_equal(task_addresses(task)[0].family, 4);
    assert_int_equal(task_addresses(task)[0].port, 80);
    return host_resolve(task, "lens", 81);
}

static enum call_progress check_own_name(struct actor *actor, struct task *task)
{
    assert_int_equal(actor->value, 1);
    assert_true(address_is_loopback(&task_addresses(task)[0]));
    return host_resolve(task, "10.1.2.3", 82);
}

static enum call_progress check_literal(struct actor *actor, struct task *task)
{
    assert_int_equal(actor->value, 1);
    assert_int_equal(task_addresses(task)[0].bytes[3], 3);
    assert_int_equal(task_addresses(task)[0].port, 82);
    /* RFC 6761: no such name will ever be there. */
    return host_resolve(task, "nobody.invalid", 83);
}

static void names_are_looked_up(void **state)
{
    (void)state;
    static action *const asking[] = {resolve_localhost, check_localhost, check_own_name,
                                     check_literal, NULL};
    struct stage stage = {.settings = {.own_name = "lens"}};
    struct actor client = {.actions = asking, .daring = true};
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &client);
    stage_run(&stage);
    assert_true(stage.done);
    assert_int_equal(client.error_count, 1);
    assert_int_equal(client.errors[0], EHOSTUNREACH);
    assert_memory_equal(client.messages[0], "getaddrinfo nobody.invalid: ", 28);
    const struct told *local = find_call(&stage, 1, "getaddrinfo", 0);
    assert_string_equal(local->text, "\"localhost\"");
    assert_string_equal(find_return(&stage, local)->text, "127.0.0.1, ::1");
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_set_is_got),
        cmocka_unit_test(an_unknown_option_or_value_is_an_error_that_names_the_option),
        cmocka_unit_test(every_option_listed_is_known),
        cmocka_unit_test(info_tells_of_the_connection),
        cmocka_unit_test(names_are_looked_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
