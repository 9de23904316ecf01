#ifndef MEMEX_SHIM_SYSTEM_H
#define MEMEX_SHIM_SYSTEM_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32C (Castagnoli) of data, continuing from crc; start with 0. By the CPU's instruction where it has one. */
uint32_t memex_shim_crc32c(uint32_t crc, const void *data, size_t len);

/* Microseconds of CLOCK_REALTIME and CLOCK_MONOTONIC. */
int64_t memex_shim_realtime_us(void);
int64_t memex_shim_monotonic_us(void);

/* Fills data with random bytes of the system; 0, or an errno. */
int memex_shim_random(void *data, size_t len);

/* Calls child in every forked child, once registered; 0 or an errno. */
int memex_shim_at_fork(void (*prepare)(void), void (*parent)(void), void (*child)(void));

/* open with O_CLOEXEC: a descriptor, or minus errno. */
int memex_shim_open(const char *path, int flags, unsigned mode);

/* Remembers a descriptor that a forked child must close at once (its lock would outlive the parent's),
   and forgets it. Never more than a fixed number; the call then does nothing. */
void memex_shim_fork_close_add(int descriptor);
void memex_shim_fork_close_remove(int descriptor);

/* Holds a mutex (pthread_mutex_t *, never destroyed) across every fork, so that the child finds it free. */
void memex_shim_fork_guard(void *mutex);

/* errno of the last failed call of this thread. */
int memex_shim_errno(void);

/* Waits for a semaphore (sem_t *) until a moment of CLOCK_MONOTONIC, INT64_MAX for ever: 0, or ETIMEDOUT; or
   EINTR, if that is wanted, when a signal handler of this thread ended it. */
int memex_shim_semaphore_wait(void *semaphore, int64_t until_us, int ends_on_signal);

/* Exclusive lock on a descriptor without waiting: 0, EWOULDBLOCK, or another errno. */
int memex_shim_lock_try(int descriptor);
int memex_shim_unlock(int descriptor);
/* 1 when a signal handler of this thread ended it. */
int memex_shim_sleep_us(int64_t us);

/* Device and inode of a path: 0, or an errno. Opens nothing. */
int memex_shim_identity(const char *path, uint64_t *device, uint64_t *inode, int *is_regular);
/* The same of a descriptor. */
int memex_shim_descriptor_identity(int descriptor, uint64_t *device, uint64_t *inode);
/* Whether a path is a symbolic link. */
int memex_shim_is_link(const char *path);

/* A descriptor of a folder that can only be asked, or minus errno. */
int memex_shim_open_folder(const char *path);
/* When an entry of the folder last came, went or changed its name, in nanoseconds since the epoch; -1 when the
   system does not say. */
int64_t memex_shim_folder_changed_ns(int descriptor);

/* Path of the shared object that holds this code, or NULL. Static storage. */
const char *memex_shim_library_path(void);

#endif
