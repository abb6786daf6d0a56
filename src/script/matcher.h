/*
 * matcher.h - Lua's patterns, matched within the script's limits.
 *
 * Lua's own matcher is a loop in C that no hook can stop, and a pattern such as ".-.-.-.-x" keeps
 * it busy for longer than anybody waits. This one counts its steps as instructions of the script
 * (script_charge), so that a hopeless pattern ends like any other endless loop: with an error that
 * names the line.
 *
 * A pattern is translated into items first, so a malformed one is an error even where Lua's own
 * would not get to the fault. Otherwise both understand patterns alike (Lua 5.4 manual, 6.4.1).
 */
#ifndef HANDLENS_SCRIPT_MATCHER_H
#define HANDLENS_SCRIPT_MATCHER_H

#include <stdint.h>

#include "script/state.h"

#define MATCHER_CAPTURES 32

struct matcher_item;

/* Where a capture lies; length may be one of these. */
enum { CAPTURE_OPEN = -1, CAPTURE_POSITION = -2 };
struct capture {
    const char *start;
    ptrdiff_t length;
};

struct matcher {
    const struct matcher_item *items; /* in a userdata */
    const char *begin, *end;          /* of the subject */
    struct capture captures[MATCHER_CAPTURES];
    int level; /* captures so far */
    int depth;
    uint64_t steps; /* not charged yet */
};

/* Pushes a userdata with the items of the pattern, which may have been kept from an earlier call.
 * Raises an error for a malformed one. */
const struct matcher_item *matcher_compile(lua_State *L, const char *pattern, size_t length);

/*
 * Matches at one place of the subject. Returns the match's end or NULL; the captures are in the
 * matcher. Raises an error when a limit is reached or the pattern goes too deep.
 */
const char *matcher_try(lua_State *L, struct matcher *matcher, const char *at);

/* The steps that are left over count, too: call it at the end. */
void matcher_settle(lua_State *L, struct matcher *matcher);

/* matcher_api.c: find, match, gmatch and gsub, into the table string on top. */
void matcher_register(lua_State *L);

#endif
