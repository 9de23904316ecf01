#define _GNU_SOURCE
#include "memex_shim_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

int memex_shim_folder_identity(const char *path, uint64_t *device, uint64_t *inode, int *is_folder) {
  struct stat s;
  if (stat(path, &s) != 0) return errno;
  *device = (uint64_t)s.st_dev;
  *inode = (uint64_t)s.st_ino;
  *is_folder = S_ISDIR(s.st_mode);
  return 0;
}

int memex_shim_folder_make(const char *path, unsigned mode) { return mkdir(path, (mode_t)mode) == 0 ? 0 : errno; }

int memex_shim_folder_sync(const char *path) {
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno;
  /* Some file systems have no such sync, and need none. */
  int code = fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
  close(fd);
  return code;
}

int memex_shim_folder_has_others(const char *path, const char *const *names) {
  DIR *folder = opendir(path);
  if (!folder) return -errno;
  int found = 0;
  struct dirent *entry;
  while (!found && (entry = readdir(folder))) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    found = 1;
    for (const char *const *name = names; *name; name++)
      if (strcmp(entry->d_name, *name) == 0) found = 0;
  }
  closedir(folder);
  return found;
}

int64_t memex_shim_free_bytes(const char *path) {
  struct statvfs s;
  return statvfs(path, &s) == 0 ? (int64_t)s.f_bavail * (int64_t)s.f_frsize : -(int64_t)errno;
}

int64_t memex_shim_file_size(const char *path) {
  struct stat s;
  return stat(path, &s) == 0 ? (int64_t)s.st_size : -(int64_t)errno;
}
