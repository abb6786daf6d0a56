/*
 * safe_text.h - outside text that is shown as such, not as a literal. For src/view only.
 */
#ifndef HANDLENS_VIEW_SAFE_TEXT_H
#define HANDLENS_VIEW_SAFE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "support/buffer.h"

/* As terminal_append_escaped, but quotes and backslashes stay as they are. Returns bytes used. */
size_t safe_text_append(struct buffer *buffer, const char *text, size_t length, size_t columns,
                        bool utf8);

#endif
