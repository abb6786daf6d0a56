#include "support/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

bool error_setv(struct error *error, enum status status, const char *format, va_list arguments)
{
    if (error == NULL)
        return false;
    /* Formatted aside first, because the arguments may point into error->text itself. */
    char text[sizeof error->text];
    vsnprintf(text, sizeof text, format, arguments);
    memcpy(error->text, text, sizeof text);
    error->status = status;
    return false;
}

bool error_set(struct error *error, enum status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error_setv(error, status, format, arguments);
    va_end(arguments);
    return false;
}

bool error_out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOT_ALLOWED, "out of memory");
}

bool error_not_created(struct error *error, const char *path, int code)
{
    const char *slash = strrchr(path, '/');
    int folder = slash == NULL ? 0 : (int)(slash - path);
    struct stat there;
    if (code == EISDIR || (code == EEXIST && stat(path, &there) == 0 && S_ISDIR(there.st_mode)))
        return error_set(error, STATUS_USAGE, "%s is a folder; a file's name is needed", path);
    if (code == EEXIST)
        return error_set(error, STATUS_USAGE, "%s exists; --force replaces it", path);
    if (code == ENOENT && folder > 0)
        return error_set(error, STATUS_USAGE, "cannot write %s: there is no folder %.*s", path,
                         folder, path);
    if (code == ENOENT)
        return error_set(error, STATUS_USAGE, "cannot write '%s': it is no file's name", path);
    if (code == ENOTDIR)
        return error_set(error, STATUS_USAGE, "cannot write %s: %.*s is not a folder", path, folder,
                         path);
    return error_set(error, STATUS_NOT_ALLOWED, "cannot write %s: %s (%s)", path, strerror(code),
                     error_code_name(code));
}

const char *error_code_name(int code)
{
    const char *name = strerrorname_np(code);
    if (name != NULL)
        return name;
    if (code == ERROR_TLS)
        return "ETLS";
    if (code == ERROR_CERTIFICATE)
        return "ECERT";
    if (code == ERROR_TLS_EOF)
        return "ETLSEOF";
    static _Thread_local char unknown[32];
    snprintf(unknown, sizeof unknown, "E?%d", code);
    return unknown;
}
