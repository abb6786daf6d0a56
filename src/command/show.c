#include "command/show.h"

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
