/*
 * Addresses as values: .host .port .family, "127.0.0.1:65432" as text, equal when they are the
 * same.
 */
#include <string.h>

#include "script/call.h"

#define TYPE_NAME "address"

const char *const address_fields[] = {"host", "port", "family", NULL};

void address_push(lua_State *L, const struct address *address)
{
    struct address *copy = lua_newuserdatauv(L, sizeof *copy, 0);
    *copy = *address;
    luaL_setmetatable(L, TYPE_NAME);
}

void address_push_or_nil(lua_State *L, const struct address *address)
{
    if (address->family == 0)
        lua_pushnil(L);
    else
        address_push(L, address);
}

const struct address *address_test(lua_State *L, int index)
{
    return luaL_testudata(L, index, TYPE_NAME);
}

static uint16_t check_port(lua_State *L, int index)
{
    int is_number;
    lua_Integer port = lua_tointegerx(L, index, &is_number);
    luaL_argexpected(L, is_number, index, "port number");
    luaL_argcheck(L, port >= 0 && port <= 65535, index, "a port is a number from 0 to 65535");
    return (uint16_t)port;
}

/* Reads "host:port" or "[host]:port". Returns where the host ends, or NULL without a port. */
static const char *split_port(const char *text, uint16_t *port)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text || colon[1] == '\0')
        return NULL;
    if (memchr(text, ':', (size_t)(colon - text)) != NULL && colon[-1] != ']')
        return NULL; /* an IPv6 address without brackets has no port */
    unsigned long number = 0;
    for (const char *digit = colon + 1; *digit != '\0'; digit++) {
        if (*digit < '0' || *digit > '9' || number > 65535)
            return NULL;
        number = number * 10 + (unsigned long)(*digit - '0');
    }
    if (number > 65535)
        return NULL;
    *port = (uint16_t)number;
    return colon;
}

static void set_host(struct address_argument *argument, const char *host, uint16_t port)
{
    argument->name = host;
    argument->port = port;
    if (host[0] == '\0') { /* Python's way to say: any address */
        argument->address = (struct address){.family = 4};
        argument->address.port = port;
    } else if (address_parse_host(host, &argument->address)) {
        argument->address.port = port;
    } else {
        argument->address.family = 0;
    }
}

static void check_text(lua_State *L, int index, struct address_argument *argument)
{
    uint16_t port;
    const char *text = lua_tostring(L, index);
    luaL_argcheck(L, strlen(text) == lua_rawlen(L, index), index, "a host has no zero byte in it");
    const char *end = split_port(text, &port);
    if (end != NULL) {
        argument->next = index + 1;
        lua_pushlstring(L, text, (size_t)(end - text));
        set_host(argument, lua_tostring(L, -1), port);
        return;
    }
    if (lua_isnoneornil(L, index + 1))
        luaL_error(L,
                   "the address '%s' has no port; write \"%s:80\", or the port as the next "
                   "argument",
                   text, text);
    argument->next = index + 2;
    set_host(argument, text, check_port(L, index + 1));
}

void address_check(lua_State *L, int index, struct address_argument *argument)
{
    *argument = (struct address_argument){.next = index + 1};
    const struct address *address = address_test(L, index);
    if (address != NULL) {
        argument->address = *address;
        argument->port = address->port;
        return;
    }
    switch (lua_type(L, index)) {
    case LUA_TSTRING:
        check_text(L, index, argument);
        return;
    case LUA_TNUMBER:
        set_host(argument, script_of(L)->lab.host, check_port(L, index));
        return;
    case LUA_TNIL:
    case LUA_TNONE:
        luaL_argerror(L, index,
                      "an address is missing (a lab without lab.port must say its "
                      "address with lab.ready; to connect to it alone, say --port)");
        return;
    default:
        luaL_typeerror(L, index, "address");
    }
}

static int get_field(lua_State *L)
{
    char text[ADDRESS_TEXT];
    const struct address *address = luaL_checkudata(L, 1, TYPE_NAME);
    const char *name = luaL_checkstring(L, 2);
    if (strcmp(name, "host") == 0)
        lua_pushstring(L, address_format_host(address, text));
    else if (strcmp(name, "port") == 0)
        lua_pushinteger(L, address->port);
    else if (strcmp(name, "family") == 0)
        lua_pushinteger(L, address->family);
    else
        return luaL_error(L, "an address has no '%s'; it has host, port and family", name);
    return 1;
}

static int is_equal(lua_State *L)
{
    const struct address *a = address_test(L, 1), *b = address_test(L, 2);
    lua_pushboolean(L, a != NULL && b != NULL && address_equal(a, b));
    return 1;
}

static int to_string(lua_State *L)
{
    char text[ADDRESS_TEXT];
    lua_pushstring(L, address_format(luaL_checkudata(L, 1, TYPE_NAME), text));
    return 1;
}

static int concatenate(lua_State *L)
{
    luaL_tolstring(L, 1, NULL);
    luaL_tolstring(L, 2, NULL);
    lua_concat(L, 2);
    return 1;
}

void address_open(lua_State *L)
{
    static const luaL_Reg metamethods[] = {
        {"__index", get_field},    {"__eq", is_equal}, {"__tostring", to_string},
        {"__concat", concatenate}, {NULL, NULL},
    };
    luaL_newmetatable(L, TYPE_NAME);
    luaL_setfuncs(L, metamethods, 0);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}
