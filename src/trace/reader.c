#include "trace/reader.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/cursor.h"
#include "support/lines.h"
#include "trace/classic_reader.h"
#include "trace/format.h"
#include "trace/pcapng_reader.h"
#include "trace/source.h"

struct trace_reader {
    struct source source;
    uint64_t size;
    struct pcapng_reader *pcapng; /* one of the two */
    struct classic_reader *classic;
    enum trace_progress last; /* TRACE_READ_EVENT while there is more */
    struct error damage;
};

static bool not_a_capture(const struct source *source, struct error *error, const char *what)
{
    return error_set(error, STATUS_DAMAGED, "%s %s", source->name, what);
}

/* libpcap knows these five, in both byte orders. */
static bool is_classic(uint32_t magic)
{
    static const uint32_t known[] = {0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34, 0xa1b234cd, 0xa12b3c4d};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (magic == known[i] || magic == __builtin_bswap32(known[i]))
            return true;
    }
    return false;
}

/* Looks at the first bytes and opens the reader for them. */
static bool recognise(struct trace_reader *reader, struct error *error)
{
    struct source *source = &reader->source;
    size_t available = source_fill(source, BLOCK_OVERHEAD);
    if (source->error == EISDIR)
        return not_a_capture(source, error, "is a folder, not a capture file");
    if (source->error != 0)
        return error_set(error, STATUS_NOT_ALLOWED, "%s cannot be read: %s (%s)", source->name,
                         strerror(source->error), error_code_name(source->error));
    if (available == 0)
        return not_a_capture(source, error, "is empty, not a capture file");
    struct cursor head = cursor_over(source_at(source), available);
    uint32_t magic = cursor_be32(&head);
    if (magic == BLOCK_SECTION) {
        reader->pcapng = pcapng_reader_open(source);
        return reader->pcapng != NULL || error_out_of_memory(error);
    }
    if (is_classic(magic)) {
        reader->classic = classic_reader_open(source, error);
        return reader->classic != NULL;
    }
    if (magic >> 16 == 0x1f8b)
        return not_a_capture(source, error, "is compressed; gunzip it first");
    return not_a_capture(source, error, "is not a capture file (neither pcapng nor pcap)");
}

static struct trace_reader *open_reader(int descriptor, bool owned, const char *name,
                                        struct error *error)
{
    struct trace_reader *reader = lines_calloc(sizeof *reader);
    if (reader == NULL || !source_open(&reader->source, descriptor, owned, name)) {
        if (reader == NULL && owned)
            close(descriptor);
        free(reader);
        error_out_of_memory(error);
        return NULL;
    }
    struct stat status;
    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode))
        reader->size = (uint64_t)status.st_size;
    if (!recognise(reader, error)) {
        trace_reader_close(reader);
        return NULL;
    }
    return reader;
}

static bool explain_open(const char *path, int code, struct error *error)
{
    if (code == ENOENT || code == ENOTDIR)
        return error_set(error, STATUS_USAGE, "there is no file %s", path);
    return error_set(error, STATUS_NOT_ALLOWED, "%s cannot be opened: %s (%s)", path,
                     strerror(code), error_code_name(code));
}

struct trace_reader *trace_reader_open(const char *path, struct error *error)
{
    if (strcmp(path, "-") == 0)
        return open_reader(STDIN_FILENO, false, "standard input", error);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        explain_open(path, errno, error);
        return NULL;
    }
    return open_reader(descriptor, true, path, error);
}

struct trace_reader *trace_reader_from(int descriptor, const char *name, struct error *error)
{
    lseek(descriptor, 0, SEEK_SET); /* a pipe stays where it is */
    return open_reader(descriptor, false, name, error);
}

enum trace_progress trace_reader_next(struct trace_reader *reader, struct trace_event *event,
                                      struct error *error)
{
    if (reader->last == TRACE_READ_EVENT)
        reader->last = reader->pcapng != NULL
                           ? pcapng_reader_next(reader->pcapng, event, &reader->damage)
                           : classic_reader_next(reader->classic, event, &reader->damage);
    source_lend(&reader->source);
    if (reader->last == TRACE_READ_DAMAGED && error != NULL)
        *error = reader->damage;
    return reader->last;
}

bool trace_reader_keep(struct trace_reader *reader, unsigned count)
{
    static_assert(TRACE_TURNS_MOST <= SOURCE_KEPT_MOST, "the source keeps as many");
    if (reader->classic != NULL && !classic_reader_is_plain(reader->classic))
        return false;
    return source_keep(&reader->source, count);
}

unsigned trace_reader_turn(const struct trace_reader *reader)
{
    return reader->source.turns;
}

uint64_t trace_reader_offset(const struct trace_reader *reader)
{
    return reader->source.offset;
}

uint64_t trace_reader_size(const struct trace_reader *reader)
{
    return reader->size;
}

void trace_reader_close(struct trace_reader *reader)
{
    if (reader == NULL)
        return;
    pcapng_reader_close(reader->pcapng);
    classic_reader_close(reader->classic);
    source_close(&reader->source);
    free(reader);
}
