/*
 * string.find, match, gmatch and gsub, by our own matcher; they are as Lua 5.4 has them.
 */
#include <stdint.h>
#include <string.h>

#include "script/matcher.h"

#define SPECIALS "^$*+?.([%-"

/* Pushes capture number, or the whole match where the pattern has none. */
static void push_capture(lua_State *L, const struct matcher *matcher, int number, const char *start,
                         const char *end)
{
    if (number >= matcher->level) {
        if (number != 0)
            luaL_error(L, "invalid capture index %%%d", number + 1);
        lua_pushlstring(L, start, (size_t)(end - start));
        return;
    }
    const struct capture *capture = &matcher->captures[number];
    if (capture->length == CAPTURE_POSITION)
        lua_pushinteger(L, capture->start - matcher->begin + 1);
    else
        lua_pushlstring(L, capture->start, (size_t)capture->length);
}

/* Pushes all captures; whole: the whole match if there are none. Returns how many. */
static int push_captures(lua_State *L, const struct matcher *matcher, const char *start,
                         const char *end, bool whole)
{
    int count = matcher->level == 0 && whole ? 1 : matcher->level;
    luaL_checkstack(L, count, "too many captures");
    for (int i = 0; i < count; i++)
        push_capture(L, matcher, i, start, end);
    return count;
}

/* Where a search begins: a position from 1 on, or from the end if negative; SIZE_MAX: beyond it. */
static size_t check_start(lua_State *L, int index, size_t length)
{
    lua_Integer start = luaL_optinteger(L, index, 1);
    if (start < 0)
        start =
            (lua_Unsigned)0 - (lua_Unsigned)start > length ? 1 : (lua_Integer)length + start + 1;
    else if (start == 0)
        start = 1;
    return (lua_Unsigned)start - 1 > length ? SIZE_MAX : (size_t)start - 1;
}

static bool has_specials(const char *pattern, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (pattern[i] != '\0' && strchr(SPECIALS, pattern[i]) != NULL)
            return true;
    return false;
}

/* Without magic it is a search for bytes, which takes linear time. */
static int find_plain(lua_State *L, const char *text, size_t length, size_t start)
{
    size_t wanted_length;
    const char *wanted = lua_tolstring(L, 2, &wanted_length);
    script_charge(L, (length - start) / 16);
    const char *found = wanted_length == 0
                            ? text + start
                            : memmem(text + start, length - start, wanted, wanted_length);
    if (found == NULL) {
        luaL_pushfail(L);
        return 1;
    }
    lua_pushinteger(L, found - text + 1);
    lua_pushinteger(L, found - text + (lua_Integer)wanted_length);
    return 2;
}

static int search(lua_State *L, bool find)
{
    size_t length, pattern_length;
    const char *text = luaL_checklstring(L, 1, &length);
    const char *pattern = luaL_checklstring(L, 2, &pattern_length);
    size_t start = check_start(L, 3, length);
    if (start == SIZE_MAX) {
        luaL_pushfail(L);
        return 1;
    }
    if (find && (lua_toboolean(L, 4) || !has_specials(pattern, pattern_length)))
        return find_plain(L, text, length, start);
    bool anchored = pattern_length > 0 && pattern[0] == '^';
    struct matcher matcher = {.begin = text, .end = text + length};
    matcher.items = matcher_compile(L, pattern + anchored, pattern_length - anchored);
    const char *at = text + start, *end;
    while ((end = matcher_try(L, &matcher, at)) == NULL && !anchored && at < matcher.end)
        at++;
    matcher_settle(L, &matcher);
    if (end == NULL) {
        luaL_pushfail(L);
        return 1;
    }
    if (!find)
        return push_captures(L, &matcher, at, end, true);
    lua_pushinteger(L, at - text + 1);
    lua_pushinteger(L, end - text);
    return 2 + push_captures(L, &matcher, at, end, false);
}

static int string_find(lua_State *L)
{
    return search(L, true);
}

static int string_match(lua_State *L)
{
    return search(L, false);
}

/* Of a gmatch under way; a userdata. */
struct walk {
    struct matcher matcher;
    const char *at;   /* where the next search begins; NULL: it is over */
    const char *last; /* where the last match ended: an empty one may not begin there */
};

/* Upvalues: the text, the items, the walk. */
static int next_match(lua_State *L)
{
    struct walk *walk = lua_touserdata(L, lua_upvalueindex(3));
    struct matcher *matcher = &walk->matcher;
    for (const char *at = walk->at; at != NULL && at <= matcher->end; at++) {
        const char *end = matcher_try(L, matcher, at);
        if (end == NULL || end == walk->last)
            continue;
        walk->at = walk->last = end;
        matcher_settle(L, matcher);
        return push_captures(L, matcher, at, end, true);
    }
    walk->at = NULL;
    matcher_settle(L, matcher);
    return 0;
}

static int string_gmatch(lua_State *L)
{
    size_t length, pattern_length;
    const char *text = luaL_checklstring(L, 1, &length);
    const char *pattern = luaL_checklstring(L, 2, &pattern_length);
    size_t start = check_start(L, 3, length);
    lua_pushvalue(L, 1);
    const struct matcher_item *items = matcher_compile(L, pattern, pattern_length);
    struct walk *walk = lua_newuserdatauv(L, sizeof *walk, 0);
    *walk = (struct walk){.matcher = {.items = items, .begin = text, .end = text + length},
                          .at = start == SIZE_MAX ? NULL : text + start};
    lua_pushcclosure(L, next_match, 3);
    return 1;
}

/* The replacement's text with its "%1" filled in. */
static void add_text(lua_State *L, const struct matcher *matcher, luaL_Buffer *result,
                     const char *start, const char *end)
{
    size_t length;
    const char *text = lua_tolstring(L, 3, &length);
    for (size_t i = 0; i < length; i++) {
        if (text[i] != '%') {
            luaL_addchar(result, text[i]);
            continue;
        }
        char byte = ++i < length ? text[i] : '\0';
        if (byte == '%') {
            luaL_addchar(result, byte);
        } else if (byte == '0') {
            luaL_addlstring(result, start, (size_t)(end - start));
        } else if (byte >= '1' && byte <= '9') {
            if (byte - '1' >= matcher->level && byte != '1')
                luaL_error(L, "invalid capture index %%%c in replacement string", byte);
            push_capture(L, matcher, byte - '1', start, end);
            luaL_tolstring(L, -1, NULL);
            lua_remove(L, -2);
            luaL_addvalue(result);
        } else {
            luaL_error(L, "invalid use of '%%' in replacement string");
        }
    }
}

/* What the match is replaced by. */
static void add_replacement(lua_State *L, const struct matcher *matcher, luaL_Buffer *result,
                            const char *start, const char *end)
{
    switch (lua_type(L, 3)) {
    case LUA_TFUNCTION: {
        lua_pushvalue(L, 3);
        int count = push_captures(L, matcher, start, end, true);
        lua_call(L, count, 1);
        break;
    }
    case LUA_TTABLE:
        push_capture(L, matcher, 0, start, end);
        lua_gettable(L, 3);
        break;
    default:
        add_text(L, matcher, result, start, end);
        return;
    }
    if (!lua_toboolean(L, -1)) { /* nil or false: nothing is replaced */
        lua_pop(L, 1);
        luaL_addlstring(result, start, (size_t)(end - start));
    } else if (lua_isstring(L, -1)) {
        luaL_addvalue(result);
    } else {
        luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    }
}

static int string_gsub(lua_State *L)
{
    size_t length, pattern_length;
    const char *text = luaL_checklstring(L, 1, &length);
    const char *pattern = luaL_checklstring(L, 2, &pattern_length);
    int type = lua_type(L, 3);
    luaL_argexpected(L,
                     type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION ||
                         type == LUA_TTABLE,
                     3, "string/function/table");
    lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)length + 1), count = 0;
    bool anchored = pattern_length > 0 && pattern[0] == '^';
    struct matcher matcher = {.begin = text, .end = text + length};
    matcher.items = matcher_compile(L, pattern + anchored, pattern_length - anchored);
    luaL_Buffer result;
    luaL_buffinit(L, &result);
    const char *at = text, *last = NULL;
    while (count < most) {
        const char *end = matcher_try(L, &matcher, at);
        if (end != NULL && end != last) {
            count++;
            add_replacement(L, &matcher, &result, at, end);
            at = last = end;
        } else if (at < matcher.end) {
            luaL_addchar(&result, *at++);
        } else {
            break;
        }
        if (anchored)
            break;
    }
    matcher_settle(L, &matcher);
    luaL_addlstring(&result, at, (size_t)(matcher.end - at));
    luaL_pushresult(&result);
    lua_pushinteger(L, count);
    return 2;
}

void matcher_register(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"find", string_find},
        {"match", string_match},
        {"gmatch", string_gmatch},
        {"gsub", string_gsub},
        {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}
