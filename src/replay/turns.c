#include "replay/turns.h"

#include <stdint.h>
#include <stdlib.h>

#include "packet/packet.h"

void turns_free(struct turns *turns)
{
    free(turns->list);
    *turns = (struct turns){0};
}

static bool add(struct turns *turns, struct turn turn)
{
    struct turn *last = turns->count > 0 ? &turns->list[turns->count - 1] : NULL;
    if (turn.kind == TURN_BYTES && last != NULL && last->kind == TURN_BYTES &&
        last->from == turn.from) {
        last->length += turn.length;
        return true;
    }
    if (turns->count == turns->capacity) {
        size_t capacity = turns->capacity == 0 ? 16 : 2 * turns->capacity;
        struct turn *list = realloc(turns->list, capacity * sizeof *list);
        if (list == NULL)
            return false;
        turns->list = list;
        turns->capacity = capacity;
    }
    turns->list[turns->count++] = turn;
    return true;
}

/* How far into its sender's stream the packet reaches. Streams here are far shorter than 2 GiB. */
static size_t reach(const struct check_packet *packet, size_t length)
{
    uint32_t syn = packet->flags & TCP_SYN ? 1 : 0;
    int64_t end = (int64_t)(int32_t)(packet->seq + syn - 1) + packet->length;
    return end <= 0 ? 0 : (uint64_t)end < length ? (size_t)end : length;
}

static bool is_replayable(const struct check_flow *flow, struct error *error)
{
    const char *const names[] = {"client", "server"};
    if (flow->flow.protocol != TRACE_TCP)
        return error_set(error, STATUS_USAGE,
                         "flow %u is UDP, and only TCP can be replayed: its bytes have an order",
                         flow->flow.id);
    if (flow->flow.close == FLOW_REFUSED)
        return error_set(error, STATUS_USAGE, "flow %u was refused: there is nothing to replay",
                         flow->flow.id);
    if (flow->to_itself)
        return error_set(error, STATUS_USAGE,
                         "both ends of flow %u have one address: its sides cannot be told apart",
                         flow->flow.id);
    for (int end = FLOW_CLIENT; end <= FLOW_SERVER; end++) {
        if (flow->side[end].missing > 0)
            return error_set(error, STATUS_USAGE,
                             "%llu bytes that the %s of flow %u sent are not in the capture",
                             (unsigned long long)flow->side[end].missing, names[end],
                             flow->flow.id);
    }
    return true;
}

bool turns_find(struct turns *turns, const struct check_trace *trace, const struct check_flow *flow,
                struct error *error)
{
    *turns = (struct turns){0};
    if (!is_replayable(flow, error))
        return false;
    size_t sent[2] = {0, 0};
    bool ended[2] = {false, false};
    for (size_t i = 0; i < flow->packet_count; i++) {
        const struct check_packet *packet = &trace->packets[flow->packets[i]];
        enum flow_end from = (enum flow_end)packet->from;
        size_t upto = packet->length > 0 ? reach(packet, flow->side[from].sent.length) : 0;
        bool kept = true;
        if (upto > sent[from]) {
            kept = add(turns, (struct turn){TURN_BYTES, from, sent[from], upto - sent[from]});
            sent[from] = upto;
        }
        if ((packet->flags & TCP_FIN) && !ended[from]) {
            ended[from] = true;
            kept = kept && add(turns, (struct turn){.kind = TURN_END, .from = from});
        }
        if (packet->flags & TCP_RST) /* nothing that comes behind it counts */
            return add(turns, (struct turn){.kind = TURN_RESET, .from = from}) ||
                   error_set(error, STATUS_NOT_ALLOWED, "out of memory");
        if (!kept)
            return error_set(error, STATUS_NOT_ALLOWED, "out of memory");
    }
    if (turns->count == 0)
        return error_set(error, STATUS_USAGE, "flow %u holds nothing to replay", flow->flow.id);
    return true;
}
