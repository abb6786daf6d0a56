/*
 * TLS streams as values: a userdata whose user value is its socket's.
 */
#include "script/tls_api.h"

#define TYPE_NAME "tls stream"

#define RECEIVE_DEFAULT 65536
#define RECEIVE_LIMIT   (16 << 20)

void tls_handle_push(lua_State *L, int index)
{
    lua_newuserdatauv(L, 0, 1);
    lua_pushvalue(L, index);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, TYPE_NAME);
}

static struct host_socket *check(lua_State *L)
{
    luaL_checkudata(L, 1, TYPE_NAME);
    lua_getiuservalue(L, 1, 1);
    struct host_socket *socket = socket_handle_check(L, -1);
    lua_pop(L, 1); /* the stream keeps it */
    return socket;
}

static int method_handshake(lua_State *L)
{
    struct host_socket *socket = check(L);
    struct tls_info info;
    if (tls_info(socket, &info) && info.established)
        return 0;
    struct task *task = script_call_begin(L, "tls.handshake", CALL_WAITS);
    return script_call_end(L, tls_handshake(task, socket, "tls.handshake"), 0,
                           script_call_finish_nothing);
}

static int method_send(lua_State *L)
{
    size_t length;
    struct host_socket *socket = check(L);
    const char *bytes = luaL_checklstring(L, 2, &length);
    struct task *task = script_call_begin(L, "tls.send", CALL_WAITS);
    return script_call_end(L, tls_send(task, socket, bytes, length), 0, script_call_finish_number);
}

static int method_sendall(lua_State *L)
{
    size_t length;
    struct host_socket *socket = check(L);
    const char *bytes = luaL_checklstring(L, 2, &length);
    struct task *task = script_call_begin(L, "tls.sendall", CALL_WAITS);
    return script_call_end(L, tls_sendall(task, socket, bytes, length), 0,
                           script_call_finish_nothing);
}

static int finish_recv(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    const struct call_result *result = script_call_check(L);
    if (result->end_of_stream)
        lua_pushnil(L);
    else
        lua_pushlstring(L, (const char *)result->bytes, result->length);
    return 1;
}

static int method_recv(lua_State *L)
{
    struct host_socket *socket = check(L);
    lua_Integer size = luaL_optinteger(L, 2, RECEIVE_DEFAULT);
    luaL_argcheck(L, size >= 1 && size <= RECEIVE_LIMIT, 2,
                  "how many bytes at most: a whole number from 1 to 16777216");
    struct task *task = script_call_begin(L, "tls.recv", CALL_WAITS);
    return script_call_end(L, tls_recv(task, socket, (size_t)size), 0, finish_recv);
}

static int method_close(lua_State *L)
{
    struct host_socket *socket = check(L);
    if (!socket_is_open(socket))
        return 0;
    struct task *task = script_call_begin(L, "tls.close", CALL_WAITS);
    return script_call_end(L, tls_close(task, socket), 0, script_call_finish_nothing);
}

/* local secure <close> = …; where Lua cannot wait, the socket is closed without a goodbye. */
static int close_variable(lua_State *L)
{
    luaL_checkudata(L, 1, TYPE_NAME);
    if (script_of(L)->current == NULL || script_of(L)->stopped)
        return 0;
    struct host_socket *socket = check(L);
    if (!socket_is_open(socket))
        return 0;
    if (lua_isyieldable(L) && script_of(L)->barriers == 0)
        return method_close(L);
    struct task *task = script_call_begin(L, "close", CALL_AT_ONCE);
    return script_call_end(L, socket_close(task, socket), 0, script_call_finish_nothing);
}

static void set_text(lua_State *L, const char *name, const char *text)
{
    if (text[0] == '\0')
        return;
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

static int method_info(lua_State *L)
{
    struct tls_info info;
    struct host_socket *socket = check(L);
    if (!tls_info(socket, &info) || !info.established)
        return luaL_error(L, "info: there is no TLS on this socket %s",
                          socket_is_open(socket) ? "before the handshake" : "any more");
    lua_createtable(L, 0, 6);
    set_text(L, "version", info.version);
    set_text(L, "cipher", info.cipher);
    set_text(L, "alpn", info.alpn);
    set_text(L, "subject", info.subject);
    set_text(L, "issuer", info.issuer);
    lua_pushboolean(L, info.verified);
    lua_setfield(L, -2, "verified");
    return 1;
}

static int to_string(lua_State *L)
{
    luaL_checkudata(L, 1, TYPE_NAME);
    lua_getiuservalue(L, 1, 1);
    lua_pushfstring(L, "tls over %s", luaL_tolstring(L, -1, NULL));
    return 1;
}

static int concatenate(lua_State *L)
{
    luaL_tolstring(L, 1, NULL);
    luaL_tolstring(L, 2, NULL);
    lua_concat(L, 2);
    return 1;
}

void tls_handle_open(lua_State *L)
{
    static const luaL_Reg metamethods[] = {
        {"__close", close_variable},
        {"__tostring", to_string},
        {"__concat", concatenate},
        {NULL, NULL},
    };
    static const luaL_Reg methods[] = {
        {"handshake", method_handshake},
        {"send", method_send},
        {"sendall", method_sendall},
        {"recv", method_recv},
        {"close", method_close},
        {"info", method_info},
        {NULL, NULL},
    };
    luaL_newmetatable(L, TYPE_NAME);
    luaL_setfuncs(L, metamethods, 0);
    luaL_newlib(L, methods);
    names_make_strict(L, "a TLS stream");
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}
