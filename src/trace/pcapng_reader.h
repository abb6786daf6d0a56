/*
 * pcapng_reader.h - events out of pcapng, anybody's. For src/trace only.
 */
#ifndef HANDLENS_TRACE_PCAPNG_READER_H
#define HANDLENS_TRACE_PCAPNG_READER_H

#include "support/error.h"
#include "trace/event.h"
#include "trace/reader.h"
#include "trace/source.h"

struct pcapng_reader;

/* The source is not owned. Returns NULL out of memory. */
struct pcapng_reader *pcapng_reader_open(struct source *source);

/* As trace_reader_next, but to be called no more after the end or damage. */
enum trace_progress pcapng_reader_next(struct pcapng_reader *reader, struct trace_event *event,
                                       struct error *error);

/* NULL is allowed. */
void pcapng_reader_close(struct pcapng_reader *reader);

#endif
