/*
 * stream.h - the bytes of one direction of a TCP flow, in order.
 *
 * Segments come in as captured; bytes come out in sequence order, each once: what arrived first
 * wins where segments overlap, as in Wireshark's Follow Stream. Bytes that wait behind a gap are
 * kept up to a limit; beyond it, or when the other end acknowledges them, or at the end, the gap
 * is reported and the bytes behind it follow.
 */
#ifndef HANDLENS_TCP_STREAM_H
#define HANDLENS_TCP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tcp_stream;

/* Bytes in order, or with bytes NULL a gap of that length. number is the packet they came in. */
typedef void tcp_stream_bytes(void *data, const uint8_t *bytes, size_t length, uint64_t number);

/* limit: bytes kept behind a gap, at most. Returns NULL out of memory. */
struct tcp_stream *tcp_stream_open(size_t limit, tcp_stream_bytes *deliver, void *data);

/* A segment with captured of its length payload bytes (fewer with a snap length: the rest is a
 * gap). seq is the first payload byte's: one more than the segment's if that is a SYN. The stream
 * starts where the first segment does, so those without payload count, too (length 0). */
void tcp_stream_add(struct tcp_stream *stream, uint32_t seq, const uint8_t *payload,
                    uint32_t captured, uint32_t length, uint64_t number);

/*
 * The other end acknowledged everything before ack. Where that is something that waits behind a
 * gap, nobody will send the gap's bytes again. An ACK of the gap alone says less: captures often
 * hold an ACK a little before its segment.
 */
void tcp_stream_acked(struct tcp_stream *stream, uint32_t ack);

/* No more: delivers what waits, gaps marked. */
void tcp_stream_end(struct tcp_stream *stream);

/* NULL is allowed. */
void tcp_stream_close(struct tcp_stream *stream);

#endif
