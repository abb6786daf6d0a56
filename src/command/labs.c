#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "command/lab_path.h"
#include "script/script.h"
#include "support/buffer.h"

/* One lab's line; a lab that does not load is listed with its error, for its author to see. */
static void append_lab(struct buffer *out, const char *name, const char *path, int width,
                       const struct terminal *terminal)
{
    struct error error;
    struct script *script = script_load(path, &(struct script_limits){0}, &error);
    buffer_printf(out, "  %s%-*s%s  ", terminal->color ? "\033[1m" : "", width, name,
                  terminal->color ? "\033[0m" : "");
    const struct lab *lab = script == NULL ? NULL : script_lab(script);
    const char *text = lab == NULL ? error.text : lab->about[0] != '\0' ? lab->about : lab->title;
    size_t room = (size_t)(terminal->columns - width - 4);
    size_t length = strcspn(text, "\n");
    size_t fits = terminal_fit(text, length, room);
    if (fits < length) {
        fits = terminal_fit(text, length, room - 1);
        terminal_append_escaped(out, text, fits, 0, terminal->utf8);
        buffer_append_text(out, terminal->utf8 ? "…" : "~");
    } else {
        terminal_append_escaped(out, text, length, 0, terminal->utf8);
    }
    buffer_append_byte(out, '\n');
    script_close(script);
}

static enum status run_labs(const struct invocation *invocation, struct error *error)
{
    struct lab_list list;
    if (!lab_list_open(&list, error))
        return error->status;
    int width = 0;
    for (size_t i = 0; i < list.count; i++) {
        int length = (int)strlen(list.names[i]);
        width = length > width ? length : width;
    }
    struct terminal terminal = terminal_of(1, invocation->color);
    struct buffer out = {0};
    for (size_t i = 0; i < list.count; i++)
        append_lab(&out, list.names[i], list.paths[i], width, &terminal);
    if (list.count > 0 && !invocation->quiet)
        buffer_append_text(&out, "\nRun one with:  handlens run NAME\n");
    fwrite(out.data, 1, out.length, stdout);
    buffer_free(&out);
    bool none = list.count == 0;
    lab_list_close(&list);
    if (none)
        return error_set(error, STATUS_USAGE, "there are no labs beside this program"),
               STATUS_USAGE;
    return STATUS_DONE;
}

const struct command command_labs = {
    .bit = COMMAND_LABS,
    .name = "labs",
    .operands = "",
    .summary = "list the labs, a line each",
    .about = "Lists the labs that can be run by name: those of ./scripts, then those that came\n"
             "with the program.",
    .examples = "",
    .least_operands = 0,
    .most_operands = 0,
    .run = run_labs,
};
