/*
 * The calls that take an address, which may be a name: bind, connect, sendto, lab.ready and
 * socket.connect. A name is looked up first, in a call of its own.
 */
#include <errno.h>
#include <string.h>

#include "script/call.h"
#include "script/socket_addressed.h"

enum action { ACTION_BIND, ACTION_CONNECT, ACTION_SENDTO, ACTION_READY };

/* Stack: 1 the socket, 2 the bytes for sendto, the address on top. */
static int act(lua_State *L, enum action action)
{
    const struct address *address = address_test(L, -1);
    struct task *task;
    size_t length;
    const char *bytes;
    switch (action) {
    case ACTION_BIND:
        task = script_call_begin(L, "bind", CALL_AT_ONCE);
        return script_call_end(L, socket_bind(task, socket_handle_check(L, 1), address), 0,
                               script_call_finish_nothing);
    case ACTION_CONNECT:
        task = script_call_begin(L, "connect", CALL_WAITS);
        return script_call_end(L, socket_connect(task, socket_handle_check(L, 1), address), 0,
                               script_call_finish_nothing);
    case ACTION_SENDTO:
        task = script_call_begin(L, "sendto", CALL_WAITS);
        bytes = lua_tolstring(L, 2, &length);
        return script_call_end(
            L, socket_sendto(task, socket_handle_check(L, 1), bytes, length, address), 0,
            script_call_finish_number);
    case ACTION_READY:
        task = script_call_begin(L, "lab.ready", CALL_AT_ONCE);
        host_ready(task_host(task), address);
        return 0;
    }
    return 0;
}

/* Pushes the first address found that a socket of this family can use, else the very first; the
 * kernel then says what is wrong with it. */
static void push_found(lua_State *L, int family)
{
    size_t count = (size_t)script_call_check(L)->value;
    const struct address *found = task_addresses(script_of(L)->current->task);
    size_t chosen = 0;
    for (size_t i = 0; i < count; i++) {
        if (found[i].family == family) {
            chosen = i;
            break;
        }
    }
    address_push(L, &found[chosen]);
}

static int looked_up(lua_State *L, int status, lua_KContext action)
{
    (void)status;
    push_found(L, action == ACTION_READY ? 0 : socket_family(socket_handle_check(L, 1)));
    return act(L, (enum action)action);
}

static int with_address(lua_State *L, int index, enum action action)
{
    struct address_argument argument;
    address_check(L, index, &argument);
    if (argument.address.family != 0) {
        address_push(L, &argument.address);
        return act(L, action);
    }
    struct task *task = script_call_begin(L, "looking a name up", CALL_WAITS);
    return script_call_end(L, host_resolve(task, argument.name, argument.port), action, looked_up);
}

static int method_bind(lua_State *L)
{
    socket_handle_check(L, 1);
    return with_address(L, 2, ACTION_BIND);
}

static int method_connect(lua_State *L)
{
    socket_handle_check(L, 1);
    return with_address(L, 2, ACTION_CONNECT);
}

static int method_sendto(lua_State *L)
{
    socket_handle_check(L, 1);
    luaL_checklstring(L, 2, NULL);
    return with_address(L, 3, ACTION_SENDTO);
}

int lab_ready(lua_State *L)
{
    return with_address(L, 1, ACTION_READY);
}

void socket_addressed_register(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"bind", method_bind},
        {"connect", method_connect},
        {"sendto", method_sendto},
        {NULL, NULL},
    };
    luaL_setfuncs(L, methods, 0);
}

/*
 * socket.connect(address): a socket, connected. Of a name's addresses the first that answers is
 * taken, as a browser does it. Stack once the addresses are known: ADDRESSES, the number of the
 * address that is tried, its socket, the error of the one before.
 */
enum { ADDRESSES = 1, AT, SOCKET, ERROR };

struct addresses {
    size_t count;
    struct address list[];
};

static int try_address(lua_State *L);

static int gave_up(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    struct addresses *addresses = lua_touserdata(L, ADDRESSES);
    lua_Integer at = lua_tointeger(L, AT) + 1;
    if ((size_t)at == addresses->count) {
        lua_settop(L, ERROR);
        return lua_error(L);
    }
    lua_pushinteger(L, at);
    lua_replace(L, AT);
    return try_address(L);
}

static int connected(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    const struct call_result *result = script_call_result(L);
    lua_settop(L, SOCKET);
    if (result->error == 0)
        return 1;
    error_object_push(L, result, script_site_of(L, 1));
    struct task *task = script_call_begin(L, "close", CALL_AT_ONCE);
    return script_call_end(L, socket_close(task, socket_handle_check(L, SOCKET)), 0, gave_up);
}

static int opened(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    struct addresses *addresses = lua_touserdata(L, ADDRESSES);
    lua_settop(L, AT);
    socket_handle_push(L, script_call_check(L)->socket);
    struct task *task = script_call_begin(L, "connect", CALL_WAITS);
    return script_call_end(L,
                           socket_connect(task, socket_handle_check(L, SOCKET),
                                          &addresses->list[lua_tointeger(L, AT)]),
                           0, connected);
}

static int try_address(lua_State *L)
{
    struct addresses *addresses = lua_touserdata(L, ADDRESSES);
    struct task *task = script_call_begin(L, "socket.connect", CALL_WAITS);
    int family = addresses->list[lua_tointeger(L, AT)].family;
    return script_call_end(L, socket_open(task, family, TRACE_TCP), 0, opened);
}

static int try_all(lua_State *L, const struct address *list, size_t count)
{
    size_t size = sizeof(struct addresses) + count * sizeof *list;
    struct addresses *addresses = lua_newuserdatauv(L, size, 0);
    addresses->count = count;
    memcpy(addresses->list, list, count * sizeof *list);
    lua_replace(L, ADDRESSES);
    lua_settop(L, ADDRESSES);
    lua_pushinteger(L, 0);
    return try_address(L);
}

static int all_looked_up(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    size_t count = (size_t)script_call_check(L)->value;
    return try_all(L, task_addresses(script_of(L)->current->task), count);
}

int socket_connect_to(lua_State *L)
{
    struct address_argument argument;
    address_check(L, 1, &argument);
    if (argument.address.family != 0)
        return try_all(L, &argument.address, 1);
    struct task *task = script_call_begin(L, "socket.connect", CALL_WAITS);
    return script_call_end(L, host_resolve(task, argument.name, argument.port), 0, all_looked_up);
}

/*
 * socket.listen(address, backlog): a listening socket, its address free to use again at once.
 * Stack once the address is known: LISTEN_ADDRESS, LISTEN_BACKLOG, LISTEN_SOCKET.
 */
enum { LISTEN_ADDRESS = 1, LISTEN_BACKLOG, LISTEN_SOCKET };
enum listen_stage { LISTEN_OPENED, LISTEN_SET, LISTEN_BOUND, LISTEN_DONE };

static int listen_next(lua_State *L, int status, lua_KContext stage);

static int listen_start(lua_State *L)
{
    struct task *task = script_call_begin(L, "socket.listen", CALL_AT_ONCE);
    int family = address_test(L, LISTEN_ADDRESS)->family;
    return script_call_end(L, socket_open(task, family, TRACE_TCP), LISTEN_OPENED, listen_next);
}

static int listen_next(lua_State *L, int status, lua_KContext stage)
{
    (void)status;
    const struct call_result *result = script_call_check(L);
    if (stage == LISTEN_OPENED)
        socket_handle_push(L, result->socket);
    struct host_socket *socket = socket_handle_check(L, LISTEN_SOCKET);
    struct task *task = script_call_begin(L, "socket.listen", CALL_AT_ONCE);
    switch ((enum listen_stage)stage) {
    case LISTEN_OPENED:
        return script_call_end(L, socket_setoption(task, socket, "SO_REUSEADDR", 1), LISTEN_SET,
                               listen_next);
    case LISTEN_SET:
        return script_call_end(L, socket_bind(task, socket, address_test(L, LISTEN_ADDRESS)),
                               LISTEN_BOUND, listen_next);
    case LISTEN_BOUND:
        return script_call_end(L,
                               socket_listen(task, socket, (int)lua_tointeger(L, LISTEN_BACKLOG)),
                               LISTEN_DONE, listen_next);
    case LISTEN_DONE:
        break;
    }
    lua_settop(L, LISTEN_SOCKET);
    return 1;
}

static int listen_looked_up(lua_State *L, int status, lua_KContext backlog)
{
    (void)status;
    push_found(L, 4);
    lua_replace(L, LISTEN_ADDRESS);
    lua_settop(L, LISTEN_ADDRESS);
    lua_pushinteger(L, backlog);
    return listen_start(L);
}

int socket_listen_at(lua_State *L)
{
    struct address_argument argument;
    lua_settop(L, 3); /* what address_check may push is no backlog */
    address_check(L, 1, &argument);
    lua_Integer backlog = luaL_optinteger(L, argument.next, LISTEN_DEFAULT_BACKLOG);
    luaL_argcheck(L, backlog >= 0 && backlog <= INT32_MAX, argument.next,
                  "a backlog is a whole number from 0");
    if (argument.address.family == 0) {
        struct task *task = script_call_begin(L, "socket.listen", CALL_WAITS);
        return script_call_end(L, host_resolve(task, argument.name, argument.port), backlog,
                               listen_looked_up);
    }
    address_push(L, &argument.address);
    lua_replace(L, LISTEN_ADDRESS);
    lua_settop(L, LISTEN_ADDRESS);
    lua_pushinteger(L, backlog);
    return listen_start(L);
}
