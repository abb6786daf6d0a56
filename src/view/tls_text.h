/*
 * tls_text.h - TLS records in the words of RFC 8446, instead of their bytes. For src/view only.
 *
 *     TLS Server Hello, 127 bytes
 *     TLS Application Data, 28 + 474 bytes
 *
 * Lengths are those on the wire, with the record's header of five bytes. What is encrypted has no
 * name but its record's: in TLS 1.3 that is Application Data for all but the first messages.
 */
#ifndef HANDLENS_VIEW_TLS_TEXT_H
#define HANDLENS_VIEW_TLS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/buffer.h"

/* How far one direction of a stream has been read; all zero at first. Sequence numbers are of the
 * TCP segment, relative or not. */
struct tls_place {
    bool known;    /* next is where a record begins */
    uint32_t next; /* sequence number */
    uint32_t seen; /* behind the last byte that came in order */
};

/*
 * Appends a line, without a newline at its end, for each kind of record that begins in a
 * segment, and for the rest of one that began before. bytes are the captured ones of length.
 * Returns false, having appended nothing, if this is no TLS.
 */
bool tls_text_append(struct buffer *text, struct tls_place *place, uint32_t sequence,
                     const uint8_t *bytes, size_t captured, size_t length);

#endif
