/*
 * What a failed call raises: .call .code .errno .message .where, and its message as text.
 */
#include <stdio.h>
#include <string.h>

#include "script/call.h"
#include "script/names.h"

#define TYPE_NAME "error"

const char *const error_object_fields[] = {"call", "code", "errno", "message", "where", NULL};

void error_object_push(lua_State *L, const struct call_result *result, struct script_site site)
{
    struct error_object *object = lua_newuserdatauv(L, sizeof *object, 0);
    *object = (struct error_object){.call = result->call, .code = result->error, .site = site};
    snprintf(object->message, sizeof object->message, "%s", result->message);
    luaL_setmetatable(L, TYPE_NAME);
}

const struct error_object *error_object_test(lua_State *L, int index)
{
    return luaL_testudata(L, index, TYPE_NAME);
}

static int get_field(lua_State *L)
{
    const struct error_object *object = luaL_checkudata(L, 1, TYPE_NAME);
    const char *name = luaL_checkstring(L, 2);
    if (strcmp(name, "call") == 0) {
        lua_pushstring(L, object->call);
    } else if (strcmp(name, "code") == 0) {
        lua_pushstring(L, error_code_name(object->code));
    } else if (strcmp(name, "errno") == 0) {
        lua_pushinteger(L, object->code);
    } else if (strcmp(name, "message") == 0) {
        lua_pushstring(L, object->message);
    } else if (strcmp(name, "where") == 0) {
        lua_pushfstring(L, "%s:%d", object->site.file, (int)object->site.line);
    } else {
        struct names_search search = names_search_for(name);
        for (const char *const *field = error_object_fields; *field != NULL; field++)
            names_offer(&search, *field);
        return luaL_error(L, "an error has no '%s'%s%s%s", name,
                          search.nearest ? "; did you mean '" : "",
                          search.nearest ? search.nearest : "", search.nearest ? "'?" : "");
    }
    return 1;
}

static int to_string(lua_State *L)
{
    const struct error_object *object = luaL_checkudata(L, 1, TYPE_NAME);
    lua_pushstring(L, object->message);
    return 1;
}

/* "failed: " .. error, as students write it. */
static int concatenate(lua_State *L)
{
    luaL_tolstring(L, 1, NULL);
    luaL_tolstring(L, 2, NULL);
    lua_concat(L, 2);
    return 1;
}

void error_object_open(lua_State *L)
{
    static const luaL_Reg metamethods[] = {
        {"__index", get_field},
        {"__tostring", to_string},
        {"__concat", concatenate},
        {NULL, NULL},
    };
    luaL_newmetatable(L, TYPE_NAME);
    luaL_setfuncs(L, metamethods, 0);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}
