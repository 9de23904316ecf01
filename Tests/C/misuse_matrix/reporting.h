/* Counts the cases and says what is wrong with one. */
#ifndef MISUSE_MATRIX_REPORTING_H
#define MISUSE_MATRIX_REPORTING_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "types.h"

static char current_case[400] = "start";
static int report_to = -1; /* the pipe to the parent: one byte a case */
static long passed, failed;

static void count_case(int good) {
  char byte = good ? 'p' : 'f';
  if (good) passed++;
  else failed++;
  if (report_to >= 0 && write(report_to, &byte, 1) != 1) _exit(72);
}

__attribute__((format(printf, 1, 2))) static void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  printf("FAIL %s: ", current_case);
  vprintf(format, arguments);
  printf("\n");
  fflush(stdout);
  va_end(arguments);
}

__attribute__((format(printf, 2, 3))) static void problem(outcome *o, const char *format, ...) {
  va_list arguments;
  if (o->problem[0]) return;
  va_start(arguments, format);
  vsnprintf(o->problem, sizeof o->problem, format, arguments);
  va_end(arguments);
}

static const char *show(int64_t result) {
  static char text[8][48];
  static int next;
  char *to = text[next = (next + 1) % 8];
  if (result == POINTER_NULL) return "NULL";
  if (result == POINTER_SET) return "a pointer";
  if (result == NOTHING) return "nothing";
  if (result < 0 && result > -100) return memex_status_name((memex_status)result);
  snprintf(to, sizeof text[0], "%" PRId64, result);
  return to;
}

static int is_right(const answers *expected, int64_t result) {
  for (int i = 0; i < expected->count; i++)
    if (expected->value[i] == result) return 1;
  return expected->count == 0;
}

#endif
