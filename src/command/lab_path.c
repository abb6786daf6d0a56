#include "command/lab_path.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/nearest.h"

#define FOLDERS 3

/* Fills folders with the places where labs are looked for. Returns how many there are. */
static size_t lab_folders(char folders[FOLDERS][LAB_PATH_SIZE])
{
    size_t count = 0;
    snprintf(folders[count++], LAB_PATH_SIZE, "scripts");
    char self[LAB_PATH_SIZE - sizeof HANDLENS_SCRIPTS_INSTALLED - 1];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0)
        return count;
    self[length] = '\0';
    char *slash = strrchr(self, '/');
    if (slash == NULL)
        return count;
    *slash = '\0';
    snprintf(folders[count++], LAB_PATH_SIZE, "%s/%s", self, HANDLENS_SCRIPTS_INSTALLED);
    static const char source[] = HANDLENS_SCRIPTS_SOURCE;
    _Static_assert(sizeof source <= LAB_PATH_SIZE,
                   "the source folder has a longer path than a lab");
    static const char build[] = HANDLENS_BUILD_FOLDER;
    if (strncmp(self, build, sizeof build - 1) == 0)
        memcpy(folders[count++], source, sizeof source);
    return count;
}

static bool ends_in_lua(const char *name, size_t length)
{
    return length > 4 && strcmp(name + length - 4, ".lua") == 0;
}

static bool list_add(struct lab_list *list, const char *folder, const char *file, size_t length)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strncmp(list->names[i], file, length - 4) == 0 && list->names[i][length - 4] == '\0')
            return true;
    }
    char **names = realloc(list->names, (list->count + 1) * sizeof *names);
    if (names != NULL)
        list->names = names;
    char **paths = realloc(list->paths, (list->count + 1) * sizeof *paths);
    if (paths != NULL)
        list->paths = paths;
    if (names == NULL || paths == NULL)
        return false;
    char *path = NULL;
    if (asprintf(&path, "%s/%s", folder, file) < 0)
        return false;
    char *name = strndup(file, length - 4);
    if (name == NULL) {
        free(path);
        return false;
    }
    list->names[list->count] = name;
    list->paths[list->count++] = path;
    return true;
}

static bool list_folder(struct lab_list *list, const char *folder)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);
    bool done = true;
    for (int i = 0; i < count; i++) {
        size_t length = strlen(entries[i]->d_name);
        if (done && ends_in_lua(entries[i]->d_name, length))
            done = list_add(list, folder, entries[i]->d_name, length);
        free(entries[i]);
    }
    free(entries);
    return done;
}

/* Insertion sort of both arrays by name: a few dozen labs in already sorted runs. */
static void list_sort(struct lab_list *list)
{
    for (size_t i = 1; i < list->count; i++) {
        for (size_t j = i; j > 0 && strcmp(list->names[j - 1], list->names[j]) > 0; j--) {
            char *name = list->names[j];
            char *path = list->paths[j];
            list->names[j] = list->names[j - 1];
            list->paths[j] = list->paths[j - 1];
            list->names[j - 1] = name;
            list->paths[j - 1] = path;
        }
    }
}

bool lab_list_open(struct lab_list *list, struct error *error)
{
    *list = (struct lab_list){0};
    char(*folders)[LAB_PATH_SIZE] = malloc(FOLDERS * sizeof *folders);
    bool done = folders != NULL;
    size_t count = done ? lab_folders(folders) : 0;
    for (size_t i = 0; i < count && done; i++)
        done = list_folder(list, folders[i]);
    free(folders);
    if (!done) {
        lab_list_close(list);
        return error_out_of_memory(error);
    }
    list_sort(list);
    return true;
}

void lab_list_close(struct lab_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->names[i]);
        free(list->paths[i]);
    }
    free(list->names);
    free(list->paths);
    *list = (struct lab_list){0};
}

bool lab_path_find(const char *lab, char path[LAB_PATH_SIZE], struct error *error)
{
    size_t length = strlen(lab);
    if (length >= LAB_PATH_SIZE)
        return error_set(error, STATUS_USAGE, "the path of the lab has more than %d bytes",
                         LAB_PATH_SIZE - 1);
    if (strchr(lab, '/') != NULL || ends_in_lua(lab, length)) {
        memcpy(path, lab, length + 1);
        return true; /* whether it is there is for script_load to say */
    }
    struct lab_list list;
    if (!lab_list_open(&list, error))
        return false;
    bool found = false;
    for (size_t i = 0; i < list.count && !found; i++) {
        found = strcmp(list.names[i], lab) == 0;
        if (found)
            snprintf(path, LAB_PATH_SIZE, "%s", list.paths[i]);
    }
    if (!found) {
        const char *near = nearest_word(lab, (const char *const *)list.names, list.count);
        error_set(error, STATUS_USAGE,
                  near ? "no lab is called '%s'; did you mean '%s'?"
                       : "no lab is called '%s'; 'handlens labs' lists them",
                  lab, near);
    }
    lab_list_close(&list);
    return found;
}
