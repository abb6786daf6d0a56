#include "script/unsent.h"

#include <stdio.h>
#include <string.h>

#include "host/socket.h"
#include "support/clock.h"

/* So many bytes are worth being given back. */
#define MUCH (8 << 20)
/* Told again only when for so long nobody was hung up on. */
#define TOLD_FOR (60 * NANOSECONDS_PER_SECOND)

void unsent_add(struct script_task *task, struct host_socket *socket, size_t length)
{
    struct unsent *unsent = &task->script->unsent;
    task->unsent_to = socket;
    task->unsent = length;
    task->older = unsent->newest;
    task->newer = NULL;
    if (unsent->newest != NULL)
        unsent->newest->newer = task;
    else
        unsent->oldest = task;
    unsent->newest = task;
    unsent->bytes += length;
    if (unsent->bytes > unsent->most)
        unsent->most = unsent->bytes;
}

void unsent_remove(struct script_task *task)
{
    struct unsent *unsent = &task->script->unsent;
    if (task->unsent_to == NULL)
        return;
    if (task->older != NULL)
        task->older->newer = task->newer;
    else
        unsent->oldest = task->newer;
    if (task->newer != NULL)
        task->newer->older = task->older;
    else
        unsent->newest = task->older;
    unsent->bytes -= task->unsent;
    task->unsent_to = NULL;
    if (unsent->bytes > 0 || unsent->most < MUCH)
        return;
    /* Lua would collect them when it has allocated as much again, which may be never. */
    unsent->most = 0;
    host_tidy_soon(task_host(task->task));
}

static void tell(struct script *script, struct task *task, size_t most)
{
    char text[128];
    int64_t now = clock_now();
    if (script->unsent.told == 0 || now - script->unsent.told >= TOLD_FOR) {
        int length = snprintf(text, sizeof text,
                              "more than %zu MiB of answers wait; clients that do not take theirs "
                              "are hung up on",
                              most >> 20);
        task_print(task, text, (size_t)length);
    }
    script->unsent.told = now;
}

void unsent_make_room(struct script *script, size_t length)
{
    struct unsent *unsent = &script->unsent;
    struct task *task = script->current->task;
    size_t most = script->limits.memory / 4;
    while (unsent->oldest != NULL && unsent->bytes + length > most) {
        struct host_socket *socket = unsent->oldest->unsent_to;
        unsent_remove(unsent->oldest);
        tell(script, task, most);
        task_set_site(task, "", SCRIPT_LINE_NONE);
        socket_reset(task, socket);
    }
}
