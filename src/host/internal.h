/*
 * internal.h - what the files of the host share, and nobody else sees.
 *
 *   host.c      opening, closing, roles, what roles say
 *   exchange.c  the run: turns of the loop, its ends, deadlock
 *   outcome.c   the sentences of an end: what each role was doing
 *   task.c      tasks, the ready queue, when clients begin
 *   call.c      a call from entry to return: recording, waiting, failing
 *   text.c      how calls are written in a trace
 *   poll.c      waiting for a socket: uv_poll
 *   socket.c    a socket's life
 *   accept.c    taking connections, also without room for them
 *   at_once.c   receiving, sending and waiting without a call
 *   stream.c names.c datagram.c options.c select.c resolve.c input.c info.c   the calls themselves
 *   tls.c       TLS's calls; tls_start.c tls_error.c tls_certificate.c see tls_internal.h
 *
 * Ownership: a host owns its roles, a role its tasks and sockets. A task's memory goes when it has
 * ended, a socket's when it is closed and released, or with the host.
 */
#ifndef HANDLENS_HOST_INTERNAL_H
#define HANDLENS_HOST_INTERNAL_H

#include <sys/socket.h>
#include <uv.h>

#include "host/host.h"
#include "host/socket.h"
#include "support/buffer.h"
#include "support/clock.h"

struct lookup;
struct tls_stream;

/* One task's wait for one side of one socket, in that socket's list. */
struct waiter {
    struct task *task;
    struct host_socket *socket; /* NULL while it is in no list */
    struct waiter *previous, *next;
    bool for_write;
};

struct waiter_list {
    struct waiter *first, *last;
};

struct host_socket {
    struct host *host;
    struct role *role;
    struct host_socket *previous, *next; /* the role's sockets, in order of creation */
    int fd;                              /* -1 when closed */
    uint32_t number;
    uint8_t family; /* 4 or 6 */
    enum trace_transport transport;
    int64_t timeout;
    struct address local, remote; /* as far as known; family 0 otherwise */
    uv_poll_t poll;
    int armed;         /* UV_READABLE, UV_WRITABLE: what the loop watches for */
    int watch_error;   /* why the loop could not watch it, until a wait tells; else 0 */
    bool watched_late; /* the one wait that poll_settle may end has begun */
    struct host_socket *previous_late, *next_late; /* in the host's list */
    bool poll_open;          /* poll is initialised and not yet forgotten by the loop */
    bool has_state;          /* TCP: connected or listening at some time */
    bool drained;            /* the last recv found less than it would have taken */
    bool released;           /* no handle is left */
    bool readable, writable; /* what the last select found */
    unsigned users;          /* calls under way */
    struct tls_stream *tls;  /* owned; NULL while the socket speaks no TLS */
    struct waiter_list readers, writers;
};

/* What a call needs before it can go on. */
enum need {
    NEED_NOTHING, /* it has ended */
    NEED_READ,
    NEED_WRITE,
    NEED_WAKING, /* its attempt has seen to what wakes it */
};

/* One attempt at a call: system calls until it has ended or must wait. */
typedef enum need call_attempt(struct task *task);

struct call {
    struct host *host;
    struct role *role;
    struct host_socket *socket; /* NULL: none */
    const char *name;
    const char *preposition;     /* for messages: "connect to" … */
    const struct address *about; /* for messages; NULL or family 0: none */
    const char *subject;         /* for messages, instead of about: an option's name */
    call_attempt *attempt;       /* NULL while no call is under way */
    uint32_t number;
    const char *script;
    uint32_t line;
    bool recorded; /* it is in the trace */
    bool waits_for_input;
    bool waits_for_new; /* waiting here is waiting for someone new */
    bool uses_network;  /* waiting here is waiting for a peer (not a sleep, not a lookup) */
    bool sends_all;     /* sendall, not send */
    bool shakes_hands;  /* counted in the host's handshakes */
    bool pauses;        /* its timer runs until it is attempted again */
    enum socket_flag flag;
    int again; /* what a non-blocking socket gets instead of waiting: EAGAIN */

    bool untold; /* a system call has ended that is not in the trace yet: */
    int64_t start, end, value;
    int error;

    int stage; /* where an attempt goes on */
    const uint8_t *bytes;
    size_t length, done;
    struct address address;
    struct socket_wait wait;
    int64_t timeout; /* this call's own, ns: -1 for ever */
    int64_t option;

    /* TLS: what the script sends or room for what it gets; bytes are then the records. */
    const uint8_t *plain;
    size_t plain_length, plain_done;
};

enum task_phase { TASK_HELD, TASK_READY, TASK_RUNNING, TASK_PARKED, TASK_ENDED };

struct task {
    struct host *host;
    struct role *role;
    struct task *previous, *next; /* the role's, in order of creation */
    uint64_t number;
    enum task_phase phase;
    struct task_behavior behavior;
    void *data;
    const char *script;
    uint32_t line;

    struct call call;
    struct call_result result;
    uint8_t *kept; /* the result's bytes while the task waits for its turn; else NULL */
    struct waiter waiter;
    struct host_socket *awaits; /* by socket_await, until it receives; else NULL */
    size_t limit;               /* of what it then wants, in bytes */
    uint8_t *ahead;             /* what has been received for it, in the host's ahead; or NULL */
    size_t ahead_length;        /* 0: there was nothing, or the connection has ended */
    struct waiter *waiters;     /* select's */
    size_t waiters_room, waiters_used;
    struct pollfd *polls;
    struct lookup *lookup;
    struct address *addresses;
    size_t address_count;

    uv_timer_t timer;
    bool timer_open, timed; /* timed: the timer runs */
    uint64_t timer_left;    /* ms, while the exchange stands still */
    bool expired;           /* the timer ended the wait */
    bool has_waited;        /* server: it waited for the network once, so clients may begin */
    unsigned streak;        /* calls ended since it was last stepped */
    uint64_t moved;         /* bytes, by them */
};

struct role {
    struct host *host;
    struct role *next;
    enum trace_role_kind kind;
    uint32_t number;
    char *name;
    struct task *first, *last;
    size_t tasks_live;
    struct host_socket *first_socket, *last_socket;
};

struct task_queue {
    struct task **tasks;
    size_t count, capacity;
    bool unsorted;
};

struct host {
    struct host_settings settings;
    char *own_name;
    struct recorder *recorder;
    uv_loop_t *loop;
    host_listener *listener;
    void *listener_data;
    host_prompter *prompter;
    void *prompter_data;
    struct role *first_role, *last_role;
    uint32_t roles;
    uint32_t calls, sockets; /* numbers given so far */
    uint64_t tasks;
    unsigned open_sockets;
    int spare;                         /* a descriptor to give up when there are no more */
    uint64_t shortages, last_shortage; /* clients turned away so far; when, ms of the loop */

    struct socket_list {
        struct host_socket *first, *last;
        size_t count;
        bool looked; /* the loop has looked for events since the first came into it */
    } late;          /* waited for, but not watched by the loop yet */

    struct task_queue ready, turn;
    uint64_t steps; /* so far */
    size_t tasks_live;
    size_t most_tasks;                        /* lived at a time since memory was last given back */
    bool untidy;                              /* host_tidy_soon: tidy is to be called */
    size_t clients;                           /* client roles */
    size_t clients_live;                      /* that have a task */
    size_t server_tasks, servers_waiting_new; /* live; in accept, recvfrom, select */
    size_t servers_starting;                  /* that have not waited yet */
    size_t timed, lookups;                    /* tasks with a timer; names being looked up */
    size_t handshakes;                        /* of TLS, under way */
    size_t closing;                           /* handles the loop has not let go of yet */
    bool running, yielded, clients_begun;
    struct address ready_address;
    struct reachable {
        struct address address;
        enum trace_transport transport;
    } reachable[4]; /* servers' sockets, to be told of when clients may begin */
    size_t reachables;

    bool ending;
    enum trace_outcome outcome;
    struct role *culprit;
    char *failure; /* task_fail's text */
    struct error flush_error;
    bool flush_failed;
    unsigned flushes_put_off; /* since the last one */

    uint64_t deadline_left; /* ms, while it stands still */
    uv_timer_t deadline, ticker, flusher, teller, quiet;
    uv_signal_t interrupt, terminate, hang_up;
    uint64_t steps_at_tick;
    unsigned idle_ticks;
    bool was_stuck; /* at the last tick */
    int quiet_left; /* ms that may still be spent waiting for a quiet wire */

    struct host_socket *input; /* standard input, in a socket's clothes: it is waited for alike */
    struct buffer unread;      /* what came of it beyond the last line */
    bool input_ended;
    size_t inputs;                       /* tasks that wait for a line */
    int64_t inputs_asked, inputs_served; /* so far: whose turn it is */

    struct buffer text; /* of the event that is being told */
    uint8_t *room;      /* for what recv brings, until the step that gets it returns */
    size_t room_size;
    uint8_t *ahead; /* for what is received for tasks before they are stepped */
};

/* host.c */
bool host_recording(const struct host *host);
void host_tell(struct host *host, const struct trace_event *event);
void host_tell_role(struct role *role);
void host_note(struct host *host, struct role *role, enum trace_note_kind kind, const char *text,
               size_t length, const char *script, uint32_t line);

/* exchange.c */
/* The exchange ends after this step; only the first reason counts. */
void exchange_end(struct host *host, enum trace_outcome outcome, struct role *culprit);
/* The exchange stands still between the two: its time-outs and those of its tasks do not run. */
void exchange_halt(struct host *host);
void exchange_resume(struct host *host);

/* Called by what events call: whoever is ready has his turn if there are many. */
void exchange_serve_crowd(struct host *host);

/* outcome.c */
void outcome_describe(struct host *host, struct error *error);

/* task.c */
void task_make_ready(struct task *task);
void task_wake(struct task *task);
/* The task stops running until task_wake. */
void task_park(struct task *task);
void task_run(struct task *task);
/* Lets go of a task; its call, if any, returns ECANCELED. */
void task_forget(struct task *task);
void task_cancel(struct task *task);
/* Starts the timer that ends the task's wait after ns. */
void task_start_timer(struct task *task, int64_t duration);
void task_stop_timer(struct task *task);
/* What is left of the timer is kept, and runs from now on. */
void task_keep_timer(struct task *task);
void task_resume_timer(struct task *task);
void clients_begin(struct host *host);
/* The socket of a server listens, or can receive datagrams. */
void server_is_reachable(const struct host_socket *socket);

/* call.c */
struct call *call_begin(struct task *task, const char *name, struct host_socket *socket,
                        call_attempt *attempt);
/* Where the arguments' text is to be written; only for a recorded call. */
struct buffer *call_arguments(struct call *call);
/* Enters the call and attempts it; the task may be parked. */
enum call_progress call_start(struct task *task);
/* The same for calls that never wait. */
enum call_progress call_start_short(struct task *task);
/* Goes on after a wait. Returns whether the call has ended. */
bool call_resume(struct task *task);
void call_cancel(struct task *task);
/* One more that has ended at once, and the bytes that it moved. */
void call_counts(struct task *task, uint64_t moved);
/* So much ended at once that it is others' turn. */
bool call_ends_turn(const struct task *task);
/* An attempt's end. Both return NEED_NOTHING. */
enum need call_succeed(struct task *task, int64_t value);
enum need call_fail(struct task *task, int error);
/* As call_fail, with the sentence's end in other words than strerror's. */
enum need call_fail_because(struct task *task, int error, const char *reason);
/* The exchange will use this address. */
void call_meets(struct call *call, const struct address *address);
void syscall_begin(struct call *call);
/* Keeps errno and returns value. */
int64_t syscall_end(struct call *call, int64_t value);
/* The system call that has ended is not the call's last one. */
void call_tell_syscall(struct call *call);
/* The parts for a call that the host makes by itself. */
void call_tell_entry(struct call *call);
void call_tell_return(struct call *call, int64_t value, int error, const char *message);
void call_tell_socket(struct host_socket *socket, int64_t time);
void call_tell_state(struct call *call, struct host_socket *socket);

/* text.c */
void text_quote(struct buffer *buffer, const void *bytes, size_t length);
void text_address(struct buffer *buffer, const struct address *address);
void text_result(const struct task *task, struct buffer *buffer);

/* select.c: the result of a select, "{:8080}, {}". */
void text_selected(const struct socket_wait *wait, struct buffer *text);

/* at_once.c */
/* Receives what those of the tasks await that do, for their next step. */
void tasks_receive_ahead(struct host *host, struct task *const tasks[], size_t count);

/* poll.c */
/* Puts the waiter into the socket's list and has the loop watch. Returns 0 or an errno. */
int poll_wait(struct waiter *waiter, struct task *task, struct host_socket *socket, bool for_write);
void poll_unwait(struct waiter *waiter);
/* Whether a try to receive or accept would not have to wait, as the kernel says now. */
bool poll_can_read(const struct host_socket *socket);
/*
 * While sockets are waited for that the loop does not watch yet, it must not block: this looks for
 * events without waiting. Returns whether there were such sockets.
 */
bool poll_settle(struct host *host);
/* Makes the loop forget the socket's descriptor, before it is closed. */
void poll_forget(struct host_socket *socket);
void poll_wake_all(struct host_socket *socket);

/* socket.c */
struct host_socket *socket_new(struct role *role, int fd, int family,
                               enum trace_transport transport);
/* Whether one more may be opened; if not, the task's call has failed. */
bool socket_is_allowed(struct task *task);
/* close(2), as the last system call of call. Returns its value. */
int64_t socket_shut(struct call *call, struct host_socket *socket);
/* Frees it if nobody needs it any more. */
void socket_settle(struct host_socket *socket);
/* The role's last task has ended: what it left open is closed, by the host's own calls. */
void socket_close_all(struct role *role);
/* With the host: frees them all. */
void socket_free_all(struct role *role);
socklen_t socket_address_out(const struct address *address, struct sockaddr_storage *out);
struct address socket_address_in(const struct sockaddr_storage *in);
void socket_learn_local(struct host_socket *socket);
/* Whether none of its segments is on its way and it is not opening. */
bool socket_is_still(struct host_socket *socket);

/* resolve.c */
void lookup_abandon(struct task *task);

/* input.c */
void input_close(struct host *host);
void input_free(struct host *host);

/* stream.c */
/* Whether a system call only said that it would have to wait. */
bool socket_is_busy(int error);
/* Whether the loop will tell when to try to receive, so that a try now would be in vain. */
bool socket_recv_is_vain(struct host_socket *socket);
/* Room for length bytes of a result, the same for all tasks. NULL out of memory. */
uint8_t *host_room(struct host *host, size_t length);

/* tls_start.c */
void tls_free(struct tls_stream *stream);
/* What a handshake agreed upon: "TLSv1.3, TLS_AES_256_GCM_SHA384". */
void tls_agreed_text(const struct host_socket *socket, struct buffer *text);

#endif
