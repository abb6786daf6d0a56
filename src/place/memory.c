#include <malloc.h>

#include "place/place.h"

void place_return_memory(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
