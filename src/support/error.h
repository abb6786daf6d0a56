/*
 * error.h - how failure travels.
 *
 * A function that can fail returns false (or NULL) and fills the struct error it was given with
 * one finished sentence for the user: what happened, on what, and where there is one, what to do.
 * Nobody but main prints it. The status is the exit status that the failure deserves.
 */
#ifndef HANDLENS_SUPPORT_ERROR_H
#define HANDLENS_SUPPORT_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

/* The exit statuses of handlens. */
enum status {
    STATUS_DONE = 0,
    STATUS_CHECK_FAILED = 1, /* a check failed */
    STATUS_USAGE = 2,        /* the command line or the script is wrong */
    STATUS_NOT_ALLOWED = 3,  /* this machine does not allow it (permission, space, memory) */
    STATUS_DAMAGED = 4,      /* the input file is damaged; what could be read was shown */
};

struct error {
    enum status status;
    char text[2048]; /* UTF-8, without a newline at its end; may hold several lines */
};

/*
 * Fills error (which may be NULL) and returns false, so that a caller can write
 *     return error_set(error, STATUS_USAGE, "no lab is called '%s'", name);
 * A text longer than error->text is cut.
 */
bool error_set(struct error *error, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As error_set, with the arguments as a va_list. */
bool error_setv(struct error *error, enum status status, const char *format, va_list arguments);

/* Out of memory, in the one sentence used for it everywhere. Returns false. */
bool error_out_of_memory(struct error *error);

/* Says why the file at path, which --force might replace, could not be made: code is the errno of
 * open. Returns false. */
bool error_not_created(struct error *error, const char *path, int code);

/*
 * What can go wrong in TLS beyond the socket's own errors. The numbers are above every errno (the
 * kernel's end at 4095), so that both may stand in the same place.
 */
enum error_code {
    ERROR_TLS = 5001,         /* ETLS: an alert, or bytes that break the protocol */
    ERROR_CERTIFICATE = 5002, /* ECERT: the peer's certificate was not accepted */
    ERROR_TLS_EOF = 5003,     /* ETLSEOF: the connection ended without close_notify */
};

/*
 * The symbolic name of an errno value ("ECONNREFUSED") or an enum error_code ("ECERT"), or "E?" and
 * its number if it has none.
 * The text lives for ever.
 */
const char *error_code_name(int code);

#endif
