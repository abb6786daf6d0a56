#include "unit/host/actor.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <time.h>

#include "support/tcp_state.h"

static action *const greeting_server[] = {LISTENING, do_accept,         do_recv, do_hello,
                                          do_close,  do_close_listener, NULL};
static action *const greeting_client[] = {do_tcp, do_connect, do_hello, do_recv, do_close, NULL};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void hello_goes_both_ways(void **state)
{
    (void)state;
    struct stage stage = {0};
    struct actor server = {.actions = greeting_server};
    struct actor client = {.actions = greeting_client};
    stage.settings.kernel_states = true;
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_SERVER, "server", &server);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &client);
    stage_run(&stage);
    assert_true(stage.done);
    assert_int_equal(stage.outcome, TRACE_DONE);
    assert_received(&server, "Hello");
    assert_received(&client, "Hello");
    assert_int_equal(server.cancels + client.cancels, 0);

    const struct told *connect = find_call(&stage, 2, "connect", 0);
    char expected[ADDRESS_TEXT];
    assert_string_equal(connect->text, address_format(&meeting, expected));
    assert_int_equal(connect->line, 2);
    const struct told *send = find_call(&stage, 2, "sendall", 0);
    assert_string_equal(send->text, "\"Hello\"");
    assert_string_equal(find_return(&stage, send)->text, "5");
    const struct told *received = find_call(&stage, 2, "recv", 0);
    assert_string_equal(received->text, "1024");
    assert_string_equal(find_return(&stage, received)->text, "\"Hello\"");
    const struct told *accept = find_call(&stage, 1, "accept", 0);
    assert_memory_equal(find_return(&stage, accept)->text, "127.0.0.1:", 10);
    size_t established = 0;
    for (size_t i = 0; i < stage.count; i++)
        established +=
            stage.told[i].kind == TRACE_STATE && stage.told[i].number == TCP_STATE_ESTABLISHED;
    assert_true(established >= 4);
    stage_close(&stage);
}

/* The calls and their returns of a lab with three clients, in order, without what is of chance. */
static void run_crowd(struct buffer *order)
{
    static action *const host_actions[] = {LISTENING, do_accept, do_recv,  do_hello,
                                           do_accept, do_recv,   do_hello, do_accept,
                                           do_recv,   do_hello,  NULL};
    struct stage stage = {0};
    struct actor server = {.actions = host_actions};
    struct actor clients[3];
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_SERVER, "server", &server);
    for (size_t i = 0; i < 3; i++) {
        clients[i] = (struct actor){.actions = greeting_client};
        add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &clients[i]);
    }
    stage_run(&stage);
    assert_true(stage.done);
    for (size_t i = 0; i < stage.count; i++)
        if (stage.told[i].kind == TRACE_CALL || stage.told[i].kind == TRACE_RETURN)
            buffer_printf(order, "%d %u %u %s %d\n", (int)stage.told[i].kind, stage.told[i].call,
                          stage.told[i].role, stage.told[i].name, stage.told[i].error);
    stage_close(&stage);
}

static void two_runs_make_the_same_calls_in_the_same_order(void **state)
{
    (void)state;
    struct buffer first = {0};
    run_crowd(&first);
    for (int i = 0; i < 20; i++) {
        struct buffer again = {0};
        run_crowd(&again);
        assert_string_equal(buffer_text(&first), buffer_text(&again));
        buffer_free(&again);
    }
    buffer_free(&first);
}

static void clients_begin_when_the_server_waits_in_a_call_not_in_a_sleep(void **state)
{
    (void)state;
    static action *const slow_server[] = {do_sleep, LISTENING, do_accept, do_recv, do_hello, NULL};
    struct stage stage = {0};
    struct actor server = {.actions = slow_server};
    struct actor client = {.actions = greeting_client};
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &client);
    add_actor(stage.host, TRACE_ROLE_SERVER, "server", &server);
    stage_run(&stage);
    assert_true(stage.done);
    assert_true(find_call(&stage, 2, "accept", 0)->time < find_call(&stage, 1, "socket", 0)->time);
    stage_close(&stage);
}

static enum call_progress say_ready(struct actor *actor, struct task *task)
{
    (void)actor;
    struct address elsewhere = {.family = 4, .port = 99};
    host_ready(task_host(task), &meeting);
    host_ready(task_host(task), &elsewhere);
    return task_sleep(task, 20 * NANOSECONDS_PER_MILLISECOND);
}

static void clients_begin_when_the_server_says_ready(void **state)
{
    (void)state;
    static action *const ready_server[] = {LISTENING, say_ready, do_accept,
                                           do_recv,   do_hello,  NULL};
    struct stage stage = {0};
    struct actor server = {.actions = ready_server};
    struct actor client = {.actions = greeting_client};
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_SERVER, "server", &server);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &client);
    stage_run(&stage);
    assert_true(stage.done);
    struct address ready = host_ready_address(stage.host);
    assert_true(address_equal(&ready, &meeting));
    assert_true(find_call(&stage, 2, "connect", 0)->time < find_call(&stage, 1, "accept", 0)->time);
    stage_close(&stage);
}

static void sockets_left_open_are_closed_at_the_end_of_their_role(void **state)
{
    (void)state;
    static action *const careless[] = {do_tcp, do_connect, do_hello, do_recv, do_udp, NULL};
    static action *const answering[] = {LISTENING, do_accept, do_recv, do_hello, do_accept, NULL};
    struct stage stage = {0};
    struct actor server = {.actions = answering};
    struct actor client = {.actions = careless, .daring = true};
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_SERVER, "server", &server);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &client);
    stage_run(&stage);
    assert_true(stage.done);
    /* The client's two, in the order of their creation; the server's end with the exchange. */
    const struct told *first = find_call(&stage, 2, "close", 0);
    const struct told *second = find_call(&stage, 2, "close", 1);
    assert_int_equal(first->line, 0);
    assert_true(first->socket < second->socket);
    assert_int_equal(find_call(&stage, 1, "close", 1)->line, 0);
    const struct told *accept = find_call(&stage, 1, "accept", 1);
    assert_int_equal(find_return(&stage, accept)->error, ECANCELED);
    assert_int_equal(server.cancels, 1);
    assert_int_equal(client.cancels, 0);
    stage_close(&stage);
}

static void a_deadlock_is_noticed_within_a_second(void **state)
{
    (void)state;
    static action *const server_waits[] = {LISTENING, do_accept, do_recv, NULL};
    static action *const client_waits[] = {do_tcp, do_connect, do_recv, NULL};
    struct stage stage = {0};
    struct actor server = {.actions = server_waits};
    struct actor client = {.actions = client_waits};
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_SERVER, "server", &server);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &client);
    double before = now();
    stage_run(&stage);
    assert_true(now() - before < 1.0);
    assert_false(stage.done);
    assert_int_equal(stage.outcome, TRACE_DEADLOCK);
    assert_int_equal(stage.error.status, STATUS_USAGE);
    assert_string_equal(stage.error.text, "every role waits for another: deadlock\n"
                                          "server was waiting in recv (test.lua:6)\n"
                                          "client was waiting in recv (test.lua:3)");
    assert_int_equal(server.cancels, 1);
    assert_int_equal(client.cancels, 1);
    stage_close(&stage);
}

static bool never_quiet(void)
{
    return false;
}

static enum call_progress do_flood(struct actor *actor, struct task *task)
{
    return socket_sendall(task, talking(actor), actor->extra, 64 << 20);
}

static void a_deadlock_of_two_full_windows_is_noticed_too(void **state)
{
    (void)state;
    static action *const server_floods[] = {LISTENING, do_accept, do_flood, NULL};
    static action *const client_floods[] = {do_tcp, do_connect, do_flood, NULL};
    struct stage stage = {0};
    char *bytes = calloc(1, 64 << 20);
    struct actor server = {.actions = server_floods, .extra = bytes};
    struct actor client = {.actions = client_floods, .extra = bytes};
    stage.settings.is_quiet = never_quiet;
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_SERVER, "server", &server);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &client);
    double before = now();
    stage_run(&stage);
    assert_true(now() - before < 10.0);
    assert_int_equal(stage.outcome, TRACE_DEADLOCK);
    stage_close(&stage);
    free(bytes);
}

static void a_time_out_names_what_each_role_was_doing(void **state)
{
    (void)state;
    static action *const server_waits[] = {LISTENING, do_accept, do_recv, NULL};
    static action *const client_waits[] = {do_tcp, do_connect, do_recv, NULL};
    struct stage stage = {0};
    struct actor server = {.actions = server_waits};
    struct actor client = {.actions = client_waits};
    stage_open(&stage);
    host_close(stage.host);
    struct error error;
    stage.settings.timeout = NANOSECONDS_PER_SECOND / 10;
    stage.host = host_open(&stage.settings, &error);
    add_actor(stage.host, TRACE_ROLE_SERVER, "server", &server);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &client);
    stage_run(&stage);
    assert_int_equal(stage.outcome, TRACE_TIMED_OUT);
    assert_string_equal(stage.error.text, "the exchange took longer than 0.1 s\n"
                                          "server was waiting in recv (test.lua:6)\n"
                                          "client was waiting in recv (test.lua:3)");
    stage_close(&stage);
}

static enum call_progress do_fail(struct actor *actor, struct task *task)
{
    (void)actor;
    task_fail(task, "hello.lua:5: oops\nstack traceback:", "hello.lua", 5);
    return CALL_WAITING;
}

static void one_role_failing_ends_the_exchange_and_names_the_others(void **state)
{
    (void)state;
    static action *const server_fails[] = {LISTENING, do_accept, do_fail, NULL};
    static action *const client_waits[] = {do_tcp, do_connect, do_recv, NULL};
    struct stage stage = {0};
    struct actor server = {.actions = server_fails};
    struct actor client = {.actions = client_waits};
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_SERVER, "server", &server);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &client);
    stage_run(&stage);
    assert_false(stage.done);
    assert_int_equal(stage.outcome, TRACE_ROLE_FAILED);
    assert_string_equal(stage.error.text,
                        "hello.lua:5: oops\nstack traceback:\n"
                        "client was waiting in recv (test.lua:3) when server failed");
    assert_string_equal(stage.told[stage.count - 1].text, "hello.lua:5: oops");
    assert_int_equal(server.cancels, 0);
    assert_int_equal(client.cancels, 1);
    size_t notes = 0;
    for (size_t i = 0; i < stage.count; i++)
        notes += stage.told[i].kind == TRACE_NOTE && stage.told[i].number == TRACE_NOTE_ERROR;
    assert_int_equal(notes, 1);
    stage_close(&stage);
}

static enum call_progress do_raise(struct actor *actor, struct task *task)
{
    raise(actor->value == 0 ? SIGINT : SIGTERM);
    return task_sleep(task, NANOSECONDS_PER_SECOND * 10);
}

static void an_interrupt_ends_the_exchange(void **state)
{
    (void)state;
    static action *const interrupted[] = {do_sleep, do_raise, NULL};
    struct stage stage = {0};
    struct actor client = {.actions = interrupted};
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &client);
    double before = now();
    stage_run(&stage);
    assert_true(now() - before < 5);
    assert_false(stage.done);
    assert_int_equal(stage.outcome, TRACE_INTERRUPTED);
    assert_int_equal(stage.error.status, STATUS_DONE);
    stage_close(&stage);
}

static void an_interrupt_is_the_regular_end_of_serving(void **state)
{
    (void)state;
    static action *const serving[] = {LISTENING, do_accept, NULL};
    static action *const interrupting[] = {do_sleep, do_raise, NULL};
    struct stage stage = {.settings = {.serving = true}};
    struct actor server = {.actions = serving};
    struct actor other = {.actions = interrupting, .value = 1};
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_SERVER, "server", &server);
    add_actor(stage.host, TRACE_ROLE_SERVER, "other", &other);
    stage_run(&stage);
    assert_true(stage.done);
    assert_int_equal(stage.outcome, TRACE_DONE);
    assert_int_equal(server.cancels, 1);
    stage_close(&stage);
}

static int quiet_asked;

static bool quiet_at_the_third_question(void)
{
    return ++quiet_asked >= 3;
}

static void the_trace_ends_only_when_the_wire_is_quiet(void **state)
{
    (void)state;
    static action *const little[] = {do_udp, do_close, NULL};
    struct stage stage = {.settings = {.is_quiet = quiet_at_the_third_question}};
    struct actor client = {.actions = little};
    quiet_asked = 0;
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &client);
    stage_run(&stage);
    assert_true(stage.done);
    assert_int_equal(quiet_asked, 3);
    const struct told *end = &stage.told[stage.count - 1];
    assert_true(end->time - stage.told[stage.count - 2].time >= 2 * NANOSECONDS_PER_MILLISECOND);
    stage_close(&stage);

    /* But it does not wait for ever. */
    struct stage noisy = {.settings = {.is_quiet = never_quiet}};
    struct actor other = {.actions = little};
    stage_open(&noisy);
    add_actor(noisy.host, TRACE_ROLE_CLIENT, "client", &other);
    double before = now();
    stage_run(&noisy);
    assert_true(noisy.done);
    assert_true(now() - before < 1.0);
    stage_close(&noisy);
}

static enum call_progress spawn_listener_user(struct actor *actor, struct task *task)
{
    struct actor *helper = actor->extra;
    helper->listener = actor->listener;
    assert_non_null(task_add(task_role(task), &actor_behavior, helper));
    return task_sleep(task, 0);
}

static void a_socket_outlives_the_task_that_made_it_as_long_as_its_role_has_another(void **state)
{
    (void)state;
    static action *const making[] = {LISTENING, spawn_listener_user, NULL};
    static action *const using[] = {do_sleep, do_accept, do_recv, do_hello, NULL};
    struct stage stage = {0};
    struct actor helper = {.actions = using};
    struct actor server = {.actions = making, .extra = &helper};
    struct actor client = {.actions = greeting_client};
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_SERVER, "server", &server);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &client);
    stage_run(&stage);
    assert_true(stage.done);
    assert_received(&client, "Hello");
    stage_close(&stage);
}

static enum call_progress do_print(struct actor *actor, struct task *task)
{
    (void)actor;
    task_print(task, "so far", 6);
    return task_sleep(task, 0);
}

static void hear_print(void *data, const struct role *role, enum trace_note_kind kind,
                       const char *text, size_t length)
{
    struct buffer *heard = data;
    assert_int_equal(kind, TRACE_NOTE_PRINT);
    buffer_printf(heard, "%s: %.*s", role_name(role), (int)length, text);
}

static void what_a_role_prints_is_heard_and_in_the_trace(void **state)
{
    (void)state;
    static action *const printing[] = {do_print, NULL};
    struct stage stage = {0};
    struct buffer heard = {0};
    struct actor client = {.actions = printing};
    stage_open(&stage);
    host_listen(stage.host, hear_print, &heard);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "alice", &client);
    stage_run(&stage);
    assert_string_equal(buffer_text(&heard), "alice: so far");
    assert_int_equal(stage.told[1].kind, TRACE_NOTE);
    assert_string_equal(stage.told[1].text, "so far");
    buffer_free(&heard);
    stage_close(&stage);
}

/* A task that adds its own successor for ever: a turn is always ready. */
static void succeed_step(struct task *task, void *data)
{
    static const struct task_behavior again = {succeed_step, actor_cancel};
    assert_non_null(task_add(task_role(task), &again, data));
    task_end(task);
}

static void tasks_that_never_wait_do_not_keep_the_time_out_from_being_seen(void **state)
{
    (void)state;
    static const struct task_behavior first = {succeed_step, actor_cancel};
    struct host_settings settings = {.timeout = 50 * NANOSECONDS_PER_MILLISECOND};
    struct actor actor = {0};
    struct error error;
    enum trace_outcome outcome;
    struct host *host = host_open(&settings, &error);
    assert_non_null(task_add(host_add_role(host, TRACE_ROLE_CLIENT, "hydra"), &first, &actor));
    assert_false(host_run(host, &outcome, &error));
    assert_int_equal(outcome, TRACE_TIMED_OUT);
    assert_int_equal(actor.cancels, 1);
    host_close(host);
}

static size_t descriptors(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static void no_descriptor_is_left_behind(void **state)
{
    struct buffer order = {0};
    a_deadlock_is_noticed_within_a_second(state); /* libuv opens a pipe for signals once */
    size_t before = descriptors();
    run_crowd(&order);
    a_deadlock_is_noticed_within_a_second(state);
    one_role_failing_ends_the_exchange_and_names_the_others(state);
    sockets_left_open_are_closed_at_the_end_of_their_role(state);
    assert_int_equal(descriptors(), before);
    buffer_free(&order);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_goes_both_ways),
        cmocka_unit_test(two_runs_make_the_same_calls_in_the_same_order),
        cmocka_unit_test(clients_begin_when_the_server_waits_in_a_call_not_in_a_sleep),
        cmocka_unit_test(clients_begin_when_the_server_says_ready),
        cmocka_unit_test(sockets_left_open_are_closed_at_the_end_of_their_role),
        cmocka_unit_test(a_deadlock_is_noticed_within_a_second),
        cmocka_unit_test(a_deadlock_of_two_full_windows_is_noticed_too),
        cmocka_unit_test(a_time_out_names_what_each_role_was_doing),
        cmocka_unit_test(one_role_failing_ends_the_exchange_and_names_the_others),
        cmocka_unit_test(an_interrupt_ends_the_exchange),
        cmocka_unit_test(an_interrupt_is_the_regular_end_of_serving),
        cmocka_unit_test(the_trace_ends_only_when_the_wire_is_quiet),
        cmocka_unit_test(a_socket_outlives_the_task_that_made_it_as_long_as_its_role_has_another),
        cmocka_unit_test(what_a_role_prints_is_heard_and_in_the_trace),
        cmocka_unit_test(tasks_that_never_wait_do_not_keep_the_time_out_from_being_seen),
        cmocka_unit_test(no_descriptor_is_left_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
