#include "trace/queue.h"

#include <stdlib.h>
#include <string.h>

#include "trace/fields.h"

#define CHUNK_BYTES ((size_t)256 << 10)

struct chunk {
    _Atomic(struct chunk *) next;
    atomic_size_t used; /* bytes of whole records */
    size_t capacity;
    _Alignas(max_align_t) unsigned char data[];
};

/* In a chunk: the record, then the used part of the event, then what it points to. */
struct record {
    size_t length; /* of all of it, to the next record */
    size_t event_size;
};

_Static_assert(sizeof(struct record) % _Alignof(struct trace_event) == 0,
               "an event stands right behind its record");

static struct chunk *chunk_new(size_t capacity)
{
    struct chunk *chunk = malloc(sizeof *chunk + capacity);
    if (chunk == NULL)
        return NULL;
    atomic_init(&chunk->next, NULL);
    atomic_init(&chunk->used, 0);
    chunk->capacity = capacity;
    return chunk;
}

bool queue_open(struct queue *queue)
{
    struct chunk *chunk = chunk_new(CHUNK_BYTES);
    queue->head = queue->tail = chunk;
    queue->at = 0;
    atomic_init(&queue->spare, NULL);
    atomic_init(&queue->failed, false);
    return chunk != NULL;
}

void queue_close(struct queue *queue)
{
    struct chunk *chunk = queue->head;
    while (chunk != NULL) {
        struct chunk *next = atomic_load(&chunk->next);
        free(chunk);
        chunk = next;
    }
    free(atomic_load(&queue->spare));
    *queue = (struct queue){0};
}

/* Room for length bytes in the last chunk, or in a new one. */
static unsigned char *make_room(struct queue *queue, size_t length)
{
    struct chunk *tail = queue->tail;
    size_t used = atomic_load_explicit(&tail->used, memory_order_relaxed);
    if (length <= tail->capacity - used)
        return tail->data + used;
    struct chunk *chunk = NULL;
    if (length <= CHUNK_BYTES)
        chunk = atomic_exchange(&queue->spare, NULL);
    if (chunk == NULL)
        chunk = chunk_new(length <= CHUNK_BYTES ? CHUNK_BYTES : length);
    if (chunk == NULL)
        return NULL;
    queue->tail = chunk;
    atomic_store_explicit(&tail->next, chunk, memory_order_release);
    return chunk->data;
}

/* What an event points to: the data pointers and lengths of its texts and bytes. */
static size_t pointed_bytes(const struct trace_event *event, const struct trace_layout *layout)
{
    size_t sum = 0;
    for (size_t i = 0; i < layout->count; i++) {
        const struct trace_field *field = &layout->fields[i];
        if (field->type == FIELD_TEXT)
            sum += ((const struct trace_text *)field_of(event, field))->length;
        else if (field->type == FIELD_BYTES)
            sum += ((const struct trace_bytes *)field_of(event, field))->length;
    }
    return sum;
}

/* Copies what the event points to behind it and points there. */
static void copy_pointed(struct trace_event *event, const struct trace_layout *layout,
                         unsigned char *to)
{
    for (size_t i = 0; i < layout->count; i++) {
        const struct trace_field *field = &layout->fields[i];
        if (field->type == FIELD_TEXT) {
            struct trace_text *text = field_in(event, field);
            if (text->length > 0)
                memcpy(to, text->data, text->length);
            text->data = text->length > 0 ? (const char *)to : NULL;
            to += text->length;
        } else if (field->type == FIELD_BYTES) {
            struct trace_bytes *bytes = field_in(event, field);
            if (bytes->length > 0)
                memcpy(to, bytes->data, bytes->length);
            bytes->data = bytes->length > 0 ? to : NULL;
            to += bytes->length;
        }
    }
}

void queue_add(struct queue *queue, const struct trace_event *event)
{
    const struct trace_layout *layout = trace_layout_of((uint32_t)event->kind);
    if (layout == NULL)
        return;
    size_t alignment = _Alignof(max_align_t);
    size_t length = sizeof(struct record) + layout->size + pointed_bytes(event, layout);
    length = (length + alignment - 1) & ~(alignment - 1);
    unsigned char *room = make_room(queue, length);
    if (room == NULL) {
        atomic_store(&queue->failed, true);
        return;
    }
    struct record *record = (struct record *)(void *)room;
    *record = (struct record){length, layout->size};
    struct trace_event *copy = (struct trace_event *)(void *)(record + 1);
    memcpy(copy, event, layout->size);
    copy_pointed(copy, layout, (unsigned char *)copy + layout->size);
    struct chunk *tail = queue->tail;
    size_t used = atomic_load_explicit(&tail->used, memory_order_relaxed);
    atomic_store_explicit(&tail->used, used + length, memory_order_release);
}

/* Lets go of a chunk that has been read to its end and has a successor. */
static void chunk_spent(struct queue *queue, struct chunk *chunk)
{
    if (chunk->capacity == CHUNK_BYTES) {
        atomic_store(&chunk->next, NULL);
        atomic_store(&chunk->used, 0);
        chunk = atomic_exchange(&queue->spare, chunk);
    }
    free(chunk);
}

const struct trace_event *queue_peek(struct queue *queue)
{
    for (;;) {
        struct chunk *head = queue->head;
        /* next is asked first: once it is there, used does not change any more. */
        struct chunk *next = atomic_load_explicit(&head->next, memory_order_acquire);
        if (queue->at < atomic_load_explicit(&head->used, memory_order_acquire)) {
            const struct record *record = (const struct record *)(void *)(head->data + queue->at);
            return (const struct trace_event *)(const void *)(record + 1);
        }
        if (next == NULL)
            return NULL;
        queue->head = next;
        queue->at = 0;
        chunk_spent(queue, head);
    }
}

void queue_drop(struct queue *queue)
{
    const struct record *record = (const struct record *)(void *)(queue->head->data + queue->at);
    queue->at += record->length;
}

void queue_copy(struct trace_event *to, const struct trace_event *event)
{
    memcpy(to, event, trace_layout_of((uint32_t)event->kind)->size);
}
