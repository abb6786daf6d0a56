/*
 * Running lab.check: in a thread of its own, under the limits of every script.
 *
 * What ends the check early is the last expectation that was judged, and it failed. The lines of
 * the check behind it that would have made expectations are listed as not judged, so that the
 * report never looks as if there were none.
 */
#include "script/check.h"

#include <stdlib.h>
#include <string.h>

#include "script/checking.h"
#include "script/lab.h"
#include "script/task.h"

static const char checking_key = 'c';

struct checking *checking_of(lua_State *L, const char *what)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &checking_key);
    struct checking *checking = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (checking == NULL)
        luaL_error(L, "%s: a trace is judged inside lab.check(trace), when the exchange is over",
                   what);
    return checking;
}

/* What the check prints is for its author. */
static int print(lua_State *L)
{
    struct buffer *printed = &checking_of(L, "print")->judgement->printed;
    int count = lua_gettop(L);
    for (int i = 1; i <= count; i++) {
        size_t length;
        const char *text = luaL_tolstring(L, i, &length);
        buffer_append_text(printed, i == 1 ? "" : "\t");
        if (printed->length < 1 << 20)
            buffer_append(printed, text, length);
        lua_pop(L, 1);
    }
    buffer_append_byte(printed, '\n');
    return 0;
}

/* Protected: makes the thread with lab.check and the trace on it. Argument: the checking. */
static int prepare(lua_State *L)
{
    struct checking *checking = lua_touserdata(L, 1);
    lua_pushlightuserdata(L, checking);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &checking_key);
    lua_pushcfunction(L, print);
    lua_setglobal(L, "print");
    lua_State *thread = lua_newthread(L);
    lab_push(L, "check");
    check_push_trace(L);
    lua_xmove(L, thread, 2);
    return 1;
}

/* Where the check's own function stood when it ended. Returns 0 if that cannot be told. */
static uint32_t line_reached(lua_State *thread, const lua_Debug *check)
{
    lua_Debug frame;
    for (int level = 0; level < SCRIPT_LEVELS && lua_getstack(thread, level, &frame); level++) {
        lua_getinfo(thread, "Sl", &frame);
        if (frame.linedefined == check->linedefined && strcmp(frame.source, check->source) == 0)
            return frame.currentline > 0 ? (uint32_t)frame.currentline : 0;
    }
    return 0;
}

static bool was_judged(const struct judgement *judgement, const char *script, uint32_t line)
{
    for (size_t i = 0; i < judgement->count; i++)
        if (judgement->list[i].line == line && judgement->list[i].script != NULL &&
            strcmp(judgement->list[i].script, script) == 0)
            return true;
    return false;
}

static void add_unreached(struct judgement *judgement, const char *script, uint32_t line,
                          const char *text, size_t length)
{
    while (length > 0 && (*text == ' ' || *text == '\t'))
        text++, length--;
    while (length > 0 && (text[length - 1] == '\r' || text[length - 1] == ' '))
        length--;
    if (strncmp(text, "--", 2) == 0 || memmem(text, length, "expect.", 7) == NULL ||
        was_judged(judgement, script, line) || judgement->count >= JUDGE_LIMIT)
        return;
    struct expectation *added = judgement_add(judgement, TRACE_NOT_JUDGED);
    if (added == NULL)
        return;
    added->words = strndup(text, length);
    added->seen = strdup("the check ended before it came here");
    added->script = strdup(script);
    added->line = line;
}

/* The check's lines behind the one it reached. */
static void list_unreached(const struct script *script, const lua_Debug *check, uint32_t reached,
                           struct judgement *judgement)
{
    const char *name = script_file_name(script, check->source);
    const char *text = NULL, *file;
    size_t length;
    for (size_t n = 0; name != NULL && script_text(script, n, &file, &text, &length); n++)
        if (strcmp(file, name) == 0)
            break;
    if (name == NULL || text == NULL || reached == 0)
        return;
    const char *end = text + length;
    for (uint32_t line = 1; text < end && line <= (uint32_t)check->lastlinedefined; line++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t width = (size_t)((newline == NULL ? end : newline) - text);
        if (line > reached)
            add_unreached(judgement, name, line, text, width);
        text = newline == NULL ? end : newline + 1;
    }
}

/* An error or a limit: the check ended there. What would wait is refused. */
static void add_failure(struct script *script, lua_State *thread, struct checking *checking)
{
    struct report report = {0};
    report_error(script, thread, "check", &report);
    report.text[strcspn(report.text, "\n")] = '\0';
    bool missing = checking->missing_line != 0 && checking->missing_line == report.site.line;
    struct expectation *added =
        judgement_add(checking->judgement, missing ? checking->missing_verdict : TRACE_FAILED);
    if (added == NULL)
        return;
    const char *text = report.text;
    char place[300];
    snprintf(place, sizeof place, "%s:%u: ", report.site.file, report.site.line);
    if (report.site.line != 0 && strncmp(text, place, strlen(place)) == 0)
        text += strlen(place);
    added->broken = !missing;
    added->words = strdup("the check runs to its end");
    added->seen = strdup(missing ? checking->missing_reason : text);
    added->packets = check_noted(checking, report.site.line);
    added->script = strdup(report.site.line != 0 ? report.site.file : script->lab.file);
    added->line = report.site.line;
}

/* Where the machine has no memory there is no verdict: what was being judged then is not. */
static bool ran_out(const struct script *script, struct judgement *judgement)
{
    if (!judgement->failed && !(script->stopped && script->refused))
        return false;
    struct expectation *last =
        judgement->count == 0 ? NULL : &judgement->list[judgement->count - 1];
    if (last != NULL && last->script == NULL)
        judgement_set(judgement, last, TRACE_NOT_JUDGED);
    judgement->failed = true;
    return true;
}

static void run(struct script *script, lua_State *thread, struct checking *checking)
{
    lua_State *L = script->state;
    lua_Debug check;
    int results;
    lua_pushvalue(thread, 1);
    lua_getinfo(thread, ">S", &check);
    script->base = thread;
    script->spent = 0;
    int status = lua_resume(thread, L, 1, &results);
    if (status == LUA_ERRMEM)
        script_note_memory(thread);
    if (!ran_out(script, checking->judgement) && (status != LUA_OK || script->stopped)) {
        uint32_t reached = line_reached(thread, &check);
        add_failure(script, thread, checking);
        list_unreached(script, &check, reached, checking->judgement);
    }
    script->base = NULL;
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &checking_key);
}

bool script_check(struct script *script, const struct check_trace *trace,
                  struct judgement *judgement, struct error *error)
{
    lua_State *L = script->state;
    if (!script->lab.has_check)
        return error_set(error, STATUS_USAGE,
                         "%s has no lab.check(trace), so there is nothing to check",
                         script->lab.file);
    struct checking *checking = calloc(1, sizeof *checking);
    if (checking == NULL)
        return error_out_of_memory(error);
    checking->trace = trace;
    checking->judgement = judgement;
    script->spent = 0;
    lua_pushcfunction(L, prepare);
    lua_pushlightuserdata(L, checking);
    bool ready = lua_pcall(L, 1, 1, 0) == LUA_OK;
    if (ready)
        run(script, lua_tothread(L, -1), checking);
    lua_pop(L, 1);
    free(checking);
    if (!ready || judgement->failed)
        return error_out_of_memory(error);
    if (judgement->count == 0)
        return error_set(error, STATUS_USAGE,
                         "lab.check of %s expects nothing, so there is nothing to check",
                         script->lab.file);
    return true;
}
