#ifndef MEMEX_SHIM_REDIS_H
#define MEMEX_SHIM_REDIS_H

#include <stddef.h>

/* hiredis's parser of replies, found at run time. Sockets are ours, so that every wait has an end. Its headers
   are not needed: what is used of them stands in redis.c, for both layouts that there are. */

/* Finds hiredis. NULL on success, else why there is none. */
const char *memex_redis_load(void);

/* What a reply is; the numbers are hiredis's. */
enum {
  MEMEX_REDIS_STRING = 1,
  MEMEX_REDIS_ARRAY = 2,
  MEMEX_REDIS_INTEGER = 3,
  MEMEX_REDIS_NIL = 4,
  MEMEX_REDIS_STATUS = 5,
  MEMEX_REDIS_ERROR = 6
};

/* A parser; NULL when memory ran out. */
void *memex_redis_reader_new(void);
void memex_redis_reader_free(void *reader);
/* 0, or -1 when memory ran out or the bytes are no RESP. */
int memex_redis_reader_feed(void *reader, const void *bytes, size_t len);
/* The next whole reply, NULL in *reply when there is none yet; -1 as above. */
int memex_redis_reader_next(void *reader, void **reply);

void memex_redis_reply_free(void *reply);
int memex_redis_reply_type(const void *reply);
long long memex_redis_reply_integer(const void *reply);
const char *memex_redis_reply_bytes(const void *reply, size_t *len);
size_t memex_redis_reply_count(const void *reply);
/* NULL past the end. */
const void *memex_redis_reply_element(const void *reply, size_t index);

#endif
