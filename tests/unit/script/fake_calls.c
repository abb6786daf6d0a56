/* The calls of the fake host: the second half of fake_host.c, which includes it. */

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

const char *const socket_flag_names[] = {"", "MSG_OOB", "MSG_PEEK", "MSG_MORE", NULL};

enum call_progress socket_send_flagged(struct task *task, struct host_socket *socket,
                                       const void *bytes, size_t length, enum socket_flag flag)
{
    static const char *const names[] = {"send", "send MSG_OOB", "send MSG_PEEK", "send MSG_MORE"};
    (void)socket;
    return send_call(task, names[flag], bytes, length);
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

enum call_progress socket_recv_flagged(struct task *task, struct host_socket *socket, size_t limit,
                                       enum socket_flag flag)
{
    (void)flag;
    return socket_recv(task, socket, limit);
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

/* All is recorded here, so nothing goes without a call. */
size_t socket_recv_at_once(struct task *task, struct host_socket *socket, size_t limit,
                           const uint8_t **bytes)
{
    (void)task, (void)socket, (void)limit, (void)bytes;
    return 0;
}

size_t socket_send_at_once(struct task *task, struct host_socket *socket, const void *bytes,
                           size_t length)
{
    (void)task, (void)socket, (void)bytes, (void)length;
    return 0;
}

bool socket_await(struct task *task, struct host_socket *socket, size_t limit)
{
    (void)task, (void)socket, (void)limit;
    return false;
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

enum call_progress task_input(struct task *task, const char *prompt, size_t length)
{
    static const char *const typed[] = {"one", "", "three"};
    char text[64];
    snprintf(text, sizeof text, "\"%.*s\"", (int)length, prompt);
    enum call_progress progress = call(task, "input", text, true);
    task->result.end_of_stream = fake.inputs == sizeof typed / sizeof typed[0];
    if (task->result.end_of_stream)
        return progress;
    task->result.bytes = (const uint8_t *)typed[fake.inputs];
    task->result.length = strlen(typed[fake.inputs++]);
    return progress;
}

void task_answer(struct task *task, const char *prompt, size_t prompt_length, const char *line,
                 size_t length)
{
    buffer_printf(&fake.prints, "%s: %.*s[%.*s]\n", task->role->name, (int)prompt_length, prompt,
                  line == NULL ? 3 : (int)length, line == NULL ? "end" : line);
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
