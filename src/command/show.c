#include "command/show.h"

#include <errno.h>
#include <string.h>

struct view_options show_options(const struct invocation *invocation, int descriptor)
{
    return (struct view_options){
        .terminal = terminal_of(descriptor, invocation->color),
        .file_name = "",
        .flow = invocation->flow,
        .number = invocation->number,
        .stream = invocation->stream,
        .stream_from = invocation->stream_from,
    };
}

FILE *show_open(const struct invocation *invocation, const char *path, struct error *error)
{
    FILE *out = fopen(path, invocation->force ? "w" : "wx");
    if (out == NULL)
        error_not_created(error, path, errno);
    return out;
}

bool show_close(FILE *out, const char *path, struct error *error)
{
    if (fclose(out) == 0)
        return true;
    return error_set(error, STATUS_NOT_ALLOWED, "cannot write %s: %s", path, strerror(errno));
}
