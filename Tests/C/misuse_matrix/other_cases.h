/* Outputs, receipts, numbers, functions, backends and byte blocks that are wrong. */
#ifndef MISUSE_MATRIX_OTHER_CASES_H
#define MISUSE_MATRIX_OTHER_CASES_H

#include "perform.h"

static void cases_other(const function *f) {
  static const answers invalid = {1, {MEMEX_E_INVALID}};
  fixture x;
  if (f->flags & HAS_OUTPUT) {
    begin(f, "output NULL");
    fixture_open(&x, ON_MEMORY);
    call c = arguments_of(f, &x);
    c.omit_output = 1;
    outcome o = perform(f, CONTEXT_OUTSIDE, &x, &c, 0, 0);
    judge(&o, f->flags & OUTPUT_NULLABLE ? &f->valid : &invalid);
    fixture_close(&x);
  }
  if (f->flags & HAS_RECEIPT) {
    static const uint32_t sizes[] = {0, 3, sizeof(memex_receipt) - 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
      int64_t before = 0, after = 0;
      begin(f, "receipt with struct_size %u", sizes[i]);
      fixture_open(&x, ON_MEMORY);
      memex_thread_count(x.thread, &before, NULL);
      call c = arguments_of(f, &x);
      c.receipt_size = sizes[i];
      outcome o = perform(f, CONTEXT_OUTSIDE, &x, &c, 0, 0);
      judge(&o, &invalid);
      memex_thread_count(x.thread, &after, NULL);
      truth(before == after, "was refused and appended");
      fixture_close(&x);
    }
  }
  for (int i = 0; i < f->numbers; i++) {
    begin(f, "number %" PRId64, f->other_number[i].value);
    fixture_open(&x, ON_MEMORY);
    call c = arguments_of(f, &x);
    c.number = f->other_number[i].value;
    outcome o = perform(f, CONTEXT_OUTSIDE, &x, &c, 0, 0);
    judge(&o, &f->other_number[i].right);
    fixture_close(&x);
  }
  if (f->flags & HAS_FUNCTION) {
    begin(f, "function NULL");
    fixture_open(&x, ON_MEMORY);
    call c = arguments_of(f, &x);
    c.omit_function = 1;
    outcome o = perform(f, CONTEXT_OUTSIDE, &x, &c, 0, 0);
    judge(&o, &f->function_missing);
    fixture_close(&x);
  }
  if (f->flags & HAS_BACKEND) {
    for (int i = 0; i < 9; i++) {
      memex_backend wrong = plain_backend;
      switch (i) {
        case 1: wrong.struct_size = 0; break;
        case 2: wrong.struct_size = 4; break;
        case 3: wrong.struct_size = sizeof wrong - 1; break;
        case 4: wrong.open = NULL; break;
        case 5: wrong.close = NULL; break;
        case 6: wrong.get = NULL; break;
        case 7: wrong.scan = NULL; break;
        case 8: wrong.commit = NULL; break;
      }
      begin(f, "struct that is wrong in way %d", i);
      fixture_open(&x, ON_MEMORY);
      call c = arguments_of(f, &x);
      c.backend = i ? &wrong : NULL;
      outcome o = perform(f, CONTEXT_OUTSIDE, &x, &c, 0, 0);
      judge(&o, &invalid);
      fixture_close(&x);
    }
  }
  if (f->flags & HAS_BYTES) {
    memex_bytes bytes = {NULL, 0};
    call c = {.bytes = NULL};
    begin(f, "NULL, cleared, freed twice");
    outcome o = perform(f, CONTEXT_OUTSIDE, NULL, &c, 0, 0);
    judge(&o, &f->valid);
    if (memex_describe(&bytes, NULL) != MEMEX_OK) bytes.data = NULL;
    c.bytes = &bytes;
    for (int i = 0; i < 2; i++) {
      o = perform(f, CONTEXT_OUTSIDE, NULL, &c, 0, 0);
      judge(&o, &f->valid);
      truth(!bytes.data && !bytes.len, "the struct was not cleared");
    }
  }
}

#endif
