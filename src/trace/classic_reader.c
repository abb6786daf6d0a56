/*
 * classic_reader.c - packets out of a classic pcap file.
 *
 * The format's one common form (version 2.4, this machine's byte order, a link type without fields
 * in the capturing host's order) is a header of sixteen bytes before each packet. It is read right
 * out of the source, where the bytes already are: a file of a million packets is read twice as fast
 * as through a FILE. All other forms are read by libpcap, which knows their histories.
 *
 * libpcap wants a FILE. It gets one whose bytes come from our source (fopencookie), so that a pipe
 * whose first bytes have been looked at is read like a file, and ftello knows the offset of both.
 */
#include "trace/classic_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>

#include "support/clock.h"
#include "support/cursor.h"
#include "support/lines.h"

#define CLASSIC_HEADER     24
#define RECORD_HEADER      16
#define MAGIC_MICROSECONDS 0xa1b2c3d4u
#define MAGIC_NANOSECONDS  0xa1b23c4du
/* libpcap's largest snapshot length; what claims more is damaged. */
#define SNAP_LENGTH_MOST 262144
#define STREAM_BUFFER    ((size_t)64 << 10)

struct classic_reader {
    struct source *source;
    bool is_plain;                /* of the common form: the next four lines are not used */
    int64_t nanoseconds_per_tick; /* of the plain form's stamps */
    FILE *stream;                 /* the pcap's own, once there is one */
    char *stream_buffer;
    pcap_t *pcap;
    uint32_t link_type;
    uint32_t snap_length;
    bool described; /* the interface's event has been told */
    uint64_t packets;
};

static ssize_t stream_read(void *cookie, char *to, size_t size)
{
    struct source *source = cookie;
    size_t available = source_fill(source, 1);
    if (available == 0) {
        errno = source->error;
        return source->error != 0 ? -1 : 0;
    }
    size_t length = available < size ? available : size;
    memcpy(to, source_at(source), length);
    source_take(source, length);
    return (ssize_t)length;
}

/* Only tells where the stream is: that is what ftello asks. */
static int stream_seek(void *cookie, off64_t *offset, int whence)
{
    const struct source *source = cookie;
    if (whence != SEEK_CUR || *offset != 0)
        return -1;
    *offset = (off64_t)source->offset;
    return 0;
}

/*
 * Link type and snapshot length stand in the file's header. libpcap would give its own number for
 * the link type (DLT_), which is not the file's for some.
 */
static void read_header(struct classic_reader *reader)
{
    struct cursor head = cursor_over(source_at(reader->source), CLASSIC_HEADER);
    bool big = cursor_u8(&head) == 0xa1;
    head.at = 16;
    uint32_t snap_length = big ? cursor_be32(&head) : cursor_le32(&head);
    uint32_t link_type = big ? cursor_be32(&head) : cursor_le32(&head);
    reader->snap_length = snap_length;
    reader->link_type = link_type & 0xffff; /* above it: the frame check sequence's length */
}

/* Link types whose bytes are the same whoever captured them, or are told apart when decoded. */
static bool is_portable(uint32_t link_type)
{
    static const uint32_t portable[] = {0, 1, 12, 14, 101, 108, 113, 228, 229, 276};
    for (size_t i = 0; i < sizeof portable / sizeof *portable; i++) {
        if (link_type == portable[i])
            return true;
    }
    return false;
}

/* A number of the plain form: in this machine's byte order. */
static uint32_t plain_u32(const uint8_t *bytes)
{
    uint32_t number;
    memcpy(&number, bytes, sizeof number);
    return number;
}

/* Whether the file has the common form. Takes the header if so. */
static bool open_plain(struct classic_reader *reader)
{
    const uint8_t *header = source_at(reader->source);
    uint16_t version[2];
    memcpy(version, header + 4, sizeof version);
    uint32_t magic = plain_u32(header);
    if ((magic != MAGIC_MICROSECONDS && magic != MAGIC_NANOSECONDS) || version[0] != 2 ||
        version[1] != 4 || !is_portable(plain_u32(header + 20)) || reader->snap_length == 0 ||
        reader->snap_length > SNAP_LENGTH_MOST)
        return false;
    reader->is_plain = true;
    reader->nanoseconds_per_tick = magic == MAGIC_NANOSECONDS ? 1 : 1000;
    source_take(reader->source, CLASSIC_HEADER);
    return true;
}

static bool open_stream(struct classic_reader *reader, struct error *error)
{
    cookie_io_functions_t functions = {.read = stream_read, .seek = stream_seek};
    reader->stream_buffer = malloc(STREAM_BUFFER);
    reader->stream = fopencookie(reader->source, "r", functions);
    if (reader->stream_buffer == NULL || reader->stream == NULL)
        return error_out_of_memory(error);
    setvbuf(reader->stream, reader->stream_buffer, _IOFBF, STREAM_BUFFER);
    __fsetlocking(reader->stream, FSETLOCKING_BYCALLER); /* nobody else knows this stream */
    char why[PCAP_ERRBUF_SIZE] = "";
    reader->pcap =
        pcap_fopen_offline_with_tstamp_precision(reader->stream, PCAP_TSTAMP_PRECISION_NANO, why);
    if (reader->pcap != NULL)
        return true;
    return error_set(error, STATUS_DAMAGED, "%s is not a capture file that can be read: %s",
                     reader->source->name, why);
}

struct classic_reader *classic_reader_open(struct source *source, struct error *error)
{
    struct classic_reader *reader = lines_calloc(sizeof *reader);
    if (reader == NULL) {
        error_out_of_memory(error);
        return NULL;
    }
    reader->source = source;
    if (source_fill(source, CLASSIC_HEADER) < CLASSIC_HEADER) {
        error_set(error, STATUS_DAMAGED, "%s is damaged at byte 0: it ends within its header",
                  source->name);
        free(reader);
        return NULL;
    }
    read_header(reader);
    if (!open_plain(reader) && !open_stream(reader, error)) {
        classic_reader_close(reader);
        return NULL;
    }
    return reader;
}

static enum trace_progress tell_interface(struct classic_reader *reader, struct trace_event *event)
{
    reader->described = true;
    *event = (struct trace_event){.kind = TRACE_INTERFACE};
    event->interface.link_type = reader->link_type;
    event->interface.snap_length = reader->snap_length;
    return TRACE_READ_EVENT;
}

static enum trace_progress tell_damage(const struct classic_reader *reader, const char *why,
                                       struct error *error)
{
    error_set(error, STATUS_DAMAGED, "%s is damaged at byte %" PRIu64 ": %s", reader->source->name,
              reader->source->offset, why);
    return TRACE_READ_DAMAGED;
}

static enum trace_progress tell_plain_end(struct classic_reader *reader, size_t available,
                                          struct error *error)
{
    char why[96];
    if (reader->source->error != 0)
        return tell_damage(reader, strerror(reader->source->error), error);
    if (available == 0)
        return TRACE_READ_END;
    snprintf(why, sizeof why, "it ends within a packet, after %zu bytes of it", available);
    return tell_damage(reader, why, error);
}

static enum trace_progress next_plain(struct classic_reader *reader, struct trace_event *event,
                                      struct error *error)
{
    struct source *source = reader->source;
    size_t available = source_fill(source, RECORD_HEADER);
    if (available < RECORD_HEADER)
        return tell_plain_end(reader, available, error);
    uint32_t captured = plain_u32(source_at(source) + 8);
    if (captured > SNAP_LENGTH_MOST) {
        char why[96];
        snprintf(why, sizeof why, "a packet of %" PRIu32 " captured bytes cannot be", captured);
        return tell_damage(reader, why, error);
    }
    available = source_fill(source, RECORD_HEADER + captured);
    if (available < RECORD_HEADER + captured)
        return tell_plain_end(reader, available, error);
    const uint8_t *record = source_at(source);
    if (available > RECORD_HEADER + captured + 2 * CACHE_LINE) {
        /* The next record's headers, which will be wanted soon. */
        __builtin_prefetch(record + RECORD_HEADER + captured);
        __builtin_prefetch(record + RECORD_HEADER + captured + CACHE_LINE);
    }
    /* Signed, as libpcap takes them. */
    int64_t seconds = (int32_t)plain_u32(record);
    int64_t ticks = (int32_t)plain_u32(record + 4);
    event->kind = TRACE_PACKET;
    event->time = seconds * NANOSECONDS_PER_SECOND + ticks * reader->nanoseconds_per_tick;
    event->packet = (struct trace_packet){
        .number = ++reader->packets,
        .link_type = reader->link_type,
        .length = plain_u32(record + 12),
        /* More than the snapshot length is left out, as by libpcap. */
        .bytes = {record + RECORD_HEADER,
                  captured < reader->snap_length ? captured : reader->snap_length},
    };
    source_take(source, RECORD_HEADER + captured);
    return TRACE_READ_EVENT;
}

enum trace_progress classic_reader_next(struct classic_reader *reader, struct trace_event *event,
                                        struct error *error)
{
    if (!reader->described)
        return tell_interface(reader, event);
    if (reader->is_plain)
        return next_plain(reader, event, error);
    struct pcap_pkthdr *header;
    const u_char *bytes;
    off_t offset = ftello(reader->stream);
    int result = pcap_next_ex(reader->pcap, &header, &bytes);
    if (result == PCAP_ERROR_BREAK)
        return TRACE_READ_END;
    if (result != 1) {
        error_set(error, STATUS_DAMAGED, "%s is damaged at byte %" PRIu64 ": %s",
                  reader->source->name, (uint64_t)offset, pcap_geterr(reader->pcap));
        return TRACE_READ_DAMAGED;
    }
    event->kind = TRACE_PACKET;
    /* With PCAP_TSTAMP_PRECISION_NANO tv_usec holds nanoseconds. */
    event->time = (int64_t)header->ts.tv_sec * NANOSECONDS_PER_SECOND + header->ts.tv_usec;
    event->packet = (struct trace_packet){
        .number = ++reader->packets,
        .link_type = reader->link_type,
        .length = header->len,
        .bytes = {bytes, header->caplen},
    };
    return TRACE_READ_EVENT;
}

bool classic_reader_is_plain(const struct classic_reader *reader)
{
    return reader->is_plain;
}

void classic_reader_close(struct classic_reader *reader)
{
    if (reader == NULL)
        return;
    if (reader->pcap != NULL)
        pcap_close(reader->pcap); /* closes the stream too */
    else if (reader->stream != NULL)
        fclose(reader->stream);
    free(reader->stream_buffer);
    free(reader);
}
