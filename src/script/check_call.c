/*
 * expect.call: that a role made a call, and what came of it.
 */
#include <stdlib.h>
#include <string.h>

#include "script/check_judging.h"

/* The result as a script may give it: errno's name, the number, the text without its quotes. */
static bool is_result(lua_State *L, int index, const struct check_trace *trace,
                      const struct check_call *call)
{
    size_t length;
    if (!call->returned)
        return false;
    if (call->error != 0)
        return lua_type(L, index) == LUA_TSTRING &&
               strcmp(lua_tostring(L, index), error_code_name(call->error)) == 0;
    const char *result = check_text(trace, call->result);
    const char *wanted = luaL_tolstring(L, index, &length);
    bool same = strcmp(wanted, result) == 0;
    if (!same && lua_type(L, index) == LUA_TSTRING) {
        /* "Hello" is shown in quotes and escaped, and a long one is cut. */
        char *quoted = check_value_text(L, index);
        size_t shown = strlen(result);
        bool cut = shown > 4 && strcmp(result + shown - 4, "\"\xe2\x80\xa6") == 0;
        same = quoted != NULL &&
               (cut ? strncmp(quoted, result, shown - 4) == 0 : strcmp(quoted, result) == 0);
        free(quoted);
    }
    lua_pop(L, 1);
    return same;
}

/* "connect", or with its arguments "connect(127.0.0.1:65432)". */
static bool is_call(const struct check_trace *trace, const struct check_call *call,
                    const char *role, const char *wanted)
{
    const char *name = check_text(trace, call->name);
    size_t length = strcspn(wanted, "(");
    if (call->role == 0 ||
        (strcmp(role, "*") != 0 &&
         strcmp(role, check_text(trace, trace->roles[call->role - 1].name)) != 0))
        return false;
    if (strlen(name) != length || strncmp(name, wanted, length) != 0)
        return false;
    if (wanted[length] == '\0')
        return true;
    const char *arguments = check_text(trace, call->arguments);
    size_t arguments_length = strlen(arguments);
    return strncmp(wanted + length + 1, arguments, arguments_length) == 0 &&
           strcmp(wanted + length + 1 + arguments_length, ")") == 0;
}

static void append_outcome(struct buffer *text, const struct check_trace *trace,
                           const struct check_call *call)
{
    const char *result = check_text(trace, call->result);
    if (!call->returned)
        buffer_append_text(text, "it never returned");
    else if (call->error != 0)
        buffer_append_text(text, error_code_name(call->error));
    else
        buffer_append_text(text, result[0] == '\0' ? "it returned nothing" : result);
}

/* What the calls of that name came to, the first few; or that there was none. */
static char *tell_calls(const struct check_trace *trace, const char *role, const char *wanted)
{
    struct buffer text = {0};
    size_t count = 0;
    for (size_t i = 0; i < trace->call_count; i++) {
        if (!is_call(trace, &trace->calls[i], role, wanted))
            continue;
        if (++count > 3)
            continue;
        buffer_append_text(&text, count == 1 ? "" : "; ");
        append_outcome(&text, trace, &trace->calls[i]);
        if (trace->calls[i].line != 0)
            buffer_printf(&text, " (line %u)", trace->calls[i].line);
    }
    if (count > 3)
        buffer_printf(&text, "; and %zu more", count - 3);
    if (count == 0 && strcmp(role, "*") == 0)
        buffer_append_text(&text, "nobody made such a call");
    else if (count == 0)
        buffer_printf(&text, "%s made no such call", role);
    char *copy = strdup(buffer_text(&text));
    buffer_free(&text);
    return copy;
}

static void concern_caused(struct concerned *concerned, const struct check_trace *trace,
                           uint32_t call)
{
    for (size_t i = 0; i < trace->packet_count; i++)
        if (trace->packets[i].cause == call)
            concerned_add(concerned, (uint32_t)i);
}

static bool find_call(lua_State *L, struct check_judging *judging, const char *role,
                      const char *wanted)
{
    const struct check_trace *trace = judging->checking->trace;
    bool any_result = lua_gettop(L) < 3, found = false;
    struct concerned concerned = {0};
    for (size_t i = 0; i < trace->call_count && !found; i++) {
        const struct check_call *call = &trace->calls[i];
        if (!is_call(trace, call, role, wanted))
            continue;
        concern_caused(&concerned, trace, call->call);
        found = any_result || is_result(L, 3, trace, call);
        if (found) {
            struct buffer text = {0};
            concerned.count = 0;
            concern_caused(&concerned, trace, call->call);
            append_outcome(&text, trace, call);
            judging->expectation->seen = strdup(buffer_text(&text));
            buffer_free(&text);
        }
    }
    judging->expectation->packets = concerned_text(&concerned, trace);
    concerned_free(&concerned);
    return found;
}

/* expect.call(role, call, [result]) */
int check_expect_call(lua_State *L)
{
    struct check_judging judging = check_begin(L, "expect.call");
    const struct check_trace *trace = judging.checking->trace;
    const char *role = lua_tostring(L, 1), *wanted = lua_tostring(L, 2);
    if (role == NULL || wanted == NULL) {
        judging.expectation->words = strdup("a role makes a call");
        return check_mistake(&judging, "expect.call takes a role, a call and its result, such as "
                                       "expect.call(\"client\", \"connect\", \"ECONNREFUSED\")");
    }
    char *result = lua_gettop(L) < 3 ? NULL : check_value_text(L, 3);
    bool code = lua_type(L, 3) == LUA_TSTRING && lua_tostring(L, 3)[0] == 'E' &&
                strspn(lua_tostring(L, 3), "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") ==
                    strlen(lua_tostring(L, 3));
    judging.expectation->words =
        check_format("%s calls %s%s%s", strcmp(role, "*") == 0 ? "somebody" : role, wanted,
                     result == NULL ? ""
                     : code         ? ", which fails with "
                                    : ", which returns ",
                     result == NULL ? ""
                     : code         ? lua_tostring(L, 3)
                                    : result);
    judging.expectation->expected = result;
    if (!trace->recorded)
        return check_end_with(&judging, TRACE_NOT_JUDGED, "the capture has no calls, only packets");
    check_forget_notes(judging.checking);
    if (find_call(L, &judging, role, wanted))
        return check_end(&judging, TRACE_PASSED);
    judging.expectation->seen = tell_calls(trace, role, wanted);
    return check_end(&judging, TRACE_FAILED);
}
