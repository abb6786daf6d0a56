/*
 * socket_addressed.h - the functions of a lab that take an address.
 */
#ifndef HANDLENS_SCRIPT_SOCKET_ADDRESSED_H
#define HANDLENS_SCRIPT_SOCKET_ADDRESSED_H

#include "script/state.h"
#include "script/task.h"

#define LISTEN_DEFAULT_BACKLOG 128

/* Lua functions. */
int lab_ready(lua_State *L);
int socket_connect_to(lua_State *L);
int socket_listen_at(lua_State *L);

/* bind, connect and sendto, into the table on top. */
void socket_addressed_register(lua_State *L);

#endif
