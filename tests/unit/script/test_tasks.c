/* Roles, their tasks and coroutines; the server that the host runs for lab.reply. */
#include "fake_run.h"

#include <errno.h>

static void a_call_inside_a_coroutine_lets_the_whole_task_wait(void **state)
{
    (void)state;
    expect_prints("local s = socket.tcp()\n"
                  "local function lines()\n"
                  "  return coroutine.wrap(function()\n"
                  "    for i = 1, 3 do s:send('x') sleep(0) coroutine.yield(i) end\n"
                  "  end)\n"
                  "end\n"
                  "for i in lines() do print(i) end\n"
                  "local co = coroutine.create(function(a, b)\n"
                  "  sleep(0)\n"
                  "  local c = coroutine.yield(a + b)\n"
                  "  sleep(0)\n"
                  "  return c, 'end'\n"
                  "end)\n"
                  "print(coroutine.resume(co, 1, 2))\n"
                  "print(coroutine.status(co))\n"
                  "print(coroutine.resume(co, 9))\n"
                  "print(coroutine.status(co), coroutine.resume(co))",
                  "client: 1\nclient: 2\nclient: 3\n"
                  "client: true\t3\nclient: suspended\nclient: true\t9\tend\n"
                  "client: dead\tfalse\tcannot resume dead coroutine\n");
}

static void coroutines_nest_across_waits(void **state)
{
    (void)state;
    expect_prints("local function deep(n)\n"
                  "  if n == 0 then sleep(0) return 'bottom' end\n"
                  "  return coroutine.wrap(function() return deep(n - 1) end)()\n"
                  "end\n"
                  "print(deep(20))\n"
                  "print(pcall(coroutine.wrap(function() sleep(0) error('x', 0) end)))\n"
                  "print(coroutine.resume(coroutine.create(function()\n"
                  "  sleep(0) return pcall(function() sleep(0) error({}) end)\n"
                  "end)) == true)",
                  "client: bottom\nclient: false\tx\nclient: true\n");
}

static void coroutines_behave_as_luas_own(void **state)
{
    (void)state;
    expect_prints(
        "print(coroutine.isyieldable(), select(2, coroutine.running()))\n"
        "print(pcall(coroutine.yield, 1))\n"
        "local co\n"
        "co = coroutine.create(function()\n"
        "  print(coroutine.status(co), coroutine.isyieldable(), coroutine.running() == co)\n"
        "  print(coroutine.resume(co))\n"
        "  coroutine.wrap(function() print(coroutine.status(co)) end)()\n"
        "  print(pcall(coroutine.close, co))\n"
        "  coroutine.yield()\n"
        "end)\n"
        "coroutine.resume(co)\n"
        "print(coroutine.close(co), coroutine.status(co))\n"
        "local w = coroutine.wrap(function() error('oops') end)\n"
        "print(pcall(w))\n"
        "print(pcall(w))\n"
        "print(coroutine.resume(coroutine.create(function(...) return ... end), 1, nil))\n"
        "print(pcall(coroutine.resume, 1))\n"
        "local closed\n"
        "local c2 = coroutine.create(function()\n"
        "  local x <close> = setmetatable({}, {__close = function() closed = true end})\n"
        "  coroutine.yield()\n"
        "end)\n"
        "coroutine.resume(c2) print(coroutine.close(c2), closed)",
        "client: false\ttrue\n"
        "client: false\tcoroutine.yield: this is not inside a coroutine of the script's "
        "own\n"
        "client: running\ttrue\ttrue\n"
        "client: false\tcannot resume non-suspended coroutine\n"
        "client: normal\n"
        "client: false\tcannot close a running coroutine\n"
        "client: true\tdead\n"
        "client: false\ttest.lua:14: oops\n"
        "client: false\tcannot resume dead coroutine\n"
        "client: true\t1\tnil\n"
        "client: false\tbad argument #1 to 'coroutine.resume' (coroutine expected, got "
        "number)\n"
        "client: true\ttrue\n");
}

static void another_task_cannot_resume_what_waits(void **state)
{
    (void)state;
    run_lab("local co\n"
            "function lab.clients.a()\n"
            "  co = coroutine.create(function() sleep(0) sleep(0) return 'mine' end)\n"
            "  print(coroutine.resume(co))\n"
            "end\n"
            "function lab.clients.b()\n"
            "  print(coroutine.status(co), coroutine.resume(co))\n"
            "  print(pcall(coroutine.close, co))\n"
            "end",
            true);
    assert_string_equal(fake_failure(), "");
    assert_string_equal(fake_prints(), "b: normal\tfalse\tcannot resume non-suspended coroutine\n"
                                       "b: false\tcannot close a normal coroutine\n"
                                       "a: true\tmine\n");
    fake_close();
}

static void a_call_where_lua_cannot_wait_says_so(void **state)
{
    (void)state;
    expect_failure("table.sort({2, 1}, function(a, b)\nsleep(0) return a < b end)",
                   "test.lua:3: sleep cannot wait inside a function that 'sort' calls; make the "
                   "call before, and use its result there\n"
                   "  in a function (test.lua:3)\n  in client (test.lua:2)");
    expect_failure("local s = socket.tcp();\n('x'):gsub('x', function()\ns:recv(1) end)",
                   "test.lua:4: recv cannot wait inside a function that 'gsub' calls; make the "
                   "call before, and use its result there\n"
                   "  in a function (test.lua:4)\n  in client (test.lua:3)");
    /* Not even below a coroutine of its own. */
    expect_failure(
        "table.sort({2, 1}, coroutine.wrap(function()\nsleep(0) end))",
        "test.lua:3: sleep cannot wait inside a function that Lua itself "
        "calls (a comparison for a sort, a replacement, __tostring, __close, the file of "
        "a require); make the call outside\n  in client (test.lua:2)");
    /* In metamethods that Lua code calls, it can. */
    expect_prints("local t = setmetatable({}, {__index = function(_, k) sleep(0) return k end,\n"
                  "  __add = function() sleep(0) return 5 end})\n"
                  "print(t.name, t + 1)\n"
                  "for a in function(_, n) sleep(0) if not n then return 1 end end do print(a) end",
                  "client: name\t5\nclient: 1\n");
}

static void the_listener_of_lab_server_is_the_hosts_work(void **state)
{
    (void)state;
    run_lab("lab.port = 80\n"
            "function lab.server(listener)\n"
            "  local conn, peer = listener:accept()\n"
            "  print(peer)\n"
            "end\n"
            "function lab.client(server) print(server) end",
            false);
    assert_string_equal(fake_failure(), "");
    assert_string_equal(fake_log(), "server socket tcp @:0\n"
                                    "server setoption SO_REUSEADDR 1 @:0\n"
                                    "server bind 127.0.0.1:80 @:0\n"
                                    "server listen 128 @:0\n"
                                    "server accept @test.lua:3\n");
    assert_string_equal(fake_prints(), "server: 127.0.0.1:40000\nclient: 127.0.0.1:80\n");
    fake_close();
}

static void a_listener_that_cannot_be_made_names_lab_port(void **state)
{
    (void)state;
    struct script *script = load_text("\nlab.port = 80\nfunction lab.server() end");
    assert_non_null(script);
    struct host *host = fake_open();
    fake_fail("bind", EADDRINUSE);
    run_roles(script, host);
    assert_string_equal(fake_failure(),
                        "test.lua:2: bind 127.0.0.1:80: Address already in use (EADDRINUSE)");
    assert_int_equal(fake_failure_line(), 2);
    fake_close();
    script_close(script);
}

static void a_port_the_kernel_chose_is_told_to_the_clients(void **state)
{
    (void)state;
    run_lab("lab.port = 0\nfunction lab.server() end\nfunction lab.client(s) print(s) end", false);
    assert_string_equal(fake_prints(), "client: 127.0.0.1:50000\n");
    fake_close();
}

static void a_server_without_lab_port_says_where_it_is(void **state)
{
    (void)state;
    run_lab("function lab.server(listener)\n"
            "  print(listener)\n"
            "  lab.ready('127.0.0.1', 8080)\n"
            "end\n"
            "function lab.client(server) print(server) end",
            false);
    assert_string_equal(fake_prints(), "server: nil\nclient: 127.0.0.1:8080\n");
    fake_close();
}

static void clients_are_added_in_the_order_of_their_lines(void **state)
{
    (void)state;
    run_lab("function lab.clients.zoe() print(1) end\n"
            "function lab.clients.bob() print(2) end\n"
            "function lab.clients.amy() print(3) end\n"
            "lab.clients.y = lab.clients.amy lab.clients.x = lab.clients.amy\n"
            "function lab.client() print(0) end\n",
            false);
    assert_string_equal(fake_prints(), "client: 0\nzoe: 1\nbob: 2\namy: 3\nx: 3\ny: 3\n");
    fake_close();
}

static void copies_and_repeats_multiply_clients(void **state)
{
    (void)state;
    struct script *script = load_text("lab.message = 'own'\n"
                                      "function lab.client()\n"
                                      "  print(lab.message) sleep(0)\n"
                                      "end\n"
                                      "function lab.server() print('server') end");
    assert_non_null(script);
    struct script_run run = {
        .parties = SCRIPT_CLIENTS, .client_copies = 2, .repeats = 2, .message = "given"};
    assert_true(script_start(script, fake_open(), &run, &lab_error));
    fake_run();
    assert_string_equal(fake_failure(), "");
    assert_string_equal(fake_prints(), "client-1: given\nclient-2: given\n"
                                       "client-1: given\nclient-2: given\n");
    fake_close();
    script_close(script);
}

static void a_missing_party_is_refused(void **state)
{
    (void)state;
    struct script *script = load_text("function lab.client() end");
    assert_non_null(script);
    struct script_run run = {.parties = SCRIPT_SERVERS};
    assert_false(script_start(script, fake_open(), &run, &lab_error));
    assert_string_equal(lab_error.text, "test.lua defines no server role");
    fake_close();
    script_close(script);
}

/* Runs lab.reply on what is fed to the one connection; then accept fails for good. */
static void run_reply(const char *reply)
{
    char text[512];
    snprintf(text, sizeof text, "lab.port = 80\n%s", reply);
    struct script *script = load_text(text);
    if (script == NULL)
        fail_msg("%s", lab_error.text);
    struct host *host = fake_open();
    fake_waits(true);
    fake_feed("one");
    fake_feed("two");
    fake_fail("accept", 0);
    for (int i = 0; i < 9; i++) /* neither is a reason to end */
        fake_fail("accept", ECONNABORTED);
    fake_fail("accept", EINVAL);
    run_roles(script, host);
    script_close(script);
}

/* The calls on the connection, without those of the accepting task. */
static void expect_connection(const char *calls)
{
    struct buffer seen = {0};
    const char *log = strstr(fake_log(), "server accept");
    assert_non_null(log);
    for (size_t length; *log != '\0'; log += length + 1) {
        length = strcspn(log, "\n");
        if (strncmp(log, "server accept", 13) != 0)
            buffer_append(&seen, log, length + 1);
    }
    assert_string_equal(buffer_text(&seen), calls);
    buffer_free(&seen);
    fake_close();
}

static void lab_reply_answers_each_message(void **state)
{
    (void)state;
    run_reply("function lab.reply(message, peer) return message .. ' from ' .. peer end");
    expect_connection("server recv 65536 @:0\n"
                      "server sendall \"one from 127.0.0.1:40000\" @:0\n"
                      "server recv 65536 @:0\n"
                      "server sendall \"two from 127.0.0.1:40000\" @:0\n"
                      "server recv 65536 @:0\n"
                      "server close @:0\n");
}

static void lab_reply_may_wait_itself(void **state)
{
    (void)state;
    run_reply("function lab.reply(message) sleep(0) return 5 end");
    expect_connection("server recv 65536 @:0\n"
                      "server sleep 0 @test.lua:2\n"
                      "server sendall \"5\" @:0\n"
                      "server recv 65536 @:0\n"
                      "server sleep 0 @test.lua:2\n"
                      "server sendall \"5\" @:0\n"
                      "server recv 65536 @:0\n"
                      "server close @:0\n");
}

static void lab_reply_hangs_up_with_nil(void **state)
{
    (void)state;
    run_reply("function lab.reply(message) end");
    expect_connection("server recv 65536 @:0\nserver close @:0\n");
}

static void an_error_in_lab_reply_names_its_line(void **state)
{
    (void)state;
    run_reply("function lab.reply(message)\nreturn message + {} end");
    assert_string_equal(fake_failure(), "test.lua:3: attempt to add a 'string' with a 'table'\n"
                                        "  in reply (test.lua:3)");
    fake_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_inside_a_coroutine_lets_the_whole_task_wait),
        cmocka_unit_test(coroutines_nest_across_waits),
        cmocka_unit_test(coroutines_behave_as_luas_own),
        cmocka_unit_test(another_task_cannot_resume_what_waits),
        cmocka_unit_test(a_call_where_lua_cannot_wait_says_so),
        cmocka_unit_test(the_listener_of_lab_server_is_the_hosts_work),
        cmocka_unit_test(a_listener_that_cannot_be_made_names_lab_port),
        cmocka_unit_test(a_port_the_kernel_chose_is_told_to_the_clients),
        cmocka_unit_test(a_server_without_lab_port_says_where_it_is),
        cmocka_unit_test(clients_are_added_in_the_order_of_their_lines),
        cmocka_unit_test(copies_and_repeats_multiply_clients),
        cmocka_unit_test(a_missing_party_is_refused),
        cmocka_unit_test(lab_reply_answers_each_message),
        cmocka_unit_test(lab_reply_may_wait_itself),
        cmocka_unit_test(lab_reply_hangs_up_with_nil),
        cmocka_unit_test(an_error_in_lab_reply_names_its_line),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
