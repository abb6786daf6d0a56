/*
 * script.h - a lab: a Lua script in a limited state, and the roles it defines.
 *
 * The state has Lua's own string, table, math, utf8, coroutine and the functions of
 * scripts/README.md; no io, os, debug, package, bytecode or C modules. Limits on memory,
 * instructions between waits and sockets end a run with one clear error that names the line.
 */
#ifndef HANDLENS_SCRIPT_SCRIPT_H
#define HANDLENS_SCRIPT_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/folder.h"
#include "host/host.h"
#include "support/address.h"
#include "support/error.h"

struct script;

struct script_limits {
    size_t memory;         /* bytes of Lua values; 0: 256 MiB */
    uint64_t instructions; /* of the Lua machine between two waits; 0: 200 million */
};

/* What the lab table says. Texts live as long as the script. */
struct lab {
    const char *name;  /* "hello" */
    const char *file;  /* "hello.lua" */
    const char *title; /* lab.title, or the name */
    const char *about; /* lab.about, or "" */
    const char *group; /* lab.group, or "" */
    int order;         /* lab.order; INT_MAX: none */
    const char *host;  /* lab.host: a name or address; "127.0.0.1" by default */
    uint16_t port;     /* lab.port; 0: none, the server binds for itself */
    bool has_port;     /* lab.port was given */
    int64_t timeout;   /* lab.timeout in ns; 0: none given */
    bool has_server;   /* lab.server or lab.reply */
    bool has_clients;  /* lab.client or lab.clients */
    bool has_check;
    int mtu;            /* lab.mtu; -1: none */
    struct lab_kernel { /* lab.kernel: the TCP sysctls of the private loopback; -1: none */
        int timestamps, sack, window_scaling, syn_retries, synack_retries, fin_timeout, fast_open,
            ecn;
    } kernel;
};

/*
 * Loads and runs the file's top level (it may make no socket call). A syntax error is
 * "hello.lua:3: unexpected symbol near '='" and the line itself below it; a runtime error its
 * message and traceback. A file that is not there, or not readable, is an error too.
 */
struct script *script_load(const char *path, const struct script_limits *limits,
                           struct error *error);

const struct lab *script_lab(const struct script *script);

/* The text of the n-th script file that was loaded (the lab's own is 0; require adds others). */
bool script_text(const struct script *script, size_t n, const char **name, const char **text,
                 size_t *length);

/* Whether the name stands anywhere in the texts that were loaded, be it in a comment. */
bool script_mentions(const struct script *script, const char *name);

/* Where require looks: a path that ends in '/', or "" for the working directory. */
const char *script_folder(const struct script *script);

enum script_parties { SCRIPT_SERVERS = 1, SCRIPT_CLIENTS = 2, SCRIPT_EVERYONE = 3 };

struct script_run {
    enum script_parties parties;
    struct address address; /* where the listener listens and clients connect to; family 0: none */
    unsigned client_copies; /* --clients N: so many of each client role; at least 1 */
    unsigned repeats;       /* --repeat N: each client role's function runs so often; at least 1 */
    const char *message;    /* connect --message, or NULL: lab.message in the script */
    const char *host;       /* --host, or NULL: lab.host in the script */
    uint16_t port;          /* --port: lab.port in the script */
    bool port_given;
    struct folder *folder; /* where file.open looks; borrowed for the run. NULL: no files */
};

/*
 * Adds the lab's roles and their first tasks to the host, which then runs them. The script must
 * outlive the host's run.
 */
bool script_start(struct script *script, struct host *host, const struct script_run *run,
                  struct error *error);

/* How many runs of clients' functions (copies times repeats) have ended, of how many in all. */
uint64_t script_progress(const struct script *script, uint64_t *all);

/* Collects the script's garbage. Not inside a step. */
void script_collect(struct script *script);

/* NULL is allowed. */
void script_close(struct script *script);

#endif
