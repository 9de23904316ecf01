/* What Swift cannot express: libraries loaded at run time, guarded callbacks, a checksum instruction. */
#ifndef MEMEX_SHIM_H
#define MEMEX_SHIM_H

#include <stddef.h>
#include <stdint.h>

#include "memex_shim_callbacks.h"
#include "memex_shim_folder.h"
#include "memex_shim_journal.h"
#include "memex_shim_memory.h"
#include "memex_shim_mutex.h"
#include "memex_shim_scratch.h"
#include "memex_shim_postgresql.h"
#include "memex_shim_redis.h"
#include "memex_shim_sqlite.h"
#include "memex_shim_system.h"
#include "memex_shim_text.h"
#include "memex_shim_tokens.h"
/* After the headers above: before them, Swift takes pthread types to be those of a module of intrinsics. */
#include "memex_shim_lmdb.h"

#endif
