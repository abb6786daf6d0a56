/*
 * expect: what a check says must be so. Each function judges at once, adds its verdict and goes
 * on; none raises an error for what the trace shows. They return whether it holds, or nil where it
 * cannot be judged.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/call.h"
#include "script/checking.h"

/* Patterns of one expect.order or expect.never. */
#define PATTERNS_LIMIT 1000

/* One expectation while it is judged. */
struct judging {
    lua_State *L;
    struct checking *checking;
    struct script_site site;
    const char *function; /* "expect.equal" */
    struct expectation *expectation;
};

static char *print_text(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    return text;
}

static struct judging begin(lua_State *L, const char *function)
{
    struct judging judging = {
        .L = L,
        .checking = checking_of(L, function),
        .site = script_site_of(L, 0),
        .function = function,
    };
    judging.expectation = judgement_add(judging.checking->judgement, TRACE_FAILED);
    if (judging.expectation == NULL)
        luaL_error(L, "%s: the check has made more than %d expectations", function, JUDGE_LIMIT);
    return judging;
}

/* Words must have been found before: they count the expectations of their line. */
static int end(struct judging *judging, enum trace_verdict verdict)
{
    struct expectation *expectation = judging->expectation;
    struct checking *checking = judging->checking;
    judgement_set(checking->judgement, expectation, verdict);
    expectation->line = judging->site.line;
    expectation->script = strdup(judging->site.file);
    if (expectation->packets == NULL)
        expectation->packets = check_noted(checking, judging->site.line);
    if (verdict == TRACE_FAILED && checking->remark[0] != '\0' && expectation->remark == NULL &&
        checking->remark_line == judging->site.line)
        expectation->remark = strdup(checking->remark);
    check_forget_notes(checking);
    if (verdict == TRACE_NOT_JUDGED)
        lua_pushnil(judging->L);
    else
        lua_pushboolean(judging->L, verdict == TRACE_PASSED);
    return 1;
}

static int end_with(struct judging *judging, enum trace_verdict verdict, const char *seen)
{
    judging->expectation->seen = strdup(seen);
    return end(judging, verdict);
}

/* The script's own words for argument n (from 0), or the otherwise. To be freed. */
static char *source(const struct judging *judging, size_t n, const char *otherwise)
{
    char *text = check_source(judging->L, judging->site, judging->function, n);
    return text != NULL ? text : strdup(otherwise);
}

/* Words given as the argument at index, or "A verb B" out of the script's text. */
static void set_words(struct judging *judging, int index, const char *verb, char *second)
{
    if (lua_type(judging->L, index) == LUA_TSTRING) {
        judging->expectation->words = strdup(lua_tostring(judging->L, index));
    } else {
        char *first = source(judging, 0, "the value");
        judging->expectation->words = print_text(
            "%s %s%s%s", first, verb, second == NULL ? "" : " ", second == NULL ? "" : second);
        free(first);
    }
    free(second);
}

/* Whether one of the first count arguments is missing, or may lack what a loop over something
 * missing would have given it. Then *result is what the function returns. */
static bool cannot_judge(struct judging *judging, int count, int *result)
{
    struct checking *checking = judging->checking;
    for (int i = 1; i <= count; i++) {
        enum trace_verdict verdict;
        const char *reason = check_missing(judging->L, i, &verdict);
        if (reason == NULL)
            continue;
        *result = end_with(judging, verdict, reason);
        return true;
    }
    if (!checking->tainted || check_has_notes(checking))
        return false;
    *result = end_with(judging, TRACE_NOT_JUDGED, checking->taint_reason);
    return true;
}

/* A mistake in the check itself. */
static int refuse(struct judging *judging, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    judging->expectation->broken = true;
    return end_with(judging, TRACE_FAILED, text);
}

static bool is_comparable(lua_State *L, int index)
{
    int type = lua_type(L, index);
    return type == LUA_TNIL || type == LUA_TBOOLEAN || type == LUA_TNUMBER || type == LUA_TSTRING ||
           type == LUA_TUSERDATA;
}

/* An address or a packet is compared by what it is as a text, where the other one is a text. */
static bool are_equal(lua_State *L, int a, int b)
{
    bool as_text = (lua_type(L, a) == LUA_TUSERDATA) != (lua_type(L, b) == LUA_TUSERDATA);
    if (!as_text)
        return lua_compare(L, a, b, LUA_OPEQ);
    luaL_tolstring(L, a, NULL);
    luaL_tolstring(L, b, NULL);
    bool equal = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return equal;
}

/* Where two long texts part. */
static void remark_on_texts(struct judging *judging)
{
    lua_State *L = judging->L;
    size_t seen_length, expected_length, same = 0;
    if (lua_type(L, 1) != LUA_TSTRING || lua_type(L, 2) != LUA_TSTRING)
        return;
    const char *seen = lua_tolstring(L, 1, &seen_length);
    const char *expected = lua_tolstring(L, 2, &expected_length);
    while (same < seen_length && same < expected_length && seen[same] == expected[same])
        same++;
    if (same >= 8 && judging->checking->remark[0] == '\0')
        judging->expectation->remark =
            print_text("the first %zu bytes are as expected; %zu came, %zu were expected", same,
                       seen_length, expected_length);
}

/* expect.equal(seen, expected, [words]) */
static int expect_equal(lua_State *L)
{
    struct judging judging = begin(L, "expect.equal");
    int result;
    set_words(&judging, 3, "is", check_value_text(L, 2));
    if (lua_gettop(L) < 2)
        return refuse(&judging, "expect.equal takes two values: what is seen, what is expected");
    judging.expectation->expected = check_value_text(L, 2);
    if (cannot_judge(&judging, 2, &result))
        return result;
    if (!is_comparable(L, 1) || !is_comparable(L, 2))
        return refuse(&judging,
                      "expect.equal compares texts, numbers and truth values, not a %s with a %s",
                      luaL_typename(L, 1), luaL_typename(L, 2));
    judging.expectation->seen = check_value_text(L, 1);
    if (are_equal(L, 1, 2))
        return end(&judging, TRACE_PASSED);
    remark_on_texts(&judging);
    return end(&judging, TRACE_FAILED);
}

/* expect.less(smaller, larger, [words]) */
static int expect_less(lua_State *L)
{
    struct judging judging = begin(L, "expect.less");
    int result;
    char *limit = source(&judging, 1, "the limit");
    set_words(&judging, 3, "is less than", limit);
    if (cannot_judge(&judging, 2, &result))
        return result;
    int type = lua_type(L, 1);
    if (type != lua_type(L, 2) || (type != LUA_TNUMBER && type != LUA_TSTRING))
        return refuse(&judging, "expect.less compares two numbers or two texts, not a %s with a %s",
                      luaL_typename(L, 1), luaL_typename(L, 2));
    char *text = check_value_text(L, 2);
    judging.expectation->expected = print_text("less than %s", text);
    free(text);
    judging.expectation->seen = check_value_text(L, 1);
    return end(&judging, lua_compare(L, 1, 2, LUA_OPLT) ? TRACE_PASSED : TRACE_FAILED);
}

/* expect.matches(text, pattern, [words]); upvalue 1 is string.find. */
static int expect_matches(lua_State *L)
{
    struct judging judging = begin(L, "expect.matches");
    int result;
    set_words(&judging, 3, "matches", check_value_text(L, 2));
    if (cannot_judge(&judging, 2, &result))
        return result;
    if (lua_type(L, 1) != LUA_TSTRING || lua_type(L, 2) != LUA_TSTRING)
        return refuse(&judging, "expect.matches takes a text and a pattern, not a %s and a %s",
                      luaL_typename(L, 1), luaL_typename(L, 2));
    char *pattern = check_value_text(L, 2);
    judging.expectation->expected = print_text("a text that matches %s", pattern);
    free(pattern);
    judging.expectation->seen = check_value_text(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    int status = lua_pcall(L, 2, 1, 0);
    if (status != LUA_OK) {
        script_check_stop(L, status);
        free(judging.expectation->seen);
        judging.expectation->seen = NULL;
        return refuse(&judging, "%s", lua_tostring(L, -1));
    }
    return end(&judging, lua_toboolean(L, -1) ? TRACE_PASSED : TRACE_FAILED);
}

/* expect.truth(value, [words]) */
static int expect_truth(lua_State *L)
{
    struct judging judging = begin(L, "expect.truth");
    int result;
    set_words(&judging, 2, "holds", NULL);
    if (cannot_judge(&judging, 1, &result))
        return result;
    judging.expectation->expected = strdup("true");
    judging.expectation->seen = check_value_text(L, 1);
    return end(&judging, lua_toboolean(L, 1) ? TRACE_PASSED : TRACE_FAILED);
}

/* Of the packets in question, where that is not the whole trace. */
static void append_where(struct judging *judging, struct buffer *words)
{
    if (lua_isuserdata(judging->L, 1) && check_missing(judging->L, 1, NULL) == NULL) {
        luaL_tolstring(judging->L, 1, NULL);
        if (strcmp(lua_tostring(judging->L, -1), "the trace") != 0)
            buffer_printf(words, "%s: ", lua_tostring(judging->L, -1));
        lua_pop(judging->L, 1);
    }
}

static void set_pattern_words(struct judging *judging, const char *verb, const char *joint)
{
    struct buffer words = {0};
    append_where(judging, &words);
    buffer_append_text(&words, verb);
    for (int i = 2; i <= lua_gettop(judging->L); i++) {
        const char *text = lua_tostring(judging->L, i);
        buffer_printf(&words, "%s%s", i == 2 ? "" : joint, text == NULL ? "?" : text);
    }
    judging->expectation->words = strdup(buffer_text(&words));
    buffer_free(&words);
}

/*
 * Reads the patterns behind the first argument. Returns NULL where they cannot be judged; then
 * *result is what the function returns. The patterns are a Lua value on the stack.
 */
static struct pattern *read_patterns(struct judging *judging, int *result)
{
    lua_State *L = judging->L;
    int count = lua_gettop(L) - 1;
    struct error error;
    if (count < 1 || count > PATTERNS_LIMIT) {
        *result = refuse(judging, "%s takes the trace or a flow, and then patterns of packets",
                         judging->function);
        return NULL;
    }
    struct pattern *patterns = lua_newuserdatauv(L, (size_t)count * sizeof *patterns, 0);
    for (int i = 0; i < count; i++) {
        if (lua_type(L, i + 2) != LUA_TSTRING) {
            *result =
                refuse(judging, "pattern %d is a %s; it must be a text such as \"client SYN\"",
                       i + 1, luaL_typename(L, i + 2));
            return NULL;
        }
        if (!pattern_parse(&patterns[i], lua_tostring(L, i + 2), &error)) {
            *result = refuse(judging, "\"%s\": %s", lua_tostring(L, i + 2), error.text);
            return NULL;
        }
    }
    for (int i = 0; i < count; i++) {
        if (pattern_role_known(&patterns[i], judging->checking->trace, &error))
            continue;
        if (error.status == STATUS_DONE)
            *result = end_with(judging, TRACE_NOT_JUDGED, error.text);
        else
            *result = refuse(judging, "\"%s\": %s", patterns[i].text, error.text);
        return NULL;
    }
    return patterns;
}

static bool read_packets(struct judging *judging, struct packet_list *list, int *result)
{
    enum trace_verdict verdict;
    const char *reason = check_missing(judging->L, 1, &verdict);
    if (reason != NULL) {
        *result = end_with(judging, verdict, reason);
        return false;
    }
    if (check_packet_list(judging->L, 1, list))
        return true;
    *result = refuse(judging, "%s begins with the trace, a flow or a list of packets, not a %s",
                     judging->function, luaL_typename(judging->L, 1));
    return false;
}

/* expect.order(where, pattern, …) */
static int expect_order(lua_State *L)
{
    struct judging judging = begin(L, "expect.order");
    struct packet_list list;
    int result;
    set_pattern_words(&judging, "in this order: ", ", ");
    if (!read_packets(&judging, &list, &result))
        return result;
    size_t count = (size_t)lua_gettop(L) - 1;
    struct pattern *patterns = read_patterns(&judging, &result);
    if (patterns == NULL)
        return result;
    bool holds = sequence_judge(&list, patterns, count, judging.expectation);
    return end(&judging, holds ? TRACE_PASSED : TRACE_FAILED);
}

/* expect.never(where, pattern, …) */
static int expect_never(lua_State *L)
{
    struct judging judging = begin(L, "expect.never");
    struct packet_list list;
    struct concerned concerned = {0};
    int result;
    set_pattern_words(&judging, "never ", ", never ");
    if (!read_packets(&judging, &list, &result))
        return result;
    size_t count = (size_t)lua_gettop(L) - 1;
    const struct pattern *patterns = read_patterns(&judging, &result);
    if (patterns == NULL)
        return result;
    check_forget_notes(judging.checking);
    for (size_t i = 0; i < list.count; i++) {
        uint32_t index;
        const struct check_packet *packet = packet_list_at(&list, i, &index);
        for (size_t n = 0; n < count; n++) {
            if (!pattern_match(&patterns[n], list.trace, packet))
                continue;
            if (concerned.count == 0) {
                char *line = packet_line(list.trace, packet);
                judging.expectation->seen =
                    print_text("packet %llu: %s", (unsigned long long)packet->number, line);
                free(line);
            }
            concerned_add(&concerned, index);
        }
    }
    bool holds = concerned.count == 0;
    judging.expectation->expected = strdup("no such packet");
    judging.expectation->packets = concerned_text(&concerned, list.trace);
    concerned_free(&concerned);
    return end(&judging, holds ? TRACE_PASSED : TRACE_FAILED);
}

/* expect.call. */

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
    if (count == 0)
        buffer_printf(&text, "%s made no such call", strcmp(role, "*") == 0 ? "nobody" : role);
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

static bool find_call(lua_State *L, struct judging *judging, const char *role, const char *wanted)
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
static int expect_call(lua_State *L)
{
    struct judging judging = begin(L, "expect.call");
    const struct check_trace *trace = judging.checking->trace;
    const char *role = lua_tostring(L, 1), *wanted = lua_tostring(L, 2);
    if (role == NULL || wanted == NULL)
        return refuse(&judging, "expect.call takes a role, a call and its result, such as "
                                "expect.call(\"client\", \"connect\", \"ECONNREFUSED\")");
    char *result = lua_gettop(L) < 3 ? NULL : check_value_text(L, 3);
    bool code = lua_type(L, 3) == LUA_TSTRING && lua_tostring(L, 3)[0] == 'E' &&
                strspn(lua_tostring(L, 3), "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") ==
                    strlen(lua_tostring(L, 3));
    judging.expectation->words =
        print_text("%s calls %s%s%s", strcmp(role, "*") == 0 ? "somebody" : role, wanted,
                   result == NULL ? ""
                   : code         ? ", which fails with "
                                  : ", which returns ",
                   result == NULL ? ""
                   : code         ? lua_tostring(L, 3)
                                  : result);
    judging.expectation->expected = result;
    if (!trace->recorded)
        return end_with(&judging, TRACE_NOT_JUDGED, "the capture has no calls, only packets");
    check_forget_notes(judging.checking);
    if (find_call(L, &judging, role, wanted))
        return end(&judging, TRACE_PASSED);
    judging.expectation->seen = tell_calls(trace, role, wanted);
    return end(&judging, TRACE_FAILED);
}

void check_expect_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"equal", expect_equal},
        {"less", expect_less},
        {"truth", expect_truth},
        {"order", expect_order},
        {"never", expect_never},
        {"call", expect_call},
        {NULL, NULL},
    };
    check_values_open(L);
    luaL_newlib(L, functions);
    lua_getglobal(L, "string");
    lua_getfield(L, -1, "find");
    lua_remove(L, -2);
    lua_pushcclosure(L, expect_matches, 1);
    lua_setfield(L, -2, "matches");
    names_make_strict(L, "expect");
    lua_setglobal(L, "expect");
}
