/* What a script cannot do: run for ever, eat the memory, catch a limit, or get out. */
#include "fake_run.h"

#include <errno.h>

/* Runs a client's body under small limits; it must be stopped with the text. */
static void expect_stop(const char *body, const char *failure)
{
    char text[2048];
    struct script_limits limits = {.memory = 4 << 20, .instructions = 2000000};
    snprintf(text, sizeof text, "function lab.client()\n%s\nend\n", body);
    write_file("test.lua", text);
    struct script *script = load_named("test.lua", &limits);
    if (script == NULL)
        fail_msg("%s", lab_error.text);
    run_roles(script, fake_open());
    assert_string_equal(fake_failure(), failure);
    assert_true(fake_stopped());
    fake_close();
    script_close(script);
}

#define ENDLESS(line)                                                                              \
    "test.lua:" line ": the script ran 2 million instructions without waiting for anything; is "   \
    "this loop endless?\n"
#define TOO_BIG(line) "test.lua:" line ": the script needs more than its 4 MiB of memory\n"

static void an_endless_loop_is_stopped(void **state)
{
    (void)state;
    expect_stop("while true do end", ENDLESS("2") "  in client (test.lua:2)");
    expect_stop("local function f()\nwhile true do end\nend\nf()",
                ENDLESS("3") "  in f (test.lua:3)\n  in client (test.lua:5)");
}

static void an_endless_loop_cannot_be_caught(void **state)
{
    (void)state;
    expect_stop("while true do pcall(function()\nwhile true do end end) end",
                ENDLESS("3") "  in client (test.lua:2)");
    expect_stop("xpcall(function()\nwhile true do end end, function() while true do end end)\n"
                "while true do end",
                ENDLESS("3") "  in client (test.lua:2)");
    expect_stop("while true do local co = coroutine.create(function()\nwhile true do end end)\n"
                "coroutine.resume(co) end",
                ENDLESS("3") "  in client (test.lua:4)");
    expect_stop("while true do pcall(coroutine.wrap(function()\nwhile true do end end)) end",
                ENDLESS("3") "  in client (test.lua:2)");
    expect_stop("load(function()\nwhile true do end end)\nwhile true do end",
                ENDLESS("3") "  in client (test.lua:2)");
    expect_stop("local co = coroutine.create(function()\n"
                "local x <close> = setmetatable({}, {__close = function() while true do end end})\n"
                "coroutine.yield() end)\n"
                "coroutine.resume(co)\nwhile true do\ncoroutine.close(co) end",
                ENDLESS("3") "  in client (test.lua:7)");
    expect_stop("pcall(error, setmetatable({}, {__tostring = function() while true do end end}))\n"
                "error(setmetatable({}, {__tostring = function()\nwhile true do end end}))",
                ENDLESS("4") "  in client (test.lua:3)");
}

/* Each error that is caught unwinds the C stack, so that what follows could nest deeper still. */
static void an_endless_tree_of_pcalls_is_stopped(void **state)
{
    (void)state;
    expect_stop("local function f() pcall(f) pcall(f) end f()",
                ENDLESS("2") "  in f (test.lua:2)\n  in client (test.lua:2)");
}

static void many_short_coroutines_count(void **state)
{
    (void)state;
    expect_stop("while true do coroutine.wrap(function() for i = 1, 100 do end end)() end",
                ENDLESS("2") "  in client (test.lua:2)");
}

static void waiting_starts_the_count_again(void **state)
{
    (void)state;
    struct script_limits limits = {.instructions = 1000000};
    write_file("test.lua", "function lab.client()\n"
                           "  for i = 1, 10 do for j = 1, 500000 do end sleep(0) end\n"
                           "end");
    struct script *script = load_named("test.lua", &limits);
    assert_non_null(script);
    run_roles(script, fake_open());
    assert_string_equal(fake_failure(), "");
    fake_close();
    script_close(script);
}

static void memory_is_limited(void **state)
{
    (void)state;
    expect_stop("local t = {}\nwhile true do t[#t + 1] = {} end",
                TOO_BIG("3") "  in client (test.lua:3)");
    expect_stop("local s = ('x'):rep(1 << 30)", TOO_BIG("2") "  in client (test.lua:2)");
    expect_stop(
        "local t = {}\nwhile true do\npcall(function()\nwhile true do t[#t + 1] = {} end end)"
        "\nend",
        TOO_BIG("4") "  in client (test.lua:4)");
    expect_stop("coroutine.resume(coroutine.create(function() local s = ('x'):rep(1 << 30) end))",
                TOO_BIG("2") "  in client (test.lua:2)");
    expect_stop("local s = 'x'\nwhile true do s = s .. s end",
                TOO_BIG("3") "  in client (test.lua:3)");
}

static void memory_that_is_let_go_can_be_used_again(void **state)
{
    (void)state;
    struct script_limits limits = {.memory = 4 << 20};
    write_file("test.lua", "function lab.client()\n"
                           "  for i = 1, 200 do local s = ('x'):rep(1000000) end\n"
                           "  print(collectgarbage('count') < 4096)\n"
                           "end");
    struct script *script = load_named("test.lua", &limits);
    assert_non_null(script);
    run_roles(script, fake_open());
    assert_string_equal(fake_failure(), "");
    assert_string_equal(fake_prints(), "client: true\n");
    fake_close();
    script_close(script);
}

static void limits_hold_at_the_top_level(void **state)
{
    (void)state;
    struct script_limits limits = {.memory = 4 << 20, .instructions = 2000000};
    write_file("test.lua", "\nwhile true do end");
    assert_null(load_named("test.lua", &limits));
    assert_string_equal(lab_error.text, ENDLESS("2") "  in the file's top level (test.lua:2)");
    write_file("test.lua", "\nx = ('x'):rep(1 << 30)");
    assert_null(load_named("test.lua", &limits));
    assert_string_equal(lab_error.text, TOO_BIG("2") "  in the file's top level (test.lua:2)");
    for (size_t memory = 100; memory < 60000; memory += 700) {
        limits.memory = memory; /* so little that the state itself hardly fits */
        write_file("test.lua", "function lab.client() end");
        struct script *script = load_named("test.lua", &limits);
        if (script == NULL)
            assert_true(lab_error.text[0] != '\0');
        script_close(script);
    }
}

/* Wherever memory ends, somebody says so; Lua never panics. */
static void any_amount_of_memory_ends_well(void **state)
{
    (void)state;
    unsigned stopped = 0, done = 0;
    write_file("test.lua", "lab.port = 80\n"
                           "function lab.reply(message) return message .. message end\n"
                           "function lab.client(server)\n"
                           "  local s = socket.connect(server)\n"
                           "  spawn(function() pcall(s.recvfrom, s) sleep(0) end)\n"
                           "  for line in coroutine.wrap(function()\n"
                           "    s:send('x') coroutine.yield(s:recv()) end) do print(line) end\n"
                           "  print(socket.select({s}, {s}, 1), s:info(), pcall(error))\n"
                           "end");
    for (size_t memory = 20000; memory < 80000; memory += 97) {
        struct script_limits limits = {.memory = memory};
        struct script *script = load_named("test.lua", &limits);
        if (script == NULL) {
            assert_true(lab_error.text[0] != '\0');
            continue;
        }
        struct script_run run = {.parties = SCRIPT_EVERYONE, .client_copies = 2, .repeats = 2};
        run.address = (struct address){.family = 4, .port = 80, .bytes = {127, 0, 0, 1}};
        struct host *host = fake_open();
        fake_waits(true);
        fake_feed("one");
        fake_feed("two");
        fake_fail("accept", 0);
        for (int i = 0; i < 6; i++)
            fake_fail("accept", ECONNABORTED);
        fake_fail("accept", EINVAL);
        bool started = script_start(script, host, &run, &lab_error);
        fake_run();
        stopped += started && fake_stopped();
        done += started && !fake_stopped();
        fake_close();
        script_close(script);
    }
    assert_true(stopped > 10 && done > 10);
}

static void loops_that_only_c_would_run_are_refused(void **state)
{
    (void)state;
    expect_prints("print(pcall(table.move, {}, 1, 1 << 40, 2))\n"
                  "local t = setmetatable({}, {__len = function() return 1 << 40 end})\n"
                  "print(pcall(table.insert, t, 1, 1))\n"
                  "print(pcall(table.remove, t, 1))\n"
                  "print(#string.rep('', 1 << 60), ('a'):rep(3, '-'))\n"
                  "local u = {1, 2} table.insert(u, 1, 0) table.insert(u, 3)\n"
                  "print(table.remove(u, 1), table.remove(u), #u, table.move(u, 1, 2, 3)[4])",
                  "client: false\ttable.move: 1099511627775 elements are too many\n"
                  "client: false\tthe table says it has 1099511627776 elements; that is too many\n"
                  "client: false\tthe table says it has 1099511627776 elements; that is too many\n"
                  "client: 0\ta-a-a\n"
                  "client: 0\t3\t2\t2\n");
}

static void deep_recursion_is_an_ordinary_error(void **state)
{
    (void)state;
    expect_prints("local function f() return 1 + f() end\n"
                  "local ok, e = pcall(f)\n"
                  "print(ok, e:match('stack overflow'))",
                  "client: false\tstack overflow\n");
    run_lab("local function f()\nreturn 1 + f()\nend\nfunction lab.client()\nf()\nend", false);
    assert_int_equal(strncmp(fake_failure(), "test.lua:2: stack overflow", 26), 0);
    assert_non_null(strstr(fake_failure(), "  in f (test.lua:2)\n  ...\n  in client (test.lua:5)"));
    fake_close();
    expect_prints(
        "print(pcall(string.rep, 'x', -1))\n"
        "local t = setmetatable({}, {}) getmetatable(t).__index = t\n"
        "print(pcall(function() return t.x end))\n"
        "local function deep(n) return coroutine.wrap(function() return deep(n + 1) end)()"
        " end\n"
        "print((pcall(deep, 1)))\n"
        "print((select(2, xpcall(error, function(e) error(e) end, 'x'))))",
        "client: true\t\n"
        "client: false\ttest.lua:4: '__index' chain too long; possible loop\n"
        "client: false\n"
        "client: error in error handling\n");
}

static void dangerous_functions_are_absent(void **state)
{
    (void)state;
    expect_prints(
        "for _, name in ipairs{'io', 'os', 'debug', 'package', 'dofile', 'loadfile',\n"
        "    'warn', 'arg'} do\n"
        "  if rawget(_G, name) ~= nil then print('there is', name) end\n"
        "end\n"
        "print(string.dump, getmetatable(''), getmetatable(_G), getmetatable(lab))\n"
        "print(getmetatable(socket), getmetatable(socket.tcp()),\n"
        "  getmetatable(socket.address(1)))\n"
        "print(pcall(collectgarbage, 'stop'))\n"
        "print(pcall(setmetatable, {}, {__gc = print}))\n"
        "print(pcall(setmetatable, '', {}))\n"
        "print(pcall(function() socket.tcpp = 1 end))\n"
        "print(pcall(function() lab.port = 1 end))\n"
        "print(pcall(function() lab.kernel.ecn = 1 end))",
        "client: nil\tfalse\tfalse\tfalse\n"
        "client: false\tfalse\tfalse\n"
        "client: false\tcollectgarbage: only collectgarbage(\"count\") is there in a lab\n"
        "client: false\tsetmetatable: there is no __gc in a lab; a local variable <close> "
        "with __close runs at a time one can name\n"
        "client: false\tbad argument #1 to 'setmetatable' (table expected, got string)\n"
        "client: false\ttest.lua:12: socket cannot be changed\n"
        "client: false\ttest.lua:13: lab can only be set at the file's top level, before "
        "the exchange begins\n"
        "client: false\ttest.lua:14: lab.kernel can only be set at the file's top level, "
        "before the exchange begins\n");
}

static void only_text_can_be_loaded(void **state)
{
    (void)state;
    expect_prints("print(load('return 1 + 1')())\n"
                  "print(load('\\27Lua'))\n"
                  "print(load('\\27Lua', 'x', 'b'))\n"
                  "print(load('return x', 'n', 'bt', {x = 5})())\n"
                  "local parts = {'return ', '7'}\n"
                  "print(load(function() return table.remove(parts, 1) end)())",
                  "client: 2\n"
                  "client: nil\tattempt to load a binary chunk (mode is 't')\n"
                  "client: nil\tattempt to load a binary chunk (mode is 't')\n"
                  "client: 5\n"
                  "client: 7\n");
}

static void random_numbers_repeat(void **state)
{
    (void)state;
    char first[128];
    for (int run = 0; run < 2; run++) {
        run_lab("function lab.client() print(math.random(1 << 40), math.random(1 << 40)) end",
                false);
        if (run == 0)
            snprintf(first, sizeof first, "%s", fake_prints());
        else
            assert_string_equal(fake_prints(), first);
        fake_close();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_endless_loop_is_stopped),
        cmocka_unit_test(an_endless_loop_cannot_be_caught),
        cmocka_unit_test(an_endless_tree_of_pcalls_is_stopped),
        cmocka_unit_test(many_short_coroutines_count),
        cmocka_unit_test(waiting_starts_the_count_again),
        cmocka_unit_test(memory_is_limited),
        cmocka_unit_test(memory_that_is_let_go_can_be_used_again),
        cmocka_unit_test(limits_hold_at_the_top_level),
        cmocka_unit_test(any_amount_of_memory_ends_well),
        cmocka_unit_test(loops_that_only_c_would_run_are_refused),
        cmocka_unit_test(deep_recursion_is_an_ordinary_error),
        cmocka_unit_test(dangerous_functions_are_absent),
        cmocka_unit_test(only_text_can_be_loaded),
        cmocka_unit_test(random_numbers_repeat),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
