/* Receiving, sending and waiting without a call: nothing is mixed up, and a call is asked for
 * wherever one is needed. */
#include "unit/host/actor.h"

enum { CLIENTS = 100, ROUNDS = 3, LIMIT = 64 };

/* A connection that is echoed, at once where that can be. */
struct served {
    struct host_socket *socket;
    int64_t timeout;        /* of the socket, ns */
    bool called;            /* a recv has been called, and its result comes */
    bool interrupts;        /* ends the exchange at the first message */
    size_t awaits, at_once; /* how often it waited, and received, without a call */
    size_t sent;            /* bytes */
    char got[LIMIT];
    size_t length;
};

static void keep(struct served *served, struct task *task, const uint8_t *bytes, size_t length)
{
    assert_true(served->length + length <= sizeof served->got);
    memcpy(served->got + served->length, bytes, length);
    served->length += length;
    if (served->interrupts)
        host_interrupt(task_host(task));
    size_t sent = socket_send_at_once(task, served->socket, bytes, length);
    served->sent += sent;
    if (sent < length)
        assert_int_equal(socket_sendall(task, served->socket, bytes + sent, length - sent),
                         CALL_DONE);
}

/* Returns whether the task goes on now. */
static bool receive(struct served *served, struct task *task)
{
    const struct call_result *result = task_result(task);
    const uint8_t *bytes = NULL;
    size_t length;
    if (!served->called) {
        if (socket_await(task, served->socket, LIMIT)) {
            served->awaits++;
            return false;
        }
        length = socket_recv_at_once(task, served->socket, LIMIT, &bytes);
        served->at_once += length > 0;
        if (length > 0) {
            keep(served, task, bytes, length);
            return true;
        }
        served->called = true;
        if (socket_recv(task, served->socket, LIMIT) == CALL_WAITING)
            return false;
    }
    served->called = false;
    assert_int_equal(result->error, 0);
    if (!result->end_of_stream)
        keep(served, task, result->bytes, result->length);
    else
        task_end(task);
    return !result->end_of_stream;
}

static void serve_step(struct task *task, void *data)
{
    struct served *served = data;
    socket_set_timeout(served->socket, served->timeout);
    while (receive(served, task))
        ;
}

static void serve_cancel(struct task *task, void *data)
{
    (void)task, (void)data;
}

static const struct task_behavior serve_behavior = {serve_step, serve_cancel};

/* A server and its clients. */
struct scene {
    struct stage stage;
    struct actor server, clients[CLIENTS];
    size_t count; /* of clients */
    struct served served[CLIENTS];
    char texts[CLIENTS][8];
};

/* Accepts all clients; extra is the scene. */
static enum call_progress do_accept_all(struct actor *actor, struct task *task)
{
    struct scene *scene = actor->extra;
    if (actor->rounds > 0) {
        struct served *served = &scene->served[actor->rounds - 1];
        served->socket = task_result(task)->socket;
        assert_non_null(task_add(task_role(task), &serve_behavior, served));
    }
    if (actor->rounds == scene->count)
        return task_sleep(task, 0);
    actor->rounds++;
    actor->at--;
    return socket_accept(task, actor->listener);
}

/* extra is what this client says. */
static enum call_progress do_say(struct actor *actor, struct task *task)
{
    return socket_sendall(task, actor->socket, actor->extra, strlen(actor->extra));
}

static action *const accepting[] = {LISTENING, do_accept_all, NULL};
static action *const asking[] = {do_tcp,  do_connect, do_say,  do_recv,  do_say,
                                 do_recv, do_say,     do_recv, do_close, NULL};

static void play(struct scene *scene, size_t clients, bool recorded)
{
    struct error error;
    struct stage *stage = &scene->stage;
    stage_open(stage);
    host_close(stage->host);
    stage->settings.alone = false;
    if (!recorded)
        stage->settings.recorder = NULL;
    stage->host = host_open(&stage->settings, &error);
    assert_non_null(stage->host);
    scene->count = clients;
    scene->server = (struct actor){.actions = accepting, .extra = scene, .daring = true};
    add_actor(stage->host, TRACE_ROLE_SERVER, "server", &scene->server);
    for (size_t i = 0; i < clients; i++) {
        snprintf(scene->texts[i], sizeof scene->texts[i], "<%zu>", i);
        scene->clients[i] =
            (struct actor){.actions = asking, .extra = scene->texts[i], .daring = true};
        add_actor(stage->host, TRACE_ROLE_CLIENT, "client", &scene->clients[i]);
    }
    stage->done = host_run(stage->host, &stage->outcome, &stage->error);
}

static struct scene *new_scene(void)
{
    struct scene *scene = calloc(1, sizeof *scene);
    assert_non_null(scene);
    for (size_t i = 0; i < CLIENTS; i++)
        scene->served[i].timeout = -1;
    return scene;
}

static void close_scene(struct scene *scene)
{
    stage_close(&scene->stage);
    free(scene);
}

/* Each client has heard what it said, and the server, whoever accepted it, the same three times. */
static void assert_echoed(const struct scene *scene, size_t clients)
{
    bool seen[CLIENTS] = {false};
    for (size_t i = 0; i < clients; i++) {
        char expected[LIMIT];
        snprintf(expected, sizeof expected, "<%zu><%zu><%zu>", i, i, i);
        assert_received(&scene->clients[i], expected);
        size_t who = strtoul(scene->served[i].got + 1, NULL, 10);
        assert_true(who < clients && !seen[who]);
        seen[who] = true;
        snprintf(expected, sizeof expected, "<%zu><%zu><%zu>", who, who, who);
        assert_int_equal(scene->served[i].length, strlen(expected));
        assert_memory_equal(scene->served[i].got, expected, strlen(expected));
    }
}

static void many_are_served_without_calls_and_each_gets_its_own(void **state)
{
    (void)state;
    struct scene *scene = new_scene();
    play(scene, CLIENTS, false);
    assert_true(scene->stage.done);
    assert_echoed(scene, CLIENTS);
    size_t awaits = 0, at_once = 0;
    for (size_t i = 0; i < CLIENTS; i++) {
        awaits += scene->served[i].awaits;
        at_once += scene->served[i].at_once;
        assert_int_equal(scene->served[i].sent, scene->served[i].length);
    }
    assert_true(awaits >= CLIENTS);
    assert_true(at_once >= CLIENTS * (ROUNDS - 1));
    close_scene(scene);
}

static void what_is_recorded_needs_calls(void **state)
{
    (void)state;
    struct scene *scene = new_scene();
    play(scene, 2, true);
    assert_true(scene->stage.done);
    assert_echoed(scene, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(scene->served[i].at_once, 0);
        assert_int_equal(scene->served[i].awaits, 0);
        assert_int_equal(scene->served[i].sent, 0);
    }
    close_scene(scene);
}

static void a_time_out_needs_a_call(void **state)
{
    (void)state;
    struct scene *scene = new_scene();
    scene->served[0].timeout = 10 * NANOSECONDS_PER_SECOND;
    play(scene, 1, false);
    assert_true(scene->stage.done);
    assert_echoed(scene, 1);
    assert_int_equal(scene->served[0].at_once, 0);
    assert_int_equal(scene->served[0].awaits, 0);
    close_scene(scene);
}

static void an_end_in_between_forgets_what_was_received_ahead(void **state)
{
    (void)state;
    struct scene *scene = new_scene();
    for (size_t i = 0; i < CLIENTS; i++)
        scene->served[i].interrupts = true;
    play(scene, CLIENTS, false);
    assert_int_equal(scene->stage.outcome, TRACE_INTERRUPTED);
    close_scene(scene);
}

static enum call_progress check_large(struct actor *actor, struct task *task)
{
    size_t length = (size_t)64 << 20;
    uint8_t *bytes = calloc(1, length);
    assert_non_null(bytes);
    size_t sent = socket_send_at_once(task, actor->other, bytes, length);
    free(bytes);
    assert_true(sent > 0 && sent < length);
    assert_int_equal(socket_send_at_once(task, actor->other, "x", 1), 0);
    return task_sleep(task, 0);
}

static enum call_progress check_closed(struct actor *actor, struct task *task)
{
    const uint8_t *bytes;
    assert_int_equal(socket_send_at_once(task, actor->other, "x", 1), 0);
    assert_int_equal(socket_recv_at_once(task, actor->other, LIMIT, &bytes), 0);
    assert_false(socket_await(task, actor->other, LIMIT));
    return task_sleep(task, 0);
}

static void what_the_kernel_does_not_take_and_a_closed_socket_need_calls(void **state)
{
    (void)state;
    static action *const sending[] = {LISTENING, do_accept,    check_large,
                                      do_close,  check_closed, NULL};
    static action *const connecting[] = {do_tcp, do_connect, do_sleep, do_close, NULL};
    struct scene *scene = new_scene();
    struct stage *stage = &scene->stage;
    struct error error;
    stage_open(stage);
    host_close(stage->host);
    stage->settings.recorder = NULL;
    stage->host = host_open(&stage->settings, &error);
    scene->server.actions = sending;
    scene->clients[0].actions = connecting;
    add_actor(stage->host, TRACE_ROLE_SERVER, "server", &scene->server);
    add_actor(stage->host, TRACE_ROLE_CLIENT, "client", &scene->clients[0]);
    assert_true(host_run(stage->host, &stage->outcome, &stage->error));
    close_scene(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_are_served_without_calls_and_each_gets_its_own),
        cmocka_unit_test(what_is_recorded_needs_calls),
        cmocka_unit_test(a_time_out_needs_a_call),
        cmocka_unit_test(an_end_in_between_forgets_what_was_received_ahead),
        cmocka_unit_test(what_the_kernel_does_not_take_and_a_closed_socket_need_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
