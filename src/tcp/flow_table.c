/*
 * The table: finds a packet's flow, begins flows and lets them go.
 *
 * Flows hang in a hash table by their two ends, in a list of all by id, and in one of two lists
 * by idleness: those still open, and those that ended. An ended flow goes after a minute of
 * silence. When there are too many, the one longest ended goes, or else one long idle. The
 * hash is keyed by where the table lies in memory, so nobody can write a capture whose flows all
 * fall into one bucket; nothing visible depends on it.
 */
#include <stdlib.h>
#include <string.h>

#include "support/clear.h"
#include "tcp/connection.h"
#include "tcp/span.h"

/* How long an ended flow stays: TIME-WAIT as Linux has it, 60 s of the capture's time. */
#define ENDED_STAYS INT64_C(60000000000)

/* More flows than this are not kept at once. */
#define FLOWS_LIMIT 262144u

/* Unacknowledged segments remembered: this many, and a few more for each flow. */
#define SEGMENTS_SHARED   65536u
#define SEGMENTS_PER_FLOW 4u

struct idle_list {
    struct connection *idlest, *busiest;
};

struct flow_table {
    flow_ended *ended;
    void *data;
    struct connection **buckets; /* owned */
    uint32_t bucket_count;       /* a power of two */
    uint32_t held;               /* flows in memory */
    struct connection *oldest, *newest;
    struct idle_list open_flows, ended_flows;
    struct segment_pool pool;
    uint64_t seed;
    uint32_t flows;      /* ever */
    uint32_t streams[2]; /* ever: TCP, UDP */
    bool has_lost;
};

/* Each bit of the result depends on every bit of both. */
static uint64_t join(uint64_t a, uint64_t b)
{
    a *= UINT64_C(0x9fb21c651e98df25);
    a ^= a >> 32;
    a = (a ^ b) * UINT64_C(0xd6e8feb86659fd93);
    return a ^ a >> 32;
}

/*
 * An end in one number: of IPv4 all that it is, of IPv6 a hash. An address was just written field
 * by field, so it is read that way, too: to read several at once would wait until they are in
 * memory.
 */
static uint64_t number_of(uint64_t seed, const struct address *end)
{
    uint64_t port = (uint64_t)end->port << 32;
    if (end->family == 4) {
        uint32_t host;
        memcpy(&host, end->bytes, sizeof host);
        return (uint64_t)4 << 56 | port | host;
    }
    uint64_t words[2];
    memcpy(words, end->bytes, sizeof words);
    return join(words[0] ^ seed, words[1]) ^ port;
}

static uint8_t protocol_of(const struct packet *packet)
{
    return packet->transport == TRANSPORT_TCP ? 6 : 17;
}

static bool can_be_followed(const struct packet *packet)
{
    return (packet->transport == TRANSPORT_TCP || packet->transport == TRANSPORT_UDP) &&
           packet->has_ports;
}

uint64_t flow_table_seed(const struct flow_table *table)
{
    return table->seed;
}

void flow_key_make(struct flow_key *key, uint64_t seed, const struct packet *packet)
{
    if (!can_be_followed(packet)) {
        *key = (struct flow_key){0};
        return;
    }
    uint64_t from = key->ends[0] = number_of(seed, &packet->source);
    uint64_t to = key->ends[1] = number_of(seed, &packet->destination);
    /* The same for both directions. */
    key->hash = (uint32_t)join((from < to ? from : to) ^ seed,
                               (from < to ? to : from) ^ protocol_of(packet));
}

static void idle_list_remove(struct idle_list *list, struct connection *connection)
{
    if (connection->idler)
        connection->idler->busier = connection->busier;
    else
        list->idlest = connection->busier;
    if (connection->busier)
        connection->busier->idler = connection->idler;
    else
        list->busiest = connection->idler;
    connection->idler = connection->busier = NULL;
}

static void idle_list_append(struct idle_list *list, struct connection *connection)
{
    connection->idler = list->busiest;
    if (list->busiest)
        list->busiest->busier = connection;
    else
        list->idlest = connection;
    list->busiest = connection;
}

static struct idle_list *list_of(struct flow_table *table, const struct connection *connection)
{
    return connection->ended ? &table->ended_flows : &table->open_flows;
}

/*
 * It had a packet just now. To move an open flow to the end of its list with every packet would
 * cost a visit to its neighbours' memory each time; that is left for when somebody must go.
 */
static void touch(struct flow_table *table, struct connection *connection, bool ended)
{
    if (!connection->ended && !ended)
        return;
    idle_list_remove(list_of(table, connection), connection);
    connection->ended = ended;
    connection->queued = connection->flow.last_number;
    idle_list_append(list_of(table, connection), connection);
}

/* The one that shall go if one must: the longest ended, or an open one that was long idle. */
static struct connection *most_idle(struct flow_table *table)
{
    if (table->ended_flows.idlest)
        return table->ended_flows.idlest;
    for (;;) {
        struct connection *connection = table->open_flows.idlest;
        if (connection->queued == connection->flow.last_number)
            return connection;
        idle_list_remove(&table->open_flows, connection); /* it spoke since: back to the end */
        connection->queued = connection->flow.last_number;
        idle_list_append(&table->open_flows, connection);
    }
}

static void hash_remove(struct flow_table *table, struct connection *connection)
{
    if (!connection->reachable)
        return;
    connection->reachable = false;
    struct connection **place = &table->buckets[connection->hash & (table->bucket_count - 1)];
    while (*place != connection)
        place = &(*place)->chain;
    *place = connection->chain;
}

static void hash_insert(struct flow_table *table, struct connection *connection)
{
    struct connection **place = &table->buckets[connection->hash & (table->bucket_count - 1)];
    connection->chain = *place;
    *place = connection;
    connection->reachable = true;
}

/* Doubles the buckets. Where memory is short the chains just grow longer. */
static void hash_grow(struct flow_table *table)
{
    enum { AHEAD = 16 };
    uint32_t before = table->bucket_count;
    struct connection **old = table->buckets;
    struct connection **buckets = calloc((size_t)before * 2, sizeof(struct connection *));
    if (!buckets)
        return;
    table->buckets = buckets;
    table->bucket_count = before * 2;
    for (uint32_t i = 0; i < before; i++) {
        if (i + AHEAD < before && old[i + AHEAD])
            __builtin_prefetch(old[i + AHEAD]);
        for (struct connection *each = old[i]; each;) {
            struct connection *next = each->chain;
            hash_insert(table, each);
            each = next;
        }
    }
    free(old);
}

static void forget(struct flow_table *table, struct connection *connection)
{
    hash_remove(table, connection);
    idle_list_remove(list_of(table, connection), connection);
    if (connection->older)
        connection->older->newer = connection->newer;
    else
        table->oldest = connection->newer;
    if (connection->newer)
        connection->newer->older = connection->older;
    else
        table->newest = connection->older;
    for (int i = 0; i < 2; i++)
        segments_clear(&table->pool, &connection->track[i].unacked);
    table->held--;
    free(connection);
}

static void let_go(struct flow_table *table, struct connection *connection)
{
    if (table->ended)
        table->ended(table->data, &connection->flow);
    forget(table, connection);
}

static void let_go_of_the_silent(struct flow_table *table, int64_t now)
{
    struct connection *first;
    while ((first = table->ended_flows.idlest) && span(first->flow.last_time, now) > ENDED_STAYS)
        let_go(table, first);
}

struct flow_table *flow_table_open(flow_ended *ended, void *data)
{
    struct flow_table *table = calloc(1, sizeof *table);
    if (!table)
        return NULL;
    table->ended = ended;
    table->data = data;
    table->bucket_count = 256;
    table->buckets = calloc(table->bucket_count, sizeof(struct connection *));
    if (!table->buckets) {
        free(table);
        return NULL;
    }
    table->seed = join((uint64_t)(uintptr_t)table ^ UINT64_C(0x68616e646c656e73),
                       (uint64_t)(uintptr_t)table->buckets ^ UINT64_C(0xd6e8feb86659fd93));
    return table;
}

/* All of it will be needed: one wait for memory instead of one for each line. */
static inline void prefetch(const struct connection *connection)
{
    for (size_t at = 0; at < sizeof *connection; at += 64)
        __builtin_prefetch((const char *)connection + at);
}

/* Whether the packet goes between the flow's ends that way round, where numbers only hint at it. */
static bool is_between(const struct flow *flow, const struct packet *packet, enum flow_end from)
{
    return packet->source.family == 4 ||
           (address_equal(&flow->side[from].address, &packet->source) &&
            address_equal(&flow->side[!from].address, &packet->destination));
}

/* Finds the packet's flow and from which end it came. */
static struct connection *find(const struct flow_table *table, const struct packet *packet,
                               const struct flow_key *key, enum flow_end *from)
{
    uint8_t protocol = protocol_of(packet);
    struct connection *each = table->buckets[key->hash & (table->bucket_count - 1)];
    for (; each; each = each->chain) {
        if (each->hash != key->hash || each->flow.protocol != protocol)
            continue;
        for (int end = FLOW_CLIENT; end <= FLOW_SERVER; end++) {
            *from = (enum flow_end)end;
            if (each->numbers[end] == key->ends[0] && each->numbers[!end] == key->ends[1] &&
                is_between(&each->flow, packet, *from))
                return each;
        }
    }
    return NULL;
}

static void set_first_states(struct connection *connection, uint16_t flags)
{
    struct flow *flow = &connection->flow;
    flow->from_middle = (flags & (TCP_SYN | TCP_ACK)) != TCP_SYN;
    if (!flow->from_middle) {
        flow->side[FLOW_CLIENT].state = TCP_STATE_CLOSED;
        flow->side[FLOW_SERVER].state = connection->to_itself ? TCP_STATE_CLOSED : TCP_STATE_LISTEN;
    }
}

static struct connection *begin(struct flow_table *table, const struct packet *packet,
                                const struct flow_key *key, int64_t time, uint64_t number,
                                enum flow_end from)
{
    if (table->held >= FLOWS_LIMIT)
        let_go(table, most_idle(table));
    if (table->held >= table->bucket_count)
        hash_grow(table);
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection) {
        table->has_lost = true;
        return NULL;
    }
    bool tcp = packet->transport == TRANSPORT_TCP;
    struct flow *flow = &connection->flow;
    flow->id = ++table->flows;
    flow->stream = table->streams[tcp ? 0 : 1]++;
    flow->protocol = tcp ? 6 : 17;
    flow->side[from].address = packet->source;
    flow->side[!from].address = packet->destination;
    flow->side[0].window_scale = flow->side[1].window_scale = 255;
    flow->first_time = flow->last_time = time;
    flow->first_number = flow->last_number = number;
    connection->queued = number;
    flow->closed_by = 255;
    connection->numbers[from] = key->ends[0];
    connection->numbers[!from] = key->ends[1];
    connection->to_itself = address_equal(&packet->source, &packet->destination);
    if (tcp)
        analysis_begin(connection);

    connection->hash = key->hash;
    hash_insert(table, connection);
    idle_list_append(&table->open_flows, connection);
    connection->older = table->newest;
    if (table->newest)
        table->newest->newer = connection;
    else
        table->oldest = connection;
    table->newest = connection;
    table->held++;
    table->pool.limit = SEGMENTS_SHARED + SEGMENTS_PER_FLOW * table->held;
    return connection;
}

/* The fixed part of the TCP header is there, and the payload's length is known. */
static bool can_be_analysed(const struct packet *packet)
{
    return packet->transport == TRANSPORT_TCP && !packet->is_fragment &&
           packet->tcp.header_length >= 20;
}

static void follow_tcp(struct flow_table *table, struct connection *connection,
                       const struct seen *seen, struct flow_facts *facts)
{
    analysis_follow(connection, seen, &table->pool, facts);
    states_follow(connection, seen, facts->marks & MARK_PREVIOUS_NOT_CAPTURED);
}

void flow_table_expect_soon(const struct flow_table *table, const struct flow_key *key)
{
    __builtin_prefetch(&table->buckets[key->hash & (table->bucket_count - 1)]);
}

void flow_table_expect(const struct flow_table *table, const struct flow_key *key)
{
    const struct connection *first = table->buckets[key->hash & (table->bucket_count - 1)];
    if (first)
        prefetch(first);
}

/* The packet's flow: a known one, or a new one. NULL out of memory. */
static struct connection *flow_of(struct flow_table *table, const struct packet *packet,
                                  const struct flow_key *key, struct seen *seen, bool analysed,
                                  struct flow_facts *facts)
{
    uint16_t flags = analysed ? packet->tcp.flags : 0;
    struct connection *connection = find(table, packet, key, &seen->from);
    if (connection) {
        if (!analysed || !analysis_is_new_flow(connection, seen))
            return connection;
        hash_remove(table, connection); /* its addresses belong to another flow from here on */
        touch(table, connection, true);
        facts->marks = MARK_PORT_REUSED;
    }
    bool answers = (flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);
    seen->from = answers && !address_equal(&packet->source, &packet->destination) ? FLOW_SERVER
                                                                                  : FLOW_CLIENT;
    connection = begin(table, packet, key, seen->time, seen->number, seen->from);
    if (connection && packet->transport == TRANSPORT_TCP)
        set_first_states(connection, flags);
    facts->new_flow = connection != NULL;
    return connection;
}

void flow_table_add(struct flow_table *table, int64_t time, uint64_t number,
                    const struct packet *packet, struct flow_facts *facts)
{
    struct flow_key key;
    flow_key_make(&key, table->seed, packet);
    flow_table_expect(table, &key);
    flow_table_add_keyed(table, time, number, packet, &key, facts);
}

void flow_table_add_keyed(struct flow_table *table, int64_t time, uint64_t number,
                          const struct packet *packet, const struct flow_key *key,
                          struct flow_facts *facts)
{
    clear_bytes(facts, sizeof *facts);
    let_go_of_the_silent(table, time);
    if (!can_be_followed(packet))
        return;
    bool analysed = can_be_analysed(packet);
    struct seen seen = {.time = time,
                        .number = number,
                        .tcp = &packet->tcp,
                        .length = packet->payload_length,
                        .options_cut = packet->fault == FAULT_CUT};
    struct connection *connection = flow_of(table, packet, key, &seen, analysed, facts);
    if (!connection) {
        facts->marks = 0;
        return;
    }
    struct flow *flow = &connection->flow;
    for (int i = 0; i < 2; i++)
        facts->before[i] = flow->side[i].state;
    facts->flow = flow;
    facts->from = seen.from;
    flow->last_time = time;
    flow->last_number = number;
    flow->side[seen.from].packets++;
    flow->side[seen.from].bytes += packet->payload_length;
    if (analysed)
        follow_tcp(table, connection, &seen, facts);
    else
        flow->side[seen.from].unique_bytes += packet->payload_length;
    for (int i = 0; i < 2; i++)
        facts->after[i] = flow->side[i].state;
    touch(table, connection, flow->close != FLOW_OPEN && flow->close != FLOW_HALF_CLOSED);
}

/* Frees all, and tells of each before if told is wanted. There is nothing to unlink any more. */
static void free_all(struct flow_table *table, flow_ended *ended)
{
    struct connection *each = table->oldest;
    while (each) {
        struct connection *next = each->newer;
        if (next) /* long out of the cache, unlike what is told of this one meanwhile */
            prefetch(next);
        if (ended)
            ended(table->data, &each->flow);
        free(each);
        each = next;
    }
    memset(table->buckets, 0, table->bucket_count * sizeof(struct connection *));
    table->oldest = table->newest = NULL;
    table->open_flows = table->ended_flows = (struct idle_list){0};
    table->held = 0;
    segment_pool_free(&table->pool);
}

void flow_table_end(struct flow_table *table)
{
    free_all(table, table->ended);
}

bool flow_table_has_lost(const struct flow_table *table)
{
    return table->has_lost;
}

uint64_t flow_table_count(const struct flow_table *table)
{
    return table->flows;
}

void flow_table_close(struct flow_table *table)
{
    if (!table)
        return;
    free_all(table, NULL);
    free(table->buckets);
    free(table);
}
