/* Whole labs with the real host, on this machine's loopback at ports the kernel chooses. */
#include "lab_file.h"

#include "host/host.h"
#include "support/buffer.h"

static struct buffer heard;
static struct buffer calls;

static void listen_to_roles(void *data, const struct role *role, enum trace_note_kind kind,
                            const char *text, size_t length)
{
    (void)data;
    if (kind != TRACE_NOTE_PRINT)
        return;
    buffer_printf(&heard, "%s: ", role_name(role));
    buffer_append(&heard, text, length);
    buffer_append_text(&heard, "\n");
}

static void listen_to_calls(void *data, const struct trace_event *event)
{
    (void)data;
    if (event->kind == TRACE_CALL)
        buffer_printf(&calls, "%.*s@%.*s:%u ", (int)event->call.name.length, event->call.name.data,
                      (int)event->call.script.length,
                      event->call.script.length > 0 ? event->call.script.data : "",
                      event->call.line);
}

/* Runs a loaded lab and closes it. Returns the outcome; lab_error says what went wrong. */
static enum trace_outcome run_script(struct script *script, unsigned copies, unsigned repeats)
{
    if (script == NULL)
        fail_msg("%s", lab_error.text);
    const struct lab *lab = script_lab(script);
    struct script_run run = {
        .parties = SCRIPT_EVERYONE, .client_copies = copies, .repeats = repeats};
    if (lab->has_port) {
        assert_true(address_parse_host(lab->host, &run.address));
        run.address.port = lab->port;
    }
    buffer_clear(&heard);
    buffer_clear(&calls);
    struct recorder *recorder = recorder_open(NULL, &lab_error);
    assert_non_null(recorder);
    recorder_listen(recorder, listen_to_calls, NULL);
    struct host_settings settings = {
        .recorder = recorder, .own_name = "labhost", .alone = true, .timeout = 60000000000};
    struct host *host = host_open(&settings, &lab_error);
    assert_non_null(host);
    host_listen(host, listen_to_roles, NULL);
    if (!script_start(script, host, &run, &lab_error))
        fail_msg("%s", lab_error.text);
    enum trace_outcome outcome;
    host_run(host, &outcome, &lab_error);
    host_close(host);
    recorder_close(recorder);
    script_close(script); /* after the host, as in main: no handle may still point into it */
    return outcome;
}

static void expect_heard(const char *text, const char *prints)
{
    if (run_script(load_text(text), 1, 1) != TRACE_DONE)
        fail_msg("%s", lab_error.text);
    assert_string_equal(buffer_text(&heard), prints);
}

static void hello_goes_both_ways(void **state)
{
    (void)state;
    expect_heard("lab.port = 0\n"
                 "function lab.server(listener)\n"
                 "  local conn, peer = listener:accept()\n"
                 "  print('received', conn:recv(1024))\n"
                 "  print(peer == conn:getpeername(), conn:info().state)\n"
                 "  conn:sendall('Hello from the server')\n"
                 "  conn:close()\n"
                 "end\n"
                 "function lab.client(server)\n"
                 "  local sock = socket.connect(server)\n"
                 "  sock:sendall('Hello from the client')\n"
                 "  print('received', sock:recv(1024), sock:recv(1024))\n"
                 "  sock:close()\n"
                 "end",
                 "server: received\tHello from the client\nserver: true\tESTABLISHED\n"
                 "client: received\tHello from the server\tnil\n");
    assert_non_null(strstr(buffer_text(&calls), "socket@:0 setoption@:0 bind@:0 listen@:0 "));
    assert_non_null(strstr(buffer_text(&calls), "connect@test.lua:10 sendall@test.lua:11 "));
}

static void the_host_serves_for_lab_reply(void **state)
{
    (void)state;
    struct script *script =
        load_text("lab.port = 0\n"
                  "local n = 0\n"
                  "function lab.reply(message, peer)\n"
                  "  if message == 'bye' then return nil end\n"
                  "  if message == 'wait' then sleep(0.001) end\n"
                  "  n = n + 1\n"
                  "  return 'you said ' .. message\n"
                  "end\n"
                  "function lab.client(server)\n"
                  "  local s = socket.connect(server)\n"
                  "  for i = 1, 50 do\n"
                  "    s:sendall(i % 10 == 0 and 'wait' or tostring(i))\n"
                  "    assert(s:recv() == 'you said ' .. (i % 10 == 0 and 'wait' or i))\n"
                  "  end\n"
                  "  s:sendall('bye')\n"
                  "  assert(s:recv() == nil)\n"
                  "  s:close()\n"
                  "  if n == 8 * 3 * 50 then print('all') end\n"
                  "end");
    if (run_script(script, 8, 3) != TRACE_DONE)
        fail_msg("%s", lab_error.text);
    assert_non_null(strstr(buffer_text(&heard), ": all\n"));
}

static void a_client_that_resets_does_not_end_lab_reply(void **state)
{
    (void)state;
    expect_heard("lab.port = 0\n"
                 "function lab.reply(message) return message end\n"
                 "function lab.client(server)\n"
                 "  local s = socket.connect(server)\n"
                 "  s:sendall('x') s:reset()\n"
                 "  s = socket.connect(server) s:sendall('y') print(s:recv()) s:close()\n"
                 "end",
                 "client: y\n");
}

static void a_wrong_answer_of_lab_reply_is_an_error(void **state)
{
    (void)state;
    struct script *script = load_text("lab.port = 0\n"
                                      "function lab.reply(message) return {} end\n"
                                      "function lab.client(server)\n"
                                      "  local s = socket.connect(server)\n"
                                      "  s:sendall('x') s:recv()\n"
                                      "end");
    assert_int_equal(run_script(script, 1, 1), TRACE_ROLE_FAILED);
    assert_non_null(strstr(lab_error.text, "lab.reply returned a table; it must return the answer "
                                           "as a string, or nil to hang up"));
}

static void calls_in_coroutines_wait_for_real(void **state)
{
    (void)state;
    expect_heard("lab.port = 0\n"
                 "function lab.server(listener)\n"
                 "  local conn <close> = listener:accept()\n"
                 "  for i = 1, 5 do sleep(0.001) conn:sendall('line ' .. i .. '\\n') end\n"
                 "end\n"
                 "local function lines(sock)\n"
                 "  return coroutine.wrap(function()\n"
                 "    local rest = ''\n"
                 "    for part in function() return sock:recv(3) end do\n"
                 "      rest = rest .. part\n"
                 "      rest = rest:gsub('(.-)\\n', function(line) coroutine.isyieldable() "
                 "last = line return '' end)\n"
                 "      if rawget(_G, 'last') then coroutine.yield(last) last = nil end\n"
                 "    end\n"
                 "  end)\n"
                 "end\n"
                 "function lab.client(server)\n"
                 "  local sock <close> = socket.connect(server)\n"
                 "  for line in lines(sock) do print(line) end\n"
                 "end",
                 "client: line 1\nclient: line 2\nclient: line 3\nclient: line 4\n"
                 "client: line 5\n");
}

static void datagrams_and_select_work(void **state)
{
    (void)state;
    expect_heard("function lab.server()\n"
                 "  local a, b = socket.udp(), socket.udp()\n"
                 "  a:bind('127.0.0.1', 0) b:bind('127.0.0.1', 0)\n"
                 "  other = b:getsockname()\n"
                 "  lab.ready(a:getsockname())\n"
                 "  for i = 1, 2 do\n"
                 "    local ready = socket.select({a, b}, {}, nil)\n"
                 "    for _, s in ipairs(ready) do\n"
                 "      local text, peer, length = s:recvfrom(3)\n"
                 "      print(s == a, text, length)\n"
                 "      s:sendto('got it', peer)\n"
                 "    end\n"
                 "  end\n"
                 "end\n"
                 "function lab.client(server)\n"
                 "  local s = socket.udp()\n"
                 "  s:sendto('hello', server) print((s:recvfrom(10)))\n"
                 "  s:connect(other) s:send('x') print(s:recv())\n"
                 "  print(#(socket.select({s}, {}, 0)), #select(2, socket.select({}, {s}, 0)))\n"
                 "end",
                 "server: true\thel\t5\nclient: got it\nserver: false\tx\t1\n"
                 "client: got it\nclient: 0\t1\n");
}

static void a_failed_connect_ends_the_exchange_with_its_line(void **state)
{
    (void)state;
    struct script *script = load_text("function lab.client()\n"
                                      "  local s = socket.tcp() s:bind('127.0.0.1', 0)\n"
                                      "  local free = s:getsockname() s:close()\n"
                                      "  socket.connect(free)\n"
                                      "end");
    assert_int_equal(run_script(script, 1, 1), TRACE_ROLE_FAILED);
    assert_int_equal(lab_error.status, STATUS_USAGE);
    assert_non_null(strstr(lab_error.text, "test.lua:4: connect to 127.0.0.1:"));
    assert_non_null(strstr(lab_error.text, "Connection refused (ECONNREFUSED)\n"
                                           "  in client (test.lua:4)"));
}

static void a_time_out_raises_etimedout(void **state)
{
    (void)state;
    expect_heard("lab.port = 0\n"
                 "function lab.server(listener) listener:accept():recv() end\n"
                 "function lab.client(server)\n"
                 "  local s = socket.connect(server)\n"
                 "  s:settimeout(0.01)\n"
                 "  local ok, e = pcall(s.recv, s)\n"
                 "  print(e.code, e.call)\n"
                 "  s:setblocking(false)\n"
                 "  print(select(2, pcall(s.recv, s)).code)\n"
                 "end",
                 "client: ETIMEDOUT\trecv\nclient: EAGAIN\n");
}

static void names_of_the_loopback_are_found(void **state)
{
    (void)state;
    expect_heard("function lab.server()\n"
                 "  local l = socket.listen('labhost', 0)\n"
                 "  lab.ready('localhost', l:getsockname().port)\n"
                 "  l:accept()\n"
                 "end\n"
                 "function lab.client(server)\n"
                 "  local s = socket.connect('localhost', server.port)\n"
                 "  print(s:getpeername() == server)\n"
                 "end",
                 "client: true\n");
}

static void a_limit_stops_the_exchange(void **state)
{
    (void)state;
    struct script_limits limits = {.instructions = 1000000};
    write_file("test.lua", "lab.port = 0\n"
                           "function lab.server(listener)\n"
                           "  local conn = listener:accept()\n"
                           "  while true do end\n"
                           "end\n"
                           "function lab.client(server)\n"
                           "  socket.connect(server):recv()\n"
                           "end");
    assert_int_equal(run_script(load_named("test.lua", &limits), 1, 1), TRACE_STOPPED);
    assert_non_null(strstr(lab_error.text, "test.lua:4: the script ran 1 million instructions"));
}

static void sockets_let_go_early_are_fine(void **state)
{
    (void)state;
    expect_heard("lab.port = 0\n"
                 "function lab.reply(m) return m end\n"
                 "function lab.client(server)\n"
                 "  for i = 1, 300 do\n"
                 "    local s = socket.connect(server)\n"
                 "    s:sendall('x') s:recv()\n"
                 "    if i % 2 == 0 then s:close() end\n"
                 "    local garbage = ('x'):rep(100000)\n"
                 "  end\n"
                 "  kept = socket.connect(server)\n"
                 "  print('done')\n"
                 "end",
                 "client: done\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_goes_both_ways),
        cmocka_unit_test(the_host_serves_for_lab_reply),
        cmocka_unit_test(a_client_that_resets_does_not_end_lab_reply),
        cmocka_unit_test(a_wrong_answer_of_lab_reply_is_an_error),
        cmocka_unit_test(calls_in_coroutines_wait_for_real),
        cmocka_unit_test(datagrams_and_select_work),
        cmocka_unit_test(a_failed_connect_ends_the_exchange_with_its_line),
        cmocka_unit_test(a_time_out_raises_etimedout),
        cmocka_unit_test(names_of_the_loopback_are_found),
        cmocka_unit_test(a_limit_stops_the_exchange),
        cmocka_unit_test(sockets_let_go_early_are_fine),
    };
    int failed = cmocka_run_group_tests(tests, make_folder, remove_folder);
    buffer_free(&heard);
    buffer_free(&calls);
    return failed;
}
