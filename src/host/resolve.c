/*
 * resolve.c - names to addresses, and the sleep.
 *
 * A lookup has memory of its own: a task that is canceled cannot wait for the resolver's thread.
 */
#include "host/internal.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_ADDRESSES = 16 };

struct lookup {
    uv_getaddrinfo_t request;
    struct host *host;
    struct task *task; /* NULL once abandoned */
    int status;
    struct address addresses[MOST_ADDRESSES];
    size_t count;
};

const struct address *task_addresses(const struct task *task)
{
    return task->addresses;
}

static enum need answer(struct task *task, const struct address *addresses, size_t count)
{
    if (task->addresses == NULL)
        task->addresses = malloc(MOST_ADDRESSES * sizeof *task->addresses);
    if (task->addresses == NULL)
        return call_fail(task, ENOMEM);
    for (size_t i = 0; i < count; i++) {
        task->addresses[i] = addresses[i];
        task->addresses[i].port = task->call.address.port;
    }
    task->address_count = count;
    return call_succeed(task, (int64_t)count);
}

static void on_answer(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    struct lookup *lookup = request->data;
    if (lookup->task == NULL) {
        uv_freeaddrinfo(found);
        free(lookup);
        return;
    }
    lookup->status = status;
    for (struct addrinfo *at = found; at != NULL && lookup->count < MOST_ADDRESSES;
         at = at->ai_next) {
        struct sockaddr_storage storage = {0};
        memcpy(&storage, at->ai_addr, at->ai_addrlen);
        lookup->addresses[lookup->count] = socket_address_in(&storage);
        if (lookup->addresses[lookup->count].family != 0)
            lookup->count++;
    }
    uv_freeaddrinfo(found);
    lookup->host->lookups--;
    task_wake(lookup->task);
}

void lookup_abandon(struct task *task)
{
    struct lookup *lookup = task->lookup;
    task->lookup = NULL;
    lookup->task = NULL;
    task->host->lookups--;
    uv_cancel((uv_req_t *)&lookup->request);
}

/* The C library's words for what libuv reports in numbers of its own. */
static const char *reason_of(int status)
{
    switch (status) {
    case UV_EAI_NONAME:
    case 0:
        return gai_strerror(EAI_NONAME);
    case UV_EAI_AGAIN:
        return gai_strerror(EAI_AGAIN);
    case UV_EAI_FAIL:
        return gai_strerror(EAI_FAIL);
    default:
        return uv_strerror(status);
    }
}

static enum need take_answer(struct task *task)
{
    struct lookup *lookup = task->lookup;
    task->lookup = NULL;
    enum need need = lookup->status == 0 && lookup->count > 0
                         ? answer(task, lookup->addresses, lookup->count)
                         : call_fail_because(task, EHOSTUNREACH, reason_of(lookup->status));
    free(lookup);
    return need;
}

static enum need ask(struct task *task)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct lookup *lookup = calloc(1, sizeof *lookup);
    if (lookup == NULL)
        return call_fail(task, ENOMEM);
    lookup->host = task->host;
    lookup->task = task;
    lookup->request.data = lookup;
    int failed = uv_getaddrinfo(task->host->loop, &lookup->request, on_answer, task->call.subject,
                                NULL, &hints);
    if (failed != 0) {
        free(lookup);
        return call_fail_because(task, EHOSTUNREACH, reason_of(failed));
    }
    task->lookup = lookup;
    task->host->lookups++;
    return NEED_WAKING;
}

static enum need attempt_resolve(struct task *task)
{
    static const struct address loopbacks[2] = {
        {.family = 4, .bytes = {127, 0, 0, 1}},
        {.family = 6, .bytes = {[15] = 1}},
    };
    const char *name = task->call.subject;
    const char *own_name = task->host->own_name;
    struct address literal;
    if (task->lookup != NULL)
        return take_answer(task);
    if (address_parse_host(name, &literal))
        return answer(task, &literal, 1);
    if (strcasecmp(name, "localhost") == 0)
        return answer(task, loopbacks, 2);
    if (own_name != NULL && strcasecmp(name, own_name) == 0)
        return answer(task, loopbacks, 1);
    return ask(task);
}

enum call_progress host_resolve(struct task *task, const char *name, uint16_t port)
{
    struct call *call = call_begin(task, "getaddrinfo", NULL, attempt_resolve);
    struct address literal;
    call->subject = name;
    call->address.port = port;
    task->address_count = 0;
    /* A literal is no name: nothing is looked up. */
    if (address_parse_host(name, &literal))
        call->recorded = false;
    if (call->recorded)
        text_quote(call_arguments(call), name, strlen(name));
    return call_start(task);
}

static enum need attempt_sleep(struct task *task)
{
    if (task->call.stage == 1)
        return call_succeed(task, 0);
    task->call.stage = 1;
    task_start_timer(task, task->call.timeout);
    return NEED_WAKING;
}

enum call_progress task_sleep(struct task *task, int64_t duration)
{
    struct call *call = call_begin(task, "sleep", NULL, attempt_sleep);
    call->recorded = false;
    call->timeout = duration;
    return call_start(task);
}
