/* TLS between two roles that mean well. */
#include "unit/host/tls_actor.h"

static void a_hello_is_plain_at_the_call(void **state)
{
    (void)state;
    static action *const serving[] = {ACCEPTING,   do_tls_server, do_tls_recv, do_tls_hello,
                                      do_tls_recv, do_tls_close,  NULL};
    static action *const knocking[] = {KNOCKING,    do_tls_client, do_tls_hello, do_tls_nothing,
                                       do_tls_recv, do_tls_close,  NULL};
    struct stage stage = {0};
    struct actor server = {.actions = serving}, client = {.actions = knocking};
    play(&stage, &server, &client);
    assert_true(stage.done);
    assert_received(&server, "Hello");
    assert_received(&client, "Hello");
    const struct told *call = find_call(&stage, 2, "tls.client", 0);
    assert_string_equal(call->text, "\"localhost\"");
    assert_string_equal(find_return(&stage, call)->text, "TLSv1.3, TLS_AES_256_GCM_SHA384");
    call = find_call(&stage, 2, "tls.sendall", 0);
    assert_string_equal(call->text, "\"Hello\"");
    assert_int_equal(find_return(&stage, call)->value, 5);
    assert_string_equal(find_call(&stage, 2, "tls.sendall", 1)->text, "\"\"");
    call = find_call(&stage, 1, "tls.recv", 0);
    assert_string_equal(call->text, "1024");
    assert_string_equal(find_return(&stage, call)->text, "\"Hello\"");
    call = find_call(&stage, 1, "tls.recv", 1);
    assert_string_equal(find_return(&stage, call)->text, "nil");
    size_t secrets = 0;
    for (size_t i = 0; i < stage.count; i++)
        secrets += stage.told[i].kind == TRACE_SECRETS;
    assert_in_range(secrets, 2, 4); /* each end's, at most one for each step of the handshake */
    stage_close(&stage);
}

static void a_lot_comes_whole_though_the_reader_is_slow(void **state)
{
    (void)state;
    static action *const serving[] = {ACCEPTING,       do_tls_server, do_sleep,
                                      do_tls_recv_all, do_tls_close,  NULL};
    static action *const knocking[] = {KNOCKING, do_tls_client, do_tls_lot, do_tls_close, NULL};
    struct stage stage = {0};
    struct actor server = {.actions = serving}, client = {.actions = knocking};
    play(&stage, &server, &client);
    assert_true(stage.done);
    assert_int_equal(server.received.length, LOT);
    assert_int_equal(find_return(&stage, find_call(&stage, 2, "tls.sendall", 0))->value, LOT);
    stage_close(&stage);
}

static void a_send_is_at_most_a_record(void **state)
{
    (void)state;
    static action *const serving[] = {ACCEPTING, do_tls_server, do_tls_recv_all, do_tls_close,
                                      NULL};
    static action *const knocking[] = {KNOCKING, do_tls_client, do_tls_one_send, do_tls_close,
                                       NULL};
    struct stage stage = {0};
    struct actor server = {.actions = serving}, client = {.actions = knocking};
    play(&stage, &server, &client);
    assert_int_equal(find_return(&stage, find_call(&stage, 2, "tls.send", 0))->value, 16384);
    assert_int_equal(server.received.length, 16384);
    stage_close(&stage);
}

/* One task of a role receives while the other sends: both on the same stream. */
static struct actor *sharing;

static enum call_progress do_share(struct actor *actor, struct task *task)
{
    static action *const sending[] = {do_tls_lot, NULL};
    sharing->actions = sending;
    sharing->socket = talking(actor);
    assert_non_null(task_add(task_role(task), &actor_behavior, sharing));
    return task_sleep(task, 0);
}

/* As much as there is. */
static enum call_progress do_tls_recv_lot(struct actor *actor, struct task *task)
{
    if (actor->received.length == LOT)
        return task_sleep(task, 0);
    actor->at--;
    return tls_recv(task, talking(actor), 65536);
}

static void both_directions_flow_at_once(void **state)
{
    (void)state;
    static action *const serving[] = {ACCEPTING, do_tls_server, do_share, do_tls_recv_all, NULL};
    static action *const knocking[] = {KNOCKING,        do_tls_client, do_tls_lot,
                                       do_tls_recv_lot, do_tls_close,  NULL};
    struct stage stage = {0};
    struct actor server = {.actions = serving}, client = {.actions = knocking}, other = {0};
    sharing = &other;
    play(&stage, &server, &client);
    assert_true(stage.done);
    assert_int_equal(server.received.length, LOT);
    assert_int_equal(client.received.length, LOT);
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hello_is_plain_at_the_call),
        cmocka_unit_test(a_lot_comes_whole_though_the_reader_is_slow),
        cmocka_unit_test(a_send_is_at_most_a_record),
        cmocka_unit_test(both_directions_flow_at_once),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
