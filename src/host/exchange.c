/*
 * exchange.c - the run.
 *
 * A turn steps every task that is ready, in order of creation; what those steps make ready has its
 * turn next. Only where a thousand clients connect in one turn, servers accept in between, for
 * their queues would overflow and the kernel send the SYNs again a second later. When all are
 * parked the loop waits for events. Three things are watched for there:
 *
 *   the regular end  no client is left, and each server task waits for someone new. What is still
 *                    on its way could wake one, so the wire must be quiet first.
 *   a deadlock       nothing has happened for three ticks of 100 ms and one more, no timer or
 *                    lookup can make anything happen, and the wire is quiet. A zero window makes
 *                    the kernel probe for ever, so after eight ticks it is enough that no segment
 *                    of the sockets here is unacknowledged.
 *   an end           by time-out, signal, or a role's failure: exchange_end, seen after the step.
 *
 * At any end the tasks are canceled, the sockets closed, and the wire is given time for the last
 * acknowledgements before the trace ends.
 */
#include "host/internal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum {
    FEW_TASKS = 64,   /* hold so little memory that none need be given back */
    MOST_TURNS = 100, /* without a look at signals and timers */
    LONG_TURN = 64,   /* tasks; well below the usual backlog */
    TICK = 100,       /* ms */
    IDLE_TICKS = 2,
    STUCK_TICKS = 8,
    FLUSH_INTERVAL = 50, /* ms */
    MOST_FLUSHES_PUT_OFF = 20,
    TELL_INTERVAL = 200,    /* ms */
    QUIET_INTERVAL = 2,     /* ms */
    QUIET_BEFORE_END = 200, /* of the 300 ms, what must be left for the closing */
};

void exchange_end(struct host *host, enum trace_outcome outcome, struct role *culprit)
{
    if (host->ending)
        return;
    host->ending = true;
    host->outcome = outcome;
    host->culprit = culprit;
}

static bool is_quiet(const struct host *host)
{
    return host->settings.is_quiet == NULL || host->settings.is_quiet();
}

static void start_deadline(struct host *host);

static void on_deadline(uv_timer_t *timer)
{
    struct host *host = timer->data;
    if (host->settings.patient && host->inputs > 0)
        start_deadline(host); /* a person may think */
    else
        exchange_end(host, TRACE_TIMED_OUT, NULL);
}

static void start_deadline(struct host *host)
{
    uint64_t milliseconds = (uint64_t)(host->settings.timeout / NANOSECONDS_PER_MILLISECOND);
    uv_timer_start(&host->deadline, on_deadline, milliseconds, 0);
}

static void each_task(struct host *host, void (*visit)(struct task *task))
{
    for (struct role *role = host->first_role; role != NULL; role = role->next)
        for (struct task *task = role->first; task != NULL; task = task->next)
            visit(task);
}

void exchange_halt(struct host *host)
{
    uv_update_time(host->loop);
    each_task(host, task_keep_timer);
    host->deadline_left = uv_timer_get_due_in(&host->deadline);
}

void exchange_resume(struct host *host)
{
    uv_update_time(host->loop);
    each_task(host, task_resume_timer);
    if (uv_is_active((uv_handle_t *)&host->deadline))
        uv_timer_start(&host->deadline, on_deadline, host->deadline_left, 0);
    /* Nothing has happened for a while, but nothing could. */
    host->idle_ticks = 0;
    host->was_stuck = false;
}

/* Each signal is heard once: the second of its kind ends the process, as it would without us. So
 * nobody is kept waiting by a script that does not come to an end, or a view that takes long. */
static void on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    host_interrupt(signal->data);
}

static bool all_sockets_still(const struct host *host)
{
    for (struct role *role = host->first_role; role != NULL; role = role->next)
        for (struct host_socket *socket = role->first_socket; socket != NULL; socket = socket->next)
            if (!socket_is_still(socket))
                return false;
    return true;
}

static void on_tick(uv_timer_t *timer)
{
    struct host *host = timer->data;
    bool idle = host->steps == host->steps_at_tick && host->ready.count == 0 &&
                host->tasks_live > 0 && host->timed == 0 && host->lookups == 0 && host->inputs == 0;
    host->steps_at_tick = host->steps;
    host->idle_ticks = idle ? host->idle_ticks + 1 : 0;
    bool stuck = host->idle_ticks >= IDLE_TICKS &&
                 (is_quiet(host) || (host->idle_ticks >= STUCK_TICKS && all_sockets_still(host)));
    /* Timers run before the loop polls, so what has just come may not have been heard of yet. It
     * must look stuck at two ticks on end: there is a poll between them. */
    if (stuck && host->was_stuck)
        exchange_end(host, TRACE_DEADLOCK, NULL);
    host->was_stuck = stuck;
}

static void flush(struct host *host)
{
    struct error error;
    host->flushes_put_off = 0;
    if (recorder_flush(host->recorder, &error) || host->flush_failed)
        return;
    host->flush_failed = true;
    host->flush_error = error;
    if (host->listener != NULL)
        host->listener(host->listener_data, NULL, TRACE_NOTE_HOST, error.text, strlen(error.text));
}

/*
 * While hands are being shaken, the packets that end it, and those that come behind them, may have
 * been captured before the call has read them and told the secrets that belong in front of them.
 */
static void on_flush(uv_timer_t *timer)
{
    struct host *host = timer->data;
    if (host->handshakes > 0 && host->flushes_put_off < MOST_FLUSHES_PUT_OFF)
        host->flushes_put_off++;
    else
        flush(host);
}

static void on_tell(uv_timer_t *timer)
{
    struct host *host = timer->data;
    host->settings.tick(host->settings.data);
}

static void on_quiet_timer(uv_timer_t *timer)
{
    struct host *host = timer->data;
    host->quiet_left -= QUIET_INTERVAL;
}

/*
 * Runs the loop until the wire is quiet, or no more than at_least ms are left for that. With
 * stop_for_tasks it returns false as soon as a task can go on.
 */
static bool wait_until_quiet(struct host *host, int at_least, bool stop_for_tasks)
{
    bool stopped = false;
    if (host->quiet_left <= at_least || is_quiet(host))
        return true;
    uv_update_time(host->loop);
    uv_timer_start(&host->quiet, on_quiet_timer, QUIET_INTERVAL, QUIET_INTERVAL);
    do {
        uv_run(host->loop, UV_RUN_ONCE);
        stopped = stop_for_tasks && (host->ready.count > 0 || host->ending);
    } while (!stopped && host->quiet_left > at_least && !is_quiet(host));
    uv_timer_stop(&host->quiet);
    return !stopped;
}

static void open_timer(struct host *host, uv_timer_t *timer)
{
    uv_timer_init(host->loop, timer);
    timer->data = host;
}

static void open_signal(struct host *host, uv_signal_t *handle, int number)
{
    struct sigaction now;
    uv_signal_init(host->loop, handle);
    handle->data = host;
    /* Under nohup a hang-up is not meant for us. */
    if (number == SIGHUP && sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN)
        return;
    uv_signal_start_oneshot(handle, on_signal, number);
}

static void open_handles(struct host *host)
{
    uv_update_time(host->loop);
    open_timer(host, &host->deadline);
    open_timer(host, &host->ticker);
    open_timer(host, &host->flusher);
    open_timer(host, &host->teller);
    open_timer(host, &host->quiet);
    open_signal(host, &host->interrupt, SIGINT);
    open_signal(host, &host->terminate, SIGTERM);
    open_signal(host, &host->hang_up, SIGHUP);
    if (host->settings.timeout > 0)
        start_deadline(host);
    if (host->settings.alone)
        uv_timer_start(&host->ticker, on_tick, TICK, TICK);
    if (host->recorder != NULL)
        uv_timer_start(&host->flusher, on_flush, FLUSH_INTERVAL, FLUSH_INTERVAL);
    if (host->settings.tick != NULL)
        uv_timer_start(&host->teller, on_tell, TELL_INTERVAL, TELL_INTERVAL);
}

static void on_closed(uv_handle_t *handle)
{
    struct host *host = handle->data;
    host->closing--;
}

static void close_handles(struct host *host)
{
    uv_handle_t *handles[] = {
        (uv_handle_t *)&host->deadline,  (uv_handle_t *)&host->ticker,
        (uv_handle_t *)&host->flusher,   (uv_handle_t *)&host->quiet,
        (uv_handle_t *)&host->teller,    (uv_handle_t *)&host->interrupt,
        (uv_handle_t *)&host->terminate, (uv_handle_t *)&host->hang_up,
    };
    for (size_t i = 0; i < sizeof handles / sizeof handles[0]; i++) {
        host->closing++;
        uv_close(handles[i], on_closed);
    }
}

static int compare_tasks(const void *a, const void *b)
{
    uint64_t first = (*(struct task *const *)a)->number;
    uint64_t second = (*(struct task *const *)b)->number;
    return (first > second) - (first < second);
}

/* Servers that wait for someone new and whom somebody has reached have their turn now. */
static void serve_new(struct host *host)
{
    struct task *next;
    if (host->servers_waiting_new == 0)
        return;
    for (struct role *role = host->first_role; role != NULL; role = role->next)
        for (struct task *task = role->first; task != NULL && !host->ending; task = next) {
            next = task->next;
            if (role->kind != TRACE_ROLE_SERVER || task->phase != TASK_PARKED ||
                !task->call.waits_for_new || task->call.socket == NULL ||
                !poll_can_read(task->call.socket))
                continue;
            task_wake(task);
            host->ready.count--; /* it came last */
            task_run(task);
        }
}

static void receive_ahead(struct host *host, size_t from)
{
    size_t left = host->turn.count - from;
    tasks_receive_ahead(host, host->turn.tasks + from, left < LONG_TURN ? left : LONG_TURN);
}

static void run_turn(struct host *host)
{
    struct task_queue turn = host->ready;
    host->ready = host->turn;
    host->turn = turn;
    host->ready.count = 0;
    host->ready.unsorted = false;
    /* Real clients come in the network's order anyway. */
    if (turn.unsorted && !host->settings.serving)
        qsort(turn.tasks, turn.count, sizeof turn.tasks[0], compare_tasks);
    /* A step may add tasks and so move the queue: it is looked at anew each time. */
    for (size_t i = 0; i < host->turn.count && !host->ending; i++) {
        if (i > 0 && i % LONG_TURN == 0)
            serve_new(host);
        if (i % LONG_TURN == 0)
            receive_ahead(host, i);
        task_run(host->turn.tasks[i]);
    }
}

/* While the loop is told of a thousand events at a time it goes on asking (epoll_wait(2), 48
 * times), and is told again of sockets whose tasks have not had their turn. So they have it at
 * once. Not where all is recorded: timers then come late, and one flushes what was. */
void exchange_serve_crowd(struct host *host)
{
    bool crowd = host->settings.serving && host->ready.count >= LONG_TURN;
    if (crowd && !host_recording(host) && !host->ending)
        run_turn(host);
}

static bool only_servers_wait(const struct host *host)
{
    return !host->settings.serving && host->clients > 0 && host->clients_live == 0 &&
           host->server_tasks > 0 && host->servers_waiting_new == host->server_tasks;
}

/* Memory is given back when three of four tasks have ended, and the loop has let go of what they
 * held. So the work for that is a small part of theirs. */
static void give_memory_back(struct host *host)
{
    bool many_ended = host->most_tasks >= FEW_TASKS && host->tasks_live <= host->most_tasks / 4;
    if (host->closing > 0 || (!many_ended && !host->untidy))
        return;
    host->untidy = false;
    host->most_tasks = host->tasks_live;
    if (host->settings.tidy != NULL)
        host->settings.tidy(host->settings.data);
}

static void run_until_end(struct host *host)
{
    unsigned turns = 0; /* since the loop was last looked at */
    while (!host->ending) {
        if (host->ready.count > 0) {
            run_turn(host);
            if (host->ready.count > 0 && !host->yielded && ++turns < MOST_TURNS)
                continue;
        }
        turns = 0;
        if (host->ending)
            break;
        if (host->tasks_live == 0) {
            exchange_end(host, TRACE_DONE, NULL);
            break;
        }
        give_memory_back(host);
        host->yielded = false;
        if (poll_settle(host))
            continue;
        bool wait = host->ready.count == 0 && !only_servers_wait(host);
        uv_run(host->loop, wait ? UV_RUN_ONCE : UV_RUN_NOWAIT);
        if (host->ready.count == 0 && only_servers_wait(host) &&
            wait_until_quiet(host, QUIET_BEFORE_END, true)) {
            /* What came while it grew quiet is heard of by one more poll. */
            uv_run(host->loop, UV_RUN_NOWAIT);
            if (host->ready.count == 0 && only_servers_wait(host))
                exchange_end(host, TRACE_DONE, NULL);
        }
    }
}

static void tell_end(struct host *host, const struct error *error)
{
    if (!host_recording(host))
        return;
    struct trace_event event = {.kind = TRACE_END, .time = clock_now()};
    event.end.outcome = host->outcome;
    event.end.text = trace_text_of(error->text);
    /* A failure's traceback stands in its note. */
    if (host->failure != NULL)
        event.end.text.length = strcspn(error->text, "\n");
    host_tell(host, &event);
}

/* Everybody goes, as in a process that is told to exit. */
static void clear_away(struct host *host)
{
    for (struct role *role = host->first_role; role != NULL; role = role->next)
        while (role->first != NULL)
            task_cancel(role->first);
    for (struct role *role = host->first_role; role != NULL; role = role->next)
        socket_close_all(role);
    host->ready.count = host->turn.count = 0;
    wait_until_quiet(host, 0, false);
}

bool host_run(struct host *host, enum trace_outcome *outcome, struct error *error)
{
    struct error own = {0};
    if (!host_open_loop(host, error))
        return false;
    for (struct role *role = host->first_role; role != NULL; role = role->next)
        host_tell_role(role);
    host->running = true;
    open_handles(host);
    if (host->servers_starting == 0)
        clients_begin(host);
    run_until_end(host);
    outcome_describe(host, &own);
    clear_away(host);
    if (host->settings.finish != NULL)
        host->settings.finish(host->settings.data);
    tell_end(host, &own);
    if (host->recorder != NULL)
        flush(host);
    close_handles(host);
    host->running = false;
    *outcome = host->outcome;
    bool done = host->outcome == TRACE_DONE;
    if (done && host->flush_failed) {
        own = host->flush_error;
        done = false;
    }
    if (!done && error != NULL)
        *error = own;
    return done;
}
