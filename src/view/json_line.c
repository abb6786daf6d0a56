#include "view/json_line.h"

#include <string.h>

void json_line_begin(struct json_line *line)
{
    if (line->object == NULL)
        line->object = json_object();
    line->failed |= line->object == NULL;
    line->at = 0;
}

/* Takes out the slots from at on. */
static void cut(struct json_line *line)
{
    for (size_t i = line->at; i < line->size; i++)
        json_object_del(line->object, line->slots[i].key);
    line->size = line->at;
}

json_t *json_line_end(struct json_line *line)
{
    cut(line);
    return line->failed ? NULL : line->object;
}

void json_line_free(struct json_line *line)
{
    json_decref(line->object);
    *line = (struct json_line){0};
}

/* Whether the next slot has this key; if not, it and all behind it are gone. */
static bool is_next(struct json_line *line, const char *key)
{
    if (line->at < line->size && line->slots[line->at].key == key)
        return true;
    cut(line);
    return false;
}

/* Fills the next slot; is_own: nobody else holds the value. */
static void put(struct json_line *line, const char *key, json_t *value, bool is_own)
{
    is_next(line, key);
    if (line->failed || value == NULL || line->at == JSON_LINE_SLOTS) {
        json_decref(value);
        line->failed = true;
        return;
    }
    if (json_object_set_new_nocheck(line->object, key, value) != 0) {
        line->failed = true;
        return;
    }
    line->slots[line->at++] = (struct json_slot){key, value, is_own};
    if (line->size < line->at)
        line->size = line->at;
}

/* The next slot if its value may be changed in place, being of that type. */
static json_t *own_value(struct json_line *line, const char *key, json_type type)
{
    if (!is_next(line, key))
        return NULL;
    struct json_slot *slot = &line->slots[line->at];
    return slot->is_own && json_typeof(slot->value) == type ? slot->value : NULL;
}

void json_line_number(struct json_line *line, const char *key, uint64_t number)
{
    json_int_t value = number > INT64_MAX ? INT64_MAX : (json_int_t)number;
    json_t *own = own_value(line, key, JSON_INTEGER);
    if (own == NULL) {
        put(line, key, json_integer(value), true);
        return;
    }
    json_integer_set(own, value);
    line->at++;
}

void json_line_text(struct json_line *line, const char *key, const char *text, size_t length)
{
    json_t *own = own_value(line, key, JSON_STRING);
    if (own == NULL) {
        put(line, key, json_stringn_nocheck(text, length), true);
        return;
    }
    bool is_same =
        json_string_length(own) == length && memcmp(json_string_value(own), text, length) == 0;
    if (!is_same && json_string_setn_nocheck(own, text, length) != 0)
        line->failed = true;
    line->at++;
}

void json_line_new(struct json_line *line, const char *key, json_t *value)
{
    put(line, key, value, false);
}

void json_line_shared(struct json_line *line, const char *key, json_t *value)
{
    if (is_next(line, key) && line->slots[line->at].value == value) {
        line->at++;
        return;
    }
    put(line, key, json_incref(value), false);
}

void json_line_null(struct json_line *line, const char *key)
{
    json_line_shared(line, key, json_null());
}
