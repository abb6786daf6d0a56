/* The table tls, and streams as values, over the fake host. */
#include "fake_run.h"

#include "support/error.h"

static void a_stream_has_the_calls_of_a_socket(void **state)
{
    (void)state;
    static const char body[] =
        "local identity = tls.certificate()\n"
        "local sock = socket.tcp()\n"
        "local secure = tls.client(sock, { server_name = 'localhost', ca = 'four' })\n"
        "print(secure, secure:recv(10), secure:recv())\n"
        "print(secure:send('ab'), secure:sendall('cd'))\n"
        "local details = secure:info()\n"
        "print(details.version, details.cipher, details.alpn, details.subject, details.verified)\n"
        "secure:handshake()\n"
        "secure:close() secure:close()\n"
        "print(secure)\n"
        "do local other <close> = tls.server(socket.tcp(), identity) end\n";
    for (int waits = 0; waits < 2; waits++) {
        char text[2048];
        snprintf(text, sizeof text, "function lab.client()\n%s\nend\n", body);
        struct script *script = load_text(text);
        assert_non_null(script);
        struct host *host = fake_open();
        fake_waits(waits);
        fake_feed("Hello");
        run_roles(script, host);
        assert_string_equal(fake_failure(), "");
        assert_string_equal(
            fake_prints(), "client: tls over tcp socket 1\tHello\tnil\n"
                           "client: 2\n"
                           "client: TLSv1.3\tTLS_AES_256_GCM_SHA384\thttp/1.1\tCN=localhost\ttrue\n"
                           "client: tls over tcp socket 1 (closed)\n");
        assert_string_equal(
            fake_log(), "client socket tcp @test.lua:3\n"
                        "tls client localhost verify 1 ca 4 cert - key - alpn 0 13-13\n"
                        "client tls.client @test.lua:4\n"
                        "client tls.recv 10 @test.lua:5\n"
                        "client tls.recv 65536 @test.lua:5\n"
                        "client tls.send \"ab\" @test.lua:6\n"
                        "client tls.sendall \"cd\" @test.lua:6\n"
                        "client tls.close @test.lua:10\n"
                        "client socket tcp @test.lua:12\n"
                        "tls server - verify 0 ca 0 cert -----BEGIN key -----BEGIN alpn 0 13-13\n"
                        "client tls.server @test.lua:12\n"
                        "client tls.close @test.lua:12\n");
        fake_close();
        script_close(script);
    }
}

static void options_reach_the_host(void **state)
{
    (void)state;
    run_lab("function lab.client()\n"
            "  tls.client(socket.tcp(), { verify = false, alpn = { 'h2', 'http/1.1' },\n"
            "    min_version = '1.2', handshake = false }):handshake()\n"
            "  tls.server(socket.tcp(), { max_version = '1.2', handshake = false })\n"
            "end",
            true);
    assert_string_equal(fake_failure(), "");
    assert_string_equal(fake_log(),
                        "client socket tcp @test.lua:2\n"
                        "tls client - verify 0 ca 0 cert - key - alpn 12 12-13\n"
                        "client tls.handshake @test.lua:2\n"
                        "client socket tcp @test.lua:4\n"
                        "tls server - verify 0 ca 0 cert -----BEGIN key -----BEGIN alpn 0 12-12\n");
    fake_close();
}

/* The message of an error that the expression raises, after the place. */
static void expect_mistake(const char *expression, const char *message)
{
    char body[512], expected[512];
    snprintf(body, sizeof body,
             "local sock = socket.tcp()\n"
             "local ok, problem = pcall(function() return %s end)\n"
             "print(ok, problem)",
             expression);
    snprintf(expected, sizeof expected, "client: false\ttest.lua:3: %s\n", message);
    expect_prints(body, expected);
}

static void mistakes_say_what_was_meant(void **state)
{
    (void)state;
    expect_mistake("tls.client(sock, { servername = 'a' })",
                   "no option is called 'servername'; did you mean 'server_name'?");
    expect_mistake("tls.client(sock, { certificate = 'a' })", "no option is called 'certificate'");
    expect_mistake("tls.client(sock, { 'a' })", "options are named, as in { alpn = … }");
    expect_mistake("tls.client(sock, { verify = 0 })",
                   "verify must be true or false, not a number");
    expect_mistake("tls.client(sock, { ca = 5 })", "ca must be a text, not a number");
    expect_mistake("tls.client(sock, { server_name = 'a\\0b' })",
                   "server_name has a zero byte in it");
    expect_mistake("tls.client(sock, { max_version = '1.1' })",
                   "max_version must be \"1.2\" or \"1.3\"");
    expect_mistake("tls.client(sock, { min_version = '1.3', max_version = '1.2' })",
                   "min_version is above max_version");
    expect_mistake("tls.client(sock, { alpn = 'h2' })",
                   "alpn must be a list of texts, such as { \"http/1.1\" }");
    expect_mistake("tls.client(sock, { alpn = { '' } })",
                   "alpn must be a list of 1 to 32 texts of 1 to 255 bytes");
    expect_mistake("tls.server(sock, { key = 'a' })", "certificate and key go together");
    expect_mistake("tls.certificate({ days = 1e9 })", "days must be a number from -36500 to 36500");
    expect_mistake("tls.certificate({ days = 0/0 })", "days must be a number from -36500 to 36500");
    expect_mistake("tls.certificate({ names = {} })",
                   "names must be a list of 1 to 32 names and addresses");
    expect_mistake("tls.certificate({ names = { 'a b' } })",
                   "tls.certificate: 'a b' is no name for a certificate");
    expect_mistake("tls.clint(sock)", "tls has no 'clint'; did you mean 'client'?");
    expect_mistake("tls.client(sock).sendal",
                   "a TLS stream has no 'sendal'; did you mean 'sendall'?");
    expect_mistake("tls.client(sock) and tls.client(sock)",
                   "tls.client: this socket speaks TLS already");
    expect_mistake("tls.client(sock, { handshake = false }):info()",
                   "info: there is no TLS on this socket before the handshake");
}

static void a_failed_handshake_is_an_error_object(void **state)
{
    (void)state;
    for (int waits = 0; waits < 2; waits++) {
        struct script *script = load_text("function lab.client()\n"
                                          "  local ok, problem = pcall(tls.client, socket.tcp())\n"
                                          "  print(ok, problem.call, problem.code, problem.where)\n"
                                          "end");
        assert_non_null(script);
        struct host *host = fake_open();
        fake_waits(waits);
        fake_fail("tls.client", ERROR_CERTIFICATE);
        run_roles(script, host);
        assert_string_equal(fake_failure(), "");
        assert_string_equal(fake_prints(), "client: false\ttls.client\tECERT\ttest.lua:2\n");
        fake_close();
        script_close(script);
    }
}

static void a_certificate_may_be_made_at_the_top_level(void **state)
{
    (void)state;
    run_lab("local identity = tls.certificate({ names = { 'a.test', '::1' }, days = -2.5 })\n"
            "function lab.client()\n"
            "  print(identity.certificate:match('^%-+BEGIN CERTIFICATE%-+\\n') ~= nil)\n"
            "  print(identity.key:match('^%-+BEGIN PRIVATE KEY%-+\\n') ~= nil)\n"
            "end",
            false);
    assert_string_equal(fake_prints(), "client: true\nclient: true\n");
    fake_close();
}

static void a_certificate_may_have_many_names(void **state)
{
    (void)state;
    run_lab("local names = {}\n"
            "for i = 1, 32 do names[i] = string.rep('n', 62) .. (i + 10) end\n"
            "local identity = tls.certificate({ names = names })\n"
            "function lab.client() print(identity.certificate:sub(-26)) end",
            false);
    assert_string_equal(fake_failure(), "");
    assert_string_equal(fake_prints(), "client: -----END CERTIFICATE-----\n\n");
    fake_close();
}

static void calls_need_a_role(void **state)
{
    (void)state;
    assert_null(load_text("tls.client(nil)\nfunction lab.client() end"));
    assert_non_null(strstr(lab_error.text, "socket expected"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_has_the_calls_of_a_socket),
        cmocka_unit_test(options_reach_the_host),
        cmocka_unit_test(mistakes_say_what_was_meant),
        cmocka_unit_test(a_failed_handshake_is_an_error_object),
        cmocka_unit_test(a_certificate_may_be_made_at_the_top_level),
        cmocka_unit_test(a_certificate_may_have_many_names),
        cmocka_unit_test(calls_need_a_role),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
