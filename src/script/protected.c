/*
 * pcall, xpcall, load and setmetatable as a lab may have them: as Lua's own, but none of them
 * catches a limit, loads bytecode or makes a finalizer.
 */
#include "script/state.h"

/* Levels of calls within which a pcall may stand. Lua's own limit, some hundred, is one of the C
 * stack, and each error that is caught unwinds that: a tree of pcalls would grow to a hundred
 * thousand levels, over all of which each further error walks. */
#define DEEPEST_CALL 2000
/* What catching an error costs, in instructions: it is longer than what the hook sees of it. */
#define CATCH_COST 500

static void check_depth(lua_State *L)
{
    lua_Debug frame;
    if (lua_getstack(L, DEEPEST_CALL, &frame))
        luaL_error(L, "stack overflow (pcall within %d calls)", DEEPEST_CALL);
}

static int finish_call(lua_State *L, int status, lua_KContext extra)
{
    if (status != LUA_OK && status != LUA_YIELD) {
        script_check_stop(L, status);
        script_charge(L, CATCH_COST);
        lua_pushboolean(L, 0);
        lua_pushvalue(L, -2);
        return 2;
    }
    return lua_gettop(L) - (int)extra;
}

static int protected_call(lua_State *L)
{
    luaL_checkany(L, 1);
    check_depth(L);
    lua_pushboolean(L, 1);
    lua_insert(L, 1);
    int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, finish_call);
    return finish_call(L, status, 0);
}

/* Upvalue 1 is the script's own handler. It runs inside the hook that raises a limit's error,
 * where no hook would stop it: so a stopped script's handler does not run. */
static int guarded_handler(lua_State *L)
{
    if (script_of(L)->stopped)
        return 1;
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

static int protected_call_with_handler(lua_State *L)
{
    int top = lua_gettop(L);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    check_depth(L);
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, guarded_handler, 1);
    lua_replace(L, 2);
    lua_pushboolean(L, 1);
    lua_pushvalue(L, 1);
    lua_rotate(L, 3, 2);
    int status = lua_pcallk(L, top - 2, LUA_MULTRET, 2, 2, finish_call);
    return finish_call(L, status, 2);
}

/* load(chunk, name, mode, env): text only; upvalue 1 is Lua's own. */
static int load_text(lua_State *L)
{
    if (lua_gettop(L) < 3)
        lua_settop(L, 3);
    lua_pushliteral(L, "t");
    lua_replace(L, 3);
    int results = lua_tocfunction(L, lua_upvalueindex(1))(L);
    /* Lua's own returns what the reader function raised. */
    if (script_of(L)->stopped)
        script_check_stop(L, LUA_ERRRUN);
    return results;
}

static int set_metatable(lua_State *L)
{
    if (lua_istable(L, 2)) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL)
            return luaL_error(L, "setmetatable: there is no __gc in a lab; a local variable "
                                 "<close> with __close runs at a time one can name");
        lua_pop(L, 1);
    }
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

void protected_register(lua_State *L)
{
    state_wrap(L, "load", load_text);
    state_wrap(L, "setmetatable", set_metatable);
    lua_pushcfunction(L, protected_call);
    lua_setfield(L, -2, "pcall");
    lua_pushcfunction(L, protected_call_with_handler);
    lua_setfield(L, -2, "xpcall");
}
