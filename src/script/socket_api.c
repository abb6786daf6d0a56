/*
 * The global table socket.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "script/call.h"
#include "script/seconds.h"
#include "script/socket_addressed.h"

static int finish_open(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    socket_handle_push(L, script_call_check(L)->socket);
    return 1;
}

static int open_socket(lua_State *L, enum trace_transport transport, const char *name)
{
    lua_Integer family = luaL_optinteger(L, 1, 4);
    luaL_argcheck(L, family == 4 || family == 6, 1, "the family is 4 or 6, for IPv4 or IPv6");
    struct task *task = script_call_begin(L, name, CALL_AT_ONCE);
    return script_call_end(L, socket_open(task, (int)family, transport), 0, finish_open);
}

static int open_tcp(lua_State *L)
{
    return open_socket(L, TRACE_TCP, "socket.tcp");
}

static int open_udp(lua_State *L)
{
    return open_socket(L, TRACE_UDP, "socket.udp");
}

static int get_host_name(lua_State *L)
{
    char name[256];
    if (gethostname(name, sizeof name) < 0)
        return luaL_error(L, "socket.gethostname: %s", strerror(errno));
    name[sizeof name - 1] = '\0';
    lua_pushstring(L, name);
    return 1;
}

static int make_address(lua_State *L)
{
    struct address_argument argument;
    address_check(L, 1, &argument);
    if (argument.address.family == 0)
        return luaL_error(L, "socket.address: '%s' is no IPv4 or IPv6 address", argument.name);
    address_push(L, &argument.address);
    return 1;
}

void socket_api_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"tcp", open_tcp},
        {"udp", open_udp},
        {"connect", socket_connect_to},
        {"listen", socket_listen_at},
        {"select", select_sockets},
        {"gethostname", get_host_name},
        {"address", make_address},
        {NULL, NULL},
    };
    luaL_newlib(L, functions);
    names_make_strict(L, "socket");
    /* Lua finds the names for "bad argument #1 to 'socket.tcp'" among the loaded modules. */
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "socket");
    lua_pop(L, 1);
    lua_setglobal(L, "socket");
}
