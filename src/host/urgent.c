/*
 * TCP's urgent data: one byte that the receiver gets by a call of its own. RFC 9293, 3.8.5, and
 * RFC 6093, which advises against it; here it is to be looked at.
 */
#include "host/internal.h"

#include <errno.h>

static enum need attempt_send_urgent(struct task *task)
{
    struct call *call = &task->call;
    int64_t sent;
    do {
        syscall_begin(call);
        sent = syscall_end(
            call, send(call->socket->fd, call->bytes, call->length, MSG_OOB | MSG_NOSIGNAL));
    } while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return socket_is_busy(errno) ? NEED_WRITE : call_fail(task, errno);
    return call_succeed(task, sent);
}

enum call_progress socket_send_urgent(struct task *task, struct host_socket *socket,
                                      const void *bytes, size_t length)
{
    struct call *call = call_begin(task, "send", socket, attempt_send_urgent);
    call->bytes = bytes == NULL ? (const uint8_t *)"" : bytes;
    call->length = length;
    call->preposition = "to";
    call->about = &socket->remote;
    call->uses_network = true;
    if (call->recorded) {
        struct buffer *text = call_arguments(call);
        text_quote(text, call->bytes, length);
        buffer_append_text(text, ", MSG_OOB");
    }
    return call_start(task);
}

static enum need attempt_recv_urgent(struct task *task)
{
    struct call *call = &task->call;
    struct call_result *result = &task->result;
    uint8_t *room = task_room(task, 1);
    if (room == NULL)
        return call_fail(task, ENOMEM);
    syscall_begin(call);
    int64_t got = syscall_end(call, recv(call->socket->fd, room, 1, MSG_OOB));
    if (got < 0 && errno == EINVAL)
        return call_fail_because(task, EINVAL, "there is no urgent data");
    if (got < 0)
        return call_fail(task, errno);
    result->end_of_stream = got == 0;
    result->bytes = got == 0 ? NULL : room;
    result->length = result->datagram_length = (size_t)got;
    return call_succeed(task, got);
}

enum call_progress socket_recv_urgent(struct task *task, struct host_socket *socket)
{
    struct call *call = call_begin(task, "recv", socket, attempt_recv_urgent);
    call->preposition = "from";
    call->about = &socket->remote;
    if (call->recorded)
        buffer_append_text(call_arguments(call), "1, MSG_OOB");
    return call_start_short(task);
}
