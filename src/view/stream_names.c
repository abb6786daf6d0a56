#include "view/stream_names.h"

#include <string.h>

#include "support/terminal.h"

static void hear_role(struct stream_names *names, const struct trace_role *role, bool utf8)
{
    if (names->role_count == STREAM_ROLES)
        return;
    struct buffer safe = {0};
    terminal_append_escaped(&safe, role->name.data, role->name.length, STREAM_NAME / 4, utf8);
    const char *text = buffer_text(&safe);
    size_t length = strlen(text) < STREAM_NAME ? strlen(text) : 0;
    memcpy(names->roles[names->role_count].name, text, length);
    names->roles[names->role_count].name[length] = '\0';
    names->roles[names->role_count].role = role->role;
    if (length > 0)
        names->role_count++;
    buffer_free(&safe);
}

void stream_names_hear(struct stream_names *names, const struct trace_event *event, bool utf8)
{
    if (event->kind == TRACE_ROLE)
        hear_role(names, &event->role, utf8);
    else if (event->kind == TRACE_SOCKET)
        names->sockets[names->socket_count++ % STREAM_SOCKETS] = event->socket;
}

/* Bound to any address, a socket has the others' packets too. */
static bool is_at(const struct address *bound, const struct address *address)
{
    if (address_is_any(bound))
        return bound->port == address->port;
    return address_equal(bound, address);
}

static const char *role_name(const struct stream_names *names, uint32_t role)
{
    for (size_t i = 0; i < names->role_count; i++)
        if (names->roles[i].role == role)
            return names->roles[i].name;
    return NULL;
}

const char *stream_names_find(const struct stream_names *names, uint8_t protocol,
                              const struct address *local, const struct address *remote)
{
    const char *found = NULL;
    size_t count = names->socket_count < STREAM_SOCKETS ? names->socket_count : STREAM_SOCKETS;
    for (size_t i = 0; i < count; i++) {
        const struct trace_socket *socket = &names->sockets[i];
        if ((uint8_t)socket->transport != protocol || !is_at(&socket->local, local))
            continue;
        bool is_its_own = socket->remote.family != 0;
        if (is_its_own && !address_equal(&socket->remote, remote))
            continue;
        if (is_its_own || found == NULL)
            found = role_name(names, socket->role);
        if (is_its_own && found != NULL)
            break;
    }
    return found;
}
