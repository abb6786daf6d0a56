/*
 * What the user reads when a script fails: "hello.lua:14: message", then the script's own lines
 * that led there, innermost first. Lua leaves the stack of a failed thread as it was, so all of it
 * can be read here; nothing but the error value's own __tostring runs any more.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/call.h"
#include "script/task.h"
#include "support/buffer.h"

#define FRAMES_SHOWN  12
#define MESSAGE_LIMIT 600

/* Runs in the main state, protected: the value is the argument. */
static int value_to_text(lua_State *L)
{
    if (lua_isnil(L, 1))
        lua_pushliteral(L, "error without a message (the value raised is nil)");
    else if (lua_type(L, 1) == LUA_TSTRING || luaL_getmetafield(L, 1, "__tostring") != LUA_TNIL)
        luaL_tolstring(L, 1, NULL);
    else
        lua_pushfstring(L, "error without a message (the value raised is a %s)",
                        luaL_typename(L, 1));
    return 1;
}

/* A long message must leave room for the traceback; no UTF-8 character is split. */
static void append_cut(struct buffer *text, const char *message, size_t length)
{
    size_t kept = length;
    if (length > MESSAGE_LIMIT) {
        kept = MESSAGE_LIMIT;
        while (kept > 0 && ((unsigned char)message[kept] & 0xc0) == 0x80)
            kept--;
    }
    buffer_append(text, message, kept);
    if (kept < length)
        buffer_append_text(text, " ...");
}

static void append_message(struct script *script, lua_State *thread, struct buffer *text)
{
    lua_State *L = script->state;
    int top = lua_gettop(L);
    script_begin_step(script, L);
    lua_pushcfunction(L, value_to_text);
    if (lua_gettop(thread) > 0) {
        lua_pushvalue(thread, -1);
        lua_xmove(thread, L, 1);
    } else {
        lua_pushnil(L);
    }
    size_t length;
    const char *message = NULL;
    if (lua_pcall(L, 1, 1, 0) == LUA_OK)
        message = lua_tolstring(L, -1, &length);
    if (message != NULL)
        append_cut(text, message, length);
    else
        buffer_append_text(text, "error without a message (its __tostring failed)");
    lua_settop(L, top);
}

/* Whether the message begins with a place of the script, as Lua's own messages do. */
static bool find_prefix(const struct script *script, const char *message, struct script_site *site)
{
    for (size_t i = 0; i < script->file_count; i++) {
        const char *name = script->files[i].name;
        size_t length = strlen(name);
        if (strncmp(message, name, length) != 0 || message[length] != ':')
            continue;
        char *end;
        unsigned long line = strtoul(message + length + 1, &end, 10);
        if (line == 0 || line > UINT32_MAX || *end != ':')
            continue;
        *site = (struct script_site){name, (uint32_t)line};
        return true;
    }
    return false;
}

/* The frame at *level, or the first one of the script's own found from there by going on in steps
 * of direction; lua_getstack walks the whole way each time, so at most SCRIPT_LEVELS are tried. */
static bool find_frame(struct script *script, lua_State *thread, int *level, int direction,
                       lua_Debug *frame, const char **file)
{
    for (int tries = 0; tries < SCRIPT_LEVELS && *level >= 0; tries++, *level += direction) {
        if (!lua_getstack(thread, *level, frame))
            return false;
        lua_getinfo(thread, "nSl", frame);
        *file = script_file_name(script, frame->source);
        if (*file != NULL && frame->currentline > 0)
            return true;
    }
    return false;
}

/* The number of the outermost level. */
static int last_level(lua_State *thread)
{
    lua_Debug frame;
    int low = 0, high = 1;
    while (lua_getstack(thread, high, &frame)) {
        low = high;
        high *= 2;
    }
    while (low + 1 < high) {
        int middle = low + (high - low) / 2;
        if (lua_getstack(thread, middle, &frame))
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* name: what to call the outermost function, which Lua has no name for. */
static void append_frame(struct buffer *text, const lua_Debug *frame, const char *file,
                         const char *name)
{
    if (strcmp(frame->what, "main") == 0)
        name = "the file's top level";
    else if (frame->name != NULL)
        name = frame->name;
    else if (name == NULL)
        name = "a function";
    buffer_printf(text, "\n  in %s (%s:%d)", name, file, frame->currentline);
}

static void append_traceback(struct script *script, lua_State *thread, const char *name,
                             struct buffer *text)
{
    lua_Debug frame;
    const char *file;
    int outermost = last_level(thread), level = 0;
    bool has_outermost = find_frame(script, thread, &outermost, -1, &frame, &file);
    for (int shown = 0; shown < FRAMES_SHOWN; shown++, level++) {
        if (!find_frame(script, thread, &level, 1, &frame, &file))
            return;
        append_frame(text, &frame, file, level == outermost ? name : NULL);
    }
    if (!has_outermost || outermost < level)
        return;
    if (outermost > level)
        buffer_append_text(text, "\n  ...");
    find_frame(script, thread, &outermost, -1, &frame, &file);
    append_frame(text, &frame, file, name);
}

void report_error(struct script *script, lua_State *thread, const char *name, struct report *report)
{
    struct buffer message = {0}, text = {0};
    lua_Debug frame;
    const char *file = "";
    int level = 0;
    struct script_site site = {"", SCRIPT_LINE_NONE};
    if (find_frame(script, thread, &level, 1, &frame, &file))
        site = (struct script_site){file, (uint32_t)frame.currentline};
    const struct error_object *object =
        lua_gettop(thread) > 0 ? error_object_test(thread, -1) : NULL;
    bool has_prefix = false;
    if (!script->stopped)
        append_message(script, thread, &message);
    if (script->stopped) { /* or only now, by the value's __tostring */
        buffer_clear(&message);
        buffer_append_text(&message, script->stop_text);
        site = script->stop_site;
    } else if (object == NULL) {
        has_prefix = find_prefix(script, buffer_text(&message), &site);
    } else if (object->site.line != SCRIPT_LINE_NONE) {
        site = object->site;
    }
    if (!has_prefix && site.line != SCRIPT_LINE_NONE)
        buffer_printf(&text, "%s:%u: ", site.file, site.line);
    else if (!has_prefix)
        buffer_printf(&text, "%s: ", script->lab.file);
    buffer_append_text(&text, buffer_text(&message));
    append_traceback(script, thread, name, &text);
    if (message.failed || text.failed) /* no memory even for that */
        snprintf(report->text, sizeof report->text, "%s: out of memory", script->lab.file);
    else
        snprintf(report->text, sizeof report->text, "%s", buffer_text(&text));
    report->site = site;
    buffer_free(&message);
    buffer_free(&text);
}
