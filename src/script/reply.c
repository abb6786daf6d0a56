/*
 * lab.reply(message, peer): the host runs the server, and the script says what to answer.
 *
 * One task accepts, and starts one task a connection. Those are stepped in C: receive, have
 * lab.reply answer, send what it returned. A connection has a Lua thread only from a message to the
 * end of its answer, and all take turns with the same one unless they wait in between: so what an
 * answer needs is in the processor's caches, and ten thousand silent connections need no memory of
 * the script. The calls are the host's own and have no line of the script; those that lab.reply
 * makes itself have theirs. Where none is recorded, most are spared (socket_recv_at_once).
 *
 * A peer that resets its connection ends that connection, not the exchange. What a connection keeps
 * between two messages is small: the answer goes as soon as it is sent, and if it is not taken, its
 * client may be hung up on (unsent.h).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "script/call.h"
#include "script/task.h"
#include "script/unsent.h"

#define MESSAGE_LIMIT 65536

enum stage {
    STAGE_BEGIN, /* nothing has come yet, usually: a call waits for it */
    STAGE_RECEIVE,
    STAGE_RECEIVED,
    STAGE_ANSWERING,
    STAGE_SENT,
    STAGE_CLOSED
};

struct connection {
    struct script_task own; /* its thread is lent to it; else NULL */
    struct host_socket *socket;
    int peer;               /* the address as a value, in the registry */
    const uint8_t *message; /* lives until the host receives again */
    const char *answer;     /* kept alive by the thread; NULL: the script hangs up */
    size_t length;          /* of the message, then of the answer */
    enum stage stage;
};

static int make_thread(lua_State *L)
{
    struct script_task *task = lua_touserdata(L, 1);
    lua_State *thread = lua_newthread(L);
    task->reference = luaL_ref(L, LUA_REGISTRYINDEX);
    task->thread = thread;
    return 0;
}

/* The spare thread, or a new one. False: there is no memory, and the task has failed. */
static bool borrow_thread(struct script_task *task)
{
    struct script *script = task->script;
    lua_State *L = script->state;
    if (script->spare.thread != NULL) {
        task->thread = script->spare.thread;
        task->reference = script->spare.reference;
        script->spare.thread = NULL;
        return true;
    }
    script_begin_step(script, L);
    lua_pushcfunction(L, make_thread);
    lua_pushlightuserdata(L, task);
    int status = lua_pcall(L, 1, 0, 0);
    if (status == LUA_OK)
        return true;
    if (status == LUA_ERRMEM)
        script_note_memory(L);
    task->thread = L;
    task_report_failure(task);
    task->thread = NULL;
    lua_pop(L, 1);
    return false;
}

static void return_thread(struct script_task *task)
{
    struct script *script = task->script;
    if (task->thread == NULL)
        return;
    if (script->spare.thread == NULL && lua_status(task->thread) == LUA_OK) {
        lua_settop(task->thread, 0);
        script->spare.thread = task->thread;
        script->spare.reference = task->reference;
    } else {
        luaL_unref(script->state, LUA_REGISTRYINDEX, task->reference);
    }
    task->thread = NULL;
}

/* What lab.reply returned is on top: a string or number, or nil (or false) to hang up. */
static int take_answer(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    struct connection *connection = (struct connection *)context;
    connection->answer = lua_tolstring(L, -1, &connection->length);
    if (connection->answer == NULL && lua_toboolean(L, -1))
        luaL_error(L,
                   "lab.reply returned a %s; it must return the answer as a string, or nil to "
                   "hang up",
                   luaL_typename(L, -1));
    return 1;
}

/* Runs in the lent thread: the connection is the argument, its message what has been received. */
static int answer(lua_State *L)
{
    struct connection *connection = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, script_of(L)->reply);
    lua_pushlstring(L, (const char *)connection->message, connection->length);
    lua_rawgeti(L, LUA_REGISTRYINDEX, connection->peer);
    lua_callk(L, 2, 1, (lua_KContext)connection, take_answer);
    return take_answer(L, LUA_OK, (lua_KContext)connection);
}

static void forget(struct connection *connection)
{
    struct script *script = connection->own.script;
    unsent_remove(&connection->own);
    return_thread(&connection->own);
    luaL_unref(script->state, LUA_REGISTRYINDEX, connection->peer);
    socket_release(connection->socket);
    free(connection);
    task_is_gone(script);
}

/* Goes on with the answer. Returns whether there is one now; else the task waits or has failed. */
static bool go_on_answering(struct connection *connection, int arguments)
{
    switch (task_resume_thread(&connection->own, arguments)) {
    case THREAD_ENDED:
        return true;
    case THREAD_WAITS:
        return false;
    case THREAD_FAILED:
        task_report_failure(&connection->own);
        connection->stage = STAGE_CLOSED;
        return false;
    }
    return false;
}

static bool begin_answering(struct connection *connection)
{
    struct script_task *own = &connection->own;
    connection->stage = STAGE_ANSWERING;
    if (!borrow_thread(own)) {
        connection->stage = STAGE_CLOSED;
        return false;
    }
    lua_pushcfunction(own->thread, answer);
    lua_pushlightuserdata(own->thread, connection);
    return go_on_answering(connection, 1);
}

static struct task *own_task(struct script_task *own)
{
    task_set_site(own->task, "", SCRIPT_LINE_NONE);
    return own->task;
}

static enum call_progress call_recv(struct connection *connection)
{
    connection->stage = STAGE_RECEIVED;
    connection->length = 0;
    return socket_recv(own_task(&connection->own), connection->socket, MESSAGE_LIMIT);
}

static enum call_progress receive(struct connection *connection)
{
    struct script_task *own = &connection->own;
    if (socket_await(own->task, connection->socket, MESSAGE_LIMIT))
        return CALL_WAITING;
    connection->length =
        socket_recv_at_once(own->task, connection->socket, MESSAGE_LIMIT, &connection->message);
    if (connection->length == 0)
        return call_recv(connection);
    connection->stage = STAGE_RECEIVED;
    return CALL_DONE;
}

/* Whether there is a message, and not the end of the connection. */
static bool has_message(struct connection *connection)
{
    const struct call_result *result = task_result(connection->own.task);
    if (connection->length > 0)
        return true;
    if (result->error != 0 || result->end_of_stream)
        return false;
    connection->message = result->bytes;
    connection->length = result->length;
    return true;
}

static enum call_progress hang_up(struct connection *connection)
{
    connection->stage = STAGE_CLOSED;
    return socket_close(own_task(&connection->own), connection->socket);
}

static enum call_progress go_on_receiving(struct connection *connection)
{
    connection->stage = STAGE_RECEIVE;
    return_thread(&connection->own);
    return receive(connection);
}

static enum call_progress send_answer(struct connection *connection)
{
    if (connection->answer == NULL)
        return hang_up(connection);
    struct script_task *own = &connection->own;
    unsent_make_room(own->script, connection->length);
    size_t sent =
        socket_send_at_once(own->task, connection->socket, connection->answer, connection->length);
    if (sent > 0 && sent == connection->length)
        return go_on_receiving(connection);
    connection->stage = STAGE_SENT;
    enum call_progress progress = socket_sendall(
        own_task(own), connection->socket, connection->answer + sent, connection->length - sent);
    if (progress == CALL_WAITING) /* all of it stays in memory */
        unsent_add(own, connection->socket, connection->length);
    return progress;
}

/* Goes through the stages until one waits. Returns whether the task has ended. */
static bool serve(struct connection *connection)
{
    const struct call_result *result = task_result(connection->own.task);
    enum call_progress progress = CALL_DONE;
    while (progress == CALL_DONE) {
        switch (connection->stage) {
        case STAGE_BEGIN:
            progress = call_recv(connection);
            break;
        case STAGE_RECEIVE:
            progress = receive(connection);
            break;
        case STAGE_RECEIVED:
            if (!has_message(connection))
                progress = hang_up(connection);
            else if (begin_answering(connection))
                progress = send_answer(connection);
            else
                return connection->stage == STAGE_CLOSED;
            break;
        case STAGE_ANSWERING:
            if (!go_on_answering(connection, 0))
                return connection->stage == STAGE_CLOSED;
            progress = send_answer(connection);
            break;
        case STAGE_SENT:
            unsent_remove(&connection->own);
            progress = result->error == 0 ? go_on_receiving(connection) : hang_up(connection);
            break;
        case STAGE_CLOSED:
            task_end(connection->own.task);
            return true;
        }
    }
    return false;
}

static void step(struct task *task, void *data)
{
    struct connection *connection = data;
    struct script *script = connection->own.script;
    connection->own.task = task;
    script->current = &connection->own;
    bool ended = serve(connection);
    script->current = NULL;
    if (!ended)
        return;
    script->base = NULL;
    forget(connection);
}

static void cancel(struct task *task, void *data)
{
    (void)task;
    forget(data);
}

static void start_connection(lua_State *L, const struct call_result *result)
{
    static const struct task_behavior behavior = {step, cancel};
    struct script *script = script_of(L);
    address_push_or_nil(L, &result->address);
    int peer = luaL_ref(L, LUA_REGISTRYINDEX);
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection != NULL)
        *connection = (struct connection){
            .own = {.script = script, .name = "reply"}, .socket = result->socket, .peer = peer};
    if (connection == NULL ||
        task_add(task_role(script->current->task), &behavior, connection) == NULL) {
        free(connection);
        luaL_unref(L, LUA_REGISTRYINDEX, peer);
        luaL_error(L, "out of memory");
    }
    script->tasks++;
}

static void take_connection(lua_State *L)
{
    const struct call_result *result = script_call_result(L);
    if (result->error == ECONNABORTED)
        return;
    start_connection(L, script_call_check(L));
}

static int accept_again(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    struct host_socket *listener = socket_handle_check(L, 1);
    do
        take_connection(L);
    while (socket_accept(own_task(script_of(L)->current), listener) == CALL_DONE);
    script_of(L)->parked = true;
    return lua_yieldk(L, 0, 0, accept_again);
}

int reply_serve(lua_State *L)
{
    lua_settop(L, 2);
    script_of(L)->reply = luaL_ref(L, LUA_REGISTRYINDEX);
    enum call_progress progress =
        socket_accept(own_task(script_of(L)->current), socket_handle_check(L, 1));
    return script_call_end(L, progress, 0, accept_again);
}
