#include "host/info.h"
#include "host/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/tcp_state.h"

socklen_t socket_address_out(const struct address *address, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (address->family == 6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(address->port);
        in6->sin6_scope_id = address->scope;
        memcpy(&in6->sin6_addr, address->bytes, 16);
        return sizeof *in6;
    }
    struct sockaddr_in *in = (struct sockaddr_in *)out;
    in->sin_family = AF_INET;
    in->sin_port = htons(address->port);
    memcpy(&in->sin_addr, address->bytes, 4);
    return sizeof *in;
}

struct address socket_address_in(const struct sockaddr_storage *in)
{
    struct address address = {0};
    if (in->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)in;
        address.family = 6;
        address.port = ntohs(in6->sin6_port);
        address.scope = in6->sin6_scope_id;
        memcpy(address.bytes, &in6->sin6_addr, 16);
    } else if (in->ss_family == AF_INET) {
        const struct sockaddr_in *in4 = (const struct sockaddr_in *)in;
        address.family = 4;
        address.port = ntohs(in4->sin_port);
        memcpy(address.bytes, &in4->sin_addr, 4);
    }
    return address;
}

/* The host's own question, not a call of the script. */
void socket_learn_local(struct host_socket *socket)
{
    struct sockaddr_storage storage = {0};
    socklen_t length = sizeof storage;
    if (getsockname(socket->fd, (struct sockaddr *)&storage, &length) == 0)
        socket->local = socket_address_in(&storage);
}

struct host_socket *socket_new(struct role *role, int fd, int family,
                               enum trace_transport transport)
{
    struct host_socket *socket = calloc(1, sizeof *socket);
    if (socket == NULL)
        return NULL;
    socket->host = role->host;
    socket->role = role;
    socket->fd = fd;
    socket->family = (uint8_t)family;
    socket->transport = transport;
    socket->timeout = -1;
    socket->number = ++role->host->sockets;
    role->host->open_sockets++;
    socket->previous = role->last_socket;
    if (role->last_socket != NULL)
        role->last_socket->next = socket;
    else
        role->first_socket = socket;
    role->last_socket = socket;
    return socket;
}

bool socket_is_allowed(struct task *task)
{
    struct host *host = task->host;
    unsigned limit = host->settings.socket_limit;
    if (limit == 0 || host->open_sockets < limit)
        return true;
    char reason[64];
    snprintf(reason, sizeof reason, "too many open sockets, the limit is %u", limit);
    call_fail_because(task, EMFILE, reason);
    return false;
}

int64_t socket_shut(struct call *call, struct host_socket *socket)
{
    /* The loop must have let go of the descriptor before its number can mean another file. */
    poll_forget(socket);
    int fd = socket->fd;
    syscall_begin(call);
    int64_t closed = syscall_end(call, close(fd));
    socket->fd = -1;
    socket->host->open_sockets--;
    tls_free(socket->tls);
    socket->tls = NULL;
    poll_wake_all(socket);
    return closed;
}

static void unlink_and_free(struct host_socket *socket)
{
    struct role *role = socket->role;
    if (socket->previous != NULL)
        socket->previous->next = socket->next;
    else
        role->first_socket = socket->next;
    if (socket->next != NULL)
        socket->next->previous = socket->previous;
    else
        role->last_socket = socket->previous;
    tls_free(socket->tls);
    free(socket);
}

void socket_settle(struct host_socket *socket)
{
    if (socket->released && socket->fd < 0 && !socket->poll_open && socket->users == 0)
        unlink_and_free(socket);
}

void socket_release(struct host_socket *socket)
{
    socket->released = true;
    /* The role has ended: the script's last handle was all that kept it. */
    socket_settle(socket);
}

void socket_close_all(struct role *role)
{
    struct host *host = role->host;
    struct host_socket *next;
    for (struct host_socket *socket = role->first_socket; socket != NULL; socket = next) {
        next = socket->next;
        if (socket->fd < 0)
            continue;
        struct call call = {.host = host,
                            .role = role,
                            .socket = socket,
                            .name = "close",
                            .recorded = host_recording(host)};
        buffer_clear(&host->text);
        if (call.recorded) {
            /* No line of the script made this call: it says itself what it closes, and why. */
            buffer_append_text(&host->text, "left open");
            if (socket->local.family != 0) {
                buffer_append_text(&host->text, ": ");
                text_address(&host->text, &socket->local);
            }
            call_tell_entry(&call);
            buffer_clear(&host->text);
        }
        socket_shut(&call, socket);
        if (call.recorded)
            call_tell_return(&call, 0, 0, "");
        socket_settle(socket);
    }
}

void socket_free_all(struct role *role)
{
    struct host_socket *next;
    for (struct host_socket *socket = role->first_socket; socket != NULL; socket = next) {
        next = socket->next;
        unlink_and_free(socket);
    }
}

void socket_set_timeout(struct host_socket *socket, int64_t timeout)
{
    socket->timeout = timeout;
}

int64_t socket_timeout(const struct host_socket *socket)
{
    return socket->timeout;
}

bool socket_is_open(const struct host_socket *socket)
{
    return socket->fd >= 0;
}

uint32_t socket_number(const struct host_socket *socket)
{
    return socket->number;
}

enum trace_transport socket_transport(const struct host_socket *socket)
{
    return socket->transport;
}

int socket_family(const struct host_socket *socket)
{
    return socket->family;
}

bool socket_info(struct host_socket *socket, struct socket_info *info)
{
    return info_read(socket->fd, info);
}

bool socket_is_still(struct host_socket *socket)
{
    struct socket_info info;
    if (socket->fd < 0 || socket->transport != TRACE_TCP || !socket_info(socket, &info))
        return true;
    if (info.state == TCP_STATE_LISTEN)
        return true; /* there unacked counts who is still to be accepted */
    return info.unacked == 0 && info.state != TCP_STATE_SYN_SENT &&
           info.state != TCP_STATE_SYN_RECEIVED;
}
