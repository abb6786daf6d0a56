#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
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

bool place_drop_privileges(struct error *error)
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
