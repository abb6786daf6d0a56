/*
 * The trace as a check sees it: proxies that can be read and not changed. See checking.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/check_fields.h"
#include "script/names.h"
#include "support/clock.h"

void check_push_proxy(lua_State *L, const char *type, uint32_t item, enum flow_end end)
{
    struct check_proxy *proxy = lua_newuserdatauv(L, sizeof *proxy, 0);
    *proxy = (struct check_proxy){item, end};
    luaL_setmetatable(L, type);
}

void check_push_seconds(lua_State *L, int64_t nanoseconds)
{
    lua_pushnumber(L, (lua_Number)nanoseconds / (lua_Number)NANOSECONDS_PER_SECOND);
}

struct check_list *check_push_list(lua_State *L, enum check_list_kind kind, bool all, size_t count)
{
    size_t room = all ? 0 : count * sizeof(uint32_t);
    struct check_list *list = lua_newuserdatauv(L, sizeof *list + room, 0);
    list->kind = kind;
    list->all = all;
    list->count = count;
    luaL_setmetatable(L, CHECK_TYPE_LIST);
    return list;
}

void check_push_address(lua_State *L, const struct address *address, bool port)
{
    char text[ADDRESS_TEXT];
    if (address->family == 0)
        lua_pushnil(L);
    else
        lua_pushstring(L,
                       port ? address_format(address, text) : address_format_host(address, text));
}

/* "retransmission, zero window"; "none". */
void check_push_marks(lua_State *L, uint32_t marks)
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
    luaL_setmetatable(L, CHECK_TYPE_MISSING);
}

const char *check_missing(lua_State *L, int index, enum trace_verdict *verdict)
{
    const struct missing *missing = luaL_testudata(L, index, CHECK_TYPE_MISSING);
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
        const struct missing *missing = luaL_testudata(L, i, CHECK_TYPE_MISSING);
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
    const struct missing *missing = luaL_checkudata(L, 1, CHECK_TYPE_MISSING);
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
    const struct missing *missing = luaL_testudata(L, 1, CHECK_TYPE_MISSING);
    if (missing == NULL)
        return lua_tocfunction(L, lua_upvalueindex(1))(L);
    struct checking *checking = checking_of(L, "the trace");
    checking->tainted = true;
    snprintf(checking->taint_reason, sizeof checking->taint_reason, "%s", missing->reason);
    checking->missing_verdict = missing->verdict;
    lua_pushcfunction(L, no_more);
    return 1;
}

/* The trace. */

static void trace_packets(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    (void)proxy;
    check_push_list(L, CHECK_LIST_PACKETS, true, checking->trace->packet_count);
}

static void trace_flows(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    (void)proxy;
    check_push_list(L, CHECK_LIST_FLOWS, true, checking->trace->flow_count);
}

static void trace_calls(lua_State *L, struct checking *checking, const struct check_proxy *proxy)
{
    (void)proxy;
    if (checking->trace->recorded)
        check_push_list(L, CHECK_LIST_CALLS, true, checking->trace->call_count);
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
                check_push_proxy(L, CHECK_TYPE_FLOW, (uint32_t)i, FLOW_CLIENT);
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
    luaL_checkudata(L, 1, CHECK_TYPE_TRACE);
    if (lua_type(L, 2) == LUA_TSTRING) {
        flow_by_role(L, checking->trace, lua_tostring(L, 2));
        return 1;
    }
    lua_Integer number = luaL_checkinteger(L, 2);
    if (number >= 1 && (lua_Unsigned)number <= count) {
        check_push_proxy(L, CHECK_TYPE_FLOW, (uint32_t)number - 1, FLOW_CLIENT);
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

static void trace_flow_method(lua_State *L, struct checking *checking,
                              const struct check_proxy *proxy)
{
    (void)checking, (void)proxy;
    lua_pushcfunction(L, trace_flow);
}

static const struct check_field trace_fields[] = {
    {"packets", trace_packets},  {"flows", trace_flows}, {"calls", trace_calls},
    {"flow", trace_flow_method}, {NULL, NULL},
};

/* All types. */

static const struct {
    const char *name;
    const struct check_field *fields;
} types[] = {
    {CHECK_TYPE_TRACE, trace_fields},     {CHECK_TYPE_FLOW, check_flow_fields},
    {CHECK_TYPE_SIDE, check_side_fields}, {CHECK_TYPE_PACKET, check_packet_fields},
    {CHECK_TYPE_CALL, check_call_fields},
};
#define TYPES (sizeof types / sizeof types[0])

const char *const check_type_names[] = {CHECK_TYPE_TRACE,  CHECK_TYPE_FLOW, CHECK_TYPE_SIDE,
                                        CHECK_TYPE_PACKET, CHECK_TYPE_CALL, NULL};

const char *check_field_name(const char *type, size_t n)
{
    for (size_t i = 0; i < TYPES; i++)
        if (strcmp(types[i].name, type) == 0)
            return types[i].fields[n].name;
    return NULL;
}

static int unknown_field(lua_State *L, const char *type, const struct check_field *fields,
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
    const struct check_proxy *proxy = luaL_checkudata(L, 1, types[type].name);
    struct checking *checking = checking_of(L, types[type].name);
    if (lua_type(L, 2) != LUA_TSTRING)
        return luaL_error(L, "a %s has named fields only, not a %s", types[type].name,
                          luaL_typename(L, 2));
    const char *name = lua_tostring(L, 2);
    for (const struct check_field *field = types[type].fields; field->name != NULL; field++) {
        if (strcmp(field->name, name) != 0)
            continue;
        if (types[type].fields == check_packet_fields)
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
    const struct check_proxy *a = lua_touserdata(L, 1), *b = lua_touserdata(L, 2);
    bool same_type = lua_getmetatable(L, 1) && lua_getmetatable(L, 2) && lua_rawequal(L, -1, -2);
    lua_pushboolean(L, same_type && a->item == b->item && a->end == b->end);
    return 1;
}

static int proxy_text(lua_State *L)
{
    const struct check_proxy *proxy = lua_touserdata(L, 1);
    if (luaL_testudata(L, 1, CHECK_TYPE_PACKET) != NULL) {
        lua_getfield(L, 1, "text");
    } else if (luaL_testudata(L, 1, CHECK_TYPE_CALL) != NULL) {
        lua_getfield(L, 1, "name");
        lua_getfield(L, 1, "arguments");
        lua_pushfstring(L, "%s(%s)", lua_tostring(L, -2), lua_tostring(L, -1));
    } else if (luaL_testudata(L, 1, CHECK_TYPE_SIDE) != NULL) {
        lua_getfield(L, 1, "role");
    } else if (luaL_testudata(L, 1, CHECK_TYPE_FLOW) != NULL) {
        lua_pushfstring(L, "flow %d", (int)proxy->item + 1);
    } else {
        lua_pushliteral(L, "the trace");
    }
    return 1;
}

static int list_get(lua_State *L)
{
    static const char *const element[] = {CHECK_TYPE_PACKET, CHECK_TYPE_CALL, CHECK_TYPE_FLOW};
    const struct check_list *list = luaL_checkudata(L, 1, CHECK_TYPE_LIST);
    checking_of(L, "the trace");
    int is_whole;
    lua_Integer n = lua_tointegerx(L, 2, &is_whole);
    if (!is_whole)
        return luaL_error(L, "a list is indexed by whole numbers, not by %s",
                          luaL_tolstring(L, 2, NULL));
    if (n < 1 || (lua_Unsigned)n > list->count)
        lua_pushnil(L);
    else
        check_push_proxy(L, element[list->kind], list->all ? (uint32_t)n - 1 : list->indices[n - 1],
                         FLOW_CLIENT);
    return 1;
}

static int list_length(lua_State *L)
{
    const struct check_list *list = luaL_checkudata(L, 1, CHECK_TYPE_LIST);
    struct checking *checking = checking_of(L, "the trace");
    for (size_t i = 0; list->kind == CHECK_LIST_PACKETS && i < list->count && i < CHECKING_NOTES;
         i++)
        check_note_packet(L, checking, list->all ? (uint32_t)i : list->indices[i]);
    lua_pushinteger(L, (lua_Integer)list->count);
    return 1;
}

static int list_text(lua_State *L)
{
    static const char *const what[] = {"packets", "calls", "flows"};
    const struct check_list *list = luaL_checkudata(L, 1, CHECK_TYPE_LIST);
    lua_pushfstring(L, "%I %s", (lua_Integer)list->count, what[list->kind]);
    return 1;
}

bool check_packet_list(lua_State *L, int index, struct packet_list *packets)
{
    const struct check_trace *trace = checking_of(L, "the trace")->trace;
    *packets = (struct packet_list){.trace = trace};
    const struct check_proxy *flow = luaL_testudata(L, index, CHECK_TYPE_FLOW);
    const struct check_list *list = luaL_testudata(L, index, CHECK_TYPE_LIST);
    if (flow != NULL) {
        packets->indices = trace->flows[flow->item].packets;
        packets->count = trace->flows[flow->item].packet_count;
    } else if (list != NULL && list->kind == CHECK_LIST_PACKETS) {
        packets->indices = list->all ? NULL : list->indices;
        packets->count = list->count;
    } else if (luaL_testudata(L, index, CHECK_TYPE_TRACE) != NULL) {
        packets->count = trace->packet_count;
    } else {
        return false;
    }
    return true;
}

void check_push_trace(lua_State *L)
{
    check_push_proxy(L, CHECK_TYPE_TRACE, 0, FLOW_CLIENT);
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
    luaL_newmetatable(L, CHECK_TYPE_MISSING);
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
    luaL_newmetatable(L, CHECK_TYPE_LIST);
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
