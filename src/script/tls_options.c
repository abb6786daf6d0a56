/*
 * What tls.client, tls.server and tls.certificate take.
 */
#include "script/tls_api.h"

#include <math.h>
#include <string.h>

#include "script/names.h"

#define NAMES_LIMIT 32

/* Each list is a part of this one: first the server's own, then what both take, and so on. */
const char *const tls_options[] = {"certificate", "key",       "alpn",        "min_version",
                                   "max_version", "handshake", "server_name", "verify",
                                   "ca",          "names",     "days",        NULL};

struct options {
    size_t first, end; /* in tls_options */
};
static const struct options server_options = {0, 6}, client_options = {2, 9},
                            certificate_options = {9, 11};

static void refuse(lua_State *L, const char *name, const struct options *known)
{
    struct names_search search = names_search_for(name);
    for (size_t i = known->first; i < known->end; i++)
        names_offer(&search, tls_options[i]);
    if (search.nearest != NULL)
        luaL_error(L, "no option is called '%s'; did you mean '%s'?", name, search.nearest);
    luaL_error(L, "no option is called '%s'", name);
}

/* The value at index is a table of these fields, or nothing. */
static void check_fields(lua_State *L, int index, const struct options *known)
{
    if (lua_isnoneornil(L, index))
        return;
    luaL_checktype(L, index, LUA_TTABLE);
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING)
            luaL_error(L, "options are named, as in { %s = … }", tls_options[known->first]);
        size_t at = known->first;
        while (at < known->end && strcmp(tls_options[at], lua_tostring(L, -1)) != 0)
            at++;
        if (at == known->end)
            refuse(L, lua_tostring(L, -1), known);
    }
}

/* Pushes the field and returns its type. */
static int push_field(lua_State *L, int index, const char *name)
{
    luaL_checkstack(L, 2, NULL);
    if (lua_isnoneornil(L, index)) {
        lua_pushnil(L);
        return LUA_TNIL;
    }
    lua_pushstring(L, name);
    return lua_rawget(L, index);
}

/* Leaves the text on the stack. Without it data is NULL. */
static struct trace_text text_option(lua_State *L, int index, const char *name)
{
    struct trace_text text = {NULL, 0};
    int type = push_field(L, index, name);
    if (type == LUA_TNIL)
        return text;
    if (type != LUA_TSTRING)
        luaL_error(L, "%s must be a text, not a %s", name, lua_typename(L, type));
    text.data = lua_tolstring(L, -1, &text.length);
    return text;
}

bool tls_options_switch(lua_State *L, int index, const char *name, bool otherwise)
{
    int type = push_field(L, index, name);
    bool value = type == LUA_TNIL ? otherwise : lua_toboolean(L, -1);
    lua_pop(L, 1);
    if (type != LUA_TNIL && type != LUA_TBOOLEAN)
        luaL_error(L, "%s must be true or false, not a %s", name, lua_typename(L, type));
    return value;
}

static enum tls_version version_option(lua_State *L, int index, const char *name,
                                       enum tls_version otherwise)
{
    struct trace_text text = text_option(L, index, name);
    lua_pop(L, 1);
    if (text.data == NULL)
        return otherwise;
    if (strcmp(text.data, "1.2") == 0)
        return TLS_VERSION_1_2;
    if (strcmp(text.data, "1.3") != 0)
        luaL_error(L, "%s must be \"1.2\" or \"1.3\"", name);
    return TLS_VERSION_1_3;
}

static void check_versions(lua_State *L, int index, struct tls_settings *settings)
{
    settings->most = version_option(L, index, "max_version", TLS_VERSION_1_3);
    settings->least = version_option(L, index, "min_version", settings->most);
    if (settings->least > settings->most)
        luaL_error(L, "min_version is above max_version");
}

/* Leaves the protocols on the stack as they go on the wire: each behind its length. */
static void check_protocols(lua_State *L, int index, struct tls_settings *settings)
{
    luaL_Buffer buffer;
    luaL_checkstack(L, 8, NULL);
    if (push_field(L, index, "alpn") == LUA_TNIL)
        return;
    if (!lua_istable(L, -1))
        luaL_error(L, "alpn must be a list of texts, such as { \"http/1.1\" }");
    int list = lua_gettop(L);
    lua_Unsigned count = lua_rawlen(L, list);
    luaL_buffinit(L, &buffer);
    for (lua_Unsigned i = 1; i <= count; i++) {
        size_t length = 0;
        if (lua_rawgeti(L, list, (lua_Integer)i) == LUA_TSTRING)
            lua_tolstring(L, -1, &length);
        if (length == 0 || length > 255 || count > NAMES_LIMIT)
            luaL_error(L, "alpn must be a list of 1 to %d texts of 1 to 255 bytes", NAMES_LIMIT);
        lua_pushfstring(L, "%c", (int)length);
        lua_insert(L, -2);
        lua_concat(L, 2);
        luaL_addvalue(&buffer);
    }
    luaL_pushresult(&buffer);
    settings->alpn.data = lua_tolstring(L, -1, &settings->alpn.length);
}

void tls_options_check_client(lua_State *L, int index, struct tls_settings *settings)
{
    check_fields(L, index, &client_options);
    *settings = (struct tls_settings){.server = false};
    check_versions(L, index, settings);
    check_protocols(L, index, settings);
    settings->verify = tls_options_switch(L, index, "verify", true);
    settings->ca = text_option(L, index, "ca");
    struct trace_text name = text_option(L, index, "server_name");
    if (name.data != NULL && strlen(name.data) != name.length)
        luaL_error(L, "server_name has a zero byte in it");
    settings->server_name = name.data;
}

void tls_options_check_server(lua_State *L, int index, struct tls_settings *settings)
{
    check_fields(L, index, &server_options);
    *settings = (struct tls_settings){.server = true};
    check_versions(L, index, settings);
    check_protocols(L, index, settings);
    settings->certificate = text_option(L, index, "certificate");
    settings->key = text_option(L, index, "key");
    if ((settings->certificate.data == NULL) != (settings->key.data == NULL))
        luaL_error(L, "certificate and key go together");
}

static void check_names(lua_State *L, int list, struct tls_certificate_settings *settings)
{
    lua_Unsigned count = lua_rawlen(L, list);
    if (count < 1 || count > NAMES_LIMIT)
        luaL_error(L, "names must be a list of 1 to %d names and addresses", NAMES_LIMIT);
    const char **names = lua_newuserdatauv(L, count * sizeof *names, 0);
    for (lua_Unsigned i = 0; i < count; i++) {
        if (lua_rawgeti(L, list, (lua_Integer)i + 1) != LUA_TSTRING)
            luaL_error(L, "names must be a list of texts");
        names[i] = lua_tostring(L, -1);
        if (strlen(names[i]) != lua_rawlen(L, -1))
            luaL_error(L, "a name has a zero byte in it");
        lua_pop(L, 1); /* the list keeps it */
    }
    settings->names = names;
    settings->name_count = count;
}

void tls_options_check_certificate(lua_State *L, int index,
                                   struct tls_certificate_settings *settings)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "::1"};
    check_fields(L, index, &certificate_options);
    *settings = (struct tls_certificate_settings){.names = names, .name_count = 3, .days = 1};
    if (push_field(L, index, "days") != LUA_TNIL) {
        int is_number;
        settings->days = lua_tonumberx(L, -1, &is_number);
        if (!is_number || !(fabs(settings->days) <= 36500))
            luaL_error(L, "days must be a number from -36500 to 36500");
    }
    int type = push_field(L, index, "names");
    if (type != LUA_TNIL && type != LUA_TTABLE)
        luaL_error(L, "names must be a list of texts, not a %s", lua_typename(L, type));
    if (type == LUA_TTABLE)
        check_names(L, lua_gettop(L), settings);
}
