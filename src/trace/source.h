/*
 * source.h - bytes of a file or a pipe, buffered. For src/trace only.
 *
 * The buffer grows to the longest run that was asked for, and never with the file. Where bytes
 * shall outlive the next fill, it takes turns with others (source_keep).
 */
#ifndef HANDLENS_TRACE_SOURCE_H
#define HANDLENS_TRACE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOURCE_KEPT_MOST 8

struct source_buffer {
    uint8_t *data; /* owned */
    size_t capacity;
};

struct source {
    int descriptor;
    bool owned; /* source_close closes it */
    char *name; /* for error sentences; owned */
    uint8_t *data;
    size_t capacity;
    struct source_buffer kept[SOURCE_KEPT_MOST]; /* that data was before, by turns */
    unsigned kept_count;
    unsigned turns; /* how often data became another buffer */
    bool lent;      /* somebody points into data: source_lend */
    size_t start;   /* data[start, end) has been read and not been taken */
    size_t end;
    uint64_t offset; /* in the file, of data[start] */
    bool ended;
    int error; /* errno of a read that failed, or 0 */
};

/* Takes the descriptor over if owned, also on failure. Returns false out of memory. */
bool source_open(struct source *source, int descriptor, bool owned, const char *name);
void source_close(struct source *source);

/*
 * From now on a fill leaves lent bytes where they are, until count further buffers have been lent
 * from; count is at most SOURCE_KEPT_MOST. Returns false out of memory, and nothing has changed.
 */
bool source_keep(struct source *source, unsigned count);

/* Somebody will point to bytes at hand beyond the next fill. */
static inline void source_lend(struct source *source)
{
    source->lent = true;
}

/* source_fill when the bytes are not there yet. */
size_t source_read(struct source *source, size_t want);

/*
 * Makes at least want bytes available at source_at, or all there are. Returns how many are.
 * Moves the bytes: pointers from before do not live on, unless to lent ones.
 */
static inline size_t source_fill(struct source *source, size_t want)
{
    size_t available = source->end - source->start;
    return available >= want ? available : source_read(source, want);
}

static inline const uint8_t *source_at(const struct source *source)
{
    return source->data + source->start;
}

/* Takes bytes that are available. They stay where they are until the next source_fill. */
static inline void source_take(struct source *source, size_t length)
{
    source->start += length;
    source->offset += length;
}

#endif
