#include "script/call.h"

#include <string.h>

#include "script/names.h"
#include "script/task.h"

/* The C function that stands between the call and its task, for the message; "sort". */
static const char *find_obstacle(lua_State *L, lua_Debug *frame)
{
    for (int level = 1; level < SCRIPT_LEVELS && lua_getstack(L, level, frame); level++) {
        lua_getinfo(L, "Sn", frame);
        if (frame->what[0] == 'C' && frame->name != NULL)
            return frame->name;
    }
    return NULL;
}

static void refuse_to_wait(lua_State *L, const char *name)
{
    lua_Debug frame;
    const char *obstacle = find_obstacle(L, &frame);
    if (obstacle != NULL)
        luaL_error(L,
                   "%s cannot wait inside a function that '%s' calls; make the call before, and "
                   "use its result there",
                   name, obstacle);
    luaL_error(L,
               "%s cannot wait inside a function that Lua itself calls (a comparison for a sort, "
               "a replacement, __tostring, __close, the file of a require); make the call outside",
               name);
}

struct task *script_call_begin(lua_State *L, const char *name, enum call_patience patience)
{
    struct script *script = script_of(L);
    struct script_task *current = script->current;
    if (current == NULL) {
        luaL_error(L, "%s: calls are made inside a role (a function such as lab.client), not %s",
                   name, script->loaded ? "after the exchange" : "while the file is loaded");
        return NULL; /* never: luaL_error does not return */
    }
    if (patience == CALL_WAITS && (!lua_isyieldable(L) || script->barriers > 0))
        refuse_to_wait(L, name);
    struct script_site site = script_site_of(L, 1);
    task_set_site(current->task, site.file, site.line);
    return current->task;
}

int script_call_end(lua_State *L, enum call_progress progress, lua_KContext context,
                    lua_KFunction finish)
{
    if (progress == CALL_DONE)
        return finish(L, LUA_OK, context);
    if (!lua_isyieldable(L) || script_of(L)->barriers > 0)
        refuse_to_wait(L, "a call");
    script_of(L)->parked = true;
    return lua_yieldk(L, 0, context, finish);
}

const struct call_result *script_call_result(lua_State *L)
{
    return task_result(script_of(L)->current->task);
}

const struct call_result *script_call_check(lua_State *L)
{
    const struct call_result *result = script_call_result(L);
    if (result->error != 0) {
        error_object_push(L, result, script_site_of(L, 1));
        lua_error(L);
    }
    return result;
}

int script_call_finish_nothing(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    script_call_check(L);
    return 0;
}

int script_call_finish_number(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    lua_pushinteger(L, script_call_check(L)->value);
    return 1;
}

/* Upvalue 1: what the table is. */
static int unknown_name(lua_State *L)
{
    const char *what = lua_tostring(L, lua_upvalueindex(1));
    if (lua_type(L, 2) != LUA_TSTRING)
        return luaL_error(L, "%s has no %s in it", what, luaL_typename(L, 2));
    const char *name = lua_tostring(L, 2);
    struct names_search search = names_search_for(name);
    lua_pushnil(L);
    while (lua_next(L, 1) != 0) {
        lua_pop(L, 1);
        names_offer(&search, lua_tostring(L, -1));
    }
    if (search.nearest != NULL)
        return luaL_error(L, "%s has no '%s'; did you mean '%s'?", what, name, search.nearest);
    return luaL_error(L, "%s has no '%s'", what, name);
}

static int read_only(lua_State *L)
{
    return luaL_error(L, "%s cannot be changed", lua_tostring(L, lua_upvalueindex(1)));
}

void names_make_strict(lua_State *L, const char *what)
{
    lua_createtable(L, 0, 3);
    lua_pushstring(L, what);
    lua_pushcclosure(L, unknown_name, 1);
    lua_setfield(L, -2, "__index");
    lua_pushstring(L, what);
    lua_pushcclosure(L, read_only, 1);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
}
