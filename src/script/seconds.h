/*
 * seconds.h - a script's durations are seconds, ours nanoseconds.
 */
#ifndef HANDLENS_SCRIPT_SECONDS_H
#define HANDLENS_SCRIPT_SECONDS_H

#include "script/state.h"
#include "support/clock.h"

#define SECONDS_LIMIT 1e9 /* some thirty years */

/* A number of seconds at least 0, in ns. */
static inline int64_t seconds_check(lua_State *L, int index)
{
    lua_Number seconds = luaL_checknumber(L, index);
    luaL_argcheck(L, seconds >= 0 && seconds <= SECONDS_LIMIT, index,
                  "seconds are a number from 0 on");
    lua_Number nanoseconds = seconds * (lua_Number)NANOSECONDS_PER_SECOND;
    int64_t whole = (int64_t)nanoseconds;
    return (lua_Number)whole < nanoseconds ? whole + 1 : whole; /* never shorter than asked for */
}

/* The same, or nil for ever: -1. */
static inline int64_t seconds_or_forever(lua_State *L, int index)
{
    return lua_isnoneornil(L, index) ? -1 : seconds_check(L, index);
}

#endif
