/*
 * samples.h - traces for the tests of src/trace: one of every kind by hand, and any number at
 * random (from a seed, so that a failure comes again).
 */
#ifndef HANDLENS_TESTS_TRACE_SAMPLES_H
#define HANDLENS_TESTS_TRACE_SAMPLES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/tcp_state.h"
#include "trace/event.h"
#include "trace/reader.h"
#include "trace/writer.h"

#define TEXT(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

#define SAMPLE_COUNT     17
#define SAMPLE_INTERFACE 4 /* where the interface is told */
#define SAMPLE_TIME      INT64_C(1790000000123456789)

static const struct address sample_v4 = {.family = 4, .port = 65432, .bytes = {127, 0, 0, 1}};
static const struct address sample_v6 = {
    .family = 6, .port = 9, .scope = 3, .bytes = {[0] = 0xfe, [1] = 0x80, [15] = 1}};

/* An IPv4 SYN on the loopback (Ethernet header of zeros). */
static const uint8_t sample_frame[] = {
    0,    0,    0,    0, 0,  0, 0,    0,    0,   0, 0,    0, 8,    0,    0x45, 0, 0,    40,
    0,    0,    0x40, 0, 64, 6, 0x3c, 0xce, 127, 0, 0,    1, 127,  0,    0,    1, 0xc0, 0,
    0xff, 0x98, 0,    0, 0,  1, 0,    0,    0,   0, 0x50, 2, 0xff, 0xd7, 0,    0, 0,    0,
};

static const char sample_secrets[] = "CLIENT_RANDOM 00 11\n";

/* Every kind, every field not zero, in an order a run could have. */
static inline const struct trace_event *sample_trace(void)
{
    static struct trace_event events[SAMPLE_COUNT];
    struct trace_event *e = events;
    *e++ = (struct trace_event){.kind = TRACE_EXCHANGE,
                                .exchange = {.lab = TEXT("hello"),
                                             .script = TEXT("hello.lua"),
                                             .title = TEXT("Hello"),
                                             .about = TEXT("一条消息"),
                                             .place = TEXT("private loopback"),
                                             .address = sample_v4,
                                             .program = TEXT("handlens 0.1.0"),
                                             .command = TEXT("run")}};
    *e++ = (struct trace_event){
        .kind = TRACE_SCRIPT,
        .script = {.name = TEXT("hello.lua"), .text = TEXT("lab.title = 'Hello'\n")}};
    *e++ = (struct trace_event){.kind = TRACE_ROLE, .role = {1, TRACE_ROLE_SERVER, TEXT("server")}};
    *e++ = (struct trace_event){.kind = TRACE_ROLE, .role = {2, TRACE_ROLE_CLIENT, TEXT("client")}};
    *e++ = (struct trace_event){.kind = TRACE_INTERFACE, .interface = {0, 1, 262144, TEXT("lo")}};
    *e++ = (struct trace_event){.kind = TRACE_SOCKET,
                                .socket = {3, 2, TRACE_TCP, sample_v4, sample_v6}};
    *e++ = (struct trace_event){
        .kind = TRACE_CALL,
        .call = {7, 2, 3, TEXT("connect"), TEXT("127.0.0.1:65432"), TEXT("hello.lua"), 14}};
    *e++ = (struct trace_event){.kind = TRACE_SYSCALL, .syscall = {7, SAMPLE_TIME + 5000, -1, 115}};
    *e++ = (struct trace_event){.kind = TRACE_PACKET,
                                .packet = {1,
                                           0,
                                           1,
                                           60,
                                           {sample_frame, sizeof sample_frame},
                                           7,
                                           TEXT("client connect(127.0.0.1:65432)  hello.lua:14")}};
    *e++ = (struct trace_event){.kind = TRACE_RETURN,
                                .result = {7, SAMPLE_TIME + 9000, SAMPLE_TIME + 9900, -1, 111,
                                           TEXT("nil"),
                                           TEXT("connect to 127.0.0.1:9: Connection refused")}};
    *e++ = (struct trace_event){
        .kind = TRACE_STATE,
        .state = {3, 7, TCP_STATE_ESTABLISHED, 2, 33, 10, sample_v6, sample_v4}};
    *e++ = (struct trace_event){
        .kind = TRACE_NOTE,
        .note = {TRACE_NOTE_INPUT, 2, TEXT("received\nHello"), TEXT("hello.lua"), 21}};
    *e++ = (struct trace_event){
        .kind = TRACE_SECRETS,
        .secrets = {0x544c534b, {(const uint8_t *)sample_secrets, sizeof sample_secrets - 1}}};
    /* A frame cut short by the snapshot length, of nobody's call. */
    *e++ = (struct trace_event){.kind = TRACE_PACKET,
                                .packet = {2, 0, 1, 1514, {sample_frame, 33}, 0, {0}}};
    *e++ = (struct trace_event){.kind = TRACE_CHECK,
                                .check = {TRACE_NOT_JUDGED, TEXT("a handshake"), TEXT("none"),
                                          TEXT("3, 5-7"), TEXT("hello.lua"), 30}};
    *e++ = (struct trace_event){.kind = TRACE_STATISTICS,
                                .statistics = {0, UINT64_C(0x100000002), UINT64_C(0x300000004)}};
    *e++ = (struct trace_event){.kind = TRACE_END,
                                .end = {TRACE_TIMED_OUT, TEXT("the time was over")}};
    for (size_t i = 0; i < SAMPLE_COUNT; i++)
        events[i].time = SAMPLE_TIME + (int64_t)i * 1000;
    return events;
}

/* A file in memory; close() lets it go. */
static inline int sample_file(const void *data, size_t length)
{
    int fd = memfd_create("trace", 0);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, length), length);
    return fd;
}

static inline int sample_written(const struct trace_event *events, size_t count)
{
    int fd = sample_file("", 0);
    struct error error = {0};
    struct trace_writer *writer = trace_writer_to(fd, &error);
    assert_non_null(writer);
    for (size_t i = 0; i < count; i++) {
        if (!trace_writer_add(writer, &events[i], &error))
            fail_msg("%s", error.text);
    }
    assert_true(trace_writer_close(writer, &error));
    return fd;
}

/* All bytes of the file, to be freed. */
static inline uint8_t *sample_bytes(int fd, size_t *length)
{
    *length = (size_t)lseek(fd, 0, SEEK_END);
    uint8_t *bytes = malloc(*length + 1);
    assert_non_null(bytes);
    assert_int_equal(pread(fd, bytes, *length, 0), *length);
    return bytes;
}

/*
 * Reads the file: its events must be the first ones of those expected, in order. Returns how many
 * there were and sets *last.
 */
static inline size_t sample_read(int fd, const struct trace_event *expected, size_t count,
                                 enum trace_progress *last, struct error *error)
{
    struct trace_reader *reader = trace_reader_from(fd, "sample.pcapng", error);
    assert_non_null(reader);
    size_t seen = 0;
    struct trace_event event;
    while ((*last = trace_reader_next(reader, &event, error)) == TRACE_READ_EVENT) {
        if (seen == count)
            fail_msg("one event too many, of kind %d", event.kind);
        if (!trace_event_equal(&event, &expected[seen]))
            fail_msg("event %zu, kind %d, comes back changed", seen, event.kind);
        seen++;
    }
    trace_reader_close(reader);
    return seen;
}

static inline void assert_reads_back(int fd, const struct trace_event *expected, size_t count)
{
    struct error error = {0};
    enum trace_progress last;
    size_t seen = sample_read(fd, expected, count, &last, &error);
    if (last != TRACE_READ_END)
        fail_msg("%s", error.text);
    assert_int_equal(seen, count);
}

#endif
