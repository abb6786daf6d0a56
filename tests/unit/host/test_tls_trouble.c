/* TLS where something is wrong: a peer, a time-out, an end, a setting. */
#include "unit/host/tls_actor.h"

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

/* Again until it fails. */
static enum call_progress do_tls_speak(struct actor *actor, struct task *task)
{
    if (actor->error_count == 0)
        actor->at--;
    return tls_sendall(task, talking(actor), lot, LOT);
}

static void a_close_does_not_hear_everything(void **state)
{
    (void)state;
    static action *const serving[] = {ACCEPTING, do_tls_server, do_tls_speak, NULL};
    static action *const knocking[] = {KNOCKING, do_tls_client, do_be_impatient, do_tls_close,
                                       NULL};
    struct stage stage = {0};
    struct actor server = {.actions = serving, .daring = true}, client = {.actions = knocking};
    play(&stage, &server, &client);
    assert_true(stage.done);
    assert_int_equal(find_return(&stage, find_call(&stage, 2, "tls.close", 0))->error, 0);
    assert_true(server.errors[0] == ECONNRESET || server.errors[0] == EPIPE);
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
        cmocka_unit_test(a_certificate_for_another_name_is_not_accepted),
        cmocka_unit_test(a_stream_without_a_goodbye_is_an_error),
        cmocka_unit_test(a_reset_is_its_own_error),
        cmocka_unit_test(plain_text_is_recognised),
        cmocka_unit_test(a_handshake_goes_on_after_its_time_out),
        cmocka_unit_test(a_non_blocking_stream_never_waits),
        cmocka_unit_test(a_close_does_not_wait_for_ever),
        cmocka_unit_test(a_close_does_not_hear_everything),
        cmocka_unit_test(a_closed_socket_speaks_nothing),
        cmocka_unit_test(an_exchange_may_end_in_the_middle_of_a_handshake),
        cmocka_unit_test(settings_that_are_wrong_say_so),
        cmocka_unit_test(a_certificate_has_only_what_can_be_a_name),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
