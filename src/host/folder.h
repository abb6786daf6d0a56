/*
 * folder.h - the one folder whose files a lab may read and write.
 *
 * Theory of operation. A name is walked one component at a time, each opened relative to the one
 * before and none through a symbolic link; a name that is absolute, has ".." in it or a NUL byte
 * is refused before that. So no name leads out of the folder, whoever moves things in it
 * meanwhile. Only regular files are opened.
 *
 * A file that is written lives under a temporary name (".handlens-…") beside its own, and takes its
 * own name, replacing what had it, when it is kept. So nobody ever sees half a file; what is not
 * kept disappears. Folders that a written file's name has in it are made.
 *
 * Without a path the folder is a new one in TMPDIR or /tmp, made when it is first needed (by then
 * the process is the user it will stay) and removed with all it holds.
 *
 * Functions that can fail return 0 or an errno value:
 *   EPERM   the name leads out of the folder     ELOOP   it goes through a symbolic link
 *   EINVAL  no name, or not a regular file       EDQUOT  FOLDER_QUOTA or FOLDER_FILES is used up
 *   EMFILE  FOLDER_OPEN files are open           EBADF   the file is not open for that
 * and what the kernel says. Calls block while the disk works. For one thread.
 */
#ifndef HANDLENS_HOST_FOLDER_H
#define HANDLENS_HOST_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/error.h"

#define FOLDER_QUOTA (INT64_C(1) << 30) /* bytes that may be written, in all */
#define FOLDER_FILES 10000              /* files and folders that may be made, in all */
#define FOLDER_OPEN  64                 /* files open at a time */

struct folder;
struct folder_file;

/* path NULL: a temporary one. It must exist; NULL with error set if not. */
struct folder *folder_open(const char *path, struct error *error);
/* Makes the temporary folder at once, where none was named. */
int folder_make(struct folder *folder);
/* An O_PATH descriptor that stays the folder's; -1 as long as there is none. */
int folder_descriptor(const struct folder *folder);
/* The folder in which the temporary one lies, NULL if there is no temporary one. Lives as long as
 * the environment. */
const char *folder_parent(const struct folder *folder);
/* Drops what is still open, then the temporary folder. NULL is allowed. */
void folder_close(struct folder *folder);

/* names are length bytes, of which none may be NUL. *file is owned by the caller until dropped or
 * kept, and must be let go of before the folder is. */
int folder_read(struct folder *folder, const char *name, size_t length, struct folder_file **file);
int folder_write(struct folder *folder, const char *name, size_t length, struct folder_file **file);
int folder_remove(struct folder *folder, const char *name, size_t length);
/* EISDIR for a folder. */
int folder_size(struct folder *folder, const char *name, size_t length, int64_t *bytes);

/* At most room bytes, from where the last get ended; *got is 0 at the end of the file. */
int folder_file_get(struct folder_file *file, void *bytes, size_t room, size_t *got);
/* All bytes, behind those put before. */
int folder_file_put(struct folder_file *file, const void *bytes, size_t length);
/* A written file appears under its name. The file is freed in any case. */
int folder_file_keep(struct folder_file *file);
/* A written file disappears. The file is freed. */
void folder_file_drop(struct folder_file *file);

#endif
