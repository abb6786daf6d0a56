/*
 * Sockets as values. A handle lets go of its host socket when it is collected, or when the last
 * task of the script has ended; then the host closes what is still open.
 */
#include <string.h>

#include "script/call.h"
#include "script/socket_addressed.h"

#define TYPE_NAME "socket"

void socket_handle_push(lua_State *L, struct host_socket *socket)
{
    struct script *script = script_of(L);
    struct socket_handle *handle = lua_newuserdatauv(L, sizeof *handle, 0);
    *handle = (struct socket_handle){.socket = socket, .script = script, .next = script->handles};
    if (script->handles != NULL)
        script->handles->previous = handle;
    script->handles = handle;
    luaL_setmetatable(L, TYPE_NAME);
}

void socket_handle_release(struct socket_handle *handle)
{
    if (handle->socket == NULL)
        return;
    socket_release(handle->socket);
    handle->socket = NULL;
    if (handle->previous != NULL)
        handle->previous->next = handle->next;
    else
        handle->script->handles = handle->next;
    if (handle->next != NULL)
        handle->next->previous = handle->previous;
    handle->previous = handle->next = NULL;
}

void socket_handle_release_all(struct script *script)
{
    while (script->handles != NULL)
        socket_handle_release(script->handles);
}

struct host_socket *socket_handle_check(lua_State *L, int index)
{
    struct socket_handle *handle = luaL_checkudata(L, index, TYPE_NAME);
    if (handle->socket == NULL)
        luaL_argerror(L, index, "this socket is gone; its exchange is over");
    return handle->socket;
}

static int collect(lua_State *L)
{
    socket_handle_release(luaL_checkudata(L, 1, TYPE_NAME));
    return 0;
}

/* local conn <close> = …: closed at the end of its block, however that is left. */
static int close_variable(lua_State *L)
{
    struct socket_handle *handle = luaL_checkudata(L, 1, TYPE_NAME);
    if (handle->socket == NULL || script_of(L)->current == NULL || script_of(L)->stopped ||
        !socket_is_open(handle->socket))
        return 0;
    struct task *task = script_call_begin(L, "close", CALL_AT_ONCE);
    return script_call_end(L, socket_close(task, handle->socket), 0, script_call_finish_nothing);
}

static int to_string(lua_State *L)
{
    struct socket_handle *handle = luaL_checkudata(L, 1, TYPE_NAME);
    if (handle->socket == NULL) {
        lua_pushliteral(L, "socket (gone)");
        return 1;
    }
    lua_pushfstring(
        L, "%s socket %d%s", socket_transport(handle->socket) == TRACE_TCP ? "tcp" : "udp",
        (int)socket_number(handle->socket), socket_is_open(handle->socket) ? "" : " (closed)");
    return 1;
}

static int concatenate(lua_State *L)
{
    luaL_tolstring(L, 1, NULL);
    luaL_tolstring(L, 2, NULL);
    lua_concat(L, 2);
    return 1;
}

void socket_handle_open(lua_State *L)
{
    static const luaL_Reg metamethods[] = {
        {"__gc", collect},
        {"__close", close_variable},
        {"__tostring", to_string},
        {"__concat", concatenate},
        {NULL, NULL},
    };
    luaL_newmetatable(L, TYPE_NAME);
    luaL_setfuncs(L, metamethods, 0);
    lua_newtable(L);
    socket_methods_register(L);
    socket_data_register(L);
    socket_addressed_register(L);
    names_make_strict(L, "a socket");
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}
