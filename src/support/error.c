#include "support/error.h"

#include <stdio.h>
#include <string.h>

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
