#include "unit/host/actor.h"

/* As lab.reply does it: one task accepts, and each connection gets a task of its own. */
enum { CLIENTS = 2000, ROUNDS = 3 };

static size_t served;

struct echo {
    struct host_socket *socket;
    int stage; /* 0: nothing yet; 1: receiving; 2: sending */
    char bytes[16];
};

static void echo_step(struct task *task, void *data)
{
    struct echo *echo = data;
    for (;;) {
        if (echo->stage == 1) {
            const struct call_result *result = task_result(task);
            if (result->end_of_stream || result->error != 0) {
                socket_close(task, echo->socket);
                socket_release(echo->socket);
                free(echo);
                served++;
                task_end(task);
                return;
            }
            memcpy(echo->bytes, result->bytes, result->length);
            echo->stage = 2;
            if (socket_sendall(task, echo->socket, echo->bytes, result->length) == CALL_WAITING)
                return;
        }
        echo->stage = 1;
        if (socket_recv(task, echo->socket, sizeof echo->bytes) == CALL_WAITING)
            return;
    }
}

static void echo_cancel(struct task *task, void *data)
{
    (void)task;
    free(data);
}

static const struct task_behavior echoing = {echo_step, echo_cancel};

static void accept_step(struct task *task, void *data)
{
    struct actor *actor = data;
    for (;;) {
        if (actor->waiting) {
            struct echo *echo = calloc(1, sizeof *echo);
            assert_non_null(echo);
            assert_int_equal(task_result(task)->error, 0);
            echo->socket = task_result(task)->socket;
            assert_non_null(task_add(task_role(task), &echoing, echo));
        } else {
            socket_open(task, 4, TRACE_TCP);
            actor->listener = task_result(task)->socket;
            meeting.port = 0;
            socket_bind(task, actor->listener, &meeting);
            socket_getsockname(task, actor->listener);
            meeting = task_result(task)->address;
            socket_listen(task, actor->listener, CLIENTS);
            actor->waiting = true;
        }
        if (socket_accept(task, actor->listener) == CALL_WAITING)
            return;
    }
}

static const struct task_behavior accepting = {accept_step, actor_cancel};

static enum call_progress do_again(struct actor *actor, struct task *task)
{
    if (++actor->rounds < ROUNDS)
        actor->at -= 3;
    return task_sleep(task, 0);
}

static void two_thousand_connections_at_a_time_are_echoed(void **state)
{
    (void)state;
    static action *const talking_client[] = {do_tcp,   do_connect, do_hello, do_recv,
                                             do_again, do_close,   NULL};
    struct stage stage = {0};
    struct actor server = {0};
    struct actor *clients = calloc(CLIENTS, sizeof *clients);
    assert_non_null(clients);
    stage_open(&stage);
    struct role *role = host_add_role(stage.host, TRACE_ROLE_SERVER, "server");
    assert_non_null(task_add(role, &accepting, &server));
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = (struct actor){.actions = talking_client};
        add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &clients[i]);
    }
    stage_run(&stage);
    if (!stage.done)
        print_error("%s\n", stage.error.text);
    assert_true(stage.done);
    assert_int_equal(served, CLIENTS);
    for (size_t i = 0; i < CLIENTS; i++)
        assert_received(&clients[i], "HelloHelloHello");
    stage_close(&stage);
    free(clients);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_thousand_connections_at_a_time_are_echoed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
