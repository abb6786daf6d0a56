/*
 * show.h - a trace onto standard output, the way the command line asked for it.
 */
#ifndef HANDLENS_COMMAND_SHOW_H
#define HANDLENS_COMMAND_SHOW_H

#include "command/command.h"

/* The view's options from the command line; descriptor is where the view will go. */
struct view_options show_options(const struct invocation *invocation, int descriptor);

#endif
