/*
 * reader.h - events out of a capture file: ours, or anybody's pcapng or classic pcap.
 *
 * pcapng is read by our own code (pcapng_reader.c), classic pcap in all its variants by libpcap.
 * Packets of our own traces carry their cause, which the file says beside each (FORMAT.md).
 * Nothing grows with the file.
 */
#ifndef HANDLENS_TRACE_READER_H
#define HANDLENS_TRACE_READER_H

#include <stdint.h>

#include "support/error.h"
#include "trace/event.h"

struct trace_reader;

enum trace_progress {
    TRACE_READ_EVENT,   /* *event holds the next one */
    TRACE_READ_END,     /* the end of the file, at a block's end */
    TRACE_READ_DAMAGED, /* error says what is wrong at which byte offset; nothing follows */
};

/* path "-" reads standard input. Returns NULL with error set: no such file (STATUS_USAGE), no
 * permission (STATUS_NOT_ALLOWED), not a capture file (STATUS_DAMAGED). */
struct trace_reader *trace_reader_open(const char *path, struct error *error);

/* Reads from the start of an open file, which the reader does not own. Its position is moved. */
struct trace_reader *trace_reader_from(int descriptor, const char *name, struct error *error);

/*
 * The next event. Its pointers live until the next call. In files of others an event that has no
 * stamp (an interface, secrets) has the time of the event before it, 0 at the start; of several
 * comments of a packet the first is given.
 */
enum trace_progress trace_reader_next(struct trace_reader *reader, struct trace_event *event,
                                      struct error *error);

/*
 * For who reads ahead: bytes that events point to outlive the next call. The events of a file come
 * in turns, each of the events that lie in one buffer; a turn's bytes stay until count further
 * turns have begun. Returns false where that cannot be: out of memory, or the file is one of those
 * that libpcap reads. count is at most TRACE_TURNS_MOST.
 */
#define TRACE_TURNS_MOST 8
bool trace_reader_keep(struct trace_reader *reader, unsigned count);

/* The turn of the newest event. It wraps around. */
unsigned trace_reader_turn(const struct trace_reader *reader);

/* Bytes read so far, and the file's size (0 where it is not known: a pipe). */
uint64_t trace_reader_offset(const struct trace_reader *reader);
uint64_t trace_reader_size(const struct trace_reader *reader);

/* NULL is allowed. */
void trace_reader_close(struct trace_reader *reader);

#endif
