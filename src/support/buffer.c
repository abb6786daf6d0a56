#include "support/buffer.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The process's own memory of it: texts that only go onto a screen are asked by nobody. */
static atomic_bool lost;

bool buffer_any_failed(void)
{
    return atomic_load(&lost);
}

static uint8_t *fail(struct buffer *buffer)
{
    buffer->failed = true;
    atomic_store(&lost, true);
    return NULL;
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){0};
}

uint8_t *buffer_reserve(struct buffer *buffer, size_t more)
{
    if (buffer->failed)
        return NULL;
    if (buffer->data == NULL || more > buffer->capacity - buffer->length) {
        size_t capacity = buffer->capacity < 256 ? 256 : buffer->capacity;
        while (capacity - buffer->length < more) {
            if (capacity > SIZE_MAX / 2)
                return fail(buffer);
            capacity *= 2;
        }
        uint8_t *data = realloc(buffer->data, capacity);
        if (data == NULL)
            return fail(buffer);
        buffer->data = data;
        buffer->capacity = capacity;
    }
    return buffer->data + buffer->length;
}

void buffer_append(struct buffer *buffer, const void *data, size_t length)
{
    uint8_t *to = buffer_reserve(buffer, length);
    if (to == NULL || length == 0)
        return;
    memcpy(to, data, length);
    buffer->length += length;
}

void buffer_append_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

void buffer_append_byte(struct buffer *buffer, uint8_t byte)
{
    buffer_append(buffer, &byte, 1);
}

void buffer_append_repeated(struct buffer *buffer, uint8_t byte, size_t count)
{
    uint8_t *to = buffer_reserve(buffer, count);
    if (to == NULL)
        return;
    memset(to, byte, count);
    buffer->length += count;
}

void buffer_append_number(struct buffer *buffer, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    buffer_append(buffer, digits + at, sizeof digits - at);
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length >= 0 && buffer_reserve(buffer, (size_t)length + 1) != NULL) {
        vsnprintf((char *)buffer->data + buffer->length, (size_t)length + 1, format, again);
        buffer->length += (size_t)length;
    }
    va_end(again);
}

const char *buffer_text(struct buffer *buffer)
{
    if (buffer_reserve(buffer, 1) == NULL)
        return "";
    buffer->data[buffer->length] = '\0';
    return (const char *)buffer->data;
}

void buffer_clear(struct buffer *buffer)
{
    buffer->length = 0;
}
