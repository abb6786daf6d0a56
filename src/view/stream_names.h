/*
 * stream_names.h - which role of the exchange a flow's end is. For stream.c only.
 */
#ifndef HANDLENS_VIEW_STREAM_NAMES_H
#define HANDLENS_VIEW_STREAM_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/event.h"

#define STREAM_NAME    64
#define STREAM_ROLES   64
#define STREAM_SOCKETS 512

/* What was heard of roles and, lately, of their sockets. Zero is a good beginning. */
struct stream_names {
    struct {
        uint32_t role;
        char name[STREAM_NAME]; /* safe text */
    } roles[STREAM_ROLES];
    size_t role_count;
    struct trace_socket sockets[STREAM_SOCKETS]; /* a ring */
    size_t socket_count;
};

/* utf8: what the terminal can show. */
void stream_names_hear(struct stream_names *names, const struct trace_event *event, bool utf8);

/* The role whose socket has these two addresses; NULL for a stranger's. */
const char *stream_names_find(const struct stream_names *names, uint8_t protocol,
                              const struct address *local, const struct address *remote);

#endif
