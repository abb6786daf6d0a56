/*
 * lab.h - the global table lab: what a script says about itself.
 *
 * lab and lab.kernel are empty tables in front of hidden ones, so that every field is checked
 * when it is set and the message names the line.
 */
#ifndef HANDLENS_SCRIPT_LAB_H
#define HANDLENS_SCRIPT_LAB_H

#include "script/state.h"

/* Makes the global lab. Raises Lua errors. */
void lab_open(lua_State *L);

/* The top level has run: checks the whole, and fills script->lab. Raises Lua errors. */
int lab_finish(lua_State *L);

/* Pushes a field: nil if it was not set. */
void lab_push(lua_State *L, const char *field);

/* The name of the n-th field of lab, or of lab.kernel; NULL beyond the last. */
const char *lab_field_name(size_t n);
const char *lab_kernel_field_name(size_t n);

/* The command line's word counts more than the script's. */
void lab_set_text(lua_State *L, const char *field, const char *text);
void lab_set_port(lua_State *L, uint16_t port);

/* Pushes a list of the names of lab.clients, in the order of their definition. */
void lab_push_client_names(lua_State *L);

/* Frees the texts of script->lab. */
void lab_free(struct lab *lab);

#endif
