#include "command/screen.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/clock.h"
#include "support/terminal.h"

#define ERASE_LINE "\r\033[K"

void screen_open(struct screen *screen, bool quiet, bool prints)
{
    struct terminal terminal = terminal_of(STDERR_FILENO, COLOR_NEVER);
    *screen = (struct screen){
        .quiet = quiet,
        .prints = prints,
        .utf8 = terminal.utf8,
        .terminal = terminal.interactive,
        .echoes = isatty(STDIN_FILENO) == 1,
        .began = clock_now(),
    };
}

static void put(const struct buffer *text)
{
    if (text->length > 0)
        fwrite(text->data, 1, text->length, stderr);
}

static void erase_progress(struct screen *screen)
{
    if (screen->progressed != 0)
        fputs(ERASE_LINE, stderr);
    screen->progressed = 0;
}

void screen_close(struct screen *screen)
{
    erase_progress(screen);
    if (screen->open.length > 0)
        fputc('\n', stderr);
    buffer_free(&screen->open);
}

static void append_role(struct buffer *line, const struct role *role)
{
    if (role != NULL)
        buffer_printf(line, "%s: ", role_name(role));
}

/* Each line of the text on a line of its own, the role's name before the first. */
static void append_lines(const struct screen *screen, struct buffer *out, const struct role *role,
                         const char *text, size_t length)
{
    append_role(out, role);
    do {
        const char *end = length == 0 ? NULL : memchr(text, '\n', length);
        size_t part = end == NULL ? length : (size_t)(end - text);
        terminal_append_printable(out, text, part, screen->utf8);
        buffer_append_byte(out, '\n');
        part += end != NULL;
        text += part;
        length -= part;
    } while (length > 0);
}

static void hear_answer(struct screen *screen, const struct role *role, const char *text,
                        size_t length)
{
    struct buffer line = {0};
    if (screen->open.length == 0)
        append_role(&line, role);
    if (!screen->typed || !screen->echoes) {
        terminal_append_printable(&line, text, length, screen->utf8);
        buffer_append_byte(&line, '\n');
    }
    put(&line);
    buffer_free(&line);
    buffer_clear(&screen->open);
}

void screen_hear(void *data, const struct role *role, enum trace_note_kind kind, const char *text,
                 size_t length)
{
    struct screen *screen = data;
    /* An error that ends the exchange is what the program says last. */
    if (screen->quiet || !screen->prints || kind == TRACE_NOTE_ERROR)
        return;
    erase_progress(screen);
    if (kind == TRACE_NOTE_INPUT) {
        hear_answer(screen, role, text, length);
        return;
    }
    struct buffer out = {0};
    if (screen->open.length > 0)
        buffer_append_byte(&out, '\n');
    append_lines(screen, &out, role, text, length);
    buffer_append(&out, screen->open.data, screen->open.length);
    put(&out);
    buffer_free(&out);
}

void screen_prompt(void *data, const struct role *role, const char *prompt, size_t length,
                   bool typed)
{
    struct screen *screen = data;
    screen->prints = screen->prints || typed;
    if (screen->quiet || !screen->prints)
        return;
    erase_progress(screen);
    if (screen->open.length > 0)
        fputc('\n', stderr);
    screen->typed = typed;
    buffer_clear(&screen->open);
    if (prompt == NULL)
        return;
    append_role(&screen->open, role);
    terminal_append_printable(&screen->open, prompt, length, screen->utf8);
    put(&screen->open);
}

void screen_announce(struct screen *screen, const char *lab, const struct address *address,
                     enum trace_transport transport, uint16_t wanted)
{
    char text[ADDRESS_TEXT];
    const char *udp = transport == TRACE_UDP ? " (UDP)" : "";
    if (wanted != 0 && wanted != address->port && !screen->quiet)
        fprintf(stderr, "handlens: %s chooses its port by itself; --port changes nothing\n", lab);
    address_format(address, text);
    if (!address_is_loopback(address))
        fprintf(stderr,
                "handlens: serving %s on %s%s: whoever reaches this machine can connect; Ctrl-C "
                "ends it\n",
                lab, text, udp);
    else if (!screen->quiet)
        fprintf(stderr, "handlens: serving %s on %s%s; Ctrl-C ends it\n", lab, text, udp);
}

void screen_progress(struct screen *screen, uint64_t done, uint64_t all)
{
    int64_t now = clock_now();
    if (screen->quiet || !screen->terminal || screen->open.length > 0 || all < 2 ||
        now - screen->began < NANOSECONDS_PER_SECOND)
        return;
    screen->progressed = now;
    fprintf(stderr, ERASE_LINE "handlens: %llu of %llu client runs have ended",
            (unsigned long long)done, (unsigned long long)all);
    fflush(stderr);
}
