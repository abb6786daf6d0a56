#include "view/html_intern.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a. Who makes its values collide slows down the search in a table of bounded size. */
static uint64_t hash_of(const uint8_t *key, size_t length)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ key[i]) * 0x100000001b3u;
    return hash ^ hash >> 32;
}

void html_intern_free(struct html_intern *table)
{
    for (size_t i = 0; i < HTML_INTERN_SLOTS; i++) {
        free(table->slots[i].key);
        table->slots[i].key = NULL;
    }
    table->count = 0;
}

uint32_t html_intern(struct html_intern *table, const void *key, size_t length, bool *is_new)
{
    size_t at = hash_of(key, length) % HTML_INTERN_SLOTS;
    *is_new = false;
    while (table->slots[at].key != NULL) {
        if (table->slots[at].length == length &&
            (length == 0 || memcmp(table->slots[at].key, key, length) == 0))
            return table->slots[at].number;
        at = (at + 1) % HTML_INTERN_SLOTS;
    }
    if (table->count >= HTML_INTERN_SLOTS / 2) {
        html_intern_free(table);
        at = hash_of(key, length) % HTML_INTERN_SLOTS;
    }
    uint8_t *copy = malloc(length + 1);
    if (copy == NULL)
        return 0;
    if (length > 0)
        memcpy(copy, key, length);
    table->slots[at].key = copy;
    table->slots[at].length = length;
    table->slots[at].number = ++table->last;
    table->count++;
    *is_new = true;
    return table->last;
}
