#include "view/json_packet.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "tcp/packet_text.h"
#include "view/json_event.h"

static void put_name(struct json_line *line, const char *key, const char *name)
{
    json_line_text(line, key, name, strlen(name));
}

static void put_time(struct json_line *line, const char *key, int64_t time)
{
    char text[JSON_TIME];
    json_line_text(line, key, text, json_event_put_time(text, time));
}

/* A number, or null where it means nothing. */
static void put_if(struct json_line *line, const char *key, bool means, uint64_t number)
{
    if (means)
        json_line_number(line, key, number);
    else
        json_line_null(line, key);
}

static void put_host(struct json_line *line, const char *key, const struct address *address)
{
    char text[ADDRESS_TEXT];
    if (address->family == 0)
        json_line_null(line, key);
    else
        json_line_text(line, key, text, (size_t)(packet_put_address(text, address, false) - text));
}

static json_t *flags_array(struct json_packet *packet, uint16_t flags)
{
    static const struct {
        uint16_t flag;
        const char *name;
    } names[] = {
        {TCP_SYN, "SYN"}, {TCP_FIN, "FIN"}, {TCP_RST, "RST"}, {TCP_PSH, "PSH"}, {TCP_ACK, "ACK"},
        {TCP_URG, "URG"}, {TCP_ECE, "ECE"}, {TCP_CWR, "CWR"}, {TCP_AE, "AE"},
    };
    json_t **array = &packet->flags[flags % JSON_FLAGS];
    if (*array != NULL)
        return *array;
    *array = json_array();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (flags & names[i].flag)
            json_array_append_new(*array, json_string_nocheck(names[i].name));
    }
    return *array;
}

static json_t *sack_array(const struct packet_tcp *tcp)
{
    json_t *blocks = json_array();
    for (int i = 0; i < tcp->sack_count; i++) {
        json_t *edges = json_array();
        json_array_append_new(edges, json_integer(tcp->sack[i][0]));
        json_array_append_new(edges, json_integer(tcp->sack[i][1]));
        json_array_append_new(blocks, edges);
    }
    return blocks;
}

static json_t *options_object(struct json_packet *packet, const struct packet_tcp *tcp)
{
    struct json_line *options = &packet->options;
    unsigned seen = tcp->options_seen;
    json_line_begin(options);
    if (seen & TCP_SEEN_MSS)
        json_line_number(options, "mss", tcp->mss);
    if (seen & TCP_SEEN_WINDOW_SCALE)
        json_line_number(options, "window_scale", tcp->window_scale);
    if (seen & TCP_SEEN_SACK_PERMITTED)
        json_line_shared(options, "sack_permitted", json_true());
    if (seen & TCP_SEEN_TIMESTAMPS) {
        json_line_begin(&packet->stamps);
        json_line_number(&packet->stamps, "value", tcp->timestamp_value);
        json_line_number(&packet->stamps, "echo", tcp->timestamp_echo);
        json_line_shared(options, "timestamps", json_line_end(&packet->stamps));
    }
    if (seen & TCP_SEEN_SACK)
        json_line_new(options, "sack", sack_array(tcp));
    if (seen & TCP_SEEN_FAST_OPEN)
        json_line_number(options, "fast_open_cookie_length", tcp->fast_open_length);
    if (seen & TCP_SEEN_MPTCP)
        json_line_number(options, "mptcp_subtype", tcp->mptcp_subtype);
    if (seen & TCP_SEEN_MD5)
        json_line_shared(options, "md5", json_true());
    return json_line_end(options);
}

/* header_length is 0 where the fixed header was not all there: its numbers would be inventions. */
static void put_tcp(struct json_packet *packet, const struct view_item *item)
{
    struct json_line *line = &packet->line;
    const struct packet_tcp *tcp = &item->packet->tcp;
    const struct flow_facts *facts = item->facts;
    bool is_tcp = item->packet->transport == TRANSPORT_TCP && tcp->header_length > 0;
    bool followed = is_tcp && facts->flow != NULL && !item->packet->is_fragment;
    json_line_shared(line, "flags", is_tcp ? flags_array(packet, tcp->flags) : packet->empty_array);
    put_if(line, "seq", is_tcp, tcp->seq);
    put_if(line, "ack", is_tcp, tcp->ack);
    put_if(line, "relative_seq", followed, facts->relative_seq);
    put_if(line, "relative_ack", followed, facts->relative_ack);
    put_if(line, "window", is_tcp, tcp->window);
    if (is_tcp)
        json_line_shared(line, "options", options_object(packet, tcp));
    else
        json_line_null(line, "options");
}

static void put_payload(struct json_packet *packet, const struct packet *headers)
{
    size_t length = headers->payload_captured;
    size_t room = (length + 2) / 3 * 4 + 1;
    json_line_number(&packet->line, "payload_length", headers->payload_length);
    if (length > INT_MAX) {
        packet->line.failed = true;
        return;
    }
    if (room > packet->payload_room) {
        unsigned char *payload = realloc(packet->payload, room);
        if (payload == NULL) {
            packet->line.failed = true;
            return;
        }
        packet->payload = payload;
        packet->payload_room = room;
    }
    int written = length == 0 ? 0
                              : EVP_EncodeBlock(packet->payload,
                                                headers->bytes + headers->payload_at, (int)length);
    json_line_text(&packet->line, "payload", (const char *)packet->payload, (size_t)written);
}

/* The identifiers of the VLANs it went through, from the outermost in. */
static json_t *vlans_array(const struct packet *packet)
{
    json_t *array = json_array();
    for (int i = 0; i < packet->vlan_count; i++)
        json_array_append_new(array, json_integer(packet->vlans[i] & 0xfff));
    return array;
}

/* Type and code are 255 where the capture ends before them. */
static bool has_icmp_type(const struct packet *packet)
{
    return (packet->transport == TRANSPORT_ICMP || packet->transport == TRANSPORT_ICMPV6) &&
           (packet->icmp.type != 255 || packet->icmp.code != 255);
}

/* What not every packet has stands last, so that what stands before it can stay. */
static void put_rarities(struct json_line *line, const struct view_item *item)
{
    const struct packet *packet = item->packet;
    const struct trace_packet *frame = &item->event->packet;
    const struct flow_facts *facts = item->facts;
    if (facts->window_scaled)
        json_line_number(line, "scaled_window", facts->window);
    if (facts->bytes_in_flight > 0)
        json_line_number(line, "bytes_in_flight", facts->bytes_in_flight);
    if (facts->rtt_of > 0) { /* stamps in microseconds make many a round trip 0 */
        put_time(line, "ack_rtt", facts->rtt);
        json_line_number(line, "acks_packet", facts->rtt_of);
    }
    if (facts->marks & MARK_DUPLICATE_ACK) {
        json_line_number(line, "duplicate_ack_number", facts->duplicate_number);
        json_line_number(line, "duplicate_ack_of", facts->duplicate_of);
    }
    if (packet->transport == TRANSPORT_TCP && packet->tcp.flags & TCP_URG)
        json_line_number(line, "urgent", packet->tcp.urgent);
    if (has_icmp_type(packet)) {
        json_line_number(line, "icmp_type", packet->icmp.type);
        json_line_number(line, "icmp_code", packet->icmp.code);
        put_name(line, "icmp", icmp_type_text(packet));
    }
    if (packet->vlan_count > 0)
        json_line_new(line, "vlans", vlans_array(packet));
    if (frame->bytes.length < frame->length)
        json_line_number(line, "captured_length", frame->bytes.length);
    if (frame->comment.length > 0)
        json_line_new(line, "comment", json_event_text(frame->comment));
    if (packet->fault != FAULT_NONE) {
        put_name(line, "fault", packet_fault_text(packet));
        json_line_number(line, "fault_at", packet->fault_at);
    }
}

json_t *json_packet_fill(struct json_packet *packet, const struct view_item *item)
{
    struct json_line *line = &packet->line;
    const struct trace_packet *frame = &item->event->packet;
    const struct packet *headers = item->packet;
    const struct flow_facts *facts = item->facts;
    bool has_ports = headers->has_ports;
    if (packet->empty_array == NULL)
        packet->empty_array = json_array();
    json_line_begin(line);
    put_name(line, "event", "packet");
    json_line_number(line, "number", frame->number);
    put_time(line, "time", item->event->time);
    put_name(line, "protocol", packet_protocol_name(headers));
    put_host(line, "source", &headers->source);
    put_if(line, "source_port", has_ports, headers->source.port);
    put_host(line, "destination", &headers->destination);
    put_if(line, "destination_port", has_ports, headers->destination.port);
    put_if(line, "flow", facts->flow != NULL, facts->flow != NULL ? facts->flow->id : 0);
    if (facts->flow != NULL)
        put_name(line, "from", facts->from == FLOW_CLIENT ? "client" : "server");
    else
        json_line_null(line, "from");
    put_tcp(packet, item);
    put_payload(packet, headers);
    put_if(line, "cause", frame->cause != 0, frame->cause);
    if (facts->marks == 0)
        json_line_shared(line, "analysis", packet->empty_array);
    else
        json_line_new(line, "analysis", json_event_marks(facts->marks));
    json_line_number(line, "length", frame->length);
    if (facts->flow != NULL && facts->flow->protocol == 6) {
        put_name(line, "state_client", tcp_state_name(facts->after[FLOW_CLIENT]));
        put_name(line, "state_server", tcp_state_name(facts->after[FLOW_SERVER]));
    }
    put_rarities(line, item);
    return json_line_end(line);
}

void json_packet_free(struct json_packet *packet)
{
    json_line_free(&packet->line);
    json_line_free(&packet->options);
    json_line_free(&packet->stamps);
    json_decref(packet->empty_array);
    for (size_t i = 0; i < JSON_FLAGS; i++)
        json_decref(packet->flags[i]);
    free(packet->payload);
    *packet = (struct json_packet){0};
}
