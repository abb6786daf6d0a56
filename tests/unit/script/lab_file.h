/*
 * lab_file.h - labs for tests: written into a temporary folder, and loaded.
 */
#ifndef HANDLENS_TESTS_LAB_FILE_H
#define HANDLENS_TESTS_LAB_FILE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "script/script.h"

static char lab_folder[64];
static struct error lab_error;

static int make_folder(void **state)
{
    (void)state;
    snprintf(lab_folder, sizeof lab_folder, "/tmp/handlens-script-XXXXXX");
    return mkdtemp(lab_folder) == NULL;
}

static int remove_folder(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", lab_folder);
    return system(command);
}

static void write_bytes(const char *name, const void *bytes, size_t length)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", lab_folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static void write_file(const char *name, const char *text)
{
    write_bytes(name, text, strlen(text));
}

static struct script *load_named(const char *name, const struct script_limits *limits)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", lab_folder, name);
    memset(&lab_error, 0, sizeof lab_error);
    return script_load(path, limits, &lab_error);
}

/* Loads text as test.lua. */
static struct script *load_text(const char *text)
{
    write_file("test.lua", text);
    return load_named("test.lua", NULL);
}

__attribute__((unused)) static void expect_load_error(const char *text, const char *message)
{
    struct script *script = load_text(text);
    if (script != NULL)
        script_close(script);
    assert_null(script);
    assert_string_equal(lab_error.text, message);
    assert_int_equal(lab_error.status, STATUS_USAGE);
}

#endif
