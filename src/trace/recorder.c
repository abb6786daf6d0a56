/*
 * recorder.c - merges calls and packets into one trace in time order (recorder.h says how).
 *
 * Two queues without locks: the host's events, which the main thread adds and takes, and the
 * packets, which the capture thread adds and the main thread takes. A flush reads the watermark
 * first; every packet stamped before it is in the queue by then.
 *
 * At equal stamps the host's events come first, so that a packet follows the call it belongs to;
 * but what tells of an end (a return, and what is asked or said after it) comes behind it.
 */
#include "trace/recorder.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "trace/cause.h"
#include "trace/queue.h"

struct recorder {
    struct trace_writer *writer; /* not owned; NULL for none, or after it failed */
    recorder_listener *listener;
    void *listener_data;
    struct queue events;  /* the host's */
    struct queue packets; /* the capture's */
    struct queue secrets; /* of the host's events those that hurry ahead of the packets */
    atomic_bool capturing;
    atomic_int_least64_t watermark;
    struct cause_finder finder;
    uint32_t interfaces; /* described so far in the merged trace */
    uint64_t packet_count;
    bool out_of_memory_told;
};

struct recorder *recorder_open(struct trace_writer *writer, struct error *error)
{
    struct recorder *recorder = calloc(1, sizeof *recorder);
    if (recorder == NULL || !queue_open(&recorder->events) || !queue_open(&recorder->packets) ||
        !queue_open(&recorder->secrets)) {
        recorder_close(recorder);
        error_out_of_memory(error);
        return NULL;
    }
    recorder->writer = writer;
    atomic_init(&recorder->capturing, false);
    atomic_init(&recorder->watermark, INT64_MIN);
    return recorder;
}

void recorder_close(struct recorder *recorder)
{
    if (recorder == NULL)
        return;
    queue_close(&recorder->events);
    queue_close(&recorder->packets);
    queue_close(&recorder->secrets);
    cause_close(&recorder->finder);
    free(recorder);
}

void recorder_listen(struct recorder *recorder, recorder_listener *listener, void *data)
{
    recorder->listener = listener;
    recorder->listener_data = data;
}

void recorder_add(struct recorder *recorder, const struct trace_event *event)
{
    cause_add_window(&recorder->finder, event);
    queue_add(event->kind == TRACE_SECRETS ? &recorder->secrets : &recorder->events, event);
}

void recorder_capture_starts(struct recorder *recorder)
{
    atomic_store(&recorder->watermark, INT64_MIN);
    atomic_store(&recorder->capturing, true);
}

void recorder_add_packet(struct recorder *recorder, int64_t time, const struct trace_packet *packet)
{
    struct trace_event event;
    event.kind = TRACE_PACKET;
    event.time = time;
    event.packet = *packet;
    event.packet.comment = (struct trace_text){0};
    queue_add(&recorder->packets, &event);
}

void recorder_set_watermark(struct recorder *recorder, int64_t time)
{
    atomic_store_explicit(&recorder->watermark, time, memory_order_release);
}

void recorder_capture_ends(struct recorder *recorder)
{
    atomic_store(&recorder->capturing, false);
}

/* Whether, at equal stamps, an event of the host comes behind a packet. */
static bool tells_of_an_end(enum trace_kind kind)
{
    return kind == TRACE_RETURN || kind == TRACE_STATE || kind == TRACE_STATISTICS ||
           kind == TRACE_END;
}

/* Of the two heads, whether the packet comes first. */
static bool packet_first(const struct recorder *recorder, const struct trace_event *event,
                         const struct trace_event *packet)
{
    /* No packet before its interface, whatever their clocks say. */
    if (packet->packet.interface >= recorder->interfaces)
        return false;
    return packet->time < event->time ||
           (packet->time == event->time && tells_of_an_end(event->kind));
}

/* The head of the queue if it is older than the limit. */
static const struct trace_event *older(struct queue *queue, bool limited, int64_t limit)
{
    const struct trace_event *event = queue_peek(queue);
    return event != NULL && (!limited || event->time < limit) ? event : NULL;
}

/* To the file and the listener. Returns false when the writer failed, once. */
static bool tell(struct recorder *recorder, const struct trace_event *event, struct error *error)
{
    bool written = true;
    if (recorder->writer != NULL && !trace_writer_add(recorder->writer, event, error)) {
        recorder->writer = NULL;
        written = false;
    }
    if (recorder->listener != NULL)
        recorder->listener(recorder->listener_data, event);
    return written;
}

static bool tell_packet(struct recorder *recorder, const struct trace_event *packet,
                        struct error *error)
{
    struct trace_event event;
    queue_copy(&event, packet);
    event.packet.number = ++recorder->packet_count;
    cause_find(&recorder->finder, event.time, &event.packet);
    return tell(recorder, &event, error);
}

static bool tell_event(struct recorder *recorder, const struct trace_event *other,
                       struct error *error)
{
    struct trace_event event;
    queue_copy(&event, other);
    if (event.kind == TRACE_INTERFACE)
        recorder->interfaces++;
    cause_follow(&recorder->finder, &event);
    return tell(recorder, &event, error);
}

/* All secrets, as of the time of what is told next. */
static bool tell_secrets(struct recorder *recorder, int64_t time, struct error *error)
{
    const struct trace_event *secrets;
    bool done = true;
    while ((secrets = queue_peek(&recorder->secrets)) != NULL) {
        struct trace_event event;
        queue_copy(&event, secrets);
        event.time = time;
        done = tell(recorder, &event, done ? error : NULL) && done;
        queue_drop(&recorder->secrets);
    }
    return done;
}

/* Memory that ran out at some adding is told at the next flush, once. */
static bool check_memory(struct recorder *recorder, struct error *error)
{
    bool failed = recorder->finder.failed || atomic_load(&recorder->events.failed) ||
                  atomic_load(&recorder->packets.failed) || atomic_load(&recorder->secrets.failed);
    if (!failed || recorder->out_of_memory_told)
        return true;
    recorder->out_of_memory_told = true;
    return error_set(error, STATUS_NOT_ALLOWED, "out of memory; parts of the trace have been lost");
}

bool recorder_flush(struct recorder *recorder, struct error *error)
{
    bool limited = atomic_load(&recorder->capturing);
    int64_t limit = atomic_load_explicit(&recorder->watermark, memory_order_acquire);
    bool done = true;
    for (;;) {
        const struct trace_event *event = older(&recorder->events, limited, limit);
        const struct trace_event *packet = older(&recorder->packets, limited, limit);
        if (packet != NULL && (event == NULL ? packet->packet.interface < recorder->interfaces
                                             : packet_first(recorder, event, packet))) {
            done = tell_secrets(recorder, packet->time, done ? error : NULL) && done;
            done = tell_packet(recorder, packet, done ? error : NULL) && done;
            queue_drop(&recorder->packets);
        } else if (event != NULL) {
            if (event->kind == TRACE_END)
                done = tell_secrets(recorder, event->time, done ? error : NULL) && done;
            done = tell_event(recorder, event, done ? error : NULL) && done;
            queue_drop(&recorder->events);
        } else {
            break;
        }
    }
    cause_forget_before(&recorder->finder, limited ? limit : INT64_MAX);
    if (recorder->writer != NULL && !trace_writer_flush(recorder->writer, done ? error : NULL)) {
        recorder->writer = NULL;
        done = false;
    }
    return check_memory(recorder, done ? error : NULL) && done;
}

uint64_t recorder_packets(const struct recorder *recorder)
{
    return recorder->packet_count;
}
