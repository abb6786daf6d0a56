/*
 * show.h - a trace onto standard output, the way the command line asked for it.
 */
#ifndef HANDLENS_COMMAND_SHOW_H
#define HANDLENS_COMMAND_SHOW_H

#include <stdio.h>

#include "command/command.h"

/* The view's options from the command line; descriptor is where the view will go. */
struct view_options show_options(const struct invocation *invocation, int descriptor);

/*
 * Opens a view's file, which must not exist yet unless --force was given. Returns NULL with error
 * set.
 */
FILE *show_open(const struct invocation *invocation, const char *path, struct error *error);

/* Closes it. Returns false with error set if something could not be written. */
bool show_close(FILE *out, const char *path, struct error *error);

#endif
