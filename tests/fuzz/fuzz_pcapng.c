/*
 * fuzz_pcapng.c - any bytes as a capture file: the reader must come to an end without harm.
 *
 * Whatever an event points to must be readable, which comparing it with itself tries; and what was
 * read must be fit to be written again.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "trace/event.h"
#include "trace/reader.h"
#include "trace/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Touches all bytes, so that the sanitizer sees a pointer that is wrong. */
static void touch(const void *data, size_t length)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < length; i++) {
        volatile uint8_t seen = bytes[i];
        (void)seen;
    }
}

static void read_all(int descriptor, struct trace_writer *writer)
{
    struct error error;
    struct trace_reader *reader = trace_reader_from(descriptor, "input", &error);
    if (reader == NULL)
        return;
    uint64_t packets = 0;
    struct trace_event event;
    while (trace_reader_next(reader, &event, &error) == TRACE_READ_EVENT) {
        if (event.kind == TRACE_PACKET) {
            touch(event.packet.bytes.data, event.packet.bytes.length);
            touch(event.packet.comment.data, event.packet.comment.length);
            if (event.packet.number != ++packets)
                abort();
        }
        if (!trace_event_equal(&event, &event))
            abort();
        trace_writer_add(writer, &event, NULL);
    }
    trace_reader_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int input = -1, output = -1;
    if (input < 0) {
        input = memfd_create("input", 0);
        output = open("/dev/null", O_WRONLY);
    }
    if (ftruncate(input, 0) != 0 || pwrite(input, data, size, 0) != (ssize_t)size)
        return 0;
    struct trace_writer *writer = trace_writer_to(output, NULL);
    if (writer == NULL)
        return 0;
    read_all(input, writer);
    trace_writer_close(writer, NULL);
    return 0;
}
