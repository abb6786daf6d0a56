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

struct address host_ready_address(const struct host *host)
{
    return host->ready;
}

const struct call_result *task_result(const struct task *task)
{
    return &task->result;
}

static int take_failure(const char *call)
{
    for (size_t i = 0; i < fake.fail_count; i++) {
        if (fake.fails[i].call != NULL && strcmp(fake.fails[i].call, call) == 0) {
            fake.fails[i].call = NULL;
            return fake.fails[i].error;
        }
    }
    return 0;
}

/* Notes the call and prepares its result. can_wait: whether fake_waits concerns it. */
static enum call_progress call(struct task *task, const char *name, const char *arguments,
                               bool can_wait)
{
    int error = take_failure(name);
    buffer_printf(&fake.log, "%s %s%s%s @%s:%u\n", task->role->name, name,
                  arguments[0] != '\0' ? " " : "", arguments, task->script, task->line);
    task->result = (struct call_result){.call = name, .error = error};
    if (error != 0)
        snprintf(task->result.message, sizeof task->result.message, "%s %s: %s (%s)", name,
                 arguments, strerror(error), error_code_name(error));
    return can_wait && fake.waits ? CALL_WAITING : CALL_DONE;
}

static const char *text_of(const struct address *address)
{
    static char text[ADDRESS_TEXT];
    return address_format(address, text);
}

static struct host_socket *new_socket(int family, enum trace_transport transport)
{
    if (fake.socket_count == SOCKETS)
        abort();
    struct host_socket *socket = &fake.sockets[fake.socket_count++];
    *socket = (struct host_socket){.number = (uint32_t)fake.socket_count,
                                   .family = family,
                                   .transport = transport,
                                   .open = true,
                                   .held = true,
                                   .timeout = -1};
    return socket;
}

enum call_progress socket_open(struct task *task, int family, enum trace_transport transport)
{
    enum call_progress progress =
        call(task, "socket", transport == TRACE_TCP ? "tcp" : "udp", false);
    if (task->result.error == 0)
        task->result.socket = new_socket(family, transport);
    return progress;
}

enum call_progress socket_bind(struct task *task, struct host_socket *socket,
                               const struct address *address)
{
    (void)socket;
    return call(task, "bind", text_of(address), false);
}

enum call_progress socket_listen(struct task *task, struct host_socket *socket, int backlog)
{
    char text[16];
    (void)socket;
    snprintf(text, sizeof text, "%d", backlog);
    return call(task, "listen", text, false);
}

enum call_progress socket_accept(struct task *task, struct host_socket *socket)
{
    (void)socket;
    enum call_progress progress = call(task, "accept", "", true);
    task->result.address = (struct address){.family = 4, .port = 40000, .bytes = {127, 0, 0, 1}};
    if (task->result.error == 0)
        task->result.socket = new_socket(4, TRACE_TCP);
    return progress;
}

enum call_progress socket_connect(struct task *task, struct host_socket *socket,
                                  const struct address *address)
{
    (void)socket;
    return call(task, "connect", text_of(address), true);
}

static enum call_progress send_call(struct task *task, const char *name, const void *bytes,
                                    size_t length)
{
    char text[64];
    snprintf(text, sizeof text, "\"%.*s\"", (int)length, (const char *)bytes);
    enum call_progress progress = call(task, name, text, true);
    task->result.value = (int64_t)length;
    return progress;
}

enum call_progress socket_send(struct task *task, struct host_socket *socket, const void *bytes,
                               size_t length)
{
    (void)socket;
    return send_call(task, "send", bytes, length);
}

enum call_progress socket_sendall(struct task *task, struct host_socket *socket, const void *bytes,
                                  size_t length)
{
    (void)socket;
    return send_call(task, "sendall", bytes, length);
}

enum call_progress socket_sendto(struct task *task, struct host_socket *socket, const void *bytes,
                                 size_t length, const struct address *address)
{
    char text[160];
    (void)socket;
    snprintf(text, sizeof text, "\"%.*s\" %s", (int)length, (const char *)bytes, text_of(address));
    enum call_progress progress = call(task, "sendto", text, true);
    task->result.value = (int64_t)length;
    return progress;
}

static void feed(struct call_result *result)
{
    if (fake.feed_at == fake.feed_count) {
        result->end_of_stream = true;
        return;
    }
    result->bytes = (const uint8_t *)fake.feeds[fake.feed_at++];
    result->length = strlen((const char *)result->bytes);
    result->datagram_length = result->length;
}

enum call_progress socket_recv(struct task *task, struct host_socket *socket, size_t limit)
{
    char text[24];
    (void)socket;
    snprintf(text, sizeof text, "%zu", limit);
    enum call_progress progress = call(task, "recv", text, true);
    if (task->result.error == 0)
        feed(&task->result);
    return progress;
}

enum call_progress socket_recvfrom(struct task *task, struct host_socket *socket, size_t limit)
{
    enum call_progress progress = socket_recv(task, socket, limit);
    task->result.call = "recvfrom";
    task->result.address = (struct address){.family = 4, .port = 40000, .bytes = {127, 0, 0, 1}};
    return progress;
}

enum call_progress socket_shutdown(struct task *task, struct host_socket *socket,
                                   enum socket_shutdown how)
{
    static const char *const names[] = {"read", "write", "both"};
    (void)socket;
    return call(task, "shutdown", names[how], false);
}

enum call_progress socket_close(struct task *task, struct host_socket *socket)
{
    socket->open = false;
    return call(task, "close", "", false);
}

enum call_progress socket_reset(struct task *task, struct host_socket *socket)
{
    socket->open = false;
    return call(task, "reset", "", false);
}

enum call_progress socket_getsockname(struct task *task, struct host_socket *socket)
{
    (void)socket;
    enum call_progress progress = call(task, "getsockname", "", false);
    task->result.address = (struct address){.family = 4, .port = 50000, .bytes = {127, 0, 0, 1}};
    return progress;
}

enum call_progress socket_getpeername(struct task *task, struct host_socket *socket)
{
    enum call_progress progress = socket_getsockname(task, socket);
    task->result.address.port = 50001;
    return progress;
}

enum call_progress socket_setoption(struct task *task, struct host_socket *socket, const char *name,
                                    int64_t value)
{
    char text[64];
    (void)socket;
    snprintf(text, sizeof text, "%s %lld", name, (long long)value);
    return call(task, "setoption", text, false);
}

enum call_progress socket_getoption(struct task *task, struct host_socket *socket, const char *name)
{
    (void)socket;
    enum call_progress progress = call(task, "getoption", name, false);
    task->result.value = 7;
    return progress;
}

const char *const *socket_option_names(void)
{
    static const char *const names[] = {"SO_REUSEADDR", "TCP_NODELAY", NULL};
    return names;
}

enum call_progress socket_select(struct task *task, const struct socket_wait *wait, int64_t timeout)
{
    char text[64];
    snprintf(text, sizeof text, "%zu %zu %lld", wait->read_count, wait->write_count,
             (long long)timeout);
    return call(task, "select", text, true);
}

/* Every socket with an odd number can be read, every one written. */
bool socket_is_selected(const struct host_socket *socket, bool for_write)
{
    return for_write || socket->number % 2 == 1;
}

enum call_progress host_resolve(struct task *task, const char *name, uint16_t port)
{
    enum call_progress progress = call(task, "getaddrinfo", name, true);
    task->addresses[0] = (struct address){.family = 6, .port = port, .bytes = {[15] = 1}};
    task->addresses[1] = (struct address){.family = 4, .port = port, .bytes = {127, 0, 0, 1}};
    task->result.value = 2;
    return progress;
}

const struct address *task_addresses(const struct task *task)
{
    return task->addresses;
}

enum call_progress task_sleep(struct task *task, int64_t duration)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)duration);
    call(task, "sleep", text, true);
    return CALL_WAITING;
}

bool tls_start(struct host_socket *socket, const struct tls_settings *settings, struct error *error)
{
    if (socket->tls)
        return error_set(error, STATUS_USAGE, "this socket speaks TLS already");
    socket->tls = true;
    buffer_printf(&fake.log, "tls %s %s verify %d ca %zu cert %.10s key %.10s alpn %zu %d-%d\n",
                  settings->server ? "server" : "client",
                  settings->server_name == NULL ? "-" : settings->server_name, settings->verify,
                  settings->ca.length,
                  settings->certificate.data == NULL ? "-" : settings->certificate.data,
                  settings->key.data == NULL ? "-" : settings->key.data, settings->alpn.length,
                  settings->least, settings->most);
    return true;
}

enum call_progress tls_handshake(struct task *task, struct host_socket *socket, const char *name)
{
    enum call_progress progress = call(task, name, "", true);
    socket->greeted = task->result.error == 0;
    return progress;
}

enum call_progress tls_send(struct task *task, struct host_socket *socket, const void *bytes,
                            size_t length)
{
    (void)socket;
    return send_call(task, "tls.send", bytes, length);
}

enum call_progress tls_sendall(struct task *task, struct host_socket *socket, const void *bytes,
                               size_t length)
{
    (void)socket;
    return send_call(task, "tls.sendall", bytes, length);
}

enum call_progress tls_recv(struct task *task, struct host_socket *socket, size_t limit)
{
    char text[24];
    (void)socket;
    snprintf(text, sizeof text, "%zu", limit);
    enum call_progress progress = call(task, "tls.recv", text, true);
    if (task->result.error == 0)
        feed(&task->result);
    return progress;
}

enum call_progress tls_close(struct task *task, struct host_socket *socket)
{
    socket->open = socket->tls = false;
    return call(task, "tls.close", "", true);
}

bool tls_info(const struct host_socket *socket, struct tls_info *info)
{
    *info = (struct tls_info){.version = "TLSv1.3",
                              .cipher = "TLS_AES_256_GCM_SHA384",
                              .alpn = "http/1.1",
                              .subject = "CN=localhost",
                              .issuer = "CN=localhost",
                              .established = socket->greeted,
                              .verified = true};
    return socket->tls;
}

void socket_set_timeout(struct host_socket *socket, int64_t timeout)
{
    socket->timeout = timeout;
    buffer_printf(&fake.log, "timeout %lld\n", (long long)timeout);
}

bool socket_is_open(const struct host_socket *socket)
{
    return socket->open;
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
    (void)socket;
    *info = (struct socket_info){.state = 4, .rtt_us = 25};
    return true;
}

void socket_release(struct host_socket *socket)
{
    if (!socket->held)
        abort();
    socket->held = false;
}
