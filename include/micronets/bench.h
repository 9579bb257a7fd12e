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
  double cycles;          /* measured by a board's own counter; 0: not */
} mn_bench_layer;

typedef struct mn_bench_result {
  const char *core, *machine;
  bool emulated;
  int64_t instructions;
  double cycles_modelled, ms_modelled, mj_modelled; /* -1 unknown */
  double cycles; /* measured by a board's own counter; 0: not. `instructions` is -1 there */
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
  /* The front end, one whole input of sound or one frame of a camera: stages of kind "frontend", not part
   * of `instructions`; none where the model takes tensors alone. Bytes are those of sound. */
  struct {
    const mn_bench_layer *stages;
    int32_t stage_count;
    int64_t state_bytes, scratch_bytes, tables_bytes;
    int32_t frame_width, frame_height; /* of the frame that was counted, RGB565; 0: none was */
  } frontend;
} mn_bench_result;

typedef struct mn_bench_config {
  const mn_target *target;
  const mn_plan_options *plan_options;
  const char *vectors;     /* folder of golden vectors; NULL: makes its own from the host executor */
  int32_t vector_count;    /* own vectors; 0: default */
  const char *work_folder; /* for sources and programs; kept. NULL: a temporary one */
  uint64_t seed;
  const char *port; /* DEVICE[:BAUD]: on a real board instead of the emulator; NULL */
  const mn_monitor *monitor;
} mn_bench_config;

/* Errors: MN_ERR_FAILED where the compiler or the emulator is missing or fails, with what it said;
 * MN_ERR_UNSUPPORTED for a target without an emulator. A mismatch is a result, not an error. */
mn_status mn_bench(mn_bench_result *result, mn_arena *arena, const mn_model *model,
                   const mn_bench_config *config, mn_error *error) MN_MUST_CHECK;

/* ---- Code sizes ------------------------------------------------------------------------------
 * Measures kernels, front end and emitted code for a list of targets with the compiler at hand. */
mn_status mn_bench_code_sizes(mn_code_sizes *sizes, mn_arena *arena, const mn_target *const *targets,
                              int32_t count, const char *work_folder, const mn_monitor *monitor,
                              mn_error *error) MN_MUST_CHECK;
uint64_t mn_bench_sources_hash(void); /* of the kernels and front ends in this program */
/* Prints them as src/target/code_size_table.c. */
mn_status mn_bench_code_sizes_print(const mn_sink *out, const mn_code_sizes *sizes) MN_MUST_CHECK;
/* Makes prices of `target` those of the compiler at hand: keeps the shipped table where it was made
 * with this compiler from these sources, else reads or makes `cache_folder`/code-size-<key>.txt.
 * NULL: nothing is kept. Without a compiler the shipped table stays. The table lives in arena, until the program ends. */
mn_status mn_bench_code_sizes_refresh(mn_arena *arena, const mn_target *target, const char *cache_folder,
                                      const mn_monitor *monitor, mn_error *error) MN_MUST_CHECK;

/* ---- Cycle tables ----------------------------------------------------------------------------
 * Measures every kernel of each target's families on layers of many shapes and fits the rows of
 * mn_cycle_table; targets whose core has no cycle model are left out. */
mn_status mn_bench_cycles(mn_cycle_tables *tables, mn_arena *arena, const mn_target *const *targets,
                          int32_t count, const char *work_folder, const mn_monitor *monitor,
                          mn_error *error) MN_MUST_CHECK;
/* Prints them as src/target/cycle_table.c. */
mn_status mn_bench_cycles_print(const mn_sink *out, const mn_cycle_tables *tables) MN_MUST_CHECK;
/* Measures a few other layers of one kernel and holds the shipped row against them: mean and worst
 * error as fractions. MN_ERR_ARGUMENT where there is no row. */
mn_status mn_bench_cycles_error(double *mean, double *worst, int32_t *layers, mn_arena *arena,
                                const mn_target *target, const char *symbol, uint64_t seed,
                                const char *work_folder, mn_error *error) MN_MUST_CHECK;

#endif
