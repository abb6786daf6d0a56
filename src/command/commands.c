/*
 * commands.c - the list of commands.
 */
#include <string.h>

#include "command/command.h"
#include "support/nearest.h"

const struct command *const commands[] = {&command_run,  &command_serve, &command_connect,
                                          &command_view, &command_check, &command_replay,
                                          &command_labs, &command_new,   NULL};

const struct command *command_named(const char *name, struct error *error)
{
    const char *names[sizeof commands / sizeof commands[0]];
    size_t count = 0;
    for (; commands[count] != NULL; count++) {
        if (strcmp(commands[count]->name, name) == 0)
            return commands[count];
        names[count] = commands[count]->name;
    }
    const char *near = nearest_word(name, names, count);
    if (near != NULL)
        error_set(error, STATUS_USAGE, "there is no command '%s'; did you mean '%s'?", name, near);
    else
        error_set(error, STATUS_USAGE, "there is no command '%s'; 'handlens --help' lists them",
                  name);
    return NULL;
}
