#include "trace/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOURCE_CAPACITY ((size_t)256 << 10)

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
    *source = (struct source){0};
}

/* Moves what is left to the front and makes room for want bytes in all. */
static bool make_room(struct source *source, size_t want)
{
    size_t available = source->end - source->start;
    if (source->start > 0)
        memmove(source->data, source->data + source->start, available);
    source->start = 0;
    source->end = available;
    if (want <= source->capacity)
        return true;
    uint8_t *data = realloc(source->data, want);
    if (data == NULL)
        return false;
    source->data = data;
    source->capacity = want;
    return true;
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
