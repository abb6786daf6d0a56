#include "view/json_event.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "support/clock.h"
#include "support/terminal.h"

json_t *json_event_new(const char *name)
{
    json_t *object = json_object();
    json_object_set_new_nocheck(object, "event", json_string_nocheck(name));
    return object;
}

static void set(json_t *object, const char *key, json_t *value)
{
    json_object_set_new_nocheck(object, key, value);
}

static void set_number(json_t *object, const char *key, uint64_t number)
{
    set(object, key, json_integer((json_int_t)number));
}

static void set_name(json_t *object, const char *key, const char *name)
{
    set(object, key, json_string_nocheck(name));
}

json_t *json_event_time(int64_t time)
{
    char text[40];
    uint64_t size = time < 0 ? 0 - (uint64_t)time : (uint64_t)time;
    int length = snprintf(text, sizeof text, "%s%" PRIu64 ".%09" PRIu64, time < 0 ? "-" : "",
                          size / NANOSECONDS_PER_SECOND, size % NANOSECONDS_PER_SECOND);
    return json_stringn_nocheck(text, (size_t)length);
}

static json_t *repaired(struct trace_text text)
{
    struct buffer copy = {0};
    terminal_append_repaired(&copy, text.data, text.length);
    json_t *string = copy.failed ? NULL : json_stringn((const char *)copy.data, copy.length);
    buffer_free(&copy);
    return string;
}

json_t *json_event_text(struct trace_text text)
{
    if (text.length == 0)
        return json_string_nocheck("");
    json_t *string = json_stringn(text.data, text.length);
    return string != NULL ? string : repaired(text);
}

json_t *json_event_address(const struct address *address)
{
    char text[ADDRESS_TEXT];
    if (address->family == 0)
        return json_null();
    return json_string_nocheck(address_format(address, text));
}

static void set_host(json_t *object, const char *key, const struct address *address)
{
    char text[ADDRESS_TEXT];
    set(object, key,
        address->family == 0 ? json_null()
                             : json_string_nocheck(address_format_host(address, text)));
}

json_t *json_event_base64(const uint8_t *bytes, size_t length)
{
    unsigned char small[4096];
    size_t size = (length + 2) / 3 * 4 + 1;
    if (length == 0)
        return json_string_nocheck("");
    if (length > INT_MAX)
        return NULL;
    unsigned char *text = size <= sizeof small ? small : malloc(size);
    if (text == NULL)
        return NULL;
    int written = EVP_EncodeBlock(text, bytes, (int)length);
    json_t *string = json_stringn_nocheck((const char *)text, (size_t)written);
    if (text != small)
        free(text);
    return string;
}

static void set_site(json_t *object, struct trace_text script, uint32_t line)
{
    if (script.length > 0)
        set(object, "script", json_event_text(script));
    set(object, "line", line == 0 ? json_null() : json_integer(line));
}

json_t *json_event_call(const struct trace_event *event, struct trace_text role)
{
    const struct trace_call *call = &event->call;
    json_t *object = json_event_new("call");
    set_number(object, "id", call->call);
    set(object, "role", json_event_text(role));
    set(object, "call", json_event_text(call->name));
    set(object, "args", json_event_text(call->arguments));
    set(object, "socket", call->socket == 0 ? json_null() : json_integer(call->socket));
    set_site(object, call->script, call->line);
    set(object, "time", json_event_time(event->time));
    return object;
}

void json_event_add_return(json_t *object, const struct trace_event *event)
{
    const struct trace_return *result = &event->result;
    set(object, "end", json_event_time(event->time));
    if (result->error == 0) {
        set(object, "result", json_event_text(result->result));
        return;
    }
    set_name(object, "error", error_code_name(result->error));
    set(object, "errno", json_integer(result->error));
    set(object, "message", json_event_text(result->message));
}

static json_t *flags_array(uint16_t flags)
{
    static const struct {
        uint16_t flag;
        const char *name;
    } names[] = {
        {TCP_SYN, "SYN"}, {TCP_FIN, "FIN"}, {TCP_RST, "RST"}, {TCP_PSH, "PSH"}, {TCP_ACK, "ACK"},
        {TCP_URG, "URG"}, {TCP_ECE, "ECE"}, {TCP_CWR, "CWR"}, {TCP_AE, "AE"},
    };
    json_t *array = json_array();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (flags & names[i].flag)
            json_array_append_new(array, json_string_nocheck(names[i].name));
    }
    return array;
}

static json_t *options_object(const struct packet_tcp *tcp)
{
    json_t *options = json_object();
    if (tcp->options_seen & TCP_SEEN_MSS)
        set_number(options, "mss", tcp->mss);
    if (tcp->options_seen & TCP_SEEN_WINDOW_SCALE)
        set_number(options, "window_scale", tcp->window_scale);
    if (tcp->options_seen & TCP_SEEN_SACK_PERMITTED)
        set(options, "sack_permitted", json_true());
    if (tcp->options_seen & TCP_SEEN_TIMESTAMPS) {
        json_t *stamps = json_object();
        set_number(stamps, "value", tcp->timestamp_value);
        set_number(stamps, "echo", tcp->timestamp_echo);
        set(options, "timestamps", stamps);
    }
    if (tcp->options_seen & TCP_SEEN_SACK) {
        json_t *blocks = json_array();
        for (int i = 0; i < tcp->sack_count; i++) {
            json_t *edges = json_array();
            json_array_append_new(edges, json_integer(tcp->sack[i][0]));
            json_array_append_new(edges, json_integer(tcp->sack[i][1]));
            json_array_append_new(blocks, edges);
        }
        set(options, "sack", blocks);
    }
    if (tcp->options_seen & TCP_SEEN_FAST_OPEN)
        set_number(options, "fast_open_cookie_length", tcp->fast_open_length);
    if (tcp->options_seen & TCP_SEEN_MPTCP)
        set_number(options, "mptcp_subtype", tcp->mptcp_subtype);
    if (tcp->options_seen & TCP_SEEN_MD5)
        set(options, "md5", json_true());
    return options;
}

static json_t *marks_array(uint32_t marks)
{
    json_t *array = json_array();
    for (int i = 0; i < MARK_COUNT; i++) {
        if (marks >> i & 1)
            json_array_append_new(array,
                                  json_string_nocheck(tcp_mark_name((enum tcp_mark)(1 << i))));
    }
    return array;
}

/* header_length is 0 where the fixed header was not all there: its numbers would be inventions. */
static void add_tcp(json_t *object, const struct view_item *item)
{
    const struct packet_tcp *tcp = &item->packet->tcp;
    const struct flow_facts *facts = item->facts;
    if (tcp->header_length == 0)
        return;
    set(object, "flags", flags_array(tcp->flags));
    set_number(object, "seq", tcp->seq);
    set_number(object, "ack", tcp->ack);
    if (facts->flow != NULL) {
        set_number(object, "relative_seq", facts->relative_seq);
        set_number(object, "relative_ack", facts->relative_ack);
    }
    set_number(object, "window", tcp->window);
    if (facts->window_scaled)
        set_number(object, "scaled_window", facts->window);
    if (tcp->flags & TCP_URG)
        set_number(object, "urgent", tcp->urgent);
    set(object, "options", options_object(tcp));
}

static void add_analysis(json_t *object, const struct flow_facts *facts)
{
    set(object, "analysis", marks_array(facts->marks));
    if (facts->marks & MARK_DUPLICATE_ACK) {
        set_number(object, "duplicate_ack_number", facts->duplicate_number);
        set_number(object, "duplicate_ack_of", facts->duplicate_of);
    }
    if (facts->bytes_in_flight > 0)
        set_number(object, "bytes_in_flight", facts->bytes_in_flight);
    if (facts->rtt > 0) {
        set(object, "ack_rtt", json_event_time(facts->rtt));
        set_number(object, "acks_packet", facts->rtt_of);
    }
    if (facts->flow != NULL && facts->flow->protocol == 6) {
        set_name(object, "state_client", tcp_state_name(facts->after[FLOW_CLIENT]));
        set_name(object, "state_server", tcp_state_name(facts->after[FLOW_SERVER]));
    }
}

static void add_transport(json_t *object, const struct view_item *item)
{
    const struct packet *packet = item->packet;
    if (packet->transport == TRANSPORT_TCP) {
        add_tcp(object, item);
    } else if (packet->transport == TRANSPORT_ICMP || packet->transport == TRANSPORT_ICMPV6) {
        set_number(object, "icmp_type", packet->icmp.type);
        set_number(object, "icmp_code", packet->icmp.code);
        set_name(object, "icmp", icmp_type_text(packet));
    }
}

json_t *json_event_packet(const struct view_item *item)
{
    const struct trace_packet *frame = &item->event->packet;
    const struct packet *packet = item->packet;
    const struct flow_facts *facts = item->facts;
    bool has_ports = packet->transport == TRANSPORT_TCP || packet->transport == TRANSPORT_UDP;
    json_t *object = json_event_new("packet");
    set_number(object, "number", frame->number);
    set(object, "time", json_event_time(item->event->time));
    set_name(object, "protocol", packet_protocol_name(packet));
    set_host(object, "source", &packet->source);
    if (has_ports)
        set_number(object, "source_port", packet->source.port);
    set_host(object, "destination", &packet->destination);
    if (has_ports)
        set_number(object, "destination_port", packet->destination.port);
    set(object, "flow", facts->flow == NULL ? json_null() : json_integer(facts->flow->id));
    if (facts->flow != NULL)
        set_name(object, "from", facts->from == FLOW_CLIENT ? "client" : "server");
    add_transport(object, item);
    set_number(object, "length", frame->length);
    if (frame->bytes.length < frame->length)
        set_number(object, "captured_length", frame->bytes.length);
    set_number(object, "payload_length", packet->payload_length);
    set(object, "payload", json_event_base64(packet->bytes + packet->payload_at, packet->payload_captured));
    set(object, "cause", frame->cause == 0 ? json_null() : json_integer(frame->cause));
    if (frame->comment.length > 0)
        set(object, "comment", json_event_text(frame->comment));
    add_analysis(object, facts);
    if (packet->fault != FAULT_NONE) {
        set_name(object, "fault", packet_fault_text(packet));
        set_number(object, "fault_at", packet->fault_at);
    }
    return object;
}

static json_t *milliseconds(int64_t duration)
{
    return duration == 0 ? json_null() : json_real((double)duration / 1e6);
}

static json_t *side_object(const struct flow_side *side)
{
    json_t *object = json_object();
    set_number(object, "packets", side->packets);
    set_number(object, "bytes", side->bytes);
    set_number(object, "unique_bytes", side->unique_bytes);
    set_number(object, "retransmissions", side->retransmissions);
    set(object, "rtt_min_ms", milliseconds(side->rtt_min));
    set(object, "rtt_max_ms", milliseconds(side->rtt_max));
    set(object, "rtt_mean_ms",
        milliseconds(side->rtt_count == 0 ? 0 : side->rtt_sum / (int64_t)side->rtt_count));
    set(object, "analysis", marks_array(side->marks_seen));
    return object;
}

json_t *json_event_flow(const struct flow *flow)
{
    const struct flow_side *client = &flow->side[FLOW_CLIENT];
    const struct flow_side *server = &flow->side[FLOW_SERVER];
    json_t *object = json_event_new("flow");
    set_number(object, "id", flow->id);
    set_name(object, "protocol", flow->protocol == 6 ? "TCP" : "UDP");
    set_number(object, "stream", flow->stream);
    set(object, "client", json_event_address(&client->address));
    set(object, "server", json_event_address(&server->address));
    if (flow->protocol == 6) {
        set_name(object, "handshake", flow_handshake_text(flow));
        set_name(object, "state_client", tcp_state_name(client->state));
        set_name(object, "state_server", tcp_state_name(server->state));
        set_name(object, "close", flow_close_text(flow));
        set(object, "closed_by",
            flow->closed_by > FLOW_SERVER
                ? json_null()
                : json_string_nocheck(flow->closed_by == FLOW_CLIENT ? "client" : "server"));
        set(object, "from_middle", json_boolean(flow->from_middle));
    }
    set_number(object, "packets", client->packets + server->packets);
    set_number(object, "bytes", client->bytes + server->bytes);
    set_number(object, "retransmissions", client->retransmissions + server->retransmissions);
    set(object, "rtt_ms", milliseconds(flow->handshake_rtt));
    set(object, "start", json_event_time(flow->first_time));
    set(object, "end", json_event_time(flow->last_time));
    set(object, "from_client", side_object(client));
    set(object, "from_server", side_object(server));
    return object;
}

json_t *json_event_note(const struct trace_event *event, struct trace_text role)
{
    static const char *const kinds[] = {"print", "error", "host", "user", "input"};
    const struct trace_note *note = &event->note;
    json_t *object = json_event_new("note");
    set(object, "time", json_event_time(event->time));
    set_name(object, "kind", kinds[note->kind]);
    set(object, "role", note->role == 0 ? json_null() : json_event_text(role));
    set(object, "text", json_event_text(note->text));
    set_site(object, note->script, note->line);
    return object;
}

json_t *json_event_state(const struct trace_event *event)
{
    const struct trace_state *state = &event->state;
    json_t *object = json_event_new("kernel_state");
    set(object, "time", json_event_time(event->time));
    set_number(object, "socket", state->socket);
    set_number(object, "call", state->call);
    set_name(object, "state", tcp_state_name((enum tcp_state)state->state));
    set(object, "local", json_event_address(&state->local));
    set(object, "remote", json_event_address(&state->remote));
    set_number(object, "retransmits", state->retransmits);
    set_number(object, "rtt_us", state->rtt_us);
    set_number(object, "congestion_window", state->congestion);
    return object;
}

json_t *json_event_socket(const struct trace_event *event, struct trace_text role)
{
    const struct trace_socket *socket = &event->socket;
    json_t *object = json_event_new("socket");
    set(object, "time", json_event_time(event->time));
    set_number(object, "id", socket->socket);
    set(object, "role", json_event_text(role));
    set_name(object, "protocol", socket->transport == TRACE_TCP ? "TCP" : "UDP");
    set(object, "local", json_event_address(&socket->local));
    set(object, "remote", json_event_address(&socket->remote));
    return object;
}

json_t *json_event_exchange(const struct trace_event *event)
{
    const struct trace_exchange *exchange = &event->exchange;
    json_t *object = json_event_new("exchange");
    set(object, "time", json_event_time(event->time));
    set(object, "lab", json_event_text(exchange->lab));
    set(object, "title", json_event_text(exchange->title));
    set(object, "about", json_event_text(exchange->about));
    set(object, "script", json_event_text(exchange->script));
    set(object, "place", json_event_text(exchange->place));
    set(object, "address", json_event_address(&exchange->address));
    set(object, "program", json_event_text(exchange->program));
    set(object, "command", json_event_text(exchange->command));
    return object;
}

json_t *json_event_check(const struct trace_event *event)
{
    static const char *const verdicts[] = {"passed", "failed", "not judged"};
    const struct trace_check *check = &event->check;
    json_t *object = json_event_new("check");
    set_name(object, "verdict", verdicts[check->verdict]);
    set(object, "expectation", json_event_text(check->expectation));
    set(object, "seen", json_event_text(check->seen));
    set(object, "packets", json_event_text(check->packets));
    set_site(object, check->script, check->line);
    return object;
}

json_t *json_event_end(const struct trace_event *event)
{
    static const char *const outcomes[] = {"done",      "role failed", "deadlock",
                                           "timed out", "interrupted", "stopped"};
    json_t *object = json_event_new("end");
    set(object, "time", json_event_time(event->time));
    set_name(object, "outcome", outcomes[event->end.outcome]);
    set(object, "text", json_event_text(event->end.text));
    return object;
}
