#include "manual/completion_words.h"

#include <string.h>

static enum word_kind word_named(const char *name)
{
    static const struct {
        const char *name;
        enum word_kind kind;
    } words[] = {{"LAB", WORD_LAB}, {"FILE", WORD_CAPTURE}, {"DIR", WORD_FOLDER}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strncmp(name, words[i].name, strlen(words[i].name)) == 0)
            return words[i].kind;
    }
    return WORD_OTHER;
}

enum word_kind word_of_option(const struct option_row *row)
{
    if (row->value == NULL)
        return WORD_OTHER;
    if (option_word(row, 0) != NULL)
        return WORD_CHOICE;
    enum word_kind kind = word_named(row->value);
    return kind == WORD_CAPTURE && row->id != OPTION_WRITE ? WORD_FILE : kind;
}

enum word_kind word_of_operand(const struct command *command, int place)
{
    const char *operand = command->operands;
    if (place > 0) {
        operand = strchr(operand, '[');
        return operand == NULL ? WORD_OTHER : word_named(operand + 1);
    }
    return word_named(operand);
}
