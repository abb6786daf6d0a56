#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "command/command.h"
#include "command/fencing.h"
#include "command/show.h"
#include "place/place.h"
#include "support/buffer.h"
#include "trace/reader.h"

/* The operands behind the file, joined as tcpdump joins its arguments. NULL where there are none
 * or memory has run out. */
static char *join_filter(char **words, int count)
{
    struct buffer joined = {0};
    for (int i = 0; i < count; i++) {
        if (i > 0)
            buffer_append_byte(&joined, ' ');
        buffer_append_text(&joined, words[i]);
    }
    if (joined.length == 0)
        return NULL;
    buffer_append_byte(&joined, '\0');
    if (joined.failed) {
        buffer_free(&joined);
        return NULL;
    }
    return (char *)joined.data;
}

static enum status run_view(const struct invocation *invocation, struct error *error)
{
    const char *path = invocation->operands[0];
    struct trace_reader *reader = trace_reader_open(path, error);
    if (reader == NULL)
        return error->status;
    FILE *out = invocation->output_path == NULL
                    ? stdout
                    : show_open(invocation, invocation->output_path, error);
    if (out == NULL) {
        trace_reader_close(reader);
        return error->status;
    }
    char *filter = join_filter(invocation->operands + 1, invocation->operand_count - 1);
    struct view_options options = show_options(invocation, fileno(out));
    options.file_name = path;
    options.filter = filter;
    options.progress = isatty(2) == 1 && !invocation->quiet && !(out == stdout && isatty(1) == 1);
    enum view_result result = place_drop_privileges(error) && fence_view(filter != NULL, error)
                                  ? view_render(reader, invocation->as, &options, out, error)
                                  : VIEW_FAILED;
    trace_reader_close(reader);
    free(filter);
    struct error unwritten;
    if (out != stdout && !show_close(out, invocation->output_path, &unwritten) &&
        result != VIEW_FAILED) {
        *error = unwritten;
        result = VIEW_FAILED;
    }
    return result == VIEW_SHOWN ? STATUS_DONE : error->status;
}

const struct command command_view = {
    .bit = COMMAND_VIEW,
    .name = "view",
    .operands = "FILE [FILTER...]",
    .summary = "show a capture: ours, or any pcap or pcapng",
    .about = "Shows the trace in FILE ('-' reads standard input). A FILE that handlens wrote\n"
             "holds the calls too, and is shown just as its run was. FILTER is tcpdump's\n"
             "language and chooses packets.",
    .examples = "  handlens view hello.pcapng\n"
                "  handlens view --as packets capture.pcap 'tcp port 80'\n"
                "  handlens view --as bytes --number 4 capture.pcap   one packet, explained\n"
                "  handlens view --as stream --flow 2 capture.pcap    what both ends said\n"
                "  handlens view --as html -o hello.html hello.pcapng\n",
    .least_operands = 1,
    .most_operands = -1,
    .run = run_view,
};
