/*
 * poll.c - waiting until a socket can be read or written.
 *
 * The loop is asked to watch a socket at the first wait, and goes on watching while tasks keep
 * coming back: each change costs epoll_ctl calls. Only when an event finds nobody waiting is that
 * side no longer watched. Events are level-triggered, so none is lost by looking away.
 */
#include "host/internal.h"

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
}

static int watch(struct host_socket *socket, int events)
{
    int failed =
        events == 0 ? uv_poll_stop(&socket->poll) : uv_poll_start(&socket->poll, events, on_event);
    socket->armed = failed == 0 ? events : 0;
    return -failed;
}

int poll_wait(struct waiter *waiter, struct task *task, struct host_socket *socket, bool for_write)
{
    if (!socket->poll_open) {
        int failed = uv_poll_init(socket->host->loop, &socket->poll, socket->fd);
        if (failed != 0)
            return -failed;
        socket->poll.data = socket;
        socket->poll_open = true;
    }
    int events = for_write ? UV_WRITABLE : UV_READABLE;
    if ((socket->armed & events) == 0) {
        int error = watch(socket, socket->armed | events);
        if (error != 0)
            return error;
    }
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
    if (!socket->poll_open || uv_is_closing((uv_handle_t *)&socket->poll))
        return;
    socket->armed = 0;
    socket->host->closing++;
    uv_close((uv_handle_t *)&socket->poll, on_forgotten);
}
