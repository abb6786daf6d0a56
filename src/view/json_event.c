#include "view/json_event.h"

#include <limits.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>

#include "support/clock.h"
#include "support/terminal.h"
#include "tcp/packet_text.h"

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
    set(object, key, json_integer(number > INT64_MAX ? INT64_MAX : (json_int_t)number));
}

/* name is a constant, or NULL for null. */
static void set_name(json_t *object, const char *key, const char *name)
{
    set(object, key, name == NULL ? json_null() : json_string_nocheck(name));
}

size_t json_event_put_time(char *to, int64_t time)
{
    char *start = to;
    uint64_t size = time < 0 ? 0 - (uint64_t)time : (uint64_t)time;
    if (time < 0)
        *to++ = '-';
    to = packet_put_number(to, size / NANOSECONDS_PER_SECOND);
    uint64_t fraction = size % NANOSECONDS_PER_SECOND;
    *to = '.';
    for (int i = 9; i > 0; i--) {
        to[i] = (char)('0' + fraction % 10);
        fraction /= 10;
    }
    return (size_t)(to + 10 - start);
}

json_t *json_event_time(int64_t time)
{
    char text[JSON_TIME];
    return json_stringn_nocheck(text, json_event_put_time(text, time));
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

json_t *json_event_marks(uint32_t marks)
{
    json_t *array = json_array();
    for (int i = 0; i < MARK_COUNT; i++) {
        if (marks >> i & 1)
            json_array_append_new(array,
                                  json_string_nocheck(tcp_mark_name((enum tcp_mark)(1 << i))));
    }
    return array;
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
    set(object, "analysis", json_event_marks(side->marks_seen));
    return object;
}

/* A UDP conversation has none of these. */
static void set_tcp(json_t *object, const struct flow *flow)
{
    bool tcp = flow->protocol == 6;
    bool ended = tcp && flow->closed_by <= FLOW_SERVER;
    set_name(object, "handshake", tcp ? flow_handshake_text(flow) : NULL);
    set_name(object, "state_client", tcp ? tcp_state_name(flow->side[FLOW_CLIENT].state) : NULL);
    set_name(object, "state_server", tcp ? tcp_state_name(flow->side[FLOW_SERVER].state) : NULL);
    set_name(object, "close", tcp ? flow_close_text(flow) : NULL);
    set_name(object, "closed_by",
             !ended                           ? NULL
             : flow->closed_by == FLOW_CLIENT ? "client"
                                              : "server");
    if (tcp)
        set(object, "from_middle", json_boolean(flow->from_middle));
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
    set_tcp(object, flow);
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
