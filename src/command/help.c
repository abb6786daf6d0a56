#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "command/option_table.h"

#define OPTION_COLUMN 24

void help_print_program(void)
{
    puts("handlens shows a network exchange packet by packet, inside the socket calls that\n"
         "caused them: script line, call, packets, TCP states, bytes.\n"
         "\n"
         "usage: handlens COMMAND [OPTION...] ...\n");
    for (const struct command *const *each = commands; *each != NULL; each++) {
        const struct command *command = *each;
        int width = printf("  %s %s", command->name, command->operands);
        printf("%*s%s\n", width < OPTION_COLUMN ? OPTION_COLUMN - width : 2, "", command->summary);
    }
    puts("\n"
         "A LAB is the name of a lab ('handlens labs' lists them) or the path of a Lua\n"
         "script. Start with:  handlens run hello\n"
         "\n"
         "  handlens COMMAND --help   what a command does, and its options\n"
         "  handlens --version        the version, and the libraries it was built with\n"
         "\n"
         "Exit status: 0 done; 1 a check failed; 2 the command line or the script is\n"
         "wrong; 3 this machine does not allow it; 4 the input file is damaged.");
}

void help_print_command(const struct command *command)
{
    printf("usage: handlens %s [OPTION...] %s\n\n%s\n\nOptions:\n", command->name,
           command->operands, command->about);
    for (size_t i = 0; i < option_count; i++) {
        const struct option_row *row = &option_table[i];
        if (!(row->commands & command->bit))
            continue;
        char form[64];
        char letter[8] = "";
        if (row->letter != 0)
            snprintf(letter, sizeof letter, "-%c, ", row->letter);
        snprintf(form, sizeof form, "%s--%s%s%s", letter, row->name, row->value ? " " : "",
                 row->value ? row->value : "");
        printf("  %-*s%s\n", OPTION_COLUMN - 2, form, row->help);
    }
    if (command->examples[0] != '\0')
        printf("\nExamples:\n%s\n", command->examples);
}
