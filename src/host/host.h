/*
 * host.h - the exchange: roles and their tasks on one event loop, and every socket call they make.
 *
 * Theory of operation. A role is one party of the lab; it runs as one or more tasks. A task is
 * whatever can be stepped: the host calls its step function to begin, and again each time what
 * it waited for has ended. Inside a step a task starts calls (host/socket.h). A call that can be
 * finished at once returns CALL_DONE, and the task goes on; else it returns CALL_WAITING, the
 * step must return, and the next step finds the result in task_result(). A task has at most one
 * call under way. All of it happens on one thread, so only one system call of the exchange runs
 * at a time, and each is stamped before and after (trace/recorder.h says why).
 *
 * Sockets are non-blocking underneath. A call tries its system call first and waits only on
 * EAGAIN; the socket is armed in the loop (uv_poll) at its first wait and stays armed while
 * somebody keeps waiting, so that a busy connection costs no epoll_ctl. A recv on a socket that is
 * armed and was emptied by the last recv waits at once: the loop knows before a try would. Tasks
 * that became ready in the same turn of the loop are stepped in the order in which they were
 * created, so that two runs of a lab make the same calls in the same order. A task that never has
 * to wait yields after a thousand calls: such a call returns CALL_WAITING though it has ended.
 *
 * The server's roles begin first. The clients' begin when every server task waits (or all have
 * ended), or at host_ready. When a role's last task has ended, the sockets it left open are closed
 * as the kernel does for a process that exits. The exchange ends when all roles have ended, or
 * when all clients have and each server task waits for someone new (accept, recvfrom, select); in
 * serve there are no clients and it ends by a signal, or when the server does.
 *
 * The host knows nothing of Lua.
 */
#ifndef HANDLENS_HOST_HOST_H
#define HANDLENS_HOST_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "support/address.h"
#include "support/error.h"
#include "support/tcp_state.h"
#include "trace/event.h"
#include "trace/recorder.h"

struct host;
struct role;
struct task;

/* A call that is about to be made. Texts are borrowed. */
struct host_preview {
    const struct role *role;
    uint32_t socket; /* its number; 0: none */
    const char *name;
    struct trace_text arguments; /* as in struct trace_call */
    const char *script;          /* NULL and 0 when the host makes it for the script */
    uint32_t line;
};

struct host_settings {
    struct recorder *recorder; /* NULL: nothing is recorded */
    const char *own_name;      /* a host name that stands for the loopback, or NULL */
    int64_t timeout;           /* wall clock for the whole exchange, ns; 0 for none */
    bool patient;              /* the timeout begins anew while somebody is asked for input */
    unsigned socket_limit;     /* open sockets at a time; 0 for the process's own limit */
    bool serving;              /* no clients here: wait for real ones until a signal */
    bool loopback_only;        /* bind fails with EACCES where others could reach it */
    bool alone;                /* nobody else is on the wire: a deadlock can be noticed */
    /* Whether no segment is on its way and no connection is being made: place_is_quiet. NULL
     * counts as always quiet. */
    bool (*is_quiet)(void);
    /* Hears what the kernel's TCP_INFO says after a call, if set: TRACE_STATE events. */
    bool kernel_states;
    /* Called once when all is over and the wire is quiet, before TRACE_END: the capture ends
     * here, so that no packet comes behind it. May be NULL. */
    void (*finish)(void *data);
    /* Called before each system call with the bytes it is about to send, so that who captures can
     * make room for them: capture_make_room. May be NULL. */
    void (*make_room)(void *data, size_t bytes);
    /* Called when clients may reach a socket of a server: a TCP socket listens, or a UDP socket is
     * bound, and it is time for clients to begin. May be NULL. */
    void (*reachable)(void *data, const struct address *address, enum trace_transport transport);
    /* Called about five times a second. May be NULL. */
    void (*tick)(void *data);
    /* Called when most of many tasks have ended, and when host_tidy_soon has asked for it: what
     * they left can be given back. May be NULL. */
    void (*tidy)(void *data);
    /* Called when bind or listen has given a socket its port, and before a socket without one
     * connects or sends to an address: for whoever captures only what belongs to the exchange. May
     * be NULL. */
    void (*meets)(void *data, const struct address *address);
    /* Called before a task's call is entered; not for what the host closes by itself. It may take
     * its time: the exchange stands still, and neither the tasks' time-outs and sleeps nor the
     * exchange's run meanwhile (the kernel's own timers do). Returns false to end the exchange as
     * host_interrupt does, with the call not made. May be NULL; needs a recorder. */
    bool (*before_call)(void *data, const struct host_preview *preview);
    void *data; /* for those above */
};

/* Returns NULL with error set. Only one host at a time. */
struct host *host_open(const struct host_settings *settings, struct error *error);

/*
 * Opens the event loop, which host_run does where nobody has. Behind a fence it is opened inside:
 * libuv from 1.45 on asks the kernel for an io_uring then, and would go on to use it where that is
 * refused; told at once that there is none, it makes its calls of epoll one by one. UV_USE_IO_URING
 * does not stop it: the versions from 1.49 on do not ask there.
 */
bool host_open_loop(struct host *host, struct error *error);

/* Adds a role. Its name is copied. The order of adding is the order of starting and of the lanes.
 * Returns NULL out of memory. */
struct role *host_add_role(struct host *host, enum trace_role_kind kind, const char *name);

const char *role_name(const struct role *role);
enum trace_role_kind role_kind(const struct role *role);

/* What a task does. step is called first to begin, then after each wait. */
struct task_behavior {
    void (*step)(struct task *task, void *data);
    /* The exchange ends before the task did: let go of everything that data holds. */
    void (*cancel)(struct task *task, void *data);
};

/* A new task of the role, stepped in its turn, never at once. NULL out of memory. */
struct task *task_add(struct role *role, const struct task_behavior *behavior, void *data);

struct role *task_role(const struct task *task);
struct host *task_host(const struct task *task);

/* Inside a step: where in the script the next call stands. script must outlive the call. */
void task_set_site(struct task *task, const char *script, uint32_t line);

/* Inside a step: the task has ended well. The host forgets it after the step returns. */
void task_end(struct task *task);

/*
 * Inside a step: the task has ended with an error that the script did not catch. text: message,
 * then a traceback in further lines. The whole exchange ends: all other tasks are canceled and
 * told.
 */
void task_fail(struct task *task, const char *text, const char *script, uint32_t line);

/* As task_fail for a limit of the script: the outcome is TRACE_STOPPED. */
void task_stop(struct task *task, const char *text, const char *script, uint32_t line);

/* The task's role says something: a TRACE_NOTE_PRINT, passed on to the recorder and to listener. */
void task_print(struct task *task, const char *text, size_t length);

/* Hears what roles print and what the host remarks, as it happens (for the screen). */
typedef void host_listener(void *data, const struct role *role, enum trace_note_kind kind,
                           const char *text, size_t length);
void host_listen(struct host *host, host_listener *listener, void *data);

/* Shows the prompt of a task whose turn it is to read a line: one that somebody types, or one that
 * was ready (task_input and task_answer). NULL: no line came, for the input has ended. */
typedef void host_prompter(void *data, const struct role *role, const char *prompt, size_t length,
                           bool typed);
void host_listen_prompts(struct host *host, host_prompter *prompter, void *data);

/* Clients may begin now; address is where. Later calls of it change nothing. (Without it clients
 * begin at each server task's first wait in a socket call; a sleep does not count.) */
void host_ready(struct host *host, const struct address *address);
/* Says where clients will find the server, and lets them begin when they would anyway. */
void host_will_be_at(struct host *host, const struct address *address);
/* The address given to either; family 0 while nobody gave one. */
struct address host_ready_address(const struct host *host);

/* Adds a TRACE_NOTE_USER: what whoever steps through the exchange has to say. */
void host_remark(struct host *host, const char *text, size_t length);

/* Visits each open TCP socket that is or was connected, or listens; state is what the kernel says
 * of it now. */
typedef void host_state_visitor(void *data, const struct role *role, const struct address *local,
                                const struct address *remote, enum tcp_state state);
void host_visit_states(const struct host *host, host_state_visitor *visitor, void *data);

/* Asks the exchange to end as if by Ctrl-C. May be called inside a step. */
void host_interrupt(struct host *host);

/* Has settings.tidy called between two steps: much memory was in use and is not any more. */
void host_tidy_soon(struct host *host);

/*
 * Runs the exchange to its end. Returns true for TRACE_DONE; else false with error set to one
 * sentence and, by lines, what each role was doing: "client was waiting in recv (hello.lua:21)".
 * error->status is STATUS_USAGE for a script's failure, deadlock, time-out or limit, STATUS_DONE
 * for an interruption (the trace so far is shown all the same). Adds the TRACE_END event.
 * In serving a signal is the regular end: TRACE_DONE. Every call is complete in the trace: one
 * that the end cut short returns ECANCELED. A trace that could not be written is false as well,
 * with the recorder's error, though the outcome is TRACE_DONE. The recorder is flushed as it goes.
 */
bool host_run(struct host *host, enum trace_outcome *outcome, struct error *error);

/* Closes every socket that is left and frees all of them: no handle may be used, nor released,
 * afterwards. Tasks that are left are canceled. NULL is allowed. */
void host_close(struct host *host);

#endif
