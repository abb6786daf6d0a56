/*
 * fence.h - the two walls of the fence. For src/place only; fence.c tells how they stand together.
 */
#ifndef HANDLENS_PLACE_FENCE_H
#define HANDLENS_PLACE_FENCE_H

#include <stdbool.h>

#include "place/place.h"

/* Each returns 0, also where the kernel has no such thing, or the errno. */

/* From now on this thread, and all that it starts, reach the fence's files alone: Landlock. */
int fence_files(const struct place_fence *fence);

/* From now on this process makes the fence's system calls alone: seccomp. */
int fence_system_calls(const struct place_fence *fence);

#endif
