/* process.h - a child process with its output in a file: compilers and emulators.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_BENCH_PROCESS_H
#define MN_BENCH_PROCESS_H

#include "micronets/base.h"

typedef struct mn_process {
  const char *const *arguments; /* NULL-terminated; [0] is looked up in PATH */
  const char *folder;           /* where it works; NULL: here */
  const char *output;           /* file for both standard output and standard error */
  double seconds;               /* it is ended after this long; 0: no limit */
  const mn_monitor *monitor;    /* asked to stop: the child is ended */
} mn_process;

/* Runs to the end. *exit_code is the child's own, or 128 + signal.
 * Errors: MN_ERR_FAILED when the program is not there (named) or the time is over. */
mn_status mn_process_run(const mn_process *process, int *exit_code, mn_error *error) MN_MUST_CHECK;

/* A growing list of arguments in an arena. */
typedef struct mn_arguments {
  mn_arena *arena;
  const char **item;
  size_t count, room;
} mn_arguments;
mn_status mn_arguments_begin(mn_arguments *list, mn_arena *arena, mn_error *error) MN_MUST_CHECK;
/* Formats one argument; a failure is found by mn_arguments_end. */
void mn_arguments_add(mn_arguments *list, const char *format, ...) MN_PRINTF(2, 3);
/* Adds the words of a text such as "-mcpu=cortex-m4 -mthumb". */
void mn_arguments_words(mn_arguments *list, const char *words);
mn_status mn_arguments_end(mn_arguments *list, mn_error *error) MN_MUST_CHECK;

#endif
