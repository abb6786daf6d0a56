/*
 * Reassembly. What is next in order goes straight through; what comes early waits in a list
 * sorted by sequence number, without overlaps: bytes that wait already win over those that come.
 *
 * Positions are 64-bit, unwrapped from sequence numbers around the next expected one, so that a
 * stream may be longer than 4 GiB. A piece may be longer than its captured bytes; the rest of it
 * is a gap by itself, since it was sent but not kept.
 */
#include "tcp/stream.h"

#include <stdlib.h>
#include <string.h>

/* More than this do not wait at once, however short: finding a place costs a walk. */
#define PIECES_LIMIT 4096

/* A run of the stream: the first captured of its length bytes are there. */
struct run {
    const uint8_t *bytes;
    uint32_t captured;
    uint32_t length;
    uint64_t number;
};

/* One that waits. */
struct piece {
    struct piece *next;
    uint64_t start;
    uint64_t number;
    uint32_t length;   /* what it stands for in the stream */
    uint32_t captured; /* what there is of it, from its start */
    uint8_t bytes[];
};

struct tcp_stream {
    tcp_stream_bytes *deliver;
    void *data;
    size_t limit;
    size_t held; /* bytes that wait, with what their bookkeeping costs */
    size_t pieces;
    struct piece *waiting, *last;
    uint64_t position; /* of the next byte to deliver */
    bool started;
};

struct tcp_stream *tcp_stream_open(size_t limit, tcp_stream_bytes *deliver, void *data)
{
    struct tcp_stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return NULL;
    stream->limit = limit;
    stream->deliver = deliver;
    stream->data = data;
    return stream;
}

/* Positions begin at 2^32, so that a little before the start is not below zero. */
static void start_at(struct tcp_stream *stream, uint32_t seq)
{
    stream->position = (UINT64_C(1) << 32) | seq;
    stream->started = true;
}

static uint64_t position_of(const struct tcp_stream *stream, uint32_t seq)
{
    int32_t ahead = (int32_t)(seq - (uint32_t)stream->position);
    return stream->position + (uint64_t)(int64_t)ahead;
}

static void pass_gap(struct tcp_stream *stream, uint64_t length, uint64_t number)
{
    stream->position += length;
    stream->deliver(stream->data, NULL, (size_t)length, number);
}

static void pass_bytes(struct tcp_stream *stream, const struct run *run)
{
    stream->position += run->captured;
    if (run->captured)
        stream->deliver(stream->data, run->bytes, run->captured, run->number);
    if (run->length > run->captured)
        pass_gap(stream, run->length - run->captured, run->number);
}

/* The part of run from offset on, up to but without the offset to. */
static struct run cut(const struct run *run, uint64_t from, uint64_t to)
{
    struct run part = {.length = (uint32_t)(to - from), .number = run->number};
    if (from < run->captured) {
        uint32_t known = run->captured - (uint32_t)from;
        part.bytes = run->bytes + from;
        part.captured = known < part.length ? known : part.length;
    }
    return part;
}

/* Delivers the first waiting piece, with the gap before it if there is one. */
static void pass_first(struct tcp_stream *stream)
{
    struct piece *piece = stream->waiting;
    stream->waiting = piece->next;
    if (!stream->waiting)
        stream->last = NULL;
    stream->pieces--;
    stream->held -= sizeof *piece + piece->captured;
    if (piece->start > stream->position)
        pass_gap(stream, piece->start - stream->position, piece->number);
    struct run run = {.bytes = piece->bytes,
                      .captured = piece->captured,
                      .length = piece->length,
                      .number = piece->number};
    pass_bytes(stream, &run);
    free(piece);
}

static void pass_what_follows(struct tcp_stream *stream)
{
    while (stream->waiting && stream->waiting->start == stream->position)
        pass_first(stream);
}

/* Keeps a copy, behind after (NULL: first of all). Returns it, or NULL out of memory. */
static struct piece *keep(struct tcp_stream *stream, struct piece *after, uint64_t start,
                          const struct run *run)
{
    struct piece *piece = malloc(sizeof *piece + run->captured);
    if (!piece)
        return NULL;
    piece->start = start;
    piece->number = run->number;
    piece->length = run->length;
    piece->captured = run->captured;
    if (run->captured)
        memcpy(piece->bytes, run->bytes, run->captured);
    piece->next = after ? after->next : stream->waiting;
    if (after)
        after->next = piece;
    else
        stream->waiting = piece;
    if (!piece->next)
        stream->last = piece;
    stream->pieces++;
    stream->held += sizeof *piece + run->captured;
    return piece;
}

/* The last waiting piece that starts at or before start; NULL if there is none. */
static struct piece *before(const struct tcp_stream *stream, uint64_t start)
{
    if (stream->last && stream->last->start <= start)
        return stream->last; /* the usual case */
    struct piece *found = NULL;
    for (struct piece *each = stream->waiting; each && each->start <= start; each = each->next)
        found = each;
    return found;
}

/* Keeps what of the segment does not wait already. */
static void keep_new(struct tcp_stream *stream, uint64_t start, const struct run *run)
{
    uint64_t end = start + run->length;
    uint64_t at = start;
    struct piece *after = before(stream, start);
    for (;;) {
        if (after && after->start + after->length > at)
            at = after->start + after->length;
        if (at >= end)
            return;
        struct piece *next = after ? after->next : stream->waiting;
        if (next && next->start <= at) {
            after = next;
            continue;
        }
        uint64_t to = next && next->start < end ? next->start : end;
        struct run part = cut(run, at - start, to - start);
        after = keep(stream, after, at, &part);
        if (!after)
            return;
    }
}

static void pass_now(struct tcp_stream *stream, uint64_t start, const struct run *run)
{
    uint64_t end = start + run->length;
    while (stream->position < end) {
        uint64_t to =
            stream->waiting && stream->waiting->start < end ? stream->waiting->start : end;
        struct run part = cut(run, stream->position - start, to - start);
        pass_bytes(stream, &part);
        pass_what_follows(stream);
    }
}

void tcp_stream_add(struct tcp_stream *stream, uint32_t seq, const uint8_t *payload,
                    uint32_t captured, uint32_t length, uint64_t number)
{
    if (!stream->started)
        start_at(stream, seq);
    struct run run = {.bytes = payload,
                      .captured = captured < length ? captured : length,
                      .length = length,
                      .number = number};
    uint64_t start = position_of(stream, seq);
    if (length == 0 || start + length <= stream->position)
        return;
    if (start <= stream->position) {
        pass_now(stream, start, &run);
        return;
    }
    keep_new(stream, start, &run);
    while (stream->held > stream->limit || stream->pieces > PIECES_LIMIT)
        pass_first(stream);
}

void tcp_stream_acked(struct tcp_stream *stream, uint32_t ack)
{
    if (!stream->started)
        return;
    uint64_t acked = position_of(stream, ack);
    while (stream->waiting && stream->waiting->start < acked)
        pass_first(stream);
    pass_what_follows(stream);
}

void tcp_stream_end(struct tcp_stream *stream)
{
    while (stream->waiting)
        pass_first(stream);
}

void tcp_stream_close(struct tcp_stream *stream)
{
    if (!stream)
        return;
    while (stream->waiting) {
        struct piece *next = stream->waiting->next;
        free(stream->waiting);
        stream->waiting = next;
    }
    free(stream);
}
