#include "tcp/segments.h"

#include <stdlib.h>

#include "tcp/sequence.h"

void segment_pool_free(struct segment_pool *pool)
{
    free(pool->all);
    *pool = (struct segment_pool){0};
}

static bool pool_grow(struct segment_pool *pool)
{
    if (pool->capacity >= pool->limit)
        return false;
    uint32_t capacity = pool->capacity ? pool->capacity * 2 : 256;
    if (capacity > pool->limit)
        capacity = pool->limit;
    struct segment *all = realloc(pool->all, capacity * sizeof *all);
    if (!all)
        return false;
    pool->all = all;
    pool->capacity = capacity;
    return true;
}

/* Returns place + 1, or 0 where there is no room. */
static uint32_t pool_take(struct segment_pool *pool)
{
    uint32_t place = pool->free;
    if (place) {
        pool->free = pool->all[place - 1].link;
        return place;
    }
    if (pool->used == pool->capacity && !pool_grow(pool))
        return 0;
    return ++pool->used;
}

static void pool_give(struct segment_pool *pool, uint32_t place)
{
    pool->all[place - 1].link = pool->free;
    pool->free = place;
}

bool segments_add(struct segment_pool *pool, struct segments *list, int64_t time, uint64_t number,
                  uint32_t seq, uint32_t next_seq)
{
    if (list->count >= (list->jumbled ? SEGMENTS_LIMIT_JUMBLED : SEGMENTS_LIMIT))
        return false;
    uint32_t place = pool_take(pool);
    if (!place)
        return false;
    pool->all[place - 1] =
        (struct segment){.time = time, .number = number, .seq = seq, .next_seq = next_seq};
    if (list->newest) {
        struct segment *last = &pool->all[list->newest - 1];
        if (sequence_before(seq, last->next_seq))
            list->jumbled = true;
        last->link = place;
    } else {
        list->oldest = place;
        list->jumbled = false;
    }
    list->newest = place;
    list->count++;
    return true;
}

bool segments_acked(struct segment_pool *pool, struct segments *list, uint32_t ack,
                    struct segment *matched)
{
    bool found = false;
    uint32_t before = 0; /* the older neighbour that stays */
    uint32_t place = list->oldest;
    while (place) {
        struct segment *segment = &pool->all[place - 1];
        uint32_t next = segment->link;
        if (sequence_after(segment->next_seq, ack)) {
            if (sequence_after(ack, segment->seq))
                segment->seq = ack;
            if (!list->jumbled)
                break;
            before = place;
            place = next;
            continue;
        }
        if (segment->next_seq == ack && !found) {
            *matched = *segment;
            found = true;
        }
        if (before)
            pool->all[before - 1].link = next;
        else
            list->oldest = next;
        if (list->newest == place)
            list->newest = before;
        list->count--;
        pool_give(pool, place);
        place = next;
    }
    if (!list->oldest)
        list->jumbled = false;
    return found;
}

uint32_t segments_span(const struct segment_pool *pool, const struct segments *list, uint32_t base)
{
    if (!list->oldest)
        return 0;
    const struct segment *oldest = &pool->all[list->oldest - 1];
    const struct segment *newest = &pool->all[list->newest - 1];
    if (!list->jumbled)
        return newest->next_seq - oldest->seq;
    uint32_t low = oldest->seq - base;
    uint32_t high = oldest->next_seq - base;
    for (uint32_t place = oldest->link; place; place = pool->all[place - 1].link) {
        const struct segment *segment = &pool->all[place - 1];
        if (segment->seq - base < low)
            low = segment->seq - base;
        if (segment->next_seq - base > high)
            high = segment->next_seq - base;
    }
    return high - low;
}

void segments_clear(struct segment_pool *pool, struct segments *list)
{
    if (list->newest) { /* the whole chain goes to the free ones at once */
        pool->all[list->newest - 1].link = pool->free;
        pool->free = list->oldest;
    }
    *list = (struct segments){0};
}
