/*
 * input(prompt): a line that somebody types, or, where lab.answers has lines for the role and
 * both sides run here, the next one of those.
 */
#include "script/input.h"

#include "script/call.h"
#include "script/lab.h"

/* The registry's table of answers: a role's lines and how many it has had, by struct role. */
static const char answers_key = 'a';
enum { LINES = 1, TAKEN };

void input_give_answers(lua_State *L, const struct role *role, const char *name)
{
    int top = lua_gettop(L);
    lab_push(L, "answers");
    if (script_of(L)->run.parties == SCRIPT_EVERYONE && lua_istable(L, -1) &&
        lua_getfield(L, -1, name) == LUA_TTABLE) {
        if (lua_rawgetp(L, LUA_REGISTRYINDEX, &answers_key) != LUA_TTABLE) {
            lua_newtable(L);
            lua_pushvalue(L, -1);
            lua_rawsetp(L, LUA_REGISTRYINDEX, &answers_key);
            lua_replace(L, -2);
        }
        lua_createtable(L, 2, 0);
        lua_pushvalue(L, -3);
        lua_rawseti(L, -2, LINES);
        lua_rawsetp(L, -2, role);
    }
    lua_settop(L, top);
}

/* Pushes the role's answers, or nil. */
static bool push_answers(lua_State *L, const struct role *role)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &answers_key) == LUA_TTABLE)
        lua_rawgetp(L, -1, role);
    else
        lua_pushnil(L);
    lua_remove(L, -2);
    return lua_istable(L, -1);
}

void input_begin_anew(lua_State *L, const struct role *role)
{
    if (push_answers(L, role)) {
        lua_pushnil(L);
        lua_rawseti(L, -2, TAKEN);
    }
    lua_pop(L, 1);
}

/* Pushes the next answer of the table on top, or nil. */
static void push_next_answer(lua_State *L)
{
    lua_rawgeti(L, -1, TAKEN);
    lua_Integer next = lua_tointeger(L, -1) + 1;
    lua_pop(L, 1);
    lua_pushinteger(L, next);
    lua_rawseti(L, -2, TAKEN);
    lua_rawgeti(L, -1, LINES);
    lua_rawgeti(L, -1, next);
}

static int finish_input(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    const struct call_result *result = script_call_check(L);
    if (result->end_of_stream)
        lua_pushnil(L);
    else
        lua_pushlstring(L, (const char *)result->bytes, result->length);
    return 1;
}

static int input(lua_State *L)
{
    size_t length, line_length = 0;
    lua_settop(L, 1);
    if (lua_isnil(L, 1))
        lua_pushliteral(L, "");
    const char *prompt = luaL_tolstring(L, -1, &length);
    struct task *task = script_call_begin(L, "input", CALL_AT_ONCE);
    if (!push_answers(L, task_role(task))) {
        script_call_begin(L, "input", CALL_WAITS);
        return script_call_end(L, task_input(task, prompt, length), 0, finish_input);
    }
    push_next_answer(L);
    const char *line = lua_tolstring(L, -1, &line_length);
    task_answer(task, prompt, length, line, line_length);
    return 1;
}

void input_api_open(lua_State *L)
{
    lua_pushcfunction(L, input);
    lua_setglobal(L, "input");
}
