/*
 * writer.c - blocks to disk.
 *
 * Theory of operation. Blocks are assembled in w->pending, whose start is always a block's start
 * at file offset w->written. Pending blocks go out together, by one write: when 64 KiB have come
 * together, at a flush, and at the end. When a write fails in the middle, the file is cut back to
 * the last block that got out whole.
 *
 * Wireshark's tools can save a copy of a file only when its first interface is described before
 * anything else. So what comes before it in a trace (what is run, by whom) is held back until it
 * is known: until TRACE_INTERFACE, or any event that shows that there is no capture. In that case
 * an interface stands in that describes nothing, for libpcap opens no file without any.
 */
#include "trace/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/buffer.h"
#include "support/cursor.h"
#include "trace/block_writer.h"

#define PENDING_LIMIT ((size_t)64 << 10)

struct trace_writer {
    int descriptor;
    bool owned;
    char *name; /* for error sentences */
    struct buffer pending;
    uint64_t written;    /* bytes of whole blocks in the file */
    bool held;           /* no interface has been described: pending stays here */
    uint32_t stand_ins;  /* 1 if an interface stands in for none */
    uint32_t interfaces; /* described so far, but for that one */
    bool failed;
    struct error failure; /* the first one; it stays */
};

/* Remembers the first failure and tells it. */
static bool fail(struct trace_writer *w, struct error *error)
{
    w->failed = true;
    if (error != NULL)
        *error = w->failure;
    return false;
}

/* After a write that got only the first `done` pending bytes out: cuts off the part of a block. */
static void take_back(struct trace_writer *w, size_t done)
{
    struct cursor blocks = cursor_over(w->pending.data, done);
    size_t whole = 0;
    for (;;) {
        cursor_le32(&blocks);
        uint32_t length = cursor_le32(&blocks);
        if (blocks.failed || cursor_take(&blocks, length - 8) == NULL)
            break;
        whole = blocks.at;
    }
    w->written += whole;
    /* Where cutting is impossible (a pipe), whoever reads finds a file that was cut short. */
    if (ftruncate(w->descriptor, (off_t)w->written) == 0)
        lseek(w->descriptor, (off_t)w->written, SEEK_SET);
}

static bool write_pending(struct trace_writer *w, struct error *error)
{
    if (w->failed)
        return fail(w, error);
    if (w->pending.failed) {
        error_out_of_memory(&w->failure);
        return fail(w, error);
    }
    size_t done = 0;
    while (done < w->pending.length) {
        ssize_t count = write(w->descriptor, w->pending.data + done, w->pending.length - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0) {
            int code = count == 0 ? ENOSPC : errno;
            take_back(w, done);
            error_set(&w->failure, STATUS_NOT_ALLOWED,
                      "cannot go on writing %s: %s (%s); what was written before is whole", w->name,
                      strerror(code), error_code_name(code));
            return fail(w, error);
        }
        done += (size_t)count;
    }
    w->written += done;
    buffer_clear(&w->pending);
    return true;
}

bool trace_writer_flush(struct trace_writer *writer, struct error *error)
{
    if (writer->held && !writer->failed && !writer->pending.failed)
        return true;
    return write_pending(writer, error);
}

/* Describes the interface (NULL: there is none), before what has been held back for it. */
static void describe(struct trace_writer *w, const struct trace_interface *interface)
{
    if (w->held) {
        struct buffer held = w->pending;
        w->pending = (struct buffer){0};
        block_write_interface(&w->pending, interface);
        buffer_append(&w->pending, held.data, held.length);
        w->pending.failed = w->pending.failed || held.failed;
        buffer_free(&held);
        w->held = false;
    } else {
        block_write_interface(&w->pending, interface);
    }
    if (interface == NULL)
        w->stand_ins++;
    else
        w->interfaces++;
}

/* Whether the event may come before the interface is known. */
static bool is_preamble(enum trace_kind kind)
{
    return kind == TRACE_EXCHANGE || kind == TRACE_SCRIPT || kind == TRACE_ROLE ||
           kind == TRACE_NOTE;
}

static bool refuse(struct trace_writer *w, struct error *error, const char *what,
                   uint32_t interface)
{
    error_set(&w->failure, STATUS_NOT_ALLOWED, "cannot go on writing %s: %s %u out of turn",
              w->name, what, interface);
    return fail(w, error);
}

bool trace_writer_add(struct trace_writer *writer, const struct trace_event *event,
                      struct error *error)
{
    if (writer->failed)
        return fail(writer, error);
    uint32_t interfaces = writer->interfaces;
    if (event->kind == TRACE_INTERFACE && event->interface.interface != interfaces)
        return refuse(writer, error, "interface", event->interface.interface);
    if (event->kind == TRACE_PACKET && event->packet.interface >= interfaces)
        return refuse(writer, error, "a packet of interface", event->packet.interface);
    if (event->kind == TRACE_STATISTICS && event->statistics.interface >= interfaces)
        return refuse(writer, error, "statistics of interface", event->statistics.interface);
    if (event->kind == TRACE_INTERFACE)
        describe(writer, &event->interface);
    else if (writer->held && !is_preamble(event->kind))
        describe(writer, NULL);
    block_write_event(&writer->pending, event, writer->stand_ins);
    if (writer->pending.failed || writer->pending.length >= PENDING_LIMIT)
        return trace_writer_flush(writer, error);
    return true;
}

static struct trace_writer *open_writer(int descriptor, bool owned, const char *name,
                                        struct error *error)
{
    struct trace_writer *w = calloc(1, sizeof *w);
    char *copy = strdup(name);
    if (w == NULL || copy == NULL) {
        free(w);
        free(copy);
        if (owned)
            close(descriptor);
        error_out_of_memory(error);
        return NULL;
    }
    w->descriptor = descriptor;
    w->owned = owned;
    w->name = copy;
    /* At once, so that there never is a file that does not open. */
    block_write_section(&w->pending);
    if (!write_pending(w, error)) {
        trace_writer_close(w, NULL);
        return NULL;
    }
    w->held = true;
    return w;
}

struct trace_writer *trace_writer_create(const char *path, bool force, struct error *error)
{
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (force ? O_TRUNC : O_EXCL);
    int descriptor = open(path, flags, 0666);
    if (descriptor < 0) {
        error_not_created(error, path, errno);
        return NULL;
    }
    struct trace_writer *writer = open_writer(descriptor, true, path, error);
    if (writer == NULL && !force)
        unlink(path); /* an empty file is of no use, and would be in the way next time */
    return writer;
}

struct trace_writer *trace_writer_to(int descriptor, struct error *error)
{
    return open_writer(descriptor, false, "the temporary file with the trace (TMPDIR says where)",
                       error);
}

bool trace_writer_close(struct trace_writer *writer, struct error *error)
{
    if (writer == NULL)
        return true;
    if (writer->held)
        describe(writer, NULL);
    bool written = write_pending(writer, error);
    if (writer->owned && close(writer->descriptor) != 0 && written)
        written = error_set(error, STATUS_NOT_ALLOWED, "cannot finish writing %s: %s (%s)",
                            writer->name, strerror(errno), error_code_name(errno));
    buffer_free(&writer->pending);
    free(writer->name);
    free(writer);
    return written;
}
