#define _GNU_SOURCE
#include "memex_shim_journal.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int memex_shim_file_state(int descriptor, int64_t *size, uint64_t *names) {
  struct stat s;
  if (fstat(descriptor, &s) != 0) return errno;
  *size = (int64_t)s.st_size;
  *names = (uint64_t)s.st_nlink;
  return 0;
}

int memex_shim_write_at(int descriptor, const void *data, size_t len, int64_t at) {
  const char *from = data;
  while (len > 0) {
    ssize_t n = pwrite(descriptor, from, len, (off_t)at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n < 0 ? errno : EIO;
    from += n;
    at += n;
    len -= (size_t)n;
  }
  return 0;
}

int64_t memex_shim_read_at(int descriptor, void *data, size_t len, int64_t at) {
  char *to = data;
  size_t done = 0;
  while (done < len) {
    ssize_t n = pread(descriptor, to + done, len - done, (off_t)(at + (int64_t)done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -(int64_t)errno;
    if (n == 0) break;
    done += (size_t)n;
  }
  return (int64_t)done;
}

int memex_shim_data_sync(int descriptor) { return fdatasync(descriptor) == 0 ? 0 : errno; }

int memex_shim_cut(int descriptor, int64_t size) {
  int r;
  do r = ftruncate(descriptor, (off_t)size);
  while (r != 0 && errno == EINTR);
  return r == 0 ? 0 : errno;
}

const void *memex_shim_find_text(const void *bytes, size_t len, const char *text) {
  return memmem(bytes, len, text, strlen(text));
}

int memex_shim_has_control(const uint8_t *bytes, size_t len) {
  /* As wide as what is looked at, so that compilers take sixteen at once. */
  uint8_t found = 0;
  for (size_t i = 0; i < len; i++) found |= bytes[i] < 0x20;
  return found;
}

int memex_shim_needs_escape(const uint8_t *bytes, size_t len) {
  uint8_t found = 0;
  for (size_t i = 0; i < len; i++) found |= (bytes[i] < 0x20) | (bytes[i] == '"') | (bytes[i] == '\\');
  return found;
}
