/*
 * accept.c - taking connections, also when there is no room for them.
 *
 * Without a descriptor left accept(2) fails, and the connection stays in the queue: the listener is
 * ready for ever, and whoever tries again at once has no rest. So one descriptor is held in
 * reserve. It is given up to take the connection and close it: the peer sees at once that it is
 * not served, and the queue has room for the next. In an exchange of both ends the call then
 * fails, for the script to see. A server of real clients goes on: the call waits for a client that
 * there is room for, and the first one that is turned away is told of.
 *
 * Where even that fails (others took the descriptor that was given up, or the kernel has no
 * memory) a server accepts nobody for a moment: the clients wait in the queue.
 */
#include "host/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    /* So many connections on end that have gone when they are accepted; then others' turn. */
    MOST_IN_VAIN = 16,
    PAUSE = 100, /* ms */
    /* Told again only when for so long nobody was turned away: clients that come and go at the
     * limit make a server say it once. */
    TOLD_FOR = 60000, /* ms */
};

/* Takes a connection only to close it. Returns false if there was none to take. */
static bool drop_one(struct call *call)
{
    struct host *host = call->host;
    if (host->spare >= 0)
        close(host->spare);
    syscall_begin(call);
    int fd = (int)syscall_end(call, accept4(call->socket->fd, NULL, NULL, SOCK_CLOEXEC));
    if (fd >= 0) {
        syscall_begin(call);
        syscall_end(call, close(fd));
    }
    host->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return fd >= 0;
}

static enum need accepted(struct task *task, int fd, const struct sockaddr_storage *storage)
{
    struct call *call = &task->call;
    struct host_socket *listener = call->socket;
    struct host_socket *socket = socket_new(task->role, fd, listener->family, TRACE_TCP);
    if (socket == NULL) {
        close(fd);
        return call_fail(task, ENOMEM);
    }
    socket->remote = socket_address_in(storage);
    socket->has_state = true;
    if (call->recorded) {
        /* It has the listener's address, unless that was any. */
        if (listener->local.family == 0 || address_is_any(&listener->local))
            socket_learn_local(socket);
        else
            socket->local = listener->local;
        call_tell_socket(socket, clock_now());
    }
    task->result.socket = socket;
    task->result.address = socket->remote;
    return call_succeed(task, socket->number);
}

/* Whether more sockets may be open. */
static bool is_allowed(const struct host *host)
{
    return host->settings.socket_limit == 0 || host->open_sockets < host->settings.socket_limit;
}

static bool is_shortage(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/* Says why a client is not served, unless that was said before. The call has failed with it. */
static void tell_shortage(struct task *task)
{
    struct host *host = task->host;
    struct call_result *result = &task->result;
    char text[sizeof result->message + 64];
    uint64_t now = uv_now(host->loop);
    bool told = host->shortages++ > 0 && now - host->last_shortage < TOLD_FOR;
    host->last_shortage = now;
    if (!told) {
        int length = snprintf(text, sizeof text, "%s; clients are turned away until others leave",
                              result->message);
        host_note(host, task->role, TRACE_NOTE_HOST, text, (size_t)length, NULL, 0);
    }
}

/* There was no room for a connection, which was dropped or is still in the queue. */
static enum need turned_away(struct task *task, int error, bool dropped)
{
    struct call *call = &task->call;
    if (is_allowed(task->host))
        call_fail(task, error);
    else
        socket_is_allowed(task);
    /* Who selects waits there, for others too. */
    bool waits = task->host->settings.serving && call->socket->timeout != 0 &&
                 !socket_is_selected(call->socket, false);
    if (!waits)
        return NEED_NOTHING;
    tell_shortage(task);
    task->result.error = 0;
    task->result.message[0] = '\0';
    if (dropped)
        return NEED_READ;
    call->pauses = true;
    task_stop_timer(task);
    task_start_timer(task, PAUSE * NANOSECONDS_PER_MILLISECOND);
    return NEED_WAKING;
}

static enum need attempt_accept(struct task *task)
{
    struct call *call = &task->call;
    for (int in_vain = 0; in_vain < MOST_IN_VAIN; in_vain++) {
        struct sockaddr_storage storage = {0};
        socklen_t length = sizeof storage;
        if (!is_allowed(task->host)) {
            struct pollfd look = {.fd = call->socket->fd, .events = POLLIN};
            if (poll(&look, 1, 0) == 0)
                return NEED_READ;
            return turned_away(task, EMFILE, drop_one(call));
        }
        syscall_begin(call);
        int fd = (int)syscall_end(call, accept4(call->socket->fd, (struct sockaddr *)&storage,
                                                &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (fd >= 0)
            return accepted(task, fd, &storage);
        int error = errno;
        if (socket_is_busy(error))
            return NEED_READ;
        if (is_shortage(error))
            return turned_away(task, error, (error == EMFILE || error == ENFILE) && drop_one(call));
        /* A connection that ended before it was accepted is nobody's business. */
        if (error != EINTR && error != ECONNABORTED && error != EPROTO)
            return call_fail(task, error);
    }
    return NEED_READ;
}

enum call_progress socket_accept(struct task *task, struct host_socket *socket)
{
    struct call *call = call_begin(task, "accept", socket, attempt_accept);
    call->preposition = "on";
    call->about = &socket->local;
    call->waits_for_new = call->uses_network = true;
    return call_start(task);
}
