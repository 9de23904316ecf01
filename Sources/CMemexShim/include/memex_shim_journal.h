#ifndef MEMEX_SHIM_JOURNAL_H
#define MEMEX_SHIM_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

/* Size of an open file, and how many names it has: 0, or an errno. */
int memex_shim_file_state(int descriptor, int64_t *size, uint64_t *names);

/* Writes all of it: 0, or an errno. What was written before a failure stays. */
int memex_shim_write_at(int descriptor, const void *data, size_t len, int64_t at);

/* Reads up to len bytes: how many, fewer at the end of the file; or minus an errno. */
int64_t memex_shim_read_at(int descriptor, void *data, size_t len, int64_t at);

/* 0, or an errno. */
int memex_shim_data_sync(int descriptor);
int memex_shim_cut(int descriptor, int64_t size);

/* Where a text first stands, or NULL. */
const void *memex_shim_find_text(const void *bytes, size_t len, const char *text);

/* Whether there is a byte below a space. */
int memex_shim_has_control(const uint8_t *bytes, size_t len);
/* Whether there is a byte that a JSON string would escape: below a space, a quote, a backslash. */
int memex_shim_needs_escape(const uint8_t *bytes, size_t len);

#endif
