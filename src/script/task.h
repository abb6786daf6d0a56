/*
 * task.h - the tasks of a script: one Lua thread each, stepped by the host.
 */
#ifndef HANDLENS_SCRIPT_TASK_H
#define HANDLENS_SCRIPT_TASK_H

#include "host/host.h"
#include "script/state.h"

struct script_task {
    struct script *script;
    struct task *task; /* known from the first step on */
    lua_State *thread;
    int reference; /* keeps thread, in the registry */
    int arguments; /* on the thread's stack, for its first resume */
    bool begun;
    const char *name; /* of the role's function, for tracebacks; lives as long as the script */
};

/*
 * A task of the role that calls the function under the arguments on top of L's stack, and pops
 * them. Raises Lua errors.
 */
void task_spawn(lua_State *L, struct role *role, const char *name, int arguments);

/* print, sleep, spawn and now, as globals. */
void task_api_open(lua_State *L);

/* In a role's first step: says what the top level printed, when there was nobody to say it. */
void task_say_early(lua_State *L);

/* report.c: what became of a thread. */
struct report {
    char text[1536];
    struct script_site site;
};
/*
 * Says what ended the thread, whose error value is on top of its stack: the message with its
 * place, then the traceback. name: of the thread's function, or NULL for a file's top level.
 * Raises nothing.
 */
void report_error(struct script *script, lua_State *thread, const char *name,
                  struct report *report);

/* reply.c: a Lua function with the arguments (listener, lab.reply); serves for ever. */
int reply_serve(lua_State *L);

#endif
