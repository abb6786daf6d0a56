/*
 * names.c - the calls about a socket itself that never wait: socket, bind, listen, getsockname,
 * getpeername, shutdown, close, reset.
 */
#include "host/internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

static enum need attempt_socket(struct task *task)
{
    struct call *call = &task->call;
    bool stream = call->option == TRACE_TCP;
    int family = call->address.family;
    if (!socket_is_allowed(task))
        return NEED_NOTHING;
    syscall_begin(call);
    int fd = (int)syscall_end(
        call, socket(family == 6 ? AF_INET6 : AF_INET,
                     (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (fd < 0)
        return call_fail(task, errno);
    struct host_socket *made = socket_new(task->role, fd, family, stream ? TRACE_TCP : TRACE_UDP);
    if (made == NULL) {
        close(fd);
        return call_fail(task, ENOMEM);
    }
    task->result.socket = made;
    return call_succeed(task, made->number);
}

enum call_progress socket_open(struct task *task, int family, enum trace_transport transport)
{
    struct call *call = call_begin(task, "socket", NULL, attempt_socket);
    call->option = transport;
    call->address.family = (uint8_t)family;
    if (call->recorded)
        buffer_printf(call_arguments(call), "%s%s", transport == TRACE_TCP ? "tcp" : "udp",
                      family == 6 ? ", 6" : "");
    return call_start_short(task);
}

static enum need attempt_bind(struct task *task)
{
    struct call *call = &task->call;
    struct sockaddr_storage storage;
    if (task->host->settings.loopback_only && !address_is_loopback(&call->address))
        return call_fail_because(task, EACCES,
                                 "others could reach it there, which --host must allow");
    socklen_t length = socket_address_out(&call->address, &storage);
    syscall_begin(call);
    if (syscall_end(call, bind(call->socket->fd, (struct sockaddr *)&storage, length)) != 0)
        return call_fail(task, errno);
    socket_learn_local(call->socket);
    call_meets(call, &call->socket->local);
    if (call->recorded)
        call_tell_socket(call->socket, clock_now());
    if (call->socket->transport == TRACE_UDP)
        server_is_reachable(call->socket);
    return call_succeed(task, 0);
}

enum call_progress socket_bind(struct task *task, struct host_socket *socket,
                               const struct address *address)
{
    struct call *call = call_begin(task, "bind", socket, attempt_bind);
    call->address = *address;
    call->about = &call->address;
    if (call->recorded)
        text_address(call_arguments(call), address);
    return call_start_short(task);
}

static enum need attempt_listen(struct task *task)
{
    struct call *call = &task->call;
    syscall_begin(call);
    if (syscall_end(call, listen(call->socket->fd, (int)call->option)) != 0)
        return call_fail(task, errno);
    call->socket->has_state = true;
    /* Without a bind before it, listen has chosen the port. */
    socket_learn_local(call->socket);
    call_meets(call, &call->socket->local);
    if (call->recorded)
        call_tell_socket(call->socket, clock_now());
    server_is_reachable(call->socket);
    return call_succeed(task, 0);
}

enum call_progress socket_listen(struct task *task, struct host_socket *socket, int backlog)
{
    struct call *call = call_begin(task, "listen", socket, attempt_listen);
    call->option = backlog;
    call->preposition = "on";
    call->about = &socket->local;
    if (call->recorded)
        buffer_printf(call_arguments(call), "%d", backlog);
    return call_start_short(task);
}

/* Stage 0 asks for the socket's own address, 1 for the peer's. */
static enum need attempt_name(struct task *task)
{
    struct call *call = &task->call;
    struct sockaddr_storage storage = {0};
    socklen_t length = sizeof storage;
    int fd = call->socket->fd;
    syscall_begin(call);
    int failed = call->stage == 0 ? getsockname(fd, (struct sockaddr *)&storage, &length)
                                  : getpeername(fd, (struct sockaddr *)&storage, &length);
    if (syscall_end(call, failed) != 0)
        return call_fail(task, errno);
    task->result.address = socket_address_in(&storage);
    return call_succeed(task, 0);
}

enum call_progress socket_getsockname(struct task *task, struct host_socket *socket)
{
    call_begin(task, "getsockname", socket, attempt_name);
    return call_start_short(task);
}

enum call_progress socket_getpeername(struct task *task, struct host_socket *socket)
{
    call_begin(task, "getpeername", socket, attempt_name)->stage = 1;
    return call_start_short(task);
}

static enum need attempt_shutdown(struct task *task)
{
    static const int hows[] = {
        [SHUTDOWN_READ] = SHUT_RD, [SHUTDOWN_WRITE] = SHUT_WR, [SHUTDOWN_BOTH] = SHUT_RDWR};
    struct call *call = &task->call;
    syscall_begin(call);
    if (syscall_end(call, shutdown(call->socket->fd, hows[call->option])) != 0)
        return call_fail(task, errno);
    return call_succeed(task, 0);
}

enum call_progress socket_shutdown(struct task *task, struct host_socket *socket,
                                   enum socket_shutdown how)
{
    static const char *const names[] = {
        [SHUTDOWN_READ] = "read", [SHUTDOWN_WRITE] = "write", [SHUTDOWN_BOTH] = "both"};
    struct call *call = call_begin(task, "shutdown", socket, attempt_shutdown);
    call->option = how;
    call->preposition = "of";
    call->about = &socket->remote;
    if (call->recorded)
        buffer_append_text(call_arguments(call), names[how]);
    return call_start_short(task);
}

static enum need attempt_close(struct task *task)
{
    struct call *call = &task->call;
    if (socket_shut(call, call->socket) != 0 && errno != EINTR)
        return call_fail(task, errno);
    return call_succeed(task, 0);
}

static enum need attempt_reset(struct task *task)
{
    struct call *call = &task->call;
    const struct linger linger = {.l_onoff = 1, .l_linger = 0};
    syscall_begin(call);
    syscall_end(call, setsockopt(call->socket->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
    return attempt_close(task);
}

static enum call_progress start_close(struct task *task, const char *name,
                                      struct host_socket *socket, call_attempt *attempt)
{
    if (socket->fd < 0) {
        task->result = (struct call_result){.call = name};
        return CALL_DONE;
    }
    call_begin(task, name, socket, attempt);
    return call_start_short(task);
}

enum call_progress socket_close(struct task *task, struct host_socket *socket)
{
    return start_close(task, "close", socket, attempt_close);
}

enum call_progress socket_reset(struct task *task, struct host_socket *socket)
{
    return start_close(task, "reset", socket, attempt_reset);
}
