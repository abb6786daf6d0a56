#include "host/internal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

static bool make_room(struct task *task, size_t count)
{
    if (count <= task->waiters_room)
        return true;
    struct waiter *waiters = realloc(task->waiters, count * sizeof *waiters);
    if (waiters != NULL)
        task->waiters = waiters;
    struct pollfd *polls = realloc(task->polls, count * sizeof *polls);
    if (polls != NULL)
        task->polls = polls;
    if (waiters == NULL || polls == NULL)
        return false;
    task->waiters_room = count;
    return true;
}

static struct host_socket *nth(const struct socket_wait *wait, size_t n)
{
    return n < wait->read_count ? wait->read[n] : wait->write[n - wait->read_count];
}

/* Notes on each socket what poll(2) has found. Returns how many sides are ready. */
static int64_t collect(struct task *task, size_t count)
{
    const struct socket_wait *wait = &task->call.wait;
    int64_t ready = 0;
    for (size_t i = 0; i < count; i++)
        nth(wait, i)->readable = nth(wait, i)->writable = false;
    for (size_t i = 0; i < count; i++) {
        if (task->polls[i].revents == 0)
            continue;
        ready++;
        struct host_socket *socket = nth(wait, i);
        if (i < wait->read_count) {
            socket->readable = true;
            socket->drained = false; /* a recv after this must try at once */
        } else {
            socket->writable = true;
        }
    }
    return ready;
}

static enum need attempt_select(struct task *task)
{
    struct call *call = &task->call;
    const struct socket_wait *wait = &call->wait;
    size_t count = wait->read_count + wait->write_count;
    if (!make_room(task, count))
        return call_fail(task, ENOMEM);
    for (size_t i = 0; i < count; i++) {
        struct host_socket *socket = nth(wait, i);
        if (socket->fd < 0)
            return call_fail_because(task, EBADF, "one of the sockets is closed");
        task->polls[i] =
            (struct pollfd){.fd = socket->fd, .events = i < wait->read_count ? POLLIN : POLLOUT};
    }
    syscall_begin(call);
    int64_t found = syscall_end(call, count == 0 ? 0 : poll(task->polls, (nfds_t)count, 0));
    if (found < 0 && errno != EINTR)
        return call_fail(task, errno);
    int64_t ready = collect(task, count);
    bool over = call->stage == 1 && call->timeout > 0 && !task->timed;
    if (ready > 0 || call->timeout == 0 || over)
        return call_succeed(task, ready);
    if (call->stage == 0 && call->timeout > 0)
        task_start_timer(task, call->timeout);
    call->stage = 1;
    for (size_t i = 0; i < count; i++) {
        int error = poll_wait(&task->waiters[i], task, nth(wait, i), i >= wait->read_count);
        if (error != 0) {
            while (i-- > 0)
                poll_unwait(&task->waiters[i]);
            return call_fail(task, error);
        }
    }
    task->waiters_used = count;
    return NEED_WAKING;
}

/* A socket as a reader of the trace knows it: by the peer's port, or as the listener. */
static void write_socket(struct buffer *text, const struct host_socket *socket)
{
    if (socket->remote.family != 0)
        buffer_printf(text, ":%u", socket->remote.port);
    else if (socket->transport == TRACE_TCP && socket->has_state)
        buffer_append_text(text, "listener");
    else if (socket->transport == TRACE_UDP && socket->local.family != 0)
        buffer_printf(text, "udp :%u", socket->local.port);
    else
        buffer_printf(text, "#%u", socket->number);
}

static void write_list(struct buffer *text, struct host_socket **sockets, size_t count)
{
    buffer_append_byte(text, '{');
    for (size_t i = 0; i < count && i < 8; i++) {
        buffer_append_text(text, i == 0 ? "" : ", ");
        write_socket(text, sockets[i]);
    }
    buffer_append_text(text, count > 8 ? ", …}" : "}");
}

/* Of one list, those that are ready. */
static void write_ready(struct buffer *text, struct host_socket **sockets, size_t count, bool write)
{
    size_t written = 0;
    buffer_append_byte(text, '{');
    for (size_t i = 0; i < count && written < 8; i++) {
        if (!socket_is_selected(sockets[i], write))
            continue;
        buffer_append_text(text, written++ == 0 ? "" : ", ");
        write_socket(text, sockets[i]);
    }
    buffer_append_byte(text, '}');
}

void text_selected(const struct socket_wait *wait, struct buffer *text)
{
    write_ready(text, wait->read, wait->read_count, false);
    buffer_append_text(text, ", ");
    write_ready(text, wait->write, wait->write_count, true);
}

enum call_progress socket_select(struct task *task, const struct socket_wait *wait, int64_t timeout)
{
    struct call *call = call_begin(task, "select", NULL, attempt_select);
    call->wait = *wait;
    call->timeout = timeout;
    call->waits_for_new = call->uses_network = true;
    if (call->recorded) {
        struct buffer *text = call_arguments(call);
        write_list(text, wait->read, wait->read_count);
        buffer_append_text(text, ", ");
        write_list(text, wait->write, wait->write_count);
        if (timeout >= 0)
            buffer_printf(text, ", %g", (double)timeout / (double)NANOSECONDS_PER_SECOND);
    }
    return call_start(task);
}

bool socket_is_selected(const struct host_socket *socket, bool for_write)
{
    return for_write ? socket->writable : socket->readable;
}
