/*
 * trace_maker.h - traces made by hand, as the host and the capture would record them.
 *
 * A maker writes a trace into a temporary file; each step takes 10 us. Frames are whole: Ethernet,
 * IPv4, TCP or UDP, as a loopback shows them. maker_render then shows the file as any other.
 */
#ifndef HANDLENS_TESTS_VIEW_TRACE_MAKER_H
#define HANDLENS_TESTS_VIEW_TRACE_MAKER_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "trace/reader.h"
#include "trace/writer.h"
#include "view/view.h"

#define MAKER_START INT64_C(1700000000000000000)
#define MAKER_STEP  10000

struct maker {
    FILE *file;
    struct trace_writer *writer;
    int64_t time;
    uint32_t calls;
    uint64_t packets;
    uint32_t cause;    /* of the packets to come: the call whose system call runs */
    char comment[512]; /* that names it */
    int64_t window;    /* where the running system call began */
};

static inline void maker_add(struct maker *maker, struct trace_event event)
{
    struct error error;
    maker->time += MAKER_STEP;
    event.time = maker->time;
    if (!trace_writer_add(maker->writer, &event, &error))
        fail_msg("%s", error.text);
}

static inline void maker_open(struct maker *maker)
{
    struct error error;
    *maker = (struct maker){.file = tmpfile(), .time = MAKER_START};
    assert_non_null(maker->file);
    maker->writer = trace_writer_to(fileno(maker->file), &error);
    assert_non_null(maker->writer);
}

static inline void maker_close(struct maker *maker)
{
    struct error error;
    if (maker->writer != NULL)
        assert_true(trace_writer_close(maker->writer, &error));
    fclose(maker->file);
}

static inline struct address maker_address(uint16_t port)
{
    return (struct address){.family = 4, .port = port, .bytes = {127, 0, 0, 1}};
}

static inline void maker_exchange(struct maker *maker, const char *title, const char *about)
{
    maker_add(maker, (struct trace_event){.kind = TRACE_EXCHANGE,
                                          .exchange = {.lab = trace_text_of("hello"),
                                                       .script = trace_text_of("hello.lua"),
                                                       .title = trace_text_of(title),
                                                       .about = trace_text_of(about),
                                                       .place = trace_text_of("private loopback"),
                                                       .address = maker_address(65432),
                                                       .program = trace_text_of("handlens"),
                                                       .command = trace_text_of("run")}});
}

static inline void maker_interface(struct maker *maker)
{
    maker_add(maker, (struct trace_event){.kind = TRACE_INTERFACE,
                                          .interface = {.link_type = 1,
                                                        .snap_length = 262144,
                                                        .name = trace_text_of("lo")}});
}

static inline void maker_role(struct maker *maker, uint32_t role, enum trace_role_kind kind,
                              const char *name)
{
    maker_add(maker, (struct trace_event){
                         .kind = TRACE_ROLE,
                         .role = {.role = role, .kind = kind, .name = trace_text_of(name)}});
}

/* Returns the call's number. line 0: the host's own. */
static inline uint32_t maker_call(struct maker *maker, uint32_t role, uint32_t socket,
                                  const char *name, const char *arguments, uint32_t line)
{
    uint32_t call = ++maker->calls;
    maker_add(maker, (struct trace_event){.kind = TRACE_CALL,
                                          .call = {.call = call,
                                                   .role = role,
                                                   .socket = socket,
                                                   .name = trace_text_of(name),
                                                   .arguments = trace_text_of(arguments),
                                                   .script = trace_text_of(line ? "hello.lua" : ""),
                                                   .line = line}});
    maker->window = maker->time + 1;
    maker->cause = call;
    snprintf(maker->comment, sizeof maker->comment, "%s(%s)  hello.lua:%u", name, arguments, line);
    return call;
}

/* The call's system call found nothing to do. */
static inline void maker_blocks(struct maker *maker, uint32_t call)
{
    maker_add(maker, (struct trace_event){.kind = TRACE_SYSCALL,
                                          .syscall = {.call = call,
                                                      .end = maker->time + 2 * MAKER_STEP,
                                                      .value = -1,
                                                      .error = EAGAIN}});
    maker->time += MAKER_STEP;
    maker->cause = 0;
}

/* A call that waited begins its last system call now. */
static inline void maker_resumes(struct maker *maker, uint32_t call)
{
    maker->time += MAKER_STEP;
    maker->window = maker->time;
    maker->cause = call;
}

static inline void maker_returns(struct maker *maker, uint32_t call, const char *result)
{
    maker_add(maker, (struct trace_event){.kind = TRACE_RETURN,
                                          .result = {.call = call,
                                                     .window_start = maker->window,
                                                     .window_end = maker->time + MAKER_STEP - 1,
                                                     .result = trace_text_of(result)}});
    maker->cause = 0;
}

static inline void maker_fails(struct maker *maker, uint32_t call, int error, const char *message)
{
    maker_add(maker, (struct trace_event){.kind = TRACE_RETURN,
                                          .result = {.call = call,
                                                     .window_start = maker->window,
                                                     .window_end = maker->time + MAKER_STEP - 1,
                                                     .value = -1,
                                                     .error = error,
                                                     .message = trace_text_of(message)}});
    maker->cause = 0;
}

static inline void maker_socket(struct maker *maker, uint32_t socket, uint32_t role,
                                enum trace_transport transport, uint16_t local, uint16_t remote)
{
    struct trace_event event = {.kind = TRACE_SOCKET,
                                .socket = {.socket = socket, .role = role, .transport = transport}};
    event.socket.local = maker_address(local);
    if (remote != 0)
        event.socket.remote = maker_address(remote);
    maker_add(maker, event);
}

static inline void maker_state(struct maker *maker, uint32_t socket, uint32_t call, uint8_t state,
                               uint16_t local, uint16_t remote)
{
    maker_add(maker, (struct trace_event){.kind = TRACE_STATE,
                                          .state = {.socket = socket,
                                                    .call = call,
                                                    .state = state,
                                                    .local = maker_address(local),
                                                    .remote = maker_address(remote)}});
}

static inline void maker_note(struct maker *maker, enum trace_note_kind kind, uint32_t role,
                              const char *text, uint32_t line)
{
    maker_add(maker, (struct trace_event){.kind = TRACE_NOTE,
                                          .note = {.kind = kind,
                                                   .role = role,
                                                   .text = trace_text_of(text),
                                                   .script = trace_text_of(line ? "hello.lua" : ""),
                                                   .line = line}});
}

static inline void maker_check(struct maker *maker, enum trace_verdict verdict,
                               const char *expectation, const char *seen, const char *packets)
{
    maker_add(maker, (struct trace_event){.kind = TRACE_CHECK,
                                          .check = {.verdict = verdict,
                                                    .expectation = trace_text_of(expectation),
                                                    .seen = trace_text_of(seen),
                                                    .packets = trace_text_of(packets),
                                                    .script = trace_text_of("hello.lua"),
                                                    .line = 30}});
}

static inline void maker_drops(struct maker *maker, uint64_t dropped)
{
    maker_add(maker,
              (struct trace_event){.kind = TRACE_STATISTICS,
                                   .statistics = {.received = maker->packets, .dropped = dropped}});
}

static inline void maker_end(struct maker *maker, enum trace_outcome outcome, const char *text)
{
    maker_add(maker,
              (struct trace_event){.kind = TRACE_END,
                                   .end = {.outcome = outcome, .text = trace_text_of(text)}});
}

static inline void maker_put16(uint8_t *to, uint32_t number)
{
    to[0] = (uint8_t)(number >> 8);
    to[1] = (uint8_t)number;
}

static inline void maker_put32(uint8_t *to, uint32_t number)
{
    maker_put16(to, number >> 16);
    maker_put16(to + 2, number);
}

/* A frame as it is. */
static inline void maker_raw(struct maker *maker, const uint8_t *frame, size_t length)
{
    const char *comment = maker->cause != 0 ? maker->comment : "";
    maker_add(maker, (struct trace_event){.kind = TRACE_PACKET,
                                          .packet = {.number = ++maker->packets,
                                                     .link_type = 1,
                                                     .cause = maker->cause,
                                                     .comment = trace_text_of(comment),
                                                     .length = (uint32_t)length,
                                                     .bytes = {frame, length}}});
}

/* A frame with this much behind the IPv4 header. */
static inline void maker_frame(struct maker *maker, uint8_t protocol, const uint8_t *segment,
                               size_t length)
{
    uint8_t frame[14 + 20 + 2048] = {[12] = 0x08};
    uint8_t *ip = frame + 14;
    assert_true(length <= 2048);
    ip[0] = 0x45;
    maker_put16(ip + 2, (uint32_t)(20 + length));
    maker_put16(ip + 6, 0x4000);
    ip[8] = 64;
    ip[9] = protocol;
    static const uint8_t addresses[8] = {127, 0, 0, 1, 127, 0, 0, 1};
    memcpy(ip + 12, addresses, 8);
    memcpy(ip + 20, segment, length);
    maker_raw(maker, frame, 34 + length);
}

/* One end of a TCP connection. */
struct maker_end {
    uint16_t port;
    uint32_t seq; /* the next one it sends */
};

struct maker_connection {
    struct maker_end client, server;
};

enum { MAKER_FIN = 1, MAKER_SYN = 2, MAKER_RST = 4, MAKER_PSH = 8, MAKER_ACK = 16, MAKER_URG = 32 };

/* A segment from an end, which takes its sequence numbers. */
static inline void maker_segment_of(struct maker *maker, struct maker_end *from,
                                    const struct maker_end *to, uint8_t flags, uint32_t window,
                                    const void *payload, size_t length)
{
    uint8_t segment[2048] = {0};
    static const uint8_t options[20] = {2, 4, 0xff, 0xd7, 4, 2, 8, 10, 0, 0,
                                        0, 1, 0,    0,    0, 0, 1, 3,  3, 7};
    size_t header = flags & MAKER_SYN ? 40 : 20;
    assert_true(length <= sizeof segment - header);
    maker_put16(segment, from->port);
    maker_put16(segment + 2, to->port);
    maker_put32(segment + 4, from->seq);
    if (flags & MAKER_ACK)
        maker_put32(segment + 8, to->seq);
    segment[12] = (uint8_t)(header / 4 << 4);
    segment[13] = flags;
    maker_put16(segment + 14, window);
    if (flags & MAKER_URG)
        maker_put16(segment + 18, (uint32_t)length);
    if (flags & MAKER_SYN)
        memcpy(segment + 20, options, sizeof options);
    if (length > 0)
        memcpy(segment + header, payload, length);
    maker_frame(maker, 6, segment, header + length);
    from->seq += (uint32_t)length + ((flags & MAKER_SYN) != 0) + ((flags & MAKER_FIN) != 0);
}

static inline void maker_segment(struct maker *maker, struct maker_end *from,
                                 const struct maker_end *to, uint8_t flags, uint32_t window,
                                 const char *payload)
{
    maker_segment_of(maker, from, to, flags, window, payload,
                     payload == NULL ? 0 : strlen(payload));
}

/* An ACK with one SACK block, of the bytes from left on that the other end has sent. */
static inline void maker_sack(struct maker *maker, const struct maker_end *from,
                              const struct maker_end *to, uint32_t ack, uint32_t left,
                              uint32_t right)
{
    uint8_t segment[32] = {
        [12] = 8 << 4, [13] = MAKER_ACK, [20] = 1, [21] = 1, [22] = 5, [23] = 10};
    maker_put16(segment, from->port);
    maker_put16(segment + 2, to->port);
    maker_put32(segment + 4, from->seq);
    maker_put32(segment + 8, ack);
    maker_put16(segment + 14, 512);
    maker_put32(segment + 24, left);
    maker_put32(segment + 28, right);
    maker_frame(maker, 6, segment, sizeof segment);
}

/* A piece of an IPv4 datagram: so much of it at that offset, a multiple of 8. */
static inline void maker_fragment(struct maker *maker, uint16_t identification, uint32_t offset,
                                  bool more, const uint8_t *bytes, size_t length)
{
    uint8_t frame[14 + 20 + 64] = {[12] = 0x08, [14] = 0x45, [22] = 64, [23] = 17};
    static const uint8_t addresses[8] = {127, 0, 0, 1, 127, 0, 0, 1};
    assert_true(length <= 64);
    maker_put16(frame + 16, (uint32_t)(20 + length));
    maker_put16(frame + 18, identification);
    maker_put16(frame + 20, offset / 8 | (more ? 0x2000 : 0));
    memcpy(frame + 26, addresses, 8);
    memcpy(frame + 34, bytes, length);
    maker_raw(maker, frame, 34 + length);
}

static inline void maker_datagram(struct maker *maker, uint16_t from, uint16_t to,
                                  const char *payload)
{
    uint8_t datagram[2048] = {0};
    size_t length = strlen(payload);
    maker_put16(datagram, from);
    maker_put16(datagram + 2, to);
    maker_put16(datagram + 4, (uint32_t)(8 + length));
    memcpy(datagram + 8, payload, length);
    maker_frame(maker, 17, datagram, 8 + length);
}

/* ICMP port unreachable for a datagram without payload. */
static inline void maker_unreachable(struct maker *maker, uint16_t from, uint16_t to)
{
    uint8_t message[8 + 20 + 8] = {3, 3};
    uint8_t *ip = message + 8;
    static const uint8_t addresses[8] = {127, 0, 0, 1, 127, 0, 0, 1};
    ip[0] = 0x45;
    maker_put16(ip + 2, 28);
    ip[8] = 64;
    ip[9] = 17;
    memcpy(ip + 12, addresses, 8);
    maker_put16(ip + 20, from);
    maker_put16(ip + 22, to);
    maker_put16(ip + 24, 8);
    maker_frame(maker, 1, message, sizeof message);
}

/* SYN, SYN ACK, ACK: what connect does. */
static inline void maker_handshake(struct maker *maker, struct maker_connection *connection)
{
    struct maker_end *client = &connection->client;
    struct maker_end *server = &connection->server;
    maker_segment(maker, client, server, MAKER_SYN, 65495, NULL);
    maker_segment(maker, server, client, MAKER_SYN | MAKER_ACK, 65483, NULL);
    maker_segment(maker, client, server, MAKER_ACK, 512, NULL);
}

/* A segment with payload and its ACK: what sendall does. */
static inline void maker_data(struct maker *maker, struct maker_end *from, struct maker_end *to,
                              const char *payload)
{
    maker_segment(maker, from, to, MAKER_PSH | MAKER_ACK, 512, payload);
    maker_segment(maker, to, from, MAKER_ACK, 512, NULL);
}

/* Closes the writer and renders what it wrote. The text is the caller's to free. */
static inline char *maker_render(struct maker *maker, enum view_kind kind,
                                 const struct view_options *options)
{
    struct error error = {0};
    if (maker->writer != NULL)
        assert_true(trace_writer_close(maker->writer, &error));
    maker->writer = NULL;
    rewind(maker->file);
    struct trace_reader *reader = trace_reader_from(fileno(maker->file), "made", &error);
    if (reader == NULL)
        fail_msg("%s", error.text);
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    enum view_result result = view_render(reader, kind, options, out, &error);
    fclose(out);
    trace_reader_close(reader);
    if (result != VIEW_SHOWN)
        fail_msg("%s", error.text);
    return text;
}

#endif
