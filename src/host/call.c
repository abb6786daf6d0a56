/*
 * call.c - one call from its entry to its return.
 *
 * A call is attempted at once; an attempt makes system calls until the call has ended or must
 * wait. Each system call is stamped before and after. The trace tells of a system call as soon as
 * it is known whether it is the call's last: at the next one, when the task parks, or at the
 * return, which carries it. So events are told in the order of their times.
 */
#include "host/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So many calls that end at once, or so many bytes that they moved, and others get their turn: a
 * task that never has to wait (one that floods a UDP port, or whose peer sends without end) would
 * else keep signals and time-outs from being seen, and its neighbours waiting. */
enum { LONGEST_STREAK = 1000, MOST_MOVED = 512 * 1024 };

struct call *call_begin(struct task *task, const char *name, struct host_socket *socket,
                        call_attempt *attempt)
{
    struct call *call = &task->call;
    *call = (struct call){.host = task->host,
                          .role = task->role,
                          .socket = socket,
                          .name = name,
                          .attempt = attempt,
                          .script = task->script,
                          .line = task->line,
                          .recorded = host_recording(task->host),
                          .again = EAGAIN,
                          .timeout = -1};
    struct call_result *result = &task->result;
    free(task->kept);
    task->kept = NULL;
    result->call = name;
    result->error = 0;
    result->message[0] = '\0';
    result->value = 0;
    result->bytes = NULL;
    result->length = result->datagram_length = 0;
    result->end_of_stream = false;
    result->socket = NULL;
    result->address = (struct address){0};
    if (call->recorded)
        buffer_clear(&task->host->text);
    return call;
}

struct buffer *call_arguments(struct call *call)
{
    return &call->host->text;
}

static struct trace_text text_of(const struct buffer *buffer)
{
    return (struct trace_text){(const char *)buffer->data, buffer->length};
}

void call_tell_entry(struct call *call)
{
    struct trace_event event = {.kind = TRACE_CALL, .time = clock_now()};
    call->number = ++call->host->calls;
    event.call.call = call->number;
    event.call.role = call->role->number;
    event.call.socket = call->socket == NULL ? 0 : call->socket->number;
    event.call.name = trace_text_of(call->name);
    event.call.arguments = text_of(&call->host->text);
    if (call->script != NULL) {
        event.call.script = trace_text_of(call->script);
        event.call.line = call->line;
    }
    host_tell(call->host, &event);
}

void call_tell_syscall(struct call *call)
{
    if (!call->untold)
        return;
    call->untold = false;
    struct trace_event event = {.kind = TRACE_SYSCALL, .time = call->start};
    event.syscall.call = call->number;
    event.syscall.end = call->end;
    event.syscall.value = call->value;
    event.syscall.error = call->error;
    host_tell(call->host, &event);
}

void call_meets(struct call *call, const struct address *address)
{
    const struct host_settings *settings = &call->host->settings;
    if (settings->meets != NULL)
        settings->meets(settings->data, address);
}

void syscall_begin(struct call *call)
{
    if (!call->recorded)
        return;
    call_tell_syscall(call);
    const struct host_settings *settings = &call->host->settings;
    if (settings->make_room != NULL)
        settings->make_room(settings->data, call->bytes == NULL ? 0 : call->length - call->done);
    call->start = clock_now();
}

int64_t syscall_end(struct call *call, int64_t value)
{
    if (!call->recorded)
        return value;
    int error = errno;
    call->end = clock_now();
    call->value = value;
    call->error = value < 0 ? error : 0;
    call->untold = true;
    errno = error;
    return value;
}

void call_tell_return(struct call *call, int64_t value, int error, const char *message)
{
    struct trace_event event = {.kind = TRACE_RETURN};
    event.result.call = call->number;
    if (call->untold) {
        event.result.window_start = call->start;
        event.result.window_end = call->end;
        call->untold = false;
    }
    event.result.value = error == 0 ? value : -1;
    event.result.error = error;
    if (error == 0)
        event.result.result = text_of(&call->host->text);
    else
        event.result.message = trace_text_of(message);
    event.time = clock_now();
    host_tell(call->host, &event);
}

void call_tell_socket(struct host_socket *socket, int64_t time)
{
    struct trace_event event = {.kind = TRACE_SOCKET, .time = time};
    event.socket.socket = socket->number;
    event.socket.role = socket->role->number;
    event.socket.transport = socket->transport;
    event.socket.local = socket->local;
    event.socket.remote = socket->remote;
    host_tell(socket->host, &event);
}

void call_tell_state(struct call *call, struct host_socket *socket)
{
    struct socket_info info;
    if (socket == NULL || socket->fd < 0 || !socket->has_state || !socket_info(socket, &info))
        return;
    struct trace_event event = {.kind = TRACE_STATE, .time = clock_now()};
    event.state.socket = socket->number;
    event.state.call = call->number;
    event.state.state = (uint8_t)info.state;
    event.state.retransmits = info.retransmits;
    event.state.rtt_us = info.rtt_us;
    event.state.congestion = info.congestion_window;
    event.state.local = socket->local;
    event.state.remote = socket->remote;
    host_tell(call->host, &event);
}

enum need call_succeed(struct task *task, int64_t value)
{
    task->result.error = 0;
    task->result.value = value;
    return NEED_NOTHING;
}

enum need call_fail_because(struct task *task, int error, const char *reason)
{
    const struct call *call = &task->call;
    struct call_result *result = &task->result;
    char about[ADDRESS_TEXT + 8] = "";
    if (call->about != NULL && call->about->family != 0) {
        char address[ADDRESS_TEXT];
        snprintf(about, sizeof about, " %s%s%s", call->preposition == NULL ? "" : call->preposition,
                 call->preposition == NULL ? "" : " ", address_format(call->about, address));
    }
    result->error = error;
    snprintf(result->message, sizeof result->message, "%s%s%s%.80s: %s (%s)", call->name, about,
             call->subject == NULL ? "" : " ", call->subject == NULL ? "" : call->subject, reason,
             error_code_name(error));
    return NEED_NOTHING;
}

enum need call_fail(struct task *task, int error)
{
    return call_fail_because(task, error, strerror(error));
}

/* The call has ended: its result is told, and the task may go on. */
static void finish(struct task *task)
{
    struct call *call = &task->call;
    struct call_result *result = &task->result;
    task_stop_timer(task);
    call->attempt = NULL;
    if (call->shakes_hands)
        call->host->handshakes--;
    if (call->recorded) {
        buffer_clear(&call->host->text);
        if (result->error == 0)
            text_result(task, &call->host->text);
        call_tell_return(call, result->value, result->error, result->message);
        if (call->host->settings.kernel_states)
            call_tell_state(call, result->socket != NULL ? result->socket : call->socket);
    }
    if (call->socket != NULL) {
        call->socket->users--;
        socket_settle(call->socket);
        call->socket = NULL;
    }
}

/* Attempts the call. Returns whether it has ended; else the task is parked. */
static bool attempt(struct task *task)
{
    struct call *call = &task->call;
    enum need need;
    bool timed_out = task->expired && !call->pauses && call->uses_network && call->socket != NULL;
    task->expired = false;
    call->pauses = false;
    if (timed_out) {
        need = call_fail_because(task, ETIMEDOUT, "timed out");
    } else if (call->socket != NULL && call->socket->fd < 0) {
        need = call_fail_because(task, EBADF, "the socket is closed");
    } else {
        need = call->attempt(task);
    }
    bool on_socket = need == NEED_READ || need == NEED_WRITE;
    if (on_socket && call->socket->timeout == 0)
        need = call_fail(task, call->again);
    else if (on_socket) {
        int error = poll_wait(&task->waiter, task, call->socket, need == NEED_WRITE);
        if (error != 0)
            need = call_fail(task, error);
        else if (call->socket->timeout > 0 && !task->timed)
            task_start_timer(task, call->socket->timeout);
    }
    if (need == NEED_NOTHING) {
        finish(task);
        return true;
    }
    call_tell_syscall(call);
    task_park(task);
    return false;
}

/* Asks whoever steps through the exchange. Returns whether the call may be made. */
static bool ask(struct call *call)
{
    struct host *host = call->host;
    if (!host->ending) {
        struct host_preview preview = {.role = call->role,
                                       .socket = call->socket == NULL ? 0 : call->socket->number,
                                       .name = call->name,
                                       .arguments = text_of(&host->text),
                                       .script = call->script,
                                       .line = call->line};
        exchange_halt(host);
        if (!host->settings.before_call(host->settings.data, &preview))
            host_interrupt(host);
        exchange_resume(host);
    }
    return !host->ending;
}

static bool may_enter(struct call *call)
{
    return call->host->settings.before_call == NULL || !call->recorded || ask(call);
}

static bool enter(struct task *task)
{
    struct call *call = &task->call;
    task->expired = false;
    if (call->socket != NULL)
        call->socket->users++;
    if (call->recorded)
        call_tell_entry(call);
    return attempt(task);
}

bool call_ends_turn(const struct task *task)
{
    return task->streak >= LONGEST_STREAK || task->moved >= MOST_MOVED;
}

void call_counts(struct task *task, uint64_t moved)
{
    task->streak++;
    task->moved += moved;
}

/* How many bytes the call that has ended sent or received. */
static uint64_t moved_by(const struct task *task)
{
    const struct call *call = &task->call;
    bool moves = call->length + call->plain_length > 0 && task->result.value > 0;
    return moves ? (uint64_t)task->result.value : 0;
}

/* The result is for a later step, and the room it lies in will be used before. */
static bool keep_bytes(struct task *task)
{
    struct call_result *result = &task->result;
    if (result->bytes == NULL)
        return true;
    task->kept = malloc(result->length + 1);
    if (task->kept == NULL)
        return false;
    memcpy(task->kept, result->bytes, result->length);
    result->bytes = task->kept;
    return true;
}

enum call_progress call_start(struct task *task)
{
    if (!may_enter(&task->call)) {
        task->call.recorded = false; /* it was not entered */
        if (task->call.socket != NULL)
            task->call.socket->users++;
        task_park(task); /* until the end cancels it */
        return CALL_WAITING;
    }
    if (!enter(task))
        return CALL_WAITING;
    call_counts(task, moved_by(task));
    if (!call_ends_turn(task) || !keep_bytes(task))
        return CALL_DONE;
    task->host->yielded = true;
    task_make_ready(task);
    return CALL_WAITING;
}

enum call_progress call_start_short(struct task *task)
{
    if (may_enter(&task->call)) {
        enter(task);
    } else {
        task->call.attempt = NULL;
        task->call.socket = NULL;
        call_fail_because(task, ECANCELED, "the exchange has ended");
    }
    return CALL_DONE;
}

bool call_resume(struct task *task)
{
    return attempt(task);
}

void call_cancel(struct task *task)
{
    struct call *call = &task->call;
    if (task->lookup != NULL)
        lookup_abandon(task);
    call->untold = false;
    call_fail_because(task, ECANCELED, "the exchange has ended");
    finish(task);
}
