/* The folder of a lab's files: what gets in, what never gets out, and what is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/folder.h"

static char outside[64]; /* holds "secret" and the folder "inside" */
static char path[128];

static const char *path_of(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", outside, name);
    return path;
}

static void make_file(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static bool file_is(const char *name, const char *text)
{
    char got[64] = "";
    FILE *file = fopen(path_of(name), "r");
    if (file == NULL)
        return false;
    got[fread(got, 1, sizeof got - 1, file)] = '\0';
    fclose(file);
    return strcmp(got, text) == 0;
}

static bool is_there(const char *name)
{
    struct stat status;
    return lstat(path_of(name), &status) == 0;
}

static int set_up(void **state)
{
    strcpy(outside, "/tmp/handlens-folder-XXXXXX");
    if (mkdtemp(outside) == NULL || mkdir(path_of("inside"), 0700) != 0)
        return -1;
    make_file("secret", "secret");
    *state = folder_open(path_of("inside"), NULL);
    return *state == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    char command[128];
    folder_close(*state);
    snprintf(command, sizeof command, "rm -rf %s", outside);
    return system(command);
}

static int write_text(struct folder *folder, const char *name, const char *text)
{
    struct folder_file *file = NULL;
    int code = folder_write(folder, name, strlen(name), &file);
    if (code != 0)
        return code;
    assert_int_equal(folder_file_put(file, text, strlen(text)), 0);
    return folder_file_keep(file);
}

static void a_written_file_appears_when_it_is_kept(void **state)
{
    struct folder_file *file = NULL;
    assert_int_equal(folder_write(*state, "a/b/new", 7, &file), 0);
    assert_int_equal(folder_file_put(file, "hel", 3), 0);
    assert_false(is_there("inside/a/b/new"));
    assert_int_equal(folder_file_put(file, "lo", 2), 0);
    assert_int_equal(folder_file_keep(file), 0);
    assert_true(file_is("inside/a/b/new", "hello"));
    assert_int_equal(rmdir(path_of("inside/a/b")), -1);
    assert_int_equal(unlink(path_of("inside/a/b/new")), 0);
    assert_int_equal(rmdir(path_of("inside/a/b")), 0); /* nothing else is in it */
}

static void a_dropped_file_leaves_what_was_there(void **state)
{
    struct folder_file *file = NULL;
    assert_int_equal(write_text(*state, "old", "old"), 0);
    assert_int_equal(folder_write(*state, "old", 3, &file), 0);
    assert_int_equal(folder_file_put(file, "new", 3), 0);
    folder_file_drop(file);
    assert_true(file_is("inside/old", "old"));
    assert_int_equal(write_text(*state, "old", "new"), 0);
    assert_true(file_is("inside/old", "new"));
}

static void reading_goes_on_where_it_ended(void **state)
{
    struct folder_file *file = NULL;
    char bytes[8];
    size_t got;
    assert_int_equal(write_text(*state, "text", "hello"), 0);
    assert_int_equal(folder_read(*state, "text", 4, &file), 0);
    assert_int_equal(folder_file_get(file, bytes, 3, &got), 0);
    assert_int_equal(got, 3);
    assert_memory_equal(bytes, "hel", 3);
    assert_int_equal(folder_file_get(file, bytes, 8, &got), 0);
    assert_int_equal(got, 2);
    assert_int_equal(folder_file_get(file, bytes, 8, &got), 0);
    assert_int_equal(got, 0);
    assert_int_equal(folder_file_put(file, "x", 1), EBADF);
    assert_int_equal(folder_file_keep(file), 0);
}

static void expect_refusal(struct folder *folder, const char *name, size_t length, int code)
{
    struct folder_file *file = NULL;
    int64_t bytes;
    int codes[] = {folder_read(folder, name, length, &file),
                   folder_write(folder, name, length, &file), folder_remove(folder, name, length),
                   folder_size(folder, name, length, &bytes)};
    for (size_t i = 0; i < 4; i++)
        if (codes[i] != code)
            fail_msg("way %zu into '%.*s' gives %d, not %d", i, (int)length, name, codes[i], code);
}

static void no_name_leads_out(void **state)
{
    char absolute[160], link_to_folder[160];
    snprintf(absolute, sizeof absolute, "%s/secret", outside);
    snprintf(link_to_folder, sizeof link_to_folder, "%s", outside);
    assert_int_equal(mkdir(path_of("inside/sub"), 0700), 0);
    assert_int_equal(symlink(absolute, path_of("inside/link")), 0);
    assert_int_equal(symlink(link_to_folder, path_of("inside/folder")), 0);
    assert_int_equal(symlink("/proc/self/cwd", path_of("inside/magic")), 0);
    static const char *const climbing[] = {"..",          "../secret",   "sub/../../secret",
                                           "./../secret", "sub/..",      "/",
                                           "/etc/passwd", "new/../../x", "//etc/passwd"};
    for (size_t i = 0; i < sizeof climbing / sizeof climbing[0]; i++)
        expect_refusal(*state, climbing[i], strlen(climbing[i]), EPERM);
    expect_refusal(*state, absolute, strlen(absolute), EPERM);
    static const char *const linked[] = {"link", "folder/secret", "folder", "link/x", "magic/x"};
    for (size_t i = 0; i < sizeof linked / sizeof linked[0]; i++)
        expect_refusal(*state, linked[i], strlen(linked[i]), ELOOP);
    expect_refusal(*state, "a\0b", 3, EINVAL);
    expect_refusal(*state, "", 0, EINVAL);
    expect_refusal(*state, "sub", 3, EISDIR);
    expect_refusal(*state, "sub/", 4, EISDIR);
    expect_refusal(*state, ".", 1, EISDIR);
    assert_true(file_is("secret", "secret"));
    assert_false(is_there("inside/new"));
}

static void what_is_no_regular_file_is_not_opened(void **state)
{
    assert_int_equal(mkfifo(path_of("inside/pipe"), 0600), 0);
    expect_refusal(*state, "pipe", 4, EINVAL);
    assert_true(is_there("inside/pipe"));
}

static void files_and_bytes_run_out(void **state)
{
    struct folder_file *files[FOLDER_OPEN], *more = NULL;
    for (size_t i = 0; i < FOLDER_OPEN; i++)
        assert_int_equal(folder_write(*state, "same", 4, &files[i]), 0);
    assert_int_equal(folder_write(*state, "same", 4, &more), EMFILE);
    for (size_t i = 0; i < FOLDER_OPEN; i++)
        folder_file_drop(files[i]);
    for (int i = FOLDER_OPEN; i < FOLDER_FILES; i++)
        assert_int_equal(write_text(*state, "same", ""), 0);
    assert_int_equal(write_text(*state, "same", ""), EDQUOT);
    assert_int_equal(write_text(*state, "made/new", ""), EDQUOT);
    assert_false(is_there("inside/made"));
}

static void a_temporary_folder_is_removed_with_all_in_it(void **state)
{
    struct folder_file *file = NULL;
    (void)state;
    assert_int_equal(setenv("TMPDIR", outside, 1), 0);
    struct folder *folder = folder_open(NULL, NULL);
    assert_non_null(folder);
    assert_int_equal(write_text(folder, "a/b/c", "hello"), 0);
    assert_int_equal(folder_read(folder, "a/b/c", 5, &file), 0);
    folder_file_drop(file);
    folder_close(folder);
    unsetenv("TMPDIR");
    assert_int_equal(rmdir(path_of("inside")), 0);
    assert_int_equal(unlink(path_of("secret")), 0);
    assert_int_equal(rmdir(outside), 0); /* which only an empty folder lets happen */
}

static void a_folder_must_be_there(void **state)
{
    struct error error;
    (void)state;
    assert_null(folder_open(path_of("none"), &error));
    assert_non_null(strstr(error.text, "No such file or directory"));
    assert_int_equal(error.status, STATUS_USAGE);
    assert_null(folder_open(path_of("secret"), &error));
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(a_written_file_appears_when_it_is_kept),
        FRESH(a_dropped_file_leaves_what_was_there),
        FRESH(reading_goes_on_where_it_ended),
        FRESH(no_name_leads_out),
        FRESH(what_is_no_regular_file_is_not_opened),
        FRESH(files_and_bytes_run_out),
        FRESH(a_temporary_folder_is_removed_with_all_in_it),
        FRESH(a_folder_must_be_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
