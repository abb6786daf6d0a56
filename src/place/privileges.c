#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "place/place.h"

/* Reads a user's or group's number. Returns false if text is anything else. */
static bool read_id(const char *text, unsigned *id)
{
    if (text == NULL || text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    /* UINT_MAX means "leave as it is" to setresuid. */
    if (errno != 0 || *end != '\0' || value >= UINT_MAX)
        return false;
    *id = (unsigned)value;
    return true;
}

static bool can_go_back(gid_t group)
{
    if (setresuid(0, 0, 0) == 0 || seteuid(0) == 0)
        return true;
    return group != 0 && setresgid(0, 0, 0) == 0;
}

/* Root under sudo becomes the user who called it. */
static bool become_user(struct error *error)
{
    const char *user_text = getenv("SUDO_UID");
    if (geteuid() != 0 || user_text == NULL)
        return true;
    uid_t user;
    gid_t group;
    if (!read_id(user_text, &user) || !read_id(getenv("SUDO_GID"), &group))
        return error_set(error, STATUS_NOT_ALLOWED,
                         "SUDO_UID and SUDO_GID must both be numbers, so that root's privileges "
                         "can be given up");
    if (user == 0)
        return true; /* root called sudo: there is nobody else to become */
    /* The groups go first, since only root may change them. */
    if (setgroups(1, &group) != 0 || setresgid(group, group, group) != 0 ||
        setresuid(user, user, user) != 0)
        return error_set(error, STATUS_NOT_ALLOWED, "cannot become user %u and group %u: %s (%s)",
                         user, group, strerror(errno), error_code_name(errno));
    if (can_go_back(group))
        return error_set(error, STATUS_NOT_ALLOWED,
                         "root's privileges could be taken back after they were given up");
    return true;
}

/* The bounding set limits what a program could bring back; only CAP_SETPCAP may lower it. */
static void empty_bounding_set(void)
{
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
        prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

static bool drop_capabilities(struct error *error)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
    /* The ambient set can hold nothing that is not both permitted and inheritable. */
    if (syscall(SYS_capset, &header, none) != 0)
        return error_set(error, STATUS_NOT_ALLOWED, "cannot give up the capabilities: %s (%s)",
                         strerror(errno), error_code_name(errno));
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return error_set(error, STATUS_NOT_ALLOWED, "cannot set no_new_privs: %s (%s)",
                         strerror(errno), error_code_name(errno));
    return true;
}

bool place_drop_privileges(struct error *error)
{
    empty_bounding_set(); /* while there is a capability to do it with */
    return become_user(error) && drop_capabilities(error);
}
