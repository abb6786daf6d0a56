/*
 * tls_api.h - the global table tls, and TLS streams as values.
 */
#ifndef HANDLENS_SCRIPT_TLS_API_H
#define HANDLENS_SCRIPT_TLS_API_H

#include "host/tls.h"
#include "script/call.h"

/* tls_api.c: the global table tls. */
void tls_api_open(lua_State *L);

/* tls_options.c: the tables that tls.client, tls.server and tls.certificate take. What is read
 * lives while the stack does; some values may be pushed. Raise an error for what is wrong. */
extern const char *const tls_options[]; /* all their names, NULL at the end */
void tls_options_check_client(lua_State *L, int index, struct tls_settings *settings);
void tls_options_check_server(lua_State *L, int index, struct tls_settings *settings);
/* A field that is a switch; without it, otherwise. */
bool tls_options_switch(lua_State *L, int index, const char *name, bool otherwise);
/* The names and days; the array of names is a value that is pushed. */
void tls_options_check_certificate(lua_State *L, int index,
                                   struct tls_certificate_settings *settings);

/* tls_handle.c: a stream, made of the socket at index, as a value. It keeps the socket. */
void tls_handle_open(lua_State *L);
void tls_handle_push(lua_State *L, int index);

#endif
