/*
 * The trace as a check sees it: proxies that can be read and not changed. See checking.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packet/packet.h"
#include "script/checking.h"
#include "script/names.h"
#include "support/clock.h"
#include "tcp/packet_text.h"

#define TYPE_TRACE   "trace"
#define TYPE_FLOW    "flow"
#define TYPE_SIDE    "side"
#define TYPE_PACKET  "packet"
#define TYPE_CALL    "call"
#define TYPE_LIST    "list of the trace"
#define TYPE_MISSING "missing"

/* What a proxy stands for: flow is an index, and so is item, of a packet or call. */
struct proxy {
    uint32_t item;
    enum flow_end end; /* of a side */
};

enum list_kind { LIST_PACKETS, LIST_CALLS, LIST_FLOWS };

struct list {
    enum list_kind kind;
    bool all; /* of the trace: indices are not kept */
    size_t count;
    uint32_t indices[];
};

struct missing {
    enum trace_verdict verdict;
    char reason[256];
};

/* One field of a type. */
struct field {
    const char *name;
    void (*push)(lua_State *L, struct checking *checking, const struct proxy *proxy);
};

static void push_proxy(lua_State *L, const char *type, uint32_t item, enum flow_end end)
{
    struct proxy *proxy = lua_newuserdatauv(L, sizeof *proxy, 0);
    *proxy = (struct proxy){item, end};
    luaL_setmetatable(L, type);
}

static void push_text(lua_State *L, struct checking *checking, struct check_text text)
{
    lua_pushlstring(L, check_text(checking->trace, text), text.length);
}

static void push_seconds(lua_State *L, int64_t nanoseconds)
{
    lua_pushnumber(L, (lua_Number)nanoseconds / (lua_Number)NANOSECONDS_PER_SECOND);
}

static struct list *push_list(lua_State *L, enum list_kind kind, bool all, size_t count)
{
    size_t room = all ? 0 : count * sizeof(uint32_t);
    struct list *list = lua_newuserdatauv(L, sizeof *list + room, 0);
    list->kind = kind;
    list->all = all;
    list->count = count;
    luaL_setmetatable(L, TYPE_LIST);
    return list;
}

static void push_address(lua_State *L, const struct address *address, bool port)
{
    char text[ADDRESS_TEXT];
    if (address->family == 0)
        lua_pushnil(L);
    else
        lua_pushstring(L,
                       port ? address_format(address, text) : address_format_host(address, text));
}

/* "retransmission, zero window"; "none". */
static void push_marks(lua_State *L, uint32_t marks)
{
    luaL_Buffer text;
    bool first = true;
    luaL_buffinit(L, &text);
    for (int bit = 0; bit < MARK_COUNT; bit++) {
        if ((marks >> bit & 1) == 0)
            continue;
        luaL_addstring(&text, first ? "" : ", ");
        luaL_addstring(&text, tcp_mark_name((enum tcp_mark)(1 << bit)));
        first = false;
    }
    if (first)
        luaL_addstring(&text, "none");
    luaL_pushresult(&text);
}

/* Missing values. */

void check_push_missing(lua_State *L, enum trace_verdict verdict, const char *format, ...)
{
    va_list arguments;
    struct missing *missing = lua_newuserdatauv(L, sizeof *missing, 0);
    missing->verdict = verdict;
    va_start(arguments, format);
    vsnprintf(missing->reason, sizeof missing->reason, format, arguments);
    va_end(arguments);
    luaL_setmetatable(L, TYPE_MISSING);
}

const char *check_missing(lua_State *L, int index, enum trace_verdict *verdict)
{
    const struct missing *missing = luaL_testudata(L, index, TYPE_MISSING);
    if (missing == NULL)
        return NULL;
    if (verdict != NULL)
        *verdict = missing->verdict;
    return missing->reason;
}

/* Remembers that it was touched, for an error that comes of it. */
static void touch_missing(lua_State *L, const struct missing *missing)
{
    struct checking *checking = checking_of(L, "the trace");
    checking->missing_line = script_site_of(L, 0).line;
    checking->missing_verdict = missing->verdict;
    snprintf(checking->missing_reason, sizeof checking->missing_reason, "%s", missing->reason);
}

/* Whatever is done with a missing value gives the same missing value. */
static int missing_again(lua_State *L)
{
    for (int i = 1; i <= 2; i++) {
        const struct missing *missing = luaL_testudata(L, i, TYPE_MISSING);
        if (missing == NULL)
            continue;
        touch_missing(L, missing);
        lua_pushvalue(L, i);
        return 1;
    }
    return 0;
}

/* A comparison must give true or false, and there is neither. */
static int missing_compared(lua_State *L)
{
    missing_again(L);
    return luaL_error(L, "%s", ((const struct missing *)lua_touserdata(L, -1))->reason);
}

static int missing_text(lua_State *L)
{
    const struct missing *missing = luaL_checkudata(L, 1, TYPE_MISSING);
    lua_pushfstring(L, "(%s)", missing->reason);
    return 1;
}

static int no_more(lua_State *L)
{
    (void)L;
    return 0;
}

/* ipairs: a missing list has no elements; what is counted over it afterwards is not known. */
static int each_of(lua_State *L)
{
    const struct missing *missing = luaL_testudata(L, 1, TYPE_MISSING);
    if (missing == NULL)
        return lua_tocfunction(L, lua_upvalueindex(1))(L);
    struct checking *checking = checking_of(L, "the trace");
    checking->tainted = true;
    snprintf(checking->taint_reason, sizeof checking->taint_reason, "%s", missing->reason);
    checking->missing_verdict = missing->verdict;
    lua_pushcfunction(L, no_more);
    return 1;
}

/* Sides. */

static const struct check_flow *flow_at(const struct checking *checking, const struct proxy *proxy)
{
    return &checking->trace->flows[proxy->item];
}

static const struct flow_side *side_at(const struct checking *checking, const struct proxy *proxy)
{
    return &flow_at(checking, proxy)->flow.side[proxy->end];
}

static void note(lua_State *L, struct checking *checking, const struct proxy *proxy, int end,
                 enum about about)
{
    check_note_flow(L, checking, flow_at(checking, proxy), end, about);
}

static void side_role(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    lua_pushstring(L, check_side_role(checking->trace, flow_at(checking, proxy), proxy->end));
}

static void side_address(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    push_address(L, &side_at(checking, proxy)->address, true);
}

static void side_state(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    note(L, checking, proxy, BOTH_ENDS, ABOUT_LAST);
    lua_pushstring(L, tcp_state_name(side_at(checking, proxy)->state));
}

static void side_states(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    const struct check_side *side = &flow_at(checking, proxy)->side[proxy->end];
    luaL_Buffer text;
    note(L, checking, proxy, BOTH_ENDS, ABOUT_ALL);
    luaL_buffinit(L, &text);
    for (size_t i = 0; i < side->state_count; i++) {
        luaL_addstring(&text, i == 0 ? "" : ", ");
        luaL_addstring(&text, tcp_state_name((enum tcp_state)side->states[i]));
    }
    luaL_pushresult(&text);
}

static void side_sent(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    const struct check_side *side = &flow_at(checking, proxy)->side[proxy->end];
    note(L, checking, proxy, (int)proxy->end, ABOUT_DATA);
    if (side->missing > 0) {
        snprintf(checking->remark, sizeof checking->remark,
                 "%llu bytes that the %s sent are not in the capture",
                 (unsigned long long)side->missing,
                 check_side_role(checking->trace, flow_at(checking, proxy), proxy->end));
        checking->remark_line = script_site_of(L, 0).line;
    }
    lua_pushlstring(L, side->sent.length == 0 ? "" : (const char *)side->sent.data,
                    side->sent.length);
}

static void side_missing(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    note(L, checking, proxy, (int)proxy->end, ABOUT_DATA);
    lua_pushinteger(L, (lua_Integer)flow_at(checking, proxy)->side[proxy->end].missing);
}

static void side_bytes(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    note(L, checking, proxy, (int)proxy->end, ABOUT_DATA);
    lua_pushinteger(L, (lua_Integer)side_at(checking, proxy)->unique_bytes);
}

static void side_packets(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    const struct check_flow *flow = flow_at(checking, proxy);
    struct list *list = push_list(L, LIST_PACKETS, false, flow->packet_count);
    list->count = 0;
    for (size_t i = 0; i < flow->packet_count; i++)
        if (checking->trace->packets[flow->packets[i]].from == proxy->end)
            list->indices[list->count++] = flow->packets[i];
}

static void side_retransmissions(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    note(L, checking, proxy, (int)proxy->end, ABOUT_REPEATS);
    lua_pushinteger(L, (lua_Integer)side_at(checking, proxy)->retransmissions);
}

static void side_marks(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    note(L, checking, proxy, (int)proxy->end, ABOUT_MARKS);
    push_marks(L, flow_at(checking, proxy)->side[proxy->end].marks);
}

/* What a SYN said is known only where it was seen. */
static bool push_unknown(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    note(L, checking, proxy, (int)proxy->end, ABOUT_SYNS);
    if (side_at(checking, proxy)->has_options)
        return false;
    lua_pushnil(L);
    return true;
}

static void side_mss(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    if (push_unknown(L, checking, proxy))
        return;
    if (side_at(checking, proxy)->mss == 0)
        lua_pushnil(L);
    else
        lua_pushinteger(L, side_at(checking, proxy)->mss);
}

static void side_window_scale(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    if (push_unknown(L, checking, proxy))
        return;
    if (side_at(checking, proxy)->window_scale == 255)
        lua_pushnil(L);
    else
        lua_pushinteger(L, side_at(checking, proxy)->window_scale);
}

static void side_sack(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    if (!push_unknown(L, checking, proxy))
        lua_pushboolean(L, side_at(checking, proxy)->sack_permitted);
}

static void side_timestamps(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    if (!push_unknown(L, checking, proxy))
        lua_pushboolean(L, side_at(checking, proxy)->timestamps);
}

static const struct field side_fields[] = {
    {"role", side_role},
    {"address", side_address},
    {"state", side_state},
    {"states", side_states},
    {"sent", side_sent},
    {"missing", side_missing},
    {"bytes", side_bytes},
    {"packets", side_packets},
    {"retransmissions", side_retransmissions},
    {"marks", side_marks},
    {"mss", side_mss},
    {"window_scale", side_window_scale},
    {"sack", side_sack},
    {"timestamps", side_timestamps},
    {NULL, NULL},
};

/* Flows. */

static void flow_number(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    (void)checking;
    lua_pushinteger(L, (lua_Integer)proxy->item + 1);
}

static void flow_protocol(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    note(L, checking, proxy, BOTH_ENDS, ABOUT_LAST);
    lua_pushstring(L, flow_at(checking, proxy)->flow.protocol == 6 ? "TCP" : "UDP");
}

static void flow_handshake(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    note(L, checking, proxy, BOTH_ENDS, ABOUT_HANDSHAKE);
    lua_pushstring(L, flow_at(checking, proxy)->handshake);
}

static void flow_close(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    note(L, checking, proxy, BOTH_ENDS, ABOUT_ENDS);
    lua_pushstring(L, flow_close_text(&flow_at(checking, proxy)->flow));
}

static void flow_closed_by(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    const struct check_flow *flow = flow_at(checking, proxy);
    note(L, checking, proxy, BOTH_ENDS, ABOUT_ENDS);
    if (flow->flow.closed_by > FLOW_SERVER)
        lua_pushnil(L);
    else
        lua_pushstring(L,
                       check_side_role(checking->trace, flow, (enum flow_end)flow->flow.closed_by));
}

static void flow_client(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    (void)checking;
    push_proxy(L, TYPE_SIDE, proxy->item, FLOW_CLIENT);
}

static void flow_server(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    (void)checking;
    push_proxy(L, TYPE_SIDE, proxy->item, FLOW_SERVER);
}

static void flow_packets(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    const struct check_flow *flow = flow_at(checking, proxy);
    struct list *list = push_list(L, LIST_PACKETS, false, flow->packet_count);
    memcpy(list->indices, flow->packets, flow->packet_count * sizeof *list->indices);
}

static void flow_retransmissions(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    const struct flow *flow = &flow_at(checking, proxy)->flow;
    note(L, checking, proxy, BOTH_ENDS, ABOUT_REPEATS);
    lua_pushinteger(L,
                    (lua_Integer)(flow->side[0].retransmissions + flow->side[1].retransmissions));
}

static void flow_marks(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    const struct check_flow *flow = flow_at(checking, proxy);
    note(L, checking, proxy, BOTH_ENDS, ABOUT_MARKS);
    push_marks(L, flow->side[0].marks | flow->side[1].marks);
}

/* An option is agreed on when both SYNs carry it. */
static void push_agreed(lua_State *L, struct checking *checking, const struct proxy *proxy,
                        bool client, bool server)
{
    const struct flow *flow = &flow_at(checking, proxy)->flow;
    note(L, checking, proxy, BOTH_ENDS, ABOUT_SYNS);
    if (flow->side[0].has_options && flow->side[1].has_options)
        lua_pushboolean(L, client && server);
    else
        lua_pushnil(L);
}

static void flow_sack(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    const struct flow_side *side = flow_at(checking, proxy)->flow.side;
    push_agreed(L, checking, proxy, side[0].sack_permitted, side[1].sack_permitted);
}

static void flow_timestamps(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    const struct flow_side *side = flow_at(checking, proxy)->flow.side;
    push_agreed(L, checking, proxy, side[0].timestamps, side[1].timestamps);
}

static void flow_window_scaling(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    const struct flow_side *side = flow_at(checking, proxy)->flow.side;
    push_agreed(L, checking, proxy, side[0].window_scale != 255, side[1].window_scale != 255);
}

static void flow_rtt(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    const struct flow *flow = &flow_at(checking, proxy)->flow;
    note(L, checking, proxy, BOTH_ENDS, ABOUT_HANDSHAKE);
    if (flow->handshake_rtt == 0)
        lua_pushnil(L);
    else
        push_seconds(L, flow->handshake_rtt);
}

static const struct field flow_fields[] = {
    {"number", flow_number},
    {"protocol", flow_protocol},
    {"handshake", flow_handshake},
    {"close", flow_close},
    {"closed_by", flow_closed_by},
    {"client", flow_client},
    {"server", flow_server},
    {"packets", flow_packets},
    {"retransmissions", flow_retransmissions},
    {"marks", flow_marks},
    {"sack", flow_sack},
    {"timestamps", flow_timestamps},
    {"window_scaling", flow_window_scaling},
    {"rtt", flow_rtt},
    {NULL, NULL},
};

/* Packets. Reading any field notes the packet. */

static const struct check_packet *packet_at(const struct checking *checking,
                                            const struct proxy *proxy)
{
    return &checking->trace->packets[proxy->item];
}

static void packet_number(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    lua_pushinteger(L, (lua_Integer)packet_at(checking, proxy)->number);
}

static void packet_time(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    push_seconds(L, packet_at(checking, proxy)->time - checking->trace->origin);
}

static void packet_flow(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    uint32_t flow = packet_at(checking, proxy)->flow;
    if (flow == 0)
        lua_pushnil(L);
    else
        lua_pushinteger(L, flow);
}

static void packet_role(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    const char *role = check_packet_role(checking->trace, packet_at(checking, proxy));
    if (role[0] == '\0')
        lua_pushnil(L);
    else
        lua_pushstring(L, role);
}

static void packet_from(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    const struct check_packet *packet = packet_at(checking, proxy);
    if (packet->flow == 0)
        lua_pushnil(L);
    else
        lua_pushstring(L, packet->from == FLOW_CLIENT ? "client" : "server");
}

static void packet_source(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    const struct check_packet *packet = packet_at(checking, proxy);
    push_address(L, &packet->source, packet->flow != 0);
}

static void packet_destination(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    const struct check_packet *packet = packet_at(checking, proxy);
    push_address(L, &packet->destination, packet->flow != 0);
}

static void packet_flags(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    char text[TCP_FLAGS_TEXT];
    const struct check_packet *packet = packet_at(checking, proxy);
    if (packet->tcp)
        lua_pushstring(L, tcp_flags_text(packet->flags, text));
    else
        lua_pushnil(L);
}

static void push_number_of(lua_State *L, bool tcp, uint32_t number)
{
    if (tcp)
        lua_pushinteger(L, number);
    else
        lua_pushnil(L);
}

static void packet_seq(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    push_number_of(L, packet_at(checking, proxy)->tcp, packet_at(checking, proxy)->seq);
}

static void packet_ack(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    const struct check_packet *packet = packet_at(checking, proxy);
    push_number_of(L, packet->tcp && (packet->flags & TCP_ACK) != 0, packet->ack);
}

static void packet_window(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    push_number_of(L, packet_at(checking, proxy)->tcp, packet_at(checking, proxy)->window);
}

static void packet_length(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    lua_pushinteger(L, packet_at(checking, proxy)->length);
}

static void packet_payload(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    push_text(L, checking, packet_at(checking, proxy)->payload);
}

static void packet_marks(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    push_marks(L, packet_at(checking, proxy)->marks);
}

static void packet_call(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    const struct check_trace *trace = checking->trace;
    uint32_t cause = packet_at(checking, proxy)->cause;
    if (!trace->recorded) {
        check_push_missing(L, TRACE_NOT_JUDGED, "the capture has no calls, only packets");
        return;
    }
    for (size_t i = 0; cause != 0 && i < trace->call_count; i++) {
        /* Calls are mostly counted as they stand. */
        size_t at = (i + cause - 1) % trace->call_count;
        if (trace->calls[at].call == cause) {
            push_proxy(L, TYPE_CALL, (uint32_t)at, FLOW_CLIENT);
            return;
        }
    }
    lua_pushnil(L);
}

static void packet_text(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    char *line = packet_line(checking->trace, packet_at(checking, proxy));
    lua_pushstring(L, line == NULL ? "" : line);
    free(line);
}

static const struct field packet_fields[] = {
    {"number", packet_number},
    {"time", packet_time},
    {"flow", packet_flow},
    {"role", packet_role},
    {"from", packet_from},
    {"source", packet_source},
    {"flags", packet_flags},
    {"destination", packet_destination},
    {"seq", packet_seq},
    {"ack", packet_ack},
    {"window", packet_window},
    {"length", packet_length},
    {"payload", packet_payload},
    {"marks", packet_marks},
    {"call", packet_call},
    {"text", packet_text},
    {NULL, NULL},
};

/* Calls. */

static const struct check_call *call_at(const struct checking *checking, const struct proxy *proxy)
{
    return &checking->trace->calls[proxy->item];
}

static void call_number(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    lua_pushinteger(L, call_at(checking, proxy)->call);
}

static void call_role(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    uint32_t role = call_at(checking, proxy)->role;
    if (role == 0)
        lua_pushnil(L);
    else
        push_text(L, checking, checking->trace->roles[role - 1].name);
}

static void call_name(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    push_text(L, checking, call_at(checking, proxy)->name);
}

static void call_arguments(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    push_text(L, checking, call_at(checking, proxy)->arguments);
}

static void call_result(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    const struct check_call *call = call_at(checking, proxy);
    if (call->returned && call->error == 0)
        push_text(L, checking, call->result);
    else
        lua_pushnil(L);
}

static void call_code(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    const struct check_call *call = call_at(checking, proxy);
    if (call->error != 0)
        lua_pushstring(L, error_code_name(call->error));
    else
        lua_pushnil(L);
}

static void call_message(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    const struct check_call *call = call_at(checking, proxy);
    if (call->error != 0)
        push_text(L, checking, call->message);
    else
        lua_pushnil(L);
}

static void call_line(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    uint32_t line = call_at(checking, proxy)->line;
    if (line != 0)
        lua_pushinteger(L, line);
    else
        lua_pushnil(L);
}

static void call_seconds(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    const struct check_call *call = call_at(checking, proxy);
    if (call->returned)
        push_seconds(L, call->end - call->time);
    else
        lua_pushnil(L);
}

static void call_packets(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    const struct check_trace *trace = checking->trace;
    uint32_t call = call_at(checking, proxy)->call;
    size_t count = 0;
    for (size_t i = 0; i < trace->packet_count; i++)
        count += trace->packets[i].cause == call;
    struct list *list = push_list(L, LIST_PACKETS, false, count);
    list->count = 0;
    for (size_t i = 0; i < trace->packet_count; i++)
        if (trace->packets[i].cause == call)
            list->indices[list->count++] = (uint32_t)i;
}

static const struct field call_fields[] = {
    {"number", call_number},
    {"role", call_role},
    {"name", call_name},
    {"arguments", call_arguments},
    {"result", call_result},
    {"code", call_code},
    {"message", call_message},
    {"line", call_line},
    {"seconds", call_seconds},
    {"packets", call_packets},
    {NULL, NULL},
};

/* The trace. */

static void trace_packets(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    (void)proxy;
    push_list(L, LIST_PACKETS, true, checking->trace->packet_count);
}

static void trace_flows(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    (void)proxy;
    push_list(L, LIST_FLOWS, true, checking->trace->flow_count);
}

static void trace_calls(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    (void)proxy;
    if (checking->trace->recorded)
        push_list(L, LIST_CALLS, true, checking->trace->call_count);
    else
        check_push_missing(L, TRACE_NOT_JUDGED, "the capture has no calls, only packets");
}

static void flow_by_role(lua_State *L, const struct check_trace *trace, const char *name)
{
    bool end_word = strcmp(name, "client") == 0 || strcmp(name, "server") == 0;
    if (trace->role_count == 0 && !end_word) {
        check_push_missing(L, TRACE_NOT_JUDGED,
                           "trace:flow(\"%s\"): the capture does not say which packets are %s's",
                           name, name);
        return;
    }
    for (size_t i = 0; i < trace->flow_count; i++) {
        for (int end = 0; end < 2; end++) {
            if (strcmp(check_side_role(trace, &trace->flows[i], (enum flow_end)end), name) == 0) {
                push_proxy(L, TYPE_FLOW, (uint32_t)i, FLOW_CLIENT);
                return;
            }
        }
    }
    check_push_missing(L, TRACE_FAILED, "trace:flow(\"%s\"): %s is part of no flow", name, name);
}

/* trace:flow(n), trace:flow("alice") */
static int trace_flow(lua_State *L)
{
    struct checking *checking = checking_of(L, "trace:flow");
    size_t count = checking->trace->flow_count;
    luaL_checkudata(L, 1, TYPE_TRACE);
    if (lua_type(L, 2) == LUA_TSTRING) {
        flow_by_role(L, checking->trace, lua_tostring(L, 2));
        return 1;
    }
    lua_Integer number = luaL_checkinteger(L, 2);
    if (number >= 1 && (lua_Unsigned)number <= count) {
        push_proxy(L, TYPE_FLOW, (uint32_t)number - 1, FLOW_CLIENT);
        return 1;
    }
    if (count == 0)
        check_push_missing(L, TRACE_FAILED, "trace:flow(%lld): the trace has no flows",
                           (long long)number);
    else
        check_push_missing(L, TRACE_FAILED, "trace:flow(%lld): the trace has %zu flow%s",
                           (long long)number, count, count == 1 ? "" : "s");
    return 1;
}

static void trace_flow_method(lua_State *L, struct checking *checking, const struct proxy *proxy)
{
    (void)checking, (void)proxy;
    lua_pushcfunction(L, trace_flow);
}

static const struct field trace_fields[] = {
    {"packets", trace_packets},  {"flows", trace_flows}, {"calls", trace_calls},
    {"flow", trace_flow_method}, {NULL, NULL},
};

/* All types. */

static const struct {
    const char *name;
    const struct field *fields;
} types[] = {
    {TYPE_TRACE, trace_fields},   {TYPE_FLOW, flow_fields}, {TYPE_SIDE, side_fields},
    {TYPE_PACKET, packet_fields}, {TYPE_CALL, call_fields},
};
#define TYPES (sizeof types / sizeof types[0])

const char *const check_type_names[] = {TYPE_TRACE,  TYPE_FLOW, TYPE_SIDE,
                                        TYPE_PACKET, TYPE_CALL, NULL};

const char *check_field_name(const char *type, size_t n)
{
    for (size_t i = 0; i < TYPES; i++)
        if (strcmp(types[i].name, type) == 0)
            return types[i].fields[n].name;
    return NULL;
}

static int unknown_field(lua_State *L, const char *type, const struct field *fields,
                         const char *name)
{
    struct names_search search = names_search_for(name);
    for (; fields->name != NULL; fields++)
        names_offer(&search, fields->name);
    if (search.nearest != NULL)
        return luaL_error(L, "a %s has no '%s'; did you mean '%s'?", type, name, search.nearest);
    return luaL_error(L, "a %s has no '%s'", type, name);
}

/* Upvalue 1: the type's place in types. */
static int get_field(lua_State *L)
{
    size_t type = (size_t)lua_tointeger(L, lua_upvalueindex(1));
    const struct proxy *proxy = luaL_checkudata(L, 1, types[type].name);
    struct checking *checking = checking_of(L, types[type].name);
    if (lua_type(L, 2) != LUA_TSTRING)
        return luaL_error(L, "a %s has named fields only, not a %s", types[type].name,
                          luaL_typename(L, 2));
    const char *name = lua_tostring(L, 2);
    for (const struct field *field = types[type].fields; field->name != NULL; field++) {
        if (strcmp(field->name, name) != 0)
            continue;
        if (types[type].fields == packet_fields)
            check_note_packet(L, checking, proxy->item);
        field->push(L, checking, proxy);
        return 1;
    }
    return unknown_field(L, types[type].name, types[type].fields, name);
}

static int read_only(lua_State *L)
{
    return luaL_error(L, "the trace cannot be changed: it is what happened");
}

/* Proxies are made anew each time; those of one thing are equal. */
static int is_same(lua_State *L)
{
    const struct proxy *a = lua_touserdata(L, 1), *b = lua_touserdata(L, 2);
    bool same_type = lua_getmetatable(L, 1) && lua_getmetatable(L, 2) && lua_rawequal(L, -1, -2);
    lua_pushboolean(L, same_type && a->item == b->item && a->end == b->end);
    return 1;
}

static int proxy_text(lua_State *L)
{
    const struct proxy *proxy = lua_touserdata(L, 1);
    struct checking *checking = checking_of(L, "the trace");
    if (luaL_testudata(L, 1, TYPE_PACKET) != NULL) {
        check_note_packet(L, checking, proxy->item);
        packet_text(L, checking, proxy);
    } else if (luaL_testudata(L, 1, TYPE_CALL) != NULL) {
        call_name(L, checking, proxy);
        call_arguments(L, checking, proxy);
        lua_pushfstring(L, "%s(%s)", lua_tostring(L, -2), lua_tostring(L, -1));
    } else if (luaL_testudata(L, 1, TYPE_SIDE) != NULL) {
        side_role(L, checking, proxy);
    } else if (luaL_testudata(L, 1, TYPE_FLOW) != NULL) {
        lua_pushfstring(L, "flow %d", (int)proxy->item + 1);
    } else {
        lua_pushliteral(L, "the trace");
    }
    return 1;
}

static int list_get(lua_State *L)
{
    static const char *const element[] = {TYPE_PACKET, TYPE_CALL, TYPE_FLOW};
    const struct list *list = luaL_checkudata(L, 1, TYPE_LIST);
    checking_of(L, "the trace");
    int is_whole;
    lua_Integer n = lua_tointegerx(L, 2, &is_whole);
    if (!is_whole)
        return luaL_error(L, "a list is indexed by whole numbers, not by %s",
                          luaL_tolstring(L, 2, NULL));
    if (n < 1 || (lua_Unsigned)n > list->count)
        lua_pushnil(L);
    else
        push_proxy(L, element[list->kind], list->all ? (uint32_t)n - 1 : list->indices[n - 1],
                   FLOW_CLIENT);
    return 1;
}

static int list_length(lua_State *L)
{
    const struct list *list = luaL_checkudata(L, 1, TYPE_LIST);
    struct checking *checking = checking_of(L, "the trace");
    for (size_t i = 0; list->kind == LIST_PACKETS && i < list->count && i < CHECKING_NOTES; i++)
        check_note_packet(L, checking, list->all ? (uint32_t)i : list->indices[i]);
    lua_pushinteger(L, (lua_Integer)list->count);
    return 1;
}

static int list_text(lua_State *L)
{
    static const char *const what[] = {"packets", "calls", "flows"};
    const struct list *list = luaL_checkudata(L, 1, TYPE_LIST);
    lua_pushfstring(L, "%I %s", (lua_Integer)list->count, what[list->kind]);
    return 1;
}

bool check_packet_list(lua_State *L, int index, struct packet_list *packets)
{
    const struct check_trace *trace = checking_of(L, "the trace")->trace;
    *packets = (struct packet_list){.trace = trace};
    const struct proxy *flow = luaL_testudata(L, index, TYPE_FLOW);
    const struct list *list = luaL_testudata(L, index, TYPE_LIST);
    if (flow != NULL) {
        packets->indices = trace->flows[flow->item].packets;
        packets->count = trace->flows[flow->item].packet_count;
    } else if (list != NULL && list->kind == LIST_PACKETS) {
        packets->indices = list->all ? NULL : list->indices;
        packets->count = list->count;
    } else if (luaL_testudata(L, index, TYPE_TRACE) != NULL) {
        packets->count = trace->packet_count;
    } else {
        return false;
    }
    return true;
}

void check_push_trace(lua_State *L)
{
    push_proxy(L, TYPE_TRACE, 0, FLOW_CLIENT);
}

static void seal(lua_State *L)
{
    lua_pushcfunction(L, read_only);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

static void open_missing(lua_State *L)
{
    static const char *const again[] = {
        "__index", "__call", "__len",    "__add",  "__sub", "__mul",  "__div", "__mod", "__unm",
        "__idiv",  "__pow",  "__concat", "__band", "__bor", "__bxor", "__shl", "__shr"};
    luaL_newmetatable(L, TYPE_MISSING);
    for (size_t i = 0; i < sizeof again / sizeof again[0]; i++) {
        lua_pushcfunction(L, missing_again);
        lua_setfield(L, -2, again[i]);
    }
    lua_pushcfunction(L, missing_compared);
    lua_setfield(L, -2, "__lt");
    lua_pushcfunction(L, missing_compared);
    lua_setfield(L, -2, "__le");
    lua_pushcfunction(L, missing_text);
    lua_setfield(L, -2, "__tostring");
    seal(L);
}

void check_values_open(lua_State *L)
{
    for (size_t i = 0; i < TYPES; i++) {
        luaL_newmetatable(L, types[i].name);
        lua_pushinteger(L, (lua_Integer)i);
        lua_pushcclosure(L, get_field, 1);
        lua_setfield(L, -2, "__index");
        lua_pushcfunction(L, is_same);
        lua_setfield(L, -2, "__eq");
        lua_pushcfunction(L, proxy_text);
        lua_setfield(L, -2, "__tostring");
        seal(L);
    }
    luaL_newmetatable(L, TYPE_LIST);
    lua_pushcfunction(L, list_get);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, list_length);
    lua_setfield(L, -2, "__len");
    lua_pushcfunction(L, list_text);
    lua_setfield(L, -2, "__tostring");
    seal(L);
    open_missing(L);
    lua_getglobal(L, "ipairs");
    lua_pushcclosure(L, each_of, 1);
    lua_setglobal(L, "ipairs");
}
