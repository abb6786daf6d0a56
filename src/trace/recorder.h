/*
 * recorder.h - merges calls and packets into one trace in time order.
 *
 * Theory of operation. Events come from two threads: calls, notes and so on from the host's (the
 * main thread), packets from the capture's. Each side's events come in time order. The capture
 * thread also publishes a watermark: every packet stamped before it has been handed over.
 * recorder_flush writes all events older than the watermark, merged, to the sinks: the file on
 * disk, and whoever listens (the step mode). An event that a side adds later is never older. It
 * is called while no system call of the exchange is in progress. At equal stamps a packet follows
 * the host's events, but precedes those that tell of an end: TRACE_RETURN, TRACE_STATE,
 * TRACE_STATISTICS, TRACE_END. No packet is written before its TRACE_INTERFACE.
 *
 * TRACE_SECRETS alone is out of order: it comes before the next packet that is written, with that
 * one's time, or at the end. A program that reads the file once, such as tshark, must know a secret
 * before the packets that lead to its use, and a server learns the client's from the very packet
 * that begins to use it. So whoever makes a secret known puts a flush off that would come between
 * that packet's arrival and the secret.
 *
 * The cause of a packet is the call whose system call's window holds the packet's stamp. Only one
 * system call of the exchange runs at a time, so there is at most one. It is known at the flush:
 * a window that holds the stamp has ended by then. A packet's comment, for Wireshark, is made from
 * its cause: "client connect(127.0.0.1:65432)  hello.lua:14".
 */
#ifndef HANDLENS_TRACE_RECORDER_H
#define HANDLENS_TRACE_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "support/error.h"
#include "trace/event.h"
#include "trace/writer.h"

struct recorder;

/* Called for each event of the merged trace, on the main thread. The event is borrowed. */
typedef void recorder_listener(void *data, const struct trace_event *event);

/* writer may be NULL (then only the listener hears). It is not owned. */
struct recorder *recorder_open(struct trace_writer *writer, struct error *error);

/* At most one listener. NULL takes it away. */
void recorder_listen(struct recorder *recorder, recorder_listener *listener, void *data);

/* Main thread: adds an event that is not a packet. Everything it points to is copied. */
void recorder_add(struct recorder *recorder, const struct trace_event *event);

/*
 * Main thread: says that there is no capture, so that nothing waits for a watermark.
 * That is the state after recorder_open; recorder_capture_starts ends it.
 */
void recorder_capture_starts(struct recorder *recorder);

/* Capture thread: hands over a packet. The bytes are copied. number and cause are set later. */
void recorder_add_packet(struct recorder *recorder, int64_t time,
                         const struct trace_packet *packet);

/* Capture thread: every packet stamped before time has been added. */
void recorder_set_watermark(struct recorder *recorder, int64_t time);

/* Capture thread is gone: what has been added is all there is. */
void recorder_capture_ends(struct recorder *recorder);

/*
 * Main thread: writes what is older than the watermark (without a capture, or after it has ended:
 * everything) and lets it go. A failed write is returned once; later flushes go on for the
 * listener, and nothing more is written.
 */
bool recorder_flush(struct recorder *recorder, struct error *error);

/* Main thread: how many packets have been written or listened to. */
uint64_t recorder_packets(const struct recorder *recorder);

/* NULL is allowed. */
void recorder_close(struct recorder *recorder);

#endif
