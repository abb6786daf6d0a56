/*
 * template.h - doc/ filled in.
 *
 * A template is a file in the language of what is made of it. Where one of its lines is
 *
 *     @NAME                   as @synopsis or @bash-options: what that makes (template.c)
 *     @markdown FILE HEADING  FILE, from its "## HEADING" on, as a manual page's sections
 *
 * that stands there instead. What a manual page says beyond the help's own words of a command or
 * an option stands in lines between
 *
 *     @more run          or @more --write, or @more --as SIDE where two options have one name
 *     @end
 *
 * anywhere in the template, and goes to where that command or option is explained.
 */
#ifndef HANDLENS_MANUAL_TEMPLATE_H
#define HANDLENS_MANUAL_TEMPLATE_H

#include "support/buffer.h"
#include "support/error.h"

/*
 * Appends the template text, filled in, to out. Files that it names are sought in folder. Returns
 * false with error set for a line or a @more that means nothing, and for a file that cannot be
 * read.
 */
bool template_fill(struct buffer *out, const char *text, const char *folder, struct error *error);

/* Appends a whole file. Returns false with error set. */
bool template_read(struct buffer *out, const char *path, struct error *error);

#endif
