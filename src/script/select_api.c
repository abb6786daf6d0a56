/*
 * socket.select(read, write, timeout): two lists of sockets in, the same two of the ready ones out.
 * Stack while it waits: 1 and 2 the lists, 3 the time-out, 4 the host's arrays.
 */
#include "script/call.h"
#include "script/seconds.h"

enum { READ = 1, WRITE, TIMEOUT };

#define SELECT_LIMIT 65536

struct selection {
    struct socket_wait wait;
    struct host_socket *sockets[];
};

/* Puts a copy in the place of the list, for the script may change its own while it waits. */
static size_t take_list(lua_State *L, int index)
{
    lua_Unsigned length = 0;
    if (!lua_isnil(L, index)) {
        luaL_checktype(L, index, LUA_TTABLE);
        length = lua_rawlen(L, index);
    }
    luaL_argcheck(L, length <= SELECT_LIMIT, index, "too many sockets");
    lua_createtable(L, (int)length, 0);
    for (lua_Integer i = 1; i <= (lua_Integer)length; i++) {
        lua_rawgeti(L, index, i);
        if (luaL_testudata(L, -1, "socket") == NULL)
            luaL_error(L, "socket.select: element %I of the %s list is a %s, not a socket", i,
                       index == READ ? "read" : "write", luaL_typename(L, -1));
        lua_rawseti(L, -2, i);
    }
    lua_replace(L, index);
    return (size_t)length;
}

static void fill(lua_State *L, int index, struct host_socket **sockets, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, index, (lua_Integer)i + 1);
        sockets[i] = socket_handle_check(L, -1);
        lua_pop(L, 1);
    }
}

static void push_ready(lua_State *L, int index)
{
    lua_Integer ready = 0;
    lua_Integer count = (lua_Integer)lua_rawlen(L, index);
    lua_newtable(L);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, index, i);
        if (socket_is_selected(socket_handle_check(L, -1), index == WRITE))
            lua_rawseti(L, -2, ++ready);
        else
            lua_pop(L, 1);
    }
}

static int finish_select(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    script_call_check(L);
    push_ready(L, READ);
    push_ready(L, WRITE);
    return 2;
}

int select_sockets(lua_State *L)
{
    lua_settop(L, TIMEOUT);
    size_t reads = take_list(L, READ), writes = take_list(L, WRITE);
    int64_t timeout = seconds_or_forever(L, TIMEOUT);
    size_t size = sizeof(struct selection) + (reads + writes) * sizeof(struct host_socket *);
    struct selection *selection = lua_newuserdatauv(L, size, 0);
    selection->wait = (struct socket_wait){.read = selection->sockets,
                                           .read_count = reads,
                                           .write = selection->sockets + reads,
                                           .write_count = writes};
    fill(L, READ, selection->wait.read, reads);
    fill(L, WRITE, selection->wait.write, writes);
    struct task *task = script_call_begin(L, "socket.select", CALL_WAITS);
    return script_call_end(L, socket_select(task, &selection->wait, timeout), 0, finish_select);
}
