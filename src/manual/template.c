#include "manual/template.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manual/completion.h"
#include "manual/markdown.h"
#include "manual/mdoc.h"

#define MORE_LIMIT 128

/* What the template adds to a command or an option. */
struct more {
    const char *key; /* behind "@more ", up to the line's end */
    size_t key_length;
    const char *text; /* the lines */
    size_t length;
    bool used;
};

struct filling {
    struct buffer *out;
    const char *folder;
    struct error *error;
    struct more more[MORE_LIMIT];
    size_t more_count;
};

static void append_more(struct filling *filling, const char *key)
{
    for (size_t i = 0; i < filling->more_count; i++) {
        struct more *more = &filling->more[i];
        if (strlen(key) != more->key_length || strncmp(more->key, key, more->key_length) != 0)
            continue;
        buffer_append(filling->out, more->text, more->length);
        more->used = true;
    }
}

static void append_commands(struct filling *filling)
{
    for (const struct command *const *each = commands; *each != NULL; each++) {
        mdoc_append_command_item(filling->out, *each);
        mdoc_append_command_text(filling->out, *each);
        append_more(filling, (*each)->name);
    }
}

/* Those of some commands, or those of every command. */
static void append_options(struct filling *filling, bool common)
{
    for (size_t i = 0; i < option_count; i++) {
        const struct option_row *row = &option_table[i];
        if ((row->commands == COMMAND_ALL) != common)
            continue;
        mdoc_append_option_item(filling->out, row);
        mdoc_append_option_text(filling->out, row);
        char key[64];
        snprintf(key, sizeof key, "--%s", row->name);
        append_more(filling, key);
        if (row->value == NULL)
            continue;
        snprintf(key, sizeof key, "--%s %s", row->name, row->value);
        append_more(filling, key);
    }
}

static bool append_section(struct filling *filling, const char *name)
{
    static const struct {
        const char *name;
        void (*append)(struct buffer *out);
    } sections[] = {
        {"synopsis", mdoc_append_synopsis},
        {"examples", mdoc_append_examples},
        {"bash-commands", completion_append_bash_commands},
        {"bash-options", completion_append_bash_options},
        {"bash-values", completion_append_bash_values},
        {"bash-operands", completion_append_bash_operands},
        {"zsh-commands", completion_append_zsh_commands},
        {"zsh-arguments", completion_append_zsh_arguments},
        {"fish-commands", completion_append_fish_commands},
        {"fish-options", completion_append_fish_options},
        {"fish-operands", completion_append_fish_operands},
        {"fish-valued", completion_append_fish_valued},
    };
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        if (strcmp(sections[i].name, name) == 0) {
            sections[i].append(filling->out);
            return true;
        }
    }
    if (strcmp(name, "commands") == 0)
        append_commands(filling);
    else if (strcmp(name, "options") == 0 || strcmp(name, "common-options") == 0)
        append_options(filling, name[0] == 'c');
    else
        return error_set(filling->error, STATUS_USAGE, "the template's line '@%s' means nothing",
                         name);
    return true;
}

bool template_read(struct buffer *out, const char *path, struct error *error)
{
    FILE *file = fopen(path, "r");
    char part[4096];
    size_t length = 0;
    while (file != NULL && (length = fread(part, 1, sizeof part, file)) > 0)
        buffer_append(out, part, length);
    bool done = file != NULL && !ferror(file);
    if (!done)
        error_set(error, STATUS_USAGE, "cannot read %s: %s", path, strerror(errno));
    if (file != NULL)
        fclose(file);
    return done;
}

/* "@markdown FILE HEADING" */
static bool append_markdown(struct filling *filling, const char *words)
{
    char path[4096];
    size_t name = strcspn(words, " ");
    snprintf(path, sizeof path, "%s/%.*s", filling->folder, (int)name, words);
    const char *heading = words + name + (words[name] == ' ');
    struct buffer text = {0};
    bool done = template_read(&text, path, filling->error);
    if (done && !markdown_append_mdoc(filling->out, buffer_text(&text), heading))
        done = error_set(filling->error, STATUS_USAGE, "%s has no heading '## %s'", path, heading);
    buffer_free(&text);
    return done;
}

/* Copies the line without its newline. */
static bool copy_line(char line[256], const char *text)
{
    size_t length = strcspn(text, "\n");
    if (length >= 256)
        return false;
    memcpy(line, text, length);
    line[length] = '\0';
    return true;
}

static const char *next_line(const char *text)
{
    text += strcspn(text, "\n");
    return text + (*text == '\n');
}

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Collects the @more blocks. */
static bool collect_more(struct filling *filling, const char *text)
{
    for (; *text != '\0'; text = next_line(text)) {
        if (!begins_with(text, "@more "))
            continue;
        if (filling->more_count == MORE_LIMIT)
            return error_set(filling->error, STATUS_USAGE, "the template has too many @more");
        struct more *more = &filling->more[filling->more_count++];
        *more = (struct more){.key = text + 6, .text = next_line(text)};
        more->key_length = strcspn(more->key, "\n");
        const char *end = more->text;
        while (*end != '\0' && !begins_with(end, "@end\n"))
            end = next_line(end);
        if (*end == '\0')
            return error_set(filling->error, STATUS_USAGE, "'@more %.*s' has no @end",
                             (int)more->key_length, more->key);
        more->length = (size_t)(end - more->text);
        text = end;
    }
    return true;
}

static bool check_more(const struct filling *filling)
{
    for (size_t i = 0; i < filling->more_count; i++) {
        const struct more *more = &filling->more[i];
        if (!more->used)
            return error_set(filling->error, STATUS_USAGE,
                             "'@more %.*s' belongs to no command and no option",
                             (int)more->key_length, more->key);
    }
    return true;
}

static bool fill_lines(struct filling *filling, const char *text)
{
    bool is_more = false;
    for (; *text != '\0'; text = next_line(text)) {
        char line[256];
        if (is_more || begins_with(text, "@more ")) {
            is_more = !begins_with(text, "@end\n");
        } else if (text[0] != '@') {
            buffer_append(filling->out, text, (size_t)(next_line(text) - text));
        } else if (!copy_line(line, text)) {
            return error_set(filling->error, STATUS_USAGE, "a line of the template is too long");
        } else if (begins_with(line, "@markdown ")) {
            if (!append_markdown(filling, line + 10))
                return false;
        } else if (!append_section(filling, line + 1)) {
            return false;
        }
    }
    return true;
}

bool template_fill(struct buffer *out, const char *text, const char *folder, struct error *error)
{
    struct filling *filling = calloc(1, sizeof *filling);
    if (filling == NULL)
        return error_out_of_memory(error);
    filling->out = out;
    filling->folder = folder;
    filling->error = error;
    bool done = collect_more(filling, text) && fill_lines(filling, text) && check_more(filling);
    free(filling);
    if (done && out->failed)
        return error_out_of_memory(error);
    return done;
}
