/*
 * classic_reader.h - packets out of a classic pcap file, by libpcap. For src/trace only.
 */
#ifndef HANDLENS_TRACE_CLASSIC_READER_H
#define HANDLENS_TRACE_CLASSIC_READER_H

#include "support/error.h"
#include "trace/event.h"
#include "trace/reader.h"
#include "trace/source.h"

struct classic_reader;

/* The source is not owned. Returns NULL with error set: what libpcap does not take for a pcap. */
struct classic_reader *classic_reader_open(struct source *source, struct error *error);

/* As trace_reader_next, but to be called no more after the end or damage. */
enum trace_progress classic_reader_next(struct classic_reader *reader, struct trace_event *event,
                                        struct error *error);

/* Whether events point into the source, and not into what libpcap copied. */
bool classic_reader_is_plain(const struct classic_reader *reader);

/* NULL is allowed. */
void classic_reader_close(struct classic_reader *reader);

#endif
