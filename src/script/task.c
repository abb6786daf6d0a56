#include "script/task.h"

#include <stdlib.h>
#include <string.h>

#include "script/call.h"
#include "script/file_api.h"
#include "script/seconds.h"
#include "support/clock.h"

/* The registry's list of what was printed before there was a role to say it. */
static const char early_key = 'e';

void task_is_gone(struct script *script)
{
    /* After the last task nobody can use a socket, and the host may close before we do. */
    if (--script->tasks > 0)
        return;
    socket_handle_release_all(script);
    file_handle_release_all(script);
}

static void forget_task(struct script_task *task)
{
    struct script *script = task->script;
    luaL_unref(script->state, LUA_REGISTRYINDEX, task->reference);
    free(task);
    task_is_gone(script);
}

void task_report_failure(struct script_task *task)
{
    struct script *script = task->script;
    struct report report = {0};
    report_error(script, task->thread, task->name, &report);
    if (script->stopped)
        task_stop(task->task, report.text, report.site.file, report.site.line);
    else
        task_fail(task->task, report.text, report.site.file, report.site.line);
}

enum thread_end task_resume_thread(struct script_task *task, int arguments)
{
    struct script *script = task->script;
    int results = 0;
    script_begin_step(script, task->thread);
    int status = lua_resume(task->thread, script->state, arguments, &results);
    if (status == LUA_ERRMEM && !script->stopped)
        script_note_memory(task->thread);
    if (status == LUA_YIELD && script->parked && !script->stopped) {
        script->parked = false;
        return THREAD_WAITS;
    }
    return status == LUA_OK && !script->stopped ? THREAD_ENDED : THREAD_FAILED;
}

static void step(struct task *host_task, void *data)
{
    struct script_task *task = data;
    struct script *script = task->script;
    int arguments = task->begun ? 0 : task->arguments;
    task->begun = true;
    task->task = host_task;
    script->current = task;
    enum thread_end end = task_resume_thread(task, arguments);
    if (end == THREAD_ENDED)
        task_end(host_task);
    else if (end == THREAD_FAILED)
        task_report_failure(task);
    script->current = NULL;
    if (end == THREAD_WAITS)
        return;
    script->base = NULL;
    forget_task(task);
}

static void cancel(struct task *host_task, void *data)
{
    (void)host_task;
    forget_task(data);
}

void task_spawn(lua_State *L, struct role *role, const char *name, int arguments)
{
    static const struct task_behavior behavior = {step, cancel};
    struct script *script = script_of(L);
    luaL_checkstack(L, 4, "a task cannot take so many arguments");
    lua_State *thread = lua_newthread(L);
    lua_insert(L, -(arguments + 2));
    if (!lua_checkstack(thread, arguments + 4))
        luaL_error(L, "a task cannot take so many arguments");
    lua_xmove(L, thread, arguments + 1);
    int reference = luaL_ref(L, LUA_REGISTRYINDEX);
    struct script_task *task = calloc(1, sizeof *task);
    if (task != NULL)
        *task = (struct script_task){.script = script,
                                     .thread = thread,
                                     .reference = reference,
                                     .arguments = arguments,
                                     .name = name};
    if (task == NULL || task_add(role, &behavior, task) == NULL) {
        free(task);
        luaL_unref(L, LUA_REGISTRYINDEX, reference);
        luaL_error(L, "out of memory");
    }
    script->tasks++;
}

/* spawn(f, …): a new task of the same role. */
static int spawn(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    struct task *task = script_call_begin(L, "spawn", CALL_AT_ONCE);
    task_spawn(L, task_role(task), "a spawned function", lua_gettop(L) - 1);
    return 0;
}

static int finish_sleep(lua_State *L, int status, lua_KContext context)
{
    (void)L, (void)status, (void)context;
    return 0;
}

static int sleep_seconds(lua_State *L)
{
    int64_t duration = seconds_check(L, 1);
    struct task *task = script_call_begin(L, "sleep", CALL_WAITS);
    return script_call_end(L, task_sleep(task, duration), 0, finish_sleep);
}

/* now(): seconds since the exchange began; so small a number has room for nanoseconds. */
static int now(lua_State *L)
{
    int64_t began = script_of(L)->began;
    lua_pushnumber(
        L, began == 0 ? 0 : (lua_Number)(clock_now() - began) / (lua_Number)NANOSECONDS_PER_SECOND);
    return 1;
}

void task_say_early(lua_State *L)
{
    struct task *task = script_of(L)->current->task;
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &early_key) == LUA_TTABLE) {
        lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
        for (lua_Integer i = 1; i <= count; i++) {
            size_t length;
            lua_rawgeti(L, -1, i);
            const char *text = lua_tolstring(L, -1, &length);
            task_print(task, text, length);
            lua_pop(L, 1);
        }
        lua_pushnil(L);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &early_key);
    }
    lua_pop(L, 1);
}

/* Keeps the text on top for later. */
static void keep_early(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &early_key) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &early_key);
    }
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

static int print(lua_State *L)
{
    int count = lua_gettop(L);
    luaL_Buffer text;
    for (int i = 1; i <= count; i++) {
        luaL_tolstring(L, i, NULL);
        lua_replace(L, i);
    }
    luaL_buffinit(L, &text);
    for (int i = 1; i <= count; i++) {
        if (i > 1)
            luaL_addchar(&text, '\t');
        lua_pushvalue(L, i);
        luaL_addvalue(&text);
    }
    luaL_pushresult(&text);
    struct script *script = script_of(L);
    if (script->current == NULL) {
        if (!script->loaded)
            keep_early(L);
        return 0;
    }
    size_t length;
    const char *line = lua_tolstring(L, -1, &length);
    struct script_site site = script_site_of(L, 1);
    task_set_site(script->current->task, site.file, site.line);
    task_print(script->current->task, line, length);
    return 0;
}

void task_api_open(lua_State *L)
{
    lua_pushcfunction(L, print);
    lua_setglobal(L, "print");
    lua_pushcfunction(L, sleep_seconds);
    lua_setglobal(L, "sleep");
    lua_pushcfunction(L, spawn);
    lua_setglobal(L, "spawn");
    lua_pushcfunction(L, now);
    lua_setglobal(L, "now");
}
