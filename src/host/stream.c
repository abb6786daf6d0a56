#include "host/internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>

/* The room is kept from recv to recv up to this size; a larger one goes at the next call. */
enum { LARGEST_KEPT_ROOM = 256 * 1024 };

bool socket_is_busy(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK;
}

static enum need connected(struct task *task)
{
    struct call *call = &task->call;
    call->socket->remote = call->address;
    if (call->recorded) {
        socket_learn_local(call->socket);
        call_tell_socket(call->socket, clock_now());
    }
    return call_succeed(task, 0);
}

/*
 * Stage 0 begins. On the loopback the whole handshake takes place inside connect(2), though it
 * says EINPROGRESS; stage 1 sees whether that is so, and how it went.
 */
static enum need attempt_connect(struct task *task)
{
    struct call *call = &task->call;
    struct host_socket *socket = call->socket;
    if (call->stage == 0) {
        struct sockaddr_storage storage;
        socklen_t length = socket_address_out(&call->address, &storage);
        if (socket->local.port == 0)
            call_meets(call, &call->address);
        syscall_begin(call);
        int64_t value = syscall_end(call, connect(socket->fd, (struct sockaddr *)&storage, length));
        if (value == 0)
            return connected(task);
        if (errno != EINPROGRESS)
            return call_fail(task, errno);
        /* The packets are this socket's from now on, however it ends. */
        if (socket->timeout != 0)
            call_tell_syscall(call);
        connected(task);
        if (socket->timeout == 0)
            return call_fail(task, EINPROGRESS);
        call->stage = 1;
    }
    struct pollfd look = {.fd = socket->fd, .events = POLLOUT};
    if (poll(&look, 1, 0) == 0)
        return NEED_WRITE;
    int error = 0;
    socklen_t length = sizeof error;
    syscall_begin(call);
    syscall_end(call, getsockopt(socket->fd, SOL_SOCKET, SO_ERROR, &error, &length));
    return error == 0 ? call_succeed(task, 0) : call_fail(task, error);
}

enum call_progress socket_connect(struct task *task, struct host_socket *socket,
                                  const struct address *address)
{
    struct call *call = call_begin(task, "connect", socket, attempt_connect);
    call->address = *address;
    call->preposition = "to";
    call->about = &call->address;
    call->again = EINPROGRESS;
    call->uses_network = true;
    socket->has_state = socket->transport == TRACE_TCP;
    if (call->recorded)
        text_address(call_arguments(call), address);
    return call_start(task);
}

const char *const socket_flag_names[] = {"", "MSG_OOB", "MSG_PEEK", "MSG_MORE", NULL};

static int flag_of(const struct call *call)
{
    static const int flags[] = {0, MSG_OOB, MSG_PEEK, MSG_MORE};
    return flags[call->flag];
}

static void tell_flag(struct call *call)
{
    if (call->flag != SOCKET_NO_FLAG)
        buffer_printf(call_arguments(call), ", %s", socket_flag_names[call->flag]);
}

static enum need attempt_send(struct task *task)
{
    struct call *call = &task->call;
    do {
        syscall_begin(call);
        int64_t sent =
            syscall_end(call, send(call->socket->fd, call->bytes + call->done,
                                   call->length - call->done, MSG_NOSIGNAL | flag_of(call)));
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0) {
            task->result.value = (int64_t)call->done;
            return socket_is_busy(errno) ? NEED_WRITE : call_fail(task, errno);
        }
        call->done += (size_t)sent;
    } while (call->done < call->length && (call->sends_all || call->done == 0));
    return call_succeed(task, (int64_t)call->done);
}

static enum call_progress start_send(struct task *task, const char *name, enum socket_flag flag,
                                     struct host_socket *socket, const void *bytes, size_t length)
{
    struct call *call = call_begin(task, name, socket, attempt_send);
    call->bytes = bytes == NULL ? (const uint8_t *)"" : bytes;
    call->length = length;
    call->sends_all = name[4] != '\0';
    call->flag = flag;
    call->preposition = "to";
    call->about = &socket->remote;
    call->uses_network = true;
    if (call->recorded) {
        text_quote(call_arguments(call), call->bytes, length);
        tell_flag(call);
    }
    return call_start(task);
}

enum call_progress socket_send(struct task *task, struct host_socket *socket, const void *bytes,
                               size_t length)
{
    return start_send(task, "send", SOCKET_NO_FLAG, socket, bytes, length);
}

enum call_progress socket_send_flagged(struct task *task, struct host_socket *socket,
                                       const void *bytes, size_t length, enum socket_flag flag)
{
    return start_send(task, "send", flag, socket, bytes, length);
}

enum call_progress socket_sendall(struct task *task, struct host_socket *socket, const void *bytes,
                                  size_t length)
{
    return start_send(task, "sendall", SOCKET_NO_FLAG, socket, bytes, length);
}

uint8_t *host_room(struct host *host, size_t length)
{
    if (host->room_size > LARGEST_KEPT_ROOM && length <= LARGEST_KEPT_ROOM) {
        free(host->room);
        host->room = NULL;
        host->room_size = 0;
    }
    if (length > host->room_size) {
        free(host->room);
        host->room = malloc(length);
        host->room_size = host->room == NULL ? 0 : length;
    }
    return host->room;
}

bool socket_recv_is_vain(struct host_socket *socket)
{
    /* The last recv took all there was, and the loop still watches. */
    if (!socket->drained || (socket->armed & UV_READABLE) == 0 || socket->timeout == 0)
        return false;
    socket->drained = false;
    return true;
}

static enum need attempt_recv(struct task *task)
{
    struct call *call = &task->call;
    struct host_socket *socket = call->socket;
    bool datagrams = socket->transport == TRACE_UDP;
    if (call->flag == SOCKET_NO_FLAG && socket_recv_is_vain(socket))
        return NEED_READ;
    uint8_t *room = host_room(task->host, call->length);
    if (room == NULL)
        return call_fail(task, ENOMEM);
    int64_t got;
    do {
        syscall_begin(call);
        got = syscall_end(call, recv(socket->fd, room, call->length,
                                     (datagrams ? MSG_TRUNC : 0) | flag_of(call)));
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return socket_is_busy(errno) ? NEED_READ : call_fail(task, errno);
    struct call_result *result = &task->result;
    result->datagram_length = (size_t)got;
    result->length = (size_t)got < call->length ? (size_t)got : call->length;
    result->end_of_stream = got == 0 && !datagrams;
    result->bytes = result->end_of_stream ? NULL : room;
    /* Behind urgent data, and behind what was only looked at, more may follow. */
    socket->drained = got > 0 && result->length < call->length && call->flag == SOCKET_NO_FLAG;
    return call_succeed(task, (int64_t)result->length);
}

enum call_progress socket_recv(struct task *task, struct host_socket *socket, size_t limit)
{
    return socket_recv_flagged(task, socket, limit, SOCKET_NO_FLAG);
}

enum call_progress socket_recv_flagged(struct task *task, struct host_socket *socket, size_t limit,
                                       enum socket_flag flag)
{
    struct call *call = call_begin(task, "recv", socket, attempt_recv);
    call->length = limit;
    call->flag = flag;
    call->preposition = "from";
    call->about = &socket->remote;
    call->uses_network = true;
    if (call->recorded) {
        buffer_append_number(call_arguments(call), limit);
        tell_flag(call);
    }
    return call_start(task);
}
