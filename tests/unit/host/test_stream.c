#include "unit/host/actor.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

static void run_pair(struct stage *stage, struct actor *server, struct actor *client)
{
    stage_open(stage);
    add_actor(stage->host, TRACE_ROLE_SERVER, "server", server);
    add_actor(stage->host, TRACE_ROLE_CLIENT, "client", client);
    stage_run(stage);
}

static enum call_progress set_short_timeout(struct actor *actor, struct task *task)
{
    socket_set_timeout(talking(actor), 30 * NANOSECONDS_PER_MILLISECOND);
    return task_sleep(task, 0);
}

static enum call_progress set_nonblocking(struct actor *actor, struct task *task)
{
    socket_set_timeout(talking(actor), 0);
    return task_sleep(task, 0);
}

static enum call_progress do_shutdown(struct actor *actor, struct task *task)
{
    return socket_shutdown(task, talking(actor), SHUTDOWN_WRITE);
}

static enum call_progress do_reset(struct actor *actor, struct task *task)
{
    return socket_reset(task, talking(actor));
}

/* Again until the stream ends. */
static enum call_progress do_recv_all(struct actor *actor, struct task *task)
{
    enum call_progress progress = socket_recv(task, talking(actor), 65536);
    if (!actor->end_of_stream)
        actor->at--;
    return progress;
}

static void a_refused_connection_says_so(void **state)
{
    (void)state;
    static action *const knocking[] = {do_tcp,     do_bind, do_getsockname, do_close, do_tcp,
                                       do_connect, NULL};
    struct stage stage = {0};
    struct actor client = {.actions = knocking, .daring = true};
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &client);
    stage_run(&stage);
    assert_int_equal(client.error_count, 1);
    assert_int_equal(client.errors[0], ECONNREFUSED);
    char address[ADDRESS_TEXT], expected[256];
    snprintf(expected, sizeof expected, "connect to %s: Connection refused (ECONNREFUSED)",
             address_format(&meeting, address));
    assert_string_equal(client.messages[0], expected);
    const struct told *returned = find_return(&stage, find_call(&stage, 1, "connect", 0));
    assert_int_equal(returned->error, ECONNREFUSED);
    assert_int_equal(returned->value, -1);
    assert_string_equal(returned->text, expected);
    stage_close(&stage);
}

static enum call_progress do_bind_again(struct actor *actor, struct task *task)
{
    return socket_bind(task, actor->socket, &meeting);
}

static void a_port_in_use_is_named(void **state)
{
    (void)state;
    static action *const binding[] = {LISTENING, do_tcp, do_bind_again, NULL};
    struct stage stage = {0};
    struct actor server = {.actions = binding, .daring = true};
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_SERVER, "server", &server);
    stage_run(&stage);
    char address[ADDRESS_TEXT], expected[256];
    snprintf(expected, sizeof expected, "bind %s: Address already in use (EADDRINUSE)",
             address_format(&meeting, address));
    assert_int_equal(server.error_count, 1);
    assert_string_equal(server.messages[0], expected);
    stage_close(&stage);
}

static void a_recv_that_waits_too_long_times_out(void **state)
{
    (void)state;
    static action *const silent[] = {LISTENING, do_accept, do_recv, NULL};
    static action *const waiting[] = {do_tcp, do_connect, set_short_timeout, do_recv, NULL};
    struct stage stage = {0};
    struct actor server = {.actions = silent};
    struct actor client = {.actions = waiting, .daring = true};
    run_pair(&stage, &server, &client);
    assert_true(stage.done);
    assert_int_equal(client.error_count, 1);
    assert_int_equal(client.errors[0], ETIMEDOUT);
    assert_non_null(strstr(client.messages[0], "recv from 127.0.0.1:"));
    assert_non_null(strstr(client.messages[0], ": timed out (ETIMEDOUT)"));
    /* The time-out is no system call's doing. */
    const struct told *call = find_call(&stage, 2, "recv", 0);
    const struct told *returned = find_return(&stage, call);
    assert_int_equal(returned->start, 0);
    assert_int_equal(returned->end, 0);
    assert_true(returned->time - call->time >= 30 * NANOSECONDS_PER_MILLISECOND);
    /* The server sees the end of the stream when the client has gone. */
    assert_true(server.end_of_stream);
    assert_string_equal(find_return(&stage, find_call(&stage, 1, "recv", 0))->text, "nil");
    stage_close(&stage);
}

static void half_a_close_leaves_the_other_half_open(void **state)
{
    (void)state;
    static action *const answering[] = {LISTENING, do_accept, do_recv, do_recv,
                                        do_hello,  do_close,  NULL};
    static action *const asking[] = {do_tcp,  do_connect, do_hello, do_shutdown,
                                     do_recv, do_recv,    NULL};
    struct stage stage = {0};
    struct actor server = {.actions = answering};
    struct actor client = {.actions = asking};
    run_pair(&stage, &server, &client);
    assert_true(stage.done);
    assert_received(&server, "Hello");
    assert_received(&client, "Hello");
    assert_true(client.end_of_stream);
    assert_string_equal(find_call(&stage, 2, "shutdown", 0)->text, "write");
    stage_close(&stage);
}

static void a_reset_is_seen_by_the_peer(void **state)
{
    (void)state;
    static action *const reading[] = {LISTENING, do_accept, do_recv, do_hello, NULL};
    static action *const resetting[] = {do_tcp, do_connect, do_sleep, do_reset, NULL};
    struct stage stage = {0};
    struct actor server = {.actions = reading, .daring = true};
    struct actor client = {.actions = resetting};
    run_pair(&stage, &server, &client);
    assert_true(stage.done);
    assert_int_equal(server.error_count, 2);
    assert_int_equal(server.errors[0], ECONNRESET);
    assert_non_null(strstr(server.messages[0], ": Connection reset by peer (ECONNRESET)"));
    assert_int_equal(server.errors[1], EPIPE);
    assert_non_null(strstr(server.messages[1], "sendall to 127.0.0.1:"));
    assert_non_null(strstr(server.messages[1], ": Broken pipe (EPIPE)"));
    stage_close(&stage);
}

static void a_non_blocking_socket_never_waits(void **state)
{
    (void)state;
    static action *const listening[] = {LISTENING, do_accept, do_recv, NULL};
    static action *const hasty[] = {do_tcp, set_nonblocking, do_connect, do_connect, do_recv, NULL};
    struct stage stage = {0};
    struct actor server = {.actions = listening};
    struct actor client = {.actions = hasty, .daring = true};
    run_pair(&stage, &server, &client);
    assert_true(stage.done);
    assert_int_equal(client.error_count, 2);
    assert_int_equal(client.errors[0], EINPROGRESS);
    assert_int_equal(client.errors[1], EAGAIN);
    stage_close(&stage);
}

static void a_closed_socket_is_EBADF_and_closing_it_again_is_no_call(void **state)
{
    (void)state;
    static action *const closing[] = {do_tcp, do_close, do_close, do_connect, NULL};
    struct stage stage = {0};
    struct actor client = {.actions = closing, .daring = true};
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &client);
    stage_run(&stage);
    assert_int_equal(client.error_count, 1);
    assert_int_equal(client.errors[0], EBADF);
    size_t closes = 0;
    for (size_t i = 0; i < stage.count; i++)
        closes += strcmp(stage.told[i].name, "close") == 0;
    assert_int_equal(closes, 1);
    stage_close(&stage);
}

enum { MUCH = 8 << 20 };

static enum call_progress do_send_much(struct actor *actor, struct task *task)
{
    return socket_sendall(task, talking(actor), actor->extra, MUCH);
}

static void sendall_sends_all_of_it_through_a_full_buffer(void **state)
{
    (void)state;
    static action *const reading[] = {LISTENING, do_accept, do_recv_all, NULL};
    static action *const sending[] = {do_tcp, do_connect, do_send_much, NULL};
    struct stage stage = {0};
    char *much = calloc(1, MUCH);
    struct actor server = {.actions = reading};
    struct actor client = {.actions = sending, .extra = much};
    run_pair(&stage, &server, &client);
    assert_true(stage.done);
    assert_int_equal(client.value, MUCH);
    assert_int_equal(server.received.length, MUCH);
    assert_non_null(strstr(find_call(&stage, 2, "sendall", 0)->text, "\"…"));
    stage_close(&stage);
    free(much);
}

static void sockets_beyond_the_limit_are_refused_with_the_limit_named(void **state)
{
    (void)state;
    static action *const greedy[] = {do_tcp, do_tcp, do_tcp, NULL};
    struct stage stage = {.settings = {.socket_limit = 2}};
    struct actor client = {.actions = greedy, .daring = true};
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &client);
    stage_run(&stage);
    assert_int_equal(client.error_count, 1);
    assert_int_equal(client.errors[0], EMFILE);
    assert_string_equal(client.messages[0],
                        "socket: too many open sockets, the limit is 2 (EMFILE)");
    stage_close(&stage);
}

static rlim_t given_limit;

static void limit_descriptors(rlim_t limit)
{
    struct rlimit now;
    getrlimit(RLIMIT_NOFILE, &now);
    given_limit = now.rlim_cur;
    now.rlim_cur = limit;
    setrlimit(RLIMIT_NOFILE, &now);
}

static enum call_progress let_clients_begin(struct actor *actor, struct task *task)
{
    (void)actor;
    host_ready(task_host(task), &meeting);
    return task_sleep(task, 20 * NANOSECONDS_PER_MILLISECOND);
}

static enum call_progress use_up_descriptors(struct actor *actor, struct task *task)
{
    /* The next free number is where the limit goes. */
    int next = dup(0);
    close(next);
    (void)actor;
    limit_descriptors((rlim_t)next);
    return task_sleep(task, 0);
}

static enum call_progress restore_descriptors(struct actor *actor, struct task *task)
{
    (void)actor;
    limit_descriptors(given_limit);
    return task_sleep(task, 0);
}

static void accept_without_a_descriptor_left_fails_once_and_drops_the_peer(void **state)
{
    (void)state;
    static action *const starving[] = {LISTENING, let_clients_begin,   use_up_descriptors,
                                       do_accept, restore_descriptors, do_accept,
                                       NULL};
    static action *const dropped[] = {do_tcp, do_connect, do_recv, NULL};
    struct stage stage = {0};
    struct actor server = {.actions = starving, .daring = true};
    struct actor client = {.actions = dropped, .daring = true};
    run_pair(&stage, &server, &client);
    assert_int_equal(server.error_count, 1);
    assert_int_equal(server.errors[0], EMFILE);
    assert_true(client.end_of_stream || client.errors[0] == ECONNRESET);
    stage_close(&stage);
}

static void ipv6_works_as_ipv4(void **state)
{
    (void)state;
    static action *const answering[] = {LISTENING, do_accept, do_recv, do_hello, NULL};
    static action *const asking[] = {do_tcp, do_connect, do_hello, do_recv, NULL};
    struct stage stage = {0};
    struct actor server = {.actions = answering};
    struct actor client = {.actions = asking};
    stage_open(&stage);
    meeting = (struct address){.family = 6, .bytes = {[15] = 1}};
    add_actor(stage.host, TRACE_ROLE_SERVER, "server", &server);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &client);
    stage_run(&stage);
    assert_true(stage.done);
    assert_received(&client, "Hello");
    assert_memory_equal(find_call(&stage, 2, "connect", 0)->text, "[::1]:", 6);
    stage_close(&stage);
}

static enum call_progress do_release(struct actor *actor, struct task *task)
{
    socket_release(actor->socket);
    return task_sleep(task, 0);
}

static void a_released_socket_is_still_closed_at_the_end_of_its_role(void **state)
{
    (void)state;
    static action *const forgetful[] = {do_tcp, do_release, do_tcp, do_close, do_release, NULL};
    struct stage stage = {0};
    struct actor client = {.actions = forgetful};
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &client);
    stage_run(&stage);
    assert_true(stage.done);
    assert_int_equal(find_call(&stage, 1, "close", 0)->line, 4);
    const struct told *own = find_call(&stage, 1, "close", 1);
    assert_int_equal(own->line, 0);
    assert_int_equal(own->socket, 1);
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_connection_says_so),
        cmocka_unit_test(a_port_in_use_is_named),
        cmocka_unit_test(a_recv_that_waits_too_long_times_out),
        cmocka_unit_test(half_a_close_leaves_the_other_half_open),
        cmocka_unit_test(a_reset_is_seen_by_the_peer),
        cmocka_unit_test(a_non_blocking_socket_never_waits),
        cmocka_unit_test(a_closed_socket_is_EBADF_and_closing_it_again_is_no_call),
        cmocka_unit_test(sendall_sends_all_of_it_through_a_full_buffer),
        cmocka_unit_test(sockets_beyond_the_limit_are_refused_with_the_limit_named),
        cmocka_unit_test(accept_without_a_descriptor_left_fails_once_and_drops_the_peer),
        cmocka_unit_test(ipv6_works_as_ipv4),
        cmocka_unit_test(a_released_socket_is_still_closed_at_the_end_of_its_role),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
