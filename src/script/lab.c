#include "script/lab.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "script/call.h"
#include "script/names.h"
#include "script/seconds.h"
#include "script/socket_addressed.h"

/* Registry keys: the hidden table of what was set, and that of lab.kernel. */
static const char values_key = 'l';
static const char kernel_key = 'k';

enum kind {
    KIND_TEXT,
    KIND_WHOLE,
    KIND_SECONDS,
    KIND_FUNCTION,
    KIND_KERNEL,
    KIND_TABLE,
    KIND_OURS
};

struct field {
    const char *name;
    enum kind kind;
    lua_Integer least, most;
};

static const struct field lab_fields[] = {
    {"title", KIND_TEXT, 0, 0},      {"about", KIND_TEXT, 0, 0},
    {"group", KIND_TEXT, 0, 0},      {"order", KIND_WHOLE, 1, 9999},
    {"host", KIND_TEXT, 0, 0},       {"port", KIND_WHOLE, 0, 65535},
    {"timeout", KIND_SECONDS, 0, 0}, {"mtu", KIND_WHOLE, 68, 65536},
    {"kernel", KIND_KERNEL, 0, 0},   {"message", KIND_TEXT, 0, 0},
    {"reply", KIND_FUNCTION, 0, 0},  {"server", KIND_FUNCTION, 0, 0},
    {"client", KIND_FUNCTION, 0, 0}, {"clients", KIND_TABLE, 0, 0},
    {"check", KIND_FUNCTION, 0, 0},  {"answers", KIND_TABLE, 0, 0},
    {"ready", KIND_OURS, 0, 0},      {NULL, KIND_OURS, 0, 0},
};

static const struct field kernel_fields[] = {
    {"timestamps", KIND_WHOLE, 0, 2},
    {"sack", KIND_WHOLE, 0, 1},
    {"window_scaling", KIND_WHOLE, 0, 1},
    {"syn_retries", KIND_WHOLE, 1, 127},
    {"synack_retries", KIND_WHOLE, 0, 255},
    {"fin_timeout", KIND_WHOLE, 1, 120},
    {"fast_open", KIND_WHOLE, 0, 1027},
    {"ecn", KIND_WHOLE, 0, 2},
    {NULL, KIND_OURS, 0, 0},
};

static const struct field *find_field(lua_State *L, const char *table, const struct field *fields,
                                      int index)
{
    if (lua_type(L, index) != LUA_TSTRING)
        luaL_error(L, "%s has named fields only, not a %s", table, luaL_typename(L, index));
    const char *name = lua_tostring(L, index);
    for (const struct field *field = fields; field->name != NULL; field++)
        if (strcmp(field->name, name) == 0)
            return field;
    struct names_search search = names_search_for(name);
    for (const struct field *field = fields; field->name != NULL; field++)
        names_offer(&search, field->name);
    if (search.nearest != NULL)
        luaL_error(L, "%s.%s: no such field; did you mean %s.%s?", table, name, table,
                   search.nearest);
    luaL_error(L, "%s.%s: no such field", table, name);
    return NULL;
}

static int wrong_type(lua_State *L, const char *table, const struct field *field, const char *must)
{
    return luaL_error(L, "%s.%s is a %s; it must be %s", table, field->name, luaL_typename(L, -1),
                      must);
}

static void check_whole(lua_State *L, const char *table, const struct field *field)
{
    int is_whole;
    if (lua_isboolean(L, -1) && field->least == 0) { /* a switch, as a script may well write it */
        int on = lua_toboolean(L, -1);
        lua_pop(L, 1);
        lua_pushinteger(L, on);
    }
    lua_Integer value = lua_tointegerx(L, -1, &is_whole);
    if (lua_type(L, -1) != LUA_TNUMBER)
        wrong_type(L, table, field, "a whole number");
    if (!is_whole)
        luaL_error(L, "%s.%s must be a whole number, not %f", table, field->name,
                   lua_tonumber(L, -1));
    if (value < field->least || value > field->most)
        luaL_error(L, "%s.%s must be a whole number from %I to %I, not %I", table, field->name,
                   field->least, field->most, value);
    lua_pushinteger(L, value);
    lua_replace(L, -2);
}

/* Checks the value on top, which may become another. */
static void check_value(lua_State *L, const char *table, const struct field *field)
{
    switch (field->kind) {
    case KIND_TEXT:
        if (lua_type(L, -1) != LUA_TSTRING)
            wrong_type(L, table, field, "a text in quotes");
        if (field->name[0] != 'm' && strlen(lua_tostring(L, -1)) != lua_rawlen(L, -1))
            luaL_error(L, "%s.%s has a zero byte in it", table, field->name);
        break;
    case KIND_WHOLE:
        check_whole(L, table, field);
        break;
    case KIND_SECONDS:
        if (lua_type(L, -1) != LUA_TNUMBER || !(lua_tonumber(L, -1) > 0) ||
            lua_tonumber(L, -1) > SECONDS_LIMIT)
            luaL_error(L, "%s.%s must be a number of seconds above 0", table, field->name);
        break;
    case KIND_FUNCTION:
        if (!lua_isfunction(L, -1))
            wrong_type(L, table, field, "a function");
        break;
    case KIND_KERNEL:
    case KIND_TABLE:
        if (!lua_istable(L, -1))
            wrong_type(L, table, field, "a table");
        break;
    case KIND_OURS:
        luaL_error(L, "%s.%s is there to be called, it cannot be set", table, field->name);
    }
}

static void check_open(lua_State *L, const char *table)
{
    if (script_of(L)->loaded)
        luaL_error(L, "%s can only be set at the file's top level, before the exchange begins",
                   table);
}

static int get_kernel(lua_State *L)
{
    find_field(L, "lab.kernel", kernel_fields, 2);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &kernel_key);
    lua_pushvalue(L, 2);
    lua_rawget(L, -2);
    return 1;
}

/* Sets the field named at name, to the value on top, which is popped. */
static void store_kernel(lua_State *L, int name)
{
    const struct field *field = find_field(L, "lab.kernel", kernel_fields, name);
    if (!lua_isnil(L, -1))
        check_value(L, "lab.kernel", field);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &kernel_key);
    lua_insert(L, -2);
    lua_setfield(L, -2, field->name);
    lua_pop(L, 1);
}

static int set_kernel(lua_State *L)
{
    check_open(L, "lab.kernel");
    lua_settop(L, 3);
    store_kernel(L, 2);
    return 0;
}

/* lab.kernel = {…}: each of its fields is checked on its way into the hidden table. */
static void replace_kernel(lua_State *L, int table)
{
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &kernel_key);
    lua_pushnil(L);
    while (lua_next(L, table) != 0)
        store_kernel(L, lua_gettop(L) - 1);
}

static int get_lab(lua_State *L)
{
    find_field(L, "lab", lab_fields, 2);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &values_key);
    lua_pushvalue(L, 2);
    lua_rawget(L, -2);
    return 1;
}

static int set_lab(lua_State *L)
{
    check_open(L, "lab");
    lua_settop(L, 3);
    const struct field *field = find_field(L, "lab", lab_fields, 2);
    if (!lua_isnil(L, 3))
        check_value(L, "lab", field);
    if (field->kind == KIND_KERNEL) {
        if (lua_isnil(L, 3))
            lua_newtable(L);
        replace_kernel(L, lua_gettop(L));
        return 0;
    }
    if (strcmp(field->name, "port") == 0)
        script_of(L)->port_line = script_site_of(L, 1).line;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &values_key);
    lua_insert(L, 3);
    lua_setfield(L, 3, field->name);
    return 0;
}

static void set_front(lua_State *L, lua_CFunction get, lua_CFunction set)
{
    lua_createtable(L, 0, 3);
    lua_pushcfunction(L, get);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, set);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
}

void lab_open(lua_State *L)
{
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &kernel_key);
    lua_newtable(L);
    lua_newtable(L);
    set_front(L, get_kernel, set_kernel);
    lua_setfield(L, -2, "kernel");
    lua_newtable(L);
    lua_setfield(L, -2, "clients");
    lua_pushstring(L, script_of(L)->lab.host);
    lua_setfield(L, -2, "host");
    lua_pushcfunction(L, lab_ready);
    lua_setfield(L, -2, "ready");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &values_key);
    lua_newtable(L);
    set_front(L, get_lab, set_lab);
    lua_setglobal(L, "lab");
}

const char *lab_field_name(size_t n)
{
    return n < sizeof lab_fields / sizeof lab_fields[0] ? lab_fields[n].name : NULL;
}

const char *lab_kernel_field_name(size_t n)
{
    return n < sizeof kernel_fields / sizeof kernel_fields[0] ? kernel_fields[n].name : NULL;
}

void lab_push(lua_State *L, const char *field)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &values_key);
    lua_getfield(L, -1, field);
    lua_remove(L, -2);
}

void lab_set_text(lua_State *L, const char *field, const char *text)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &values_key);
    lua_pushstring(L, text);
    lua_setfield(L, -2, field);
    lua_pop(L, 1);
}

void lab_set_port(lua_State *L, uint16_t port)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &values_key);
    lua_pushinteger(L, port);
    lua_setfield(L, -2, "port");
    lua_pop(L, 1);
}

static bool is_set(lua_State *L, const char *field)
{
    lab_push(L, field);
    bool set = !lua_isnil(L, -1);
    lua_pop(L, 1);
    return set;
}

/* Puts a copy of the field's text, or of fallback, in the place of *text. */
static void copy_text(lua_State *L, const char *field, const char *fallback, const char **text)
{
    lab_push(L, field);
    char *copy = strdup(lua_isnil(L, -1) ? fallback : lua_tostring(L, -1));
    if (copy == NULL)
        luaL_error(L, "out of memory");
    lua_pop(L, 1);
    free((void *)(uintptr_t)*text);
    *text = copy;
}

static int kernel_setting(lua_State *L, const char *name)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &kernel_key);
    int value = lua_getfield(L, -1, name) == LUA_TNIL ? -1 : (int)lua_tointeger(L, -1);
    lua_pop(L, 2);
    return value;
}

/* A client's name stands in the ladder's head and in filters. */
static void check_client(lua_State *L)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const char *file = script_of(L)->lab.file;
    if (lua_type(L, -2) != LUA_TSTRING)
        luaL_error(L, "%s: lab.clients has a %s as a name; write lab.clients.alice", file,
                   luaL_typename(L, -2));
    const char *name = lua_tostring(L, -2);
    size_t length = lua_rawlen(L, -2);
    if (length == 0 || length > 24 || strspn(name, allowed) != length)
        luaL_error(L, "%s: lab.clients.%s: a client's name has up to 24 letters, digits, _ and -",
                   file, name);
    if (!lua_isfunction(L, -1))
        luaL_error(L, "%s: lab.clients.%s is a %s; it must be a function", file, name,
                   luaL_typename(L, -1));
    if (strcmp(name, "server") == 0 || strcmp(name, "client") == 0)
        luaL_error(L, "%s: no client in lab.clients can be called %s", file, name);
}

static size_t check_clients(lua_State *L)
{
    size_t count = 0;
    lab_push(L, "clients");
    if (lua_istable(L, -1)) {
        lua_pushnil(L);
        for (; lua_next(L, -2) != 0; lua_pop(L, 1), count++)
            check_client(L);
    }
    lua_pop(L, 1);
    return count;
}

/* The role's lines, on top. */
static void check_lines(lua_State *L, const char *role)
{
    const char *file = script_of(L)->lab.file;
    if (!lua_istable(L, -1))
        luaL_error(L, "%s: lab.answers.%s is a %s; it must be a list of lines", file, role,
                   luaL_typename(L, -1));
    lua_Integer count = luaL_len(L, -1);
    for (lua_Integer i = 1; i <= count; i++) {
        int type = lua_rawgeti(L, -1, i);
        if (type != LUA_TSTRING && type != LUA_TNUMBER)
            luaL_error(L, "%s: lab.answers.%s: line %I is a %s; it must be a text", file, role, i,
                       luaL_typename(L, -1));
        lua_pop(L, 1);
    }
}

static bool is_role(lua_State *L, const char *name)
{
    if (strcmp(name, "server") == 0)
        return is_set(L, "server") || is_set(L, "reply");
    if (strcmp(name, "client") == 0)
        return is_set(L, "client");
    int top = lua_gettop(L);
    lab_push(L, "clients");
    bool found = lua_istable(L, -1) && lua_getfield(L, -1, name) != LUA_TNIL;
    lua_settop(L, top);
    return found;
}

static void check_answers(lua_State *L)
{
    int top = lua_gettop(L);
    lab_push(L, "answers");
    if (lua_istable(L, -1))
        lua_pushnil(L);
    while (lua_gettop(L) > top + 1 && lua_next(L, top + 1) != 0) {
        if (lua_type(L, -2) != LUA_TSTRING || !is_role(L, lua_tostring(L, -2)))
            luaL_error(L, "%s: lab.answers has lines for '%s', but the lab has no such role",
                       script_of(L)->lab.file, luaL_tolstring(L, -2, NULL));
        check_lines(L, lua_tostring(L, -2));
        lua_pop(L, 1);
    }
    lua_settop(L, top);
}

int lab_finish(lua_State *L)
{
    struct lab *lab = &script_of(L)->lab;
    bool has_named_clients = check_clients(L) > 0;
    bool has_reply = is_set(L, "reply"), has_server = is_set(L, "server");
    if (has_reply && has_server)
        return luaL_error(L, "%s defines both lab.reply and lab.server; only one of them can serve",
                          lab->file);
    lab->has_port = is_set(L, "port");
    if (has_reply && !lab->has_port)
        return luaL_error(L, "%s defines lab.reply but no lab.port to serve at", lab->file);
    lab->has_server = has_reply || has_server;
    lab->has_clients = is_set(L, "client") || has_named_clients;
    if (!lab->has_server && !lab->has_clients)
        return luaL_error(L,
                          "%s defines no role: neither lab.server (or lab.reply) nor lab.client "
                          "(or lab.clients)",
                          lab->file);
    check_answers(L);
    copy_text(L, "title", lab->name, &lab->title);
    copy_text(L, "about", "", &lab->about);
    copy_text(L, "group", "", &lab->group);
    copy_text(L, "host", "", &lab->host);
    lab->has_check = is_set(L, "check");
    lab_push(L, "port");
    lab->port = (uint16_t)lua_tointeger(L, -1);
    lab_push(L, "timeout");
    lab->timeout = (int64_t)(lua_tonumber(L, -1) * (lua_Number)NANOSECONDS_PER_SECOND);
    lab_push(L, "order");
    lab->order = lua_isnil(L, -1) ? INT_MAX : (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    lab_push(L, "mtu");
    lab->mtu = lua_isnil(L, -1) ? -1 : (int)lua_tointeger(L, -1);
    lab->kernel = (struct lab_kernel){
        .timestamps = kernel_setting(L, "timestamps"),
        .sack = kernel_setting(L, "sack"),
        .window_scaling = kernel_setting(L, "window_scaling"),
        .syn_retries = kernel_setting(L, "syn_retries"),
        .synack_retries = kernel_setting(L, "synack_retries"),
        .fin_timeout = kernel_setting(L, "fin_timeout"),
        .fast_open = kernel_setting(L, "fast_open"),
        .ecn = kernel_setting(L, "ecn"),
    };
    return 0;
}

/* Whether the client named by the string at a was defined after the one at b. clients: the table.
 */
static bool comes_after(lua_State *L, int clients, int a, int b)
{
    lua_Debug first, second;
    lua_pushvalue(L, a);
    lua_rawget(L, clients);
    lua_getinfo(L, ">S", &first);
    lua_pushvalue(L, b);
    lua_rawget(L, clients);
    lua_getinfo(L, ">S", &second);
    if (first.linedefined != second.linedefined)
        return first.linedefined > second.linedefined;
    return strcmp(lua_tostring(L, a), lua_tostring(L, b)) > 0;
}

/* Inserts the name on top into the sorted list, and pops it. */
static void insert_name(lua_State *L, int list, int clients)
{
    int name = lua_gettop(L);
    lua_Integer at = (lua_Integer)lua_rawlen(L, list);
    for (; at >= 1; at--) {
        lua_rawgeti(L, list, at);
        if (!comes_after(L, clients, name + 1, name)) {
            lua_pop(L, 1);
            break;
        }
        lua_rawseti(L, list, at + 1);
    }
    lua_rawseti(L, list, at + 1);
}

void lab_push_client_names(lua_State *L)
{
    lua_newtable(L);
    int list = lua_gettop(L);
    lab_push(L, "clients");
    int clients = lua_gettop(L);
    if (lua_istable(L, clients)) {
        lua_pushnil(L);
        while (lua_next(L, clients) != 0) {
            lua_pop(L, 1);
            lua_pushvalue(L, -1);
            insert_name(L, list, clients);
        }
    }
    lua_settop(L, list);
}

void lab_free(struct lab *lab)
{
    const char *texts[] = {lab->name, lab->file, lab->title, lab->about, lab->group, lab->host};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free((void *)(uintptr_t)texts[i]);
}
