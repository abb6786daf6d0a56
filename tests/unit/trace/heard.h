/*
 * heard.h - a recorder that is listened to, and events to feed it with. For tests of src/trace
 * only.
 */
#ifndef HANDLENS_TESTS_UNIT_TRACE_HEARD_H
#define HANDLENS_TESTS_UNIT_TRACE_HEARD_H

#include "unit/trace/samples.h"

#include <stdio.h>

#include "trace/recorder.h"

#define HEARD_LIMIT 64

/* What the listener heard: kinds, times, numbers, causes and comments. */
struct heard {
    size_t count;
    struct {
        enum trace_kind kind;
        int64_t time;
        uint64_t number;
        uint32_t cause;
        char comment[256];
    } events[HEARD_LIMIT];
};

static inline void hear(void *data, const struct trace_event *event)
{
    struct heard *heard = data;
    assert_true(heard->count < HEARD_LIMIT);
    size_t i = heard->count++;
    heard->events[i].kind = event->kind;
    heard->events[i].time = event->time;
    if (event->kind != TRACE_PACKET)
        return;
    heard->events[i].number = event->packet.number;
    heard->events[i].cause = event->packet.cause;
    snprintf(heard->events[i].comment, sizeof heard->events[i].comment, "%.*s",
             (int)event->packet.comment.length, event->packet.comment.data);
}

static inline struct recorder *listening(struct heard *heard, struct trace_writer *writer)
{
    struct error error;
    struct recorder *recorder = recorder_open(writer, &error);
    assert_non_null(recorder);
    *heard = (struct heard){0};
    recorder_listen(recorder, hear, heard);
    return recorder;
}

static inline void add_interface(struct recorder *recorder, int64_t time)
{
    recorder_add(recorder, &(struct trace_event){.kind = TRACE_INTERFACE,
                                                 .time = time,
                                                 .interface = {0, 1, 65536, TEXT("lo")}});
    recorder_capture_starts(recorder);
}

static inline void add_role(struct recorder *recorder, int64_t time, uint32_t role,
                            const char *name)
{
    recorder_add(recorder,
                 &(struct trace_event){.kind = TRACE_ROLE,
                                       .time = time,
                                       .role = {role, TRACE_ROLE_CLIENT, trace_text_of(name)}});
}

static inline void add_call(struct recorder *recorder, int64_t time, uint32_t call, uint32_t role,
                            const char *arguments, uint32_t line)
{
    recorder_add(recorder, &(struct trace_event){
                               .kind = TRACE_CALL,
                               .time = time,
                               .call = {call, role, 1, TEXT("connect"), trace_text_of(arguments),
                                        trace_text_of(line > 0 ? "hello.lua" : ""), line}});
}

static inline void add_syscall(struct recorder *recorder, uint32_t call, int64_t start, int64_t end)
{
    recorder_add(recorder, &(struct trace_event){
                               .kind = TRACE_SYSCALL, .time = start, .syscall = {call, end, 0, 0}});
}

static inline void add_return(struct recorder *recorder, int64_t time, uint32_t call, int64_t start,
                              int64_t end)
{
    recorder_add(recorder, &(struct trace_event){
                               .kind = TRACE_RETURN,
                               .time = time,
                               .result = {.call = call, .window_start = start, .window_end = end}});
}

static inline void add_packet(struct recorder *recorder, int64_t time)
{
    recorder_add_packet(recorder, time,
                        &(struct trace_packet){.link_type = 1,
                                               .length = sizeof sample_frame,
                                               .bytes = {sample_frame, sizeof sample_frame}});
}

static inline void assert_kinds(const struct heard *heard, const enum trace_kind *kinds,
                                size_t count)
{
    assert_int_equal(heard->count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(heard->events[i].kind, kinds[i]);
}

#endif
