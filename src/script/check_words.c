/*
 * Expectations in words: the script's own. expect.equal(flow.handshake, "SYN") is told as
 * flow.handshake is "SYN", the first part being cut out of the script's text.
 */
#include <stdlib.h>
#include <string.h>

#include "script/checking.h"
#include "support/terminal.h"

#define VALUE_COLUMNS 400
#define SOURCE_LIMIT  400

static const struct script_file *file_named(const struct script *script, const char *name)
{
    for (size_t i = 0; i < script->file_count; i++)
        if (strcmp(script->files[i].name, name) == 0)
            return &script->files[i];
    return NULL;
}

static const char *line_start(const struct script_file *file, uint32_t line)
{
    const char *at = file->text, *end = file->text + file->length;
    for (uint32_t n = 1; n < line && at != NULL; n++) {
        at = memchr(at, '\n', (size_t)(end - at));
        if (at != NULL)
            at++;
    }
    return at;
}

/* Behind a quoted text that begins at at; end where it does not end. */
static const char *skip_quoted(const char *at, const char *end)
{
    char quote = *at++;
    while (at < end && *at != quote)
        at += *at == '\\' && at + 1 < end ? 2 : 1;
    return at < end ? at + 1 : end;
}

/* Behind the argument that begins at at: at its comma or the closing bracket. */
static const char *skip_argument(const char *at, const char *end)
{
    int depth = 0;
    while (at < end) {
        if (*at == '"' || *at == '\'') {
            at = skip_quoted(at, end);
            continue;
        }
        bool closes = strchr(")]}", *at) != NULL;
        if (depth == 0 && (closes || *at == ','))
            return at;
        depth += (strchr("([{", *at) != NULL) - closes;
        at++;
    }
    return NULL;
}

static const char *find_argument(const char *at, const char *end, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        at = skip_argument(at, end);
        if (at == NULL || *at != ',')
            return NULL;
        at++;
    }
    return at;
}

/* The argument's text in one line. */
static char *copy_source(const char *at, const char *end)
{
    const char *stop = skip_argument(at, end);
    if (stop == NULL || stop - at > SOURCE_LIMIT)
        return NULL;
    char *copy = malloc((size_t)(stop - at) + 1), *to = copy;
    for (; copy != NULL && at < stop; at++) {
        bool blank = strchr(" \t\r\n", *at) != NULL;
        if (!blank)
            *to++ = *at;
        else if (to > copy && to[-1] != ' ')
            *to++ = ' ';
    }
    if (copy == NULL)
        return NULL;
    while (to > copy && to[-1] == ' ')
        to--;
    *to = '\0';
    if (to > copy)
        return copy;
    free(copy);
    return NULL;
}

/* How many expectations the line has made already: which of several on it this one is. */
static size_t made_at(const struct checking *checking, struct script_site site)
{
    size_t made = 0;
    for (size_t i = 0; i < checking->judgement->count; i++) {
        const struct expectation *each = &checking->judgement->list[i];
        made +=
            each->line == site.line && each->script != NULL && strcmp(each->script, site.file) == 0;
    }
    return made;
}

char *check_source(lua_State *L, struct script_site site, const char *function, size_t n)
{
    const struct script_file *file = file_named(script_of(L), site.file);
    const char *start = file == NULL ? NULL : line_start(file, site.line);
    if (start == NULL)
        return NULL;
    const char *end = file->text + file->length;
    const char *line_end = memchr(start, '\n', (size_t)(end - start));
    char call[32];
    snprintf(call, sizeof call, "%s(", function);
    /* Of several calls on the line it is the one whose turn it is. */
    const char *found[16];
    size_t count = 0;
    for (const char *at = strstr(start, call); at != NULL && count < 16; at = strstr(at + 1, call))
        if (line_end == NULL || at < line_end)
            found[count++] = at + strlen(call);
    if (count == 0)
        return NULL;
    size_t which = count == 1 ? 0 : made_at(checking_of(L, function), site) % count;
    const char *argument = find_argument(found[which], end, n);
    return argument == NULL ? NULL : copy_source(argument, end);
}

char *check_value_text(lua_State *L, int index)
{
    struct buffer text = {0};
    size_t length;
    if (lua_type(L, index) == LUA_TSTRING) {
        const char *value = lua_tolstring(L, index, &length);
        buffer_append_byte(&text, '"');
        size_t used = terminal_append_escaped(&text, value, length, VALUE_COLUMNS, true);
        buffer_append_byte(&text, '"');
        if (used < length)
            buffer_printf(&text, "… (%zu bytes in all)", length);
    } else {
        const char *value = luaL_tolstring(L, index, &length);
        buffer_append(&text, value, length < VALUE_COLUMNS ? length : VALUE_COLUMNS);
        lua_pop(L, 1);
    }
    char *copy = strdup(buffer_text(&text));
    buffer_free(&text);
    return copy;
}
