#include "host/internal.h"

#include <errno.h>

static enum need attempt_sendto(struct task *task)
{
    struct call *call = &task->call;
    struct sockaddr_storage storage;
    socklen_t length = socket_address_out(&call->address, &storage);
    int64_t sent;
    if (call->socket->local.port == 0)
        call_meets(call, &call->address);
    do {
        syscall_begin(call);
        sent = syscall_end(call, sendto(call->socket->fd, call->bytes, call->length, MSG_NOSIGNAL,
                                        (struct sockaddr *)&storage, length));
    } while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return errno == EAGAIN ? NEED_WRITE : call_fail(task, errno);
    /* The first datagram of a socket without an address has given it one. */
    if (call->recorded && call->socket->local.family == 0) {
        socket_learn_local(call->socket);
        call_tell_socket(call->socket, clock_now());
    }
    return call_succeed(task, sent);
}

enum call_progress socket_sendto(struct task *task, struct host_socket *socket, const void *bytes,
                                 size_t length, const struct address *address)
{
    struct call *call = call_begin(task, "sendto", socket, attempt_sendto);
    call->bytes = bytes == NULL ? (const uint8_t *)"" : bytes;
    call->length = length;
    call->address = *address;
    call->about = &call->address;
    call->uses_network = true;
    if (call->recorded) {
        struct buffer *arguments = call_arguments(call);
        text_quote(arguments, call->bytes, length);
        buffer_append_text(arguments, ", ");
        text_address(arguments, address);
    }
    return call_start(task);
}

static enum need attempt_recvfrom(struct task *task)
{
    struct call *call = &task->call;
    struct sockaddr_storage storage = {0};
    socklen_t length = sizeof storage;
    bool datagrams = call->socket->transport == TRACE_UDP;
    uint8_t *room = host_room(task->host, call->length);
    if (room == NULL)
        return call_fail(task, ENOMEM);
    int64_t got;
    do {
        syscall_begin(call);
        /* On UDP MSG_TRUNC tells the datagram's own length; on TCP it would throw bytes away. */
        got = syscall_end(call,
                          recvfrom(call->socket->fd, room, call->length, datagrams ? MSG_TRUNC : 0,
                                   (struct sockaddr *)&storage, &length));
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno == EAGAIN ? NEED_READ : call_fail(task, errno);
    struct call_result *result = &task->result;
    result->datagram_length = (size_t)got;
    result->length = (size_t)got < call->length ? (size_t)got : call->length;
    result->end_of_stream = got == 0 && !datagrams;
    result->bytes = result->end_of_stream ? NULL : room;
    result->address = socket_address_in(&storage);
    return call_succeed(task, (int64_t)result->length);
}

enum call_progress socket_recvfrom(struct task *task, struct host_socket *socket, size_t limit)
{
    struct call *call = call_begin(task, "recvfrom", socket, attempt_recvfrom);
    call->length = limit;
    call->preposition = "on";
    call->about = &socket->local;
    call->waits_for_new = call->uses_network = true;
    if (call->recorded)
        buffer_printf(call_arguments(call), "%zu", limit);
    return call_start(task);
}
