#include "host/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Ten thousand sockets are more than the usual soft limit; the hard one is the user's to set. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* libuv aborts the process where it finds no descriptors for the pipes of its signals. */
static bool has_room_for_loop(void)
{
    int ends[6] = {-1, -1, -1, -1, -1, -1};
    bool has_room = true;
    for (int i = 0; i < 6 && has_room; i += 2)
        has_room = pipe2(ends + i, O_CLOEXEC) == 0;
    int error = errno;
    for (int i = 0; i < 6; i++)
        if (ends[i] >= 0)
            close(ends[i]);
    errno = error;
    return has_room;
}

struct host *host_open(const struct host_settings *settings, struct error *error)
{
    struct host *host = calloc(1, sizeof *host);
    if (host == NULL) {
        error_out_of_memory(error);
        return NULL;
    }
    raise_descriptor_limit();
    host->settings = *settings;
    host->recorder = settings->recorder;
    host->quiet_left = 300;
    host->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (settings->own_name != NULL) {
        host->own_name = strdup(settings->own_name);
        if (host->own_name == NULL) {
            error_out_of_memory(error);
            host_close(host);
            return NULL;
        }
    }
    return host;
}

bool host_open_loop(struct host *host, struct error *error)
{
    if (host->loop != NULL)
        return true;
    uv_loop_t *loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return error_out_of_memory(error);
    int failed = has_room_for_loop() ? uv_loop_init(loop) : -errno;
    if (failed != 0) {
        free(loop);
        return error_set(error, STATUS_NOT_ALLOWED, "cannot open an event loop: %s",
                         uv_strerror(failed));
    }
    host->loop = loop;
    return true;
}

bool host_recording(const struct host *host)
{
    return host->recorder != NULL;
}

void host_tell(struct host *host, const struct trace_event *event)
{
    recorder_add(host->recorder, event);
}

void host_tell_role(struct role *role)
{
    if (!host_recording(role->host))
        return;
    struct trace_event event = {.kind = TRACE_ROLE, .time = clock_now()};
    event.role.role = role->number;
    event.role.kind = role->kind;
    event.role.name = trace_text_of(role->name);
    host_tell(role->host, &event);
}

struct role *host_add_role(struct host *host, enum trace_role_kind kind, const char *name)
{
    struct role *role = calloc(1, sizeof *role);
    char *copy = strdup(name);
    if (role == NULL || copy == NULL) {
        free(role);
        free(copy);
        return NULL;
    }
    role->host = host;
    role->kind = kind;
    role->name = copy;
    role->number = ++host->roles;
    if (host->last_role != NULL)
        host->last_role->next = role;
    else
        host->first_role = role;
    host->last_role = role;
    if (kind == TRACE_ROLE_CLIENT)
        host->clients++;
    /* Before the run the trace has not begun; host_run tells of those who are there by then. */
    if (host->running)
        host_tell_role(role);
    return role;
}

const char *role_name(const struct role *role)
{
    return role->name;
}

enum trace_role_kind role_kind(const struct role *role)
{
    return role->kind;
}

void host_listen(struct host *host, host_listener *listener, void *data)
{
    host->listener = listener;
    host->listener_data = data;
}

void host_listen_prompts(struct host *host, host_prompter *prompter, void *data)
{
    host->prompter = prompter;
    host->prompter_data = data;
}

void host_note(struct host *host, struct role *role, enum trace_note_kind kind, const char *text,
               size_t length, const char *script, uint32_t line)
{
    if (host_recording(host)) {
        struct trace_event event = {.kind = TRACE_NOTE, .time = clock_now()};
        event.note.kind = kind;
        event.note.role = role == NULL ? 0 : role->number;
        event.note.text = (struct trace_text){text, length};
        event.note.script = script == NULL ? (struct trace_text){NULL, 0} : trace_text_of(script);
        event.note.line = line;
        host_tell(host, &event);
    }
    if (host->listener != NULL)
        host->listener(host->listener_data, role, kind, text, length);
}

void host_remark(struct host *host, const char *text, size_t length)
{
    host_note(host, NULL, TRACE_NOTE_USER, text, length, NULL, 0);
}

void host_visit_states(const struct host *host, host_state_visitor *visitor, void *data)
{
    for (struct role *role = host->first_role; role != NULL; role = role->next) {
        for (struct host_socket *socket = role->first_socket; socket != NULL;
             socket = socket->next) {
            struct socket_info info;
            if (socket->fd >= 0 && socket->has_state && socket_info(socket, &info))
                visitor(data, role, &socket->local, &socket->remote, (enum tcp_state)info.state);
        }
    }
}

void task_print(struct task *task, const char *text, size_t length)
{
    host_note(task->host, task->role, TRACE_NOTE_PRINT, text, length, task->script, task->line);
}

void host_will_be_at(struct host *host, const struct address *address)
{
    if (host->ready_address.family == 0)
        host->ready_address = *address;
}

void host_ready(struct host *host, const struct address *address)
{
    host_will_be_at(host, address);
    clients_begin(host);
}

struct address host_ready_address(const struct host *host)
{
    return host->ready_address;
}

void host_interrupt(struct host *host)
{
    exchange_end(host, host->settings.serving ? TRACE_DONE : TRACE_INTERRUPTED, NULL);
}

void host_tidy_soon(struct host *host)
{
    host->untidy = true;
}

static void free_role(struct role *role)
{
    socket_free_all(role);
    free(role->name);
    free(role);
}

void host_close(struct host *host)
{
    if (host == NULL)
        return;
    /* Nothing more is recorded: the trace has ended with the run. */
    host->recorder = NULL;
    host->ending = true;
    for (struct role *role = host->first_role; role != NULL; role = role->next) {
        while (role->first != NULL)
            task_cancel(role->first);
        socket_close_all(role);
    }
    input_close(host);
    if (host->loop != NULL) {
        do
            uv_run(host->loop, UV_RUN_NOWAIT);
        while (host->closing > 0);
    }
    input_free(host);
    while (host->first_role != NULL) {
        struct role *role = host->first_role;
        host->first_role = role->next;
        free_role(role);
    }
    /* A lookup that hangs in the resolver keeps its thread, and the loop must outlive that. */
    if (host->loop != NULL && uv_loop_close(host->loop) == 0)
        free(host->loop);
    if (host->spare >= 0)
        close(host->spare);
    free(host->ready.tasks);
    free(host->turn.tasks);
    free(host->own_name);
    free(host->failure);
    buffer_free(&host->text);
    free(host->room);
    free(host->ahead);
    free(host);
}
