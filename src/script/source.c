/*
 * Script files: read once, kept for the trace, compiled from what was kept.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "script/state.h"
#include "support/buffer.h"
#include "support/terminal.h"

#define SOURCE_LIMIT    ((off_t)4 << 20)
#define EXCERPT_WIDTH   72
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* The whole of an open file, zero-terminated; NULL with errno set. */
static char *read_all(int fd, size_t size, size_t *length)
{
    char *text = malloc(size + 1);
    size_t at = 0;
    while (text != NULL && at < size) {
        ssize_t got = read(fd, text + at, size - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            free(text);
            return NULL;
        }
        if (got == 0)
            break;
        at += (size_t)got;
    }
    if (text != NULL)
        text[at] = '\0';
    *length = at;
    return text;
}

static char *read_regular(const char *path, size_t *length, struct error *error)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &status) < 0) {
        error_set(error, STATUS_USAGE, "cannot read %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    char *text = NULL;
    if (S_ISDIR(status.st_mode))
        error_set(error, STATUS_USAGE, "%s is a folder, not a Lua script", path);
    else if (!S_ISREG(status.st_mode))
        error_set(error, STATUS_USAGE, "%s is not a file", path);
    else if (status.st_size > SOURCE_LIMIT)
        error_set(error, STATUS_USAGE, "%s has more than %lld MiB; that is no script", path,
                  (long long)(SOURCE_LIMIT >> 20));
    else if ((text = read_all(fd, (size_t)status.st_size, length)) == NULL)
        error_set(error, STATUS_USAGE, "cannot read %s: %s", path, strerror(errno));
    close(fd);
    return text;
}

int script_read_file(struct script *script, const char *path, const char *name, struct error *error)
{
    if (script->file_count == SCRIPT_FILES) {
        error_set(error, STATUS_USAGE, "a lab can have at most %d script files", SCRIPT_FILES);
        return -1;
    }
    size_t length;
    char *text = read_regular(path, &length, error);
    if (text == NULL)
        return -1;
    char *copy = NULL;
    if (length > 0 && text[0] == '\033')
        error_set(error, STATUS_USAGE, "%s is compiled Lua; a script is text", path);
    else if (memchr(text, '\0', length) != NULL)
        error_set(error, STATUS_USAGE, "%s is not text, so it is no Lua script", path);
    else if ((copy = strdup(name)) == NULL)
        error_out_of_memory(error);
    if (copy == NULL) {
        free(text);
        return -1;
    }
    script->files[script->file_count] = (struct script_file){copy, text, length};
    return (int)script->file_count++;
}

bool script_text(const struct script *script, size_t n, const char **name, const char **text,
                 size_t *length)
{
    if (n >= script->file_count)
        return false;
    *name = script->files[n].name;
    *text = script->files[n].text;
    *length = script->files[n].length;
    return true;
}

static bool is_of_name(char byte)
{
    return isalnum((unsigned char)byte) || byte == '_';
}

static bool has_name(const char *text, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = text; (at = strstr(at, name)) != NULL; at += length)
        if ((at == text || !is_of_name(at[-1])) && !is_of_name(at[length]))
            return true;
    return false;
}

bool script_mentions(const struct script *script, const char *name)
{
    for (size_t i = 0; i < script->file_count; i++)
        if (has_name(script->files[i].text, name))
            return true;
    return false;
}

const char *script_folder(const struct script *script)
{
    return script->folder;
}

/* Where line (counted from 1) starts and ends in the text, without its newline. */
static bool find_line(const struct script_file *file, unsigned long line, const char **start,
                      size_t *length)
{
    const char *at = file->text, *end = file->text + file->length;
    for (unsigned long n = 1; n < line; n++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        if (newline == NULL)
            return false;
        at = newline + 1;
    }
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    *start = at;
    *length = (size_t)((newline != NULL ? newline : end) - at);
    if (*length > 0 && at[*length - 1] == '\r')
        --*length;
    return true;
}

/* Adds the line that a syntax error names to its message, below it. */
static void add_line(lua_State *L, const struct script_file *file)
{
    const char *message = lua_tostring(L, -1);
    size_t name_length = strlen(file->name);
    if (message == NULL || strncmp(message, file->name, name_length) != 0 ||
        message[name_length] != ':')
        return;
    const char *start;
    size_t length;
    unsigned long line = strtoul(message + name_length + 1, NULL, 10);
    if (line == 0 || !find_line(file, line, &start, &length))
        return;
    while (length > 0 && (*start == ' ' || *start == '\t'))
        start++, length--;
    if (length == 0)
        return;
    struct buffer excerpt = {0};
    buffer_printf(&excerpt, "\n  %lu | ", line);
    size_t shown = terminal_append_escaped(&excerpt, start, length, EXCERPT_WIDTH, true);
    if (shown < length)
        buffer_append_text(&excerpt, " ...");
    /* Had Lua no memory left, the buffer would leak; a message so short always finds some. */
    lua_pushlstring(L, buffer_text(&excerpt), excerpt.length);
    buffer_free(&excerpt);
    lua_concat(L, 2);
}

bool script_compile(lua_State *L, const struct script_file *file)
{
    const char *text = file->text;
    size_t length = file->length;
    if (length >= 3 && memcmp(text, BYTE_ORDER_MARK, 3) == 0)
        text += 3, length -= 3;
    if (length > 0 && text[0] == '#') { /* the shell's line; its newline still counts */
        const char *newline = memchr(text, '\n', length);
        size_t skipped = newline == NULL ? length : (size_t)(newline - text);
        text += skipped, length -= skipped;
    }
    lua_pushfstring(L, "@%s", file->name);
    int status = luaL_loadbufferx(L, text, length, lua_tostring(L, -1), "t");
    lua_remove(L, -2);
    if (status == LUA_ERRSYNTAX)
        add_line(L, file);
    else if (status != LUA_OK)
        script_check_stop(L, status);
    return status == LUA_OK;
}
