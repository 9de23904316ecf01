#ifndef MEMEX_SHIM_SCRATCH_H
#define MEMEX_SHIM_SCRATCH_H

#include <stddef.h>

#ifndef __clang__
#define _Nonnull
#define _Nullable
#endif

/* Memory of the calling thread, zeros at first, the same at every call with the same size, freed when the
   thread ends. NULL when there is none; nothing is lost then but speed. */
void *_Nullable memex_shim_thread_block(size_t size);

/* Memory of the process that one thread at a time may use. */
#define MEMEX_SHIM_SHARED_BLOCK (64u << 10)
void *_Nonnull memex_shim_shared_block_take(void);
void memex_shim_shared_block_give(void);

#endif
