/*
 * A template's lines become what they name, and one that means nothing is an error.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/option_table.h"
#include "manual/template.h"

static struct buffer out;
static struct error error;

static bool fill(const char *text)
{
    buffer_clear(&out);
    return template_fill(&out, text, ".", &error);
}

static void assert_has(const char *text)
{
    if (strstr(buffer_text(&out), text) == NULL)
        fail_msg("no \"%s\" in:\n%s", text, buffer_text(&out));
}

static void other_lines_stay_as_they_are(void **state)
{
    (void)state;
    assert_true(fill(".Sh NAME\n\n  an @ within a line\n"));
    assert_string_equal(buffer_text(&out), ".Sh NAME\n\n  an @ within a line\n");
}

static void more_goes_to_its_command_and_option(void **state)
{
    (void)state;
    assert_true(fill("@more labs\nMORE LABS\n@end\n@more --as SIDE\nMORE SIDE\n@end\n"
                     "@commands\n@options\n@common-options\n"));
    assert_has(".It Cm labs\nLists the labs");
    assert_has("group by group.\nMORE LABS\n.It Cm");
    assert_has(".It Fl \\-as Ar SIDE\n.Pq Cm replay\nThe side to play: client or server.\n"
               "MORE SIDE\n");
    assert_has(".It Fl q , \\-quiet\n");
    assert_null(strstr(buffer_text(&out), "@"));
}

static void what_means_nothing_is_an_error(void **state)
{
    (void)state;
    assert_false(fill("@nonsense\n"));
    assert_string_equal(error.text, "the template's line '@nonsense' means nothing");
    assert_false(fill("@more --nonsense\nwords\n@end\n@options\n"));
    assert_string_equal(error.text, "'@more --nonsense' belongs to no command and no option");
    assert_false(fill("@more run\nwords\n"));
    assert_string_equal(error.text, "'@more run' has no @end");
    assert_false(fill("@markdown nowhere.md Heading\n"));
    assert_string_equal(error.text, "cannot read ./nowhere.md: No such file or directory");
}

static void a_heading_that_is_not_in_the_file_is_an_error(void **state)
{
    (void)state;
    char folder[] = "/tmp/handlens-template-XXXXXX";
    char path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/page.md", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs("# Page\n\n## One\n\nWords.\n", file) >= 0 && fclose(file) == 0);
    buffer_clear(&out);
    assert_true(template_fill(&out, "@markdown page.md One\n", folder, &error));
    assert_string_equal(buffer_text(&out), ".Sh \"ONE\"\nWords.\n");
    assert_false(template_fill(&out, "@markdown page.md Two\n", folder, &error));
    remove(path);
    rmdir(folder);
    assert_non_null(strstr(error.text, "/page.md has no heading '## Two'"));
}

static void too_much_is_an_error(void **state)
{
    (void)state;
    char line[400];
    memset(line, 'x', sizeof line);
    memcpy(line, "@", 1);
    memcpy(line + sizeof line - 2, "\n", 2);
    assert_false(fill(line));
    assert_string_equal(error.text, "a line of the template is too long");
    struct buffer many = {0};
    for (int i = 0; i < 200; i++)
        buffer_append_text(&many, "@more run\nwords\n@end\n");
    assert_false(fill(buffer_text(&many)));
    assert_string_equal(error.text, "the template has too many @more");
    buffer_free(&many);
}

static void help_names_every_word_that_an_option_takes(void **state)
{
    (void)state;
    size_t words = 0;
    for (size_t i = 0; i < option_count; i++) {
        const char *word = NULL;
        for (size_t n = 0; (word = option_word(&option_table[i], n)) != NULL; n++, words++)
            if (strstr(option_table[i].help, word) == NULL)
                fail_msg("the help of --%s does not name '%s'", option_table[i].name, word);
    }
    assert_in_range(words, 10, 1000);
}

static int free_out(void **state)
{
    (void)state;
    buffer_free(&out);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_lines_stay_as_they_are),
        cmocka_unit_test(more_goes_to_its_command_and_option),
        cmocka_unit_test(what_means_nothing_is_an_error),
        cmocka_unit_test(a_heading_that_is_not_in_the_file_is_an_error),
        cmocka_unit_test(too_much_is_an_error),
        cmocka_unit_test(help_names_every_word_that_an_option_takes),
    };
    return cmocka_run_group_tests(tests, NULL, free_out);
}
