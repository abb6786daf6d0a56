/* What serve asks of the host: who can reach a server is known, and nobody reaches it by accident.
 */
#include "unit/host/actor.h"

#include <errno.h>

static struct address reached[4];
static enum trace_transport reached_by[4];
static size_t reaches;

static void note_reachable(void *data, const struct address *address,
                           enum trace_transport transport)
{
    (void)data;
    assert_true(reaches < 4);
    reached_by[reaches] = transport;
    reached[reaches++] = *address;
}

static enum call_progress do_bind_anywhere(struct actor *actor, struct task *task)
{
    struct address anywhere = {.family = meeting.family};
    return socket_bind(task, actor->socket, &anywhere);
}

static enum call_progress do_interrupt(struct actor *actor, struct task *task)
{
    (void)actor;
    host_interrupt(task_host(task));
    return task_sleep(task, 0);
}

static void open_serving(struct stage *stage, struct actor *server)
{
    struct error error;
    reaches = 0;
    stage_open(stage);
    host_close(stage->host);
    stage->settings.serving = true;
    stage->settings.loopback_only = true;
    stage->settings.reachable = note_reachable;
    stage->host = host_open(&stage->settings, &error);
    add_actor(stage->host, TRACE_ROLE_SERVER, "server", server);
}

static enum call_progress check_not_told(struct actor *actor, struct task *task)
{
    (void)actor;
    assert_int_equal(reaches, 0);
    return task_sleep(task, 0);
}

/* Before it waits a server may have more to prepare for its clients. */
static void a_listener_is_told_of_when_the_server_waits(void **state)
{
    (void)state;
    static action *const actions[] = {LISTENING, check_not_told, do_accept, NULL};
    static action *const interrupting[] = {do_sleep, do_sleep, do_interrupt, NULL};
    struct stage stage = {0};
    struct actor server = {.actions = actions};
    struct actor interrupter = {.actions = interrupting};
    open_serving(&stage, &server);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "interrupter", &interrupter);
    stage_run(&stage);
    assert_true(stage.done);
    assert_int_equal(reaches, 1);
    assert_int_equal(reached_by[0], TRACE_TCP);
    assert_true(address_equal(&reached[0], &meeting));
    assert_int_not_equal(reached[0].port, 0);
    stage_close(&stage);
}

static enum call_progress do_ready(struct actor *actor, struct task *task)
{
    (void)actor;
    host_ready(task_host(task), &meeting);
    return task_sleep(task, 0);
}

static void a_udp_socket_is_told_of_when_the_server_is_ready(void **state)
{
    (void)state;
    static action *const actions[] = {do_udp,   do_bind,      do_getsockname,
                                      do_ready, do_interrupt, NULL};
    struct stage stage = {0};
    struct actor server = {.actions = actions};
    open_serving(&stage, &server);
    stage_run(&stage);
    assert_int_equal(reaches, 1);
    assert_int_equal(reached_by[0], TRACE_UDP);
    assert_true(address_equal(&reached[0], &meeting));
    stage_close(&stage);
}

static void binding_wider_than_the_loopback_must_be_allowed(void **state)
{
    (void)state;
    static action *const actions[] = {do_tcp, do_bind_anywhere, NULL};
    for (int allowed = 0; allowed < 2; allowed++) {
        struct stage stage = {0};
        struct actor server = {.actions = actions, .daring = true};
        struct error error;
        open_serving(&stage, &server);
        host_close(stage.host);
        stage.settings.loopback_only = allowed == 0;
        stage.host = host_open(&stage.settings, &error);
        add_actor(stage.host, TRACE_ROLE_SERVER, "server", &server);
        stage_run(&stage);
        assert_int_equal(server.error_count, 1 - allowed);
        if (allowed == 0) {
            assert_int_equal(server.errors[0], EACCES);
            assert_string_equal(server.messages[0],
                                "bind 0.0.0.0:0: others could reach it there, which --host "
                                "must allow (EACCES)");
        }
        stage_close(&stage);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_listener_is_told_of_when_the_server_waits),
        cmocka_unit_test(a_udp_socket_is_told_of_when_the_server_is_ready),
        cmocka_unit_test(binding_wider_than_the_loopback_must_be_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
