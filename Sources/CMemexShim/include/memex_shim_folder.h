#ifndef MEMEX_SHIM_FOLDER_H
#define MEMEX_SHIM_FOLDER_H

#include <stdint.h>

/* Device and inode of a path, and whether it is a folder: 0, or an errno. */
int memex_shim_folder_identity(const char *path, uint64_t *device, uint64_t *inode, int *is_folder);

/* Makes a folder: 0, or an errno. */
int memex_shim_folder_make(const char *path, unsigned mode);

/* Makes the folder's entries durable: 0, or an errno. */
int memex_shim_folder_sync(const char *path);

/* 1 when the folder has an entry whose name is not among the given ones (ended by NULL), 0 when not; or minus
   an errno. */
int memex_shim_folder_has_others(const char *path, const char *const *names);

/* Bytes that are free for us on the file system of a path, or minus an errno. */
int64_t memex_shim_free_bytes(const char *path);

/* Bytes of a file, or minus an errno. Opens nothing. */
int64_t memex_shim_file_size(const char *path);

#endif
