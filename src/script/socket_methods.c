/*
 * The methods of a socket that move no bytes and take no address.
 */
#include <errno.h>
#include <string.h>

#include "script/call.h"
#include "script/names.h"
#include "script/seconds.h"
#include "script/socket_addressed.h"
#include "support/tcp_state.h"

static int method_listen(lua_State *L)
{
    struct host_socket *socket = socket_handle_check(L, 1);
    lua_Integer backlog = luaL_optinteger(L, 2, LISTEN_DEFAULT_BACKLOG);
    luaL_argcheck(L, backlog >= 0 && backlog <= INT32_MAX, 2, "a backlog is a whole number from 0");
    struct task *task = script_call_begin(L, "listen", CALL_AT_ONCE);
    return script_call_end(L, socket_listen(task, socket, (int)backlog), 0,
                           script_call_finish_nothing);
}

static int finish_accept(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    const struct call_result *result = script_call_check(L);
    socket_handle_push(L, result->socket);
    address_push_or_nil(L, &result->address);
    return 2;
}

static int method_accept(lua_State *L)
{
    struct host_socket *socket = socket_handle_check(L, 1);
    struct task *task = script_call_begin(L, "accept", CALL_WAITS);
    return script_call_end(L, socket_accept(task, socket), 0, finish_accept);
}

static int method_close(lua_State *L)
{
    struct host_socket *socket = socket_handle_check(L, 1);
    if (!socket_is_open(socket))
        return 0;
    struct task *task = script_call_begin(L, "close", CALL_AT_ONCE);
    return script_call_end(L, socket_close(task, socket), 0, script_call_finish_nothing);
}

static int method_reset(lua_State *L)
{
    struct host_socket *socket = socket_handle_check(L, 1);
    if (!socket_is_open(socket))
        return 0;
    struct task *task = script_call_begin(L, "reset", CALL_AT_ONCE);
    return script_call_end(L, socket_reset(task, socket), 0, script_call_finish_nothing);
}

static int method_shutdown(lua_State *L)
{
    static const char *const names[] = {"read", "write", "both", NULL};
    static const enum socket_shutdown hows[] = {SHUTDOWN_READ, SHUTDOWN_WRITE, SHUTDOWN_BOTH};
    struct host_socket *socket = socket_handle_check(L, 1);
    enum socket_shutdown how = hows[luaL_checkoption(L, 2, NULL, names)];
    struct task *task = script_call_begin(L, "shutdown", CALL_AT_ONCE);
    return script_call_end(L, socket_shutdown(task, socket, how), 0, script_call_finish_nothing);
}

static int finish_address(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    address_push_or_nil(L, &script_call_check(L)->address);
    return 1;
}

static int method_getsockname(lua_State *L)
{
    struct host_socket *socket = socket_handle_check(L, 1);
    struct task *task = script_call_begin(L, "getsockname", CALL_AT_ONCE);
    return script_call_end(L, socket_getsockname(task, socket), 0, finish_address);
}

static int method_getpeername(lua_State *L)
{
    struct host_socket *socket = socket_handle_check(L, 1);
    struct task *task = script_call_begin(L, "getpeername", CALL_AT_ONCE);
    return script_call_end(L, socket_getpeername(task, socket), 0, finish_address);
}

static int method_settimeout(lua_State *L)
{
    struct host_socket *socket = socket_handle_check(L, 1);
    luaL_checkany(L, 2);
    socket_set_timeout(socket, seconds_or_forever(L, 2));
    return 0;
}

static int method_setblocking(lua_State *L)
{
    struct host_socket *socket = socket_handle_check(L, 1);
    luaL_checktype(L, 2, LUA_TBOOLEAN);
    socket_set_timeout(socket, lua_toboolean(L, 2) ? -1 : 0);
    return 0;
}

/* The name of an option that exists; else an error that says which one was meant. */
static const char *check_option(lua_State *L, int index)
{
    const char *name = luaL_checkstring(L, index);
    struct names_search search = names_search_for(name);
    for (const char *const *known = socket_option_names(); *known != NULL; known++) {
        if (strcmp(*known, name) == 0)
            return *known;
        names_offer(&search, *known);
    }
    if (search.nearest != NULL)
        luaL_error(L, "no socket option is called %s; did you mean %s?", name, search.nearest);
    luaL_error(L, "no socket option is called %s", name);
    return NULL;
}

static int method_setoption(lua_State *L)
{
    struct host_socket *socket = socket_handle_check(L, 1);
    const char *name = check_option(L, 2);
    lua_Integer value = lua_isboolean(L, 3) ? lua_toboolean(L, 3) : luaL_checkinteger(L, 3);
    struct task *task = script_call_begin(L, "setoption", CALL_AT_ONCE);
    return script_call_end(L, socket_setoption(task, socket, name, value), 0,
                           script_call_finish_nothing);
}

static int method_getoption(lua_State *L)
{
    struct host_socket *socket = socket_handle_check(L, 1);
    const char *name = check_option(L, 2);
    struct task *task = script_call_begin(L, "getoption", CALL_AT_ONCE);
    return script_call_end(L, socket_getoption(task, socket, name), 0, script_call_finish_number);
}

static void set_number(lua_State *L, const char *name, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

static void set_switch(lua_State *L, const char *name, bool value)
{
    lua_pushboolean(L, value);
    lua_setfield(L, -2, name);
}

static void push_info(lua_State *L, const struct socket_info *info)
{
    lua_createtable(L, 0, 25);
    lua_pushstring(L, tcp_state_name((enum tcp_state)info->state));
    lua_setfield(L, -2, "state");
    set_number(L, "rtt_us", info->rtt_us);
    set_number(L, "rtt_variance_us", info->rtt_variance_us);
    set_number(L, "rto_us", info->rto_us);
    set_number(L, "retransmits", info->retransmits);
    set_number(L, "mss_send", info->mss_send);
    set_number(L, "mss_receive", info->mss_receive);
    set_number(L, "path_mtu", info->path_mtu);
    set_number(L, "congestion_window", info->congestion_window);
    set_number(L, "slow_start_threshold", info->slow_start_threshold);
    set_number(L, "unacked", info->unacked);
    set_number(L, "send_window", info->send_window);
    set_number(L, "window_scale_send", info->window_scale_send);
    set_number(L, "window_scale_receive", info->window_scale_receive);
    set_switch(L, "timestamps", info->timestamps);
    set_switch(L, "sack", info->sack);
    set_switch(L, "window_scaling", info->window_scaling);
    set_switch(L, "ecn", info->ecn);
    set_number(L, "bytes_acked", info->bytes_acked);
    set_number(L, "bytes_received", info->bytes_received);
    set_number(L, "bytes_sent", info->bytes_sent);
    set_number(L, "bytes_retransmitted", info->bytes_retransmitted);
    set_number(L, "segments_out", info->segments_out);
    set_number(L, "segments_in", info->segments_in);
}

static int method_info(lua_State *L)
{
    struct socket_info info;
    struct host_socket *socket = socket_handle_check(L, 1);
    if (!socket_info(socket, &info))
        return luaL_error(L, "info: the kernel says nothing about this socket: %s",
                          strerror(errno));
    push_info(L, &info);
    return 1;
}

void socket_methods_register(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"accept", method_accept},
        {"close", method_close},
        {"getoption", method_getoption},
        {"getpeername", method_getpeername},
        {"getsockname", method_getsockname},
        {"info", method_info},
        {"listen", method_listen},
        {"reset", method_reset},
        {"setblocking", method_setblocking},
        {"setoption", method_setoption},
        {"settimeout", method_settimeout},
        {"shutdown", method_shutdown},
        {NULL, NULL},
    };
    luaL_setfuncs(L, methods, 0);
}
