/*
 * call.h - from Lua to the host's calls and back: sockets, addresses and errors as Lua values.
 *
 * A Lua function that makes a call looks like this, and works the same whether the call waits:
 *
 *     static int finish(lua_State *L, int status, lua_KContext context)
 *     {
 *         const struct call_result *result = script_call_check(L);   raises the call's error
 *         lua_pushinteger(L, result->value);
 *         return 1;
 *     }
 *     static int send(lua_State *L)
 *     {
 *         struct task *task = script_call_begin(L, "send", CALL_WAITS);
 *         return script_call_end(L, socket_send(task, …), 0, finish);
 *     }
 */
#ifndef HANDLENS_SCRIPT_CALL_H
#define HANDLENS_SCRIPT_CALL_H

#include "host/socket.h"
#include "script/state.h"

/* Whether a call can ever wait; one that cannot works where Lua cannot yield, too. */
enum call_patience { CALL_AT_ONCE, CALL_WAITS };

/* The task that makes the call, its site set. Raises an error where no call can be made. */
struct task *script_call_begin(lua_State *L, const char *name, enum call_patience patience);

/* Goes on with finish, now or when the call has ended. Use it as "return script_call_end(…)". */
int script_call_end(lua_State *L, enum call_progress progress, lua_KContext context,
                    lua_KFunction finish);

/* The result of the current task's call. */
const struct call_result *script_call_result(lua_State *L);
/* The same; raises the call's error if it failed. */
const struct call_result *script_call_check(lua_State *L);

/* Finishes for calls that return nothing, and for those that return result->value. */
int script_call_finish_nothing(lua_State *L, int status, lua_KContext context);
int script_call_finish_number(lua_State *L, int status, lua_KContext context);

/* error_object.c: what a failed call raises. */
struct error_object {
    const char *call; /* lives for ever */
    int code;
    char message[256];
    struct script_site site;
};
extern const char *const error_object_fields[]; /* their names, NULL at the end */
void error_object_open(lua_State *L);
void error_object_push(lua_State *L, const struct call_result *result, struct script_site site);
/* NULL if the value is something else. */
const struct error_object *error_object_test(lua_State *L, int index);

/* address_api.c: addresses as values. */
extern const char *const address_fields[];
void address_open(lua_State *L);
void address_push(lua_State *L, const struct address *address);
/* Pushes nil for family 0. */
void address_push_or_nil(lua_State *L, const struct address *address);
const struct address *address_test(lua_State *L, int index);

/* An address as a script may give it: a value, "host:port", a port alone (of lab.host), or a host
 * and a port. */
struct address_argument {
    struct address address; /* family 0: the name must be looked up */
    const char *name;       /* the name; lives while the stack does */
    uint16_t port;
    int next; /* the index of the argument behind it */
};
/* May push a value to keep the name alive. Raises an error for anything else. */
void address_check(lua_State *L, int index, struct address_argument *argument);

/* socket_handle.c: sockets as values. */
struct socket_handle {
    struct host_socket *socket; /* NULL: released */
    struct script *script;
    struct socket_handle *previous, *next; /* in script->handles */
};
void socket_handle_open(lua_State *L);
void socket_handle_push(lua_State *L, struct host_socket *socket);
struct host_socket *socket_handle_check(lua_State *L, int index);
void socket_handle_release(struct socket_handle *handle);
/* Lets go of all sockets: no task is left that could use them. */
void socket_handle_release_all(struct script *script);

/* socket_methods.c, socket_data.c: methods, into the table on top. */
void socket_methods_register(lua_State *L);
void socket_data_register(lua_State *L);

/* socket_api.c: the global table socket. */
void socket_api_open(lua_State *L);
/* select_api.c */
int select_sockets(lua_State *L);

/* Makes an unknown name in the table on top an error: "what: no such thing 'name'; did you mean".
 */
void names_make_strict(lua_State *L, const char *what);

#endif
