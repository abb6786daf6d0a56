/*
 * Reading a trace into memory.
 */
#include "check/model.h"

#include <stdlib.h>
#include <string.h>

#include "packet/packet.h"
#include "tcp/packet_text.h"
#include "tcp/stream.h"

/* Bytes of one direction that may wait behind a gap. */
#define STREAM_LIMIT ((size_t)4 << 20)

/* One direction while it is read. */
struct direction {
    struct loading *loading;
    struct tcp_stream *stream;
    uint32_t flow; /* id */
    enum flow_end end;
};

struct loading {
    struct check_trace *trace;
    struct flow_table *table;
    struct direction **directions; /* two a flow; NULL until there is something to put together */
    size_t direction_capacity;
    bool failed; /* memory ran out */
    struct error *error;
};

/* Makes room for one more element. Returns false out of memory. */
static bool grow(void *list, size_t *capacity, size_t count, size_t size)
{
    void **elements = list;
    if (count < *capacity)
        return true;
    size_t wanted = *capacity * 2 + 64;
    void *moved = realloc(*elements, wanted * size);
    if (moved == NULL)
        return false;
    *elements = moved;
    *capacity = wanted;
    return true;
}

static struct check_text keep(struct check_trace *trace, const void *bytes, size_t length)
{
    struct check_text kept = {trace->arena.length, length};
    buffer_append(&trace->arena, bytes, length);
    buffer_append_byte(&trace->arena, '\0');
    return kept;
}

static struct check_text keep_text(struct check_trace *trace, struct trace_text text)
{
    return keep(trace, text.data, text.length);
}

const char *check_text(const struct check_trace *trace, struct check_text text)
{
    return trace->arena.data == NULL ? "" : (const char *)trace->arena.data + text.at;
}

/* tcp_stream's delivery. */
static void take_bytes(void *data, const uint8_t *bytes, size_t length, uint64_t number)
{
    struct direction *direction = data;
    struct check_trace *trace = direction->loading->trace;
    struct check_side *side = &trace->flows[direction->flow - 1].side[direction->end];
    (void)number;
    if (bytes == NULL) {
        side->missing += length;
        return;
    }
    trace->stream_bytes += length;
    if (trace->stream_bytes > CHECK_BYTES_LIMIT)
        return; /* check_limits tells */
    buffer_append(&side->sent, bytes, length);
    direction->loading->failed |= side->sent.failed;
}

static struct direction *direction_of(struct loading *loading, uint32_t flow, enum flow_end end)
{
    size_t place = ((size_t)flow - 1) * 2 + end;
    if (loading->directions[place] != NULL)
        return loading->directions[place];
    struct direction *direction = malloc(sizeof *direction);
    if (direction == NULL)
        return NULL;
    *direction = (struct direction){.loading = loading, .flow = flow, .end = end};
    direction->stream = tcp_stream_open(STREAM_LIMIT, take_bytes, direction);
    if (direction->stream == NULL) {
        free(direction);
        return NULL;
    }
    loading->directions[place] = direction;
    return direction;
}

/* The bytes of a segment to the others of its direction, and its ACK to the other one's. */
static void follow_stream(struct loading *loading, const struct packet *packet,
                          const struct flow_facts *facts, uint64_t number)
{
    const struct packet_tcp *tcp = &packet->tcp;
    uint32_t id = facts->flow->id;
    uint32_t first = tcp->seq + ((tcp->flags & TCP_SYN) != 0);
    if ((tcp->flags & TCP_RST) == 0) {
        struct direction *own = direction_of(loading, id, facts->from);
        if (own == NULL) {
            loading->failed = true;
            return;
        }
        tcp_stream_add(own->stream, first, packet->bytes + packet->payload_at,
                       packet->payload_captured, packet->payload_length, number);
    }
    struct direction *other = loading->directions[((size_t)id - 1) * 2 + !facts->from];
    if (other != NULL && (tcp->flags & TCP_ACK) != 0 && (tcp->flags & TCP_RST) == 0)
        tcp_stream_acked(other->stream, tcp->ack);
}

static void add_state(struct check_side *side, enum tcp_state state)
{
    if (state == TCP_STATE_UNKNOWN || side->state_count == CHECK_STATES)
        return;
    if (side->state_count > 0 && side->states[side->state_count - 1] == state)
        return;
    side->states[side->state_count++] = (uint8_t)state;
}

static bool add_flows(struct loading *loading, uint32_t id)
{
    struct check_trace *trace = loading->trace;
    while (trace->flow_count < id) {
        if (!grow(&trace->flows, &trace->flow_capacity, trace->flow_count, sizeof *trace->flows))
            return false;
        trace->flows[trace->flow_count++] = (struct check_flow){0};
        while (trace->flow_count * 2 > loading->direction_capacity) {
            size_t capacity = loading->direction_capacity * 2 + 64;
            struct direction **moved =
                realloc(loading->directions, capacity * sizeof(struct direction *));
            if (moved == NULL)
                return false;
            for (size_t i = loading->direction_capacity; i < capacity; i++)
                moved[i] = NULL;
            loading->directions = moved;
            loading->direction_capacity = capacity;
        }
    }
    return true;
}

static bool follow_flow(struct loading *loading, const struct packet *packet,
                        const struct flow_facts *facts, uint64_t number)
{
    if (!add_flows(loading, facts->flow->id))
        return false;
    struct check_flow *flow = &loading->trace->flows[facts->flow->id - 1];
    flow->packet_count++;
    for (int end = 0; end < 2; end++) {
        add_state(&flow->side[end], facts->before[end]);
        add_state(&flow->side[end], facts->after[end]);
    }
    flow->side[facts->from].marks |= facts->marks;
    flow->to_itself = address_equal(&packet->source, &packet->destination);
    if (packet->transport == TRANSPORT_TCP) {
        follow_stream(loading, packet, facts, number);
    } else if (packet->payload_captured > 0) {
        struct check_side *side = &flow->side[facts->from];
        buffer_append(&side->sent, packet->bytes + packet->payload_at, packet->payload_captured);
        side->missing += packet->payload_length - packet->payload_captured;
        loading->trace->stream_bytes += packet->payload_captured;
        loading->failed |= side->sent.failed;
    }
    return !loading->failed;
}

static bool add_packet(struct loading *loading, const struct trace_event *event)
{
    struct check_trace *trace = loading->trace;
    const struct trace_packet *frame = &event->packet;
    struct packet packet;
    struct flow_facts facts;
    packet_decode(&packet, frame->link_type, frame->bytes.data, (uint32_t)frame->bytes.length,
                  frame->length, PACKET_HEADERS);
    flow_table_add(loading->table, event->time, frame->number, &packet, &facts);
    if (flow_table_has_lost(loading->table) || !grow(&trace->packets, &trace->packet_capacity,
                                                     trace->packet_count, sizeof *trace->packets))
        return false;
    char headers[PACKET_HEADERS_TEXT];
    size_t length = (size_t)(packet_put_headers(headers, &packet, &facts) - headers);
    bool tcp = packet.transport == TRANSPORT_TCP && packet.tcp.header_length > 0;
    struct check_packet *kept = &trace->packets[trace->packet_count++];
    *kept = (struct check_packet){
        .number = frame->number,
        .time = event->time,
        .flow = facts.flow == NULL ? 0 : facts.flow->id,
        .cause = frame->cause,
        .source = packet.source,
        .destination = packet.destination,
        .seq = facts.flow == NULL ? packet.tcp.seq : facts.relative_seq,
        .ack = facts.flow == NULL ? packet.tcp.ack : facts.relative_ack,
        .wire_seq = packet.tcp.seq,
        .window = facts.flow == NULL ? packet.tcp.window : facts.window,
        .length = packet.payload_length,
        .marks = facts.marks,
        .flags = tcp ? packet.tcp.flags : 0,
        .urgent = packet.tcp.urgent,
        .from = (uint8_t)facts.from,
        .tcp = tcp,
        .udp = packet.transport == TRANSPORT_UDP,
        .headers = keep(trace, headers, length),
        .payload = keep(trace, packet.bytes + packet.payload_at, packet.payload_captured),
    };
    if (!tcp)
        kept->seq = kept->ack = kept->window = 0;
    return facts.flow == NULL || follow_flow(loading, &packet, &facts, frame->number);
}

static bool add_role(struct check_trace *trace, const struct trace_role *role)
{
    if (!grow(&trace->roles, &trace->role_capacity, trace->role_count, sizeof *trace->roles))
        return false;
    trace->roles[trace->role_count++] =
        (struct check_role){role->role, role->kind, keep_text(trace, role->name)};
    return true;
}

/* Roles are counted from 1 in the order of their appearance. */
static uint32_t role_index(const struct check_trace *trace, uint32_t id)
{
    if (id >= 1 && id <= trace->role_count && trace->roles[id - 1].id == id)
        return id;
    for (size_t i = 0; i < trace->role_count; i++)
        if (trace->roles[i].id == id)
            return (uint32_t)i + 1;
    return 0;
}

static bool add_call(struct check_trace *trace, const struct trace_event *event)
{
    const struct trace_call *call = &event->call;
    if (!grow(&trace->calls, &trace->call_capacity, trace->call_count, sizeof *trace->calls))
        return false;
    trace->calls[trace->call_count++] = (struct check_call){
        .call = call->call,
        .role = role_index(trace, call->role),
        .socket = call->socket,
        .line = call->line,
        .time = event->time,
        .name = keep_text(trace, call->name),
        .arguments = keep_text(trace, call->arguments),
        .script = keep_text(trace, call->script),
    };
    return true;
}

/* Calls are counted from 1 in the order of entry, as they stand here. */
static struct check_call *find_call(struct check_trace *trace, uint32_t call)
{
    if (call >= 1 && call <= trace->call_count && trace->calls[call - 1].call == call)
        return &trace->calls[call - 1];
    for (size_t i = trace->call_count; i > 0; i--)
        if (trace->calls[i - 1].call == call)
            return &trace->calls[i - 1];
    return NULL;
}

static void add_return(struct check_trace *trace, const struct trace_event *event)
{
    struct check_call *call = find_call(trace, event->result.call);
    if (call == NULL)
        return;
    call->returned = true;
    call->end = event->time;
    call->error = event->result.error;
    call->result = keep_text(trace, event->result.result);
    call->message = keep_text(trace, event->result.message);
}

static bool add_socket(struct check_trace *trace, const struct trace_socket *socket)
{
    if (!grow(&trace->sockets, &trace->socket_capacity, trace->socket_count,
              sizeof *trace->sockets))
        return false;
    trace->sockets[trace->socket_count++] =
        (struct check_socket){role_index(trace, socket->role), socket->socket,
                              (uint8_t)socket->transport, socket->local, socket->remote};
    return true;
}

static bool add_event(struct loading *loading, const struct trace_event *event)
{
    struct check_trace *trace = loading->trace;
    if (trace->origin == 0)
        trace->origin = event->time;
    switch (event->kind) {
    case TRACE_PACKET:
        return add_packet(loading, event);
    case TRACE_ROLE:
        trace->recorded = true;
        return add_role(trace, &event->role);
    case TRACE_CALL:
        return add_call(trace, event);
    case TRACE_RETURN:
        add_return(trace, event);
        return true;
    case TRACE_STATISTICS:
        trace->counted = true;
        trace->captured += event->statistics.received - event->statistics.dropped;
        return true;
    case TRACE_SOCKET:
        return add_socket(trace, &event->socket);
    case TRACE_END:
        trace->outcome = event->end.outcome;
        trace->has_end = true;
        return true;
    default:
        return true;
    }
}

static bool within_limits(const struct check_trace *trace, struct error *error)
{
    if (trace->packet_count > CHECK_PACKETS_LIMIT)
        return error_set(error, STATUS_NOT_ALLOWED,
                         "the trace has more than %d packets; that is too much to check at once, "
                         "cut out the part in question ('editcap -r')",
                         CHECK_PACKETS_LIMIT);
    if (trace->call_count > CHECK_CALLS_LIMIT)
        return error_set(error, STATUS_NOT_ALLOWED,
                         "the trace has more than %d calls; that is too much to check at once",
                         CHECK_CALLS_LIMIT);
    if (trace->arena.length > CHECK_BYTES_LIMIT || trace->stream_bytes > CHECK_BYTES_LIMIT)
        return error_set(error, STATUS_NOT_ALLOWED,
                         "the trace carries more than %zu MiB; that is too much to check at once",
                         CHECK_BYTES_LIMIT >> 20);
    return true;
}

/* The flow table lets a flow go: this is how it was at its end. */
static void keep_flow(void *data, const struct flow *flow)
{
    struct loading *loading = data;
    if (!add_flows(loading, flow->id)) {
        loading->failed = true;
        return;
    }
    loading->trace->flows[flow->id - 1].flow = *flow;
}

/* Gives each flow the list of its packets. */
static bool list_packets(struct check_trace *trace)
{
    trace->indices = malloc((trace->packet_count + 1) * sizeof *trace->indices);
    if (trace->indices == NULL)
        return false;
    uint32_t *next = trace->indices;
    for (size_t i = 0; i < trace->flow_count; i++) {
        trace->flows[i].packets = next;
        next += trace->flows[i].packet_count;
        trace->flows[i].packet_count = 0;
    }
    for (size_t i = 0; i < trace->packet_count; i++) {
        if (trace->packets[i].flow == 0)
            continue;
        struct check_flow *flow = &trace->flows[trace->packets[i].flow - 1];
        flow->packets[flow->packet_count++] = (uint32_t)i;
    }
    return true;
}

/*
 * Bytes at the end of what was captured of a direction: nothing came behind them, so the stream saw
 * no gap; but a later segment's number tells that they were sent.
 */
static void find_missing_ends(struct check_trace *trace)
{
    for (size_t i = 0; i < trace->packet_count; i++) {
        const struct check_packet *packet = &trace->packets[i];
        if (packet->flow == 0 || !packet->tcp || (packet->flags & (TCP_RST | TCP_SYN)) != 0)
            continue;
        struct check_flow *flow = &trace->flows[packet->flow - 1];
        struct check_side *side = &flow->side[packet->from];
        const struct flow_side *end = &flow->flow.side[packet->from];
        /* A FIN has a number of its own, which what comes behind it counts. */
        uint64_t fin = end->fin_sent && !(packet->flags & TCP_FIN) ? 1 : 0;
        uint64_t known = side->sent.length + side->missing;
        /* Relative numbers begin anew behind 4 GiB; a trace that fits in here has less. */
        if (end->syn_sent && packet->seq > known + 1 + fin)
            side->missing += packet->seq - 1 - fin - known;
    }
}

static void end_directions(struct loading *loading)
{
    for (size_t i = 0; i < loading->direction_capacity; i++) {
        if (loading->directions[i] == NULL)
            continue;
        tcp_stream_end(loading->directions[i]->stream);
        tcp_stream_close(loading->directions[i]->stream);
        free(loading->directions[i]);
    }
    free(loading->directions);
}

/* Returns how the file ended; TRACE_READ_EVENT if it could not be read to its end. */
static enum trace_progress read_events(struct loading *loading, struct trace_reader *reader)
{
    struct trace_event event;
    for (;;) {
        enum trace_progress progress = trace_reader_next(reader, &event, loading->error);
        if (progress != TRACE_READ_EVENT)
            return progress;
        if (!add_event(loading, &event) || loading->trace->arena.failed || loading->failed) {
            error_out_of_memory(loading->error);
            return TRACE_READ_EVENT;
        }
        if (!within_limits(loading->trace, loading->error))
            return TRACE_READ_EVENT;
    }
}

bool check_trace_load(struct check_trace *trace, struct trace_reader *reader, struct error *error)
{
    *trace = (struct check_trace){0};
    struct loading loading = {.trace = trace, .error = error};
    loading.table = flow_table_open(keep_flow, &loading);
    if (loading.table == NULL)
        return error_out_of_memory(error);
    enum trace_progress progress = read_events(&loading, reader);
    flow_table_end(loading.table);
    flow_table_close(loading.table);
    end_directions(&loading);
    if (progress == TRACE_READ_EVENT)
        return false;
    if (loading.failed || !list_packets(trace) || !check_find_roles(trace))
        return error_out_of_memory(error);
    find_missing_ends(trace);
    check_find_handshakes(trace);
    return progress == TRACE_READ_END;
}

void check_trace_free(struct check_trace *trace)
{
    for (size_t i = 0; i < trace->flow_count; i++)
        for (int end = 0; end < 2; end++)
            buffer_free(&trace->flows[i].side[end].sent);
    free(trace->packets);
    free(trace->calls);
    free(trace->roles);
    free(trace->flows);
    free(trace->sockets);
    free(trace->indices);
    buffer_free(&trace->arena);
    *trace = (struct check_trace){0};
}
