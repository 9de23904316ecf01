/* A function of the header, a call of it, what came of it, and the answers that are right. */
#ifndef MISUSE_MATRIX_TYPES_H
#define MISUSE_MATRIX_TYPES_H

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>

#include "memex.h"

#define POINTER_NULL INT64_C(0x100000001)
#define POINTER_SET INT64_C(0x100000002)
#define NOTHING INT64_C(0x100000003)
#define POISON_NUMBER INT64_C(0x5a5a5a5a5a5a5a5a)

typedef enum kind {
  KIND_NONE,
  KIND_STORE,
  KIND_TXN,
  KIND_THREAD,
  KIND_MESSAGE,
  KIND_CURSOR,
  KIND_STRATEGY,
  KIND_TOKENIZER,
  KIND_ERROR,
  KIND_REPLY,
  KIND_COUNT
} kind;

static const char *const kind_names[] = {"none",   "store",    "transaction", "thread", "message",
                                         "cursor", "strategy", "tokenizer",   "error",  "reply"};

typedef enum context { CONTEXT_OUTSIDE, CONTEXT_STRATEGY, CONTEXT_BACKEND } context;

enum { TEXT_JSON, TEXT_ID, TEXT_WORD, TEXT_TEXT, TEXT_BYTES };

enum {
  HAS_ERROR = 1,
  HAS_OUTPUT = 2,
  OUTPUT_NULLABLE = 4,
  HAS_RECEIPT = 8,
  HAS_NUMBER = 16,
  HAS_BYTES = 32,
  HAS_BACKEND = 64,
  HAS_FUNCTION = 128
};

typedef struct text {
  const char *data;
  size_t len;
} text;

/* The arguments of one call. */
typedef struct call {
  void *handle[2];
  text text[3];
  int64_t number;
  uint32_t receipt_size;
  int omit_output, omit_error, omit_function;
  const memex_backend *backend;
  memex_bytes *bytes;
} call;

/* What came of it. */
typedef struct outcome {
  int64_t result;
  char problem[160];
  void *made;
  kind made_kind;
  int called;
} outcome;

/* The answers that are right; none stands for any. */
typedef struct answers {
  int count;
  int64_t value[6];
} answers;

typedef struct function {
  const char *name;
  void (*run)(const call *, outcome *);
  int flags;
  context context; /* where it works at all */
  int handles;
  struct {
    const char *name;
    kind kind;
    int nullable;
  } handle[2];
  int texts;
  struct {
    const char *name;
    text valid;
    int kind;
    answers missing;
  } text[3];
  int64_t number;
  int numbers;
  struct {
    int64_t value;
    answers right;
  } other_number[6];
  answers valid, bad, closed, forked, in_strategy, in_backend, in_other, function_missing;
} function;

#endif
