/*
 * cursor.h - reads bytes that came from outside, never past their end.
 *
 * A read beyond the end returns zero (or NULL) and marks the cursor as failed; it then stays
 * failed. A reader takes what it needs and asks once whether all of it was there.
 */
#ifndef HANDLENS_SUPPORT_CURSOR_H
#define HANDLENS_SUPPORT_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
    const uint8_t *data; /* not owned */
    size_t length;
    size_t at; /* the next byte to read */
    bool failed;
};

static inline struct cursor cursor_over(const void *data, size_t length)
{
    return (struct cursor){.data = data, .length = length};
}

static inline size_t cursor_left(const struct cursor *cursor)
{
    return cursor->length - cursor->at;
}

/* Takes length bytes. Returns where they start, or NULL if there are fewer. */
static inline const uint8_t *cursor_take(struct cursor *cursor, size_t length)
{
    if (cursor->failed || length > cursor_left(cursor)) {
        cursor->failed = true;
        return NULL;
    }
    const uint8_t *start = cursor->data + cursor->at;
    cursor->at += length;
    return start;
}

static inline uint8_t cursor_u8(struct cursor *cursor)
{
    const uint8_t *b = cursor_take(cursor, 1);
    return b == NULL ? 0 : b[0];
}

/* Big-endian, the order of network headers. */
static inline uint16_t cursor_be16(struct cursor *cursor)
{
    const uint8_t *b = cursor_take(cursor, 2);
    return b == NULL ? 0 : (uint16_t)(b[0] << 8 | b[1]);
}

static inline uint32_t cursor_be32(struct cursor *cursor)
{
    const uint8_t *b = cursor_take(cursor, 4);
    return b == NULL ? 0 : (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static inline uint16_t cursor_le16(struct cursor *cursor)
{
    const uint8_t *b = cursor_take(cursor, 2);
    return b == NULL ? 0 : (uint16_t)(b[1] << 8 | b[0]);
}

static inline uint32_t cursor_le32(struct cursor *cursor)
{
    const uint8_t *b = cursor_take(cursor, 4);
    return b == NULL ? 0 : (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}

#endif
