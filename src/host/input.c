/*
 * input.c - lines of standard input, for roles that ask.
 *
 * The descriptor must not block the loop, but O_NONBLOCK on standard input itself would stay there
 * for whoever shares the terminal. So it is opened anew through /proc; where that is refused (a
 * socket, another user's terminal), the flag is set and taken back at the end.
 */
#include "host/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LONGEST_LINE = 64 * 1024 };

static bool open_input(struct host *host)
{
    if (host->input != NULL)
        return true;
    struct host_socket *input = calloc(1, sizeof *input);
    if (input == NULL)
        return false;
    input->host = host;
    input->timeout = -1;
    input->fd = open("/proc/self/fd/0", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (input->fd < 0)
        input->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    if (input->fd < 0) {
        free(input);
        return false;
    }
    int flags = fcntl(input->fd, F_GETFL);
    if ((flags & O_NONBLOCK) == 0) {
        fcntl(input->fd, F_SETFL, flags | O_NONBLOCK);
        input->readable = true; /* that is: the flag is to be taken back */
    }
    host->input = input;
    return true;
}

void input_close(struct host *host)
{
    struct host_socket *input = host->input;
    if (input == NULL)
        return;
    poll_forget(input);
    if (input->readable)
        fcntl(input->fd, F_SETFL, fcntl(input->fd, F_GETFL) & ~O_NONBLOCK);
    close(input->fd);
    input->fd = -1;
}

void input_free(struct host *host)
{
    free(host->input);
    buffer_free(&host->unread);
}

/* The next one's turn. Who waits looks for himself: what has been read already wakes nobody. */
static void serve_next(struct host *host)
{
    host->inputs_served++;
    poll_wake_all(host->input);
}

/* Gives the task the first taken bytes of what is unread, of which length are the line. */
static enum need give(struct task *task, size_t length, size_t taken)
{
    struct host *host = task->host;
    struct buffer *unread = &host->unread;
    uint8_t *room = host_room(host, length + 1);
    if (room == NULL)
        return call_fail(task, ENOMEM);
    memcpy(room, unread->data, length);
    memmove(unread->data, unread->data + taken, unread->length - taken);
    unread->length -= taken;
    task->result.bytes = room;
    task->result.length = length;
    host_note(host, task->role, TRACE_NOTE_INPUT, (const char *)room, length, task->call.script,
              task->call.line);
    serve_next(host);
    return call_succeed(task, (int64_t)length);
}

static void show_prompt(struct task *task, const char *text, size_t length, bool typed)
{
    struct host *host = task->host;
    if (host->prompter != NULL)
        host->prompter(host->prompter_data, task->role, text, length, typed);
}

/* call->option is the task's number in the queue; stage 1: it has been prompted. */
static enum need attempt_input(struct task *task)
{
    struct host *host = task->host;
    struct call *call = &task->call;
    struct buffer *unread = &host->unread;
    if (call->option != host->inputs_served + 1)
        return NEED_READ;
    if (call->stage == 0)
        show_prompt(task, (const char *)call->bytes, call->length, true);
    call->stage = 1;
    for (;;) {
        uint8_t *newline = unread->length == 0 ? NULL : memchr(unread->data, '\n', unread->length);
        if (newline != NULL)
            return give(task, (size_t)(newline - unread->data),
                        (size_t)(newline - unread->data) + 1);
        if (unread->length >= LONGEST_LINE || (host->input_ended && unread->length > 0))
            return give(task, unread->length, unread->length);
        if (host->input_ended) {
            task->result.end_of_stream = true;
            show_prompt(task, NULL, 0, true);
            serve_next(host);
            return call_succeed(task, 0);
        }
        uint8_t *room = buffer_reserve(unread, 4096);
        if (room == NULL)
            return call_fail(task, ENOMEM);
        ssize_t got = read(host->input->fd, room, 4096);
        if (got > 0)
            unread->length += (size_t)got;
        else if (got == 0)
            host->input_ended = true;
        else if (errno == EAGAIN)
            return NEED_READ;
        else if (errno != EINTR) {
            int error = errno;
            serve_next(host);
            return call_fail(task, error);
        }
    }
}

enum call_progress task_input(struct task *task, const char *prompt, size_t length)
{
    struct host *host = task->host;
    bool opened = open_input(host);
    struct call *call = call_begin(task, "input", opened ? host->input : NULL, attempt_input);
    call->recorded = false;
    call->waits_for_input = true;
    call->bytes = (const uint8_t *)prompt;
    call->length = length;
    if (!opened) {
        host->input_ended = true; /* no standard input is an empty one */
        call->attempt = NULL;
        task->result.end_of_stream = true;
        return CALL_DONE;
    }
    call->option = ++host->inputs_asked;
    return call_start(task);
}

void task_answer(struct task *task, const char *prompt, size_t prompt_length, const char *line,
                 size_t length)
{
    if (line == NULL)
        return;
    show_prompt(task, prompt, prompt_length, false);
    host_note(task->host, task->role, TRACE_NOTE_INPUT, line, length, task->script, task->line);
}
