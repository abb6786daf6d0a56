/*
 * require: the scripts beside the lab, each run once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/state.h"

/* The registry's table of what each module returned; false while it is being loaded. */
static const char modules_key = 'm';

static void check_name(lua_State *L, const char *name, size_t length)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    if (length == 0 || length > 64 || strspn(name, allowed) != length)
        luaL_error(L,
                   "require: '%s' is not the name of a script beside the lab (letters, digits, "
                   "_ and -, without .lua)",
                   name);
}

/* Reads and compiles; leaves the function on the stack. */
static void load_module(lua_State *L, const char *name)
{
    struct script *script = script_of(L);
    struct error error;
    lua_pushfstring(L, "%s.lua", name);
    lua_pushfstring(L, "%s%s.lua", script->folder, name);
    int number = script_read_file(script, lua_tostring(L, -1), lua_tostring(L, -2), &error);
    lua_pop(L, 2);
    if (number < 0)
        luaL_error(L, "require: %s", error.text);
    if (!script_compile(L, &script->files[number]))
        lua_error(L);
}

static int require(lua_State *L)
{
    size_t length;
    const char *name = luaL_checklstring(L, 1, &length);
    check_name(L, name, length);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &modules_key);
    lua_pushvalue(L, 1);
    switch (lua_rawget(L, 2)) {
    case LUA_TNIL:
        break;
    case LUA_TBOOLEAN:
        if (!lua_toboolean(L, -1))
            return luaL_error(L,
                              "require: %s is being loaded already; two scripts that require "
                              "each other can never end",
                              name);
        return 1;
    default:
        return 1;
    }
    lua_pop(L, 1);
    load_module(L, name);
    lua_pushvalue(L, 1);
    lua_pushboolean(L, 0);
    lua_rawset(L, 2);
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushboolean(L, 1);
    }
    lua_pushvalue(L, 1);
    lua_pushvalue(L, -2);
    lua_rawset(L, 2);
    return 1;
}

void require_register(lua_State *L)
{
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &modules_key);
    lua_pushcfunction(L, require);
    lua_setfield(L, -2, "require");
}
