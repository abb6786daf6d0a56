#include "fake_host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/tls.h"

#define TASKS   256
#define SOCKETS 256
#define FEEDS   256
#define FAILS   16

struct role {
    struct host *host;
    enum trace_role_kind kind;
    char name[64];
};

struct task {
    struct role *role;
    const struct task_behavior *behavior;
    void *data;
    bool ended;
    const char *script;
    uint32_t line;
    struct call_result result;
    struct address addresses[2];
};

struct host_socket {
    uint32_t number;
    int family;
    enum trace_transport transport;
    bool open, held, tls, greeted;
    int64_t timeout;
};

struct host {
    struct role roles[16];
    size_t role_count;
    struct task tasks[TASKS];
    size_t task_count;
    struct host_socket sockets[SOCKETS];
    size_t socket_count;
    const char *feeds[FEEDS];
    size_t feed_count, feed_at;
    struct {
        const char *call;
        int error;
    } fails[FAILS];
    size_t fail_count;
    bool waits, failed, stopped;
    struct buffer log, prints, failure;
    uint32_t failure_line;
    struct address ready;
    size_t inputs; /* lines that were asked for */
};

static struct host fake;

struct host *fake_open(void)
{
    memset(&fake, 0, sizeof fake);
    return &fake;
}

void fake_close(void)
{
    buffer_free(&fake.log);
    buffer_free(&fake.prints);
    buffer_free(&fake.failure);
}

void fake_waits(bool waits)
{
    fake.waits = waits;
}

void fake_fail(const char *call, int error)
{
    fake.fails[fake.fail_count].call = call;
    fake.fails[fake.fail_count++].error = error;
}

void fake_feed(const char *text)
{
    fake.feeds[fake.feed_count++] = text;
}

static void cancel_all(void)
{
    for (size_t i = 0; i < fake.task_count; i++) {
        struct task *task = &fake.tasks[i];
        if (!task->ended) {
            task->ended = true;
            task->behavior->cancel(task, task->data);
        }
    }
}

void fake_run(void)
{
    bool busy = true;
    for (int turns = 0; busy && turns < 100000; turns++) {
        busy = false;
        for (size_t i = 0; i < fake.task_count && !fake.failed; i++) {
            if (fake.tasks[i].ended)
                continue;
            busy = true;
            fake.tasks[i].behavior->step(&fake.tasks[i], fake.tasks[i].data);
        }
    }
    cancel_all();
}

const char *fake_log(void)
{
    return buffer_text(&fake.log);
}

const char *fake_prints(void)
{
    return buffer_text(&fake.prints);
}

const char *fake_failure(void)
{
    return buffer_text(&fake.failure);
}

bool fake_stopped(void)
{
    return fake.stopped;
}

uint32_t fake_failure_line(void)
{
    return fake.failure_line;
}

unsigned fake_held(void)
{
    unsigned count = 0;
    for (size_t i = 0; i < fake.socket_count; i++)
        count += fake.sockets[i].held;
    return count;
}

unsigned fake_open_sockets(void)
{
    unsigned count = 0;
    for (size_t i = 0; i < fake.socket_count; i++)
        count += fake.sockets[i].open;
    return count;
}

struct role *host_add_role(struct host *host, enum trace_role_kind kind, const char *name)
{
    struct role *role = &host->roles[host->role_count++];
    role->host = host;
    role->kind = kind;
    snprintf(role->name, sizeof role->name, "%s", name);
    return role;
}

const char *role_name(const struct role *role)
{
    return role->name;
}

struct task *task_add(struct role *role, const struct task_behavior *behavior, void *data)
{
    if (fake.task_count == TASKS)
        return NULL;
    struct task *task = &fake.tasks[fake.task_count++];
    *task = (struct task){.role = role, .behavior = behavior, .data = data};
    return task;
}

struct role *task_role(const struct task *task)
{
    return task->role;
}

void host_tidy_soon(struct host *host)
{
    (void)host;
}

struct host *task_host(const struct task *task)
{
    return task->role->host;
}

void task_set_site(struct task *task, const char *script, uint32_t line)
{
    task->script = script;
    task->line = line;
}

void task_end(struct task *task)
{
    task->ended = true;
}

void task_fail(struct task *task, const char *text, const char *script, uint32_t line)
{
    (void)script;
    task->ended = true;
    fake.failed = true;
    fake.failure_line = line;
    buffer_append_text(&fake.failure, text);
}

void task_stop(struct task *task, const char *text, const char *script, uint32_t line)
{
    fake.stopped = true;
    task_fail(task, text, script, line);
}

void task_print(struct task *task, const char *text, size_t length)
{
    buffer_printf(&fake.prints, "%s: ", task->role->name);
    buffer_append(&fake.prints, text, length);
    buffer_append_text(&fake.prints, "\n");
}

void host_ready(struct host *host, const struct address *address)
{
    if (host->ready.family == 0)
        host->ready = *address;
}

void host_will_be_at(struct host *host, const struct address *address)
{
    host_ready(host, address);
}

struct address host_ready_address(const struct host *host)
{
    return host->ready;
}

#include "fake_calls.c"
#include "fake_tls.c"
