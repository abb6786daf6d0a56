/*
 * The global table checksum: SHA-256, of one string or of bytes as they come.
 */
#include <openssl/evp.h>

#include "script/call.h"
#include "script/file_api.h"

#define TYPE_NAME "checksum"
/* What OpenSSL takes for a context, about: it is not the script's memory, but shall count as such.
 */
#define CONTEXT_WEIGHT 512
#define BYTES_PER_STEP 16 /* so many cost about an instruction of the Lua machine */

struct sum {
    EVP_MD_CTX *context;
    char weight[CONTEXT_WEIGHT];
};

static int collect(lua_State *L)
{
    struct sum *sum = luaL_checkudata(L, 1, TYPE_NAME);
    EVP_MD_CTX_free(sum->context);
    sum->context = NULL;
    return 0;
}

static int refuse(lua_State *L)
{
    return luaL_error(L, "checksum: this machine's OpenSSL cannot make a SHA-256");
}

static int make(lua_State *L)
{
    struct sum *sum = lua_newuserdatauv(L, sizeof *sum, 0);
    sum->context = NULL;
    luaL_setmetatable(L, TYPE_NAME);
    sum->context = EVP_MD_CTX_new();
    if (sum->context == NULL || EVP_DigestInit_ex(sum->context, EVP_sha256(), NULL) != 1)
        return refuse(L);
    return 1;
}

static int push_hex(lua_State *L, const unsigned char *bytes, unsigned length)
{
    static const char digits[] = "0123456789abcdef";
    char text[2 * EVP_MAX_MD_SIZE];
    for (unsigned i = 0; i < length; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    lua_pushlstring(L, text, 2 * (size_t)length);
    return 1;
}

/* A closed one can only be had in a __gc of its own; there is none in a lab. */
static struct sum *check(lua_State *L)
{
    struct sum *sum = luaL_checkudata(L, 1, TYPE_NAME);
    if (sum->context == NULL)
        refuse(L);
    return sum;
}

static int add(lua_State *L)
{
    size_t length;
    struct sum *sum = check(L);
    const char *bytes = luaL_checklstring(L, 2, &length);
    script_charge(L, length / BYTES_PER_STEP);
    if (EVP_DigestUpdate(sum->context, bytes, length) != 1)
        return refuse(L);
    return 0;
}

/* Of a copy, so that more bytes may follow. */
static int hex(lua_State *L)
{
    struct sum *sum = check(L);
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    bool done = copy != NULL && EVP_MD_CTX_copy_ex(copy, sum->context) == 1 &&
                EVP_DigestFinal_ex(copy, bytes, &length) == 1;
    EVP_MD_CTX_free(copy);
    return done ? push_hex(L, bytes, length) : refuse(L);
}

static int sha256(lua_State *L)
{
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned count = 0;
    script_charge(L, length / BYTES_PER_STEP);
    if (EVP_Digest(text, length, bytes, &count, EVP_sha256(), NULL) != 1)
        return refuse(L);
    return push_hex(L, bytes, count);
}

void checksum_api_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"sha256", sha256}, {"new", make}, {NULL, NULL}};
    static const luaL_Reg methods[] = {{"add", add}, {"hex", hex}, {NULL, NULL}};
    luaL_newmetatable(L, TYPE_NAME);
    lua_pushcfunction(L, collect);
    lua_setfield(L, -2, "__gc");
    luaL_newlib(L, methods);
    names_make_strict(L, "a checksum");
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    names_make_strict(L, "checksum");
    lua_setglobal(L, "checksum");
}
