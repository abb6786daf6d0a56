/*
 * send, sendall, recv, recvfrom.
 */
#include "script/call.h"

#define RECEIVE_DEFAULT 65536
#define RECEIVE_LIMIT   (16 << 20)

/* The flag at index, by its name; a nil is none. */
static enum socket_flag check_flag(lua_State *L, int index)
{
    return (enum socket_flag)luaL_checkoption(L, index, "", socket_flag_names);
}

static int method_send(lua_State *L)
{
    size_t length;
    struct host_socket *socket = socket_handle_check(L, 1);
    const char *bytes = luaL_checklstring(L, 2, &length);
    enum socket_flag flag = check_flag(L, 3);
    struct task *task = script_call_begin(L, "send", CALL_WAITS);
    return script_call_end(L, socket_send_flagged(task, socket, bytes, length, flag), 0,
                           script_call_finish_number);
}

static int method_sendall(lua_State *L)
{
    size_t length;
    struct host_socket *socket = socket_handle_check(L, 1);
    const char *bytes = luaL_checklstring(L, 2, &length);
    struct task *task = script_call_begin(L, "sendall", CALL_WAITS);
    return script_call_end(L, socket_sendall(task, socket, bytes, length), 0,
                           script_call_finish_nothing);
}

static size_t check_size(lua_State *L, int index)
{
    lua_Integer size = luaL_optinteger(L, index, RECEIVE_DEFAULT);
    luaL_argcheck(L, size >= 1 && size <= RECEIVE_LIMIT, index,
                  "how many bytes at most: a whole number from 1 to 16777216");
    return (size_t)size;
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
    struct host_socket *socket = socket_handle_check(L, 1);
    size_t size = check_size(L, 2);
    enum socket_flag flag = check_flag(L, 3);
    struct task *task = script_call_begin(L, "recv", CALL_WAITS);
    return script_call_end(L, socket_recv_flagged(task, socket, size, flag), 0, finish_recv);
}

static int finish_recvfrom(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    const struct call_result *result = script_call_check(L);
    lua_pushlstring(L, (const char *)result->bytes, result->length);
    address_push_or_nil(L, &result->address);
    lua_pushinteger(L, (lua_Integer)result->datagram_length);
    return 3;
}

static int method_recvfrom(lua_State *L)
{
    struct host_socket *socket = socket_handle_check(L, 1);
    size_t size = check_size(L, 2);
    struct task *task = script_call_begin(L, "recvfrom", CALL_WAITS);
    return script_call_end(L, socket_recvfrom(task, socket, size), 0, finish_recvfrom);
}

void socket_data_register(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"send", method_send}, {"sendall", method_sendall},
        {"recv", method_recv}, {"recvfrom", method_recvfrom},
        {NULL, NULL},
    };
    luaL_setfuncs(L, methods, 0);
}
