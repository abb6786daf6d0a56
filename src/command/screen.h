/*
 * screen.h - what is said on stderr while an exchange runs: what roles print, what they ask for,
 * where a server can be reached, how far many clients have come.
 */
#ifndef HANDLENS_COMMAND_SCREEN_H
#define HANDLENS_COMMAND_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

#include "host/host.h"
#include "support/buffer.h"

struct screen {
    bool quiet;  /* -q: nothing at all */
    bool prints; /* what roles print is said at once, not only in the view that comes later */
    bool utf8;
    bool terminal;             /* stderr is one */
    bool echoes;               /* standard input is a terminal: it shows what is typed */
    bool typed;                /* somebody types the answer to the open prompt */
    struct buffer open;        /* the prompt at the start of the last line, which has no end yet */
    int64_t began, progressed; /* clock; when progress was last shown, 0: it is not on the screen */
};

void screen_open(struct screen *screen, bool quiet, bool prints);
/* Ends the last line if it has none. */
void screen_close(struct screen *screen);

/* A host_listener and a host_prompter; data is the screen. As soon as somebody is to type, what
 * roles print is said at once, too. */
void screen_hear(void *data, const struct role *role, enum trace_note_kind kind, const char *text,
                 size_t length);
void screen_prompt(void *data, const struct role *role, const char *prompt, size_t length,
                   bool typed);

/* A server can be reached; that is said aloud, -q or not, when it is so from other machines.
 * wanted:
 * --port, which a lab that binds for itself may not heed; 0 for none. */
void screen_announce(struct screen *screen, const char *lab, const struct address *address,
                     enum trace_transport transport, uint16_t wanted);

/* So many runs of clients have ended. Shown on a terminal, once it takes longer than a second. */
void screen_progress(struct screen *screen, uint64_t done, uint64_t all);

#endif
