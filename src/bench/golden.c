/* golden.c - emits a model with a golden test: inputs from a seed, outputs from the host.
 * SPDX-License-Identifier: Apache-2.0 */
#include "bench/parity.h"

mn_status mn_bench_emit(mn_emit_result *result, mn_arena *arena, const mn_plan *plan,
                        const mn_model *model, const mn_emit_config *config, int32_t vectors,
                        uint64_t seed, mn_error *error) {
  mn_vectors inputs;
  mn_reference reference;
  MN_TRY(mn_vectors_make(&inputs, arena, plan->graph, vectors, seed, error));
  MN_TRY(mn_reference_run(&reference, arena, plan->graph, &inputs, error));
  mn_emit_golden *golden = mn_arena_array(arena, (size_t)vectors + 1, sizeof *golden);
  if (golden == NULL) return mn_error_set(error, MN_ERR_MEMORY, "out of memory");
  for (int32_t i = 0; i < vectors; i++)
    golden[i] = (mn_emit_golden){inputs.input[i], reference.output[i]};
  mn_emit_config tested = *config;
  tested.golden = golden;
  tested.golden_count = vectors;
  return mn_emit_c(result, arena, plan, model, &tested, error);
}
