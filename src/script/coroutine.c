/*
 * The coroutine library of a lab.
 *
 * Theory of operation. A socket call that waits yields to the host, which resumes the task when
 * the wait is over. Inside a coroutine of the script's own, that yield arrives at the script's
 * coroutine.resume first. The library here tells the two apart by script->parked: such a yield is
 * none of the script's business, so the resume yields on to its own resumer, and when it is
 * resumed it resumes the inner coroutine again. So the whole task waits, however deep the call
 * stands.
 *
 * A resume that stands below a C function (a sort's comparison) cannot yield on. It counts itself
 * in script->barriers, and no waiting call begins while there are any (call.c).
 */
#include <string.h>

#include "script/state.h"

/* The registry's table of the coroutines whose task waits in a call of theirs; weak keys. */
static const char parked_key = 'p';

/* What one resume of a coroutine costs, in instructions, for the limit (state.c): each
 * coroutine counts to SCRIPT_STEP by itself, so short-lived ones would never be counted. */
#define RESUME_COST 100

static void set_parked(lua_State *L, int index, bool parked)
{
    index = lua_absindex(L, index);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &parked_key);
    lua_pushvalue(L, index);
    if (parked)
        lua_pushboolean(L, 1);
    else
        lua_pushnil(L);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

static bool is_parked(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &parked_key);
    lua_pushvalue(L, index);
    bool parked = lua_rawget(L, -2) != LUA_TNIL;
    lua_pop(L, 2);
    return parked;
}

static lua_State *check_coroutine(lua_State *L, int index)
{
    lua_State *co = lua_tothread(L, index);
    luaL_argexpected(L, co != NULL, index, "coroutine");
    return co;
}

static const char *status_of(lua_State *L, int index)
{
    lua_State *co = lua_tothread(L, index);
    lua_Debug frame;
    if (co == L)
        return "running";
    if (is_parked(L, index))
        return "normal";
    switch (lua_status(co)) {
    case LUA_YIELD:
        return "suspended";
    case LUA_OK:
        if (lua_getstack(co, 0, &frame))
            return "normal";
        return lua_gettop(co) == 0 ? "dead" : "suspended";
    default:
        return "dead";
    }
}

/* The end of one lua_resume. Where the stack below the results is left alone: at index is the
 * coroutine. Returns the number of results pushed, -1 with the error pushed, or -2: park. */
static int after_resume(lua_State *L, lua_State *co, int status, int results)
{
    if (status == LUA_YIELD && script_of(L)->parked)
        return -2;
    if (status == LUA_OK || status == LUA_YIELD) {
        if (!lua_checkstack(L, results + 1)) {
            lua_pop(co, results);
            lua_pushliteral(L, "too many results to resume");
            return -1;
        }
        lua_xmove(co, L, results);
        return results;
    }
    script_check_stop(L, status);
    lua_xmove(co, L, 1);
    return -1;
}

static int resume_once(lua_State *L, lua_State *co, int arguments)
{
    struct script *script = script_of(L);
    bool barrier = !lua_isyieldable(L);
    int results = 0;
    script_charge(L, RESUME_COST);
    script->barriers += barrier;
    int status = lua_resume(co, L, arguments, &results);
    script->barriers -= barrier;
    return after_resume(L, co, status, results);
}

/* What a resume makes of its outcome: as coroutine.resume, or as a wrapped function. */
typedef int conclusion(lua_State *L, lua_State *co, int results);

static int conclude_resume(lua_State *L, lua_State *co, int results)
{
    (void)co;
    lua_pushboolean(L, results >= 0);
    if (results < 0)
        results = 1;
    lua_insert(L, -(results + 1));
    return results + 1;
}

static int conclude_wrap(lua_State *L, lua_State *co, int results)
{
    if (results >= 0)
        return results;
    int status = lua_status(co);
    if (status != LUA_OK && status != LUA_YIELD) {
        status = lua_resetthread(co); /* closes its <close> variables */
        script_check_stop(L, status);
        lua_xmove(co, L, 1); /* theirs, if they failed; else the same again */
    }
    if (lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        size_t length;
        const char *where = lua_tolstring(L, -1, &length);
        /* A function that wraps itself over and over would say the same place over and over. */
        bool said = strncmp(lua_tostring(L, -2), where, length) == 0;
        lua_insert(L, -2);
        if (!said)
            lua_concat(L, 2);
    }
    return lua_error(L);
}

/* Stack: 1 is the coroutine. */
static int go_on(lua_State *L, int arguments, conclusion *conclude, lua_KFunction again)
{
    lua_State *co = lua_tothread(L, 1);
    int results = resume_once(L, co, arguments);
    if (results == -2) {
        set_parked(L, 1, true);
        return lua_yieldk(L, 0, 0, again);
    }
    return conclude(L, co, results);
}

static int resume_again(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    set_parked(L, 1, false);
    return go_on(L, 0, conclude_resume, resume_again);
}

static int wrap_again(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    set_parked(L, 1, false);
    return go_on(L, 0, conclude_wrap, wrap_again);
}

/* Moves the arguments above the coroutine at 1 into it. Returns their number, or -1 with a message
 * pushed: it cannot be resumed. */
static int hand_over(lua_State *L)
{
    lua_State *co = lua_tothread(L, 1);
    int arguments = lua_gettop(L) - 1;
    const char *status = status_of(L, 1);
    if (status[0] != 's') {
        lua_pushfstring(L, "cannot resume %s coroutine",
                        status[0] == 'd' ? "dead" : "non-suspended");
        return -1;
    }
    if (!lua_checkstack(co, arguments)) {
        lua_pushliteral(L, "too many arguments to resume");
        return -1;
    }
    lua_xmove(L, co, arguments);
    return arguments;
}

static int coroutine_resume(lua_State *L)
{
    lua_State *co = check_coroutine(L, 1);
    int arguments = hand_over(L);
    if (arguments < 0)
        return conclude_resume(L, co, -1);
    return go_on(L, arguments, conclude_resume, resume_again);
}

static int wrapped(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    int arguments = hand_over(L);
    if (arguments < 0)
        return conclude_wrap(L, lua_tothread(L, 1), -1);
    return go_on(L, arguments, conclude_wrap, wrap_again);
}

static int coroutine_create(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *co = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    return 1;
}

static int coroutine_wrap(lua_State *L)
{
    coroutine_create(L);
    lua_pushcclosure(L, wrapped, 1);
    return 1;
}

static int coroutine_status(lua_State *L)
{
    check_coroutine(L, 1);
    lua_pushstring(L, status_of(L, 1));
    return 1;
}

static int coroutine_yield(lua_State *L)
{
    if (L == script_of(L)->base)
        return luaL_error(L, "coroutine.yield: this is not inside a coroutine of the script's own");
    return lua_yield(L, lua_gettop(L));
}

static int coroutine_isyieldable(lua_State *L)
{
    lua_State *co = lua_isthread(L, 1) ? lua_tothread(L, 1) : L;
    lua_pushboolean(L, co != script_of(L)->base && lua_isyieldable(co));
    return 1;
}

static int coroutine_running(lua_State *L)
{
    lua_pushthread(L);
    lua_pushboolean(L, L == script_of(L)->base);
    return 2;
}

static int coroutine_close(lua_State *L)
{
    lua_State *co = check_coroutine(L, 1);
    const char *status = status_of(L, 1);
    if (status[0] != 's' && status[0] != 'd')
        return luaL_error(L, "cannot close a %s coroutine", status);
    int result = lua_resetthread(co);
    if (result == LUA_OK) {
        lua_pushboolean(L, 1);
        return 1;
    }
    script_check_stop(L, result);
    lua_pushboolean(L, 0);
    lua_xmove(co, L, 1);
    return 2;
}

int coroutine_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"create", coroutine_create},
        {"resume", coroutine_resume},
        {"wrap", coroutine_wrap},
        {"status", coroutine_status},
        {"yield", coroutine_yield},
        {"isyieldable", coroutine_isyieldable},
        {"running", coroutine_running},
        {"close", coroutine_close},
        {NULL, NULL},
    };
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &parked_key);
    luaL_newlib(L, functions);
    return 1;
}
