#include "host/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPORARY_NAME (sizeof ".handlens-4294967295")

struct folder {
    char *path;     /* of the temporary folder, absolute; else NULL */
    int descriptor; /* -1 while there is none */
    int64_t written;
    unsigned made, open, numbers;
};

struct folder_file {
    struct folder *folder;
    int descriptor;
    int parent; /* the folder it lies in; -1 when it is only read */
    char name[NAME_MAX + 1];
    char temporary[TEMPORARY_NAME];
};

/* A name, walked up to its last component. */
struct place_in_folder {
    int parent; /* to be closed */
    char name[NAME_MAX + 1];
};

struct folder *folder_open(const char *path, struct error *error)
{
    struct folder *folder = calloc(1, sizeof *folder);
    if (folder == NULL) {
        error_out_of_memory(error);
        return NULL;
    }
    folder->descriptor = -1;
    if (path == NULL)
        return folder;
    folder->descriptor = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder->descriptor >= 0)
        return folder;
    error_set(error, STATUS_USAGE, "cannot open the folder %s: %s", path, strerror(errno));
    free(folder);
    return NULL;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)walk;
    /* What cannot be removed stays; there is nobody left to tell. */
    if (type == FTW_DP)
        rmdir(path);
    else
        unlink(path);
    return 0;
}

void folder_close(struct folder *folder)
{
    if (folder == NULL)
        return;
    if (folder->descriptor >= 0)
        close(folder->descriptor);
    if (folder->path != NULL)
        nftw(folder->path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    free(folder->path);
    free(folder);
}

static const char *temporary_parent(void)
{
    const char *parent = getenv("TMPDIR");
    return parent == NULL || parent[0] != '/' ? "/tmp" : parent;
}

const char *folder_parent(const struct folder *folder)
{
    return folder->path != NULL ? temporary_parent() : NULL;
}

int folder_descriptor(const struct folder *folder)
{
    return folder->descriptor;
}

int folder_make(struct folder *folder)
{
    if (folder->descriptor >= 0)
        return 0;
    char *path = NULL;
    if (asprintf(&path, "%s/handlens-XXXXXX", temporary_parent()) < 0)
        return ENOMEM;
    if (mkdtemp(path) == NULL) {
        int code = errno;
        free(path);
        return code;
    }
    folder->path = path;
    folder->descriptor = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return folder->descriptor < 0 ? errno : 0;
}

/* Whether one more file or folder may be made; if so it is counted. */
static bool may_make(struct folder *folder)
{
    return folder->made < FOLDER_FILES && folder->made++ < FOLDER_FILES;
}

/* Enters the folder called name below descriptor. Returns its descriptor, or -1 with errno. */
static int enter(struct folder *folder, int descriptor, const char *name, bool make)
{
    int flags = O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
    int entered = openat(descriptor, name, flags);
    if (entered < 0 && errno == ENOENT && make) {
        if (!may_make(folder)) {
            errno = EDQUOT;
            return -1;
        }
        if (mkdirat(descriptor, name, 0777) == 0 || errno == EEXIST)
            entered = openat(descriptor, name, flags);
    }
    struct stat status;
    if (entered < 0 && errno == ENOTDIR) /* a link looks like any other file that is no folder */
        errno =
            fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode)
                ? ELOOP
                : ENOTDIR;
    return entered;
}

/* Copies the component at *at, and moves behind it and its slashes. */
static int take_component(const char **at, const char *end, char component[NAME_MAX + 1])
{
    const char *slash = memchr(*at, '/', (size_t)(end - *at));
    size_t length = (size_t)((slash != NULL ? slash : end) - *at);
    if (length > NAME_MAX)
        return ENAMETOOLONG;
    memcpy(component, *at, length);
    component[length] = '\0';
    *at += length;
    while (*at < end && **at == '/')
        (*at)++;
    return strcmp(component, "..") == 0 ? EPERM : 0;
}

static int check_name(const char *name, size_t length)
{
    if (length == 0 || memchr(name, '\0', length) != NULL)
        return EINVAL;
    if (name[0] == '/')
        return EPERM;
    /* Such a name is refused wherever its ".." would lead, and before anything is made. */
    for (const char *at = name, *end = name + length; at < end;) {
        char component[NAME_MAX + 1];
        int code = take_component(&at, end, component);
        if (code != 0)
            return code;
    }
    return name[length - 1] == '/' ? EISDIR : 0;
}

/* Walks to where name lies. On success place->parent is open. */
static int find_place(struct folder *folder, const char *name, size_t length, bool make,
                      struct place_in_folder *place)
{
    int code = check_name(name, length);
    if (code == 0)
        code = folder_make(folder);
    if (code != 0)
        return code;
    const char *at = name, *end = name + length;
    place->parent = fcntl(folder->descriptor, F_DUPFD_CLOEXEC, 0);
    while (place->parent >= 0) {
        take_component(&at, end, place->name);
        if (at == end)
            return 0;
        int next = enter(folder, place->parent, place->name, make);
        code = errno;
        close(place->parent);
        place->parent = next;
        errno = code;
    }
    return errno;
}

static int add_file(struct folder *folder, struct folder_file **file)
{
    if (folder->open >= FOLDER_OPEN)
        return EMFILE;
    *file = calloc(1, sizeof **file);
    if (*file == NULL)
        return ENOMEM;
    (*file)->folder = folder;
    (*file)->descriptor = (*file)->parent = -1;
    folder->open++;
    return 0;
}

static void free_file(struct folder_file *file)
{
    if (file->descriptor >= 0)
        close(file->descriptor);
    if (file->parent >= 0)
        close(file->parent);
    file->folder->open--;
    free(file);
}

/* Whether what the name stands for is a regular file: 0, or why not. */
static int check_kind(int descriptor, const char *name, struct stat *status)
{
    if (fstatat(descriptor, name, status, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0)
        return errno;
    if (S_ISREG(status->st_mode))
        return 0;
    return S_ISLNK(status->st_mode) ? ELOOP : S_ISDIR(status->st_mode) ? EISDIR : EINVAL;
}

int folder_read(struct folder *folder, const char *name, size_t length, struct folder_file **file)
{
    struct place_in_folder place;
    struct stat status;
    int code = find_place(folder, name, length, false, &place);
    if (code != 0)
        return code;
    code = add_file(folder, file);
    if (code == 0) {
        /* Opening a pipe would wait for its other end. */
        (*file)->descriptor =
            openat(place.parent, place.name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        code = (*file)->descriptor < 0 ? errno : check_kind((*file)->descriptor, "", &status);
        if (code != 0)
            free_file(*file);
    }
    close(place.parent);
    return code;
}

static int create_temporary(struct folder_file *file)
{
    if (!may_make(file->folder))
        return EDQUOT;
    for (int tries = 0; tries < 100; tries++) {
        snprintf(file->temporary, sizeof file->temporary, ".handlens-%u", file->folder->numbers++);
        file->descriptor = openat(file->parent, file->temporary,
                                  O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (file->descriptor >= 0)
            return 0;
        if (errno != EEXIST)
            return errno;
    }
    return EEXIST;
}

int folder_write(struct folder *folder, const char *name, size_t length, struct folder_file **file)
{
    struct place_in_folder place;
    struct stat status;
    int code = find_place(folder, name, length, true, &place);
    if (code != 0)
        return code;
    code = check_kind(place.parent, place.name, &status);
    if (code == ENOENT)
        code = 0;
    if (code == 0)
        code = add_file(folder, file);
    if (code != 0) {
        close(place.parent);
        return code;
    }
    (*file)->parent = place.parent;
    memcpy((*file)->name, place.name, sizeof place.name);
    code = create_temporary(*file);
    if (code != 0)
        free_file(*file);
    return code;
}

int folder_remove(struct folder *folder, const char *name, size_t length)
{
    struct place_in_folder place;
    struct stat status;
    int code = find_place(folder, name, length, false, &place);
    if (code != 0)
        return code;
    code = check_kind(place.parent, place.name, &status);
    if (code == 0 && unlinkat(place.parent, place.name, 0) != 0)
        code = errno;
    close(place.parent);
    return code;
}

int folder_size(struct folder *folder, const char *name, size_t length, int64_t *bytes)
{
    struct place_in_folder place;
    struct stat status;
    int code = find_place(folder, name, length, false, &place);
    if (code != 0)
        return code;
    code = check_kind(place.parent, place.name, &status);
    if (code == 0)
        *bytes = (int64_t)status.st_size;
    close(place.parent);
    return code;
}

int folder_file_get(struct folder_file *file, void *bytes, size_t room, size_t *got)
{
    if (file->parent >= 0)
        return EBADF;
    ssize_t count;
    do
        count = read(file->descriptor, bytes, room);
    while (count < 0 && errno == EINTR);
    *got = count < 0 ? 0 : (size_t)count;
    return count < 0 ? errno : 0;
}

int folder_file_put(struct folder_file *file, const void *bytes, size_t length)
{
    if (file->parent < 0)
        return EBADF;
    if (length > (size_t)(FOLDER_QUOTA - file->folder->written))
        return EDQUOT;
    for (size_t done = 0; done < length;) {
        ssize_t count = write(file->descriptor, (const char *)bytes + done, length - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return errno;
        done += (size_t)count;
        file->folder->written += count;
    }
    return 0;
}

int folder_file_keep(struct folder_file *file)
{
    int code = 0;
    if (file->parent >= 0) {
        code = close(file->descriptor) != 0 ? errno : 0;
        file->descriptor = -1;
        if (code == 0 && renameat(file->parent, file->temporary, file->parent, file->name) != 0)
            code = errno;
        if (code != 0)
            unlinkat(file->parent, file->temporary, 0);
    }
    free_file(file);
    return code;
}

void folder_file_drop(struct folder_file *file)
{
    if (file->parent >= 0)
        unlinkat(file->parent, file->temporary, 0);
    free_file(file);
}
