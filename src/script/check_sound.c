/*
 * expect.sound: that the packets can be all that was said.
 */
#include <stdlib.h>
#include <string.h>

#include "check/sound.h"
#include "script/check_fields.h"
#include "script/check_judging.h"

/* The flow's index; -1 for the trace; -2 for anything else. */
static lua_Integer subject_of(lua_State *L)
{
    if (luaL_testudata(L, 1, CHECK_TYPE_TRACE) != NULL)
        return -1;
    const struct check_proxy *flow = luaL_testudata(L, 1, CHECK_TYPE_FLOW);
    return flow == NULL ? -2 : (lua_Integer)flow->item;
}

/* expect.sound(where, [words]) */
int check_expect_sound(lua_State *L)
{
    struct check_judging judging = check_begin(L, "expect.sound");
    const struct check_trace *trace = judging.checking->trace;
    struct soundness found = {0};
    enum trace_verdict verdict;
    const char *reason = check_missing(L, 1, &verdict);
    lua_Integer subject = subject_of(L);
    if (lua_type(L, 2) == LUA_TSTRING)
        judging.expectation->words = strdup(lua_tostring(L, 2));
    else if (subject >= 0)
        judging.expectation->words =
            check_format("flow %lld: each packet fits those before it", (long long)subject + 1);
    else
        judging.expectation->words = strdup("each packet fits those before it");
    if (reason != NULL)
        return check_end_with(&judging, verdict, reason);
    if (subject == -2)
        return check_mistake(&judging, "expect.sound takes the trace or a flow, not a %s",
                             luaL_typename(L, 1));
    if (subject == -1)
        sound_trace(trace, &found);
    else
        sound_flow(trace, (size_t)subject, &found);
    check_forget_notes(judging.checking);
    judging.expectation->packets = concerned_text(&found.concerned, trace);
    concerned_free(&found.concerned);
    if (found.count == 0)
        return check_end(&judging, TRACE_PASSED);
    char *seen = found.count == 1 ? strdup(found.first)
                                  : check_format("%s; and %zu more", found.first, found.count - 1);
    judging.expectation->seen = seen;
    return check_end(&judging, TRACE_FAILED);
}
