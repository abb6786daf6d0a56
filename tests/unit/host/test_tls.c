/* TLS between two roles, through the kernel's loopback. */
#include "host/tls.h"

#include "unit/host/actor.h"

#include <errno.h>

enum { LOT = 4 * 1024 * 1024 };

static struct buffer certificate, key;
static uint8_t *lot;

static int set_up(void **state)
{
    (void)state;
    static const char *const names[] = {"localhost", "127.0.0.1", "::1"};
    struct error error;
    lot = malloc(LOT);
    for (size_t i = 0; lot != NULL && i < LOT; i++)
        lot[i] = (uint8_t)(i * 7 + i / 251);
    return lot == NULL || !tls_certificate_make(&(struct tls_certificate_settings){names, 3, 1},
                                                &certificate, &key, &error);
}

static int tear_down(void **state)
{
    (void)state;
    buffer_free(&certificate);
    buffer_free(&key);
    free(lot);
    return 0;
}

static struct trace_text text_of(const struct buffer *buffer)
{
    return (struct trace_text){(const char *)buffer->data, buffer->length};
}

static struct tls_settings server_settings(void)
{
    return (struct tls_settings){.server = true,
                                 .certificate = text_of(&certificate),
                                 .key = text_of(&key),
                                 .least = TLS_VERSION_1_3,
                                 .most = TLS_VERSION_1_3};
}

static struct tls_settings client_settings(void)
{
    return (struct tls_settings){.server_name = "localhost",
                                 .verify = true,
                                 .ca = text_of(&certificate),
                                 .least = TLS_VERSION_1_2,
                                 .most = TLS_VERSION_1_3};
}

static void start(struct actor *actor, const struct tls_settings *settings)
{
    struct error error;
    if (!tls_start(talking(actor), settings, &error))
        fail_msg("%s", error.text);
}

static enum call_progress do_tls_server(struct actor *actor, struct task *task)
{
    struct tls_settings settings = server_settings();
    start(actor, &settings);
    return tls_handshake(task, talking(actor), "tls.server");
}

static enum call_progress do_tls_client(struct actor *actor, struct task *task)
{
    struct tls_settings settings = client_settings();
    start(actor, &settings);
    return tls_handshake(task, talking(actor), "tls.client");
}

static enum call_progress do_tls_distrusting_client(struct actor *actor, struct task *task)
{
    struct tls_settings settings = client_settings();
    settings.server_name = "elsewhere";
    start(actor, &settings);
    return tls_handshake(task, talking(actor), "tls.client");
}

static enum call_progress do_tls_handshake(struct actor *actor, struct task *task)
{
    return tls_handshake(task, talking(actor), "tls.handshake");
}

static enum call_progress do_tls_hello(struct actor *actor, struct task *task)
{
    return tls_sendall(task, talking(actor), "Hello", 5);
}

static enum call_progress do_tls_nothing(struct actor *actor, struct task *task)
{
    return tls_sendall(task, talking(actor), NULL, 0);
}

static enum call_progress do_tls_lot(struct actor *actor, struct task *task)
{
    return tls_sendall(task, talking(actor), lot, LOT);
}

static enum call_progress do_tls_one_send(struct actor *actor, struct task *task)
{
    return tls_send(task, talking(actor), lot, LOT);
}

static enum call_progress do_tls_recv(struct actor *actor, struct task *task)
{
    return tls_recv(task, talking(actor), 1024);
}

/* Until the end; what comes is the lot, from its beginning on. */
static enum call_progress do_tls_recv_all(struct actor *actor, struct task *task)
{
    const struct call_result *last = task_result(task);
    if (strcmp(last->call, "tls.recv") == 0)
        assert_memory_equal(last->bytes, lot + actor->received.length - last->length,
                            last->length);
    enum call_progress progress = tls_recv(task, talking(actor), 65536);
    if (!actor->end_of_stream)
        actor->at--;
    return progress;
}

static enum call_progress do_tls_close(struct actor *actor, struct task *task)
{
    return tls_close(task, talking(actor));
}

static enum call_progress do_reset(struct actor *actor, struct task *task)
{
    return socket_reset(task, talking(actor));
}

static enum call_progress set_timeout(struct actor *actor, struct task *task, int64_t timeout)
{
    socket_set_timeout(talking(actor), timeout);
    return task_sleep(task, 0);
}

static enum call_progress do_be_impatient(struct actor *actor, struct task *task)
{
    return set_timeout(actor, task, 5 * NANOSECONDS_PER_MILLISECOND);
}

static enum call_progress do_be_patient(struct actor *actor, struct task *task)
{
    return set_timeout(actor, task, -1);
}

static enum call_progress do_never_wait(struct actor *actor, struct task *task)
{
    return set_timeout(actor, task, 0);
}

static void play(struct stage *stage, struct actor *server, struct actor *client)
{
    stage_open(stage);
    add_actor(stage->host, TRACE_ROLE_SERVER, "server", server);
    add_actor(stage->host, TRACE_ROLE_CLIENT, "client", client);
    stage_run(stage);
}

#define ACCEPTING LISTENING, do_accept
#define KNOCKING  do_tcp, do_connect

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

static void both_directions_flow_at_once(void **state)
{
    (void)state;
    static action *const serving[] = {ACCEPTING, do_tls_server, do_share, do_tls_recv_all, NULL};
    static action *const knocking[] = {KNOCKING, do_tls_client, do_tls_lot, do_tls_close, NULL};
    struct stage stage = {0};
    struct actor server = {.actions = serving}, client = {.actions = knocking}, other = {0};
    sharing = &other;
    play(&stage, &server, &client);
    assert_int_equal(server.received.length, LOT);
    stage_close(&stage);
}

static void a_certificate_for_another_name_is_not_accepted(void **state)
{
    (void)state;
    static action *const serving[] = {ACCEPTING, do_tls_server, do_close, NULL};
    static action *const knocking[] = {KNOCKING, do_tls_distrusting_client, do_tls_hello, do_close,
                                       NULL};
    struct stage stage = {0};
    struct actor server = {.actions = serving, .daring = true};
    struct actor client = {.actions = knocking, .daring = true};
    play(&stage, &server, &client);
    char address[ADDRESS_TEXT], expected[256];
    snprintf(expected, sizeof expected,
             "tls.client handshake with %s: certificate verify failed: hostname mismatch (ECERT)",
             address_format(&meeting, address));
    assert_int_equal(client.errors[0], ERROR_CERTIFICATE);
    assert_string_equal(client.messages[0], expected);
    assert_int_equal(client.errors[1], ERROR_TLS); /* sending is no way round it */
    assert_int_equal(server.errors[0], ERROR_TLS);
    assert_non_null(
        strstr(server.messages[0], "the peer sent the alert \"bad certificate\" (ETLS)"));
    stage_close(&stage);
}

static void a_stream_without_a_goodbye_is_an_error(void **state)
{
    (void)state;
    static action *const serving[] = {ACCEPTING,   do_tls_server, do_tls_recv,
                                      do_tls_recv, do_tls_close,  NULL};
    static action *const knocking[] = {KNOCKING, do_tls_client, do_tls_hello, do_close, NULL};
    struct stage stage = {0};
    struct actor server = {.actions = serving, .daring = true}, client = {.actions = knocking};
    play(&stage, &server, &client);
    assert_received(&server, "Hello");
    assert_int_equal(server.error_count, 1);
    assert_int_equal(server.errors[0], ERROR_TLS_EOF);
    stage_close(&stage);
}

static void a_reset_is_its_own_error(void **state)
{
    (void)state;
    static action *const serving[] = {ACCEPTING, do_reset, NULL};
    static action *const knocking[] = {KNOCKING, do_tls_client, NULL};
    struct stage stage = {0};
    struct actor server = {.actions = serving};
    struct actor client = {.actions = knocking, .daring = true};
    play(&stage, &server, &client);
    assert_int_equal(client.errors[0], ECONNRESET);
    stage_close(&stage);
}

static void plain_text_is_recognised(void **state)
{
    (void)state;
    static action *const serving[] = {ACCEPTING, do_tls_server, do_close, NULL};
    static action *const knocking[] = {KNOCKING, do_hello, do_recv, NULL};
    struct stage stage = {0};
    struct actor server = {.actions = serving, .daring = true};
    struct actor client = {.actions = knocking, .daring = true};
    play(&stage, &server, &client);
    assert_int_equal(server.errors[0], ERROR_TLS);
    assert_non_null(strstr(server.messages[0], "does not speak TLS, it said \"Hello\" (ETLS)"));
    stage_close(&stage);
}

static void a_handshake_goes_on_after_its_time_out(void **state)
{
    (void)state;
    static action *const serving[] = {ACCEPTING, do_sleep, do_tls_server, do_tls_recv, NULL};
    static action *const knocking[] = {
        KNOCKING,         do_be_impatient, do_tls_client, do_be_patient,
        do_tls_handshake, do_tls_hello,    do_tls_close,  NULL};
    struct stage stage = {0};
    struct actor server = {.actions = serving};
    struct actor client = {.actions = knocking, .daring = true};
    play(&stage, &server, &client);
    assert_int_equal(client.error_count, 1);
    assert_int_equal(client.errors[0], ETIMEDOUT);
    assert_received(&server, "Hello");
    stage_close(&stage);
}

static void a_non_blocking_stream_never_waits(void **state)
{
    (void)state;
    static action *const serving[] = {ACCEPTING, do_tls_server, do_tls_recv, NULL};
    static action *const knocking[] = {KNOCKING,    do_tls_client, do_never_wait,
                                       do_tls_recv, do_tls_close,  NULL};
    struct stage stage = {0};
    struct actor server = {.actions = serving};
    struct actor client = {.actions = knocking, .daring = true};
    play(&stage, &server, &client);
    assert_int_equal(client.error_count, 1);
    assert_int_equal(client.errors[0], EAGAIN);
    assert_true(server.end_of_stream);
    stage_close(&stage);
}

static void a_close_does_not_wait_for_ever(void **state)
{
    (void)state;
    static action *const serving[] = {ACCEPTING, do_tls_server, do_recv, do_recv, NULL};
    static action *const knocking[] = {KNOCKING, do_tls_client, do_be_impatient, do_tls_close,
                                       NULL};
    struct stage stage = {0};
    struct actor server = {.actions = serving}, client = {.actions = knocking};
    play(&stage, &server, &client);
    assert_true(stage.done);
    assert_int_equal(find_return(&stage, find_call(&stage, 2, "tls.close", 0))->error, 0);
    assert_true(server.end_of_stream); /* the FIN; the first recv was the goodbye's bytes */
    stage_close(&stage);
}

static void a_closed_socket_speaks_nothing(void **state)
{
    (void)state;
    static action *const serving[] = {ACCEPTING, do_tls_server, do_tls_recv, NULL};
    static action *const knocking[] = {KNOCKING,         do_tls_client, do_tls_close, do_tls_hello,
                                       do_tls_handshake, do_tls_recv,   NULL};
    struct stage stage = {0};
    struct actor server = {.actions = serving};
    struct actor client = {.actions = knocking, .daring = true};
    play(&stage, &server, &client);
    assert_int_equal(client.error_count, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(client.errors[i], EBADF);
    stage_close(&stage);
}

/* What is left is freed with the host; the sanitizer tells. */
static void an_exchange_may_end_in_the_middle_of_a_handshake(void **state)
{
    (void)state;
    static action *const serving[] = {ACCEPTING, do_recv, do_recv, NULL};
    static action *const knocking[] = {KNOCKING, do_tls_client, NULL};
    struct stage stage = {.settings = {.is_quiet = NULL}};
    struct actor server = {.actions = serving}, client = {.actions = knocking};
    play(&stage, &server, &client);
    assert_int_equal(stage.outcome, TRACE_DEADLOCK);
    assert_int_equal(find_return(&stage, find_call(&stage, 2, "tls.client", 0))->error, ECANCELED);
    stage_close(&stage);
}

static enum call_progress do_try_settings(struct actor *actor, struct task *task)
{
    struct error error;
    struct tls_settings settings = client_settings();
    settings.ca = trace_text_of("no certificate");
    assert_false(tls_start(talking(actor), &settings, &error));
    assert_string_equal(error.text, "ca has no certificate in PEM");
    settings = client_settings();
    settings.server_name = "";
    assert_false(tls_start(talking(actor), &settings, &error));
    assert_string_equal(error.text, "'' cannot be a server's name");
    settings = server_settings();
    settings.key = settings.certificate;
    assert_false(tls_start(talking(actor), &settings, &error));
    assert_string_equal(error.text, "the key is no private key in PEM");
    settings.certificate = text_of(&key);
    assert_false(tls_start(talking(actor), &settings, &error));
    assert_string_equal(error.text, "the certificate is no certificate in PEM");
    struct buffer other_certificate = {0}, other_key = {0};
    static const char *const names[] = {"other"};
    assert_true(tls_certificate_make(&(struct tls_certificate_settings){names, 1, 1},
                                     &other_certificate, &other_key, &error));
    settings = server_settings();
    settings.key = text_of(&other_key);
    assert_false(tls_start(talking(actor), &settings, &error));
    assert_string_equal(error.text, "the key does not belong to the certificate");
    buffer_free(&other_certificate);
    buffer_free(&other_key);
    assert_false(tls_is_started(talking(actor)));
    settings = server_settings();
    assert_true(tls_start(talking(actor), &settings, &error));
    assert_false(tls_start(talking(actor), &settings, &error));
    assert_string_equal(error.text, "this socket speaks TLS already");
    return task_sleep(task, 0);
}

static enum call_progress do_try_datagrams(struct actor *actor, struct task *task)
{
    struct error error;
    struct tls_settings settings = server_settings();
    assert_false(tls_start(talking(actor), &settings, &error));
    assert_string_equal(error.text, "TLS needs a TCP socket");
    return task_sleep(task, 0);
}

static void settings_that_are_wrong_say_so(void **state)
{
    (void)state;
    static action *const trying[] = {do_tcp, do_try_settings, do_udp, do_try_datagrams, NULL};
    struct stage stage = {0};
    struct actor client = {.actions = trying};
    stage_open(&stage);
    add_actor(stage.host, TRACE_ROLE_CLIENT, "client", &client);
    stage_run(&stage);
    assert_true(stage.done);
    stage_close(&stage);
}

static void a_certificate_has_only_what_can_be_a_name(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "a,DNS:b", "a b", "@section", "a:b", "caf\xc3\xa9"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct buffer made = {0}, made_key = {0};
        struct error error;
        assert_false(tls_certificate_make(&(struct tls_certificate_settings){&bad[i], 1, 1}, &made,
                                          &made_key, &error));
        assert_non_null(strstr(error.text, "is no name for a certificate"));
        assert_null(made.data);
        assert_null(made_key.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hello_is_plain_at_the_call),
        cmocka_unit_test(a_lot_comes_whole_though_the_reader_is_slow),
        cmocka_unit_test(a_send_is_at_most_a_record),
        cmocka_unit_test(both_directions_flow_at_once),
        cmocka_unit_test(a_certificate_for_another_name_is_not_accepted),
        cmocka_unit_test(a_stream_without_a_goodbye_is_an_error),
        cmocka_unit_test(a_reset_is_its_own_error),
        cmocka_unit_test(plain_text_is_recognised),
        cmocka_unit_test(a_handshake_goes_on_after_its_time_out),
        cmocka_unit_test(a_non_blocking_stream_never_waits),
        cmocka_unit_test(a_close_does_not_wait_for_ever),
        cmocka_unit_test(a_closed_socket_speaks_nothing),
        cmocka_unit_test(an_exchange_may_end_in_the_middle_of_a_handshake),
        cmocka_unit_test(settings_that_are_wrong_say_so),
        cmocka_unit_test(a_certificate_has_only_what_can_be_a_name),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
