/*
 * Markdown becomes a manual page's lines, and nothing in it is taken for one of the page's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "manual/markdown.h"
#include "manual/mdoc.h"

static void assert_becomes(const char *markdown, const char *mdoc)
{
    struct buffer text = {0};
    struct buffer out = {0};
    buffer_printf(&text, "# Title\n\nskipped\n\n## Here\n%s", markdown);
    assert_true(markdown_append_mdoc(&out, buffer_text(&text), "Here"));
    const char *heading = ".Sh \"HERE\"\n";
    assert_int_equal(strncmp(buffer_text(&out), heading, strlen(heading)), 0);
    assert_string_equal(buffer_text(&out) + strlen(heading), mdoc);
    buffer_free(&text);
    buffer_free(&out);
}

static void each_sentence_begins_a_line(void **state)
{
    (void)state;
    assert_becomes("One, and\ntwo. Three.\n\nFour.\n", "One, and two.\nThree.\n.Pp\nFour.\n");
}

static void marks_become_fonts_and_links_their_words(void **state)
{
    (void)state;
    assert_becomes("A `b-c` **d** *e* [f `g`](#h).\n",
                   "A \\fBb\\-c\\fR \\fBd\\fR \\fIe\\fR f \\fBg\\fR.\n");
    assert_becomes("2 * 3 and [this]\n", "2 * 3 and [this]\n");
}

static void nothing_is_taken_for_a_request(void **state)
{
    (void)state;
    assert_becomes(".Dd 'x'\n", "\\&.Dd \\(aqx\\(aq\n");
    assert_becomes("```\n.nf \\n\n'x\n```\n", ".Bd -literal -offset indent\n\\&.nf \\en\n"
                                              "\\&\\(aqx\n.Ed\n");
    assert_becomes("\xe2\x80\xa6 \xf0\x9f\x90\xa7\n", "\\[u2026] \\[u1F427]\n");
}

static void a_list_is_a_list(void **state)
{
    (void)state;
    assert_becomes("- one\n  goes on\n- two\n\nafter\n",
                   ".Bl -bullet\n.It\none goes on\n.It\ntwo\n.El\n.Pp\nafter\n");
}

static void a_table_is_a_list_of_its_first_column(void **state)
{
    (void)state;
    assert_becomes("| field | value | without it |\n|---|---|---|\n| `a` | text | none |\n"
                   "| `b|c` | `0` | |\n",
                   ".Bl -tag -width Ds\n.It \"\\fBa\\fR\"\ntext.\nWithout it: none.\n"
                   ".It \"\\fBb|c\\fR\"\n\\fB0\\fR\n.El\n");
}

static void code_keeps_its_lines(void **state)
{
    (void)state;
    assert_becomes("    a\n      b\n\n### `f(x)`\ntext\n",
                   ".Bd -literal -offset indent\na\n  b\n.Ed\n.Ss \"f(x)\"\ntext\n");
    assert_becomes("```lua\n# no heading\n\n- no item\n```\n",
                   ".Bd -literal -offset indent\n# no heading\n\n\\- no item\n.Ed\n");
}

static void a_heading_that_is_not_there_is_told(void **state)
{
    (void)state;
    struct buffer out = {0};
    assert_false(markdown_append_mdoc(&out, "## Here it is\n", "Here"));
    assert_int_equal(out.length, 0);
}

static void help_texts_have_their_words_marked(void **state)
{
    (void)state;
    struct buffer out = {0};
    mdoc_append_text(&out, "With -w or (--as) FILE, and 'a b', not '-'. See\n--force.");
    assert_string_equal(buffer_text(&out), "With\n.Fl w\nor (\\-\\-as)\n.Ar FILE ,\nand\n"
                                           ".Ql a b ,\nnot\n.Ql \\- .\nSee\n.Fl \\-force .\n");
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_sentence_begins_a_line),
        cmocka_unit_test(marks_become_fonts_and_links_their_words),
        cmocka_unit_test(nothing_is_taken_for_a_request),
        cmocka_unit_test(a_list_is_a_list),
        cmocka_unit_test(a_table_is_a_list_of_its_first_column),
        cmocka_unit_test(code_keeps_its_lines),
        cmocka_unit_test(a_heading_that_is_not_there_is_told),
        cmocka_unit_test(help_texts_have_their_words_marked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
