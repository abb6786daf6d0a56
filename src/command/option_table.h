/*
 * option_table.h - every option of every command, once: what is parsed, what --help shows, and what
 * the manual page and the shells' completions are made of.
 */
#ifndef HANDLENS_COMMAND_OPTION_TABLE_H
#define HANDLENS_COMMAND_OPTION_TABLE_H

#include <stddef.h>

/* Begins above every letter, so that getopt_long can return both. */
enum option_id {
    OPTION_WRITE = 256,
    OPTION_FORCE,
    OPTION_AS,
    OPTION_SIDE,
    OPTION_HOST,
    OPTION_PORT,
    OPTION_MESSAGE,
    OPTION_HERE,
    OPTION_CLIENTS,
    OPTION_REPEAT,
    OPTION_STEP,
    OPTION_NO_CAPTURE,
    OPTION_TIMEOUT,
    OPTION_FILES,
    OPTION_FLOW,
    OPTION_NUMBER,
    OPTION_HEX,
    OPTION_RAW,
    OPTION_FROM,
    OPTION_OUTPUT,
    OPTION_FORMAT,
    OPTION_HTML,
    OPTION_NUMERIC,
    OPTION_COLOR,
    OPTION_QUIET,
    OPTION_VERBOSE,
    OPTION_HELP,
};

struct option_row {
    enum option_id id;
    const char *name;  /* without its dashes */
    char letter;       /* 0: no short form */
    const char *value; /* "FILE"; NULL: takes none */
    unsigned commands; /* enum command_bit */
    const char *help;  /* fits one line behind the option */
};

extern const struct option_row option_table[];
extern const size_t option_count;

/* The n-th of the few words that an option takes ("auto"); NULL behind the last, and for an option
 * whose value may be anything. */
const char *option_word(const struct option_row *row, size_t n);

#endif
