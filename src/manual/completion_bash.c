#include "manual/completion.h"
#include "manual/completion_words.h"

static const char *const kind_names[] = {
    [WORD_OTHER] = "other",     [WORD_CHOICE] = "choice", [WORD_LAB] = "lab",
    [WORD_CAPTURE] = "capture", [WORD_FILE] = "file",     [WORD_FOLDER] = "folder",
};

void completion_append_bash_commands(struct buffer *out)
{
    buffer_append_text(out, "        '')\n            reply='");
    for (const struct command *const *each = commands; *each != NULL; each++)
        buffer_printf(out, "%s ", (*each)->name);
    buffer_append_text(out, "help --help --version' ;;\n");
}

void completion_append_bash_options(struct buffer *out)
{
    for (const struct command *const *each = commands; *each != NULL; each++) {
        buffer_printf(out, "        %s)\n            reply='", (*each)->name);
        const char *before = "";
        for (size_t i = 0; i < option_count; i++) {
            const struct option_row *row = &option_table[i];
            if (!(row->commands & (*each)->bit))
                continue;
            buffer_printf(out, "%s--%s", before, row->name);
            before = " ";
            if (row->letter != 0)
                buffer_printf(out, " -%c", row->letter);
        }
        buffer_append_text(out, "' ;;\n");
    }
}

static void append_value(struct buffer *out, const struct command *command,
                         const struct option_row *row)
{
    enum word_kind kind = word_of_option(row);
    buffer_printf(out, "        '%s --%s'", command->name, row->name);
    if (row->letter != 0)
        buffer_printf(out, " | '%s -%c'", command->name, row->letter);
    buffer_printf(out, ") reply='%s", kind_names[kind]);
    const char *word = NULL;
    for (size_t n = 0; (word = option_word(row, n)) != NULL; n++)
        buffer_printf(out, " %s", word);
    buffer_append_text(out, "' ;;\n");
}

void completion_append_bash_values(struct buffer *out)
{
    for (const struct command *const *each = commands; *each != NULL; each++) {
        for (size_t i = 0; i < option_count; i++) {
            if ((option_table[i].commands & (*each)->bit) && option_table[i].value != NULL)
                append_value(out, *each, &option_table[i]);
        }
    }
}

void completion_append_bash_operands(struct buffer *out)
{
    for (const struct command *const *each = commands; *each != NULL; each++)
        buffer_printf(out, "        %s) reply='%s %s' ;;\n", (*each)->name,
                      kind_names[word_of_operand(*each, 0)], kind_names[word_of_operand(*each, 1)]);
}
