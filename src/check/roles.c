/*
 * Which role sat at which end of a flow: found by the addresses its sockets had. A socket that was
 * connected to the other end counts before one that was only bound (a listener, a UDP socket).
 */
#include <stdlib.h>

#include "check/model.h"

static int compare_ports(const void *a, const void *b)
{
    const struct check_socket *const *first = a, *const *second = b;
    if ((*first)->local.port != (*second)->local.port)
        return (*first)->local.port < (*second)->local.port ? -1 : 1;
    return *first < *second ? -1 : *first > *second; /* the order of the trace */
}

/* The first socket in the sorted list with that port, or where it would stand. */
static size_t first_with_port(struct check_socket *const *sorted, size_t count, uint16_t port)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sorted[middle]->local.port < port)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct check_socket *socket, const struct address *address)
{
    return address_equal(&socket->local, address) || address_is_any(&socket->local);
}

static uint32_t role_at(struct check_socket *const *sorted, size_t count, uint8_t transport,
                        const struct address *local, const struct address *remote)
{
    uint32_t bound = 0;
    for (size_t i = first_with_port(sorted, count, local->port);
         i < count && sorted[i]->local.port == local->port; i++) {
        const struct check_socket *socket = sorted[i];
        if (socket->transport != transport || !is_at(socket, local))
            continue;
        if (socket->remote.family != 0 && address_equal(&socket->remote, remote))
            return socket->role;
        if (socket->remote.family == 0)
            bound = socket->role;
    }
    return bound;
}

bool check_find_roles(struct check_trace *trace)
{
    if (trace->socket_count == 0)
        return true;
    struct check_socket **sorted = malloc(trace->socket_count * sizeof(struct check_socket *));
    if (sorted == NULL)
        return false;
    for (size_t i = 0; i < trace->socket_count; i++)
        sorted[i] = &trace->sockets[i];
    qsort(sorted, trace->socket_count, sizeof(struct check_socket *), compare_ports);
    for (size_t i = 0; i < trace->flow_count; i++) {
        struct check_flow *flow = &trace->flows[i];
        for (int end = 0; end < 2; end++)
            flow->side[end].role =
                role_at(sorted, trace->socket_count, flow->flow.protocol,
                        &flow->flow.side[end].address, &flow->flow.side[!end].address);
    }
    free(sorted);
    return true;
}

const char *check_side_role(const struct check_trace *trace, const struct check_flow *flow,
                            enum flow_end end)
{
    uint32_t role = flow->side[end].role;
    if (role != 0)
        return check_text(trace, trace->roles[role - 1].name);
    return end == FLOW_CLIENT ? "client" : "server";
}

const char *check_packet_role(const struct check_trace *trace, const struct check_packet *packet)
{
    if (packet->flow == 0)
        return "";
    return check_side_role(trace, &trace->flows[packet->flow - 1], (enum flow_end)packet->from);
}
