/*
 * Library functions that may work long in C, where the count hook cannot see them. Each stands for
 * the instructions that a script would need for the like, and is charged for them before it works:
 * so a loop over them ends as early as any other, and a single call that would never end does not
 * begin. They are called in place, so that their own error messages stay as they are.
 */
#include "script/state.h"

/* More elements than memory has room for: the range of a loop that only C would run. */
#define RANGE_LIMIT           (INT64_C(1) << 26)
#define BYTES_PER_INSTRUCTION 8

/* Upvalue 1 is Lua's own. */
static int call(lua_State *L)
{
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* By the bytes of its arguments, of which it uses all. */
static int of_text(lua_State *L)
{
    uint64_t bytes = 0;
    for (int i = lua_gettop(L); i > 0; i--)
        if (lua_type(L, i) == LUA_TSTRING)
            bytes += lua_rawlen(L, i);
    script_charge(L, bytes / BYTES_PER_INSTRUCTION);
    return call(L);
}

/* By the bytes of its result; and nothing, repeated 2^60 times, is nothing. */
static int of_rep(lua_State *L)
{
    size_t length, separator = 0;
    luaL_checklstring(L, 1, &length);
    lua_Integer times = luaL_checkinteger(L, 2);
    luaL_optlstring(L, 3, "", &separator);
    if (length + separator == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    /* What is too large for memory is not begun, and so costs nothing. */
    if (times > 0 && (lua_Unsigned)times < script_of(L)->limits.memory / (length + separator))
        script_charge(L, (lua_Unsigned)times * (length + separator) / BYTES_PER_INSTRUCTION);
    return call(L);
}

static int of_move(lua_State *L)
{
    lua_Integer from = luaL_checkinteger(L, 2);
    lua_Integer to = luaL_checkinteger(L, 3);
    if (to > from && (lua_Unsigned)to - (lua_Unsigned)from > (lua_Unsigned)RANGE_LIMIT)
        return luaL_error(L, "table.move: %I elements are too many", to - from);
    script_charge(L, to > from ? (uint64_t)(to - from) : 0);
    return call(L);
}

/* How many elements the table at 1 says it has. */
static uint64_t check_length(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_Integer length = lua_istable(L, 1) ? luaL_len(L, 1) : 0;
    if (length > RANGE_LIMIT)
        luaL_error(L, "the table says it has %I elements; that is too many", length);
    return length > 0 ? (uint64_t)length : 0;
}

/* In the middle, it moves all behind. */
static int of_insert(lua_State *L)
{
    uint64_t length = check_length(L);
    script_charge(L, lua_gettop(L) > 2 ? length : 0);
    return call(L);
}

static int of_remove(lua_State *L)
{
    uint64_t length = check_length(L);
    script_charge(L, lua_gettop(L) > 1 ? length : 0);
    return call(L);
}

static int of_concat(lua_State *L)
{
    script_charge(L, check_length(L));
    return call(L);
}

static int of_sort(lua_State *L)
{
    uint64_t length = check_length(L);
    uint64_t rounds = 0; /* the logarithm */
    while (length >> rounds > 1)
        rounds++;
    script_charge(L, length * rounds);
    return call(L);
}

void priced_strings(lua_State *L)
{
    state_wrap(L, "format", of_text);
    state_wrap(L, "lower", of_text);
    state_wrap(L, "pack", of_text);
    state_wrap(L, "rep", of_rep);
    state_wrap(L, "reverse", of_text);
    state_wrap(L, "upper", of_text);
}

void priced_utf8(lua_State *L)
{
    state_wrap(L, "len", of_text);
}

void priced_tables(lua_State *L)
{
    state_wrap(L, "concat", of_concat);
    state_wrap(L, "insert", of_insert);
    state_wrap(L, "move", of_move);
    state_wrap(L, "remove", of_remove);
    state_wrap(L, "sort", of_sort);
}
