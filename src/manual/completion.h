/*
 * completion.h - what the shells' completions need to know of commands and options, in the
 * language of each. doc/completion/ has the rest of them.
 */
#ifndef HANDLENS_MANUAL_COMPLETION_H
#define HANDLENS_MANUAL_COMPLETION_H

#include "support/buffer.h"

/* The words with which a command line may go on behind the program's name. */
void completion_append_bash_commands(struct buffer *out);
/* "run) reply='--write -w ...' ;;": every command's options. */
void completion_append_bash_options(struct buffer *out);
/* "'run --as') reply='words ladder ...' ;;": what the value of each option is. */
void completion_append_bash_values(struct buffer *out);
/* "run) reply='lab none' ;;": the kind of a command's first operand, and of those behind it. */
void completion_append_bash_operands(struct buffer *out);

/* "'run:run a lab ...'": every command. */
void completion_append_zsh_commands(struct buffer *out);
/* "(run) _arguments ... ;;": every command's options and operands. */
void completion_append_zsh_arguments(struct buffer *out);

/* Lines of "complete -c handlens ...". */
void completion_append_fish_commands(struct buffer *out);
void completion_append_fish_options(struct buffer *out);
void completion_append_fish_operands(struct buffer *out);
/* "case run" and "echo w write as ...": the options that take a value. */
void completion_append_fish_valued(struct buffer *out);

#endif
