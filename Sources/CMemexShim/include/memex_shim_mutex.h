#ifndef MEMEX_SHIM_MUTEX_H
#define MEMEX_SHIM_MUTEX_H

/*
 * A mutex that processes share, in a file of its own: to take and to give it costs no system call.
 *
 * Whoever has it open holds a shared flock on the file. The first to come, who gets an exclusive one, makes the
 * mutex anew, so that nothing of an earlier life of the machine is left in it. It is robust: when its owner is
 * killed the next one gets it.
 */

/* Opens or makes the file: 0, or an errno; EAGAIN while another process is just making it. */
int memex_shim_mutex_open(const char *path, int *descriptor, void **mutex);

/* 0, EBUSY, or another errno. The thread that took it gives it back. */
int memex_shim_mutex_try(void *mutex);
void memex_shim_mutex_give(void *mutex);

/* Not in a forked child, whose descriptor is closed and whose mapping goes with it. */
void memex_shim_mutex_close(int descriptor, void *mutex);

#endif
