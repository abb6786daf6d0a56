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
#include "script/check_judging.h"

/* Texts longer than this are told apart by a remark too, bytes. */
#define LONG_TEXT 60

/* Patterns of one expect.order or expect.never. */
#define PATTERNS_LIMIT 1000

char *check_format(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    return text;
}

struct check_judging check_begin(lua_State *L, const char *function)
{
    struct check_judging judging = {
        .L = L,
        .checking = checking_of(L, function),
        .site = script_site_of(L, 0),
        .function = function,
    };
    if (judging.checking->judgement->count == JUDGE_LIMIT)
        luaL_error(L, "%s: the check has made more than %d expectations", function, JUDGE_LIMIT);
    judging.expectation = judgement_add(judging.checking->judgement, TRACE_FAILED);
    if (judging.expectation == NULL)
        luaL_error(L, "%s: out of memory", function);
    return judging;
}

/* Words must have been found before: they count the expectations of their line. */
int check_end(struct check_judging *judging, enum trace_verdict verdict)
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

int check_end_with(struct check_judging *judging, enum trace_verdict verdict, const char *seen)
{
    judging->expectation->seen = strdup(seen);
    return check_end(judging, verdict);
}

/* The script's own words for argument n (from 0), or the otherwise. To be freed. */
static char *source(const struct check_judging *judging, size_t n, const char *otherwise)
{
    char *text = check_source(judging->L, judging->site, judging->function, n);
    return text != NULL ? text : strdup(otherwise);
}

/* Words given as the argument at index, or "A verb B" out of the script's text. */
static void set_words(struct check_judging *judging, int index, const char *verb, char *second)
{
    if (lua_type(judging->L, index) == LUA_TSTRING) {
        judging->expectation->words = strdup(lua_tostring(judging->L, index));
    } else {
        char *first = source(judging, 0, "the value");
        judging->expectation->words = check_format(
            "%s %s%s%s", first, verb, second == NULL ? "" : " ", second == NULL ? "" : second);
        free(first);
    }
    free(second);
}

/* Whether one of the first count arguments is missing, or may lack what a loop over something
 * missing would have given it. Then *result is what the function returns. */
static bool cannot_judge(struct check_judging *judging, int count, int *result)
{
    struct checking *checking = judging->checking;
    for (int i = 1; i <= count; i++) {
        enum trace_verdict verdict;
        const char *reason = check_missing(judging->L, i, &verdict);
        if (reason == NULL)
            continue;
        *result = check_end_with(judging, verdict, reason);
        return true;
    }
    if (!checking->tainted || check_has_notes(checking))
        return false;
    *result = check_end_with(judging, TRACE_NOT_JUDGED, checking->taint_reason);
    return true;
}

/* A mistake in the check itself. */
int check_mistake(struct check_judging *judging, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    judging->expectation->broken = true;
    return check_end_with(judging, TRACE_FAILED, text);
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
static void remark_on_texts(struct check_judging *judging)
{
    lua_State *L = judging->L;
    size_t seen_length, expected_length, same = 0;
    if (lua_type(L, 1) != LUA_TSTRING || lua_type(L, 2) != LUA_TSTRING)
        return;
    const char *seen = lua_tolstring(L, 1, &seen_length);
    const char *expected = lua_tolstring(L, 2, &expected_length);
    while (same < seen_length && same < expected_length && seen[same] == expected[same])
        same++;
    bool is_long = seen_length > LONG_TEXT || expected_length > LONG_TEXT;
    if (is_long && judging->checking->remark[0] == '\0')
        judging->expectation->remark =
            check_format("the first %zu bytes are as expected; %zu came, %zu were expected", same,
                         seen_length, expected_length);
}

/* expect.equal(seen, expected, [words]) */
static int expect_equal(lua_State *L)
{
    struct check_judging judging = check_begin(L, "expect.equal");
    int result = 0;
    set_words(&judging, 3, "is", check_value_text(L, 2));
    if (lua_gettop(L) < 2)
        return check_mistake(&judging,
                             "expect.equal takes two values: what is seen, what is expected");
    judging.expectation->expected = check_value_text(L, 2);
    if (cannot_judge(&judging, 2, &result))
        return result;
    if (!is_comparable(L, 1) || !is_comparable(L, 2))
        return check_mistake(
            &judging, "expect.equal compares texts, numbers and truth values, not a %s with a %s",
            luaL_typename(L, 1), luaL_typename(L, 2));
    judging.expectation->seen = check_value_text(L, 1);
    if (are_equal(L, 1, 2))
        return check_end(&judging, TRACE_PASSED);
    remark_on_texts(&judging);
    return check_end(&judging, TRACE_FAILED);
}

/* expect.less(smaller, larger, [words]) */
static int expect_less(lua_State *L)
{
    struct check_judging judging = check_begin(L, "expect.less");
    int result = 0;
    char *limit = source(&judging, 1, "the limit");
    set_words(&judging, 3, "is less than", limit);
    if (cannot_judge(&judging, 2, &result))
        return result;
    int type = lua_type(L, 1);
    if (lua_gettop(L) >= 2 && (lua_isnil(L, 1) || lua_isnil(L, 2)))
        return check_end_with(&judging, TRACE_FAILED, "nil");
    if (type != lua_type(L, 2) || (type != LUA_TNUMBER && type != LUA_TSTRING))
        return check_mistake(&judging,
                             "expect.less compares two numbers or two texts, not a %s with a %s",
                             luaL_typename(L, 1), luaL_typename(L, 2));
    char *text = check_value_text(L, 2);
    judging.expectation->expected = check_format("less than %s", text);
    free(text);
    judging.expectation->seen = check_value_text(L, 1);
    return check_end(&judging, lua_compare(L, 1, 2, LUA_OPLT) ? TRACE_PASSED : TRACE_FAILED);
}

/* expect.matches(text, pattern, [words]); upvalue 1 is string.find. */
static int expect_matches(lua_State *L)
{
    struct check_judging judging = check_begin(L, "expect.matches");
    int result = 0;
    set_words(&judging, 3, "matches", check_value_text(L, 2));
    if (cannot_judge(&judging, 2, &result))
        return result;
    if (lua_isnil(L, 1) && lua_type(L, 2) == LUA_TSTRING)
        return check_end_with(&judging, TRACE_FAILED, "nil");
    if (lua_type(L, 1) != LUA_TSTRING || lua_type(L, 2) != LUA_TSTRING)
        return check_mistake(&judging,
                             "expect.matches takes a text and a pattern, not a %s and a %s",
                             luaL_typename(L, 1), luaL_typename(L, 2));
    char *pattern = check_value_text(L, 2);
    judging.expectation->expected = check_format("a text that matches %s", pattern);
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
        return check_mistake(&judging, "%s", lua_tostring(L, -1));
    }
    return check_end(&judging, lua_toboolean(L, -1) ? TRACE_PASSED : TRACE_FAILED);
}

/* expect.truth(value, [words]) */
static int expect_truth(lua_State *L)
{
    struct check_judging judging = check_begin(L, "expect.truth");
    int result = 0;
    set_words(&judging, 2, "holds", NULL);
    if (cannot_judge(&judging, 1, &result))
        return result;
    judging.expectation->expected = strdup("true");
    judging.expectation->seen = check_value_text(L, 1);
    return check_end(&judging, lua_toboolean(L, 1) ? TRACE_PASSED : TRACE_FAILED);
}

/* Of the packets in question, where that is not the whole trace. */
static void append_where(struct check_judging *judging, struct buffer *words)
{
    if (lua_isuserdata(judging->L, 1) && check_missing(judging->L, 1, NULL) == NULL) {
        luaL_tolstring(judging->L, 1, NULL);
        if (strcmp(lua_tostring(judging->L, -1), "the trace") != 0)
            buffer_printf(words, "%s: ", lua_tostring(judging->L, -1));
        lua_pop(judging->L, 1);
    }
}

static void set_pattern_words(struct check_judging *judging, const char *verb, const char *joint)
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
static struct pattern *read_patterns(struct check_judging *judging, int *result)
{
    lua_State *L = judging->L;
    int count = lua_gettop(L) - 1;
    struct error error;
    if (count < 1 || count > PATTERNS_LIMIT) {
        *result =
            check_mistake(judging, "%s takes the trace or a flow, and then patterns of packets",
                          judging->function);
        return NULL;
    }
    struct pattern *patterns = lua_newuserdatauv(L, (size_t)count * sizeof *patterns, 0);
    for (int i = 0; i < count; i++) {
        if (lua_type(L, i + 2) != LUA_TSTRING) {
            *result = check_mistake(judging,
                                    "pattern %d is a %s; it must be a text such as \"client SYN\"",
                                    i + 1, luaL_typename(L, i + 2));
            return NULL;
        }
        if (!pattern_parse(&patterns[i], lua_tostring(L, i + 2), &error)) {
            *result = check_mistake(judging, "\"%s\": %s", lua_tostring(L, i + 2), error.text);
            return NULL;
        }
    }
    for (int i = 0; i < count; i++) {
        if (pattern_role_known(&patterns[i], judging->checking->trace, &error))
            continue;
        if (error.status == STATUS_DONE)
            *result = check_end_with(judging, TRACE_NOT_JUDGED, error.text);
        else
            *result = check_mistake(judging, "\"%s\": %s", patterns[i].text, error.text);
        return NULL;
    }
    return patterns;
}

static bool read_packets(struct check_judging *judging, struct packet_list *list, int *result)
{
    enum trace_verdict verdict;
    const char *reason = check_missing(judging->L, 1, &verdict);
    if (reason != NULL) {
        *result = check_end_with(judging, verdict, reason);
        return false;
    }
    if (check_packet_list(judging->L, 1, list))
        return true;
    *result =
        check_mistake(judging, "%s begins with the trace, a flow or a list of packets, not a %s",
                      judging->function, luaL_typename(judging->L, 1));
    return false;
}

/* expect.order(where, pattern, …) */
static int expect_order(lua_State *L)
{
    struct check_judging judging = check_begin(L, "expect.order");
    struct packet_list list;
    int result = 0;
    set_pattern_words(&judging, "in this order: ", ", ");
    if (!read_packets(&judging, &list, &result))
        return result;
    size_t count = (size_t)lua_gettop(L) - 1;
    struct pattern *patterns = read_patterns(&judging, &result);
    if (patterns == NULL)
        return result;
    bool holds = sequence_judge(&list, patterns, count, judging.expectation);
    return check_end(&judging, holds ? TRACE_PASSED : TRACE_FAILED);
}

/* expect.never(where, pattern, …) */
static int expect_never(lua_State *L)
{
    struct check_judging judging = check_begin(L, "expect.never");
    struct packet_list list;
    struct concerned concerned = {0};
    int result = 0;
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
                    check_format("packet %llu: %s", (unsigned long long)packet->number, line);
                free(line);
            }
            concerned_add(&concerned, index);
        }
    }
    bool holds = concerned.count == 0;
    judging.expectation->expected = strdup("no such packet");
    judging.expectation->packets = concerned_text(&concerned, list.trace);
    concerned_free(&concerned);
    return check_end(&judging, holds ? TRACE_PASSED : TRACE_FAILED);
}

void check_expect_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"equal", expect_equal},       {"less", expect_less},
        {"truth", expect_truth},       {"order", expect_order},
        {"never", expect_never},       {"call", check_expect_call},
        {"sound", check_expect_sound}, {NULL, NULL},
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
