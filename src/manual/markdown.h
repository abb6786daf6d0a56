/*
 * markdown.h - scripts/README.md as a manual page's sections.
 *
 * It knows what that file uses: headings, paragraphs, lists with "- ", tables, code in fences or
 * indented by four, and within a line `code`, **bold**, *italic* and [links](to). A table becomes
 * a list whose tags are its first column.
 */
#ifndef HANDLENS_MANUAL_MARKDOWN_H
#define HANDLENS_MANUAL_MARKDOWN_H

#include "support/buffer.h"

/* Appends text as mdoc(7) from the heading "## FIRST" to the end. Returns false if there is no
 * such heading. */
bool markdown_append_mdoc(struct buffer *out, const char *text, const char *first);

#endif
