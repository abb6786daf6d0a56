#include "trace/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOURCE_CAPACITY ((size_t)128 << 10)

bool source_open(struct source *source, int descriptor, bool owned, const char *name)
{
    *source = (struct source){.descriptor = descriptor, .owned = owned};
    source->name = strdup(name);
    source->data = malloc(SOURCE_CAPACITY);
    source->capacity = SOURCE_CAPACITY;
    if (source->name != NULL && source->data != NULL)
        return true;
    source_close(source);
    return false;
}

void source_close(struct source *source)
{
    if (source->owned)
        close(source->descriptor);
    free(source->name);
    free(source->data);
    for (unsigned i = 0; i < source->kept_count; i++)
        free(source->kept[i].data);
    *source = (struct source){0};
}

bool source_keep(struct source *source, unsigned count)
{
    for (; source->kept_count < count; source->kept_count++) {
        uint8_t *data = malloc(SOURCE_CAPACITY);
        if (data == NULL)
            return false;
        source->kept[source->kept_count] = (struct source_buffer){data, SOURCE_CAPACITY};
    }
    return true;
}

static bool grow(uint8_t **data, size_t *capacity, size_t want)
{
    if (want <= *capacity)
        return true;
    uint8_t *grown = realloc(*data, want);
    if (grown == NULL)
        return false;
    *data = grown;
    *capacity = want;
    return true;
}

/* Goes on in the buffer that was lent from longest ago. What is left moves there. */
static bool change_buffer(struct source *source, size_t available, size_t want)
{
    struct source_buffer *next = &source->kept[source->turns % source->kept_count];
    if (!grow(&next->data, &next->capacity, want > available ? want : available))
        return false;
    memcpy(next->data, source->data + source->start, available);
    struct source_buffer last = {source->data, source->capacity};
    source->data = next->data;
    source->capacity = next->capacity;
    *next = last;
    source->turns++;
    source->lent = false;
    return true;
}

/* Moves what is left to the front and makes room for want bytes in all. */
static bool make_room(struct source *source, size_t want)
{
    size_t available = source->end - source->start;
    if (source->lent && source->kept_count > 0) {
        if (!change_buffer(source, available, want))
            return false;
    } else if (source->start > 0) {
        memmove(source->data, source->data + source->start, available);
    }
    source->start = 0;
    source->end = available;
    return grow(&source->data, &source->capacity, want);
}

size_t source_read(struct source *source, size_t want)
{
    if (source->ended)
        return source->end - source->start;
    if (!make_room(source, want)) {
        source->ended = true;
        source->error = ENOMEM;
    }
    while (source->end < want && !source->ended) {
        ssize_t count =
            read(source->descriptor, source->data + source->end, source->capacity - source->end);
        if (count > 0) {
            source->end += (size_t)count;
        } else if (count == 0) {
            source->ended = true;
        } else if (errno != EINTR) {
            source->ended = true;
            source->error = errno;
        }
    }
    return source->end - source->start;
}
