/*
 * file_api.h - the global table file: files below the lab's folder (host/folder.h).
 */
#ifndef HANDLENS_SCRIPT_FILE_API_H
#define HANDLENS_SCRIPT_FILE_API_H

#include "script/state.h"

/* Makes the global file. Raises Lua errors. */
void file_api_open(lua_State *L);

/* Drops all files that are still open: no task is left that could use them. */
void file_handle_release_all(struct script *script);

/* checksum_api.c: makes the global checksum. */
void checksum_api_open(lua_State *L);

#endif
