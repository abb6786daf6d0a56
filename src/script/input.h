/*
 * input.h - the lines that roles read: typed by somebody, or scripted in lab.answers.
 */
#ifndef HANDLENS_SCRIPT_INPUT_H
#define HANDLENS_SCRIPT_INPUT_H

#include "script/state.h"

/* The global function input. */
void input_api_open(lua_State *L);

/* The role, defined under this name, gets what lab.answers has for it, if anything. */
void input_give_answers(lua_State *L, const struct role *role, const char *name);

/* The role's function runs once more: its answers begin anew. */
void input_begin_anew(lua_State *L, const struct role *role);

#endif
