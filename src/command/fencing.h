/*
 * fencing.h - which fence (place.h) each command works behind.
 *
 * Each is closed once, when all that the command names is open; false with error set if it cannot
 * be.
 */
#ifndef HANDLENS_COMMAND_FENCING_H
#define HANDLENS_COMMAND_FENCING_H

#include <stdbool.h>
#include <stddef.h>

#include "host/folder.h"
#include "script/script.h"
#include "support/error.h"

/*
 * For the roles of a script: the network; the folder, which is made now if it is a temporary one
 * and the script speaks of files; scripts beside it that it may still require; what name service
 * and TLS read; standard input.
 */
bool fence_exchange(const struct script *script, struct folder *folder, struct error *error);

/* For a recorded flow against a real peer: the network, and what name service reads. */
bool fence_replay(struct error *error);

/* For a capture of any origin, to be shown: nothing at all; with a filter, which may have the names
 * of hosts and services in it, what these need. */
bool fence_view(bool filter, struct error *error);

/* For captures to be judged: these, and the lab at path with the scripts beside it, to read. */
bool fence_judging(const char *path, const struct script *script, const char *const files[],
                   size_t count, struct error *error);

#endif
