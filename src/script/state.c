/*
 * The limits and the libraries. See state.h for how the limits work.
 */
#include "script/state.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/matcher.h"
#include "script/names.h"
#include "support/clock.h"

#define DEFAULT_MEMORY       ((size_t)256 << 20)
#define DEFAULT_INSTRUCTIONS UINT64_C(200000000)
/* An instruction may take long in C (next over a table full of holes), so time counts as well. */
#define CPU_LIMIT (10 * NANOSECONDS_PER_SECOND)
/* The processor's clock is a system call, so it is read once in so much time, by a clock that is
 * none. */
#define CPU_LOOK_EVERY (100 * NANOSECONDS_PER_MILLISECOND)

/* Messages come and go. What they leave at the heap's end is soon needed again: as long as it is no
 * more than this, it is not given back to the kernel, which would have to clear it anew. */
#define KEPT_MEMORY (8 << 20)

static void *allocate(void *data, void *block, size_t old_size, size_t new_size)
{
    struct script *script = data;
    if (block == NULL)
        old_size = 0; /* then it says what kind of object is made */
    if (new_size == 0) {
        free(block);
        script->memory -= old_size;
        return NULL;
    }
    if (new_size > old_size && new_size - old_size > script->limits.memory - script->memory)
        return NULL;
    void *moved = block == NULL ? malloc(new_size) : realloc(block, new_size);
    if (moved != NULL)
        script->memory += new_size - old_size;
    else
        script->refused = true;
    return moved;
}

static void count_hook(lua_State *L, lua_Debug *activation)
{
    (void)activation;
    script_charge(L, SCRIPT_STEP);
}

lua_State *state_new(struct script *script)
{
    if (script->limits.memory == 0)
        script->limits.memory = DEFAULT_MEMORY;
    if (script->limits.instructions == 0)
        script->limits.instructions = DEFAULT_INSTRUCTIONS;
    mallopt(M_TRIM_THRESHOLD, KEPT_MEMORY);
    mallopt(M_MMAP_THRESHOLD, KEPT_MEMORY / 4);
    lua_State *L = lua_newstate(allocate, script);
    if (L == NULL)
        return NULL;
    *(struct script **)lua_getextraspace(L) = script;
    lua_sethook(L, count_hook, LUA_MASKCOUNT, SCRIPT_STEP);
    return L;
}

const char *script_file_name(const struct script *script, const char *source)
{
    if (source[0] != '@')
        return NULL;
    for (size_t i = 0; i < script->file_count; i++)
        if (strcmp(script->files[i].name, source + 1) == 0)
            return script->files[i].name;
    return NULL;
}

static bool find_site(lua_State *L, int level, struct script_site *site)
{
    lua_Debug frame;
    for (int end = level + SCRIPT_LEVELS; level < end && lua_getstack(L, level, &frame); level++) {
        lua_getinfo(L, "Sl", &frame);
        const char *file = script_file_name(script_of(L), frame.source);
        if (file != NULL && frame.currentline > 0) {
            *site = (struct script_site){file, (uint32_t)frame.currentline};
            return true;
        }
    }
    return false;
}

struct script_site script_site_of(lua_State *L, int level)
{
    struct script_site site = {"", SCRIPT_LINE_NONE};
    struct script *script = script_of(L);
    /* A coroutine made of a C function has no line; then the line that resumed it tells most. */
    if (!find_site(L, level, &site) && script->base != NULL && script->base != L)
        find_site(script->base, 0, &site);
    return site;
}

static void note_stop(lua_State *L, const char *text)
{
    struct script *script = script_of(L);
    if (script->stopped)
        return;
    script->stopped = true;
    script->stop_site = script_site_of(L, 0);
    snprintf(script->stop_text, sizeof script->stop_text, "%s", text);
}

/* Nothing here may need memory: the error is the number zero; nobody will read it. */
static int raise_stop(lua_State *L)
{
    lua_pushinteger(L, 0);
    return lua_error(L);
}

void script_note_memory(lua_State *L)
{
    char text[128];
    snprintf(text, sizeof text, "the script needs more than its %zu MiB of memory",
             script_of(L)->limits.memory >> 20);
    note_stop(L, text);
}

void script_check_stop(lua_State *L, int status)
{
    if (status == LUA_ERRMEM)
        script_note_memory(L);
    if (script_of(L)->stopped)
        raise_stop(L);
}

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * NANOSECONDS_PER_SECOND + now.tv_nsec;
}

void script_begin_step(struct script *script, lua_State *base)
{
    script->base = base;
    script->spent = 0;
    script->looked = 0;
}

/* Whether the step has used more than its share of the processor. The first look starts the clock.
 */
static bool is_too_slow(struct script *script)
{
    int64_t now = read_clock(CLOCK_MONOTONIC_COARSE);
    if (script->looked != 0 && now - script->looked < CPU_LOOK_EVERY)
        return false;
    int64_t used = read_clock(CLOCK_THREAD_CPUTIME_ID);
    if (script->looked == 0)
        script->cpu_began = used;
    script->looked = now;
    return used - script->cpu_began > CPU_LIMIT;
}

void script_charge(lua_State *L, uint64_t instructions)
{
    struct script *script = script_of(L);
    char text[160];
    script->spent += instructions;
    if (script->stopped)
        raise_stop(L);
    if (script->spent > script->limits.instructions)
        snprintf(text, sizeof text,
                 "the script ran %llu million instructions without waiting for anything; is this "
                 "loop endless?",
                 (unsigned long long)(script->limits.instructions / 1000000));
    else if (is_too_slow(script))
        snprintf(text, sizeof text,
                 "the script ran for %d seconds without waiting for anything; is this loop "
                 "endless?",
                 (int)(CPU_LIMIT / NANOSECONDS_PER_SECOND));
    else
        return;
    note_stop(L, text);
    raise_stop(L);
}

/* collectgarbage("count"): how many KiB the script uses. The rest would steer the collector. */
static int count_garbage(lua_State *L)
{
    const char *what = luaL_optstring(L, 1, "count");
    if (strcmp(what, "count") != 0)
        return luaL_error(L, "collectgarbage: only collectgarbage(\"count\") is there in a lab");
    lua_pushnumber(L, (lua_Number)script_of(L)->memory / 1024);
    return 1;
}

/* An unknown global name is a mistake in nearly every lab; nil would only hide where. */
static int unknown_global(lua_State *L)
{
    if (lua_type(L, 2) != LUA_TSTRING)
        return 0;
    const char *name = lua_tostring(L, 2);
    struct names_search search = names_search_for(name);
    lua_pushnil(L);
    while (lua_next(L, 1) != 0) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING)
            names_offer(&search, lua_tostring(L, -1));
    }
    if (search.nearest != NULL)
        return luaL_error(L, "%s: no such name; did you mean %s?", name, search.nearest);
    return luaL_error(L, "%s: no such name", name);
}

static void forget(lua_State *L, const char *const *names)
{
    for (; *names != NULL; names++) {
        lua_pushnil(L);
        lua_setfield(L, -2, *names);
    }
}

static void lock_strings(lua_State *L)
{
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 2);
}

/* Two runs of a lab do the same: random numbers too, unless the script asks for others. */
static void seed_random(lua_State *L)
{
    lua_getfield(L, -1, "randomseed");
    lua_pushinteger(L, 1);
    lua_call(L, 1, 0);
}

void state_wrap(lua_State *L, const char *name, lua_CFunction with)
{
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, with, 1);
    lua_setfield(L, -2, name);
}

void state_open_libraries(lua_State *L)
{
    static const char *const not_in_a_lab[] = {"dofile", "loadfile", "warn", NULL};
    static const char *const not_in_string[] = {"dump", NULL};
    luaL_requiref(L, LUA_GNAME, luaopen_base, 1);
    forget(L, not_in_a_lab);
    protected_register(L);
    require_register(L);
    lua_pushcfunction(L, count_garbage);
    lua_setfield(L, -2, "collectgarbage");
    lua_pop(L, 1);

    luaL_requiref(L, LUA_STRLIBNAME, luaopen_string, 1);
    forget(L, not_in_string);
    priced_strings(L);
    matcher_register(L);
    lua_pop(L, 1);
    lock_strings(L);
    luaL_requiref(L, LUA_TABLIBNAME, luaopen_table, 1);
    priced_tables(L);
    lua_pop(L, 1);
    luaL_requiref(L, LUA_MATHLIBNAME, luaopen_math, 1);
    seed_random(L);
    lua_pop(L, 1);
    luaL_requiref(L, LUA_UTF8LIBNAME, luaopen_utf8, 1);
    priced_utf8(L);
    lua_pop(L, 1);
    luaL_requiref(L, LUA_COLIBNAME, coroutine_open, 1);
    lua_pop(L, 1);

    lua_pushglobaltable(L);
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, unknown_global);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}
