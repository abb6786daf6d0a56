/*
 * lab.reply(message, peer): the host runs the server, and the script says what to answer.
 *
 * One task accepts, and starts one task a connection. Those loop in C: receive, call lab.reply,
 * send what it returned. A step of the loop either goes on at once or is left and entered again
 * at the same stage when the call has ended; so a busy connection never leaves it. The calls are
 * the host's own and have no line of the script; those that lab.reply makes itself have theirs.
 *
 * A peer that resets its connection ends that connection, not the exchange. A client for whom no
 * descriptor is left has been hung up on by the host, which is said once until there is room again.
 */
#include <errno.h>
#include <string.h>

#include "script/call.h"
#include "script/task.h"

#define MESSAGE_LIMIT 65536

enum { CONNECTION = 1, PEER, REPLY };
enum stage { STAGE_RECEIVE, STAGE_RECEIVED, STAGE_REPLIED, STAGE_SENT, STAGE_CLOSED };

static struct task *own_task(lua_State *L)
{
    struct task *task = script_of(L)->current->task;
    task_set_site(task, "", SCRIPT_LINE_NONE);
    return task;
}

static int leave(lua_State *L, lua_KContext stage, lua_KFunction again)
{
    script_of(L)->parked = true;
    return lua_yieldk(L, 0, stage, again);
}

static int connection_again(lua_State *L, int status, lua_KContext stage);

/* Whether a message is there: else the peer has ended. */
static bool take_message(lua_State *L)
{
    const struct call_result *result = script_call_result(L);
    if (result->error != 0 || result->end_of_stream)
        return false;
    lua_settop(L, REPLY);
    lua_pushvalue(L, REPLY);
    lua_pushlstring(L, (const char *)result->bytes, result->length);
    lua_pushvalue(L, PEER);
    return true;
}

/* Whether there is an answer on top: else the script hangs up. */
static bool take_answer(lua_State *L)
{
    if (!lua_toboolean(L, -1))
        return false;
    if (lua_type(L, -1) != LUA_TSTRING && lua_type(L, -1) != LUA_TNUMBER)
        luaL_error(L,
                   "lab.reply returned a %s; it must return the answer as a string, or nil to "
                   "hang up",
                   luaL_typename(L, -1));
    return true;
}

static int end_connection(lua_State *L)
{
    socket_handle_release(lua_touserdata(L, CONNECTION));
    return 0;
}

static int serve_connection(lua_State *L, enum stage stage)
{
    struct script *script = script_of(L);
    /* Nobody else has this handle, so it is what it was when it was pushed. */
    struct host_socket *socket = ((struct socket_handle *)lua_touserdata(L, CONNECTION))->socket;
    enum call_progress progress = CALL_DONE;
    const char *answer;
    size_t length;
    for (;;) {
        switch (stage) {
        case STAGE_RECEIVE:
            script_begin_step(script, L); /* each message counts as a wait */
            progress = socket_recv(own_task(L), socket, MESSAGE_LIMIT);
            stage = STAGE_RECEIVED;
            break;
        case STAGE_RECEIVED:
            if (take_message(L)) {
                stage = STAGE_REPLIED;
                lua_callk(L, 2, 1, stage, connection_again);
                break;
            }
            progress = socket_close(own_task(L), socket);
            stage = STAGE_CLOSED;
            break;
        case STAGE_REPLIED:
            if (take_answer(L)) {
                answer = lua_tolstring(L, -1, &length);
                progress = socket_sendall(own_task(L), socket, answer, length);
                stage = STAGE_SENT;
                break;
            }
            progress = socket_close(own_task(L), socket);
            stage = STAGE_CLOSED;
            break;
        case STAGE_SENT:
            stage = STAGE_RECEIVE;
            if (script_call_result(L)->error != 0) {
                progress = socket_close(own_task(L), socket);
                stage = STAGE_CLOSED;
            }
            break;
        case STAGE_CLOSED:
            return end_connection(L);
        }
        if (progress == CALL_WAITING)
            return leave(L, stage, connection_again);
    }
}

static int connection_again(lua_State *L, int status, lua_KContext stage)
{
    (void)status;
    return serve_connection(L, (enum stage)stage);
}

static int connection_main(lua_State *L)
{
    return serve_connection(L, STAGE_RECEIVE);
}

/* Stack of the accepting task: 1 the listener, 2 lab.reply. */
static void take_connection(lua_State *L)
{
    const struct call_result *result = script_call_result(L);
    if (result->error == ECONNABORTED)
        return;
    bool was_full = script_of(L)->full;
    script_of(L)->full = result->error == EMFILE || result->error == ENFILE;
    if (script_of(L)->full) {
        if (!was_full)
            task_print(script_of(L)->current->task, result->message, strlen(result->message));
        return;
    }
    script_call_check(L);
    lua_settop(L, 2);
    lua_pushcfunction(L, connection_main);
    socket_handle_push(L, result->socket);
    address_push_or_nil(L, &result->address);
    lua_pushvalue(L, 2);
    task_spawn(L, task_role(script_of(L)->current->task), "reply", 3);
}

static int accept_again(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    take_connection(L);
    return reply_serve(L);
}

int reply_serve(lua_State *L)
{
    struct host_socket *listener = socket_handle_check(L, 1);
    while (socket_accept(own_task(L), listener) == CALL_DONE)
        take_connection(L);
    return leave(L, 0, accept_again);
}
