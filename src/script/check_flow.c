/*
 * The fields of a flow and of its sides. Each notes the packets that it was made from.
 */
#include <stdio.h>
#include <string.h>

#include "script/check_fields.h"
#include "support/tcp_state.h"

/* Sides. */

static const struct check_flow *flow_at(const struct checking *checking,
                                        const struct check_proxy *proxy)
{
    return &checking->trace->flows[proxy->item];
}

static const struct flow_side *side_at(const struct checking *checking,
                                       const struct check_proxy *proxy)
{
    return &flow_at(checking, proxy)->flow.side[proxy->end];
}

static void note(lua_State *L, struct checking *checking, const struct check_proxy *proxy, int end,
                 enum about about)
{
    check_note_flow(L, checking, flow_at(checking, proxy), end, about);
}

static void side_role(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    lua_pushstring(L, check_side_role(checking->trace, flow_at(checking, proxy), proxy->end));
}

static void side_address(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    check_push_address(L, &side_at(checking, proxy)->address, true);
}

static void side_state(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    note(L, checking, proxy, BOTH_ENDS, ABOUT_LAST);
    lua_pushstring(L, tcp_state_name(side_at(checking, proxy)->state));
}

static void side_states(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
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

static void side_sent(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
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

static void side_missing(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    note(L, checking, proxy, (int)proxy->end, ABOUT_DATA);
    lua_pushinteger(L, (lua_Integer)flow_at(checking, proxy)->side[proxy->end].missing);
}

static void side_bytes(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    note(L, checking, proxy, (int)proxy->end, ABOUT_DATA);
    lua_pushinteger(L, (lua_Integer)side_at(checking, proxy)->unique_bytes);
}

static void side_packets(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    const struct check_flow *flow = flow_at(checking, proxy);
    struct check_list *list = check_push_list(L, CHECK_LIST_PACKETS, false, flow->packet_count);
    list->count = 0;
    for (size_t i = 0; i < flow->packet_count; i++)
        if (checking->trace->packets[flow->packets[i]].from == proxy->end)
            list->indices[list->count++] = flow->packets[i];
}

static void side_retransmissions(lua_State *L, struct checking *checking,
                                 const struct check_proxy *proxy)
{
    note(L, checking, proxy, (int)proxy->end, ABOUT_REPEATS);
    lua_pushinteger(L, (lua_Integer)side_at(checking, proxy)->retransmissions);
}

static void side_marks(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    note(L, checking, proxy, (int)proxy->end, ABOUT_MARKS);
    check_push_marks(L, flow_at(checking, proxy)->side[proxy->end].marks);
}

/* What a SYN said is known only where it was seen. */
static bool push_unknown(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    note(L, checking, proxy, (int)proxy->end, ABOUT_SYNS);
    if (side_at(checking, proxy)->has_options)
        return false;
    lua_pushnil(L);
    return true;
}

static void side_mss(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    if (push_unknown(L, checking, proxy))
        return;
    if (side_at(checking, proxy)->mss == 0)
        lua_pushnil(L);
    else
        lua_pushinteger(L, side_at(checking, proxy)->mss);
}

static void side_window_scale(lua_State *L, struct checking *checking,
                              const struct check_proxy *proxy)
{
    if (push_unknown(L, checking, proxy))
        return;
    if (side_at(checking, proxy)->window_scale == 255)
        lua_pushnil(L);
    else
        lua_pushinteger(L, side_at(checking, proxy)->window_scale);
}

static void side_sack(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    if (!push_unknown(L, checking, proxy))
        lua_pushboolean(L, side_at(checking, proxy)->sack_permitted);
}

static void side_timestamps(lua_State *L, struct checking *checking,
                            const struct check_proxy *proxy)
{
    if (!push_unknown(L, checking, proxy))
        lua_pushboolean(L, side_at(checking, proxy)->timestamps);
}

const struct check_field check_side_fields[] = {
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

static void flow_number(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    (void)checking;
    lua_pushinteger(L, (lua_Integer)proxy->item + 1);
}

static void flow_protocol(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    note(L, checking, proxy, BOTH_ENDS, ABOUT_LAST);
    lua_pushstring(L, flow_at(checking, proxy)->flow.protocol == 6 ? "TCP" : "UDP");
}

static void flow_handshake(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    note(L, checking, proxy, BOTH_ENDS, ABOUT_HANDSHAKE);
    lua_pushstring(L, flow_at(checking, proxy)->handshake);
}

static void flow_close(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    note(L, checking, proxy, BOTH_ENDS, ABOUT_ENDS);
    lua_pushstring(L, flow_close_text(&flow_at(checking, proxy)->flow));
}

static void flow_closed_by(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    const struct check_flow *flow = flow_at(checking, proxy);
    note(L, checking, proxy, BOTH_ENDS, ABOUT_ENDS);
    if (flow->flow.closed_by > FLOW_SERVER)
        lua_pushnil(L);
    else
        lua_pushstring(L,
                       check_side_role(checking->trace, flow, (enum flow_end)flow->flow.closed_by));
}

static void flow_client(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    (void)checking;
    check_push_proxy(L, CHECK_TYPE_SIDE, proxy->item, FLOW_CLIENT);
}

static void flow_server(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    (void)checking;
    check_push_proxy(L, CHECK_TYPE_SIDE, proxy->item, FLOW_SERVER);
}

static void flow_packets(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    const struct check_flow *flow = flow_at(checking, proxy);
    struct check_list *list = check_push_list(L, CHECK_LIST_PACKETS, false, flow->packet_count);
    memcpy(list->indices, flow->packets, flow->packet_count * sizeof *list->indices);
}

static void flow_retransmissions(lua_State *L, struct checking *checking,
                                 const struct check_proxy *proxy)
{
    const struct flow *flow = &flow_at(checking, proxy)->flow;
    note(L, checking, proxy, BOTH_ENDS, ABOUT_REPEATS);
    lua_pushinteger(L,
                    (lua_Integer)(flow->side[0].retransmissions + flow->side[1].retransmissions));
}

static void flow_marks(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    const struct check_flow *flow = flow_at(checking, proxy);
    note(L, checking, proxy, BOTH_ENDS, ABOUT_MARKS);
    check_push_marks(L, flow->side[0].marks | flow->side[1].marks);
}

/* An option is agreed on when both SYNs carry it. */
static void push_agreed(lua_State *L, struct checking *checking, const struct check_proxy *proxy,
                        bool client, bool server)
{
    const struct flow *flow = &flow_at(checking, proxy)->flow;
    note(L, checking, proxy, BOTH_ENDS, ABOUT_SYNS);
    if (flow->side[0].has_options && flow->side[1].has_options)
        lua_pushboolean(L, client && server);
    else
        lua_pushnil(L);
}

static void flow_sack(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    const struct flow_side *side = flow_at(checking, proxy)->flow.side;
    push_agreed(L, checking, proxy, side[0].sack_permitted, side[1].sack_permitted);
}

static void flow_timestamps(lua_State *L, struct checking *checking,
                            const struct check_proxy *proxy)
{
    const struct flow_side *side = flow_at(checking, proxy)->flow.side;
    push_agreed(L, checking, proxy, side[0].timestamps, side[1].timestamps);
}

static void flow_window_scaling(lua_State *L, struct checking *checking,
                                const struct check_proxy *proxy)
{
    const struct flow_side *side = flow_at(checking, proxy)->flow.side;
    push_agreed(L, checking, proxy, side[0].window_scale != 255, side[1].window_scale != 255);
}

static void flow_rtt(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    const struct flow *flow = &flow_at(checking, proxy)->flow;
    note(L, checking, proxy, BOTH_ENDS, ABOUT_HANDSHAKE);
    if (flow->handshake_rtt == 0)
        lua_pushnil(L);
    else
        check_push_seconds(L, flow->handshake_rtt);
}

const struct check_field check_flow_fields[] = {
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
