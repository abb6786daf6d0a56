/*
 * Which role sat at which end of a flow: found by the addresses its sockets had. A socket that was
 * connected to the other end counts before one that was only bound (a listener, a UDP socket).
 */
#include <stdlib.h>
#include <string.h>

#include "check/model.h"

/* The calls that close a socket or its sending half, by socket. */
struct closings {
    const struct check_call **list;
    size_t count;
};

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

/* The socket that sat there: one that was connected to the other end, else one that was bound. */
static const struct check_socket *socket_at(struct check_socket *const *sorted, size_t count,
                                            uint8_t transport, const struct address *local,
                                            const struct address *remote)
{
    const struct check_socket *bound = NULL;
    for (size_t i = first_with_port(sorted, count, local->port);
         i < count && sorted[i]->local.port == local->port; i++) {
        const struct check_socket *socket = sorted[i];
        if (socket->transport != transport || !is_at(socket, local))
            continue;
        if (socket->remote.family != 0 && address_equal(&socket->remote, remote))
            return socket;
        if (socket->remote.family == 0)
            bound = socket;
    }
    return bound;
}

static int compare_sockets(const void *a, const void *b)
{
    const struct check_call *const *first = a, *const *second = b;
    if ((*first)->socket != (*second)->socket)
        return (*first)->socket < (*second)->socket ? -1 : 1;
    return *first < *second ? -1 : *first > *second; /* the order of the trace */
}

/* "close", "shutdown", "tls.close". */
static bool is_closing(const struct check_trace *trace, const struct check_call *call)
{
    const char *name = check_text(trace, call->name), *dot = strrchr(name, '.');
    return call->socket != 0 &&
           (strcmp(dot == NULL ? name : dot + 1, "close") == 0 || strcmp(name, "shutdown") == 0);
}

static bool find_closings(const struct check_trace *trace, struct closings *closings)
{
    closings->list = malloc((trace->call_count + 1) * sizeof(const struct check_call *));
    if (closings->list == NULL)
        return false;
    for (size_t i = 0; i < trace->call_count; i++)
        if (is_closing(trace, &trace->calls[i]))
            closings->list[closings->count++] = &trace->calls[i];
    qsort(closings->list, closings->count, sizeof(const struct check_call *), compare_sockets);
    return true;
}

/* When the first of them was entered; INT64_MAX for never. */
static int64_t closing_of(const struct closings *closings, uint32_t socket)
{
    size_t low = 0, high = closings->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (closings->list[middle]->socket < socket)
            low = middle + 1;
        else
            high = middle;
    }
    return low < closings->count && closings->list[low]->socket == socket
               ? closings->list[low]->time
               : INT64_MAX;
}

static void find_ends(struct check_trace *trace, struct check_socket *const *sorted,
                      const struct closings *closings)
{
    for (size_t i = 0; i < trace->flow_count; i++) {
        struct check_flow *flow = &trace->flows[i];
        for (int end = 0; end < 2; end++) {
            const struct check_socket *socket =
                socket_at(sorted, trace->socket_count, flow->flow.protocol,
                          &flow->flow.side[end].address, &flow->flow.side[!end].address);
            if (socket == NULL)
                continue;
            flow->side[end].role = socket->role;
            if (socket->remote.family != 0)
                flow->side[end].closing = closing_of(closings, socket->socket);
        }
    }
}

bool check_find_roles(struct check_trace *trace)
{
    if (trace->socket_count == 0)
        return true;
    struct closings closings = {0};
    struct check_socket **sorted = malloc(trace->socket_count * sizeof(struct check_socket *));
    bool found = sorted != NULL && find_closings(trace, &closings);
    if (found) {
        for (size_t i = 0; i < trace->socket_count; i++)
            sorted[i] = &trace->sockets[i];
        qsort(sorted, trace->socket_count, sizeof(struct check_socket *), compare_ports);
        find_ends(trace, sorted, &closings);
    }
    free(closings.list);
    free(sorted);
    return found;
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
