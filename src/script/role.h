/*
 * role.h - the roles a lab defines, and how each begins.
 */
#ifndef HANDLENS_SCRIPT_ROLE_H
#define HANDLENS_SCRIPT_ROLE_H

#include "script/state.h"

/* Adds the roles and their first tasks. Stack: 1 is the host. Raises Lua errors. */
int roles_start(lua_State *L);

#endif
