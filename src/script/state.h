/*
 * state.h - the limited Lua state behind a script, for the files of this folder.
 *
 * Theory of operation of the limits. The allocator refuses what would go beyond the memory limit;
 * a count hook adds up the instructions since the task was last stepped. Either one stops the
 * script for good: its struct notes why and where, and every function through which a script
 * could catch the error (pcall, xpcall, coroutine.*, load) raises it again. So a stopped script
 * unwinds to its step, which reports it, whatever it does.
 *
 * Every lua_State of the script finds its struct script in its extra space.
 */
#ifndef HANDLENS_SCRIPT_STATE_H
#define HANDLENS_SCRIPT_STATE_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "script/script.h"

#define SCRIPT_FILES     64
#define SCRIPT_STEP      1000 /* instructions between two looks at the limit */
#define SCRIPT_LINE_NONE 0
/* How far a stack is searched for a line of the script: Lua finds the n-th level in n steps. */
#define SCRIPT_LEVELS 200

struct script_task;
struct host_socket;
struct socket_handle;
struct file_handle;

struct script_file {
    char *name; /* "hello.lua" */
    char *text;
    size_t length;
};

/* A place in the script. file is one of the script's own texts, or "" for none. */
struct script_site {
    const char *file;
    uint32_t line;
};

struct script {
    lua_State *state;
    struct script_limits limits;
    size_t memory;     /* bytes in use */
    uint64_t spent;    /* instructions since the last step began */
    int64_t looked;    /* when the processor's clock was read last in this step, ns; 0: not yet */
    int64_t cpu_began; /* what it said at first, ns */
    bool refused;      /* the machine had no memory, though the limit was not reached */
    bool stopped;      /* a limit was hit */
    char stop_text[256];
    struct script_site stop_site;

    char *folder; /* where require looks, with its slash; "" for the working directory */
    struct script_file files[SCRIPT_FILES];
    size_t file_count;

    struct lab lab;
    bool loaded;        /* the top level has run */
    uint32_t port_line; /* where lab.port was set */
    lua_State *base;    /* the thread that runs now at the bottom: a task's, or the loader's */
    struct script_task *current; /* being stepped; NULL outside of a step */
    bool parked;       /* a call of the current task waits: let every yield through to the step */
    unsigned barriers; /* nested resumes that could not let a yield through */
    size_t tasks;      /* that have neither ended nor been canceled */
    int reply;         /* lab.reply, in the registry */
    struct {
        lua_State *thread; /* NULL: lent */
        int reference;
    } spare;        /* for who is about to run lab.reply */
    struct unsent { /* lab.reply: answers that their clients have not taken yet (unsent.h) */
        struct script_task *oldest, *newest;
        size_t bytes;
        size_t most;  /* bytes, since memory was last given back */
        int64_t told; /* when a client was hung up on last, for it took none; 0: never */
    } unsent;
    struct socket_handle *handles; /* every socket that the script can reach */
    struct file_handle *files_open;
    unsigned patterns_kept; /* matcher.c */

    struct script_run run;
    char *message;            /* connect --message */
    uint64_t runs, runs_done; /* of clients' functions: in all, and so far */
    int64_t began;            /* clock_now() at script_start */
};

static inline struct script *script_of(lua_State *L)
{
    return *(struct script **)lua_getextraspace(L);
}

/* A new state without any function in it, the limits set. NULL out of memory. */
lua_State *state_new(struct script *script);

/* Opens what a lab may use. Raises Lua errors: run it protected. */
void state_open_libraries(lua_State *L);

/* Puts a function in the place of Lua's own in the table on top; it has Lua's as an upvalue. */
void state_wrap(lua_State *L, const char *name, lua_CFunction with);

/* Where level (0: the running function) or the next one out stands in a script file. */
struct script_site script_site_of(lua_State *L, int level);

/* The name of the script's own file that a Lua source ("@hello.lua") is, or NULL. */
const char *script_file_name(const struct script *script, const char *source);

/* Notes the stop for want of memory, without raising it. */
void script_note_memory(lua_State *L);

/* After a protected call that failed with the error on top: raises it again if it is a stop. */
void script_check_stop(lua_State *L, int status);

/* The script runs anew, at the bottom of base: its instructions count from zero. */
void script_begin_step(struct script *script, lua_State *base);

/* The instructions that a C function stands for: calls the limit's hook on the way. */
void script_charge(lua_State *L, uint64_t instructions);

/* priced.c: charges what works long in C, of the library on top. */
void priced_strings(lua_State *L);
void priced_utf8(lua_State *L);
void priced_tables(lua_State *L);

/* protected.c: pcall, xpcall, load and setmetatable as a lab may have them, into _G on top. */
void protected_register(lua_State *L);

/* coroutine.c: opens the coroutine library, as luaopen_coroutine does. */
int coroutine_open(lua_State *L);

/* require.c: require, into _G on top. */
void require_register(lua_State *L);

/*
 * Reads and keeps the text of a file, named name in messages. Returns its number, or -1 with
 * error set.
 */
int script_read_file(struct script *script, const char *path, const char *name,
                     struct error *error);
/* Compiles the file and pushes the function; else pushes the finished message. */
bool script_compile(lua_State *L, const struct script_file *file);

#endif
