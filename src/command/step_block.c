#include "command/step_internal.h"

#include <string.h>

enum { NEIGHBOURS = 2, LEAST_ROWS = 10 };

/* The n-th line of a text, counted from 1, without its end. Returns false if there is none. */
static bool line_of(const char *text, size_t length, uint32_t n, struct trace_text *line)
{
    const char *end = text + length;
    for (; text < end; n--) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        size_t part = stop == NULL ? (size_t)(end - text) : (size_t)(stop - text);
        if (n == 1) {
            *line = (struct trace_text){text, part};
            return true;
        }
        text += part + (stop != NULL);
    }
    return false;
}

static bool text_of_script(const struct step *step, const char *wanted, struct trace_text *text)
{
    const char *name;
    for (size_t n = 0; script_text(step->script, n, &name, &text->data, &text->length); n++)
        if (strcmp(name, wanted) == 0)
            return true;
    return false;
}

static void append_code(const struct step *step, struct buffer *block, struct trace_text line)
{
    for (size_t i = 0; i < line.length;) {
        const char *tab = memchr(line.data + i, '\t', line.length - i);
        size_t part = tab == NULL ? line.length - i : (size_t)(tab - line.data) - i;
        terminal_append_printable(block, line.data + i, part, step->terminal.terminal.utf8);
        if (tab != NULL)
            buffer_append_text(block, "    ");
        i += part + (tab != NULL);
    }
}

/* The line of the call with its neighbours, as far as the script has such. */
static void append_script(const struct step *step, struct buffer *block)
{
    const struct host_preview *preview = step->preview;
    struct trace_text text;
    uint32_t neighbours = step->terminal.rows < LEAST_ROWS ? 0 : NEIGHBOURS;
    if (preview->script == NULL || preview->line == 0 ||
        !text_of_script(step, preview->script, &text)) {
        buffer_append_text(block, "2  (no line of the script: it is done for the role)");
        buffer_append_byte(block, '\0');
        return;
    }
    uint32_t first = preview->line > neighbours ? preview->line - neighbours : 1;
    for (uint32_t n = first; n <= preview->line + neighbours; n++) {
        struct trace_text line;
        bool here = n == preview->line;
        if (!line_of(text.data, text.length, n, &line))
            break;
        const char *arrow = !here ? " " : step->terminal.terminal.utf8 ? "▶" : ">";
        buffer_printf(block, "%c %s %4u  ", here ? '1' : '0', arrow, n);
        append_code(step, block, line);
        buffer_append_byte(block, '\0');
    }
}

static void append_rule(const struct step *step, struct buffer *block)
{
    bool utf8 = step->terminal.terminal.utf8;
    buffer_append_byte(block, '2');
    size_t start = block->length;
    buffer_append_text(block, utf8 ? "── " : "-- ");
    const char *name = role_name(step->role);
    terminal_append_printable(block, name, strlen(name), utf8);
    if (step->place[0] != '\0') {
        buffer_append_text(block, utf8 ? " · " : ", ");
        terminal_append_printable(block, step->place, strlen(step->place), utf8);
    }
    buffer_append_byte(block, ' ');
    size_t width = terminal_width((const char *)block->data + start, block->length - start);
    for (; width + 1 < (size_t)step->terminal.columns; width++)
        buffer_append_text(block, utf8 ? "─" : "-");
    buffer_append_byte(block, '\0');
}

void step_draw(struct step *step, const char *label, const char *typed)
{
    step->options.terminal.columns = step->terminal.terminal.columns;
    step_terminal_put(&step->terminal, step->heard.data, step->heard.length);
    buffer_clear(&step->heard);
    struct buffer block = {0};
    append_rule(step, &block);
    append_script(step, &block);
    buffer_printf(&block, "1next: %s(%s)", step->preview->name, step->arguments);
    buffer_append_byte(&block, '\0');
    if (step->message[0] != '\0') {
        buffer_printf(&block, "0%s", step->message);
        buffer_append_byte(&block, '\0');
    }
    if (label == NULL)
        buffer_append_text(&block, "2Enter next  c continue  f line  u until  s states  b bytes  "
                                   "t note  q quit  ?");
    else
        buffer_printf(&block, "0%s: %s", label, typed);
    buffer_append_byte(&block, '\0');
    const char *lines[STEP_BLOCK_ROWS];
    size_t count = 0;
    for (size_t at = 0; !block.failed && at < block.length && count < STEP_BLOCK_ROWS; count++) {
        lines[count] = (const char *)block.data + at;
        at += strlen(lines[count]) + 1;
    }
    step_terminal_show(&step->terminal, lines, count);
    buffer_free(&block);
}

void step_draw_running(struct step *step)
{
    bool waits = step->mode == STEP_NEXT;
    const char *line = waits ? "2running until the next call  Ctrl-C ends the exchange"
                             : "2running  Space stops it at the next call  q quit  Ctrl-C";
    step->options.terminal.columns = step->terminal.terminal.columns;
    step_terminal_put(&step->terminal, step->heard.data, step->heard.length);
    buffer_clear(&step->heard);
    step_terminal_show(&step->terminal, &line, 1);
}
