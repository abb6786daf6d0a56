/*
 * segments.h - segments that were sent and not yet acknowledged.
 *
 * Each direction of a connection keeps a list of them, oldest first, for round trip times and
 * bytes in flight. Their records come from one pool of a flow table, so a busy flow may hold many
 * while a million idle ones hold next to nothing. What the pool or a list cannot hold is not
 * remembered: its round trip time stays unknown and its bytes are not counted as in flight.
 */
#ifndef HANDLENS_TCP_SEGMENTS_H
#define HANDLENS_TCP_SEGMENTS_H

#include <stdbool.h>
#include <stdint.h>

struct segment {
    int64_t time;
    uint64_t number; /* of the packet */
    uint32_t seq;
    uint32_t next_seq;
    uint32_t link; /* the next newer one's place + 1; 0 for none. Free: the next free one */
};

/* One list. Zero is an empty one. */
struct segments {
    uint32_t oldest; /* place + 1; 0 for none */
    uint32_t newest;
    uint16_t count;
    bool jumbled; /* arrival order and sequence order differ, so all must be looked at */
};

/* Zero is an empty pool with no room; limit must be set. */
struct segment_pool {
    struct segment *all; /* owned */
    uint32_t capacity;
    uint32_t used; /* places ever given out */
    uint32_t free; /* place + 1; 0 for none */
    uint32_t limit;
};

/* At most this many in one list; fewer in a jumbled one, of which all must be looked at. */
#define SEGMENTS_LIMIT         4096
#define SEGMENTS_LIMIT_JUMBLED 1024

void segment_pool_free(struct segment_pool *pool);

/* Remembers one. Does nothing where there is no room. Returns whether it was remembered. */
bool segments_add(struct segment_pool *pool, struct segments *list, int64_t time, uint64_t number,
                  uint32_t seq, uint32_t next_seq);

/*
 * Forgets all that end at or before ack and shortens those that ack falls into. If some ended at
 * ack exactly, copies the one sent first to matched and returns true.
 */
bool segments_acked(struct segment_pool *pool, struct segments *list, uint32_t ack,
                    struct segment *matched);

/* Bytes from the lowest to the highest sequence number in the list, counted from base. */
uint32_t segments_span(const struct segment_pool *pool, const struct segments *list, uint32_t base);

/* Forgets all. */
void segments_clear(struct segment_pool *pool, struct segments *list);

#endif
