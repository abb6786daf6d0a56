/*
 * check_judging.h - one expectation from the call of an expect function to its verdict. For
 * src/script/check*.c only.
 */
#ifndef HANDLENS_SCRIPT_CHECK_JUDGING_H
#define HANDLENS_SCRIPT_CHECK_JUDGING_H

#include "script/checking.h"

struct check_judging {
    lua_State *L;
    struct checking *checking;
    struct script_site site;
    const char *function; /* "expect.equal" */
    struct expectation *expectation;
};

/* A new expectation, failed until it has its verdict: an error on the way must not pass. */
struct check_judging check_begin(lua_State *L, const char *function);

/*
 * The verdict. Each returns what the function returns to Lua. The words must be there before: they
 * are found by counting the expectations of the line.
 */
int check_end(struct check_judging *judging, enum trace_verdict verdict);
int check_end_with(struct check_judging *judging, enum trace_verdict verdict, const char *seen);
/* The check itself is wrong here. */
int check_mistake(struct check_judging *judging, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* To be freed; NULL out of memory. */
char *check_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* check_call.c */
int check_expect_call(lua_State *L);
/* check_sound.c */
int check_expect_sound(lua_State *L);

#endif
