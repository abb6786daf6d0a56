#include "unit/host/actor.h"

/* A server that serves three clients from one task, by select: it echoes until all have gone. */
struct crowd {
    struct host_socket *sockets[8];
    size_t count, gone;
    struct socket_wait wait;
};

static void select_step(struct task *task, void *data)
{
    struct actor *actor = data;
    struct crowd *crowd = actor->extra;
    for (;;) {
        if (actor->waiting) {
            actor->waiting = false;
            assert_true(task_result(task)->value > 0);
            for (size_t i = 0; i < crowd->count; i++) {
                struct host_socket *socket = crowd->sockets[i];
                if (!socket_is_selected(socket, false))
                    continue;
                /* What is selected never makes the next call wait. */
                if (i == 0) {
                    assert_int_equal(socket_accept(task, socket), CALL_DONE);
                    crowd->sockets[crowd->count++] = task_result(task)->socket;
                    break;
                }
                assert_int_equal(socket_recv(task, socket, 100), CALL_DONE);
                assert_int_equal(task_result(task)->error, 0);
                if (task_result(task)->end_of_stream) {
                    crowd->gone++;
                    socket_close(task, socket);
                    crowd->sockets[i] = crowd->sockets[--crowd->count];
                    break;
                }
                char copy[100];
                size_t length = task_result(task)->length;
                memcpy(copy, task_result(task)->bytes, length);
                assert_int_equal(socket_sendall(task, socket, copy, length), CALL_DONE);
            }
            if (crowd->gone == 3) {
                task_end(task);
                return;
            }
        }
        crowd->wait = (struct socket_wait){.read = crowd->sockets, .read_count = crowd->count};
        actor->waiting = true;
        if (socket_select(task, &crowd->wait, -1) == CALL_WAITING)
            return;
    }
}

static void serve_step(struct task *task, void *data)
{
    struct actor *actor = data;
    struct crowd *crowd = actor->extra;
    if (crowd->count == 0) {
        socket_open(task, 4, TRACE_TCP);
        crowd->sockets[crowd->count++] = task_result(task)->socket;
        socket_bind(task, crowd->sockets[0], &meeting);
        socket_getsockname(task, crowd->sockets[0]);
        meeting = task_result(task)->address;
        socket_listen(task, crowd->sockets[0], 5);
    }
    select_step(task, data);
}

static void one_task_serves_many_by_select(void **state)
{
    (void)state;
    static action *const talking_client[] = {do_tcp,   do_connect, do_hello, do_recv, do_sleep,
                                             do_hello, do_recv,    do_close, NULL};
    static const struct task_behavior serving = {serve_step, actor_cancel};
    struct stage stage = {0};
    struct crowd crowd = {0};
    struct actor server = {.extra = &crowd};
    struct actor clients[3];
    stage_open(&stage);
    struct role *role = host_add_role(stage.host, TRACE_ROLE_SERVER, "server");
    assert_non_null(task_add(role, &serving, &server));
    for (size_t i = 0; i < 3; i++) {
        clients[i] = (struct actor){.actions = talking_client};
        add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &clients[i]);
    }
    stage_run(&stage);
    assert_true(stage.done);
    assert_int_equal(crowd.gone, 3);
    for (size_t i = 0; i < 3; i++)
        assert_received(&clients[i], "HelloHello");
    const struct told *first = find_call(&stage, 1, "select", 0);
    assert_string_equal(first->text, "{listener}, {}");
    assert_string_equal(find_return(&stage, first)->text, "{listener}, {}");
    stage_close(&stage);
}

static enum call_progress select_nothing_to_read(struct actor *actor, struct task *task)
{
    static struct host_socket *one[1];
    static struct socket_wait wait;
    one[0] = actor->socket;
    wait = (struct socket_wait){.read = one, .read_count = 1};
    return socket_select(task, &wait, 30 * NANOSECONDS_PER_MILLISECOND);
}

static enum call_progress look_for_room_to_write(struct actor *actor, struct task *task)
{
    static struct host_socket *one[1];
    static struct socket_wait wait;
    assert_int_equal(actor->value, 0);
    one[0] = actor->socket;
    wait = (struct socket_wait){.read = one, .read_count = 1, .write = one, .write_count = 1};
    enum call_progress progress = socket_select(task, &wait, 0);
    assert_int_equal(progress, CALL_DONE);
    assert_int_equal(task_result(task)->value, 1);
    assert_false(socket_is_selected(actor->socket, false));
    assert_true(socket_is_selected(actor->socket, true));
    return progress;
}

static void select_tells_nothing_when_its_time_is_over(void **state)
{
    (void)state;
    static action *const looking[] = {do_udp, do_bind, select_nothing_to_read,
                                      look_for_room_to_write, NULL};
    struct stage stage = {0};
    struct actor client = {.actions = looking};
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &client);
    stage_run(&stage);
    assert_true(stage.done);
    const struct told *call = find_call(&stage, 1, "select", 0);
    unsigned port = 0;
    char text[64];
    assert_int_equal(sscanf(call->text, "{udp :%u}", &port), 1);
    snprintf(text, sizeof text, "{udp :%u}, {}, 0.03", port);
    assert_string_equal(call->text, text);
    assert_true(find_return(&stage, call)->time - call->time >= 30 * NANOSECONDS_PER_MILLISECOND);
    assert_string_equal(find_return(&stage, call)->text, "{}, {}");
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_task_serves_many_by_select),
        cmocka_unit_test(select_tells_nothing_when_its_time_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
