/*
 * Loading a lab, starting its roles, and letting go of it all.
 */
#include "script/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/call.h"
#include "script/checking.h"
#include "script/file_api.h"
#include "script/input.h"
#include "script/lab.h"
#include "script/role.h"
#include "script/state.h"
#include "script/task.h"
#include "script/tls_api.h"
#include "support/clock.h"

/* Splits the path into the folder, the file's name and the lab's. */
static bool set_names(struct script *script, const char *path, struct error *error)
{
    const char *slash = strrchr(path, '/');
    const char *file = slash == NULL ? path : slash + 1;
    size_t length = strlen(file);
    size_t name_length = length > 4 && strcmp(file + length - 4, ".lua") == 0 ? length - 4 : length;
    script->folder = strndup(path, (size_t)(file - path));
    script->lab.file = strndup(file, length);
    script->lab.name = strndup(file, name_length);
    script->lab.host = strndup("127.0.0.1", 9);
    if (script->folder == NULL || script->lab.file == NULL || script->lab.name == NULL ||
        script->lab.host == NULL)
        return error_out_of_memory(error);
    return true;
}

/* Protected: everything a lab may use. */
static int open_all(lua_State *L)
{
    state_open_libraries(L);
    error_object_open(L);
    address_open(L);
    socket_handle_open(L);
    socket_api_open(L);
    tls_handle_open(L);
    tls_api_open(L);
    task_api_open(L);
    input_api_open(L);
    file_api_open(L);
    checksum_api_open(L);
    lab_open(L);
    check_expect_open(L);
    return 0;
}

/* Protected: puts the compiled file on the thread that is to run it. */
static int make_main(lua_State *L)
{
    struct script *script = script_of(L);
    lua_State *thread = lua_newthread(L);
    if (!script_compile(L, &script->files[0]))
        return lua_error(L);
    lua_xmove(L, thread, 1);
    return 1;
}

/* Calls a function of ours; on failure its message is the error. */
static bool call_own(struct script *script, lua_CFunction function, void *argument, int results,
                     struct error *error)
{
    lua_State *L = script->state;
    lua_pushcfunction(L, function);
    lua_pushlightuserdata(L, argument);
    script_begin_step(script, L);
    int status = lua_pcall(L, 1, results, 0);
    script->base = NULL;
    if (status == LUA_OK)
        return true;
    /* Of the number that a stop raises, a text would have to be made, unprotected. */
    const char *message = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    if (script->stopped || status == LUA_ERRMEM)
        error_set(error, STATUS_USAGE, "%s: %s", script->lab.file,
                  script->stopped ? script->stop_text : "not enough memory for the script");
    else
        error_set(error, STATUS_USAGE, "%s", message != NULL ? message : "the script failed");
    lua_pop(L, 1);
    return false;
}

/* Runs the thread on top of the main state's stack, which is popped. */
static bool run_main(struct script *script, struct error *error)
{
    lua_State *thread = lua_tothread(script->state, -1);
    int results;
    script_begin_step(script, thread);
    int status = lua_resume(thread, script->state, 0, &results);
    if (status == LUA_ERRMEM)
        script_note_memory(thread);
    if (status != LUA_OK || script->stopped) {
        struct report report = {0};
        report_error(script, thread, NULL, &report);
        error_set(error, STATUS_USAGE, "%s", report.text);
    }
    script->base = NULL;
    lua_pop(script->state, 1);
    return status == LUA_OK && !script->stopped;
}

struct script *script_load(const char *path, const struct script_limits *limits,
                           struct error *error)
{
    struct script *script = calloc(1, sizeof *script);
    if (script == NULL) {
        error_out_of_memory(error);
        return NULL;
    }
    if (limits != NULL)
        script->limits = *limits;
    script->lab.mtu = -1;
    bool loaded = set_names(script, path, error) &&
                  script_read_file(script, path, script->lab.file, error) >= 0;
    if (loaded && (script->state = state_new(script)) == NULL)
        loaded = error_out_of_memory(error);
    loaded = loaded && call_own(script, open_all, NULL, 0, error) &&
             call_own(script, make_main, NULL, 1, error) && run_main(script, error) &&
             call_own(script, lab_finish, NULL, 0, error);
    if (!loaded) {
        script_close(script);
        return NULL;
    }
    script->loaded = true;
    return script;
}

const struct lab *script_lab(const struct script *script)
{
    return &script->lab;
}

bool script_start(struct script *script, struct host *host, const struct script_run *run,
                  struct error *error)
{
    script->run = *run;
    script->run.message = NULL;
    if (script->run.client_copies == 0)
        script->run.client_copies = 1;
    if (script->run.repeats == 0)
        script->run.repeats = 1;
    free(script->message);
    script->message = NULL;
    if (run->message != NULL && (script->message = strdup(run->message)) == NULL)
        return error_out_of_memory(error);
    script->began = clock_now();
    script->runs_done = script->runs = 0;
    bool started = call_own(script, roles_start, host, 0, error);
    script->run.host = NULL;
    return started;
}

uint64_t script_progress(const struct script *script, uint64_t *all)
{
    *all = script->runs;
    return script->runs_done;
}

void script_collect(struct script *script)
{
    script_begin_step(script, script->state);
    lua_gc(script->state, LUA_GCCOLLECT);
    lua_gc(script->state, LUA_GCCOLLECT); /* what the first one finalised */
    script->base = NULL;
}

void script_close(struct script *script)
{
    if (script == NULL)
        return;
    if (script->state != NULL)
        lua_close(script->state);
    for (size_t i = 0; i < script->file_count; i++) {
        free(script->files[i].name);
        free(script->files[i].text);
    }
    lab_free(&script->lab);
    free(script->folder);
    free(script->message);
    free(script);
}
