#include "place/ways_out.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reads the number in a file of /proc/sys. Returns -1 if there is none. */
static long read_setting(const char *path)
{
    char text[32];
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return -1;
    ssize_t length = read(descriptor, text, sizeof text - 1);
    close(descriptor);
    if (length <= 0)
        return -1;
    text[length] = '\0';
    char *end;
    long value = strtol(text, &end, 10);
    return end == text ? -1 : value;
}

/* The setting that forbids user namespaces, as an argument of sysctl(8), or NULL. */
static const char *forbidding_setting(void)
{
    if (read_setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1)
        return "kernel.apparmor_restrict_unprivileged_userns=0";
    if (read_setting("/proc/sys/kernel/unprivileged_userns_clone") == 0)
        return "kernel.unprivileged_userns_clone=1";
    if (read_setting("/proc/sys/user/max_user_namespaces") == 0)
        return "user.max_user_namespaces=10000";
    if (read_setting("/proc/sys/user/max_net_namespaces") == 0)
        return "user.max_net_namespaces=10000";
    return NULL;
}

/* This program's path, quoted for a shell where it must be. Cut where room ends. */
static void program_path(char *text, size_t room)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    if (length <= 0)
        snprintf(path, sizeof path, "handlens");
    bool plain = strpbrk(path, " \t\n'\"\\$&;()<>|*?`!~#") == NULL;
    snprintf(text, room, plain ? "%s" : "\"%s\"", path);
}

void ways_out_append(struct buffer *text, bool private_place)
{
    char program[1024];
    program_path(program, sizeof program);
    buffer_append_text(text, "\nAny one of these helps:");
    const char *setting = private_place ? forbidding_setting() : NULL;
    if (setting != NULL)
        buffer_printf(text, "\n  sudo sysctl %s", setting);
    if (geteuid() == 0)
        buffer_append_text(text, "\n  a container started with --cap-add=NET_RAW");
    else
        buffer_printf(text,
                      "\n  sudo setcap cap_net_raw+ep %s"
                      "\n  sudo %s ...",
                      program, program);
    buffer_append_text(text, "\n  --no-capture, which runs the lab and shows no packets");
}

void ways_out_shortest(char *text, size_t room)
{
    char program[160];
    program_path(program, sizeof program);
    if (geteuid() == 0)
        snprintf(text, room, "the container needs --cap-add=NET_RAW");
    else
        snprintf(text, room, "try sudo, or once: sudo setcap cap_net_raw+ep %s", program);
}
