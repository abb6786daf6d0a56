/*
 * What C registers, what scripts/README.md explains and what scripts/types/handlens.lua declares
 * are the same names.
 *
 * A name is written "lab.port", "lab.kernel.sack", "socket.tcp", "sock:recv", "address.host",
 * "error.code", "info.state", "file.open", "f:read", "checksum.new", "sum:add" or "print".
 */
#include "fake_run.h"

#include "script/call.h"
#include "script/checking.h"
#include "script/lab.h"
#include "script/tls_api.h"
#include "support/buffer.h"

#define NAMES 256

struct names {
    char list[NAMES][96];
    size_t count;
};

static void add(struct names *names, const char *table, const char *name, size_t length)
{
    assert_true(names->count < NAMES);
    snprintf(names->list[names->count++], sizeof names->list[0], "%s%.*s", table, (int)length,
             name);
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The sorted names, one a line, so that a difference is easy to read. */
static char *to_text(struct names *names)
{
    struct buffer text = {0};
    qsort(names->list, names->count, sizeof names->list[0], compare);
    for (size_t i = 0; i < names->count; i++)
        if (i == 0 || strcmp(names->list[i], names->list[i - 1]) != 0)
            buffer_printf(&text, "%s\n", names->list[i]);
    char *copy = strdup(buffer_text(&text));
    buffer_free(&text);
    return copy;
}

static FILE *open_script_file(const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%.*s/../../../scripts/%s",
             (int)(strrchr(__FILE__, '/') - __FILE__), __FILE__, name);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("cannot open %s", path);
    return file;
}

/* Adds the keys of the table on top, and pops it. */
static void add_keys(struct names *names, lua_State *L, const char *table)
{
    assert_true(lua_istable(L, -1));
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
        lua_pop(L, 1);
        add(names, table, lua_tostring(L, -1), lua_rawlen(L, -1));
    }
    lua_pop(L, 1);
}

/* Of the global functions, those that are not Lua's own. */
static void add_global_functions(struct names *names, lua_State *L)
{
    static const char lua_own[] =
        " assert collectgarbage error getmetatable ipairs load next pairs pcall rawequal rawget "
        "rawlen rawset select setmetatable tonumber tostring type xpcall ";
    lua_pushglobaltable(L);
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
        char word[64];
        snprintf(word, sizeof word, " %s ", lua_tostring(L, -2));
        if (lua_isfunction(L, -1) && strstr(lua_own, word) == NULL)
            add(names, "", lua_tostring(L, -2), lua_rawlen(L, -2));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* Values with methods: their metatable, their type's name in the types, their variable's name. */
static const struct methods {
    const char *metatable, *declared, *prefix;
} methods[] = {
    {"socket", "function Socket:", "sock:"},
    {"file", "function OpenFile:", "f:"},
    {"checksum", "function Checksum:", "sum:"},
    {"tls stream", "function TlsStream:", "secure:"},
};

/* If the line declares a method. */
static const struct methods *find_methods(const char *line)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strncmp(line, methods[i].declared, strlen(methods[i].declared)) == 0)
            return &methods[i];
    return NULL;
}

/* The fields of what a check sees; the trace has one method among them. */
static void add_trace_fields(struct names *names)
{
    for (size_t type = 0; check_type_names[type] != NULL; type++) {
        char prefix[32];
        const char *name;
        snprintf(prefix, sizeof prefix, "%s.", check_type_names[type]);
        for (size_t i = 0; (name = check_field_name(check_type_names[type], i)) != NULL; i++)
            if (type == 0 && strcmp(name, "flow") == 0)
                add(names, "trace:", name, 64);
            else
                add(names, prefix, name, 64);
    }
}

static char *registered_names(void)
{
    struct names names = {.count = 0};
    struct script *script = load_text("function lab.client()\n"
                                      "  info = socket.tcp():info()\n"
                                      "  details = tls.client(socket.tcp()):info()\n"
                                      "end");
    assert_non_null(script);
    struct host *host = fake_open();
    run_roles(script, host);
    fake_close();
    lua_State *L = script->state;
    for (size_t i = 0; lab_field_name(i) != NULL; i++)
        if (strcmp(lab_field_name(i), "kernel") != 0)
            add(&names, "lab.", lab_field_name(i), 64);
    for (size_t i = 0; lab_kernel_field_name(i) != NULL; i++)
        add(&names, "lab.kernel.", lab_kernel_field_name(i), 64);
    add(&names, "identity.", "certificate", 64);
    add(&names, "identity.", "key", 64);
    for (size_t i = 0; error_object_fields[i] != NULL; i++)
        add(&names, "error.", error_object_fields[i], 64);
    for (size_t i = 0; address_fields[i] != NULL; i++)
        add(&names, "address.", address_fields[i], 64);
    lua_getglobal(L, "info");
    add_keys(&names, L, "info.");
    lua_getglobal(L, "socket");
    add_keys(&names, L, "socket.");
    lua_getglobal(L, "details");
    add_keys(&names, L, "details.");
    lua_getglobal(L, "tls");
    add_keys(&names, L, "tls.");
    for (size_t i = 0; tls_options[i] != NULL; i++)
        add(&names, "options.", tls_options[i], 64);
    lua_getglobal(L, "file");
    add_keys(&names, L, "file.");
    lua_getglobal(L, "checksum");
    add_keys(&names, L, "checksum.");
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        luaL_getmetatable(L, methods[i].metatable);
        lua_getfield(L, -1, "__index");
        add_keys(&names, L, methods[i].prefix);
        lua_pop(L, 1);
    }
    lua_getglobal(L, "expect");
    add_keys(&names, L, "expect.");
    add_trace_fields(&names);
    add_global_functions(&names, L);
    script_close(script);
    return to_text(&names);
}

/* Headings "### `name(" and rows "| `name` |". The three sections about Lua have none. */
static char *explained_names(void)
{
    struct names names = {.count = 0};
    char line[1024];
    FILE *file = open_script_file("README.md");
    while (fgets(line, sizeof line, file) != NULL && strncmp(line, "## What Lua has", 15) != 0) {
        const char *name = NULL;
        if (strncmp(line, "### `", 5) == 0)
            name = line + 5;
        else if (strncmp(line, "| `", 3) == 0)
            name = line + 3;
        if (name != NULL && strncmp(name, "lab.kernel`", 11) != 0)
            add(&names, "", name, strcspn(name, "(`"));
    }
    fclose(file);
    return to_text(&names);
}

static char *declared_names(void)
{
    static const char *const classes[][2] = {
        {"Address", "address."},
        {"SocketError", "error."},
        {"SocketInfo", "info."},
        {"LabKernel", "lab.kernel."},
        {"Lab", "lab."},
        {"Socket", "?"},
        {"TlsInfo", "details."},
        {"TlsStream", "?"},
        {"TlsIdentity", "identity."},
        {"TlsOptions", "options."},
        {"Trace", "trace."},
        {"TraceFlow", "flow."},
        {"TraceSide", "side."},
        {"TracePacket", "packet."},
        {"TraceCall", "call."},
    };
    struct names names = {.count = 0};
    char line[1024], table[32] = "?";
    FILE *file = open_script_file("types/handlens.lua");
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "---@class ", 10) == 0) {
            line[strcspn(line, "\n")] = '\0';
            snprintf(table, sizeof table, "unknown class.");
            for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
                if (strcmp(classes[i][0], line + 10) == 0)
                    snprintf(table, sizeof table, "%s", classes[i][1]);
        } else if (strncmp(line, "---@field ", 10) == 0) {
            if (strncmp(line + 10, "kernel ", 7) != 0)
                add(&names, table, line + 10, strcspn(line + 10, " "));
        } else if (find_methods(line) != NULL) {
            const struct methods *of = find_methods(line);
            const char *name = line + strlen(of->declared);
            add(&names, of->prefix, name, strcspn(name, "("));
        } else if (strncmp(line, "function Trace:", 15) == 0) {
            add(&names, "trace:", line + 15, strcspn(line + 15, "("));
        } else if (strncmp(line, "function ", 9) == 0) {
            add(&names, "", line + 9, strcspn(line + 9, "("));
        }
    }
    fclose(file);
    return to_text(&names);
}

static void the_readme_explains_what_is_registered(void **state)
{
    (void)state;
    char *registered = registered_names(), *explained = explained_names();
    assert_string_equal(explained, registered);
    free(registered);
    free(explained);
}

static void the_types_declare_what_is_registered(void **state)
{
    (void)state;
    char *registered = registered_names(), *declared = declared_names();
    assert_string_equal(declared, registered);
    free(registered);
    free(declared);
}

/* Whether word stands in the file, not as a part of a longer name. */
static bool stands_in(const char *file_name, const char *word)
{
    char line[1024];
    bool found = false;
    FILE *file = open_script_file(file_name);
    while (!found && fgets(line, sizeof line, file) != NULL)
        for (const char *at = line; !found && (at = strstr(at, word)) != NULL; at++) {
            char behind = at[strlen(word)];
            found = (behind < 'A' || behind > 'Z') && behind != '_';
        }
    fclose(file);
    return found;
}

static void both_name_every_socket_option(void **state)
{
    (void)state;
    for (const char *const *name = socket_option_names(); *name != NULL; name++)
        if (!stands_in("README.md", *name) || !stands_in("types/handlens.lua", *name))
            fail_msg("%s is not named", *name);
}

/* A type file is Lua, too. */
static void the_types_are_valid_lua(void **state)
{
    (void)state;
    char text[32768];
    FILE *file = open_script_file("types/handlens.lua");
    size_t length = fread(text, 1, sizeof text, file);
    fclose(file);
    assert_in_range(length, 1000, sizeof text - 1);
    lua_State *L = luaL_newstate();
    assert_int_equal(luaL_loadbuffer(L, text, length, "types"), LUA_OK);
    lua_close(L);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_readme_explains_what_is_registered),
        cmocka_unit_test(the_types_declare_what_is_registered),
        cmocka_unit_test(both_name_every_socket_option),
        cmocka_unit_test(the_types_are_valid_lua),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
