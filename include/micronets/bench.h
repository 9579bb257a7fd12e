/* bench.h - the firmware on an emulated core (or a board over a serial port): exact instructions per
 * layer, parity of every tensor, SRAM, stack and flash read from the ELF and the run.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MICRONETS_BENCH_H
#define MICRONETS_BENCH_H

#include "micronets/emit.h"
#include "micronets/plan.h"
#include "micronets/tflite.h"

typedef struct mn_bench_layer {
  const char *name, *kind;
  int64_t macs, instructions;
  double cycles_modelled; /* -1 unknown */
} mn_bench_layer;

typedef struct mn_bench_result {
  const char *core, *machine;
  bool emulated;
  int64_t instructions;
  double cycles_modelled, ms_modelled, mj_modelled; /* -1 unknown */
  struct { int64_t arena, features, data, stack, stack_bound, total; } sram;
  struct { int64_t weights, constants, code, total; } flash;
  struct {
    int64_t tensors, tensors_total, vectors, mismatches;
    const char *const *not_materialised;
    int32_t not_materialised_count;
    const char *first_mismatch; /* "vector 3, op 5 ds2.conv, row 7"; NULL none */
  } parity;
  const mn_bench_layer *layers;
  int32_t layer_count;
} mn_bench_result;

typedef struct mn_bench_config {
  const mn_target *target;
  const mn_plan_options *plan_options;
  const char *vectors;     /* folder of golden vectors; NULL: makes its own from the host executor */
  int32_t vector_count;    /* own vectors; 0: default */
  const char *work_folder; /* for sources and ELF; kept */
  uint64_t seed;
  const mn_monitor *monitor;
} mn_bench_config;

mn_status mn_bench(mn_bench_result *result, mn_arena *arena, const mn_model *model,
                   const mn_bench_config *config, mn_error *error) MN_MUST_CHECK;

#endif
