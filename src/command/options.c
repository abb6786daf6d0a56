#include "command/command.h"
#include "command/option_table.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check/report.h"
#include "support/clock.h"
#include "support/nearest.h"

#define FOR_PEERS (COMMAND_SERVE | COMMAND_CONNECT)
#define EXCHANGES (COMMAND_RUN | FOR_PEERS)
#define SHOWS     (EXCHANGES | COMMAND_VIEW)

const struct option_row option_table[] = {
    {OPTION_WRITE, "write", 'w', "FILE", EXCHANGES | COMMAND_CHECK,
     "keep the trace in FILE (pcapng)"},
    {OPTION_HTML, "html", 0, "FILE", EXCHANGES | COMMAND_CHECK,
     "write a report to FILE, for any browser"},
    {OPTION_FORCE, "force", 0, NULL, SHOWS | COMMAND_CHECK,
     "let -w, -o and --html replace a file that is there"},
    {OPTION_AS, "as", 0, "VIEW", SHOWS, "ladder, packets, bytes, stream, flows, json or html"},
    {OPTION_SIDE, "as", 0, "SIDE", COMMAND_REPLAY, "the side to play: client or server"},
    {OPTION_HOST, "host", 0, "HOST", FOR_PEERS, "name or address (default: the lab's own)"},
    {OPTION_PORT, "port", 0, "PORT", FOR_PEERS, "port (default: the lab's own)"},
    {OPTION_HOST, "host", 0, "HOST", COMMAND_REPLAY,
     "where the peer is, or may come (default: here)"},
    {OPTION_PORT, "port", 0, "PORT", COMMAND_REPLAY, "port (default: the recorded server's)"},
    {OPTION_MESSAGE, "message", 0, "TEXT", COMMAND_RUN | COMMAND_CONNECT,
     "what the client shall send"},
    {OPTION_HERE, "here", 0, NULL, COMMAND_RUN | COMMAND_CHECK,
     "use this machine's loopback, not a private one"},
    {OPTION_CLIENTS, "clients", 0, "N", COMMAND_RUN | COMMAND_CONNECT,
     "run N of each client role at once"},
    {OPTION_REPEAT, "repeat", 0, "N", COMMAND_RUN | COMMAND_CONNECT,
     "run each client N times over"},
    {OPTION_STEP, "step", 0, NULL, COMMAND_RUN, "stop before each call, show it, and ask"},
    {OPTION_NO_CAPTURE, "no-capture", 0, NULL, EXCHANGES, "make the calls, capture nothing"},
    {OPTION_TIMEOUT, "timeout", 0, "S", EXCHANGES | COMMAND_CHECK,
     "give up after S seconds (run: 30 by default)"},
    {OPTION_TIMEOUT, "timeout", 0, "S", COMMAND_REPLAY,
     "wait so long for the peer's bytes (5 by default)"},
    {OPTION_FILES, "files", 0, "DIR", EXCHANGES | COMMAND_CHECK,
     "the folder for the lab's files (else a new one)"},
    {OPTION_FLOW, "flow", 0, "N", SHOWS, "show flow N alone"},
    {OPTION_FLOW, "flow", 0, "N", COMMAND_REPLAY, "play flow N (default: 1)"},
    {OPTION_NUMBER, "number", 0, "N", COMMAND_VIEW, "show packet N alone (as bytes: explained)"},
    {OPTION_HEX, "hex", 0, NULL, SHOWS, "stream: as a hexdump, not as text"},
    {OPTION_RAW, "raw", 0, NULL, SHOWS, "stream: the bytes themselves and nothing else"},
    {OPTION_FROM, "from", 0, "SIDE", SHOWS, "stream: what the client, or the server, said"},
    {OPTION_OUTPUT, "output", 'o', "FILE", COMMAND_VIEW, "write the view to FILE"},
    {OPTION_FORMAT, "format", 0, "FORMAT", COMMAND_CHECK, "text, tap, junit or json"},
    {OPTION_NUMERIC, "numeric", 'n', NULL, COMMAND_VIEW,
     "numeric addresses: always so, as with tcpdump -n"},
    {OPTION_COLOR, "color", 0, "WHEN", COMMAND_ALL, "auto, always or never (NO_COLOR is heeded)"},
    {OPTION_QUIET, "quiet", 'q', NULL, COMMAND_ALL, "say nothing on stderr but errors"},
    {OPTION_VERBOSE, "verbose", 'v', NULL, COMMAND_ALL, "say more on stderr"},
    {OPTION_HELP, "help", 'h', NULL, COMMAND_ALL, "show this help"},
};

const size_t option_count = sizeof option_table / sizeof option_table[0];

static const struct option_row *row_of(int id)
{
    for (size_t i = 0; i < option_count; i++) {
        if ((int)option_table[i].id == id)
            return &option_table[i];
    }
    return NULL;
}

static const char *const color_words[] = {"auto", "always", "never"};
static const char *const side_words[] = {"client", "server"};

const char *option_word(const struct option_row *row, size_t n)
{
    switch (row->id) {
    case OPTION_AS:
        return n < VIEW_KINDS ? view_kind_name((enum view_kind)n) : NULL;
    case OPTION_FORMAT:
        return report_format_name(n);
    case OPTION_COLOR:
        return n < sizeof color_words / sizeof color_words[0] ? color_words[n] : NULL;
    case OPTION_SIDE:
    case OPTION_FROM:
        return n < sizeof side_words / sizeof side_words[0] ? side_words[n] : NULL;
    default:
        return NULL;
    }
}

/* A whole number from least to most; anything else is an error that names the option. */
static bool whole_number(const char *option, const char *text, uint64_t least, uint64_t most,
                         uint64_t *number, struct error *error)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < least ||
        value > most)
        return error_set(error, STATUS_USAGE,
                         "--%s takes a whole number from %llu to %llu, not '%s'", option,
                         (unsigned long long)least, (unsigned long long)most, text);
    *number = value;
    return true;
}

static bool seconds(const char *option, const char *text, int64_t *duration, struct error *error)
{
    char *end = NULL;
    errno = 0;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || errno != 0 || !(value > 0 && value <= 1e6))
        return error_set(error, STATUS_USAGE,
                         "--%s takes seconds, more than 0 and at most 1000000, not '%s'", option,
                         text);
    *duration = (int64_t)(value * (double)NANOSECONDS_PER_SECOND);
    return true;
}

static bool view_kind(const char *text, enum view_kind *kind, struct error *error)
{
    if (view_kind_from_name(text, kind))
        return true;
    const char *names[VIEW_KINDS];
    for (int i = 0; i < VIEW_KINDS; i++)
        names[i] = view_kind_name((enum view_kind)i);
    const char *near = nearest_word(text, names, VIEW_KINDS);
    if (near != NULL)
        return error_set(error, STATUS_USAGE, "there is no view '%s'; did you mean '%s'?", text,
                         near);
    return error_set(error, STATUS_USAGE,
                     "there is no view '%s'; there are ladder, packets, bytes, stream, flows, "
                     "json and html",
                     text);
}

static bool color_choice(const char *text, enum color_choice *choice, struct error *error)
{
    for (int i = 0; i < 3; i++) {
        if (strcmp(text, color_words[i]) == 0) {
            *choice = (enum color_choice)i;
            return true;
        }
    }
    return error_set(error, STATUS_USAGE, "--color takes auto, always or never, not '%s'", text);
}

static bool stream_side(const char *option, const char *text, enum stream_side *side,
                        struct error *error)
{
    if (strcmp(text, side_words[0]) == 0)
        *side = STREAM_CLIENT;
    else if (strcmp(text, side_words[1]) == 0)
        *side = STREAM_SERVER;
    else
        return error_set(error, STATUS_USAGE, "--%s takes client or server, not '%s'", option,
                         text);
    return true;
}

/* Takes an option that has no value. */
static void take_switch(struct invocation *invocation, enum option_id id)
{
    if (id == OPTION_FORCE)
        invocation->force = true;
    else if (id == OPTION_HERE)
        invocation->here = true;
    else if (id == OPTION_STEP)
        invocation->step = true;
    else if (id == OPTION_NO_CAPTURE)
        invocation->no_capture = true;
    else if (id == OPTION_HEX)
        invocation->stream = STREAM_HEX;
    else if (id == OPTION_RAW)
        invocation->stream = STREAM_RAW;
    else if (id == OPTION_QUIET)
        invocation->quiet = true;
    else if (id == OPTION_VERBOSE)
        invocation->verbose = true;
    else if (id == OPTION_HELP)
        invocation->help = true;
}

static bool take_number(struct invocation *invocation, const struct option_row *row,
                        const char *value, struct error *error)
{
    uint64_t least = row->id == OPTION_PORT ? 0 : 1;
    uint64_t most = row->id == OPTION_PORT     ? 65535
                    : row->id == OPTION_FLOW   ? UINT32_MAX
                    : row->id == OPTION_NUMBER ? UINT64_MAX
                                               : 1000000;
    uint64_t number = 0;
    if (!whole_number(row->name, value, least, most, &number, error))
        return false;
    if (row->id == OPTION_PORT) {
        invocation->port = (uint16_t)number;
        invocation->port_given = true;
    } else if (row->id == OPTION_FLOW) {
        invocation->flow = (uint32_t)number;
    } else if (row->id == OPTION_NUMBER) {
        invocation->number = number;
    } else {
        *(row->id == OPTION_CLIENTS ? &invocation->clients : &invocation->repeat) =
            (unsigned)number;
    }
    return true;
}

/* Takes one option with its value (NULL where it has none). */
static bool take(struct invocation *invocation, const struct option_row *row, const char *value,
                 struct error *error)
{
    if (row->value == NULL) {
        take_switch(invocation, row->id);
        return true;
    }
    switch (row->id) {
    case OPTION_WRITE:
        invocation->trace_path = value;
        return true;
    case OPTION_OUTPUT:
        invocation->output_path = value;
        return true;
    case OPTION_FORMAT:
        invocation->format = value;
        return true;
    case OPTION_HTML:
        invocation->html_path = value;
        return true;
    case OPTION_AS:
        invocation->as_given = true;
        return view_kind(value, &invocation->as, error);
    case OPTION_HOST:
        invocation->host = value;
        return true;
    case OPTION_MESSAGE:
        invocation->message = value;
        return true;
    case OPTION_TIMEOUT:
        return seconds(row->name, value, &invocation->timeout, error);
    case OPTION_FILES:
        invocation->files = value;
        return true;
    case OPTION_FROM:
        return stream_side(row->name, value, &invocation->stream_from, error);
    case OPTION_SIDE:
        return stream_side(row->name, value, &invocation->side, error);
    case OPTION_COLOR:
        return color_choice(value, &invocation->color, error);
    default:
        return take_number(invocation, row, value, error);
    }
}

static bool refuse(const struct command *command, const char *given, bool lacks_value,
                   struct error *error)
{
    if (lacks_value)
        return error_set(error, STATUS_USAGE, "%s needs a value; see 'handlens %s --help'", given,
                         command->name);
    const char *names[sizeof option_table / sizeof option_table[0]];
    size_t count = 0;
    for (size_t i = 0; i < option_count; i++) {
        if (option_table[i].commands & command->bit)
            names[count++] = option_table[i].name;
    }
    const char *near = strncmp(given, "--", 2) == 0 ? nearest_word(given + 2, names, count) : NULL;
    if (near != NULL)
        return error_set(error, STATUS_USAGE, "'handlens %s' has no option %s; did you mean --%s?",
                         command->name, given, near);
    return error_set(error, STATUS_USAGE,
                     "'handlens %s' has no option %s; see 'handlens %s --help'", command->name,
                     given, command->name);
}

static bool count_operands(const struct invocation *invocation, const struct command *command,
                           struct error *error)
{
    int count = invocation->operand_count;
    if (count < command->least_operands)
        return error_set(error, STATUS_USAGE,
                         "'handlens %s' needs a %.*s; see 'handlens %s --help'", command->name,
                         (int)strcspn(command->operands, " "), command->operands, command->name);
    if (command->most_operands >= 0 && count > command->most_operands)
        return error_set(error, STATUS_USAGE, "'%s' is one too many for 'handlens %s%s%s'",
                         invocation->operands[command->most_operands], command->name,
                         command->operands[0] == '\0' ? "" : " ", command->operands);
    return true;
}

/* What grows step by step is the whole ladder. */
static bool check_step(const struct invocation *invocation, struct error *error)
{
    if (invocation->step && (invocation->as != VIEW_LADDER || invocation->flow != 0))
        return error_set(error, STATUS_USAGE,
                         "--step shows the ladder; leave out --as and --flow, or keep the trace "
                         "with -w and view it later");
    return true;
}

/* --hex, --raw and --from belong to one view; and raw bytes, to nothing that would obey them. */
static bool check_stream(const struct invocation *invocation, struct error *error)
{
    bool is_raw = invocation->stream == STREAM_RAW;
    const char *given = is_raw                                   ? "--raw"
                        : invocation->stream == STREAM_HEX       ? "--hex"
                        : invocation->stream_from != STREAM_BOTH ? "--from"
                                                                 : NULL;
    if (given != NULL && invocation->as != VIEW_STREAM)
        return error_set(error, STATUS_USAGE, "%s goes with --as stream", given);
    if (is_raw && invocation->output_path == NULL && isatty(STDOUT_FILENO) == 1)
        return error_set(error, STATUS_USAGE,
                         "a terminal may obey what is in raw bytes: send them to a pipe or a file");
    return true;
}

/* A page is for a browser: the reader of a terminal meant something else. */
static bool check_html(const struct invocation *invocation, struct error *error)
{
    if (invocation->html_path != NULL && invocation->no_capture)
        return error_set(error, STATUS_USAGE,
                         "--html shows what was captured: it does not go with --no-capture");
    if (invocation->as != VIEW_HTML || invocation->output_path != NULL ||
        isatty(STDOUT_FILENO) != 1)
        return true;
    bool is_view = invocation->command->bit == COMMAND_VIEW;
    return error_set(error, STATUS_USAGE,
                     is_view ? "--as html makes a page for a browser: name its file with -o FILE"
                             : "--as html makes a page for a browser: use --html FILE");
}

bool options_parse(struct invocation *invocation, const struct command *command, int argc,
                   char **argv, struct error *error)
{
    struct option longs[sizeof option_table / sizeof option_table[0] + 1];
    char shorts[2 * sizeof option_table / sizeof option_table[0] + 2] = ":";
    size_t long_count = 0;
    size_t short_count = 1;
    for (size_t i = 0; i < option_count; i++) {
        const struct option_row *row = &option_table[i];
        if (!(row->commands & command->bit))
            continue;
        int has_value = row->value == NULL ? no_argument : required_argument;
        longs[long_count++] = (struct option){row->name, has_value, NULL, (int)row->id};
        if (row->letter != 0) {
            shorts[short_count++] = row->letter;
            if (row->value != NULL)
                shorts[short_count++] = ':';
        }
    }
    longs[long_count] = (struct option){0};
    shorts[short_count] = '\0';

    opterr = 0;
    optind = 1;
    for (;;) {
        int found = getopt_long(argc, argv, shorts, longs, NULL);
        if (found == -1)
            break;
        if (found == '?' || found == ':') {
            char letter[3] = {'-', (char)optopt, '\0'};
            bool is_letter = optopt > 0 && optopt < 128;
            return refuse(command, is_letter ? letter : argv[optind - 1], found == ':', error);
        }
        const struct option_row *row = row_of(found);
        for (size_t i = 0; row == NULL && i < option_count; i++) {
            if (option_table[i].letter == found)
                row = &option_table[i];
        }
        if (row != NULL && !take(invocation, row, optarg, error))
            return false;
    }
    invocation->operands = argv + optind;
    invocation->operand_count = argc - optind;
    return invocation->help ||
           (count_operands(invocation, command, error) && check_stream(invocation, error) &&
            check_html(invocation, error) && check_step(invocation, error));
}
