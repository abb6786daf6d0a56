/*
 * tls.c - TLS's calls.
 *
 * OpenSSL reads records from one memory BIO and writes records to another. An attempt asks it to
 * go on, sends what it has written, and when it wants more, receives. Two tasks may use a stream
 * at a time, one to send and one to receive: a record is in the BIO as a whole before anyone sends
 * of it, so whichever of them can send does, and a call knows by the count of bytes when its own
 * are out.
 */
#include "host/tls_internal.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>

/* A long sendall makes so many bytes of records before it sends them. */
enum { RECORDS_AT_ONCE = 64 * 1024 };

/* How long tls_close waits for the peer's close_notify. */
static const int64_t longest_goodbye = NANOSECONDS_PER_SECOND;

/* After so many recvs of what it drops meanwhile, others and its own timer get their turn. */
enum { LONGEST_LISTENING = 16 };

static struct tls_stream *stream_of(const struct task *task)
{
    return task->call.socket->tls;
}

/* Before any record that they encrypt is sent. */
static void tell_secrets(struct call *call, struct tls_stream *stream)
{
    struct buffer *secrets = &stream->secrets;
    if (secrets->length > 0 && !secrets->failed && call->recorded) {
        call_tell_syscall(call);
        struct trace_event event = {.kind = TRACE_SECRETS, .time = clock_now()};
        event.secrets.type = 0x544c534b; /* "TLSK", a TLS key log */
        event.secrets.bytes = (struct trace_bytes){secrets->data, secrets->length};
        host_tell(call->host, &event);
    }
    buffer_clear(secrets);
}

static uint64_t written(const struct tls_stream *stream)
{
    return stream->sent + BIO_ctrl_pending(stream->out);
}

/* Takes so many bytes out of the BIO, for they are sent. */
static void drop(struct tls_stream *stream, size_t length)
{
    uint8_t bytes[4096];
    stream->sent += length;
    while (length > 0) {
        int dropped = BIO_read(stream->out, bytes, (int)(length < 4096 ? length : 4096));
        if (dropped <= 0)
            return;
        length -= (size_t)dropped;
    }
}

/* Sends records until so many bytes are out in all. Returns false with need set if the call must
 * wait or has failed. */
static bool flush(struct task *task, uint64_t target, enum need *need)
{
    struct call *call = &task->call;
    struct tls_stream *stream = stream_of(task);
    tell_secrets(call, stream);
    while (stream->sent < target) {
        char *bytes;
        long length = BIO_get_mem_data(stream->out, &bytes);
        call->bytes = (const uint8_t *)bytes;
        call->length = length < 0 ? 0 : (size_t)length;
        syscall_begin(call);
        int64_t sent = syscall_end(call, send(call->socket->fd, bytes, call->length, MSG_NOSIGNAL));
        call->bytes = NULL;
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0) {
            *need = socket_is_busy(errno) ? NEED_WRITE : call_fail(task, errno);
            return false;
        }
        drop(stream, (size_t)sent);
    }
    return true;
}

static void keep_first(struct tls_stream *stream, const uint8_t *bytes, size_t length)
{
    size_t room = sizeof stream->first - stream->first_length;
    size_t kept = length < room ? length : room;
    memcpy(stream->first + stream->first_length, bytes, kept);
    stream->first_length += kept;
}

/* Receives more of the peer's records. Returns false as flush does. */
static bool fill(struct task *task, enum need *need)
{
    struct call *call = &task->call;
    struct host_socket *socket = call->socket;
    struct tls_stream *stream = socket->tls;
    uint8_t bytes[TLS_RECORD_LIMIT];
    *need = NEED_READ;
    if (socket_recv_is_vain(socket))
        return false;
    int64_t got;
    do {
        syscall_begin(call);
        got = syscall_end(call, recv(socket->fd, bytes, sizeof bytes, 0));
    } while (got < 0 && errno == EINTR);
    if (got <= 0) {
        if (got == 0)
            *need = tls_fail_at_end(task, stream);
        else if (!socket_is_busy(errno))
            *need = call_fail(task, errno);
        return false;
    }
    socket->drained = (size_t)got < sizeof bytes;
    keep_first(stream, bytes, (size_t)got);
    if (BIO_write(stream->in, bytes, (int)got) == (int)got)
        return true;
    *need = call_fail(task, ENOMEM);
    return false;
}

/*
 * After a function of OpenSSL that has not ended well: sends what it wrote (an alert, perhaps), and
 * if it wants more, receives. before is what had been written before. Returns whether to ask it
 * again; else need is set. Who receives does not wait until another task's records are out, nor
 * the answer to a key update, which goes with the next record.
 */
static bool go_on(struct task *task, int returned, uint64_t before, enum need *need)
{
    struct tls_stream *stream = stream_of(task);
    int why = SSL_get_error(stream->ssl, returned);
    bool sent = written(stream) == before || flush(task, written(stream), need) ||
                (*need == NEED_WRITE && SSL_is_init_finished(stream->ssl));
    if (why != SSL_ERROR_WANT_READ) {
        *need = tls_fail(task, stream, why);
        return false;
    }
    return sent && fill(task, need);
}

static enum need attempt_handshake(struct task *task)
{
    struct tls_stream *stream = stream_of(task);
    enum need need;
    for (;;) {
        ERR_clear_error();
        int done = SSL_do_handshake(stream->ssl);
        if (done == 1)
            return flush(task, written(stream), &need) ? call_succeed(task, 0) : need;
        if (!go_on(task, done, stream->sent, &need))
            return need;
    }
}

static struct call *begin(struct task *task, const char *name, struct host_socket *socket,
                          call_attempt *attempt)
{
    struct call *call = call_begin(task, name, socket, attempt);
    call->about = &socket->remote;
    call->uses_network = true;
    return call;
}

enum call_progress tls_handshake(struct task *task, struct host_socket *socket, const char *name)
{
    struct call *call = begin(task, name, socket, attempt_handshake);
    const char *asked = NULL;
    call->preposition = "handshake with";
    call->shakes_hands = true;
    task->host->handshakes++;
    if (socket->tls != NULL && !SSL_is_server(socket->tls->ssl))
        asked = SSL_get_servername(socket->tls->ssl, TLSEXT_NAMETYPE_host_name);
    if (call->recorded && asked != NULL)
        text_quote(call_arguments(call), asked, strlen(asked));
    return call_start(task);
}

/* Makes records of what is left of the plaintext, up to a measure. Returns false as flush does. */
static bool encrypt(struct task *task, enum need *need)
{
    struct call *call = &task->call;
    struct tls_stream *stream = stream_of(task);
    while (call->plain_done < call->plain_length &&
           BIO_ctrl_pending(stream->out) < RECORDS_AT_ONCE) {
        size_t taken = 0;
        ERR_clear_error();
        int done = SSL_write_ex(stream->ssl, call->plain + call->plain_done,
                                call->plain_length - call->plain_done, &taken);
        if (done != 1 && !go_on(task, done, stream->sent, need))
            return false;
        call->plain_done += taken;
    }
    return true;
}

static enum need attempt_send(struct task *task)
{
    struct call *call = &task->call;
    enum need need;
    do {
        if (!encrypt(task, &need) || !flush(task, written(stream_of(task)), &need)) {
            task->result.value = (int64_t)call->plain_done;
            return need;
        }
    } while (call->plain_done < call->plain_length);
    return call_succeed(task, (int64_t)call->plain_length);
}

static enum call_progress start_send(struct task *task, const char *name,
                                     struct host_socket *socket, const void *bytes, size_t length)
{
    struct call *call = begin(task, name, socket, attempt_send);
    call->plain = bytes;
    call->plain_length = length;
    call->preposition = "to";
    if (call->recorded)
        text_quote(call_arguments(call), length == 0 ? "" : bytes, length);
    return call_start(task);
}

enum call_progress tls_send(struct task *task, struct host_socket *socket, const void *bytes,
                            size_t length)
{
    return start_send(task, "tls.send", socket, bytes,
                      length < TLS_PLAIN_LIMIT ? length : TLS_PLAIN_LIMIT);
}

enum call_progress tls_sendall(struct task *task, struct host_socket *socket, const void *bytes,
                               size_t length)
{
    return start_send(task, "tls.sendall", socket, bytes, length);
}

static enum need attempt_recv(struct task *task)
{
    struct call *call = &task->call;
    struct tls_stream *stream = stream_of(task);
    struct call_result *result = &task->result;
    size_t limit = call->plain_length < TLS_PLAIN_LIMIT ? call->plain_length : TLS_PLAIN_LIMIT;
    uint8_t *room = host_room(task->host, limit);
    enum need need;
    if (room == NULL)
        return call_fail(task, ENOMEM);
    for (;;) {
        size_t got = 0;
        uint64_t before = SSL_is_init_finished(stream->ssl) ? written(stream) : stream->sent;
        ERR_clear_error();
        int done = SSL_read_ex(stream->ssl, room, limit, &got);
        if (done == 1) {
            result->bytes = room;
            result->length = result->datagram_length = got;
            return call_succeed(task, (int64_t)got);
        }
        if (SSL_get_error(stream->ssl, done) == SSL_ERROR_ZERO_RETURN) {
            result->end_of_stream = true;
            return call_succeed(task, 0);
        }
        if (!go_on(task, done, before, &need))
            return need;
    }
}

enum call_progress tls_recv(struct task *task, struct host_socket *socket, size_t limit)
{
    struct call *call = begin(task, "tls.recv", socket, attempt_recv);
    call->plain_length = limit;
    call->preposition = "from";
    if (call->recorded)
        buffer_printf(call_arguments(call), "%zu", limit);
    return call_start(task);
}

enum goodbye { GOODBYE_SAY, GOODBYE_SEND, GOODBYE_HEAR };

/* Drops what comes until the peer's close_notify has. Returns false with need set to wait; any
 * failure is an end as well. */
static bool hear_goodbye(struct task *task, enum need *need)
{
    struct tls_stream *stream = stream_of(task);
    uint8_t bytes[4096];
    size_t got;
    int recvs = 0;
    for (;;) {
        ERR_clear_error();
        int done = SSL_read_ex(stream->ssl, bytes, sizeof bytes, &got);
        if (done == 1)
            continue;
        if (SSL_get_error(stream->ssl, done) != SSL_ERROR_WANT_READ)
            return true;
        *need = NEED_READ;
        if (recvs++ == LONGEST_LISTENING)
            return false;
        if (!fill(task, need))
            return *need == NEED_NOTHING;
    }
}

/* A failure to say goodbye keeps no socket open. */
static bool say_goodbye(struct task *task, enum need *need)
{
    struct call *call = &task->call;
    struct tls_stream *stream = stream_of(task);
    if (call->stage == GOODBYE_SAY) {
        ERR_clear_error();
        if (!SSL_is_init_finished(stream->ssl) || SSL_shutdown(stream->ssl) < 0)
            return true;
        call->stage = GOODBYE_SEND;
    }
    if (call->stage == GOODBYE_SEND) {
        if (!flush(task, written(stream), need))
            return *need == NEED_NOTHING;
        call->stage = GOODBYE_HEAR;
    }
    return hear_goodbye(task, need);
}

static enum need attempt_close(struct task *task)
{
    struct call *call = &task->call;
    struct host_socket *socket = call->socket;
    enum need need = NEED_NOTHING;
    /* Its timer has run out when it has waited (plain_done) and no timer runs. */
    bool in_time = call->plain_done == 0 || task->timed;
    if (in_time && !say_goodbye(task, &need) && socket->timeout != 0) {
        if (!task->timed)
            task_start_timer(task, call->timeout);
        call->plain_done = 1;
        return need;
    }
    return socket_shut(call, socket) == 0 ? call_succeed(task, 0) : call_fail(task, errno);
}

enum call_progress tls_close(struct task *task, struct host_socket *socket)
{
    struct call *call = begin(task, "tls.close", socket, attempt_close);
    call->stage = GOODBYE_SAY;
    call->uses_network = false; /* it ends by itself */
    call->timeout = longest_goodbye;
    if (socket->timeout > 0 && socket->timeout < longest_goodbye)
        call->timeout = socket->timeout;
    return call_start(task);
}
