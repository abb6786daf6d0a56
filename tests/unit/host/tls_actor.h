/*
 * tls_actor.h - actors that speak TLS, through the kernel's loopback.
 */
#ifndef HANDLENS_TESTS_HOST_TLS_ACTOR_H
#define HANDLENS_TESTS_HOST_TLS_ACTOR_H

#include <errno.h>

#include "host/tls.h"
#include "unit/host/actor.h"

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
        assert_memory_equal(last->bytes, lot + actor->received.length - last->length, last->length);
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

/* An action of each kind is not used in each test file. */
static action *const all_tls_actions[] __attribute__((unused)) = {
    do_tls_server,  do_tls_client, do_tls_distrusting_client, do_tls_handshake, do_tls_hello,
    do_tls_nothing, do_tls_lot,    do_tls_one_send,           do_tls_recv,      do_tls_recv_all,
    do_tls_close,   do_reset,      do_be_impatient,           do_be_patient,    do_never_wait};

#endif
