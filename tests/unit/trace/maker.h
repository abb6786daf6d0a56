/*
 * maker.h - capture files of others, put together by hand in either byte order.
 */
#ifndef HANDLENS_TESTS_TRACE_MAKER_H
#define HANDLENS_TESTS_TRACE_MAKER_H

#include "unit/trace/samples.h"

#include "support/buffer.h"

struct maker {
    struct buffer out;
    bool big;
    size_t block; /* where the open block begins */
};

static inline void put16(struct maker *maker, uint16_t value)
{
    buffer_append_byte(&maker->out, (uint8_t)(maker->big ? value >> 8 : value));
    buffer_append_byte(&maker->out, (uint8_t)(maker->big ? value : value >> 8));
}

static inline void put32(struct maker *maker, uint32_t value)
{
    put16(maker, (uint16_t)(maker->big ? value >> 16 : value));
    put16(maker, (uint16_t)(maker->big ? value : value >> 16));
}

static inline void put64(struct maker *maker, uint64_t value)
{
    put32(maker, (uint32_t)(maker->big ? value >> 32 : value));
    put32(maker, (uint32_t)(maker->big ? value : value >> 32));
}

static inline void put_bytes(struct maker *maker, const void *data, size_t length)
{
    buffer_append(&maker->out, data, length);
    buffer_append_repeated(&maker->out, 0, -length & 3);
}

static inline void begin(struct maker *maker, uint32_t type)
{
    maker->block = maker->out.length;
    put32(maker, type);
    put32(maker, 0);
}

static inline void end_claiming(struct maker *maker, uint32_t first, uint32_t last)
{
    put32(maker, last);
    size_t length = maker->out.length;
    maker->out.length = maker->block + 4;
    put32(maker, first);
    maker->out.length = length;
}

static inline void end(struct maker *maker)
{
    uint32_t length = (uint32_t)(maker->out.length - maker->block) + 4;
    end_claiming(maker, length, length);
}

static inline void section(struct maker *maker, bool big)
{
    maker->big = big;
    begin(maker, 0x0a0d0d0a);
    put32(maker, 0x1a2b3c4d);
    put16(maker, 1);
    put16(maker, 0);
    put64(maker, UINT64_MAX);
    end(maker);
}

static inline void option(struct maker *maker, uint16_t code, const void *value, uint16_t length)
{
    put16(maker, code);
    put16(maker, length);
    put_bytes(maker, value, length);
}

/* resolution < 0: the option is left out. */
static inline void interface(struct maker *maker, uint16_t link_type, uint32_t snap_length,
                             int resolution, int64_t offset)
{
    begin(maker, 1);
    put16(maker, link_type);
    put16(maker, 0);
    put32(maker, snap_length);
    option(maker, 2, "eth0", 4);
    if (resolution >= 0)
        option(maker, 9, &(uint8_t){(uint8_t)resolution}, 1);
    if (offset != 0) {
        put16(maker, 14);
        put16(maker, 8);
        put64(maker, (uint64_t)offset);
    }
    option(maker, 1, "a comment", 9);
    put32(maker, 0);
    end(maker);
}

static inline void packet_head(struct maker *maker, uint32_t index, uint64_t stamp,
                               uint32_t captured)
{
    begin(maker, 6);
    put32(maker, index);
    put32(maker, (uint32_t)(stamp >> 32));
    put32(maker, (uint32_t)stamp);
    put32(maker, captured);
    put32(maker, 100);
}

static inline void packet(struct maker *maker, uint32_t index, uint64_t stamp)
{
    packet_head(maker, index, stamp, 5);
    put_bytes(maker, "hello", 5);
    end(maker);
}

/* An open reader of what has been made. Its file stays open until the next one. */
static inline struct trace_reader *reader_of(struct maker *maker)
{
    struct error error = {0};
    static int fd = -1;
    if (fd >= 0)
        close(fd);
    fd = sample_file(maker->out.data, maker->out.length);
    struct trace_reader *reader = trace_reader_from(fd, "made.pcapng", &error);
    if (reader == NULL)
        fail_msg("%s", error.text);
    return reader;
}

static inline struct trace_event next(struct trace_reader *reader, enum trace_kind kind)
{
    struct trace_event event;
    struct error error;
    enum trace_progress progress = trace_reader_next(reader, &event, &error);
    if (progress == TRACE_READ_DAMAGED)
        fail_msg("%s", error.text);
    assert_int_equal(progress, TRACE_READ_EVENT);
    assert_int_equal(event.kind, kind);
    return event;
}

static inline void assert_end(struct trace_reader *reader)
{
    struct trace_event event;
    struct error error;
    for (int i = 0; i < 2; i++)
        assert_int_equal(trace_reader_next(reader, &event, &error), TRACE_READ_END);
    trace_reader_close(reader);
}

static inline void assert_damaged(struct trace_reader *reader, const char *expected)
{
    for (int i = 0; i < 2; i++) {
        struct trace_event event;
        struct error error = {0};
        assert_int_equal(trace_reader_next(reader, &event, &error), TRACE_READ_DAMAGED);
        assert_int_equal(error.status, STATUS_DAMAGED);
        if (strstr(error.text, expected) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", error.text, expected);
    }
    trace_reader_close(reader);
}

/* A classic pcap file of two packets, 7 s and 5 units. */
static inline void classic(struct maker *maker, uint32_t magic, bool big, uint32_t link_type)
{
    maker->big = big;
    put32(maker, magic);
    put16(maker, 2);
    put16(maker, 4);
    put32(maker, 0);
    put32(maker, 0);
    put32(maker, 65535);
    put32(maker, link_type);
    for (int i = 0; i < 2; i++) {
        put32(maker, 7);
        put32(maker, 5);
        put32(maker, 5);
        put32(maker, 60);
        buffer_append(&maker->out, "hello", 5);
    }
}

#endif
