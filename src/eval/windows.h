/* windows.h - the int8 model over every window of a split, block by block: what scoring and fitting
 * share. Features are the bytes the board would make.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_EVAL_WINDOWS_H
#define MN_EVAL_WINDOWS_H

#include "micronets/eval.h"
#include "micronets/exec.h"

enum { MN_WINDOWS_BLOCK = 64 };

typedef struct mn_windows {
  const mn_model *model;
  mn_pool *pool;
  mn_arena *arena; /* scratch of the run, for the visitor too */
  mn_exec **exec;  /* [threads] */
  int8_t *input;   /* [block][input bytes] */
  size_t input_bytes;
  int32_t threads;
  /* Called by many threads: the window `index` of the block has run, `exec` holds its outputs. */
  void (*visit)(void *context, mn_exec *exec, const int8_t *input, int32_t index, int32_t thread);
  /* Called for each block when all its windows were visited; item[count]: index in the data set. */
  void (*block)(void *context, const int32_t *item, int32_t count);
  void *context;
} mn_windows;

/* Checks the model; on failure too, close. */
mn_status mn_windows_open(mn_windows *windows, const mn_model *model, mn_pool *pool,
                          mn_error *error) MN_MUST_CHECK;
void mn_windows_close(mn_windows *windows);
mn_status mn_windows_run(mn_windows *windows, const mn_dataset *dataset, mn_split split,
                         mn_error *error) MN_MUST_CHECK;

#endif
