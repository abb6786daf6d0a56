/*
 * completion_words.h - what kind of word may stand where. For src/manual only.
 */
#ifndef HANDLENS_MANUAL_COMPLETION_WORDS_H
#define HANDLENS_MANUAL_COMPLETION_WORDS_H

#include "command/command.h"
#include "command/option_table.h"

enum word_kind {
    WORD_OTHER,   /* nothing that can be completed: a number, a text */
    WORD_CHOICE,  /* one of option_word's */
    WORD_LAB,     /* a lab's name, or the path of a Lua script */
    WORD_CAPTURE, /* a capture file */
    WORD_FILE,    /* any file */
    WORD_FOLDER,
};

/* What an option takes. WORD_OTHER for one without a value, too. */
enum word_kind word_of_option(const struct option_row *row);

/* What a command's operand is: the first one (place 0), or those behind it (place 1). */
enum word_kind word_of_operand(const struct command *command, int place);

#endif
