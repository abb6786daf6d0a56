/* Our find, match, gmatch and gsub give what Lua's own give; and a hopeless pattern is stopped. */
#include "fake_run.h"

#include "script/matcher.h"

#include <time.h>

#define ROUNDS 60000

/* A small generator, so that a failure can be made again. */
static uint32_t seed;
static unsigned any(unsigned below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static void random_text(char *text, size_t most)
{
    static const char letters[] = "aabbc1 ()%x.A_\xe9";
    size_t length = any((unsigned)most);
    for (size_t i = 0; i < length; i++)
        text[i] = letters[any(sizeof letters - 1)];
    text[length] = '\0';
}

/* Mostly well formed. */
static void random_pattern(char *pattern, size_t most)
{
    static const char *const parts[] = {
        "a",       "b",     ".",    "%a",     "%A",     "%d",  "%s",   "%w",     "[ab]", "[^a]",
        "[%d_]",   "[a-c]", "[]b]", "[^]%a]", "[a-]",   "%.",  "%(",   "(",      ")",    "()",
        "%1",      "%b()",  "%bab", "%f[%w]", "%f[^a]", "$",   "^",    "*",      "+",    "-",
        "?",       "a*",    "b-",   ".-",     ".*",     "%w+", "(.-)", "(a*)",   "(b?)", "(%d+)",
        "[%a%d]*", "%%",    "-",    "[b-%]",  "[%-a]",  "%Z",  "\xe9", "[^%s]-", "%x?",  "[",
    };
    size_t length = 0;
    pattern[0] = '\0';
    for (unsigned count = any(7); count > 0; count--) {
        const char *part = parts[any(sizeof parts / sizeof parts[0])];
        if (length + strlen(part) < most)
            length += (size_t)snprintf(pattern + length, most - length, "%s", part);
    }
}

/* Calls string.NAME in a state and gives what came of it as text on top. */
static const char *outcome(lua_State *L, const char *function, const char *text,
                           const char *pattern, const char *extra)
{
    lua_settop(L, 0);
    lua_getglobal(L, "outcome");
    lua_pushstring(L, function);
    lua_pushstring(L, text);
    lua_pushstring(L, pattern);
    lua_pushstring(L, extra);
    if (lua_pcall(L, 4, 1, 0) != LUA_OK)
        fail_msg("%s('%s', '%s'): %s", function, text, pattern, lua_tostring(L, -1));
    return lua_tostring(L, -1);
}

static const char harness[] =
    "local function show(...)\n"
    "  local t = table.pack(...)\n"
    "  for i = 1, t.n do t[i] = math.type(t[i]) == 'integer' and '#' .. t[i] or tostring(t[i]) "
    "end\n"
    "  return table.concat(t, '|')\n"
    "end\n"
    "local repl = { s = '<%0%1>', t = setmetatable({}, {__index = function(_, k)\n"
    "  return k == 'a' and 'T' end}), f = function(...) return #show(...) > 2 and show(...) end }\n"
    "function outcome(name, text, pattern, extra)\n"
    "  local function go()\n"
    "    if name == 'gmatch' then\n"
    "      local all = {}\n"
    "      for a, b, c in string.gmatch(text, pattern, tonumber(extra)) do\n"
    "        all[#all + 1] = show(a, b, c)\n"
    "      end\n"
    "      return table.concat(all, ';')\n"
    "    elseif name == 'gsub' then\n"
    "      return show(string.gsub(text, pattern, repl[extra:sub(1, 1)],\n"
    "                              tonumber(extra:sub(2))))\n"
    "    end\n"
    "    return show(string[name](text, pattern, tonumber(extra)))\n"
    "  end\n"
    "  local ok, result = pcall(go)\n"
    "  return ok and result or 'error'\n"
    "end\n";

static int open_theirs(lua_State *L)
{
    luaL_openlibs(L);
    return 0;
}

static void load_harness(lua_State *L)
{
    if (luaL_dostring(L, harness) != LUA_OK)
        fail_msg("%s", lua_tostring(L, -1));
}

/* Where Lua's own did not get to what is malformed, ours may complain all the same. */
static bool is_malformed(lua_State *L, const char *pattern)
{
    lua_settop(L, 0);
    lua_pushcfunction(L, open_theirs); /* any C function: a frame to raise errors in */
    lua_pop(L, 1);
    lua_getglobal(L, "compile");
    lua_pushstring(L, pattern[0] == '^' ? pattern + 1 : pattern);
    bool failed = lua_pcall(L, 1, 0, 0) != LUA_OK;
    lua_settop(L, 0);
    return failed;
}

static int compile(lua_State *L)
{
    size_t length;
    const char *pattern = luaL_checklstring(L, 1, &length);
    matcher_compile(L, pattern, length);
    return 0;
}

static void patterns_match_as_luas_own_do(void **state)
{
    (void)state;
    static const char *const functions[] = {"find", "match", "gmatch", "gsub"};
    static const char *const extras[] = {"", "1", "2", "-3", "0", "9"};
    static const char *const replacements[] = {"s", "t", "f", "s1", "f2", "t0"};
    struct script *script = load_text("function lab.client() end");
    lua_State *theirs = luaL_newstate(), *ours = script->state;
    luaL_openlibs(theirs);
    load_harness(theirs);
    load_harness(ours);
    lua_pushcfunction(ours, compile);
    lua_setglobal(ours, "compile");
    int compared = 0;
    for (seed = 1; compared < ROUNDS;) {
        char text[24], pattern[40];
        random_text(text, 16);
        random_pattern(pattern, sizeof pattern);
        if (is_malformed(ours, pattern))
            continue;
        unsigned which = any(4);
        const char *extra = which == 3 ? replacements[any(6)] : extras[any(6)];
        script_begin_step(script, ours);
        const char *expected = outcome(theirs, functions[which], text, pattern, extra);
        const char *got = outcome(ours, functions[which], text, pattern, extra);
        if (strcmp(expected, got) != 0)
            fail_msg("%s('%s', '%s', '%s') gives %s, not %s", functions[which], text, pattern,
                     extra, got, expected);
        compared++;
    }
    lua_close(theirs);
    script_close(script);
}

/* What Lua's own never accepts, for any text, ours does not either. */
static void malformed_patterns_are_errors(void **state)
{
    (void)state;
    expect_prints("for _, p in ipairs({'%', '[a', '[', '[%', '%b', '%bx', '%f', '%fa', '(', ')',\n"
                  "  '(a', '%1', '(%2)', '%0', ('()'):rep(33)}) do\n"
                  "  local ok, problem = pcall(string.match, 'a', p)\n"
                  "  if ok then print(p, 'was taken') end\n"
                  "end\n"
                  "print(select(2, pcall(string.find, 'a', '[a')))\n"
                  "print(select(2, pcall(string.gsub, 'a', 'a', '%x')))\n"
                  "print(select(2, pcall(string.gsub, 'a', 'a', '%2')))\n"
                  "print(select(2, pcall(string.gsub, 'a', 'a', function() return {} end)))\n"
                  "print(select(2, pcall(string.match, ('a'):rep(300), ('a?'):rep(300))))",
                  "client: malformed pattern (missing ']')\n"
                  "client: invalid use of '%' in replacement string\n"
                  "client: invalid capture index %2 in replacement string\n"
                  "client: invalid replacement value (a table)\n"
                  "client: pattern too complex\n");
}

/* Each would keep Lua's own busy for hours or years. */
static void hopeless_patterns_are_stopped(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "local s = ('a'):rep(100000)\ns:find('.-.-.-.-b')",
        "local s = ('a'):rep(100000)\npcall(s.match, s, '(.*)(.*)(.*)%1%2%3b')",
        "local s = ('a'):rep(1000000)\ns:gsub('a*b', 'x')",
        "local s = ('('):rep(1000000)\nfor x in s:gmatch('%b()') do end",
        "local s = ('a'):rep(1000)\npcall(string.find, s, ('a-'):rep(30) .. 'b')",
        "local s = ('a'):rep(1000000)\ns:gsub('.', function(c)\nreturn s:match('.-b') end)",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        char text[512];
        snprintf(text, sizeof text, "function lab.client()\n%s\nend\n", bodies[i]);
        struct timespec began, ended;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &began);
        struct script_limits limits = {.instructions = 20000000};
        write_file("test.lua", text);
        struct script *script = load_named("test.lua", &limits);
        assert_non_null(script);
        run_roles(script, fake_open());
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
        assert_true(fake_stopped());
        if (strstr(fake_failure(), "test.lua:3: the script ran") == NULL &&
            strstr(fake_failure(), "test.lua:4: the script ran") == NULL)
            fail_msg("%s", fake_failure());
        fake_close();
        script_close(script);
        assert_true(ended.tv_sec - began.tv_sec < 20);
    }
}

/* What takes time in proportion to the text is not charged beyond reason. */
static void long_texts_can_be_searched(void **state)
{
    (void)state;
    expect_prints("local s = ('line of text\\n'):rep(1 << 20)\n"
                  "local count = 0\n"
                  "for line in s:gmatch('[^\\n]*\\n') do count = count + 1 end\n"
                  "print(count, s:find('no such thing', 1, true), s:find('nothing'),\n"
                  "      select(2, s:gsub('line', 'row')))",
                  "client: 1048576\tnil\tnil\t1048576\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match_as_luas_own_do),
        cmocka_unit_test(malformed_patterns_are_errors),
        cmocka_unit_test(hopeless_patterns_are_stopped),
        cmocka_unit_test(long_texts_can_be_searched),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
