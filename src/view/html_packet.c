/*
 * A packet as the page wants it. Fields that say nothing are left out.
 */
#include "view/html.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "packet/fields.h"
#include "tcp/packet_text.h"
#include "view/json_event.h"

/* Of a packet's fields. */
struct fielding {
    struct html_packets *packets;
    html_write *write;
    void *data;
    json_t *fields;    /* of the layout */
    json_t *texts;     /* of the packet */
    struct buffer key; /* of the layout */
};

static void set(json_t *object, const char *key, json_t *value)
{
    json_object_set_new_nocheck(object, key, value);
}

static void set_number(json_t *object, const char *key, uint64_t number)
{
    if (number != 0)
        set(object, key, json_integer((json_int_t)number));
}

static uint32_t text_number(struct html_packets *packets, const char *text, size_t length,
                            html_write *write, void *data)
{
    bool is_new;
    uint32_t number = html_intern(&packets->texts, text, length, &is_new);
    if (is_new) {
        json_t *object = json_event_new("text");
        set_number(object, "id", number);
        set(object, "text", json_event_text((struct trace_text){text, length}));
        write(data, object);
    }
    return number;
}

static enum html_form form_of(const struct packet_field *field)
{
    char text[32];
    if (!field->has_value || field->is_group || field->bit_length > 32)
        return HTML_FORM_TEXT;
    if (field->bit_length == 1 && strcmp(field->text, field->value != 0 ? "set" : "not set") == 0)
        return HTML_FORM_BIT;
    snprintf(text, sizeof text, "%" PRIu64, field->value);
    if (strcmp(text, field->text) == 0)
        return HTML_FORM_DECIMAL;
    snprintf(text, sizeof text, "0x%0*" PRIx64, (int)((field->bit_length + 3) / 4), field->value);
    return strcmp(text, field->text) == 0 ? HTML_FORM_HEX : HTML_FORM_TEXT;
}

static bool visit(void *data, const struct packet_field *field)
{
    struct fielding *fielding = data;
    enum html_form form = form_of(field);
    int flags = field->depth * 4 + (field->is_group ? 1 : 0) + (field->quoted ? 2 : 0);
    if (form == HTML_FORM_TEXT)
        json_array_append_new(
            fielding->texts,
            json_integer(text_number(fielding->packets, field->text, strlen(field->text),
                                     fielding->write, fielding->data)));
    /* Names and notes live for ever, so each has one address. */
    buffer_append(&fielding->key, &field->name, sizeof field->name);
    buffer_append(&fielding->key, &field->note, sizeof field->note);
    buffer_append(&fielding->key, &field->bit_length, sizeof field->bit_length);
    int numbers[] = {(int)field->layer, (int)form, flags};
    buffer_append(&fielding->key, numbers, sizeof numbers);
    json_array_append_new(fielding->fields,
                          json_pack("[s,s,I,i,i,s]", packet_layer_name(field->layer), field->name,
                                    (json_int_t)field->bit_length, (int)form, flags, field->note));
    return true;
}

static void add_fields(struct html_packets *packets, const struct packet *packet, json_t *object,
                       html_write *write, void *data)
{
    struct fielding fielding = {packets, write, data, json_array(), json_array(), {0}};
    packet_fields(packet, visit, &fielding);
    bool is_new = false;
    uint32_t number = 0;
    if (!fielding.key.failed)
        number = html_intern(&packets->layouts, fielding.key.data, fielding.key.length, &is_new);
    if (is_new) {
        json_t *layout = json_event_new("layout");
        set_number(layout, "id", number);
        set(layout, "fields", json_incref(fielding.fields));
        write(data, layout);
    }
    buffer_free(&fielding.key);
    json_decref(fielding.fields);
    set_number(object, "layout", number);
    set(object, "texts", fielding.texts);
}

static json_t *sack_blocks(const struct view_item *item)
{
    const struct packet_tcp *tcp = &item->packet->tcp;
    const struct flow_facts *facts = item->facts;
    uint32_t base = facts->flow->side[1 - facts->from].initial_seq;
    json_t *blocks = json_array();
    for (int i = 0; i < tcp->sack_count; i++)
        json_array_append_new(blocks,
                              json_pack("[I,I]", (json_int_t)(uint32_t)(tcp->sack[i][0] - base),
                                        (json_int_t)(uint32_t)(tcp->sack[i][1] - base)));
    return blocks;
}

static void add_tcp(json_t *object, const struct view_item *item, html_write *write,
                    struct html_packets *packets, void *data)
{
    const struct packet_tcp *tcp = &item->packet->tcp;
    const struct flow_facts *facts = item->facts;
    char text[PACKET_TEXT];
    if (tcp->header_length == 0)
        return;
    char *end = packet_put_flags(text, tcp->flags);
    set_number(object, "flags", text_number(packets, text, (size_t)(end - text), write, data));
    if (tcp->flags & TCP_SYN) {
        end = packet_put_options(text, tcp);
        if (end > text)
            set_number(object, "options",
                       text_number(packets, text, (size_t)(end - text), write, data));
    }
    if (facts->flow == NULL)
        return;
    set_number(object, "seq", facts->relative_seq);
    set_number(object, "ack", facts->relative_ack);
    set_number(object, "win", facts->window);
    if (facts->window_scaled)
        set(object, "scaled", json_true());
    if (tcp->options_seen & TCP_SEEN_SACK)
        set(object, "sack", sack_blocks(item));
    set(object, "states",
        json_pack("[i,i,i,i]", (int)facts->before[FLOW_CLIENT], (int)facts->before[FLOW_SERVER],
                  (int)facts->after[FLOW_CLIENT], (int)facts->after[FLOW_SERVER]));
}

static void add_facts(json_t *object, const struct flow_facts *facts)
{
    if (facts->flow == NULL)
        return;
    set_number(object, "flow", facts->flow->id);
    set_number(object, "from", facts->from);
    set_number(object, "marks", facts->marks);
    if (facts->marks & MARK_DUPLICATE_ACK) {
        set_number(object, "dup", facts->duplicate_number);
        set_number(object, "dup_of", facts->duplicate_of);
    }
    set_number(object, "fly", facts->bytes_in_flight);
    if (facts->rtt > 0) {
        set_number(object, "rtt", (uint64_t)facts->rtt);
        set_number(object, "rtt_of", facts->rtt_of);
    }
}

/* How many of the packet's captured bytes go into the page. */
static uint32_t bytes_kept(struct html_packets *packets, const struct packet *packet)
{
    uint32_t kept = packet->captured;
    if (packets->bytes >= HTML_BYTES_MOST && kept > packet->payload_at + HTML_PAYLOAD_THEN) {
        kept = packet->payload_at + HTML_PAYLOAD_THEN;
        packets->cut++;
    }
    packets->bytes += kept;
    return kept;
}

static void set_address(json_t *object, const char *key, const struct address *address,
                        bool with_port, html_write *write, struct html_packets *packets, void *data)
{
    char text[PACKET_TEXT];
    if (address->family == 0)
        return;
    char *end = packet_put_address(text, address, with_port);
    set_number(object, key, text_number(packets, text, (size_t)(end - text), write, data));
}

/* Flows are numbered as they begin, so those after the first are its successors. */
bool html_has_room_for_flow(struct html_packets *packets, uint32_t id)
{
    if (packets->first_flow == 0)
        packets->first_flow = id;
    return id - packets->first_flow < HTML_FLOWS_MOST;
}

static bool has_room(struct html_packets *packets, const struct flow *flow)
{
    return packets->count < HTML_PACKETS_MOST &&
           (flow == NULL || html_has_room_for_flow(packets, flow->id));
}

void html_packet(struct html_packets *packets, const struct view_item *item, html_write *write,
                 void *data)
{
    const struct trace_packet *frame = &item->event->packet;
    const struct packet *packet = item->packet;
    bool has_ports = packet->transport == TRANSPORT_TCP || packet->transport == TRANSPORT_UDP;
    if (!has_room(packets, item->facts->flow)) {
        packets->left_out++;
        return;
    }
    packets->count++;
    json_t *object = json_event_new("packet");
    set_number(object, "n", frame->number);
    set(object, "t", json_integer(view_time_between(item->origin, item->event->time)));
    set(object, "protocol", json_string_nocheck(packet_protocol_name(packet)));
    set_address(object, "src", &packet->source, has_ports, write, packets, data);
    set_address(object, "dst", &packet->destination, has_ports, write, packets, data);
    add_facts(object, item->facts);
    if (packet->transport == TRANSPORT_TCP)
        add_tcp(object, item, write, packets, data);
    else if (packet->transport == TRANSPORT_ICMP || packet->transport == TRANSPORT_ICMPV6)
        set(object, "icmp", json_string_nocheck(icmp_type_text(packet)));
    set_number(object, "len", packet->payload_length);
    set_number(object, "at", packet->payload_at);
    set_number(object, "cause", frame->cause);
    set_number(object, "wire", frame->length);
    if (packet->captured < frame->length)
        set_number(object, "captured", packet->captured);
    if (packet->fault != FAULT_NONE)
        set(object, "fault", json_string_nocheck(packet_fault_text(packet)));
    /* Of our own traces it names the cause, which the page knows. */
    if (frame->cause == 0 && frame->comment.length > 0)
        set(object, "comment", json_event_text(frame->comment));
    add_fields(packets, packet, object, write, data);
    set(object, "bytes", json_event_base64(packet->bytes, bytes_kept(packets, packet)));
    write(data, object);
}
