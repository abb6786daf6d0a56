/*
 * ports.h - the ports that an exchange uses, and the capture's filter that lets only these through.
 *
 * On this machine's own loopback and network others talk, too, and what they say is none of our
 * business. Ports of labs that bind for themselves are known only as the exchange goes on.
 */
#ifndef HANDLENS_COMMAND_PORTS_H
#define HANDLENS_COMMAND_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/buffer.h"

#define PORTS_LIMIT 64

struct ports {
    uint16_t list[PORTS_LIMIT];
    size_t count;
    bool too_many; /* then all are let through */
};

/* Returns whether the filter has changed. Port 0 is none. */
bool ports_add(struct ports *ports, uint16_t port);

/* The filter, in tcpdump's language. The text is the buffer's. */
const char *ports_filter(const struct ports *ports, struct buffer *text);

#endif
