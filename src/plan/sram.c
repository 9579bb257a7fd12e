/* sram.c - see sram.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "plan/sram.h"

#include "plan/kernel_table.h"

mn_code_size mn_size_of(const mn_target *target, const char *symbol) {
  const mn_code_size *size = target != NULL ? mn_target_code_size(target, symbol) : NULL;
  return size != NULL ? *size : (mn_code_size){.symbol = symbol};
}

static int64_t larger(int64_t a, int64_t b) {
  return a > b ? a : b;
}

static int64_t kernel_stack(const mn_kernel_row *kernel, const mn_target *target) {
  return kernel != NULL ? mn_size_of(target, kernel->symbol).stack_bytes : 0;
}

int64_t mn_frontend_stack(const mn_frontend *frontend, const mn_target *target) {
  if (frontend == NULL) return 0;
  if (frontend->kind == MN_FRONTEND_IMAGE) return mn_size_of(target, "image").stack_bytes;
  return mn_frontend_listens(frontend) ? mn_size_of(target, "feed").stack_bytes : 0;
}

/* The emitted functions and the deepest kernel. */
static int64_t run_stack(const mn_plan *plan, const mn_target *target) {
  int64_t deepest = 0, turn = 0;
  for (int32_t s = 0; s < plan->step_count; s++) {
    if (plan->steps[s].kind == MN_STEP_LOOP) turn = mn_size_of(target, "turn").stack_bytes;
    deepest = larger(deepest, kernel_stack(plan->steps[s].kernel, target));
  }
  return mn_size_of(target, "run").stack_bytes + turn + deepest;
}

static int64_t vector_bytes(const mn_plan_options *options) {
  return options->detector != NULL ? mn_detector_vector_bytes(options->detector) : 0;
}

mn_sram mn_plan_sram(const mn_plan *plan, const mn_plan_options *options, const mn_target *target) {
  mn_frontend_memory memory = mn_plan_frontend_memory(plan, options->frontend);
  mn_sram sram = {
      .arena = plan->arena_bytes,
      .features = memory.features_bytes + vector_bytes(options),
      .stack = larger(run_stack(plan, target), mn_frontend_stack(options->frontend, target))};
  sram.total = sram.arena + sram.features + sram.stack;
  return sram;
}

int64_t mn_sram_least_beside(const mn_plan_step *calls, const mn_plan_step *turns, int32_t ops,
                             const mn_plan_options *options, const mn_target *target) {
  const mn_frontend *frontend = options->frontend;
  int64_t deepest = 0;
  for (int32_t op = 0; op < ops; op++) {
    int64_t whole = kernel_stack(calls[op].kernel, target),
            turn = kernel_stack(turns[op].kernel, target);
    bool may_be_empty = calls[op].kernel->overlap == MN_OVERLAP_ALIAS;
    if (!may_be_empty) deepest = larger(deepest, whole < turn ? whole : turn);
  }
  int64_t run = mn_size_of(target, "run").stack_bytes + deepest;
  bool listens = frontend != NULL && mn_frontend_listens(frontend);
  return larger(run, mn_frontend_stack(frontend, target)) + vector_bytes(options) +
         (listens ? (int64_t)mn_frontend_state_bytes(frontend) : 0);
}
