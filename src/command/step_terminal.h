/*
 * step_terminal.h - the terminal of the step mode: keys, and a block of lines under a text that
 * grows.
 *
 * Theory of operation. What is put scrolls, as any program's output does. The block stands below
 * it and is replaced in place: the cursor goes up over its rows and what is below is erased, in
 * the same write as what comes instead, so that nothing flickers. How many rows it takes is
 * counted anew for the width of the moment, since terminals break long lines again when they are
 * resized.
 *
 * Keys are read without echo and line by line editing (termios) from the first take to give. The
 * terminal is given back on each way out: at the end of the exchange, which SIGINT, SIGTERM,
 * SIGHUP and SIGQUIT lead to as well, and while the process is stopped by Ctrl-Z. There can be one
 * of these at a time: a signal handler has nowhere else to look.
 */
#ifndef HANDLENS_COMMAND_STEP_TERMINAL_H
#define HANDLENS_COMMAND_STEP_TERMINAL_H

#include <signal.h>
#include <stdbool.h>
#include <termios.h>

#include "support/buffer.h"
#include "support/error.h"
#include "support/terminal.h"

enum { STEP_SIGNALS = 6, STEP_BLOCK_ROWS = 16, STEP_KEYS = 64 };

struct step_terminal {
    struct terminal terminal; /* of standard output, as it is now */
    int columns, rows;        /* the same, however narrow */
    int keys;                 /* the descriptor that is read */
    bool owns;                /* it was opened here */
    bool taken;
    struct termios before, during;
    struct sigaction actions[STEP_SIGNALS];
    int wake[2]; /* a pipe: a signal came */
    uint8_t read[STEP_KEYS];
    size_t read_at, read_end;
    struct buffer out;              /* what has not been written yet */
    struct buffer block;            /* as it was drawn last */
    int drawn_columns;              /* for so wide a terminal */
    size_t widths[STEP_BLOCK_ROWS]; /* of the lines of the block that is shown */
    size_t shown;                   /* how many; 0: no block */
};

/* What step_terminal_key returns beyond the bytes that were typed. */
enum step_key { STEP_RESIZED = 256, STEP_ENDED, STEP_NO_KEY };

/* Returns false with error set (STATUS_USAGE) if there is no terminal to show and to type on. */
bool step_terminal_open(struct step_terminal *terminal, enum color_choice color,
                        struct error *error);
/* Gives it back, if need be, and leaves the cursor on a line of its own. */
void step_terminal_close(struct step_terminal *terminal);

void step_terminal_take(struct step_terminal *terminal);
/* For whoever reads lines from it. */
void step_terminal_give(struct step_terminal *terminal);

/* The text is shown above the block's place, with the next write. The block disappears. */
void step_terminal_put(struct step_terminal *terminal, const void *text, size_t length);
/* Lines, each of a style ('0' plain, '1' bold, '2' faint) and a safe text, are the block now. Those
 * too long are cut; the cursor stays behind the last. Writes, unless all of it stands there
 * already. */
void step_terminal_show(struct step_terminal *terminal, const char *const *lines, size_t count);
/* Without a block; for whoever else writes to the terminal. Writes. */
void step_terminal_clear(struct step_terminal *terminal);

/* Waits for a key: a byte, STEP_RESIZED or STEP_ENDED. Keys that send a sequence are swallowed. */
int step_terminal_key(struct step_terminal *terminal);
/* The same without waiting: STEP_NO_KEY if none has been pressed. */
int step_terminal_pressed(struct step_terminal *terminal);

#endif
