#include "host/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Each live task may stand in each queue once, so queueing itself never fails. */
static bool reserve(struct task_queue *queue, size_t count)
{
    if (count <= queue->capacity)
        return true;
    size_t capacity = queue->capacity == 0 ? 16 : queue->capacity * 2;
    struct task **tasks = realloc(queue->tasks, capacity * sizeof *tasks);
    if (tasks == NULL)
        return false;
    queue->tasks = tasks;
    queue->capacity = capacity;
    return true;
}

void task_make_ready(struct task *task)
{
    struct task_queue *queue = &task->host->ready;
    task->phase = TASK_READY;
    if (queue->count > 0 && queue->tasks[queue->count - 1]->number > task->number)
        queue->unsorted = true;
    queue->tasks[queue->count++] = task;
}

struct task *task_add(struct role *role, const struct task_behavior *behavior, void *data)
{
    struct host *host = role->host;
    if (!reserve(&host->ready, host->tasks_live + 1) || !reserve(&host->turn, host->tasks_live + 1))
        return NULL;
    struct task *task = calloc(1, sizeof *task);
    if (task == NULL)
        return NULL;
    task->host = host;
    task->role = role;
    task->behavior = *behavior;
    task->data = data;
    task->number = ++host->tasks;
    task->previous = role->last;
    if (role->last != NULL)
        role->last->next = task;
    else
        role->first = task;
    role->last = task;
    host->tasks_live++;
    if (host->tasks_live > host->most_tasks)
        host->most_tasks = host->tasks_live;
    if (role->tasks_live++ == 0 && role->kind == TRACE_ROLE_CLIENT)
        host->clients_live++;
    if (role->kind == TRACE_ROLE_SERVER) {
        host->server_tasks++;
        host->servers_starting++;
    }
    if (role->kind == TRACE_ROLE_CLIENT && !host->clients_begun)
        task->phase = TASK_HELD;
    else
        task_make_ready(task);
    return task;
}

static void tell_reachable(const struct host *host, const struct reachable *reachable)
{
    const struct host_settings *settings = &host->settings;
    if (settings->reachable != NULL)
        settings->reachable(settings->data, &reachable->address, reachable->transport);
}

void server_is_reachable(const struct host_socket *socket)
{
    struct host *host = socket->host;
    struct reachable reachable = {socket->local, socket->transport};
    size_t room = sizeof host->reachable / sizeof host->reachable[0];
    if (socket->role->kind != TRACE_ROLE_SERVER)
        return;
    if (!host->clients_begun && host->reachables < room)
        host->reachable[host->reachables++] = reachable;
    else
        tell_reachable(host, &reachable);
}

void clients_begin(struct host *host)
{
    if (host->clients_begun)
        return;
    host->clients_begun = true;
    for (size_t i = 0; i < host->reachables; i++)
        tell_reachable(host, &host->reachable[i]);
    for (struct role *role = host->first_role; role != NULL; role = role->next)
        for (struct task *task = role->first; task != NULL; task = task->next)
            if (task->phase == TASK_HELD)
                task_make_ready(task);
}

/* A server task has come as far as clients need it to. */
static void has_started(struct task *task)
{
    struct host *host = task->host;
    if (task->has_waited || task->role->kind != TRACE_ROLE_SERVER)
        return;
    task->has_waited = true;
    if (--host->servers_starting == 0 && host->running && !host->ending)
        clients_begin(host);
}

struct role *task_role(const struct task *task)
{
    return task->role;
}

struct host *task_host(const struct task *task)
{
    return task->host;
}

const struct call_result *task_result(const struct task *task)
{
    return &task->result;
}

void task_set_site(struct task *task, const char *script, uint32_t line)
{
    task->script = script;
    task->line = line;
}

/* Takes a parked task out of everything that could wake it. */
static void unpark(struct task *task)
{
    if (task->call.waits_for_new && task->role->kind == TRACE_ROLE_SERVER)
        task->host->servers_waiting_new--;
    task->host->inputs -= task->call.waits_for_input;
    poll_unwait(&task->waiter);
    for (size_t i = 0; i < task->waiters_used; i++)
        poll_unwait(&task->waiters[i]);
    task->waiters_used = 0;
}

static void unqueue(struct task_queue *queue, const struct task *task)
{
    size_t kept = 0;
    for (size_t i = 0; i < queue->count; i++)
        if (queue->tasks[i] != task)
            queue->tasks[kept++] = queue->tasks[i];
    queue->count = kept;
}

/* A task usually ends while it runs, but nothing keeps a step from ending it after a wait began. */
static void set_ended(struct task *task)
{
    if (task->phase == TASK_PARKED)
        unpark(task);
    else if (task->phase == TASK_READY)
        unqueue(&task->host->ready, task);
    task->phase = TASK_ENDED;
}

void task_end(struct task *task)
{
    set_ended(task);
}

static void end_badly(struct task *task, enum trace_outcome outcome, const char *text,
                      const char *script, uint32_t line)
{
    struct host *host = task->host;
    set_ended(task);
    /* The end of the exchange kept it from a call that cannot wait for the end. */
    if (host->ending && task->result.error == ECANCELED)
        return;
    host_note(host, task->role, TRACE_NOTE_ERROR, text, strlen(text), script, line);
    if (!host->ending) {
        free(host->failure);
        host->failure = strdup(text);
    }
    exchange_end(host, outcome, task->role);
}

void task_fail(struct task *task, const char *text, const char *script, uint32_t line)
{
    end_badly(task, TRACE_ROLE_FAILED, text, script, line);
}

void task_stop(struct task *task, const char *text, const char *script, uint32_t line)
{
    end_badly(task, TRACE_STOPPED, text, script, line);
}

void task_park(struct task *task)
{
    struct host *host = task->host;
    task->phase = TASK_PARKED;
    if (task->call.waits_for_new && task->role->kind == TRACE_ROLE_SERVER)
        host->servers_waiting_new++;
    host->inputs += task->call.waits_for_input;
    if (task->call.uses_network)
        has_started(task);
}

void task_wake(struct task *task)
{
    if (task->phase != TASK_PARKED)
        return;
    unpark(task);
    task_make_ready(task);
}

void task_run(struct task *task)
{
    if (task->call.attempt != NULL && !call_resume(task))
        return;
    task->host->steps++;
    task->streak = 0;
    task->moved = 0;
    task->phase = TASK_RUNNING;
    task->behavior.step(task, task->data);
    if (task->phase == TASK_ENDED)
        task_forget(task);
    else if (task->phase == TASK_RUNNING) /* it neither waits nor has it ended: its turn again */
        task_make_ready(task);
}

static void on_timer(uv_timer_t *timer)
{
    struct task *task = timer->data;
    task->timed = false;
    task->host->timed--;
    /* If an event of the same turn was faster, the wait has not failed. */
    task->expired = task->phase == TASK_PARKED;
    task_wake(task);
}

void task_start_timer(struct task *task, int64_t duration)
{
    struct host *host = task->host;
    if (!task->timer_open) {
        uv_timer_init(host->loop, &task->timer);
        task->timer.data = task;
        task->timer_open = true;
    }
    /* Never early: the loop's clock counts whole milliseconds, and has cut off up to one. */
    uint64_t milliseconds = 0;
    if (duration > 0)
        milliseconds = ((uint64_t)duration + NANOSECONDS_PER_MILLISECOND - 1) /
                           (uint64_t)NANOSECONDS_PER_MILLISECOND +
                       1;
    uv_update_time(host->loop);
    uv_timer_start(&task->timer, on_timer, milliseconds, 0);
    task->timed = true;
    task->expired = false;
    host->timed++;
}

void task_stop_timer(struct task *task)
{
    if (!task->timed)
        return;
    uv_timer_stop(&task->timer);
    task->timed = false;
    task->host->timed--;
}

void task_keep_timer(struct task *task)
{
    if (task->timed)
        task->timer_left = uv_timer_get_due_in(&task->timer);
}

void task_resume_timer(struct task *task)
{
    if (task->timed)
        uv_timer_start(&task->timer, on_timer, task->timer_left, 0);
}

static void free_task(struct task *task)
{
    free(task->kept);
    free(task->waiters);
    free(task->polls);
    free(task->addresses);
    free(task);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct task *task = handle->data;
    task->host->closing--;
    free_task(task);
}

void task_forget(struct task *task)
{
    struct host *host = task->host;
    struct role *role = task->role;
    if (task->call.attempt != NULL)
        call_cancel(task);
    task->phase = TASK_ENDED;
    if (task->previous != NULL)
        task->previous->next = task->next;
    else
        role->first = task->next;
    if (task->next != NULL)
        task->next->previous = task->previous;
    else
        role->last = task->previous;
    host->tasks_live--;
    role->tasks_live--;
    if (role->tasks_live == 0 && role->kind == TRACE_ROLE_CLIENT)
        host->clients_live--;
    if (role->tasks_live == 0 && !host->ending)
        socket_close_all(role);
    if (role->kind == TRACE_ROLE_SERVER) {
        has_started(task);
        host->server_tasks--;
    }
    if (task->timer_open) {
        task_stop_timer(task);
        host->closing++;
        uv_close((uv_handle_t *)&task->timer, on_timer_closed);
    } else {
        free_task(task);
    }
}

void task_cancel(struct task *task)
{
    if (task->phase == TASK_PARKED)
        unpark(task);
    if (task->call.attempt != NULL)
        call_cancel(task);
    task->phase = TASK_ENDED;
    if (task->behavior.cancel != NULL)
        task->behavior.cancel(task, task->data);
    task_forget(task);
}
