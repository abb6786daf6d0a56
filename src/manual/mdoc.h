/*
 * mdoc.h - the program's help texts in the language of manual pages, mdoc(7).
 *
 * Text is plain text, as the program's own help has it, in UTF-8. Every function appends whole
 * lines, but for mdoc_append_escaped.
 */
#ifndef HANDLENS_MANUAL_MDOC_H
#define HANDLENS_MANUAL_MDOC_H

#include "command/command.h"
#include "command/option_table.h"
#include "support/buffer.h"

/* Appends length bytes of text so that they are shown as they are, wherever they stand. */
void mdoc_append_escaped(struct buffer *out, const char *text, size_t length);

/*
 * Appends running text as lines. An option in it (--as), a value's name (FILE) and what stands in
 * single quotes are marked as such. Each sentence begins a line.
 */
void mdoc_append_text(struct buffer *out, const char *text);

/* ".Nm .Cm run .Op Fl w Ar FILE ... .Ar LAB" of every command. */
void mdoc_append_synopsis(struct buffer *out);

/* The head of a list's item: a command with its operands, or an option with its value. */
void mdoc_append_command_item(struct buffer *out, const struct command *command);
void mdoc_append_option_item(struct buffer *out, const struct option_row *row);

/* What the help says about them. */
void mdoc_append_command_text(struct buffer *out, const struct command *command);
void mdoc_append_option_text(struct buffer *out, const struct option_row *row);

/* The examples of every command. */
void mdoc_append_examples(struct buffer *out);

#endif
