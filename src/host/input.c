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

/* Gives the task the first taken bytes of what is unread, of which length are the line. */
static enum need give(struct task *task, size_t length, size_t taken)
{
    struct host *host = task->host;
    struct buffer *unread = &host->unread;
    uint8_t *room = task_room(task, length + 1);
    if (room == NULL)
        return call_fail(task, ENOMEM);
    memcpy(room, unread->data, length);
    memmove(unread->data, unread->data + taken, unread->length - taken);
    unread->length -= taken;
    task->result.bytes = room;
    task->result.length = length;
    host_note(host, task->role, TRACE_NOTE_INPUT, (const char *)room, length, task->call.script,
              task->call.line);
    return call_succeed(task, (int64_t)length);
}

static enum need attempt_input(struct task *task)
{
    struct host *host = task->host;
    struct buffer *unread = &host->unread;
    for (;;) {
        uint8_t *newline = unread->length == 0 ? NULL : memchr(unread->data, '\n', unread->length);
        /* Who else waits looks for himself: what is here already wakes nobody. */
        if (newline != NULL || host->input_ended)
            poll_wake_all(host->input);
        if (newline != NULL)
            return give(task, (size_t)(newline - unread->data),
                        (size_t)(newline - unread->data) + 1);
        if (unread->length >= LONGEST_LINE || (host->input_ended && unread->length > 0))
            return give(task, unread->length, unread->length);
        if (host->input_ended) {
            task->result.end_of_stream = true;
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
        else if (errno != EINTR)
            return call_fail(task, errno);
    }
}

enum call_progress task_input(struct task *task)
{
    struct host *host = task->host;
    bool opened = open_input(host);
    struct call *call = call_begin(task, "input", opened ? host->input : NULL, attempt_input);
    call->recorded = false;
    call->waits_for_input = true;
    if (!opened) {
        host->input_ended = true; /* no standard input is an empty one */
        call->attempt = NULL;
        task->result.end_of_stream = true;
        return CALL_DONE;
    }
    return call_start(task);
}
