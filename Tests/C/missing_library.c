/* A machine without LMDB: this program brings its own dlopen, which does not find it. Opening says what to install,
   other engines work, and once the library is there, so does LMDB. */
#include <dlfcn.h>

#include "abi_support.h"

static int hidden = 1;

void *dlopen(const char *name, int flags) {
  static void *(*real)(const char *, int);
  if (!real) {
    void *symbol = dlsym(RTLD_NEXT, "dlopen");
    memcpy(&real, &symbol, sizeof symbol);
  }
  return hidden && name && strstr(name, "liblmdb") ? NULL : real(name, flags);
}

int main(void) {
  char config[700];
  memex_store *store = NULL;
  memex_error *error = NULL;
  abi_make_folder();
  abi_watch("without LMDB", 20);
  snprintf(config, sizeof config, "{\"url\":\"lmdb:///%s/chat\"}", abi_folder);
  EXPECT_STATUS(memex_store_open(config, MEMEX_NTS, &store, &error), MEMEX_E_UNAVAILABLE);
  EXPECT(error && strstr(memex_error_message(error), "liblmdb0"), "the error says %s", memex_error_message(error));
  EXPECT(error && memex_error_retryable(error), "it may be installed");
  memex_error_free(error);
  EXPECT_STATUS(memex_store_open("{\"url\":\"memory:\"}", MEMEX_NTS, &store, NULL), MEMEX_OK);
  EXPECT_STATUS(memex_store_close(store, NULL), MEMEX_OK);
  abi_watch("with LMDB", 20);
  hidden = 0;
  EXPECT_STATUS(memex_store_open(config, MEMEX_NTS, &store, NULL), MEMEX_OK);
  EXPECT_STATUS(memex_store_close(store, NULL), MEMEX_OK);
  return abi_finish();
}
