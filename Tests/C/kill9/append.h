/* What the writers and those who check agree upon: the conversations, an acknowledgement, the bodies. */
#ifndef KILL9_APPEND_H
#define KILL9_APPEND_H

#include "../abi_support.h"

enum { CONVERSATIONS = 4, LARGE = 60000 };

/* What a writer says once an append came back with success. */
typedef struct acknowledgement {
  uint64_t nonce;
  int64_t first_seq; /* 0: by a transaction */
  uint32_t conversation;
  uint32_t count;
} acknowledgement;

/* The body of part k of n is a function of its nonce, so that a reader can tell whether it is intact. */
static size_t make_body(char *to, uint64_t nonce, unsigned k, unsigned n, char kind) {
  uint64_t state = nonce * 31 + k;
  uint64_t draw = next_random(&state);
  size_t padding = draw % 40 == 0 ? draw / 64 % LARGE : draw / 64 % 900;
  size_t at = (size_t)sprintf(to, "{\"role\":\"user\",\"content\":\"%c %016" PRIx64 " %u %u ", kind, nonce, k, n);
  while (padding--) to[at++] = (char)('a' + next_random(&state) % 26);
  memcpy(to + at, "\"}", 3);
  return at + 2;
}

enum { BODY_ROOM = LARGE + 200 };

#endif
