/*
 * poll.c - waiting until a socket can be read or written.
 *
 * The loop is asked to watch a socket when it is waited for, and goes on watching while tasks keep
 * coming back: each change costs epoll_ctl calls. Only when an event finds nobody waiting is that
 * side no longer watched. Events are level-triggered, so none is lost by looking away.
 *
 * Where both ends of a connection are played here, its first wait usually ends by what the other
 * end does next. So that one begins in a list of late sockets: whoever is ready has its turn, and
 * the loop looks for events once. Only then poll_settle asks the kernel, by one poll(2) for the
 * whole list, and has the loop watch the sockets that still have nothing. A connection of a few
 * messages is never watched at all.
 */
#include "host/internal.h"

#include <poll.h>
#include <stdlib.h>

static struct waiter_list *list_of(struct host_socket *socket, bool for_write)
{
    return for_write ? &socket->writers : &socket->readers;
}

static void wake_list(struct waiter_list *list)
{
    while (list->first != NULL)
        task_wake(list->first->task); /* which takes it out of the list */
}

/*
 * Wakes who can use an event: everybody who looks at the socket in a select, and the first of
 * those who would take what is there. The others would find nothing; if there is more, the next
 * turn of the loop wakes the next.
 */
static void wake_some(struct waiter_list *list)
{
    bool taken = false;
    struct waiter *next;
    for (struct waiter *waiter = list->first; waiter != NULL; waiter = next) {
        next = waiter->next;
        bool takes = waiter == &waiter->task->waiter;
        if (takes && taken)
            continue;
        taken = taken || takes;
        /* A select may wait twice in this list; then the next one may go with it. */
        while (next != NULL && next->task == waiter->task)
            next = next->next;
        task_wake(waiter->task);
    }
}

static int watch(struct host_socket *socket, int events);

static void on_event(uv_poll_t *handle, int status, int events)
{
    struct host_socket *socket = handle->data;
    if (status < 0) {
        /* A pending error; libuv has stopped watching. Whoever waits finds it by trying. */
        socket->armed = 0;
        poll_wake_all(socket);
        return;
    }
    int unwanted = 0;
    if ((events & UV_READABLE) != 0 && socket->readers.first == NULL)
        unwanted |= UV_READABLE;
    if ((events & UV_WRITABLE) != 0 && socket->writers.first == NULL)
        unwanted |= UV_WRITABLE;
    if ((events & UV_READABLE) != 0)
        wake_some(&socket->readers);
    if ((events & UV_WRITABLE) != 0)
        wake_some(&socket->writers);
    if (unwanted != 0)
        watch(socket, socket->armed & ~unwanted);
    exchange_serve_crowd(socket->host);
}

static int watch(struct host_socket *socket, int events)
{
    int failed =
        events == 0 ? uv_poll_stop(&socket->poll) : uv_poll_start(&socket->poll, events, on_event);
    socket->armed = failed == 0 ? events : 0;
    return -failed;
}

/* Has the loop watch for these events too. Returns 0 or an errno. */
static int watch_also(struct host_socket *socket, int events)
{
    if (!socket->poll_open) {
        int failed = uv_poll_init(socket->host->loop, &socket->poll, socket->fd);
        if (failed != 0)
            return -failed;
        socket->poll.data = socket;
        socket->poll_open = true;
    }
    return (socket->armed & events) == events ? 0 : watch(socket, socket->armed | events);
}

static bool is_late(const struct host_socket *socket)
{
    return socket->previous_late != NULL || socket->host->late.first == socket;
}

static void begin_late(struct host_socket *socket)
{
    struct socket_list *late = &socket->host->late;
    if (late->count++ == 0)
        late->looked = false;
    socket->watched_late = true;
    socket->previous_late = late->last;
    socket->next_late = NULL;
    if (late->last != NULL)
        late->last->next_late = socket;
    else
        late->first = socket;
    late->last = socket;
}

static void end_late(struct host_socket *socket)
{
    struct socket_list *late = &socket->host->late;
    if (!is_late(socket))
        return;
    late->count--;
    if (socket->previous_late != NULL)
        socket->previous_late->next_late = socket->next_late;
    else
        late->first = socket->next_late;
    if (socket->next_late != NULL)
        socket->next_late->previous_late = socket->previous_late;
    else
        late->last = socket->previous_late;
    socket->previous_late = socket->next_late = NULL;
}

/* Wakes those for whom poll(2) has found something; the loop watches for the others. */
static void settle(struct host_socket *socket, short found)
{
    short ended = POLLERR | POLLHUP | POLLNVAL;
    end_late(socket);
    if ((found & (POLLIN | ended)) != 0)
        wake_some(&socket->readers);
    if ((found & (POLLOUT | ended)) != 0)
        wake_some(&socket->writers);
    int events = (socket->readers.first != NULL ? UV_READABLE : 0) |
                 (socket->writers.first != NULL ? UV_WRITABLE : 0);
    if (events == 0)
        return;
    socket->watch_error = watch_also(socket, events);
    if (socket->watch_error != 0)
        poll_wake_all(socket); /* their next wait tells of it */
}

bool poll_can_read(const struct host_socket *socket)
{
    struct pollfd look = {.fd = socket->fd, .events = POLLIN};
    return poll(&look, 1, 0) != 0;
}

bool poll_settle(struct host *host)
{
    struct socket_list *late = &host->late;
    size_t count = late->count;
    if (count == 0)
        return false;
    if (!late->looked) {
        late->looked = true;
        uv_run(host->loop, UV_RUN_NOWAIT);
        return true;
    }
    struct pollfd *polls = calloc(count, sizeof *polls);
    size_t n = 0;
    for (struct host_socket *socket = late->first; polls != NULL && socket != NULL;
         socket = socket->next_late)
        polls[n++] = (struct pollfd){
            .fd = socket->fd,
            .events = (short)((socket->readers.first != NULL ? POLLIN : 0) |
                              (socket->writers.first != NULL ? POLLOUT : 0)),
        };
    bool asked = polls != NULL && poll(polls, (nfds_t)count, 0) >= 0;
    for (n = 0; n < count && late->first != NULL; n++)
        settle(late->first, asked ? polls[n].revents : 0);
    free(polls);
    return true;
}

int poll_wait(struct waiter *waiter, struct task *task, struct host_socket *socket, bool for_write)
{
    int error = socket->watch_error;
    socket->watch_error = 0;
    bool alone = socket->host->settings.alone && socket != socket->host->input;
    if (error == 0 && alone && !socket->watched_late)
        begin_late(socket);
    else if (error == 0 && !is_late(socket))
        error = watch_also(socket, for_write ? UV_WRITABLE : UV_READABLE);
    if (error != 0)
        return error;
    struct waiter_list *list = list_of(socket, for_write);
    waiter->task = task;
    waiter->socket = socket;
    waiter->for_write = for_write;
    waiter->next = NULL;
    waiter->previous = list->last;
    if (list->last != NULL)
        list->last->next = waiter;
    else
        list->first = waiter;
    list->last = waiter;
    return 0;
}

void poll_unwait(struct waiter *waiter)
{
    if (waiter->socket == NULL)
        return;
    struct waiter_list *list = list_of(waiter->socket, waiter->for_write);
    if (waiter->previous != NULL)
        waiter->previous->next = waiter->next;
    else
        list->first = waiter->next;
    if (waiter->next != NULL)
        waiter->next->previous = waiter->previous;
    else
        list->last = waiter->previous;
    waiter->socket = NULL;
}

void poll_wake_all(struct host_socket *socket)
{
    wake_list(&socket->readers);
    wake_list(&socket->writers);
}

static void on_forgotten(uv_handle_t *handle)
{
    struct host_socket *socket = handle->data;
    socket->host->closing--;
    socket->poll_open = false;
    socket_settle(socket);
}

void poll_forget(struct host_socket *socket)
{
    end_late(socket);
    if (!socket->poll_open || uv_is_closing((uv_handle_t *)&socket->poll))
        return;
    socket->armed = 0;
    socket->host->closing++;
    uv_close((uv_handle_t *)&socket->poll, on_forgotten);
}
