/*
 * Milliseconds that dlopen of a library takes in a fresh process, and of a second library for comparison.
 *
 *   load_library LIBRARY
 */
#include "bench.h"

int main(int argc, char **argv) {
  pin();
  if (argc != 2) fail(argv[0], "load_library LIBRARY");
  double from = now(), used = cpu();
  void *handle = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  double took = now() - from;
  used = cpu() - used;
  if (!handle) fail(argv[1], dlerror());
  unsigned (*version)(void);
  void *symbol = dlsym(handle, "memex_version_number");
  memcpy(&version, &symbol, sizeof version);
  if (!symbol || version() == 0) fail(argv[1], "does not answer");
  printf("{\"ms\":%.4f,\"cpu_ms\":%.4f}\n", took * 1e3, used * 1e3);
  return 0;
}
