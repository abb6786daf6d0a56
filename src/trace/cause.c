#include "trace/cause.h"

#include <stdlib.h>
#include <string.h>

/* The longest arguments in a comment, bytes: it stands at every packet of the call. */
#define ARGUMENTS_LIMIT 160
/* A role with a higher number has no name in comments. */
#define ROLE_LIMIT 65536

struct cause_call {
    struct cause_call *next;
    uint32_t call;
    struct buffer comment;
};

void cause_close(struct cause_finder *finder)
{
    for (size_t i = 0; i <= CAUSE_BUCKETS; i++) {
        struct cause_call *call = i < CAUSE_BUCKETS ? finder->calls[i] : finder->unused;
        while (call != NULL) {
            struct cause_call *next = call->next;
            buffer_free(&call->comment);
            free(call);
            call = next;
        }
    }
    for (size_t i = 0; i < finder->role_count; i++)
        buffer_free(&finder->roles[i]);
    free(finder->roles);
    free(finder->windows);
    *finder = (struct cause_finder){0};
}

/* Room for one more window behind the last. */
static bool make_room(struct cause_finder *finder)
{
    if (finder->last < finder->capacity)
        return true;
    size_t count = finder->last - finder->first;
    if (count > finder->capacity / 2 || finder->capacity == 0) {
        size_t capacity = finder->capacity == 0 ? 256 : finder->capacity * 2;
        struct cause_window *grown = realloc(finder->windows, capacity * sizeof *grown);
        if (grown == NULL) {
            finder->failed = true;
            return false;
        }
        finder->windows = grown;
        finder->capacity = capacity;
    }
    memmove(finder->windows, finder->windows + finder->first, count * sizeof *finder->windows);
    finder->near -= finder->first;
    finder->first = 0;
    finder->last = count;
    return true;
}

void cause_add_window(struct cause_finder *finder, const struct trace_event *event)
{
    struct cause_window window;
    if (event->kind == TRACE_SYSCALL)
        window = (struct cause_window){event->time, event->syscall.end, event->syscall.call};
    else if (event->kind == TRACE_RETURN && event->result.window_end != 0)
        window = (struct cause_window){event->result.window_start, event->result.window_end,
                                       event->result.call};
    else
        return;
    if (!make_room(finder))
        return;
    /* In order already, but for a host that reports two calls the other way round. */
    size_t at = finder->last++;
    for (; at > finder->first && finder->windows[at - 1].start > window.start; at--)
        finder->windows[at] = finder->windows[at - 1];
    finder->windows[at] = window;
}

void cause_forget_before(struct cause_finder *finder, int64_t time)
{
    while (finder->first < finder->last && finder->windows[finder->first].end < time)
        finder->first++;
    if (finder->near < finder->first)
        finder->near = finder->first;
}

static void follow_role(struct cause_finder *finder, const struct trace_role *role)
{
    if (role->role >= ROLE_LIMIT)
        return;
    if (role->role >= finder->role_count) {
        size_t count = (size_t)role->role + 1;
        struct buffer *grown = realloc(finder->roles, count * sizeof *grown);
        if (grown == NULL) {
            finder->failed = true;
            return;
        }
        memset(grown + finder->role_count, 0, (count - finder->role_count) * sizeof *grown);
        finder->roles = grown;
        finder->role_count = count;
    }
    struct buffer *name = &finder->roles[role->role];
    buffer_clear(name);
    buffer_append(name, role->name.data, role->name.length);
}

static void append_arguments(struct buffer *comment, struct trace_text arguments)
{
    size_t length = arguments.length;
    if (length > ARGUMENTS_LIMIT) {
        length = ARGUMENTS_LIMIT;
        while (length > 0 && ((unsigned char)arguments.data[length] & 0xc0) == 0x80)
            length--;
    }
    buffer_append(comment, arguments.data, length);
    if (length < arguments.length)
        buffer_append_text(comment, "…");
}

/* "client connect(127.0.0.1:65432)  hello.lua:14" */
static void write_comment(const struct cause_finder *finder, const struct trace_call *call,
                          struct buffer *comment)
{
    buffer_clear(comment);
    if (call->role < finder->role_count && finder->roles[call->role].length > 0) {
        const struct buffer *role = &finder->roles[call->role];
        buffer_append(comment, role->data, role->length);
        buffer_append_byte(comment, ' ');
    }
    buffer_append(comment, call->name.data, call->name.length);
    buffer_append_byte(comment, '(');
    append_arguments(comment, call->arguments);
    buffer_append_byte(comment, ')');
    if (call->script.length == 0)
        return;
    buffer_append_text(comment, "  ");
    buffer_append(comment, call->script.data, call->script.length);
    buffer_append_byte(comment, ':');
    buffer_append_number(comment, call->line);
}

static void follow_call(struct cause_finder *finder, const struct trace_call *call)
{
    struct cause_call *entry = finder->unused;
    if (entry != NULL)
        finder->unused = entry->next;
    else
        entry = calloc(1, sizeof *entry);
    if (entry == NULL) {
        finder->failed = true;
        return;
    }
    entry->call = call->call;
    write_comment(finder, call, &entry->comment);
    struct cause_call **bucket = &finder->calls[call->call % CAUSE_BUCKETS];
    entry->next = *bucket;
    *bucket = entry;
}

static void follow_return(struct cause_finder *finder, uint32_t call)
{
    struct cause_call **link = &finder->calls[call % CAUSE_BUCKETS];
    while (*link != NULL && (*link)->call != call)
        link = &(*link)->next;
    struct cause_call *entry = *link;
    if (entry == NULL)
        return;
    *link = entry->next;
    entry->next = finder->unused;
    finder->unused = entry;
}

void cause_follow(struct cause_finder *finder, const struct trace_event *event)
{
    if (event->kind == TRACE_ROLE)
        follow_role(finder, &event->role);
    else if (event->kind == TRACE_CALL)
        follow_call(finder, &event->call);
    else if (event->kind == TRACE_RETURN)
        follow_return(finder, event->result.call);
}

void cause_find(struct cause_finder *finder, int64_t time, struct trace_packet *packet)
{
    /* Stamps hardly ever go back, but they may: those of packets from two processors. */
    const struct cause_window *windows = finder->windows;
    while (finder->near > finder->first && windows[finder->near - 1].end >= time)
        finder->near--;
    while (finder->near < finder->last && windows[finder->near].end < time)
        finder->near++;
    packet->cause = 0;
    packet->comment = (struct trace_text){0};
    if (finder->near == finder->last || windows[finder->near].start > time)
        return;
    packet->cause = windows[finder->near].call;
    const struct cause_call *call = finder->calls[packet->cause % CAUSE_BUCKETS];
    while (call != NULL && call->call != packet->cause)
        call = call->next;
    if (call != NULL)
        packet->comment =
            (struct trace_text){(const char *)call->comment.data, call->comment.length};
}
