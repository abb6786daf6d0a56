/*
 * Columns, and one flow's row in them.
 *
 * The two addresses have what the other columns leave. Where they need more, the host that is both
 * client and server is not said twice; where that is not enough, they stand on a line of their own
 * above the numbers, as df does it, so nothing is lost at 80 columns.
 */
#include <stdio.h>
#include <string.h>

#include "support/terminal.h"
#include "tcp/packet_text.h"
#include "tcp/span.h"
#include "view/flows.h"

enum {
    NUMBER = 3, /* a flow's, and a space behind it; larger ones take from the addresses */
    INDENT = NUMBER + 1,
    STORY = 9,
    COUNT = 4,
    DURATION = 5,
    RETRANSMISSIONS = 4,
    GOODPUT = 7,
    HANDSHAKE = 17,
    MARKS_LEAST = 16,
    MARKS_MOST = 60,
    /* Room for two IPv4 addresses of the usual length, and of any. */
    ENDS_USUAL = INDENT + 39,
    ENDS_MOST = INDENT + 45,
    /* What no row goes without: how it ended, packets and bytes each way, how long it took. */
    ALWAYS = 1 + STORY + 4 * (1 + COUNT) + 1 + DURATION,
};

/* Takes up to wanted columns out of *room. */
static size_t take(size_t *room, size_t wanted)
{
    size_t taken = wanted < *room ? wanted : *room;
    *room -= taken;
    return taken;
}

/* Takes all of the wanted columns and one between, or none. Returns the wanted ones, or 0. */
static size_t take_column(size_t *room, size_t wanted)
{
    if (*room < wanted + 1)
        return 0;
    *room -= wanted + 1;
    return wanted;
}

void flows_lay_out(struct flows *flows)
{
    struct flows_layout *layout = &flows->layout;
    size_t columns = (size_t)flows->options->terminal.columns;
    size_t room = columns > ALWAYS + INDENT ? columns - ALWAYS - INDENT : 0;
    layout->ends = INDENT;
    layout->retransmissions = take_column(&room, RETRANSMISSIONS);
    layout->rtt = take_column(&room, DURATION);
    layout->ends += take(&room, ENDS_USUAL - INDENT);
    layout->goodput = take_column(&room, GOODPUT);
    layout->marks = take_column(&room, MARKS_LEAST);
    layout->handshake = take_column(&room, HANDSHAKE);
    layout->ends += take(&room, ENDS_MOST - ENDS_USUAL);
    if (layout->marks > 0)
        layout->marks += take(&room, MARKS_MOST - MARKS_LEAST);
    layout->ends += room;
}

enum flow_story flows_story(const struct flow *flow)
{
    enum { SYN_SEEN = 1, SYN_ACK_SEEN = 2 };
    if (flow->protocol != 6)
        return STORY_UDP;
    switch (flow->close) {
    case FLOW_CLOSED:
        return STORY_CLOSED;
    case FLOW_HALF_CLOSED:
        return STORY_HALF_CLOSED;
    case FLOW_RESET:
        return STORY_RESET;
    case FLOW_REFUSED:
        return STORY_REFUSED;
    case FLOW_OPEN:
        break;
    }
    if (flow->handshake == SYN_SEEN)
        return STORY_NO_ANSWER;
    return flow->handshake == (SYN_SEEN | SYN_ACK_SEEN) ? STORY_HALF_OPEN : STORY_OPEN;
}

/* "closed ▶", "…reset ◀", "no answer": at most STORY columns. */
static void put_story(struct flows *flows, const struct flow *flow)
{
    static const char *const words[] = {
        [STORY_CLOSED] = "closed",       [STORY_HALF_CLOSED] = "half",
        [STORY_RESET] = "reset",         [STORY_REFUSED] = "refused",
        [STORY_NO_ANSWER] = "no answer", [STORY_HALF_OPEN] = "half-open",
        [STORY_OPEN] = "open",           [STORY_UDP] = "UDP",
    };
    enum flow_story story = flows_story(flow);
    bool ended = story == STORY_CLOSED || story == STORY_HALF_CLOSED || story == STORY_RESET ||
                 story == STORY_REFUSED;
    bool bad = story == STORY_RESET || story == STORY_REFUSED || story == STORY_NO_ANSWER;
    /* What was refused or not answered was seen from its SYN on. */
    bool from_middle = flow->from_middle && story != STORY_UDP && story != STORY_REFUSED &&
                       story != STORY_NO_ANSWER;
    const char *by =
        ended && flow->closed_by <= FLOW_SERVER ? flows->glyphs->to[flow->closed_by] : "";
    char text[64];
    char *to = packet_put_text(text, from_middle ? flows->glyphs->middle : "");
    to = packet_put_text(to, words[story]);
    if (by[0] != '\0')
        *to++ = ' ';
    *packet_put_text(to, by) = '\0';
    flows_put_left(flows, bad ? FLOWS_RED : FLOWS_PLAIN, text, STORY);
}

static void put_count(struct flows *flows, uint64_t count, enum flows_style style, size_t columns)
{
    char text[FLOWS_NUMBER];
    flows_put_right(flows, count == 0 ? FLOWS_DIM : style, flows_count(count, text), 1 + columns);
}

static void put_duration(struct flows *flows, int64_t duration)
{
    char text[FLOWS_NUMBER];
    flows_put_right(flows, duration < 0 ? FLOWS_DIM : FLOWS_PLAIN,
                    flows_duration(flows, duration, text), 1 + DURATION);
}

/* The handshake's; where it was not seen, the shortest of any segment; else -1. */
static int64_t shortest_rtt(const struct flow *flow)
{
    if (flow->handshake_rtt > 0)
        return flow->handshake_rtt;
    int64_t shortest = -1;
    for (int end = 0; end < 2; end++) {
        const struct flow_side *side = &flow->side[end];
        if (side->rtt_count > 0 && (shortest < 0 || side->rtt_min < shortest))
            shortest = side->rtt_min;
    }
    return shortest;
}

/* New payload bytes of both ends, a second. */
static void put_goodput(struct flows *flows, const struct flow *flow, int64_t duration)
{
    uint64_t bytes = flow->side[0].unique_bytes + flow->side[1].unique_bytes;
    char number[FLOWS_NUMBER];
    char text[FLOWS_NUMBER + 4] = "-";
    if (duration > 0 && bytes > 0) {
        double rate = (double)bytes * 1e9 / (double)duration;
        snprintf(text, sizeof text, "%sB/s", flows_count(rate < 1e18 ? (uint64_t)rate : 0, number));
    }
    flows_put_right(flows, text[0] == '-' ? FLOWS_DIM : FLOWS_PLAIN, text, 1 + GOODPUT);
}

/* Puts text, cut with an ellipsis where it is wider than columns. */
static void put_cut(struct flows *flows, enum flows_style style, const char *text, size_t columns)
{
    size_t length = strlen(text);
    if (flows_width(text) <= columns) {
        flows_put(flows, style, text);
        return;
    }
    const char *ellipsis = flows->glyphs->ellipsis;
    size_t room = columns - flows_width(ellipsis);
    char cut[512];
    snprintf(cut, sizeof cut, "%.*s%s", (int)terminal_fit(text, length, room), text, ellipsis);
    flows_put(flows, style, cut);
}

static void put_marks(struct flows *flows, const struct flow *flow)
{
    uint32_t marks = flow->side[0].marks_seen | flow->side[1].marks_seen;
    char text[512] = "";
    size_t length = 0;
    for (int bit = 0; bit < MARK_COUNT; bit++) {
        if ((marks >> bit & 1) == 0)
            continue;
        length +=
            (size_t)snprintf(text + length, sizeof text - length, "%s%s", length > 0 ? ", " : "",
                             tcp_mark_name((enum tcp_mark)(1 << bit)));
    }
    if (length == 0)
        return;
    flows_put(flows, FLOWS_PLAIN, " ");
    put_cut(flows, FLOWS_YELLOW, text, flows->layout.marks);
}

/* "1.2.3.4:5 ↔ 6.7.8.9:10"; short: the server's port alone, its host being the client's. */
static void join_ends(const struct flows *flows, const struct flow *flow, bool is_short, char *text)
{
    const struct address *server = &flow->side[FLOW_SERVER].address;
    char *to = packet_put_address(text, &flow->side[FLOW_CLIENT].address, true);
    *to++ = ' ';
    to = packet_put_text(to, flows->glyphs->both);
    *to++ = ' ';
    if (is_short)
        *to++ = ':';
    to = is_short ? packet_put_number(to, server->port) : packet_put_address(to, server, true);
    *to = '\0';
}

static bool is_same_host(const struct flow *flow)
{
    struct address server = flow->side[FLOW_SERVER].address;
    server.port = flow->side[FLOW_CLIENT].address.port;
    return address_equal(&flow->side[FLOW_CLIENT].address, &server);
}

/* Too long for the row: a line of their own, or two. */
static void draw_ends_above(struct flows *flows, const struct flow *flow, const char *text)
{
    size_t columns = (size_t)flows->options->terminal.columns;
    if (flows->line.width + flows_width(text) <= columns) {
        flows_put(flows, FLOWS_PLAIN, text);
        flows_end_line(flows);
        return;
    }
    char end[ADDRESS_TEXT + 8];
    char address[ADDRESS_TEXT];
    for (int i = 0; i < 2; i++) {
        snprintf(end, sizeof end, "%s%s%s", address_format(&flow->side[i].address, address),
                 i == 0 ? " " : "", i == 0 ? flows->glyphs->both : "");
        flows_fill(flows, INDENT);
        put_cut(flows, FLOWS_PLAIN, end, columns - flows->line.width);
        flows_end_line(flows);
    }
}

static void put_ends(struct flows *flows, const struct flow *flow)
{
    char number[FLOWS_NUMBER];
    char text[2 * ADDRESS_TEXT + 8];
    *packet_put_number(number, flow->id) = '\0';
    flows_put_right(flows, FLOWS_DIM, number, NUMBER);
    flows_put(flows, FLOWS_PLAIN, " ");
    size_t room =
        flows->layout.ends > flows->line.width ? flows->layout.ends - flows->line.width : 0;
    join_ends(flows, flow, false, text);
    if (flows_width(text) > room && is_same_host(flow))
        join_ends(flows, flow, true, text);
    if (flows_width(text) <= room)
        flows_put(flows, FLOWS_PLAIN, text);
    else
        draw_ends_above(flows, flow, text);
    flows_fill(flows, flows->layout.ends);
}

void flows_draw_row(struct flows *flows, const struct flow *flow)
{
    const struct flows_layout *layout = &flows->layout;
    const struct flow_side *side = flow->side;
    int64_t duration = span(flow->first_time, flow->last_time);
    put_ends(flows, flow);
    flows_put(flows, FLOWS_PLAIN, " ");
    if (layout->handshake > 0) {
        flows_put_left(flows, FLOWS_PLAIN, flow->protocol == 6 ? flow_handshake_text(flow) : "-",
                       layout->handshake);
        flows_put(flows, FLOWS_PLAIN, " ");
    }
    put_story(flows, flow);
    put_count(flows, side[0].packets, FLOWS_PLAIN, COUNT);
    put_count(flows, side[1].packets, FLOWS_PLAIN, COUNT);
    put_count(flows, side[0].bytes, FLOWS_PLAIN, COUNT);
    put_count(flows, side[1].bytes, FLOWS_PLAIN, COUNT);
    if (layout->retransmissions > 0)
        put_count(flows, side[0].retransmissions + side[1].retransmissions, FLOWS_YELLOW,
                  layout->retransmissions);
    if (layout->rtt > 0)
        put_duration(flows, shortest_rtt(flow));
    put_duration(flows, duration > 0 ? duration : -1);
    if (layout->goodput > 0)
        put_goodput(flows, flow, duration);
    if (layout->marks > 0)
        put_marks(flows, flow);
    flows_end_line(flows);
}

static void put_head(struct flows *flows, const char *text, size_t columns)
{
    flows_put_right(flows, FLOWS_BOLD, text, 1 + columns);
}

void flows_draw_head(struct flows *flows)
{
    const struct flows_layout *layout = &flows->layout;
    const struct flows_glyphs *glyphs = flows->glyphs;
    size_t before = layout->ends + 1 + STORY + (layout->handshake > 0 ? HANDSHAKE + 1 : 0);
    flows_fill(flows, before);
    put_head(flows, "packets", 2 * COUNT + 1);
    put_head(flows, "bytes", 2 * COUNT + 1);
    flows_end_line(flows);

    char ends[64];
    snprintf(ends, sizeof ends, "client %s server", glyphs->both);
    flows_put(flows, FLOWS_BOLD, "flow ");
    if (flows->line.width + strlen("client - server") <= layout->ends)
        flows_put(flows, FLOWS_BOLD, ends);
    flows_fill(flows, layout->ends);
    if (layout->handshake > 0) {
        flows_put(flows, FLOWS_PLAIN, " ");
        flows_put_left(flows, FLOWS_BOLD, "handshake", layout->handshake);
    }
    flows_fill(flows, flows->line.width + 1);
    flows_put_left(flows, FLOWS_BOLD, "close", before - flows->line.width);
    for (int i = 0; i < 4; i++)
        put_head(flows, glyphs->to[i & 1], COUNT);
    if (layout->retransmissions > 0)
        put_head(flows, "retr", layout->retransmissions);
    if (layout->rtt > 0)
        put_head(flows, "RTT", DURATION);
    put_head(flows, "time", DURATION);
    if (layout->goodput > 0)
        put_head(flows, "goodput", GOODPUT);
    if (layout->marks > 0)
        put_head(flows, "analysis", strlen("analysis"));
    flows_end_line(flows);
}
