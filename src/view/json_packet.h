/*
 * json_packet.h - packets as JSON objects, a million of them. For json*.c only.
 */
#ifndef HANDLENS_VIEW_JSON_PACKET_H
#define HANDLENS_VIEW_JSON_PACKET_H

#include "view/json_line.h"
#include "view/render.h"

/* Every combination of nine flags. */
#define JSON_FLAGS 512

struct json_packet {
    struct json_line line;
    struct json_line options;
    struct json_line stamps;
    json_t *empty_array;
    json_t *flags[JSON_FLAGS]; /* made when first needed */
    unsigned char *payload;    /* base64; owned */
    size_t payload_room;
};

/* A packet's object, which is borrowed until the next call; NULL out of memory. */
json_t *json_packet_fill(struct json_packet *packet, const struct view_item *item);

/* Frees what it holds. Zeroes are a good beginning. */
void json_packet_free(struct json_packet *packet);

#endif
