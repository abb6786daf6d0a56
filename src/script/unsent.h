/*
 * unsent.h - answers of lab.reply that wait for their clients to take them.
 *
 * Each stays among the script's values until it is sent. A client that asks and never reads would
 * keep its answer for ever, and many of them would take all of the script's memory. So there is a
 * limit for all together, a quarter of that; beyond it, whoever has not taken his answer for the
 * longest time is hung up on, by a reset.
 */
#ifndef HANDLENS_SCRIPT_UNSENT_H
#define HANDLENS_SCRIPT_UNSENT_H

#include "script/task.h"

/* Before the script's current task makes a call: makes room for an answer of so many bytes. */
void unsent_make_room(struct script *script, size_t length);

/* The task's answer waits to be sent. */
void unsent_add(struct script_task *task, struct host_socket *socket, size_t length);

/* It does not any more, if it did. */
void unsent_remove(struct script_task *task);

#endif
