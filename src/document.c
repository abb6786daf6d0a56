/*
 * document.c - the program that makes the manual pages and the shells' completions, when handlens
 * is built: it has the same table of commands and options in it.
 *
 *     handlens-document TEMPLATE FOLDER     onto stdout; see manual/template.h
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "manual/template.h"

static bool failed_to_write(void)
{
    fprintf(stderr, "handlens-document: cannot write: %s\n", strerror(errno));
    return false;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: handlens-document TEMPLATE FOLDER\n");
        return STATUS_USAGE;
    }
    struct error error = {0};
    struct buffer text = {0};
    struct buffer out = {0};
    bool done = template_read(&text, argv[1], &error) &&
                template_fill(&out, buffer_text(&text), argv[2], &error);
    if (!done)
        fprintf(stderr, "handlens-document: %s: %s\n", argv[1], error.text);
    else if (fwrite(out.data, 1, out.length, stdout) != out.length || fflush(stdout) != 0)
        done = failed_to_write();
    buffer_free(&text);
    buffer_free(&out);
    return done ? STATUS_DONE : STATUS_NOT_ALLOWED;
}
