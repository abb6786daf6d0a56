/*
 * json_line.h - a JSON object that is filled again and again. For json*.c only.
 *
 * To make an object of thirty fields for each of a million packets and to free it again costs
 * more than all else that is done for a packet. So the object stays: as long as the same keys come
 * in the same order, as they do from one segment to the next, values are only changed in place.
 * Where a key differs, it and all behind it are taken out and made anew.
 */
#ifndef HANDLENS_VIEW_JSON_LINE_H
#define HANDLENS_VIEW_JSON_LINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More keys than any object of ours has. */
#define JSON_LINE_SLOTS 48

struct json_line {
    json_t *object; /* owned; NULL before the first use */
    struct json_slot {
        const char *key; /* a constant: told apart by where it lies */
        json_t *value;   /* borrowed, of object */
        bool is_own;     /* made here, so it may be changed in place */
    } slots[JSON_LINE_SLOTS];
    size_t size; /* slots in use */
    size_t at;   /* the next one to fill */
    bool failed; /* memory ran out */
};

/* Begins to fill it from its first key on. */
void json_line_begin(struct json_line *line);
/* Drops what was left of the last time. Returns the object, which is borrowed; NULL if failed. */
json_t *json_line_end(struct json_line *line);
/* Frees what it holds. */
void json_line_free(struct json_line *line);

/* What does not fit into a signed 64-bit number becomes the largest that does. */
void json_line_number(struct json_line *line, const char *key, uint64_t number);
/* ASCII, or at least UTF-8. */
void json_line_text(struct json_line *line, const char *key, const char *text, size_t length);
/* Takes the reference; NULL: memory ran out. */
void json_line_new(struct json_line *line, const char *key, json_t *value);
/* A value that others hold too. It is not changed here. */
void json_line_shared(struct json_line *line, const char *key, json_t *value);
void json_line_null(struct json_line *line, const char *key);

#endif
