#include <string.h>

#include "manual/completion.h"
#include "manual/completion_words.h"

/* What zsh does to complete such a word; the functions are in doc/completion/handlens.zsh.in. */
static const char *const actions[] = {
    [WORD_OTHER] = " ",
    [WORD_LAB] = "_handlens_labs",
    [WORD_CAPTURE] = "_files -g \"*.(pcap|pcapng|cap)(-.)\"",
    [WORD_FILE] = "_files",
    [WORD_FOLDER] = "_files -/",
};

/* Text between single quotes; and, within brackets, without what would end them. */
static void append_quoted(struct buffer *out, const char *text, const char *special)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            buffer_append_text(out, "'\\''");
            continue;
        }
        if (strchr(special, *text) != NULL)
            buffer_append_byte(out, '\\');
        buffer_append_byte(out, (uint8_t)*text);
    }
}

void completion_append_zsh_commands(struct buffer *out)
{
    for (const struct command *const *each = commands; *each != NULL; each++) {
        buffer_printf(out, "        '%s:", (*each)->name);
        append_quoted(out, (*each)->summary, "");
        buffer_append_text(out, "'\n");
    }
}

/* ":VIEW:(ladder packets)" */
static void append_value(struct buffer *out, const struct option_row *row)
{
    if (row->value == NULL)
        return;
    enum word_kind kind = word_of_option(row);
    buffer_printf(out, ":%s:", row->value);
    if (kind != WORD_CHOICE) {
        buffer_append_text(out, actions[kind]);
        return;
    }
    const char *word = NULL;
    for (size_t n = 0; (word = option_word(row, n)) != NULL; n++)
        buffer_printf(out, "%s%s", n == 0 ? "(" : " ", word);
    buffer_append_byte(out, ')');
}

static void append_option(struct buffer *out, const struct option_row *row)
{
    buffer_append_text(out, " \\\n                ");
    const char *assigned = row->value == NULL ? "" : "=";
    if (row->letter == 0)
        buffer_printf(out, "'--%s%s[", row->name, assigned);
    else
        buffer_printf(out, "'(-%c --%s)'{-%c%s,--%s%s}'[", row->letter, row->name, row->letter,
                      row->value == NULL ? "" : "+", row->name, assigned);
    append_quoted(out, row->help, "[]\\");
    buffer_append_byte(out, ']');
    append_value(out, row);
    buffer_append_byte(out, '\'');
}

static void append_operands(struct buffer *out, const struct command *command)
{
    if (command->most_operands == 0)
        return;
    buffer_printf(out, " \\\n                '1:%s:%s'",
                  word_of_operand(command, 0) == WORD_OTHER ? "name" : "operand",
                  actions[word_of_operand(command, 0)]);
    if (command->most_operands != 1)
        buffer_printf(out, " \\\n                '*:operand:%s'",
                      actions[word_of_operand(command, 1)]);
}

void completion_append_zsh_arguments(struct buffer *out)
{
    for (const struct command *const *each = commands; *each != NULL; each++) {
        buffer_printf(out, "        (%s)\n            _arguments -s -S", (*each)->name);
        for (size_t i = 0; i < option_count; i++) {
            if (option_table[i].commands & (*each)->bit)
                append_option(out, &option_table[i]);
        }
        append_operands(out, *each);
        buffer_append_text(out, "\n            ;;\n");
    }
}
