/* Packets in the ladder: arrows, what stands on them, and the states they change. */
#include <stdio.h>
#include <string.h>

#include "tcp/packet_text.h"
#include "view/ladder_arrow.h"

/* A line below the arrow: what is in ladder->text from start to its end. */
static void draw_below(struct ladder *ladder, unsigned style, size_t start, size_t end)
{
    ladder_fill(ladder, &ladder->inside, STYLE_PLAIN, " ", 4);
    ladder_put_cut(ladder, &ladder->inside, style, (const char *)ladder->text.data + start,
                   end - start, (size_t)ladder->inner - 5);
    ladder_draw(ladder, &(struct ladder_line)LADDER_LINE);
}

/* TLS records by their names, a line each kind. Returns false if the payload is none. */
static bool draw_records(struct ladder *ladder, const struct view_item *item,
                         struct ladder_flow *flow, unsigned style)
{
    const struct packet *packet = item->packet;
    struct buffer *text = &ladder->text;
    buffer_clear(text);
    if (packet->transport != TRANSPORT_TCP ||
        !tls_text_append(text, &flow->tls[item->facts->from], item->facts->relative_seq,
                         packet->bytes + packet->payload_at, packet->payload_captured,
                         packet->payload_length))
        return false;
    for (size_t start = 0; start < text->length;) {
        const uint8_t *newline = memchr(text->data + start, '\n', text->length - start);
        size_t end = newline == NULL ? text->length : (size_t)(newline - text->data);
        draw_below(ladder, style, start, end);
        start = end + 1;
    }
    return true;
}

/* The payload's beginning as text, on a line of its own below the arrow. */
static void draw_payload(struct ladder *ladder, const struct view_item *item,
                         struct ladder_flow *flow, unsigned style)
{
    const struct packet *packet = item->packet;
    if (packet->payload_captured == 0 || draw_records(ladder, item, flow, style))
        return;
    size_t room = (size_t)ladder->inner - 4 - 3; /* indented, quoted, a space before the lane */
    struct buffer *text = &ladder->text;
    buffer_clear(text);
    buffer_append_byte(text, '"');
    size_t used =
        terminal_append_escaped(text, packet->bytes + packet->payload_at, packet->payload_captured,
                                room, ladder->options->terminal.utf8);
    if (used < packet->payload_length)
        buffer_append_text(text, ladder->glyphs->ellipsis);
    else
        buffer_append_byte(text, '"');
    draw_below(ladder, style, 0, text->length);
}

/* States inside, where the gutters have no room for them. */
static void draw_states(struct ladder *ladder, const char *left, const char *right)
{
    if (left == NULL && right == NULL)
        return;
    size_t room = (size_t)ladder->inner - 1;
    ladder_put(ladder, &ladder->inside, STYLE_PLAIN, " ", 1);
    if (left != NULL)
        ladder_put(ladder, &ladder->inside, STYLE_BOLD, left, strlen(left));
    if (right != NULL) {
        size_t width = strlen(right);
        ladder_fill(ladder, &ladder->inside, STYLE_PLAIN, " ", width < room ? room - width : 0);
        ladder_put_cut(ladder, &ladder->inside, STYLE_BOLD, right, width,
                       room - ladder->inside.width + 1);
    }
    ladder_draw(ladder, &(struct ladder_line)LADDER_LINE);
}

/* The same for two lanes of one side, where it must be told whose: "alice SYN-SENT". */
static void draw_states_beside(struct ladder *ladder, const int lanes[2],
                               const char *const states[2])
{
    if (states[0] == NULL && states[1] == NULL)
        return;
    struct arrow_pieces pieces;
    arrow_start(ladder, &pieces);
    for (int end = 0; end < 2; end++) {
        if (states[end] != NULL)
            buffer_printf(&ladder->text, "%s %s", ladder->lanes[lanes[end]].name, states[end]);
        arrow_end_piece(ladder, &pieces, ladder->lanes[lanes[end]].style | STYLE_BOLD);
    }
    arrow_draw_rest(ladder, &pieces, 0);
}

/* "127.0.0.1:51234      flow 1      127.0.0.1:80", into the inner room. */
static void put_ends(struct ladder *ladder, const struct ladder_flow *flow, enum flow_end left_end)
{
    char left[ADDRESS_TEXT], right[ADDRESS_TEXT], middle[32];
    address_format(&flow->address[left_end], left);
    address_format(&flow->address[!left_end], right);
    size_t middle_width = (size_t)snprintf(middle, sizeof middle, "flow %u", flow->id);
    size_t inner = (size_t)ladder->inner;
    size_t after_left = 1 + strlen(left) + 2;
    size_t before_right = strlen(right) + 3;
    struct ladder_text *inside = &ladder->inside;
    ladder_put(ladder, inside, STYLE_PLAIN, " ", 1);
    if (after_left + middle_width + before_right > inner) {
        buffer_clear(&ladder->text);
        buffer_printf(&ladder->text, "%s: %s, %s", middle, left, right);
        ladder_put_cut(ladder, inside, STYLE_DIM, buffer_text(&ladder->text), ladder->text.length,
                       inner - 2);
        return;
    }
    size_t start = (inner - middle_width) / 2;
    if (start < after_left)
        start = after_left;
    if (start + middle_width + before_right > inner)
        start = inner - before_right - middle_width;
    ladder_put(ladder, inside, STYLE_DIM, left, strlen(left));
    ladder_fill(ladder, inside, STYLE_PLAIN, " ", start);
    ladder_put(ladder, inside, STYLE_DIM, middle, middle_width);
    ladder_fill(ladder, inside, STYLE_PLAIN, " ", inner - before_right + 2);
    ladder_put(ladder, inside, STYLE_DIM, right, strlen(right));
}

/* The states before the packet, as names; NULL where nothing is known. */
static void states_before(const struct ladder *ladder, const struct view_item *item,
                          const struct ladder_flow *flow, const char *names[2])
{
    names[FLOW_CLIENT] = names[FLOW_SERVER] = NULL;
    if (flow->protocol != TRACE_TCP)
        return;
    enum tcp_state before[2] = {item->facts->before[0], item->facts->before[1]};
    if (item->facts->new_flow && !item->facts->flow->from_middle) {
        /* Before its first packet the flow itself knows nothing; the exchange does. */
        bool listening = ladder_is_listening(ladder, flow);
        before[FLOW_CLIENT] = TCP_STATE_CLOSED;
        before[FLOW_SERVER] = listening ? TCP_STATE_LISTEN : TCP_STATE_UNKNOWN;
    }
    for (int end = 0; end < 2; end++)
        if (before[end] != TCP_STATE_UNKNOWN)
            names[end] = tcp_state_name(before[end]);
}

/* Whose the following arrows are: both ends' addresses and the flow's number, once a turn. */
static void introduce_flow(struct ladder *ladder, const struct view_item *item,
                           const struct ladder_flow *flow, const int lanes[2])
{
    int low = lanes[0] < lanes[1] ? lanes[0] : lanes[1];
    int high = lanes[0] < lanes[1] ? lanes[1] : lanes[0];
    if (ladder->pair_flow[low][high] == flow->id)
        return;
    ladder->pair_flow[low][high] = flow->id;
    enum flow_end left_end = lanes[FLOW_CLIENT] == low ? FLOW_CLIENT : FLOW_SERVER;
    const char *names[2];
    states_before(ladder, item, flow, names);
    put_ends(ladder, flow, left_end);
    struct ladder_line line = LADDER_LINE;
    bool beside = ladder->lanes[low].right == ladder->lanes[high].right;
    if (!ladder->narrow && !beside) {
        line.left = names[left_end];
        line.right = names[!left_end];
        line.left_style = ladder->lanes[low].style;
        line.right_style = ladder->lanes[high].style;
    }
    ladder_draw(ladder, &line);
    if (beside)
        draw_states_beside(ladder, lanes, names);
    else if (ladder->narrow)
        draw_states(ladder, names[left_end], names[!left_end]);
}

/*
 * Nobody's call caused it: a delayed ACK, a timer. Foreign captures know no causes at all, and
 * what a stranger sends is the stranger's own affair.
 */
static bool is_kernels(const struct ladder *ladder, const struct view_item *item,
                       uint32_t sender_role)
{
    return ladder->has_calls && item->event->packet.cause == 0 && sender_role != 0;
}

static void add_fault(struct ladder *ladder, struct arrow_pieces *pieces,
                      const struct packet *packet)
{
    if (packet->fault == FAULT_NONE)
        return;
    buffer_printf(&ladder->text, "[%s]", packet_fault_text(packet));
    arrow_end_piece(ladder, pieces, STYLE_RED);
}

/* A piece for each line that they take, so that none is cut. */
static void add_options(struct ladder *ladder, struct arrow_pieces *pieces,
                        const struct packet *packet)
{
    char text[PACKET_TEXT];
    size_t length = (size_t)(packet_put_options(text, &packet->tcp) - text);
    size_t room = (size_t)ladder->inner - 5;
    for (size_t start = 0; start < length;) {
        size_t end = start + room;
        if (end >= length)
            end = length;
        while (end < length && end > start && text[end] != ' ')
            end--;
        if (end == start) /* one that is too long */
            end = length;
        buffer_append(&ladder->text, text + start, end - start);
        arrow_end_piece(ladder, pieces, STYLE_DIM);
        start = end + 1;
    }
}

/*
 * Whether the segment's window must be told: where it matters to what happens, and when it has
 * doubled or halved since it was told last. Else it would stand on every arrow and say little.
 */
static bool tells_window(struct ladder_flow *flow, const struct view_item *item)
{
    const uint32_t window_marks =
        MARK_ZERO_WINDOW | MARK_WINDOW_UPDATE | MARK_ZERO_WINDOW_PROBE_ACK;
    const struct packet_tcp *tcp = &item->packet->tcp;
    const struct flow_facts *facts = item->facts;
    if ((tcp->flags & TCP_RST) != 0)
        return false; /* it offers none */
    uint32_t *told = &flow->window[facts->from];
    uint32_t window = facts->window;
    bool must = (tcp->flags & TCP_SYN) != 0 || window == 0 || (facts->marks & window_marks) != 0;
    bool other = *told != 0 && (window / 2 >= *told || window <= *told / 2);
    if (must || other || *told == 0)
        *told = window;
    return must || other;
}

/* A piece of what packet_text.h wrote, if it is not empty. */
static void add_made(struct ladder *ladder, struct arrow_pieces *pieces, unsigned style,
                     const char *made, const char *end)
{
    buffer_append(&ladder->text, made, (size_t)(end - made));
    arrow_end_piece(ladder, pieces, style);
}

static void add_segment(struct ladder *ladder, struct arrow_pieces *pieces,
                        struct ladder_flow *flow, const struct view_item *item, unsigned style)
{
    const struct packet *packet = item->packet;
    const struct packet_tcp *tcp = &packet->tcp;
    const struct flow_facts *facts = item->facts;
    struct buffer *text = &ladder->text;
    char made[PACKET_TEXT];
    bool reset = (tcp->flags & TCP_RST) != 0;
    if (tcp->header_length < 20) {
        arrow_add_text(ladder, pieces, style | STYLE_BOLD, "TCP"); /* no header to tell about */
        add_fault(ladder, pieces, packet);
        return;
    }
    add_made(ladder, pieces, (reset ? STYLE_RED : style) | STYLE_BOLD, made,
             packet_put_flags(made, tcp->flags));
    buffer_printf(text, "seq %u", facts->relative_seq);
    if ((tcp->flags & TCP_ACK) != 0)
        buffer_printf(text, " ack %u", facts->relative_ack);
    if (packet->payload_length > 0)
        buffer_printf(text, " len %u", packet->payload_length);
    arrow_end_piece(ladder, pieces, STYLE_PLAIN);
    if (tells_window(flow, item)) {
        buffer_printf(text, "win %u", facts->window);
        arrow_end_piece(ladder, pieces, STYLE_PLAIN);
    }
    add_made(ladder, pieces, STYLE_PLAIN, made, packet_put_urgent(made, tcp));
    add_made(ladder, pieces, STYLE_PLAIN, made, packet_put_sack(made, tcp, facts));
    add_made(ladder, pieces, STYLE_RED, made, packet_put_marks(made, facts));
    add_fault(ladder, pieces, packet);
}

/* What a datagram says; all of it in its first fragment. */
static void add_datagram(struct ladder *ladder, struct arrow_pieces *pieces,
                         const struct packet *packet)
{
    buffer_printf(&ladder->text, "len %u", packet->payload_length);
    if (packet->is_fragment && packet->udp.length >= 8)
        buffer_printf(&ladder->text, " of %u", packet->udp.length - 8u);
    arrow_end_piece(ladder, pieces, STYLE_PLAIN);
    if (packet->is_fragment)
        arrow_add_text(ladder, pieces, STYLE_PLAIN, "first fragment");
}

/* The state an end came to by this packet, or NULL if it stayed in its own. */
static const char *new_state(const struct flow_facts *facts, enum flow_end end)
{
    if (facts->flow->protocol != TRACE_TCP || facts->before[end] == facts->after[end] ||
        facts->after[end] == TCP_STATE_UNKNOWN || facts->after[end] == TCP_STATE_LISTEN)
        return NULL; /* that somebody listens is told at the flow's beginning, if it is true */
    return tcp_state_name(facts->after[end]);
}

/* The arrow's text, and below it options and payload. */
static void draw_headers(struct ladder *ladder, const struct view_item *item,
                         struct ladder_flow *flow, const struct arrow *arrow, bool own)
{
    const struct packet *packet = item->packet;
    unsigned style = ladder->lanes[arrow->from].style;
    bool tcp = packet->transport == TRANSPORT_TCP;
    struct arrow_pieces pieces;
    arrow_start(ladder, &pieces);
    if (own)
        arrow_add_text(ladder, &pieces, STYLE_DIM, "kernel");
    if (tcp) {
        add_segment(ladder, &pieces, flow, item, own ? STYLE_PLAIN : style);
    } else {
        arrow_add_text(ladder, &pieces, style | STYLE_BOLD, "UDP");
        add_datagram(ladder, &pieces, packet);
        add_fault(ladder, &pieces, packet);
    }
    arrow_draw(ladder, arrow, &pieces);
    if (tcp && packet->tcp.options_seen != 0 && (packet->tcp.flags & TCP_SYN) != 0) {
        arrow_start(ladder, &pieces);
        add_options(ladder, &pieces, packet);
        arrow_draw_rest(ladder, &pieces, 0);
    }
    draw_payload(ladder, item, flow, own ? STYLE_DIM : style);
}

static void draw_flow_packet(struct ladder *ladder, const struct view_item *item)
{
    const struct flow_facts *facts = item->facts;
    struct ladder_flow *flow = ladder_find_flow(ladder, item);
    int lanes[2];
    ladder_flow_lanes(ladder, flow, lanes);
    introduce_flow(ladder, item, flow, lanes);
    struct arrow arrow = {.from = lanes[facts->from],
                          .to = lanes[!facts->from],
                          .number = item->event->packet.number,
                          .time = item->event->time};
    bool own = is_kernels(ladder, item, flow->role[facts->from]);
    arrow.style = own ? STYLE_DIM : ladder->lanes[arrow.from].style;
    enum flow_end left_end = lanes[FLOW_CLIENT] < lanes[FLOW_SERVER] ? FLOW_CLIENT : FLOW_SERVER;
    const char *states[2] = {new_state(facts, FLOW_CLIENT), new_state(facts, FLOW_SERVER)};
    bool beside = ladder->lanes[arrow.from].right == ladder->lanes[arrow.to].right;
    if (!ladder->narrow && !beside) {
        arrow.left = states[left_end];
        arrow.right = states[!left_end];
    }
    if (item->packet->is_fragment)
        ladder->first_fragment =
            (struct ladder_first_fragment){.identification = item->packet->ip_identification,
                                           .flow = flow->id,
                                           .from = facts->from};
    draw_headers(ladder, item, flow, &arrow, own);
    if (beside)
        draw_states_beside(ladder, lanes, states);
    else if (ladder->narrow)
        draw_states(ladder, states[left_end], states[!left_end]);
}

static bool is_same_host(const struct address *a, const struct address *b)
{
    struct address host = *a;
    host.port = b->port;
    return address_equal(&host, b);
}

/* A later fragment has no ports; it goes where the first one of its datagram went. Returns false if
 * that is not known. */
static bool draw_fragment(struct ladder *ladder, const struct view_item *item)
{
    const struct packet *packet = item->packet;
    const struct ladder_first_fragment *first = &ladder->first_fragment;
    const struct ladder_flow *flow = &ladder->flows[first->flow % LADDER_FLOWS];
    if (packet->transport != TRANSPORT_FRAGMENT || first->flow == 0 || flow->id != first->flow ||
        packet->ip_identification != first->identification ||
        !is_same_host(&packet->source, &flow->address[first->from]) ||
        !is_same_host(&packet->destination, &flow->address[!first->from]))
        return false;
    int lanes[2];
    ladder_flow_lanes(ladder, flow, lanes);
    struct arrow arrow = {.from = lanes[first->from],
                          .to = lanes[!first->from],
                          .number = item->event->packet.number,
                          .time = item->event->time};
    bool own = is_kernels(ladder, item, flow->role[first->from]);
    arrow.style = own ? STYLE_DIM : ladder->lanes[arrow.from].style;
    struct arrow_pieces pieces;
    arrow_start(ladder, &pieces);
    if (own)
        arrow_add_text(ladder, &pieces, STYLE_DIM, "kernel");
    buffer_printf(&ladder->text, "%s fragment", packet_protocol_name(packet));
    arrow_end_piece(ladder, &pieces, arrow.style | STYLE_BOLD);
    buffer_printf(&ladder->text, "at %u len %u", packet->fragment_offset, packet->payload_length);
    arrow_end_piece(ladder, &pieces, STYLE_PLAIN);
    add_fault(ladder, &pieces, packet);
    arrow_draw(ladder, &arrow, &pieces);
    return true;
}

/* An ICMP error goes back along the flow whose packet it quotes. Returns false if there is none. */
static bool draw_icmp_error(struct ladder *ladder, const struct view_item *item)
{
    struct packet quoted;
    enum flow_end victim; /* whose packet it was */
    if ((item->packet->transport != TRANSPORT_ICMP &&
         item->packet->transport != TRANSPORT_ICMPV6) ||
        !packet_decode_quoted(item->packet, &quoted))
        return false;
    struct ladder_flow *flow =
        ladder_find_ends(ladder, quoted.ip_protocol, &quoted.source, &quoted.destination, &victim);
    if (flow == NULL)
        return false;
    int lanes[2];
    ladder_flow_lanes(ladder, flow, lanes);
    struct arrow arrow = {.from = lanes[!victim],
                          .to = lanes[victim],
                          .style = STYLE_RED,
                          .number = item->event->packet.number,
                          .time = item->event->time};
    struct arrow_pieces pieces;
    arrow_start(ladder, &pieces);
    if (is_kernels(ladder, item, flow->role[!victim]))
        arrow_add_text(ladder, &pieces, STYLE_DIM, "kernel");
    arrow_add_text(ladder, &pieces, STYLE_RED | STYLE_BOLD, packet_protocol_name(item->packet));
    /* "destination unreachable: port unreachable": the second half says it all. */
    const char *type = icmp_type_text(item->packet);
    const char *colon = strstr(type, ": ");
    arrow_add_text(ladder, &pieces, STYLE_RED, colon == NULL ? type : colon + 2);
    add_fault(ladder, &pieces, item->packet);
    arrow_draw(ladder, &arrow, &pieces);
    return true;
}

/* What belongs to no flow: one line between the lanes. */
static void draw_other(struct ladder *ladder, const struct view_item *item)
{
    const struct packet *packet = item->packet;
    struct arrow_pieces pieces;
    char source[ADDRESS_TEXT], destination[ADDRESS_TEXT];
    arrow_start(ladder, &pieces);
    buffer_printf(&ladder->text, "%llu", (unsigned long long)item->event->packet.number);
    arrow_end_piece(ladder, &pieces, STYLE_DIM);
    arrow_add_text(ladder, &pieces, STYLE_BOLD, packet_protocol_name(packet));
    if (packet->transport == TRANSPORT_ICMP || packet->transport == TRANSPORT_ICMPV6)
        arrow_add_text(ladder, &pieces, STYLE_PLAIN, icmp_type_text(packet));
    if (packet->network == NETWORK_ARP)
        arrow_add_text(ladder, &pieces, STYLE_PLAIN,
                       packet->arp.operation == 1 ? "request" : "reply");
    if (packet->source.family != 0) {
        address_format_host(&packet->source, source);
        address_format_host(&packet->destination, destination);
        buffer_printf(&ladder->text, "%s %s %s", source, ladder->glyphs->gives, destination);
        arrow_end_piece(ladder, &pieces, STYLE_PLAIN);
    }
    buffer_printf(&ladder->text, "len %u", packet->length);
    arrow_end_piece(ladder, &pieces, STYLE_PLAIN);
    add_fault(ladder, &pieces, packet);
    size_t next = 0;
    ladder_put(ladder, &ladder->inside, STYLE_PLAIN, " ", 1);
    arrow_put_pieces(ladder, &pieces, &next, (size_t)ladder->inner - 2);
    struct ladder_line line = LADDER_LINE;
    line.timed = true;
    line.time = item->event->time;
    ladder_draw(ladder, &line);
    arrow_draw_rest(ladder, &pieces, next);
}

void ladder_packet(struct ladder *ladder, const struct view_item *item)
{
    ladder->packets++;
    ladder_turn_to(ladder, item->event->packet.cause, item->event->time);
    ladder_note_time(ladder, item->event->time);
    ladder_lay_out(ladder);
    if (item->facts->flow != NULL)
        draw_flow_packet(ladder, item);
    else if (!draw_icmp_error(ladder, item) && !draw_fragment(ladder, item))
        draw_other(ladder, item);
}
