/* Loading a lab: its fields, and what is said about a file that is none. */
#include "fake_run.h"

static void the_fields_of_lab_are_read(void **state)
{
    (void)state;
    struct script *script = load_text("lab.title = 'T'\nlab.about = 'A'\nlab.group = 'G'\n"
                                      "lab.host = '::1'\nlab.port = 80\nlab.timeout = 2.5\n"
                                      "lab.mtu = 1500\nlab.kernel.sack = false\n"
                                      "lab.kernel.syn_retries = 3\n"
                                      "function lab.server() end\n"
                                      "function lab.clients.bob() end function lab.check() end");
    assert_non_null(script);
    const struct lab *lab = script_lab(script);
    assert_string_equal(lab->name, "test");
    assert_string_equal(lab->file, "test.lua");
    assert_string_equal(lab->title, "T");
    assert_string_equal(lab->about, "A");
    assert_string_equal(lab->group, "G");
    assert_string_equal(lab->host, "::1");
    assert_true(lab->has_port);
    assert_int_equal(lab->port, 80);
    assert_int_equal(lab->timeout, 2500000000);
    assert_int_equal(lab->mtu, 1500);
    assert_int_equal(lab->kernel.sack, 0);
    assert_int_equal(lab->kernel.syn_retries, 3);
    assert_int_equal(lab->kernel.ecn, -1);
    assert_true(lab->has_server && lab->has_clients && lab->has_check);
    script_close(script);
}

static void fields_not_given_have_defaults(void **state)
{
    (void)state;
    struct script *script = load_text("function lab.client() end");
    assert_non_null(script);
    const struct lab *lab = script_lab(script);
    assert_string_equal(lab->title, "test");
    assert_string_equal(lab->about, "");
    assert_string_equal(lab->host, "127.0.0.1");
    assert_false(lab->has_port || lab->has_server || lab->has_check);
    assert_int_equal(lab->timeout, 0);
    assert_int_equal(lab->mtu, -1);
    assert_int_equal(lab->kernel.timestamps, -1);
    script_close(script);
}

static void wrong_fields_are_named_with_their_line(void **state)
{
    (void)state;
    expect_load_error("\nlab.prot = 1",
                      "test.lua:2: lab.prot: no such field; did you mean lab.port?\n"
                      "  in the file's top level (test.lua:2)");
    expect_load_error("lab.port = '80'",
                      "test.lua:1: lab.port is a string; it must be a whole number\n"
                      "  in the file's top level (test.lua:1)");
    expect_load_error("lab.port = 65536",
                      "test.lua:1: lab.port must be a whole number from 0 to 65535, not 65536\n"
                      "  in the file's top level (test.lua:1)");
    expect_load_error("lab.port = 1.5", "test.lua:1: lab.port must be a whole number, not 1.5\n"
                                        "  in the file's top level (test.lua:1)");
    expect_load_error("lab.title = {}",
                      "test.lua:1: lab.title is a table; it must be a text in quotes\n"
                      "  in the file's top level (test.lua:1)");
    expect_load_error("lab.client = 3",
                      "test.lua:1: lab.client is a number; it must be a function\n"
                      "  in the file's top level (test.lua:1)");
    expect_load_error("lab.timeout = 0",
                      "test.lua:1: lab.timeout must be a number of seconds above 0\n"
                      "  in the file's top level (test.lua:1)");
    expect_load_error("lab.kernel = { sak = 1 }",
                      "test.lua:1: lab.kernel.sak: no such field; did you mean lab.kernel.sack?\n"
                      "  in the file's top level (test.lua:1)");
    expect_load_error("lab.kernel.syn_retries = 0",
                      "test.lua:1: lab.kernel.syn_retries must be a whole number from 1 to 127, "
                      "not 0\n  in the file's top level (test.lua:1)");
    expect_load_error("print(lab.tittle)",
                      "test.lua:1: lab.tittle: no such field; did you mean lab.title?\n"
                      "  in the file's top level (test.lua:1)");
    expect_load_error("lab.ready = print",
                      "test.lua:1: lab.ready is there to be called, it cannot be set\n"
                      "  in the file's top level (test.lua:1)");
    expect_load_error("lab.clients.alice = 1",
                      "test.lua: lab.clients.alice is a number; it must be a function");
    expect_load_error("lab.clients = { print }",
                      "test.lua: lab.clients has a number as a name; write lab.clients.alice");
}

static void a_syntax_error_shows_the_line(void **state)
{
    (void)state;
    expect_load_error("local a\n\n  x = = 1\n",
                      "test.lua:3: unexpected symbol near '='\n  3 | x = = 1");
    expect_load_error("if true then\n",
                      "test.lua:2: 'end' expected (to close 'if' at line 1) near <eof>");
}

static void an_error_at_the_top_level_has_a_traceback(void **state)
{
    (void)state;
    expect_load_error("local function f()\n  error('no')\nend\nf()",
                      "test.lua:2: no\n  in f (test.lua:2)\n"
                      "  in the file's top level (test.lua:4)");
    expect_load_error("socket.tcp()",
                      "test.lua:1: socket.tcp: calls are made inside a role (a function such as "
                      "lab.client), not while the file is loaded\n"
                      "  in the file's top level (test.lua:1)");
    expect_load_error("coroutine.yield()",
                      "test.lua:1: coroutine.yield: this is not inside a coroutine of the script's "
                      "own\n  in the file's top level (test.lua:1)");
}

static void a_lab_without_roles_is_refused(void **state)
{
    (void)state;
    static const char message[] = "test.lua defines no role: neither lab.server (or lab.reply) nor "
                                  "lab.client (or lab.clients)";
    expect_load_error("", message);
    expect_load_error("lab.title = 'x'", message);
    expect_load_error("lab.port = 1 function lab.server() end function lab.reply() end",
                      "test.lua defines both lab.reply and lab.server; only one of them can serve");
    expect_load_error("function lab.reply() end",
                      "test.lua defines lab.reply but no lab.port to serve at");
}

static void a_file_that_is_no_script_is_refused(void **state)
{
    (void)state;
    char expected[200];
    assert_null(load_named("none.lua", NULL));
    snprintf(expected, sizeof expected, "cannot read %s/none.lua: No such file or directory",
             lab_folder);
    assert_string_equal(lab_error.text, expected);

    assert_null(load_named(".", NULL));
    snprintf(expected, sizeof expected, "%s/. is a folder, not a Lua script", lab_folder);
    assert_string_equal(lab_error.text, expected);

    write_bytes("binary.lua", "\033LuaS\0\0", 7);
    assert_null(load_named("binary.lua", NULL));
    snprintf(expected, sizeof expected, "%s/binary.lua is compiled Lua; a script is text",
             lab_folder);
    assert_string_equal(lab_error.text, expected);

    write_bytes("zero.lua", "x\0y", 3);
    assert_null(load_named("zero.lua", NULL));
    snprintf(expected, sizeof expected, "%s/zero.lua is not text, so it is no Lua script",
             lab_folder);
    assert_string_equal(lab_error.text, expected);

    assert_null(script_load("/dev/zero", NULL, &lab_error));
    assert_string_equal(lab_error.text, "/dev/zero is not a file");
}

static void a_shell_line_and_a_byte_order_mark_are_skipped(void **state)
{
    (void)state;
    struct script *script = load_text("#!/usr/bin/env handlens\nfunction lab.client() end");
    assert_non_null(script);
    script_close(script);
    script = load_text("\xef\xbb\xbf"
                       "function lab.client() end");
    assert_non_null(script);
    script_close(script);
    expect_load_error("#!x\nx = = 1", "test.lua:2: unexpected symbol near '='\n  2 | x = = 1");
}

static void require_finds_sibling_scripts_once(void **state)
{
    (void)state;
    const char *name, *text;
    size_t length;
    write_file("helper.lua", "loads = (rawget(_G, 'loads') or 0) + 1 return { n = loads }");
    struct script *script = load_text("assert(require('helper').n == 1)\n"
                                      "assert(require('helper').n == 1)\n"
                                      "function lab.client() end");
    if (script == NULL)
        fail_msg("%s", lab_error.text);
    assert_true(script_text(script, 0, &name, &text, &length));
    assert_string_equal(name, "test.lua");
    assert_true(script_text(script, 1, &name, &text, &length));
    assert_string_equal(name, "helper.lua");
    assert_int_equal(length, strlen(text));
    assert_false(script_text(script, 2, &name, &text, &length));
    script_close(script);
}

static void require_names_what_is_wrong(void **state)
{
    (void)state;
    char expected[256];
    expect_load_error("require '../etc'",
                      "test.lua:1: require: '../etc' is not the name of a script beside the lab "
                      "(letters, digits, _ and -, without .lua)\n"
                      "  in the file's top level (test.lua:1)");
    snprintf(expected, sizeof expected,
             "test.lua:1: require: cannot read %s/nothing.lua: No such file or directory\n"
             "  in the file's top level (test.lua:1)",
             lab_folder);
    expect_load_error("require 'nothing'", expected);
    write_file("bad.lua", "\n)");
    expect_load_error("require 'bad'", "bad.lua:2: unexpected symbol near ')'\n  2 | )\n"
                                       "  in the file's top level (test.lua:1)");
    write_file("ring.lua", "require 'ring'");
    expect_load_error("require 'ring'",
                      "ring.lua:1: require: ring is being loaded already; two scripts that require "
                      "each other can never end\n"
                      "  in the file's top level (ring.lua:1)\n"
                      "  in the file's top level (test.lua:1)");
    write_file("failing.lua", "error('here')");
    expect_load_error("require 'failing'",
                      "failing.lua:1: here\n  in the file's top level (failing.lua:1)\n"
                      "  in the file's top level (test.lua:1)");
}

static void an_unknown_global_is_an_error(void **state)
{
    (void)state;
    expect_load_error("prnit(1)", "test.lua:1: prnit: no such name; did you mean print?\n"
                                  "  in the file's top level (test.lua:1)");
    expect_load_error("socket.socket()", "test.lua:1: socket has no 'socket'\n"
                                         "  in the file's top level (test.lua:1)");
    expect_load_error("socket.tpc()", "test.lua:1: socket has no 'tpc'; did you mean 'tcp'?\n"
                                      "  in the file's top level (test.lua:1)");
}

/* A line of the top level, and what is said of it behind the file's name. */
static const struct {
    const char *line, *message;
} wrong[] = {
    {"lab[1] = 2", ":1: lab has named fields only, not a number"},
    {"lab.xyzzy = 1", ":1: lab.xyzzy: no such field"},
    {"lab.title = 'a\\0b'", ":1: lab.title has a zero byte in it"},
    {"lab.timeout = 'x'", ":1: lab.timeout must be a number of seconds above 0"},
    {"lab.timeout = 1e10", ":1: lab.timeout must be a number of seconds above 0"},
    {"lab.timeout = 0 / 0", ":1: lab.timeout must be a number of seconds above 0"},
    {"lab.clients = 1", ":1: lab.clients is a number; it must be a table"},
    {"lab.clients[1] = print", ": lab.clients has a number as a name; write lab.clients.alice"},
    {"lab.clients[''] = print",
     ": lab.clients.: a client's name has up to 24 letters, digits, _ and -"},
    {"lab.clients['a b'] = print",
     ": lab.clients.a b: a client's name has up to 24 letters, digits, _ and -"},
    {"lab.clients[('x'):rep(25)] = print",
     ": lab.clients.xxxxxxxxxxxxxxxxxxxxxxxxx: a client's name has up to 24 letters, digits, _ "
     "and -"},
    {"lab.clients.bob = 1", ": lab.clients.bob is a number; it must be a function"},
    {"lab.clients.server = print", ": no client in lab.clients can be called server"},
    {"lab.clients.client = print", ": no client in lab.clients can be called client"},
    {"lab.kernel = 1", ":1: lab.kernel is a number; it must be a table"},
    {"lab.kernel.xyzzy = 1", ":1: lab.kernel.xyzzy: no such field"},
    {"lab.kernel = { [1] = 2 }", ":1: lab.kernel has named fields only, not a number"},
    {"lab.kernel.sack = 2", ":1: lab.kernel.sack must be a whole number from 0 to 1, not 2"},
    {"lab.answers = 1", ":1: lab.answers is a number; it must be a table"},
    {"lab.answers = { client = 1 }",
     ": lab.answers.client is a number; it must be a list of lines"},
    {"lab.answers = { client = { 'x', {} } }",
     ": lab.answers.client: line 2 is a table; it must be a text"},
    {"lab.answers = { bob = { 'x' } }",
     ": lab.answers has lines for 'bob', but the lab has no such role"},
    {"lab.answers = { server = { 'x' } }",
     ": lab.answers has lines for 'server', but the lab has no such role"},
    {"error()", ":1: error without a message (the value raised is nil)"},
    {"error({})", ":1: error without a message (the value raised is a table)"},
    {"error(setmetatable({}, { __tostring = function() return 'mine' end }))", ":1: mine"},
    {"error('mine', 0)", ":1: mine"},
    {"require('a b')", ":1: require: 'a b' is not the name of a script beside the lab"},
    {"require(('x'):rep(65))", ":1: require: 'xxxxx"},
    {"string.rep('x', 2^29)", ":1: the script needs more than its 256 MiB of memory"},
    {"coroutine.wrap(error)('mine')", ":1: mine"},
};

static void every_mistake_at_the_top_level_has_its_sentence(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char text[256], message[256];
        snprintf(text, sizeof text, "%s function lab.client() end\n", wrong[i].line);
        snprintf(message, sizeof message, "test.lua%s", wrong[i].message);
        struct script *script = load_text(text);
        if (script != NULL)
            fail_msg("nothing is said of: %s", wrong[i].line);
        if (strncmp(lab_error.text, message, strlen(message)) != 0)
            fail_msg("%s\nsays: %s\nnot:  %s", wrong[i].line, lab_error.text, message);
        assert_int_equal(lab_error.status, STATUS_USAGE);
    }
}

static void a_switch_of_the_kernel_may_be_true_or_false(void **state)
{
    (void)state;
    struct script *script = load_text("lab.kernel = { sack = false, timestamps = true }\n"
                                      "function lab.client() end\n");
    assert_non_null(script);
    assert_int_equal(script_lab(script)->kernel.sack, 0);
    assert_int_equal(script_lab(script)->kernel.timestamps, 1);
    script_close(script);
}

static void a_file_that_is_too_large_is_refused(void **state)
{
    (void)state;
    size_t length = ((size_t)4 << 20) + 1;
    char *text = malloc(length);
    assert_non_null(text);
    memset(text, '\n', length);
    write_bytes("test.lua", text, length);
    free(text);
    assert_null(load_named("test.lua", NULL));
    assert_non_null(strstr(lab_error.text, "test.lua has more than 4 MiB; that is no script"));
    assert_int_equal(lab_error.status, STATUS_USAGE);
}

static void more_files_than_a_lab_may_have_are_refused(void **state)
{
    (void)state;
    for (int i = 0; i < 64; i++) {
        char name[32];
        snprintf(name, sizeof name, "part%d.lua", i);
        write_file(name, "return 1");
    }
    assert_null(load_text("for i = 0, 63 do require('part' .. i) end"));
    assert_non_null(strstr(lab_error.text, "a lab can have at most 64 script files"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fields_of_lab_are_read),
        cmocka_unit_test(fields_not_given_have_defaults),
        cmocka_unit_test(wrong_fields_are_named_with_their_line),
        cmocka_unit_test(a_syntax_error_shows_the_line),
        cmocka_unit_test(an_error_at_the_top_level_has_a_traceback),
        cmocka_unit_test(a_lab_without_roles_is_refused),
        cmocka_unit_test(a_file_that_is_no_script_is_refused),
        cmocka_unit_test(a_shell_line_and_a_byte_order_mark_are_skipped),
        cmocka_unit_test(require_finds_sibling_scripts_once),
        cmocka_unit_test(require_names_what_is_wrong),
        cmocka_unit_test(an_unknown_global_is_an_error),
        cmocka_unit_test(every_mistake_at_the_top_level_has_its_sentence),
        cmocka_unit_test(a_switch_of_the_kernel_may_be_true_or_false),
        cmocka_unit_test(a_file_that_is_too_large_is_refused),
        cmocka_unit_test(more_files_than_a_lab_may_have_are_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
