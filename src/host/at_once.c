/*
 * at_once.c - what a server does over and over, without a call around it.
 *
 * A call is entered and left, told of, and can wait, fail and be canceled at each of its system
 * calls. Where nothing is recorded, and a message is there and its answer taken at once, all that
 * is for nothing, and costs as much as the script does. So these try, and say when a call is
 * needed after all: that one then waits, fails or finds the end of the stream.
 *
 * What tasks await is received for many of them before the first is stepped: so the kernel's way
 * of receiving is still in the processor's caches for the next, which else the script and the
 * kernel's way of sending take from it.
 */
#include "host/internal.h"

#include <stdlib.h>
#include <sys/socket.h>

enum { ROOM_AHEAD = 256 * 1024 };

static bool needs_call(const struct task *task, const struct host_socket *socket)
{
    return host_recording(task->host) || socket->fd < 0 || socket->timeout >= 0 ||
           call_ends_turn(task);
}

/* Returns how many bytes, 0 if there are none or the connection has ended. */
static size_t receive(struct host_socket *socket, uint8_t *room, size_t limit)
{
    ssize_t got = recv(socket->fd, room, limit, 0);
    if (got <= 0)
        return 0;
    socket->drained = (size_t)got < limit;
    return (size_t)got;
}

void tasks_receive_ahead(struct host *host, struct task *const tasks[], size_t count)
{
    size_t used = 0;
    if (count < 2 || host_recording(host))
        return;
    if (host->ahead == NULL)
        host->ahead = malloc(ROOM_AHEAD);
    if (host->ahead == NULL)
        return;
    for (size_t i = 0; i < count; i++) {
        struct task *task = tasks[i];
        struct host_socket *socket = task->awaits;
        if (socket == NULL || socket->fd < 0 || task->limit > ROOM_AHEAD - used)
            continue;
        task->ahead = host->ahead + used;
        task->ahead_length = receive(socket, host->ahead + used, task->limit);
        used += task->ahead_length;
    }
}

size_t socket_recv_at_once(struct task *task, struct host_socket *socket, size_t limit,
                           const uint8_t **bytes)
{
    size_t length = task->ahead_length;
    uint8_t *room = task->ahead;
    task->awaits = NULL;
    task->ahead = NULL;
    if (room == NULL) {
        if (needs_call(task, socket) || (room = host_room(task->host, limit)) == NULL)
            return 0;
        length = receive(socket, room, limit);
    }
    call_counts(task, length);
    *bytes = room;
    return length;
}

size_t socket_send_at_once(struct task *task, struct host_socket *socket, const void *bytes,
                           size_t length)
{
    if (needs_call(task, socket))
        return 0;
    ssize_t sent = send(socket->fd, bytes, length, MSG_NOSIGNAL);
    if (sent <= 0)
        return 0;
    call_counts(task, (uint64_t)sent);
    return (size_t)sent;
}

bool socket_await(struct task *task, struct host_socket *socket, size_t limit)
{
    if (task->ahead != NULL || needs_call(task, socket) || !socket_recv_is_vain(socket) ||
        poll_wait(&task->waiter, task, socket, false) != 0)
        return false;
    task->awaits = socket;
    task->limit = limit;
    task_park(task);
    return true;
}
