/*
 * info.h - TCP_INFO of a descriptor.
 */
#ifndef HANDLENS_HOST_INFO_H
#define HANDLENS_HOST_INFO_H

#include "host/socket.h"

/* Returns false with errno set. What an older kernel does not tell is zero. */
bool info_read(int fd, struct socket_info *info);

#endif
