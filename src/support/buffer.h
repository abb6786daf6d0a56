/*
 * buffer.h - a growing run of bytes.
 *
 * Running out of memory is remembered in .failed and makes every later append do nothing, so a
 * writer appends freely and asks once at the end.
 */
#ifndef HANDLENS_SUPPORT_BUFFER_H
#define HANDLENS_SUPPORT_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
    uint8_t *data; /* owned; NULL while empty */
    size_t length; /* bytes in use */
    size_t capacity;
    bool failed; /* memory ran out at some append */
};

/* Frees what the buffer holds and makes it empty again. */
void buffer_free(struct buffer *buffer);

/* Makes room for more bytes behind the end. Returns where they start, or NULL out of memory. */
uint8_t *buffer_reserve(struct buffer *buffer, size_t more);

void buffer_append(struct buffer *buffer, const void *data, size_t length);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_byte(struct buffer *buffer, uint8_t byte);
/* The same byte, count times. */
void buffer_append_repeated(struct buffer *buffer, uint8_t byte, size_t count);
/* In decimal. */
void buffer_append_number(struct buffer *buffer, uint64_t number);
void buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Ends the bytes with a zero (not counted in length). Returns them as text, "" out of memory. */
const char *buffer_text(struct buffer *buffer);

/*
 * Whether memory ever ran out for any buffer of this process. Who wrote into it should have asked
 * it; this is what main asks before it calls the whole a success.
 */
bool buffer_any_failed(void);

/* Empties the buffer and keeps its memory. */
void buffer_clear(struct buffer *buffer);

#endif
