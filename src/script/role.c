/*
 * How the roles begin: the server with its listener, the clients with the server's address.
 */
#include "script/role.h"

#include <stdio.h>
#include <string.h>

#include "script/call.h"
#include "script/input.h"
#include "script/lab.h"
#include "script/socket_addressed.h"
#include "script/task.h"

/*
 * The server's first task. Stack: SERVE, the function to go on with, and ARGUMENT, its second
 * argument (lab.reply); the host's own calls, which have no line of the script, make LISTENER.
 */
enum { SERVE = 1, ARGUMENT, LISTENER };
enum stage { STAGE_OPENED, STAGE_SET, STAGE_BOUND, STAGE_LISTENING, STAGE_NAMED, STAGE_ENDED };

static int server_next(lua_State *L, int status, lua_KContext stage);

static struct task *own_task(lua_State *L)
{
    struct task *task = script_of(L)->current->task;
    task_set_site(task, "", SCRIPT_LINE_NONE);
    return task;
}

static int serve(lua_State *L)
{
    lua_settop(L, LISTENER);
    lua_pushvalue(L, SERVE);
    lua_pushvalue(L, LISTENER);
    lua_pushvalue(L, ARGUMENT);
    lua_callk(L, 2, 0, STAGE_ENDED, server_next);
    return 0;
}

static void check_own_call(lua_State *L)
{
    const struct call_result *result = script_call_result(L);
    if (result->error == 0)
        return;
    struct script *script = script_of(L);
    error_object_push(L, result, (struct script_site){script->lab.file, script->port_line});
    lua_error(L);
}

/*
 * lab.reply hears of a client that vanished only by asking: what it sends never comes to that. So
 * in serve the kernel asks, when a client was silent for a minute; after a minute more without an
 * answer its connection has failed. Connections inherit this from the listener. A lab.server does
 * as its script says.
 */
static void notice_who_vanishes(lua_State *L, struct host_socket *listener)
{
    static const struct {
        const char *name;
        int value;
    } options[] = {
        {"SO_KEEPALIVE", 1}, {"TCP_KEEPIDLE", 60}, {"TCP_KEEPINTVL", 10}, {"TCP_KEEPCNT", 6}};
    const struct script *script = script_of(L);
    if (script->run.parties != SCRIPT_SERVERS || lua_isnil(L, ARGUMENT))
        return;
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        socket_setoption(own_task(L), listener, options[i].name, options[i].value);
        check_own_call(L);
    }
}

static int server_next(lua_State *L, int status, lua_KContext stage)
{
    (void)status;
    if (stage == STAGE_ENDED)
        return 0;
    struct script *script = script_of(L);
    check_own_call(L);
    if (stage == STAGE_OPENED)
        socket_handle_push(L, script_call_result(L)->socket);
    struct host_socket *listener = socket_handle_check(L, LISTENER);
    struct task *task = own_task(L);
    switch ((enum stage)stage) {
    case STAGE_OPENED:
        return script_call_end(L, socket_setoption(task, listener, "SO_REUSEADDR", 1), STAGE_SET,
                               server_next);
    case STAGE_SET:
        notice_who_vanishes(L, listener);
        return script_call_end(L, socket_bind(task, listener, &script->run.address), STAGE_BOUND,
                               server_next);
    case STAGE_BOUND:
        return script_call_end(L, socket_listen(task, listener, LISTEN_DEFAULT_BACKLOG),
                               STAGE_LISTENING, server_next);
    case STAGE_LISTENING:
        if (script->run.address.port != 0)
            break;
        return script_call_end(L, socket_getsockname(task, listener), STAGE_NAMED, server_next);
    case STAGE_NAMED: /* the kernel chose the port: only now clients can know it */
        host_will_be_at(task_host(task), &script_call_result(L)->address);
        break;
    case STAGE_ENDED:
        break;
    }
    return serve(L);
}

static int server_main(lua_State *L)
{
    task_say_early(L);
    struct script *script = script_of(L);
    if (!script->lab.has_port || script->run.address.family == 0)
        return serve(L);
    struct task *task = own_task(L);
    return script_call_end(L, socket_open(task, script->run.address.family, TRACE_TCP),
                           STAGE_OPENED, server_next);
}

/* A client's task. Stack: 1 its function. done: how often that has run. */
static int client_next(lua_State *L, int status, lua_KContext done)
{
    (void)status;
    struct script *script = script_of(L);
    script->runs_done += done > 0;
    for (unsigned repeat = (unsigned)done; repeat < script->run.repeats; repeat++) {
        struct task *task = script->current->task;
        struct address address = host_ready_address(task_host(task));
        input_begin_anew(L, task_role(task));
        lua_settop(L, 1);
        lua_pushvalue(L, 1);
        address_push_or_nil(L, address.family != 0 ? &address : &script->run.address);
        lua_callk(L, 1, 0, (lua_KContext)repeat + 1, client_next);
        script->runs_done++;
    }
    return 0;
}

static int client_main(lua_State *L)
{
    task_say_early(L);
    return client_next(L, LUA_OK, 0);
}

static struct role *add_role(lua_State *L, struct host *host, enum trace_role_kind kind,
                             const char *name)
{
    struct role *role = host_add_role(host, kind, name);
    if (role == NULL)
        luaL_error(L, "out of memory");
    return role;
}

static void start_server(lua_State *L, struct host *host)
{
    struct role *role = add_role(L, host, TRACE_ROLE_SERVER, "server");
    input_give_answers(L, role, "server");
    lua_pushcfunction(L, server_main);
    lab_push(L, "reply");
    if (lua_isnil(L, -1)) {
        lab_push(L, "server");
        lua_insert(L, -2);
        task_spawn(L, role, "server", 2);
        return;
    }
    lua_pushcfunction(L, reply_serve);
    lua_insert(L, -2);
    task_spawn(L, role, "reply", 2);
}

/* The client's function is on top, and popped. name lives as long as the script. */
static void start_client(lua_State *L, struct host *host, const char *name)
{
    unsigned copies = script_of(L)->run.client_copies;
    script_of(L)->runs += (uint64_t)copies * script_of(L)->run.repeats;
    for (unsigned copy = 1; copy <= copies; copy++) {
        char role_name[64];
        if (copies == 1)
            snprintf(role_name, sizeof role_name, "%s", name);
        else
            snprintf(role_name, sizeof role_name, "%s-%u", name, copy);
        struct role *role = add_role(L, host, TRACE_ROLE_CLIENT, role_name);
        input_give_answers(L, role, name);
        lua_pushcfunction(L, client_main);
        lua_pushvalue(L, -2);
        task_spawn(L, role, name, 1);
    }
    lua_pop(L, 1);
}

/* Keeps a string for good, so that tracebacks can name it. */
static const char *keep(lua_State *L, int index)
{
    lua_pushvalue(L, index);
    lua_rawsetp(L, LUA_REGISTRYINDEX, lua_tostring(L, index));
    return lua_tostring(L, index);
}

static void start_clients(lua_State *L, struct host *host)
{
    lab_push(L, "client");
    if (lua_isnil(L, -1))
        lua_pop(L, 1);
    else
        start_client(L, host, "client");
    lab_push_client_names(L);
    int names = lua_gettop(L);
    lua_Integer count = (lua_Integer)lua_rawlen(L, names);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, names, i);
        const char *name = keep(L, -1);
        lab_push(L, "clients");
        lua_getfield(L, -1, name);
        start_client(L, host, name);
        lua_settop(L, names);
    }
}

int roles_start(lua_State *L)
{
    struct script *script = script_of(L);
    struct host *host = lua_touserdata(L, 1);
    bool servers = script->lab.has_server && (script->run.parties & SCRIPT_SERVERS);
    bool clients = script->lab.has_clients && (script->run.parties & SCRIPT_CLIENTS);
    if (!servers && !clients)
        return luaL_error(L, "%s defines no %s role", script->lab.file,
                          script->run.parties == SCRIPT_SERVERS ? "server" : "client");
    if (script->message != NULL)
        lab_set_text(L, "message", script->message);
    if (script->run.host != NULL)
        lab_set_text(L, "host", script->run.host);
    if (script->run.port_given)
        lab_set_port(L, script->run.port);
    if (servers)
        start_server(L, host);
    if (clients)
        start_clients(L, host);
    return 0;
}
