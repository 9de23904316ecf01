#ifndef MEMEX_SHIM_MEMORY_H
#define MEMEX_SHIM_MEMORY_H

#include <stdint.h>

/*
 * A failed Swift allocation ends the process. The shipped library is therefore linked with
 * --wrap=malloc,calloc,realloc,free,posix_memalign,aligned_alloc, and small allocations that the system
 * refuses come from a reserve. Whoever used it answers MEMEX_E_NO_MEMORY at the next safe point.
 */

/* 1 when the reserve was used and the system still refuses memory: start nothing new. */
int memex_shim_memory_is_short(void);

/* Allocations served from the reserve since the process started; 0 where the library is not wrapped. */
uint64_t memex_shim_reserve_served(void);

#endif
