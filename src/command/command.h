/*
 * command.h - the commands of the program, and what the command line said.
 *
 * Each command has a file of its own with one struct command. The options of all commands stand
 * in one table (options.c), from which they are parsed and from which --help is written.
 */
#ifndef HANDLENS_COMMAND_COMMAND_H
#define HANDLENS_COMMAND_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/error.h"
#include "support/terminal.h"
#include "view/view.h"

/* Which commands an option belongs to; a bit each. */
enum command_bit {
    COMMAND_RUN = 1 << 0,
    COMMAND_VIEW = 1 << 1,
    COMMAND_LABS = 1 << 2,
    COMMAND_SERVE = 1 << 3,
    COMMAND_CONNECT = 1 << 4,
    COMMAND_CHECK = 1 << 5,
    COMMAND_NEW = 1 << 6,
    COMMAND_REPLAY = 1 << 7,
    COMMAND_ALL = (1 << 8) - 1,
};

/* What the command line said. Texts belong to argv. */
struct invocation {
    const struct command *command;
    char **operands;
    int operand_count;

    const char *trace_path; /* -w */
    bool force;
    enum view_kind as;
    bool as_given;
    const char *host; /* NULL: the lab's */
    uint16_t port;
    bool port_given;
    const char *message; /* NULL: none */
    bool here;
    bool step;
    bool no_capture;
    unsigned clients;
    unsigned repeat;
    int64_t timeout;   /* ns; 0: not given */
    const char *files; /* --files; NULL: a temporary folder */
    uint32_t flow;
    uint64_t number;
    enum stream_form stream;      /* --hex, --raw */
    enum stream_side stream_from; /* --from */
    enum stream_side side;        /* replay --as; STREAM_BOTH: not given */
    const char *output_path;      /* -o */
    const char *format;           /* --format; NULL: text */
    const char *html_path;        /* --html */
    enum color_choice color;
    bool quiet;
    bool verbose;
    bool help;
};

struct command {
    enum command_bit bit;
    const char *name;
    const char *operands; /* "LAB", as the usage line shows it */
    const char *summary;  /* one line, for handlens --help */
    const char *about;    /* a few lines, for its own --help */
    const char *examples; /* lines of "command   what it does"; may be "" */
    int least_operands;
    int most_operands; /* -1: any number */
    /* Does it all. Returns the exit status; error is set where that is not STATUS_DONE. */
    enum status (*run)(const struct invocation *invocation, struct error *error);
};

extern const struct command command_run, command_serve, command_connect, command_view,
    command_check, command_replay, command_labs, command_new;

/* All commands in the order of the help, NULL at the end. */
extern const struct command *const commands[];

/* The command of that name; or NULL with error set (STATUS_USAGE), which names the nearest. */
const struct command *command_named(const char *name, struct error *error);

/*
 * Reads the arguments after the command's name. Returns false with error set (STATUS_USAGE) for
 * an unknown option (the nearest is named), a missing or impossible value, too few or too many
 * operands.
 */
bool options_parse(struct invocation *invocation, const struct command *command, int argc,
                   char **argv, struct error *error);

/* The help of the whole program, and of one command. Written to stdout. */
void help_print_program(void);
void help_print_command(const struct command *command);

#endif
