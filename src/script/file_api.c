/*
 * Files as values. A handle that is collected, or left open by the last task, drops its file; only
 * f:close() lets a written one appear.
 */
#include "script/file_api.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/folder.h"
#include "script/call.h"

#define TYPE_NAME    "file"
#define READ_DEFAULT 65536
#define READ_LIMIT   (16 << 20)
#define NAME_SHOWN   120

struct file_handle {
    struct folder_file *file; /* NULL: closed */
    struct script *script;
    struct file_handle *previous, *next; /* in script->files_open */
    char name[NAME_SHOWN + 1];
};

/* What our own codes mean here; else NULL. */
static const char *reason_of(int code)
{
    switch (code) {
    case EPERM:
        return "the name leads out of the lab's folder";
    case ELOOP:
        return "the name goes through a symbolic link";
    case EINVAL:
        return "this is not the name of a file";
    case EISDIR:
        return "this is a folder";
    case EDQUOT:
        return "a lab may write no more than 1 GiB, and make no more than 10000 files";
    case EBADF:
        return "the file is closed, or not open for this";
    case EFBIG:
        return "more than 16 MiB; open it, and read it in parts";
    case EMFILE:
        return "64 files are open; close one first";
    default:
        return strerror(code);
    }
}

static int fail(lua_State *L, const char *call, const char *name, int code)
{
    struct call_result result = {.call = call, .error = code};
    snprintf(result.message, sizeof result.message, "%s '%.*s': %s (%s)", call, NAME_SHOWN, name,
             reason_of(code), error_code_name(code));
    error_object_push(L, &result, script_site_of(L, 1));
    return lua_error(L);
}

/* Raises an error where no call can be made. */
static struct folder *check_folder(lua_State *L, const char *call)
{
    script_call_begin(L, call, CALL_AT_ONCE);
    struct folder *folder = script_of(L)->run.folder;
    if (folder == NULL)
        luaL_error(L, "%s: this exchange has no folder for files", call);
    return folder;
}

static struct file_handle *handle_check(lua_State *L, const char *call)
{
    struct file_handle *handle = luaL_checkudata(L, 1, TYPE_NAME);
    script_call_begin(L, call, CALL_AT_ONCE);
    if (handle->file == NULL)
        fail(L, call, handle->name, EBADF);
    return handle;
}

/* The file is somebody else's from here on. */
static struct folder_file *handle_let_go(struct file_handle *handle)
{
    struct folder_file *file = handle->file;
    handle->file = NULL;
    if (handle->previous != NULL)
        handle->previous->next = handle->next;
    else
        handle->script->files_open = handle->next;
    if (handle->next != NULL)
        handle->next->previous = handle->previous;
    handle->previous = handle->next = NULL;
    return file;
}

/* Pushes a handle without a file: what is made before its file cannot be lost. */
static struct file_handle *handle_push(lua_State *L, const char *name)
{
    struct file_handle *handle = lua_newuserdatauv(L, sizeof *handle, 0);
    *handle = (struct file_handle){.script = script_of(L)};
    snprintf(handle->name, sizeof handle->name, "%s", name);
    luaL_setmetatable(L, TYPE_NAME);
    return handle;
}

static void handle_fill(struct file_handle *handle, struct folder_file *file)
{
    handle->file = file;
    handle->next = handle->script->files_open;
    if (handle->next != NULL)
        handle->next->previous = handle;
    handle->script->files_open = handle;
}

void file_handle_release_all(struct script *script)
{
    while (script->files_open != NULL)
        folder_file_drop(handle_let_go(script->files_open));
}

static struct file_handle *open_file(lua_State *L, const char *call, bool for_write)
{
    size_t length;
    const char *name = luaL_checklstring(L, 1, &length);
    struct folder *folder = check_folder(L, call);
    struct file_handle *handle = handle_push(L, name);
    struct folder_file *file = NULL;
    int code = for_write ? folder_write(folder, name, length, &file)
                         : folder_read(folder, name, length, &file);
    if (code != 0)
        fail(L, call, name, code);
    handle_fill(handle, file);
    return handle;
}

static int file_open(lua_State *L)
{
    static const char *const modes[] = {"r", "w", NULL};
    bool for_write = luaL_checkoption(L, 2, "r", modes) == 1;
    open_file(L, "file.open", for_write);
    return 1;
}

/* Reads at most room bytes into the buffer; 0 at the end of the file. */
static size_t read_some(lua_State *L, struct file_handle *handle, const char *call,
                        luaL_Buffer *bytes, size_t room)
{
    size_t got = 0;
    int code = folder_file_get(handle->file, luaL_prepbuffsize(bytes, room), room, &got);
    if (code != 0)
        fail(L, call, handle->name, code);
    luaL_addsize(bytes, got);
    return got;
}

static int file_read(lua_State *L)
{
    static const char call[] = "file.read";
    struct file_handle *handle = open_file(L, call, false);
    luaL_Buffer bytes;
    luaL_buffinit(L, &bytes);
    while (read_some(L, handle, call, &bytes, READ_DEFAULT) > 0)
        if (luaL_bufflen(&bytes) > READ_LIMIT)
            return fail(L, call, handle->name, EFBIG);
    luaL_pushresult(&bytes);
    folder_file_drop(handle_let_go(handle));
    return 1;
}

static int file_write(lua_State *L)
{
    static const char call[] = "file.write";
    size_t length;
    const char *bytes = luaL_checklstring(L, 2, &length);
    struct file_handle *handle = open_file(L, call, true);
    int code = folder_file_put(handle->file, bytes, length);
    struct folder_file *file = handle_let_go(handle);
    if (code == 0)
        code = folder_file_keep(file);
    else
        folder_file_drop(file);
    return code == 0 ? 0 : fail(L, call, handle->name, code);
}

static int file_size(lua_State *L)
{
    size_t length;
    int64_t bytes = 0;
    const char *name = luaL_checklstring(L, 1, &length);
    int code = folder_size(check_folder(L, "file.size"), name, length, &bytes);
    if (code == ENOENT)
        lua_pushnil(L);
    else if (code == 0)
        lua_pushinteger(L, bytes);
    else
        return fail(L, "file.size", name, code);
    return 1;
}

static int file_remove(lua_State *L)
{
    size_t length;
    const char *name = luaL_checklstring(L, 1, &length);
    int code = folder_remove(check_folder(L, "file.remove"), name, length);
    return code == 0 ? 0 : fail(L, "file.remove", name, code);
}

static int method_read(lua_State *L)
{
    lua_Integer size = luaL_optinteger(L, 2, READ_DEFAULT);
    struct file_handle *handle = handle_check(L, "read");
    luaL_argcheck(L, size >= 1 && size <= READ_LIMIT, 2,
                  "how many bytes at most: a whole number from 1 to 16777216");
    luaL_Buffer bytes;
    luaL_buffinit(L, &bytes);
    size_t got = read_some(L, handle, "read", &bytes, (size_t)size);
    luaL_pushresult(&bytes);
    if (got == 0)
        lua_pushnil(L);
    return 1;
}

static int method_write(lua_State *L)
{
    size_t length;
    const char *bytes = luaL_checklstring(L, 2, &length);
    struct file_handle *handle = handle_check(L, "write");
    int code = folder_file_put(handle->file, bytes, length);
    return code == 0 ? 0 : fail(L, "write", handle->name, code);
}

static int method_close(lua_State *L)
{
    struct file_handle *handle = luaL_checkudata(L, 1, TYPE_NAME);
    if (handle->file == NULL)
        return 0;
    int code = folder_file_keep(handle_let_go(handle));
    return code == 0 ? 0 : fail(L, "close", handle->name, code);
}

static int method_discard(lua_State *L)
{
    struct file_handle *handle = luaL_checkudata(L, 1, TYPE_NAME);
    if (handle->file != NULL)
        folder_file_drop(handle_let_go(handle));
    return 0;
}

static int to_string(lua_State *L)
{
    struct file_handle *handle = luaL_checkudata(L, 1, TYPE_NAME);
    lua_pushfstring(L, "file '%s'%s", handle->name, handle->file == NULL ? " (closed)" : "");
    return 1;
}

static void open_handles(lua_State *L)
{
    static const luaL_Reg metamethods[] = {
        {"__gc", method_discard},
        {"__close", method_discard},
        {"__tostring", to_string},
        {NULL, NULL},
    };
    static const luaL_Reg methods[] = {
        {"read", method_read},
        {"write", method_write},
        {"close", method_close},
        {"discard", method_discard},
        {NULL, NULL},
    };
    luaL_newmetatable(L, TYPE_NAME);
    luaL_setfuncs(L, metamethods, 0);
    luaL_newlib(L, methods);
    names_make_strict(L, "an open file");
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

void file_api_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"open", file_open}, {"read", file_read},     {"write", file_write},
        {"size", file_size}, {"remove", file_remove}, {NULL, NULL},
    };
    open_handles(L);
    luaL_newlib(L, functions);
    names_make_strict(L, "file");
    /* Lua finds the names for its messages among the loaded modules. */
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "file");
    lua_pop(L, 1);
    lua_setglobal(L, "file");
}
