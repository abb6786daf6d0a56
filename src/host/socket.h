/*
 * socket.h - the calls a task can make, by their BSD names.
 *
 * Each function starts one call of the task and returns CALL_DONE with the result in
 * task_result(), or CALL_WAITING (see host.h). Each is one TRACE_CALL and one TRACE_RETURN.
 * Bytes handed to a call are borrowed until it ends; bytes in a result live until the task's
 * next call, or the end of its step.
 *
 * A failed call has result->error set to the errno and result->message to one sentence, such as
 * "connect to 127.0.0.1:9: Connection refused (ECONNREFUSED)". A socket's time-out that ran out is
 * ETIMEDOUT; a closed socket EBADF; a non-blocking socket with nothing to do EAGAIN (recv, send,
 * accept) or EINPROGRESS (connect).
 */
#ifndef HANDLENS_HOST_SOCKET_H
#define HANDLENS_HOST_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/host.h"
#include "support/address.h"
#include "trace/event.h"

struct host_socket;

enum call_progress { CALL_DONE, CALL_WAITING };

struct call_result {
    const char *call;     /* "connect"; lives for ever */
    int error;            /* errno; 0 when it succeeded */
    char message[256];    /* on error */
    int64_t value;        /* bytes sent; an option's number; sockets ready */
    const uint8_t *bytes; /* recv, recvfrom; NULL and 0 at end of stream */
    size_t length;
    size_t datagram_length;     /* recvfrom: its full length; more than length if truncated */
    bool end_of_stream;         /* recv: the peer has closed its side */
    struct host_socket *socket; /* accept, socket */
    struct address address;     /* accept, recvfrom, getsockname, getpeername */
};

/* The result of the task's last call. Lives until its next call. */
const struct call_result *task_result(const struct task *task);

/* family 4 or 6. result->socket is the new one, blocking, owned by the host and the task's role. */
enum call_progress socket_open(struct task *task, int family, enum trace_transport transport);

enum call_progress socket_bind(struct task *task, struct host_socket *socket,
                               const struct address *address);
enum call_progress socket_listen(struct task *task, struct host_socket *socket, int backlog);
enum call_progress socket_accept(struct task *task, struct host_socket *socket);
enum call_progress socket_connect(struct task *task, struct host_socket *socket,
                                  const struct address *address);

/* One send: result->value is how many bytes the kernel took. */
enum call_progress socket_send(struct task *task, struct host_socket *socket, const void *bytes,
                               size_t length);
/* Sends until all is taken; result->value is length. On error it is how many went. */
enum call_progress socket_sendall(struct task *task, struct host_socket *socket, const void *bytes,
                                  size_t length);
/* At most limit bytes (1 to 16 MiB). */
enum call_progress socket_recv(struct task *task, struct host_socket *socket, size_t limit);

/*
 * The same with a flag: SOCKET_URGENT (MSG_OOB: the last byte is urgent, or recv takes the urgent
 * byte), SOCKET_PEEK (MSG_PEEK: what is received stays to be received again), SOCKET_MORE
 * (MSG_MORE: more follows, so the kernel holds a segment that is not full).
 */
enum socket_flag { SOCKET_NO_FLAG, SOCKET_URGENT, SOCKET_PEEK, SOCKET_MORE };
enum call_progress socket_send_flagged(struct task *task, struct host_socket *socket,
                                       const void *bytes, size_t length, enum socket_flag flag);
enum call_progress socket_recv_flagged(struct task *task, struct host_socket *socket, size_t limit,
                                       enum socket_flag flag);
/* Their BSD names by number, "" for none, NULL at the end. */
extern const char *const socket_flag_names[];

/*
 * For who serves: what is quicker than a call, where none is recorded. They return what went, in
 * bytes; if less than was wanted, 0 included, a call must be made for the rest: it waits, fails or
 * finds the end of the stream (after a reset, too: the kernel tells of that only once). What is
 * received lives as call_result.bytes does.
 */
size_t socket_recv_at_once(struct task *task, struct host_socket *socket, size_t limit,
                           const uint8_t **bytes);
size_t socket_send_at_once(struct task *task, struct host_socket *socket, const void *bytes,
                           size_t length);
/*
 * The task is stepped again when something has come, and is then to receive at most limit bytes.
 * False: it does not wait, since something may have come already, or a call must be made.
 */
bool socket_await(struct task *task, struct host_socket *socket, size_t limit);

enum call_progress socket_sendto(struct task *task, struct host_socket *socket, const void *bytes,
                                 size_t length, const struct address *address);
enum call_progress socket_recvfrom(struct task *task, struct host_socket *socket, size_t limit);

enum socket_shutdown { SHUTDOWN_READ, SHUTDOWN_WRITE, SHUTDOWN_BOTH };
enum call_progress socket_shutdown(struct task *task, struct host_socket *socket,
                                   enum socket_shutdown how);
/* Closing a closed socket does nothing and is no call. */
enum call_progress socket_close(struct task *task, struct host_socket *socket);
/* SO_LINGER with zero, then close: an RST instead of a FIN. */
enum call_progress socket_reset(struct task *task, struct host_socket *socket);

enum call_progress socket_getsockname(struct task *task, struct host_socket *socket);
enum call_progress socket_getpeername(struct task *task, struct host_socket *socket);

/*
 * Options by their BSD names ("SO_REUSEADDR", "TCP_NODELAY", "SO_LINGER", "IP_TTL", …). value is
 * the option's number: 0 or 1 for switches, bytes for buffers, seconds for SO_LINGER (-1: off),
 * milliseconds for TCP_USER_TIMEOUT. An unknown name is ENOPROTOOPT.
 */
enum call_progress socket_setoption(struct task *task, struct host_socket *socket, const char *name,
                                    int64_t value);
enum call_progress socket_getoption(struct task *task, struct host_socket *socket,
                                    const char *name);
/* The option names known, NULL at the end. */
const char *const *socket_option_names(void);

struct socket_wait {
    struct host_socket **read;
    size_t read_count;
    struct host_socket **write;
    size_t write_count;
};
/*
 * Waits until one of the sockets can be read (or accepted from, or has ended) or written, at most
 * timeout ns (-1: for ever, 0: just look). result->value is how many are ready;
 * socket_is_selected says which. The arrays are borrowed until the call ends.
 */
enum call_progress socket_select(struct task *task, const struct socket_wait *wait,
                                 int64_t timeout);
bool socket_is_selected(const struct host_socket *socket, bool for_write);

/*
 * Looks a name up: a literal address, "localhost", the host's own name, or, where the exchange
 * is on this machine's network, what getaddrinfo(3) says (in libuv's thread pool).
 * result->value is how many addresses; task_addresses gives them, with the port set.
 * The call is named getaddrinfo; a literal address is no call and not in the trace. A failure is
 * EHOSTUNREACH with gai_strerror's words.
 */
enum call_progress host_resolve(struct task *task, const char *name, uint16_t port);
const struct address *task_addresses(const struct task *task);

/* Not a socket call, and not in the trace. Waits for ns. */
enum call_progress task_sleep(struct task *task, int64_t duration);

/*
 * Not a socket call: waits for a line of standard input and tells it as a TRACE_NOTE_INPUT.
 * result->bytes is the line without its newline; at the end of input end_of_stream is set. A line
 * longer than 64 KiB comes in pieces. Lines go to tasks in the order in which they asked, and each
 * one's prompt (borrowed until the call ends) goes to host_listen_prompts when it is its turn.
 */
enum call_progress task_input(struct task *task, const char *prompt, size_t length);

/* The same where nobody types: the prompt is shown, and the line told as if it had been read. A
 * line of NULL is the end of input, of which there is nothing to show. */
void task_answer(struct task *task, const char *prompt, size_t prompt_length, const char *line,
                 size_t length);

/* Blocking (the default) or not, as Python's setblocking and settimeout: timeout in ns, -1 for
 * ever, 0 for non-blocking. These make no system call. */
void socket_set_timeout(struct host_socket *socket, int64_t timeout);
int64_t socket_timeout(const struct host_socket *socket);

bool socket_is_open(const struct host_socket *socket);
uint32_t socket_number(const struct host_socket *socket); /* as in the trace */
enum trace_transport socket_transport(const struct host_socket *socket);
int socket_family(const struct host_socket *socket); /* 4 or 6 */

/* What TCP_INFO says, in its own units. Returns false with errno set. */
struct socket_info {
    int state; /* enum tcp_state */
    uint32_t rtt_us, rtt_variance_us, retransmits, mss_send, mss_receive, congestion_window,
        slow_start_threshold, unacked, path_mtu, rto_us, window_scale_send, window_scale_receive;
    bool timestamps, sack, window_scaling, ecn;
    uint64_t bytes_acked, bytes_received, bytes_sent, bytes_retransmitted;
    uint32_t segments_out, segments_in, send_window;
};
bool socket_info(struct host_socket *socket, struct socket_info *info);

/*
 * The script lets go of a socket (its handle was collected). The socket is closed by the host if
 * it is still open when its role ends, and freed then.
 */
void socket_release(struct host_socket *socket);

#endif
