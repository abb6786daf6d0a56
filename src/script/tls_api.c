/*
 * The global table tls.
 */
#include "script/tls_api.h"

/* What making a key costs, in instructions of the Lua machine. */
#define CERTIFICATE_COST 20000

/* Room for a certificate with as many names as it may have, twice over. */
struct pem {
    char text[8192];
};

static bool copy_pem(struct pem *pem, struct buffer *made)
{
    int length = snprintf(pem->text, sizeof pem->text, "%s", buffer_text(made));
    buffer_free(made);
    return length > 0 && (size_t)length < sizeof pem->text;
}

/* tls.certificate(options) → { certificate = pem, key = pem } */
static int certificate(lua_State *L)
{
    struct tls_certificate_settings settings;
    struct buffer made = {0}, made_key = {0};
    struct error error;
    lua_settop(L, 1);
    tls_options_check_certificate(L, 1, &settings);
    script_charge(L, CERTIFICATE_COST);
    bool done = tls_certificate_make(&settings, &made, &made_key, &error);
    /* Out of the buffers before anything of Lua may raise an error. */
    struct pem texts[2];
    bool copied = copy_pem(&texts[0], &made);
    copied = copy_pem(&texts[1], &made_key) && copied;
    if (!done || !copied)
        return luaL_error(L, "tls.certificate: %s", done ? "out of memory" : error.text);
    lua_createtable(L, 0, 2);
    lua_pushstring(L, texts[0].text);
    lua_setfield(L, -2, "certificate");
    lua_pushstring(L, texts[1].text);
    lua_setfield(L, -2, "key");
    return 1;
}

static int finish(lua_State *L, int status, lua_KContext handle)
{
    (void)status;
    script_call_check(L);
    lua_settop(L, (int)handle);
    return 1;
}

/* The socket is the first argument, the options the second; name: of the function. */
static int start(lua_State *L, const char *name, const struct tls_settings *settings)
{
    struct error error;
    struct host_socket *socket = socket_handle_check(L, 1);
    struct task *task = script_call_begin(L, name, CALL_WAITS);
    bool now = tls_options_switch(L, 2, "handshake", true);
    tls_handle_push(L, 1);
    if (!tls_start(socket, settings, &error))
        return luaL_error(L, "%s: %s", name, error.text);
    if (!now)
        return 1;
    return script_call_end(L, tls_handshake(task, socket, name), lua_gettop(L), finish);
}

static int client(lua_State *L)
{
    struct tls_settings settings;
    socket_handle_check(L, 1);
    lua_settop(L, 2);
    tls_options_check_client(L, 2, &settings);
    return start(L, "tls.client", &settings);
}

static int server(lua_State *L)
{
    struct tls_settings settings;
    socket_handle_check(L, 1);
    lua_settop(L, 2);
    tls_options_check_server(L, 2, &settings);
    if (settings.certificate.data == NULL) {
        lua_pushcfunction(L, certificate);
        lua_call(L, 0, 1);
        lua_getfield(L, -1, "certificate");
        settings.certificate.data = lua_tolstring(L, -1, &settings.certificate.length);
        lua_getfield(L, -2, "key");
        settings.key.data = lua_tolstring(L, -1, &settings.key.length);
    }
    return start(L, "tls.server", &settings);
}

void tls_api_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"client", client},
        {"server", server},
        {"certificate", certificate},
        {NULL, NULL},
    };
    luaL_newlib(L, functions);
    names_make_strict(L, "tls");
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "tls");
    lua_pop(L, 1);
    lua_setglobal(L, "tls");
}
