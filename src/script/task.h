/*
 * task.h - the tasks of a script: a Lua thread each (but see reply.c), stepped by the host.
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
    struct host_socket *unsent_to; /* NULL: no answer of it waits; else in script->unsent */
    size_t unsent;
    struct script_task *older, *newer;
};

/*
 * A task of the role that calls the function under the arguments on top of L's stack, and pops
 * them. Raises Lua errors.
 */
void task_spawn(lua_State *L, struct role *role, const char *name, int arguments);

/* One resume of the task's thread, which is the current one. A failure is still to be reported. */
enum thread_end { THREAD_WAITS, THREAD_ENDED, THREAD_FAILED };
enum thread_end task_resume_thread(struct script_task *task, int arguments);
/* Ends the host's task with the error on top of the thread, or the script's stop. */
void task_report_failure(struct script_task *task);
/* One task less of those counted in script->tasks. */
void task_is_gone(struct script *script);

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
