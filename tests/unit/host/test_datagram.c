#include "unit/host/actor.h"

#include <errno.h>

static enum call_progress do_sendto(struct actor *actor, struct task *task)
{
    return socket_sendto(task, actor->socket, "0123456789", 10, &meeting);
}

static enum call_progress do_answer(struct actor *actor, struct task *task)
{
    return socket_sendto(task, actor->socket, "yes", 3, &actor->from);
}

static enum call_progress do_recvfrom_four(struct actor *actor, struct task *task)
{
    return socket_recvfrom(task, actor->socket, 4);
}

static enum call_progress do_recvfrom(struct actor *actor, struct task *task)
{
    return socket_recvfrom(task, actor->socket, 65535);
}

static enum call_progress do_send_nothing(struct actor *actor, struct task *task)
{
    return socket_sendto(task, actor->socket, "", 0, &meeting);
}

static void a_datagram_longer_than_asked_for_is_cut_and_its_length_told(void **state)
{
    (void)state;
    static action *const answering[] = {
        do_udp, do_bind, do_getsockname, do_recvfrom_four, do_answer, do_recvfrom, NULL};
    static action *const asking[] = {do_udp, do_sendto, do_recvfrom, NULL};
    struct stage stage = {0};
    struct actor server = {.actions = answering};
    struct actor client = {.actions = asking};
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_SERVER, "server", &server);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &client);
    stage_run(&stage);
    assert_true(stage.done);
    assert_received(&server, "0123");
    assert_received(&client, "yes");
    const struct told *received = find_call(&stage, 1, "recvfrom", 0);
    assert_int_equal(find_return(&stage, received)->value, 4);
    char address[ADDRESS_TEXT], expected[128];
    snprintf(expected, sizeof expected, "\"0123456789\", %s", address_format(&meeting, address));
    assert_string_equal(find_call(&stage, 2, "sendto", 0)->text, expected);
    snprintf(expected, sizeof expected, "\"yes\", %s", address);
    assert_string_equal(find_return(&stage, find_call(&stage, 2, "recvfrom", 0))->text, expected);
    /* The client's socket got its address by sending, and the trace says so. */
    bool told = false;
    for (size_t i = 0; i < stage.count; i++)
        told = told || (stage.told[i].kind == TRACE_SOCKET && stage.told[i].role == 2);
    assert_true(told);
    /* The server waited for someone new when all clients had ended: the regular end. */
    assert_int_equal(server.cancels, 1);
    stage_close(&stage);
}

static void the_length_of_the_whole_datagram_is_known(void **state)
{
    (void)state;
    static action *const receiving[] = {do_udp, do_bind, do_getsockname, do_recvfrom_four, NULL};
    static action *const sending[] = {do_udp, do_sendto, NULL};
    struct stage stage = {0};
    struct actor server = {.actions = receiving};
    struct actor client = {.actions = sending};
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_SERVER, "server", &server);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &client);
    stage_run(&stage);
    assert_int_equal(server.length, 4);
    assert_int_equal(server.datagram_length, 10);
    stage_close(&stage);
}

static void an_empty_datagram_is_no_end_of_stream(void **state)
{
    (void)state;
    static action *const receiving[] = {do_udp, do_bind, do_getsockname, do_recvfrom, NULL};
    static action *const sending[] = {do_udp, do_send_nothing, NULL};
    struct stage stage = {0};
    struct actor server = {.actions = receiving};
    struct actor client = {.actions = sending};
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_SERVER, "server", &server);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &client);
    stage_run(&stage);
    assert_true(stage.done);
    assert_false(server.end_of_stream);
    assert_memory_equal(find_return(&stage, find_call(&stage, 1, "recvfrom", 0))->text, "\"\", ",
                        4);
    stage_close(&stage);
}

static void a_connected_socket_hears_that_nobody_is_there(void **state)
{
    (void)state;
    static action *const shouting[] = {do_udp,     do_bind,  do_getsockname, do_close, do_udp,
                                       do_connect, do_hello, do_recv,        NULL};
    struct stage stage = {0};
    struct actor client = {.actions = shouting, .daring = true};
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &client);
    stage_run(&stage);
    assert_true(stage.done);
    assert_int_equal(client.error_count, 1);
    assert_int_equal(client.errors[0], ECONNREFUSED);
    char address[ADDRESS_TEXT], expected[256];
    snprintf(expected, sizeof expected, "recv from %s: Connection refused (ECONNREFUSED)",
             address_format(&meeting, address));
    assert_string_equal(client.messages[0], expected);
    stage_close(&stage);
}

static enum call_progress do_flood(struct actor *actor, struct task *task)
{
    if (++actor->rounds < 1000000)
        actor->at--;
    return socket_sendto(task, actor->socket, "x", 1, &meeting);
}

/* A task that never has to wait must not keep the time-out from being seen. */
static void a_flood_can_be_ended(void **state)
{
    (void)state;
    static action *const receiving[] = {do_udp, do_bind, do_getsockname, do_recv, do_close, NULL};
    static action *const flooding[] = {do_udp, do_flood, NULL};
    struct stage stage = {0};
    struct actor server = {.actions = receiving};
    struct actor client = {.actions = flooding, .daring = true};
    struct error error;
    stage.settings.timeout = NANOSECONDS_PER_SECOND / 20;
    meeting = (struct address){.family = 4, .bytes = {127, 0, 0, 1}};
    stage.host = host_open(&stage.settings, &error);
    assert_non_null(stage.host);
    add_actor(stage.host, TRACE_ROLE_SERVER, "server", &server);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &client);
    assert_false(host_run(stage.host, &stage.outcome, &stage.error));
    assert_int_equal(stage.outcome, TRACE_TIMED_OUT);
    assert_true(client.rounds < 1000000);
    host_close(stage.host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_datagram_longer_than_asked_for_is_cut_and_its_length_told),
        cmocka_unit_test(the_length_of_the_whole_datagram_is_known),
        cmocka_unit_test(an_empty_datagram_is_no_end_of_stream),
        cmocka_unit_test(a_connected_socket_hears_that_nobody_is_there),
        cmocka_unit_test(a_flood_can_be_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
