/*
 * golden.h - compares a view's text with a file under tests/unit/view/golden.
 *
 * UPDATE_GOLDEN=1 in the environment writes the files anew instead; look at the difference before
 * committing it.
 */
#ifndef HANDLENS_TESTS_VIEW_GOLDEN_H
#define HANDLENS_TESTS_VIEW_GOLDEN_H

#include <libgen.h>

#include "unit/view/trace_maker.h"

static inline FILE *golden_open(const char *name, const char *mode)
{
    char source[] = __FILE__;
    char path[4096];
    snprintf(path, sizeof path, "%s/golden/%s", dirname(source), name);
    FILE *file = fopen(path, mode);
    if (file == NULL)
        fail_msg("cannot open %s; UPDATE_GOLDEN=1 makes it", path);
    return file;
}

/* The first line in which two texts differ, for the message. */
static inline void golden_differ(const char *name, const char *wanted, const char *seen)
{
    for (int line = 1;; line++) {
        size_t wanted_length = strcspn(wanted, "\n");
        size_t seen_length = strcspn(seen, "\n");
        if (wanted_length != seen_length || memcmp(wanted, seen, seen_length) != 0)
            fail_msg("%s, line %d\nwanted: %.*s\n  seen: %.*s", name, line, (int)wanted_length,
                     wanted, (int)seen_length, seen);
        if (wanted[wanted_length] == '\0' || seen[seen_length] == '\0')
            fail_msg("%s, line %d: one text is longer", name, line);
        wanted += wanted_length + 1;
        seen += seen_length + 1;
    }
}

static inline void golden_check(const char *name, const char *text)
{
    if (getenv("UPDATE_GOLDEN") != NULL) {
        FILE *file = golden_open(name, "w");
        fputs(text, file);
        assert_int_equal(fclose(file), 0);
        return;
    }
    FILE *file = golden_open(name, "r");
    char *wanted = NULL;
    size_t room = 0;
    ssize_t length = getdelim(&wanted, &room, '\0', file);
    fclose(file);
    if (length < 0 || strcmp(wanted, text) != 0)
        golden_differ(name, length < 0 ? "" : wanted, text);
    free(wanted);
}

#endif
