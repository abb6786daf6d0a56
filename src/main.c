/*
 * main.c - chooses the command, and prints what went wrong. Nobody else prints errors or exits.
 */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <lua.h>
#include <pcap/pcap.h>
#include <uv.h>

#include "command/command.h"

static void print_version(void)
{
    printf("handlens %s\n%s\n%s, libuv %s\n", HANDLENS_VERSION, LUA_RELEASE, pcap_lib_version(),
           uv_version_string());
}

/* Errors go to stderr, with the program's name before the first line. */
static int report(const struct error *error)
{
    if (error->text[0] != '\0')
        fprintf(stderr, "handlens: %s\n", error->text);
    return (int)error->status;
}

static int run_command(int argc, char **argv)
{
    struct error error = {0};
    const struct command *command = command_named(argv[1], &error);
    if (command == NULL)
        return report(&error);
    struct invocation invocation = {.command = command, .clients = 1, .repeat = 1};
    if (!options_parse(&invocation, command, argc - 1, argv + 1, &error))
        return report(&error);
    if (invocation.help) {
        help_print_command(command);
        return STATUS_DONE;
    }
    enum status status = command->run(&invocation, &error);
    if (status != STATUS_DONE || error.text[0] != '\0')
        report(&error);
    return (int)status;
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is an EPIPE, and ends a view quietly */
    signal(SIGXFSZ, SIG_IGN); /* a file limit is an EFBIG */
    int status = STATUS_DONE;
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        (strcmp(argv[1], "help") == 0 && argc == 2)) {
        help_print_program();
    } else if (strcmp(argv[1], "--version") == 0) {
        print_version();
    } else if (strcmp(argv[1], "help") == 0) {
        char help[] = "--help";
        char *words[] = {argv[0], argv[2], help, NULL};
        status = run_command(3, words);
    } else {
        status = run_command(argc, argv);
    }
    if (fflush(stdout) != 0 && status == STATUS_DONE && ferror(stdout))
        status = STATUS_DONE; /* whoever read us has gone: nothing is owed to them */
    return status;
}
