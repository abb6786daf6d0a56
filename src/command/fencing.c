#include "command/fencing.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "place/place.h"

/* What the C library reads to find a host or a service by its name. */
static const char *const name_files[] = {
    "/etc/gai.conf",    "/etc/host.conf", "/etc/hosts",     "/etc/nsswitch.conf",
    "/etc/resolv.conf", "/etc/services",  "/etc/protocols", NULL};

/* What OpenSSL reads: its settings, and the certificates that this machine trusts. Where a
 * distribution keeps links, what they lead to must be open too. */
static const char *const tls_files[] = {"/etc/ssl/openssl.cnf",
                                        "/etc/ssl/certs",
                                        "/etc/ssl/cert.pem",
                                        "/usr/lib/ssl/cert.pem",
                                        "/usr/share/ca-certificates",
                                        "/usr/local/share/ca-certificates",
                                        "/etc/pki/tls/openssl.cnf",
                                        "/etc/pki/tls/certs",
                                        "/etc/pki/tls/cert.pem",
                                        "/etc/pki/ca-trust/extracted",
                                        "/etc/crypto-policies/back-ends",
                                        NULL};

static const char *const tls_variables[] = {"OPENSSL_CONF", "SSL_CERT_FILE", "SSL_CERT_DIR", NULL};

struct openings {
    struct fence_opening *list; /* paths are its own */
    size_t count, room;
    bool failed; /* out of memory */
};

static struct fence_opening *add(struct openings *openings, enum fence_right right)
{
    if (openings->count == openings->room) {
        size_t room = openings->room == 0 ? 64 : 2 * openings->room;
        struct fence_opening *list = reallocarray(openings->list, room, sizeof *list);
        if (list == NULL) {
            openings->failed = true;
            return NULL;
        }
        openings->list = list;
        openings->room = room;
    }
    struct fence_opening *added = &openings->list[openings->count++];
    *added = (struct fence_opening){.descriptor = -1, .right = right};
    return added;
}

static void add_path(struct openings *openings, const char *path, enum fence_right right)
{
    struct fence_opening *added = add(openings, right);
    if (added != NULL && (added->path = strdup(path)) == NULL)
        openings->failed = true;
}

static void add_paths(struct openings *openings, const char *const paths[])
{
    for (size_t i = 0; paths[i] != NULL; i++)
        add_path(openings, paths[i], FENCE_READ);
}

static void add_tls(struct openings *openings)
{
    add_paths(openings, tls_files);
    for (size_t i = 0; tls_variables[i] != NULL; i++) {
        const char *path = getenv(tls_variables[i]);
        if (path != NULL && path[0] == '/' && path[1] != '\0')
            add_path(openings, path, FENCE_READ);
    }
}

/* The scripts beside the lab, and not what else lies there or below. */
static void add_siblings(struct openings *openings, const struct script *script)
{
    const char *folder = script_folder(script);
    DIR *entries =
        script_mentions(script, "require") ? opendir(folder[0] != '\0' ? folder : ".") : NULL;
    const struct dirent *entry;
    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        size_t length = strlen(entry->d_name);
        char *path = NULL;
        if (length <= 4 || strcmp(entry->d_name + length - 4, ".lua") != 0)
            continue;
        if (asprintf(&path, "%s%s", folder, entry->d_name) < 0) {
            openings->failed = true;
            break;
        }
        add_path(openings, path, FENCE_READ);
        free(path);
    }
    if (entries != NULL)
        closedir(entries);
}

/* It is opened anew, so as not to block (host/input.c). A folder there would open all below it. */
static void add_input(struct openings *openings)
{
    struct stat status;
    if (fstat(STDIN_FILENO, &status) != 0 || S_ISDIR(status.st_mode))
        return;
    struct fence_opening *added = add(openings, FENCE_READ);
    if (added != NULL)
        added->descriptor = STDIN_FILENO;
}

static bool add_folder(struct openings *openings, const struct script *script,
                       struct folder *folder, struct error *error)
{
    int code = script_mentions(script, "file") ? folder_make(folder) : 0;
    if (code != 0)
        return error_set(error, STATUS_NOT_ALLOWED,
                         "cannot make a temporary folder for the lab's files: %s; --files names "
                         "another",
                         strerror(code));
    struct fence_opening *opening =
        folder_descriptor(folder) < 0 ? NULL : add(openings, FENCE_WRITE);
    if (opening != NULL)
        opening->descriptor = folder_descriptor(folder);
    if (folder_parent(folder) != NULL)
        add_path(openings, folder_parent(folder), FENCE_REMOVE_FOLDERS);
    return true;
}

static bool close_fence(struct openings *openings, bool network, enum fence_opens opens,
                        struct error *error)
{
    const struct place_fence fence = {
        .network = network,
        .opens = opens,
        .openings = openings->list,
        .opening_count = openings->count,
    };
    bool done = openings->failed ? error_out_of_memory(error) : place_fence(&fence, error);
    for (size_t i = 0; i < openings->count; i++)
        free((void *)(uintptr_t)openings->list[i].path);
    free(openings->list);
    return done;
}

bool fence_exchange(const struct script *script, struct folder *folder, struct error *error)
{
    struct openings openings = {0};
    if (!add_folder(&openings, script, folder, error))
        return false;
    add_siblings(&openings, script);
    add_paths(&openings, name_files);
    add_tls(&openings);
    add_input(&openings);
    add_path(&openings, "/dev/null", FENCE_READ);
    return close_fence(&openings, true, FENCE_OPENS_TO_WRITE, error);
}

bool fence_replay(struct error *error)
{
    struct openings openings = {0};
    add_paths(&openings, name_files);
    add_path(&openings, "/dev/null", FENCE_READ);
    return close_fence(&openings, true, FENCE_OPENS_TO_READ, error);
}

bool fence_view(bool filter, struct error *error)
{
    struct openings openings = {0};
    if (filter)
        add_paths(&openings, name_files);
    return close_fence(&openings, filter, filter ? FENCE_OPENS_TO_READ : FENCE_OPENS_NOTHING,
                       error);
}

bool fence_judging(const char *path, const struct script *script, const char *const files[],
                   size_t count, struct error *error)
{
    struct openings openings = {0};
    add_path(&openings, path, FENCE_READ);
    add_siblings(&openings, script);
    for (size_t i = 0; i < count; i++)
        add_path(&openings, files[i], FENCE_READ);
    return close_fence(&openings, false, FENCE_OPENS_TO_READ, error);
}
