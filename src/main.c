/*
 * main.c - chooses the command, and prints what went wrong. Nobody else prints errors or exits.
 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <lua.h>
#include <pcap/pcap.h>
#include <uv.h>

#include "command/command.h"
#include "support/buffer.h"

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

/*
 * Whoever started us may have closed the standard streams. Their numbers must not go to the next
 * file that is opened: what is shown would be written into it. What is said into a closed stdout
 * fails, as it should; stderr has nobody to complain to.
 */
static void open_standard_streams(void)
{
    static const int modes[] = {O_RDONLY, O_RDONLY, O_WRONLY};
    for (int i = 0; i < 3; i++)
        if (fcntl(i, F_GETFD) < 0 && errno == EBADF && open("/dev/null", modes[i]) != i)
            return;
}

/* Whoever read us through a pipe has gone: nothing is owed to them. */
static bool reader_has_gone(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

/* Whatever was left out of a text because of that: nobody shall take it for all there is. */
static int end_memory(int status)
{
    struct error error;
    if (status != STATUS_DONE || !buffer_any_failed())
        return status;
    error_set(&error, STATUS_NOT_ALLOWED, "out of memory; not all is there that should be");
    return report(&error);
}

/* The last of stdout. A view tells of a lost write by itself; everybody else is told of here. */
static int end_output(int status)
{
    errno = 0;
    bool written = fflush(stdout) == 0 && ferror(stdout) == 0;
    int code = errno;
    if (written || reader_has_gone() || (status != STATUS_DONE && status != STATUS_CHECK_FAILED))
        return status;
    struct error error;
    error_set(&error, STATUS_NOT_ALLOWED, "cannot write all of it to standard output: %s",
              code == 0 ? "a write failed" : strerror(code));
    int lost = report(&error);
    return status == STATUS_DONE ? lost : status;
}

int main(int argc, char **argv)
{
    open_standard_streams();
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
    return end_output(end_memory(status));
}
