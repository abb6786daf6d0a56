/*
 * fake_recorder.h - what capture needs of a recorder, and nothing else: it remembers what it was
 * told and whether the watermark was ever broken.
 */
#ifndef HANDLENS_TESTS_CAPTURE_FAKE_RECORDER_H
#define HANDLENS_TESTS_CAPTURE_FAKE_RECORDER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "trace/recorder.h"

#define FAKE_BYTES 96

struct fake_packet {
    int64_t time;
    uint32_t length;
    uint32_t captured;
    uint32_t link_type;
    uint8_t bytes[FAKE_BYTES]; /* the first ones */
};

struct recorder {
    pthread_mutex_t lock;
    pthread_mutex_t gate; /* held by a test: the capture's thread cannot hand anything over */
    struct fake_packet *packets;
    size_t count, room;
    int64_t watermark;
    size_t late;      /* packets older than the watermark */
    size_t backwards; /* packets older than the one before */
    bool capturing;
    struct trace_interface interface;
    char interface_name[16];
    struct trace_statistics statistics;
    size_t interfaces, statistics_count, notes;
    char note[512];
};

static inline void fake_clear(struct recorder *recorder)
{
    pthread_mutex_lock(&recorder->lock);
    recorder->count = 0;
    pthread_mutex_unlock(&recorder->lock);
}

static inline struct recorder *fake_open(void)
{
    struct recorder *recorder = calloc(1, sizeof *recorder);
    pthread_mutex_init(&recorder->lock, NULL);
    pthread_mutex_init(&recorder->gate, NULL);
    return recorder;
}

static inline void fake_close(struct recorder *recorder)
{
    pthread_mutex_destroy(&recorder->lock);
    pthread_mutex_destroy(&recorder->gate);
    free(recorder->packets);
    free(recorder);
}

void recorder_add(struct recorder *recorder, const struct trace_event *event)
{
    if (event->kind == TRACE_INTERFACE) {
        recorder->interfaces++;
        recorder->interface = event->interface;
        memcpy(recorder->interface_name, event->interface.name.data, event->interface.name.length);
    } else if (event->kind == TRACE_STATISTICS) {
        recorder->statistics_count++;
        recorder->statistics = event->statistics;
    } else if (event->kind == TRACE_NOTE) {
        recorder->notes++;
        memcpy(recorder->note, event->note.text.data, event->note.text.length);
    }
}

void recorder_capture_starts(struct recorder *recorder)
{
    recorder->capturing = true;
}

void recorder_capture_ends(struct recorder *recorder)
{
    recorder->capturing = false;
}

void recorder_add_packet(struct recorder *recorder, int64_t time, const struct trace_packet *packet)
{
    pthread_mutex_lock(&recorder->gate);
    pthread_mutex_unlock(&recorder->gate);
    pthread_mutex_lock(&recorder->lock);
    if (recorder->count == recorder->room) {
        recorder->room = recorder->room == 0 ? 1024 : recorder->room * 2;
        recorder->packets = realloc(recorder->packets, recorder->room * sizeof *recorder->packets);
        if (recorder->packets == NULL)
            abort();
    }
    recorder->late += time < recorder->watermark;
    recorder->backwards +=
        recorder->count > 0 && time < recorder->packets[recorder->count - 1].time;
    struct fake_packet *copy = &recorder->packets[recorder->count++];
    *copy = (struct fake_packet){.time = time,
                                 .length = packet->length,
                                 .captured = (uint32_t)packet->bytes.length,
                                 .link_type = packet->link_type};
    size_t length = packet->bytes.length < FAKE_BYTES ? packet->bytes.length : FAKE_BYTES;
    memcpy(copy->bytes, packet->bytes.data, length);
    pthread_mutex_unlock(&recorder->lock);
}

void recorder_set_watermark(struct recorder *recorder, int64_t time)
{
    pthread_mutex_lock(&recorder->lock);
    recorder->watermark = time;
    pthread_mutex_unlock(&recorder->lock);
}

static inline size_t fake_count(struct recorder *recorder)
{
    pthread_mutex_lock(&recorder->lock);
    size_t count = recorder->count;
    pthread_mutex_unlock(&recorder->lock);
    return count;
}

static inline int64_t fake_watermark(struct recorder *recorder)
{
    pthread_mutex_lock(&recorder->lock);
    int64_t watermark = recorder->watermark;
    pthread_mutex_unlock(&recorder->lock);
    return watermark;
}

#endif
