/*
 * The fields of a packet and of a call. Reading any field of a packet notes the packet.
 */
#include <stdlib.h>
#include <string.h>

#include "packet/packet.h"
#include "script/check_fields.h"

static void push_text(lua_State *L, struct checking *checking, struct check_text text)
{
    lua_pushlstring(L, check_text(checking->trace, text), text.length);
}

static const struct check_packet *packet_at(const struct checking *checking,
                                            const struct check_proxy *proxy)
{
    return &checking->trace->packets[proxy->item];
}

static void packet_number(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    lua_pushinteger(L, (lua_Integer)packet_at(checking, proxy)->number);
}

static void packet_time(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    check_push_seconds(L, packet_at(checking, proxy)->time - checking->trace->origin);
}

static void packet_flow(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    uint32_t flow = packet_at(checking, proxy)->flow;
    if (flow == 0)
        lua_pushnil(L);
    else
        lua_pushinteger(L, flow);
}

static void packet_role(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    const char *role = check_packet_role(checking->trace, packet_at(checking, proxy));
    if (role[0] == '\0')
        lua_pushnil(L);
    else
        lua_pushstring(L, role);
}

static void packet_from(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    const struct check_packet *packet = packet_at(checking, proxy);
    if (packet->flow == 0)
        lua_pushnil(L);
    else
        lua_pushstring(L, packet->from == FLOW_CLIENT ? "client" : "server");
}

static void packet_source(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    const struct check_packet *packet = packet_at(checking, proxy);
    check_push_address(L, &packet->source, packet->flow != 0);
}

static void packet_destination(lua_State *L, struct checking *checking,
                               const struct check_proxy *proxy)
{
    const struct check_packet *packet = packet_at(checking, proxy);
    check_push_address(L, &packet->destination, packet->flow != 0);
}

static void packet_flags(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
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

static void packet_seq(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    push_number_of(L, packet_at(checking, proxy)->tcp, packet_at(checking, proxy)->seq);
}

static void packet_ack(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    const struct check_packet *packet = packet_at(checking, proxy);
    push_number_of(L, packet->tcp && (packet->flags & TCP_ACK) != 0, packet->ack);
}

static void packet_window(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    push_number_of(L, packet_at(checking, proxy)->tcp, packet_at(checking, proxy)->window);
}

static void packet_length(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    lua_pushinteger(L, packet_at(checking, proxy)->length);
}

static void packet_payload(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    push_text(L, checking, packet_at(checking, proxy)->payload);
}

static void packet_marks(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    check_push_marks(L, packet_at(checking, proxy)->marks);
}

static void packet_call(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
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
            check_push_proxy(L, CHECK_TYPE_CALL, (uint32_t)at, FLOW_CLIENT);
            return;
        }
    }
    lua_pushnil(L);
}

static void packet_text(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    char *line = packet_line(checking->trace, packet_at(checking, proxy));
    lua_pushstring(L, line == NULL ? "" : line);
    free(line);
}

const struct check_field check_packet_fields[] = {
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

static const struct check_call *call_at(const struct checking *checking,
                                        const struct check_proxy *proxy)
{
    return &checking->trace->calls[proxy->item];
}

static void call_number(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    lua_pushinteger(L, call_at(checking, proxy)->call);
}

static void call_role(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    uint32_t role = call_at(checking, proxy)->role;
    if (role == 0)
        lua_pushnil(L);
    else
        push_text(L, checking, checking->trace->roles[role - 1].name);
}

static void call_name(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    push_text(L, checking, call_at(checking, proxy)->name);
}

static void call_arguments(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    push_text(L, checking, call_at(checking, proxy)->arguments);
}

static void call_result(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    const struct check_call *call = call_at(checking, proxy);
    if (call->returned && call->error == 0)
        push_text(L, checking, call->result);
    else
        lua_pushnil(L);
}

static void call_code(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    const struct check_call *call = call_at(checking, proxy);
    if (call->error != 0)
        lua_pushstring(L, error_code_name(call->error));
    else
        lua_pushnil(L);
}

static void call_message(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    const struct check_call *call = call_at(checking, proxy);
    if (call->error != 0)
        push_text(L, checking, call->message);
    else
        lua_pushnil(L);
}

static void call_line(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    uint32_t line = call_at(checking, proxy)->line;
    if (line != 0)
        lua_pushinteger(L, line);
    else
        lua_pushnil(L);
}

static void call_seconds(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    const struct check_call *call = call_at(checking, proxy);
    if (call->returned)
        check_push_seconds(L, call->end - call->time);
    else
        lua_pushnil(L);
}

static void call_packets(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    const struct check_trace *trace = checking->trace;
    uint32_t call = call_at(checking, proxy)->call;
    size_t count = 0;
    for (size_t i = 0; i < trace->packet_count; i++)
        count += trace->packets[i].cause == call;
    struct check_list *list = check_push_list(L, CHECK_LIST_PACKETS, false, count);
    list->count = 0;
    for (size_t i = 0; i < trace->packet_count; i++)
        if (trace->packets[i].cause == call)
            list->indices[list->count++] = (uint32_t)i;
}

const struct check_field check_call_fields[] = {
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
