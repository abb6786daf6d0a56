#include "manual/completion.h"
#include "manual/completion_words.h"

/* What fish does to complete such a word; the functions are in doc/completion/handlens.fish.in. */
static const char *const actions[] = {
    [WORD_OTHER] = "-x",
    [WORD_LAB] = "-x -a '(__handlens_labs)'",
    [WORD_CAPTURE] = "-x -a '(__handlens_captures)'",
    [WORD_FILE] = "-r -F",
    [WORD_FOLDER] = "-x -a '(__fish_complete_directories)'",
};

/* Text in single quotes. */
static void append_quoted(struct buffer *out, const char *text)
{
    buffer_append_byte(out, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'' || *text == '\\')
            buffer_append_byte(out, '\\');
        buffer_append_byte(out, (uint8_t)*text);
    }
    buffer_append_byte(out, '\'');
}

void completion_append_fish_commands(struct buffer *out)
{
    for (const struct command *const *each = commands; *each != NULL; each++) {
        buffer_printf(out, "complete -c handlens -n __handlens_no_command -a %s -d ",
                      (*each)->name);
        append_quoted(out, (*each)->summary);
        buffer_append_byte(out, '\n');
    }
}

static void append_condition(struct buffer *out, unsigned bits)
{
    buffer_append_text(out, "complete -c handlens -n '__handlens_command");
    for (const struct command *const *each = commands; *each != NULL; each++) {
        if (bits & (*each)->bit)
            buffer_printf(out, " %s", (*each)->name);
    }
}

static void append_option(struct buffer *out, const struct option_row *row)
{
    append_condition(out, row->commands);
    buffer_append_text(out, "'");
    if (row->letter != 0)
        buffer_printf(out, " -s %c", row->letter);
    buffer_printf(out, " -l %s", row->name);
    if (word_of_option(row) == WORD_CHOICE) {
        buffer_append_text(out, " -x -a '");
        const char *word = NULL;
        for (size_t n = 0; (word = option_word(row, n)) != NULL; n++)
            buffer_printf(out, "%s%s", n == 0 ? "" : " ", word);
        buffer_append_byte(out, '\'');
    } else if (row->value != NULL) {
        buffer_printf(out, " %s", actions[word_of_option(row)]);
    }
    buffer_append_text(out, " -d ");
    append_quoted(out, row->help);
    buffer_append_byte(out, '\n');
}

void completion_append_fish_options(struct buffer *out)
{
    for (size_t i = 0; i < option_count; i++)
        append_option(out, &option_table[i]);
}

void completion_append_fish_operands(struct buffer *out)
{
    for (const struct command *const *each = commands; *each != NULL; each++) {
        for (int place = 0; place < 2; place++) {
            enum word_kind kind = word_of_operand(*each, place);
            if (kind == WORD_OTHER)
                continue;
            append_condition(out, (*each)->bit);
            buffer_printf(out, "; and test (__handlens_operands) -%s 0' %s\n",
                          place == 0 ? "eq" : "gt", actions[kind]);
        }
    }
}

void completion_append_fish_valued(struct buffer *out)
{
    for (const struct command *const *each = commands; *each != NULL; each++) {
        buffer_printf(out, "        case %s\n            echo '", (*each)->name);
        for (size_t i = 0; i < option_count; i++) {
            const struct option_row *row = &option_table[i];
            if (!(row->commands & (*each)->bit) || row->value == NULL)
                continue;
            buffer_printf(out, " --%s", row->name);
            if (row->letter != 0)
                buffer_printf(out, " -%c", row->letter);
        }
        buffer_append_text(out, "'\n");
    }
}
