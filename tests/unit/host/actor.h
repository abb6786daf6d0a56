/*
 * actor.h - roles in C for the tests of the host: an actor does a list of actions one after the
 * other; and a stage that runs actors and collects the trace.
 */
#ifndef HANDLENS_TESTS_HOST_ACTOR_H
#define HANDLENS_TESTS_HOST_ACTOR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/socket.h"
#include "support/buffer.h"
#include "support/clock.h"
#include "trace/recorder.h"

struct actor;

/* One action: usually one call. Returns what the call returned. */
typedef enum call_progress action(struct actor *actor, struct task *task);

struct actor {
    action *const *actions; /* NULL at the end */
    size_t at;
    bool waiting;
    bool daring; /* failed calls do not end the role; they are noted in errors */
    int errors[16];
    char messages[16][256];
    size_t error_count;
    struct host_socket *listener, *socket, *other;
    struct {
        uint8_t data[256];
        size_t length; /* all that came; data has the first of it */
    } received;
    struct address from;
    int64_t value;
    size_t length, datagram_length;
    bool end_of_stream;
    unsigned cancels;
    size_t rounds;
    void *extra;
};

/* The address of whoever listens in this test. */
static struct address meeting;

static inline void actor_note(struct actor *actor, const struct call_result *result)
{
    actor->value = result->value;
    actor->length = result->length;
    actor->datagram_length = result->datagram_length;
    actor->end_of_stream = result->end_of_stream;
    actor->from = result->address;
    size_t room = sizeof actor->received.data;
    if (result->bytes != NULL && actor->received.length + result->length <= room)
        memcpy(actor->received.data + actor->received.length, result->bytes, result->length);
    actor->received.length += result->length;
    if (result->socket != NULL && strcmp(result->call, "accept") == 0)
        actor->other = result->socket;
    else if (result->socket != NULL)
        actor->socket = result->socket;
    if (result->error != 0 && actor->error_count < 16) {
        actor->errors[actor->error_count] = result->error;
        memcpy(actor->messages[actor->error_count++], result->message, sizeof result->message);
    }
}

static void actor_step(struct task *task, void *data)
{
    struct actor *actor = data;
    while (actor->actions[actor->at] != NULL) {
        if (!actor->waiting) {
            task_set_site(task, "test.lua", (uint32_t)actor->at + 1);
            if (actor->actions[actor->at](actor, task) == CALL_WAITING) {
                actor->waiting = true;
                return;
            }
        }
        actor->waiting = false;
        actor_note(actor, task_result(task));
        if (task_result(task)->error != 0 && !actor->daring) {
            task_fail(task, task_result(task)->message, "test.lua", (uint32_t)actor->at + 1);
            return;
        }
        actor->at++;
    }
    task_end(task);
}

static void actor_cancel(struct task *task, void *data)
{
    struct actor *actor = data;
    (void)task;
    actor->cancels++;
}

static const struct task_behavior actor_behavior = {actor_step, actor_cancel};

static inline void add_actor(struct host *host, enum trace_role_kind kind, const char *name,
                             struct actor *actor)
{
    struct role *role = host_add_role(host, kind, name);
    assert_non_null(role);
    assert_non_null(task_add(role, &actor_behavior, actor));
}

/* What the trace said, the parts that tests ask for. */
struct told {
    enum trace_kind kind;
    int64_t time, start, end;
    uint32_t call, role, socket, line;
    int32_t error;
    int64_t value;
    int number; /* outcome, state, note kind */
    char name[32], text[512];
};

struct stage {
    struct recorder *recorder;
    struct told *told;
    size_t count, room;
    struct host_settings settings;
    struct host *host;
    enum trace_outcome outcome;
    struct error error;
    bool done;
};

static inline void copy_text(char *out, size_t room, struct trace_text text)
{
    size_t length = text.length < room - 1 ? text.length : room - 1;
    memcpy(out, text.length == 0 ? "" : text.data, length);
    out[length] = '\0';
}

static void stage_hear(void *data, const struct trace_event *event)
{
    struct stage *stage = data;
    if (stage->count == stage->room) {
        stage->room = stage->room == 0 ? 256 : stage->room * 2;
        stage->told = realloc(stage->told, stage->room * sizeof *stage->told);
        assert_non_null(stage->told);
    }
    struct told *told = &stage->told[stage->count++];
    *told = (struct told){.kind = event->kind, .time = event->time};
    switch (event->kind) {
    case TRACE_ROLE:
        told->role = event->role.role;
        copy_text(told->text, sizeof told->text, event->role.name);
        break;
    case TRACE_CALL:
        told->call = event->call.call;
        told->role = event->call.role;
        told->socket = event->call.socket;
        told->line = event->call.line;
        copy_text(told->name, sizeof told->name, event->call.name);
        copy_text(told->text, sizeof told->text, event->call.arguments);
        break;
    case TRACE_SYSCALL:
        told->call = event->syscall.call;
        told->start = event->time;
        told->end = event->syscall.end;
        told->error = event->syscall.error;
        break;
    case TRACE_RETURN:
        told->call = event->result.call;
        told->start = event->result.window_start;
        told->end = event->result.window_end;
        told->error = event->result.error;
        told->value = event->result.value;
        copy_text(told->text, sizeof told->text,
                  event->result.error == 0 ? event->result.result : event->result.message);
        break;
    case TRACE_SOCKET:
        told->socket = event->socket.socket;
        told->role = event->socket.role;
        address_format(&event->socket.local, told->text);
        break;
    case TRACE_STATE:
        told->socket = event->state.socket;
        told->call = event->state.call;
        told->number = event->state.state;
        break;
    case TRACE_NOTE:
        told->number = event->note.kind;
        copy_text(told->text, sizeof told->text, event->note.text);
        break;
    case TRACE_END:
        told->number = event->end.outcome;
        copy_text(told->text, sizeof told->text, event->end.text);
        break;
    default:
        break;
    }
}

static inline void stage_open(struct stage *stage)
{
    struct error error;
    stage->recorder = recorder_open(NULL, &error);
    assert_non_null(stage->recorder);
    recorder_listen(stage->recorder, stage_hear, stage);
    stage->settings.recorder = stage->recorder;
    stage->settings.alone = true;
    stage->settings.timeout = 20 * NANOSECONDS_PER_SECOND;
    stage->host = host_open(&stage->settings, &error);
    assert_non_null(stage->host);
    meeting = (struct address){.family = 4, .bytes = {127, 0, 0, 1}};
}

/* What must hold of every trace, whatever happened. */
static inline void assert_trace_is_sound(const struct stage *stage)
{
    int64_t before = 0, window_end = 0;
    size_t calls = 0;
    for (size_t i = 0; i < stage->count; i++)
        calls += stage->told[i].kind == TRACE_CALL;
    bool *open = calloc(calls + 1, sizeof *open);
    int64_t *entries = calloc(calls + 1, sizeof *entries);
    assert_non_null(open);
    assert_non_null(entries);
    for (size_t i = 0; i < stage->count; i++) {
        const struct told *told = &stage->told[i];
        assert_true(told->time >= before);
        before = told->time;
        if (told->kind == TRACE_CALL) {
            open[told->call] = true;
            entries[told->call] = told->time;
        } else if (told->kind == TRACE_SYSCALL || told->kind == TRACE_RETURN) {
            assert_true(open[told->call]);
            if (told->start != 0) {
                assert_true(told->start >= window_end);
                assert_true(told->start >= entries[told->call]);
                assert_true(told->end >= told->start);
                window_end = told->end;
            }
        }
        if (told->kind == TRACE_RETURN) {
            assert_true(told->time >= told->end);
            open[told->call] = false;
        }
    }
    for (size_t i = 0; i <= calls; i++)
        assert_false(open[i]);
    assert_int_equal(stage->told[stage->count - 1].kind, TRACE_END);
    free(open);
    free(entries);
}

static inline void stage_run(struct stage *stage)
{
    stage->done = host_run(stage->host, &stage->outcome, &stage->error);
    struct error error;
    assert_true(recorder_flush(stage->recorder, &error));
    assert_trace_is_sound(stage);
}

static inline void stage_close(struct stage *stage)
{
    host_close(stage->host);
    recorder_close(stage->recorder);
    free(stage->told);
}

static inline const struct told *find_call(const struct stage *stage, uint32_t role,
                                           const char *name, size_t nth)
{
    for (size_t i = 0; i < stage->count; i++)
        if (stage->told[i].kind == TRACE_CALL && stage->told[i].role == role &&
            strcmp(stage->told[i].name, name) == 0 && nth-- == 0)
            return &stage->told[i];
    fail_msg("role %u made no such call: %s", role, name);
    return NULL;
}

static inline const struct told *find_return(const struct stage *stage, const struct told *call)
{
    for (size_t i = 0; i < stage->count; i++)
        if (stage->told[i].kind == TRACE_RETURN && stage->told[i].call == call->call)
            return &stage->told[i];
    fail_msg("call %u did not return", call->call);
    return NULL;
}

static inline void assert_received(const struct actor *actor, const char *text)
{
    assert_int_equal(actor->received.length, strlen(text));
    assert_memory_equal(actor->received.data, text, strlen(text));
}

/* The actions. */

static enum call_progress do_tcp(struct actor *actor, struct task *task)
{
    (void)actor;
    return socket_open(task, meeting.family, TRACE_TCP);
}

static enum call_progress do_udp(struct actor *actor, struct task *task)
{
    (void)actor;
    return socket_open(task, meeting.family, TRACE_UDP);
}

/* Any free port; the meeting's. */
static enum call_progress do_bind(struct actor *actor, struct task *task)
{
    meeting.port = 0;
    return socket_bind(task, actor->socket, &meeting);
}

static enum call_progress do_getsockname(struct actor *actor, struct task *task)
{
    enum call_progress progress = socket_getsockname(task, actor->socket);
    meeting = task_result(task)->address;
    return progress;
}

static enum call_progress do_listen(struct actor *actor, struct task *task)
{
    enum call_progress progress = socket_listen(task, actor->socket, 4096);
    actor->listener = actor->socket;
    return progress;
}

static enum call_progress do_accept(struct actor *actor, struct task *task)
{
    return socket_accept(task, actor->listener);
}

static enum call_progress do_connect(struct actor *actor, struct task *task)
{
    return socket_connect(task, actor->socket, &meeting);
}

static struct host_socket *talking(const struct actor *actor)
{
    return actor->other != NULL ? actor->other : actor->socket;
}

static enum call_progress do_hello(struct actor *actor, struct task *task)
{
    return socket_sendall(task, talking(actor), "Hello", 5);
}

static enum call_progress do_recv(struct actor *actor, struct task *task)
{
    return socket_recv(task, talking(actor), 1024);
}

static enum call_progress do_close(struct actor *actor, struct task *task)
{
    return socket_close(task, talking(actor));
}

static enum call_progress do_close_listener(struct actor *actor, struct task *task)
{
    return socket_close(task, actor->listener);
}

static enum call_progress do_sleep(struct actor *actor, struct task *task)
{
    (void)actor;
    return task_sleep(task, 20 * NANOSECONDS_PER_MILLISECOND);
}

#define LISTENING do_tcp, do_bind, do_getsockname, do_listen

/* An action of each kind is not used in each test file. */
static action *const all_actions[] __attribute__((unused)) = {
    do_tcp,     do_udp,   do_bind, do_getsockname, do_listen,         do_accept,
    do_connect, do_hello, do_recv, do_close,       do_close_listener, do_sleep};

#endif
