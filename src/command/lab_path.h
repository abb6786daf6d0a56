/*
 * lab_path.h - where labs are.
 *
 * A LAB on the command line is a path (it has a slash or ends in .lua) or the name of a lab. Names
 * are looked for in ./scripts of the current folder, then in the labs that came with the program:
 * ../share/handlens/scripts beside the binary's folder, or, for a binary in a build tree, the
 * source's scripts folder.
 */
#ifndef HANDLENS_COMMAND_LAB_PATH_H
#define HANDLENS_COMMAND_LAB_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "support/error.h"

#define LAB_PATH_SIZE 4096

/* Fills path with the lab's file. An unknown name is STATUS_USAGE, and the nearest is suggested. */
bool lab_path_find(const char *lab, char path[LAB_PATH_SIZE], struct error *error);

struct lab_list {
    char **names; /* sorted, each once */
    char **paths;
    size_t count;
};

/* Every lab that has a name. */
bool lab_list_open(struct lab_list *list, struct error *error);
void lab_list_close(struct lab_list *list);

#endif
