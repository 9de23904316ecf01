/* What the generated functions make of the outputs of their call: cleared on failure, set on success. */
#ifndef MISUSE_MATRIX_OUTPUTS_H
#define MISUSE_MATRIX_OUTPUTS_H

#include "reporting.h"

static void *poison(void) { return (void *)(uintptr_t)UINT64_C(0x6d656d6578626164); }

static memex_receipt poisoned_receipt(uint32_t size) {
  memex_receipt receipt;
  memset(&receipt, 0x5a, sizeof receipt);
  receipt.struct_size = size;
  return receipt;
}

static void check_handle(outcome *o, void *out, kind made, int omitted) {
  if (omitted) {
    if (out != poison()) problem(o, "an output that was not given was written");
  } else if (o->result != MEMEX_OK) {
    if (out != NULL) problem(o, "the out-handle was not cleared");
  } else if (out == NULL || out == poison()) {
    problem(o, "success without a handle");
  } else {
    o->made = out;
    o->made_kind = made;
  }
}

static void check_bytes(outcome *o, memex_bytes *out, int omitted) {
  if (omitted) return;
  if (out->data == poison()) problem(o, "the bytes were not %s", o->result ? "cleared" : "set");
  else if (o->result != MEMEX_OK && (out->data || out->len)) problem(o, "the bytes were not cleared");
  else if (out->data && out->data[out->len] != 0) problem(o, "the bytes do not end with NUL");
  else memex_bytes_free(out);
}

static void check_receipt(outcome *o, memex_receipt *out, const call *c) {
  if (c->omit_output || c->receipt_size != sizeof *out) return;
  if (out->struct_size != sizeof *out) problem(o, "struct_size was changed");
  if (o->result != MEMEX_OK) {
    if (out->duplicate || out->first_seq || out->last_seq || out->created_at_us || out->rev)
      problem(o, "the receipt was not cleared");
  } else if (out->duplicate > 1 || out->first_seq < 0 || out->last_seq < out->first_seq ||
             out->created_at_us == POISON_NUMBER || out->rev == POISON_NUMBER) {
    problem(o, "the receipt was not filled");
  }
}

static void check_number(outcome *o, int64_t out, int omitted) {
  if (omitted) return;
  if (out == POISON_NUMBER) problem(o, "the number was not set");
  else if (o->result != MEMEX_OK && out != 0) problem(o, "the number was not cleared");
}

static void check_error(outcome *o, memex_error *error, int omitted) {
  if (omitted) return;
  if (error == poison()) {
    problem(o, "the error was not cleared");
  } else if (o->result >= 0) {
    if (error) problem(o, "success with an error");
  } else if (!error) {
    if (o->result != MEMEX_E_NO_MEMORY) problem(o, "failure without an error");
  } else {
    const char *message = memex_error_message(error), *details = memex_error_details(error);
    if (memex_error_code(error) != o->result)
      problem(o, "the error says %s", show(memex_error_code(error)));
    if (!message || !*message) problem(o, "an error without a message");
    if (!details || *details != '{') problem(o, "an error without details");
    memex_error_free(error);
    memex_error_free(error);
  }
}

static int destroyed_count;

static void count_destroy(void *user_data) { ++*(int *)user_data; }

static void check_registration(outcome *o, const char *what, const call *c) {
  if (c->omit_function && o->result == MEMEX_OK) return; /* it removed a receiver */
  if (o->result != MEMEX_OK) {
    if (destroyed_count != 1) problem(o, "failed, and destroyed user_data %d times", destroyed_count);
    return;
  }
  if (destroyed_count != 0) problem(o, "destroyed user_data while it is in use");
  if (strcmp(what, "log") == 0) memex_log_handler(MEMEX_LOG_ERROR, NULL, NULL, NULL, NULL);
  else memex_unregister(what, MEMEX_NTS, c->text[0].data, c->text[0].len, NULL);
  if (destroyed_count != 1)
    problem(o, "destroyed user_data %d times after it was removed", destroyed_count);
}

#endif
