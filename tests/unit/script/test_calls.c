/* What a lab's functions make of the host's calls. Each body runs twice: with calls that end at
 * once, and with calls that wait. */
#include "fake_run.h"

#include <errno.h>

static void values_of_a_connection_reach_the_script(void **state)
{
    (void)state;
    static const char body[] = "local s = socket.tcp()\n"
                               "s:bind('127.0.0.1', 8080) s:listen(1)\n"
                               "local conn, peer = s:accept()\n"
                               "print(conn, peer, peer.host, peer.port, peer.family)\n"
                               "print(conn:recv(1024), conn:recv(), conn:recv(5))\n"
                               "print(conn:send('four'), conn:sendall('x'))\n"
                               "conn:close() conn:close() s:close()\n"
                               "print(conn)";
    for (int waits = 0; waits < 2; waits++) {
        char text[1024];
        snprintf(text, sizeof text, "function lab.client()\n%s\nend\n", body);
        struct script *script = load_text(text);
        assert_non_null(script);
        struct host *host = fake_open();
        fake_waits(waits);
        fake_feed("Hello");
        fake_feed("more");
        run_roles(script, host);
        assert_string_equal(fake_failure(), "");
        assert_string_equal(fake_prints(),
                            "client: tcp socket 2\t127.0.0.1:40000\t127.0.0.1\t40000\t4\n"
                            "client: Hello\tmore\tnil\n"
                            "client: 4\n"
                            "client: tcp socket 2 (closed)\n");
        assert_string_equal(fake_log(), "client socket tcp @test.lua:2\n"
                                        "client bind 127.0.0.1:8080 @test.lua:3\n"
                                        "client listen 1 @test.lua:3\n"
                                        "client accept @test.lua:4\n"
                                        "client recv 1024 @test.lua:6\n"
                                        "client recv 65536 @test.lua:6\n"
                                        "client recv 5 @test.lua:6\n"
                                        "client send \"four\" @test.lua:7\n"
                                        "client sendall \"x\" @test.lua:7\n"
                                        "client close @test.lua:8\n"
                                        "client close @test.lua:8\n");
        fake_close();
        script_close(script);
    }
}

static void a_failed_call_raises_an_error_object(void **state)
{
    (void)state;
    for (int waits = 0; waits < 2; waits++) {
        struct script *script = load_text(
            "function lab.client()\n"
            "  local ok, e = pcall(socket.connect, '127.0.0.1:9')\n"
            "  print(ok, e, e.call, e.code, e.errno == 111, e.message == tostring(e), e.where)\n"
            "  print('text: ' .. e)\n"
            "  local s = socket.tcp()\n"
            "  print(select(2, pcall(function() s:connect('127.0.0.1', 9) end)).where)\n"
            "end");
        assert_non_null(script);
        struct host *host = fake_open();
        fake_waits(waits);
        fake_fail("connect", ECONNREFUSED);
        fake_fail("connect", ECONNREFUSED);
        run_roles(script, host);
        assert_string_equal(fake_failure(), "");
        assert_string_equal(
            fake_prints(),
            "client: false\tconnect 127.0.0.1:9: Connection refused (ECONNREFUSED)\tconnect\t"
            "ECONNREFUSED\ttrue\ttrue\ttest.lua:2\n"
            "client: text: connect 127.0.0.1:9: Connection refused (ECONNREFUSED)\n"
            "client: test.lua:6\n");
        fake_close();
        script_close(script);
    }
}

static void an_uncaught_error_names_its_line_and_the_way_there(void **state)
{
    (void)state;
    struct script *script = load_text("local function dial(where)\n"
                                      "  local s = socket.connect(where)\n"
                                      "  return s\n"
                                      "end\n"
                                      "function lab.client()\n"
                                      "  local s = dial('127.0.0.1:9')\n"
                                      "  print(s)\n"
                                      "end");
    assert_non_null(script);
    struct host *host = fake_open();
    fake_fail("connect", ECONNREFUSED);
    run_roles(script, host);
    assert_string_equal(fake_failure(),
                        "test.lua:2: connect 127.0.0.1:9: Connection refused (ECONNREFUSED)\n"
                        "  in dial (test.lua:2)\n"
                        "  in client (test.lua:6)");
    assert_int_equal(fake_failure_line(), 2);
    assert_int_equal(fake_open_sockets(), 0);
    fake_close();
    script_close(script);
}

static void any_raised_value_is_reported(void **state)
{
    (void)state;
    expect_failure("error({})",
                   "test.lua:2: error without a message (the value raised is a table)\n"
                   "  in client (test.lua:2)");
    expect_failure("error()", "test.lua:2: error without a message (the value raised is nil)\n"
                              "  in client (test.lua:2)");
    expect_failure("error('plain', 0)", "test.lua:2: plain\n  in client (test.lua:2)");
    expect_failure("error(12)",
                   "test.lua:2: error without a message (the value raised is a number)\n"
                   "  in client (test.lua:2)");
    expect_failure("error(setmetatable({}, {__tostring = function() return 'mine' end}))",
                   "test.lua:2: mine\n  in client (test.lua:2)");
    expect_failure("error(setmetatable({}, {__tostring = function() error('again') end}))",
                   "test.lua:2: error without a message (its __tostring failed)\n"
                   "  in client (test.lua:2)");
    expect_failure("local t = nil\nprint(t.x)",
                   "test.lua:3: attempt to index a nil value (local 't')\n"
                   "  in client (test.lua:3)");
}

static void a_long_message_leaves_room_for_the_traceback(void **state)
{
    (void)state;
    run_lab("function lab.client()\n  error(('\xe4\xbd\xa0'):rep(1000), 0)\nend", false);
    const char *failure = fake_failure();
    size_t length = strlen(failure);
    assert_true(length > 600 && length < 700);
    assert_non_null(strstr(failure, "\xe4\xbd\xa0 ...\n  in client (test.lua:2)"));
    fake_close();
}

static void an_error_caught_and_raised_again_keeps_its_line(void **state)
{
    (void)state;
    struct script *script = load_text("function lab.client()\n"
                                      "  local s = socket.tcp()\n"
                                      "  local ok, e = pcall(s.connect, s, '127.0.0.1', 9)\n"
                                      "  sleep(0)\n"
                                      "  error(e)\n"
                                      "end");
    assert_non_null(script);
    struct host *host = fake_open();
    fake_fail("connect", ECONNREFUSED);
    run_roles(script, host);
    assert_string_equal(fake_failure(),
                        "test.lua:3: connect 127.0.0.1:9: Connection refused (ECONNREFUSED)\n"
                        "  in client (test.lua:5)");
    fake_close();
    script_close(script);
}

static void addresses_can_be_given_in_every_form(void **state)
{
    (void)state;
    expect_prints(
        "print(socket.address('127.0.0.1', 80), socket.address('127.0.0.1:80'),\n"
        "  socket.address('::1', 80), socket.address('[::1]:80'), socket.address(80),\n"
        "  socket.address('', 80))\n"
        "local a = socket.address('127.0.0.1', 80)\n"
        "print(a == socket.address('127.0.0.1:80'), a == socket.address(81),\n"
        "  'at ' .. a, socket.address(a))\n"
        "print(pcall(socket.address, 'localhost', 80))\n"
        "print(pcall(socket.address, '127.0.0.1'))\n"
        "print(pcall(socket.address, '127.0.0.1', 65536))\n"
        "print(pcall(socket.address))\n"
        "print(pcall(socket.address, {}))\n"
        "print(pcall(function() return a.hots end))",
        "client: 127.0.0.1:80\t127.0.0.1:80\t[::1]:80\t[::1]:80\t127.0.0.1:80\t0.0.0.0:80\n"
        "client: true\tfalse\tat 127.0.0.1:80\t127.0.0.1:80\n"
        "client: false\tsocket.address: 'localhost' is no IPv4 or IPv6 address\n"
        "client: false\tthe address '127.0.0.1' has no port; write \"127.0.0.1:80\", or "
        "the port as the next argument\n"
        "client: false\tbad argument #2 to 'socket.address' (a port is a number from 0 to 65535)\n"
        "client: false\tbad argument #1 to 'socket.address' (an address is missing (a lab "
        "without lab.port must say its address with lab.ready; to connect to it alone, say "
        "--port))\n"
        "client: false\tbad argument #1 to 'socket.address' (address expected, got table)\n"
        "client: false\ttest.lua:13: an address has no 'hots'; it has host, port and "
        "family\n");
}

static void names_are_looked_up_first(void **state)
{
    (void)state;
    for (int waits = 0; waits < 2; waits++) {
        struct script *script = load_text("function lab.client()\n"
                                          "  local s = socket.tcp()\n"
                                          "  s:bind('box', 1)\n"
                                          "  s:connect('box', 2)\n"
                                          "  socket.udp():sendto('x', 'box', 3)\n"
                                          "  socket.connect('box', 4)\n"
                                          "  socket.listen('box', 5, 6)\n"
                                          "end");
        assert_non_null(script);
        struct host *host = fake_open();
        fake_waits(waits);
        run_roles(script, host);
        assert_string_equal(fake_failure(), "");
        assert_string_equal(fake_log(), "client socket tcp @test.lua:2\n"
                                        "client getaddrinfo box @test.lua:3\n"
                                        "client bind 127.0.0.1:1 @test.lua:3\n"
                                        "client getaddrinfo box @test.lua:4\n"
                                        "client connect 127.0.0.1:2 @test.lua:4\n"
                                        "client socket udp @test.lua:5\n"
                                        "client getaddrinfo box @test.lua:5\n"
                                        "client sendto \"x\" 127.0.0.1:3 @test.lua:5\n"
                                        "client getaddrinfo box @test.lua:6\n"
                                        "client socket tcp @test.lua:6\n"
                                        "client connect [::1]:4 @test.lua:6\n"
                                        "client getaddrinfo box @test.lua:7\n"
                                        "client socket tcp @test.lua:7\n"
                                        "client setoption SO_REUSEADDR 1 @test.lua:7\n"
                                        "client bind 127.0.0.1:5 @test.lua:7\n"
                                        "client listen 6 @test.lua:7\n");
        fake_close();
        script_close(script);
    }
}

static void connect_tries_all_addresses_of_a_name(void **state)
{
    (void)state;
    for (int waits = 0; waits < 2; waits++) {
        struct script *script = load_text("function lab.client()\n"
                                          "  print(socket.connect('box', 4))\n"
                                          "  print(pcall(socket.connect, 'box', 5))\n"
                                          "end");
        assert_non_null(script);
        struct host *host = fake_open();
        fake_waits(waits);
        fake_fail("connect", ECONNREFUSED); /* the first fails over to its second address … */
        fake_fail("connect", 0);
        fake_fail("connect", ECONNREFUSED); /* … and both addresses of the second fail */
        fake_fail("connect", ETIMEDOUT);
        run_roles(script, host);
        assert_string_equal(fake_failure(), "");
        assert_string_equal(
            fake_prints(),
            "client: tcp socket 2\n"
            "client: false\tconnect 127.0.0.1:5: Connection timed out (ETIMEDOUT)\n");
        assert_int_equal(fake_open_sockets(), 1);
        fake_close();
        script_close(script);
    }
}

static void datagrams_come_with_their_sender_and_length(void **state)
{
    (void)state;
    struct script *script = load_text("function lab.client()\n"
                                      "  local s = socket.udp()\n"
                                      "  print(s:sendto('hello', '127.0.0.1', 53))\n"
                                      "  print(s:recvfrom(100))\n"
                                      "end");
    assert_non_null(script);
    struct host *host = fake_open();
    fake_feed("answer");
    run_roles(script, host);
    assert_string_equal(fake_prints(), "client: 5\nclient: answer\t127.0.0.1:40000\t6\n");
    fake_close();
    script_close(script);
}

static void options_names_and_states_are_passed_on(void **state)
{
    (void)state;
    expect_prints(
        "local s = socket.tcp(6)\n"
        "s:setoption('TCP_NODELAY', true) s:setoption('SO_REUSEADDR', 0)\n"
        "print(s:getoption('TCP_NODELAY'))\n"
        "print(s:getsockname(), s:getpeername())\n"
        "print(s:info().state, s:info().rtt_us)\n"
        "print(pcall(s.setoption, s, 'TCP_NODELY', 1))\n"
        "print(pcall(s.shutdown, s, 'left'))\n"
        "s:shutdown('write')\n"
        "print(pcall(function() s:receive(1) end))\n"
        "print(pcall(function() s:sned(1) end))\n"
        "print(pcall(function() s.recv(1) end))",
        "client: 7\n"
        "client: 127.0.0.1:50000\t127.0.0.1:50001\n"
        "client: ESTABLISHED\t25\n"
        "client: false\tno socket option is called TCP_NODELY; did you mean TCP_NODELAY?\n"
        "client: false\tbad argument #2 to '?' (invalid option 'left')\n"
        "client: false\ttest.lua:10: a socket has no 'receive'; did you mean 'recv'?\n"
        "client: false\ttest.lua:11: a socket has no 'sned'; did you mean 'send'?\n"
        "client: false\ttest.lua:12: bad argument #1 to 'recv' (socket expected, got "
        "number)\n");
}

static void time_outs_are_seconds(void **state)
{
    (void)state;
    run_lab("function lab.client()\n"
            "  local s = socket.tcp()\n"
            "  s:settimeout(2.5) s:settimeout(nil) s:setblocking(false) s:setblocking(true)\n"
            "  s:settimeout(0) sleep(0.001)\n"
            "  print(pcall(s.settimeout, s, -1))\n"
            "end",
            false);
    assert_string_equal(fake_log(), "client socket tcp @test.lua:2\n"
                                    "timeout 2500000000\ntimeout -1\ntimeout 0\ntimeout -1\n"
                                    "timeout 0\nclient sleep 1000000 @test.lua:4\n");
    assert_string_equal(fake_prints(), "client: false\tbad argument #2 to '?' (seconds are a "
                                       "number from 0 on)\n");
    fake_close();
}

static void select_returns_the_ready_ones(void **state)
{
    (void)state;
    expect_prints("local a, b, c = socket.tcp(), socket.tcp(), socket.tcp()\n"
                  "local list = {a, b, c}\n"
                  "local r, w = socket.select(list, {b}, 1.5)\n"
                  "print(#r, r[1] == a, r[2] == c, #w, w[1] == b)\n"
                  "r, w = socket.select({}, nil, 0)\n"
                  "print(#r, #w)\n"
                  "print(pcall(socket.select, {1}, {}))",
                  "client: 2\ttrue\ttrue\t1\ttrue\n"
                  "client: 0\t0\n"
                  "client: false\tsocket.select: element 1 of the read list is a number, not a "
                  "socket\n");
}

static void a_socket_variable_is_closed_at_the_end_of_its_block(void **state)
{
    (void)state;
    run_lab("function lab.client()\n"
            "  do local s <close> = socket.tcp() end\n"
            "  print(pcall(function()\n"
            "    local s <close> = socket.tcp()\n"
            "    error('out', 0)\n"
            "  end))\n"
            "end",
            true);
    assert_string_equal(fake_failure(), "");
    assert_int_equal(fake_open_sockets(), 0);
    assert_string_equal(fake_prints(), "client: false\tout\n");
    fake_close();
}

static void spawned_tasks_belong_to_the_role(void **state)
{
    (void)state;
    run_lab("function lab.client()\n"
            "  local done = 0\n"
            "  for i = 1, 3 do\n"
            "    spawn(function(n, ...)\n"
            "      sleep(0) done = done + 1 print(n, ...)\n"
            "    end, i, 'x')\n"
            "  end\n"
            "  while done < 3 do sleep(0) end\n"
            "  print('all')\n"
            "end",
            false);
    assert_string_equal(fake_failure(), "");
    assert_string_equal(fake_prints(), "client: 1\tx\nclient: 2\tx\nclient: 3\tx\nclient: all\n");
    fake_close();
}

static void print_takes_any_values_and_the_top_level_is_heard(void **state)
{
    (void)state;
    run_lab("print('early', 1)\n"
            "function lab.server() print() end\n"
            "function lab.client()\n"
            "  print(nil, true, 1.5, setmetatable({}, {__tostring = function() return 'T' end}))\n"
            "end",
            false);
    assert_string_equal(fake_prints(), "server: early\t1\nserver: \nclient: nil\ttrue\t1.5\tT\n");
    fake_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_a_connection_reach_the_script),
        cmocka_unit_test(a_failed_call_raises_an_error_object),
        cmocka_unit_test(an_uncaught_error_names_its_line_and_the_way_there),
        cmocka_unit_test(any_raised_value_is_reported),
        cmocka_unit_test(a_long_message_leaves_room_for_the_traceback),
        cmocka_unit_test(an_error_caught_and_raised_again_keeps_its_line),
        cmocka_unit_test(addresses_can_be_given_in_every_form),
        cmocka_unit_test(names_are_looked_up_first),
        cmocka_unit_test(connect_tries_all_addresses_of_a_name),
        cmocka_unit_test(datagrams_come_with_their_sender_and_length),
        cmocka_unit_test(options_names_and_states_are_passed_on),
        cmocka_unit_test(time_outs_are_seconds),
        cmocka_unit_test(select_returns_the_ready_ones),
        cmocka_unit_test(a_socket_variable_is_closed_at_the_end_of_its_block),
        cmocka_unit_test(spawned_tasks_belong_to_the_role),
        cmocka_unit_test(print_takes_any_values_and_the_top_level_is_heard),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
