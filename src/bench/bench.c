/* bench.c - one bench from a model to its figures: reference, programs, parity, speed, size.
 * SPDX-License-Identifier: Apache-2.0 */
#include "micronets/bench.h"

#include <string.h>

#include "bench/board.h"
#include "bench/build.h"
#include "bench/measure.h"
#include "bench/parity.h"
#include "bench/scratch.h"

enum { OWN_VECTORS = 4 };

/* Input tensors one after another, as the bench program reads them. */
static mn_status write_inputs(mn_workshop *shop, const mn_vectors *vectors, int32_t count,
                              const char *name) {
  mn_buffer bytes = {0};
  mn_status status = MN_OK;
  const char *path = mn_arena_text(shop->arena, "%s/%s", shop->folder, name);
  for (int32_t i = 0; i < count && status == MN_OK; i++)
    status = mn_buffer_append(&bytes, vectors->input[i], vectors->input_bytes);
  if (status == MN_OK && path != NULL)
    status = mn_file_write(path, bytes.data, bytes.size, shop->error);
  else
    status = mn_error_set(shop->error, MN_ERR_MEMORY, "out of memory");
  mn_buffer_free(&bytes);
  return status;
}

static mn_status check_target(const mn_target *target, const char *port, mn_error *error) {
  if (port != NULL && target->serial_board == NULL)
    return mn_error_set(
        error, MN_ERR_UNSUPPORTED,
        "%s: names no board to talk to; add board and linker to its [serial] section",
        target->path);
  if (target->machine != NULL && target->linker != NULL) return MN_OK;
  return mn_error_set(error, MN_ERR_UNSUPPORTED,
                      "%s: names no emulator; add machine and linker to its [emulator] section",
                      target->path);
}

static void step(const mn_bench_config *config, int64_t done, const char *what) {
  mn_progress progress = {.stage = "bench", .step = done, .total = 4};
  mn_monitor_progress(config->monitor, &progress);
  mn_monitor_message(config->monitor, MN_LEVEL_DEBUG, "bench: %s", what);
}

static mn_status check_parity(mn_bench_result *result, mn_workshop *shop,
                              const mn_reference *reference, const mn_vectors *vectors) {
  mn_emulation run = {.program = MN_PROGRAM_WATCH, .argument = "inputs.bin"};
  MN_TRY(write_inputs(shop, vectors, vectors->count, "inputs.bin"));
  MN_TRY(mn_emulate(shop, &run));
  return mn_parity_check(result, shop->arena, reference, vectors, run.output, shop->error);
}

static mn_status read_vectors(mn_vectors *vectors, mn_arena *arena, const mn_graph *graph,
                              const mn_bench_config *config, mn_error *error) {
  if (config->vectors != NULL)
    return mn_vectors_read(vectors, arena, graph, config->vectors, error);
  int32_t count = config->vector_count > 0 ? config->vector_count : OWN_VECTORS;
  return mn_vectors_make(vectors, arena, graph, count, config->seed, error);
}

/* The board's own program instead of the emulated ones. */
static mn_status run_board(mn_bench_result *result, mn_workshop *shop, const mn_plan *plan,
                           const mn_model *model, const mn_bench_config *config,
                           const mn_reference *reference, const mn_vectors *vectors) {
  mn_bytes text = {0};
  uint32_t id = mn_board_model_id(plan);
  MN_TRY(mn_build_board(shop, plan, model, id));
  step(config, 2, "board");
  MN_TRY(mn_board_run(&text, shop, config->port, id, vectors));
  MN_TRY(mn_parity_check(result, shop->arena, reference, vectors, text, shop->error));
  return mn_board_measure(result, shop, plan->graph, text);
}

/* On the emulated core. */
static mn_status run_emulated(mn_bench_result *result, mn_workshop *shop, const mn_plan *plan,
                              const mn_bench_config *config, const mn_reference *reference,
                              const mn_vectors *vectors) {
  step(config, 2, "parity");
  MN_TRY(check_parity(result, shop, reference, vectors));
  step(config, 3, "count");
  MN_TRY(write_inputs(shop, vectors, 1, "first.bin"));
  return mn_measure_speed(result, shop, plan, "first.bin");
}

/* Everything, in a folder that is there. */
static mn_status bench_in(mn_bench_result *result, mn_workshop *shop, const mn_model *model,
                          const mn_bench_config *config) {
  const mn_graph *graph = model->graph;
  const mn_plan *plan = NULL;
  mn_vectors vectors;
  mn_reference reference;
  mn_objects objects;
  step(config, 0, "reference");
  MN_TRY(
      mn_plan_make(&plan, shop->arena, graph, config->target, config->plan_options, shop->error));
  MN_TRY(read_vectors(&vectors, shop->arena, graph, config, shop->error));
  MN_TRY(mn_reference_run(&reference, shop->arena, graph, &vectors, shop->error));

  step(config, 1, "compile");
  MN_TRY(mn_build_programs(&objects, shop, plan, model));
  if (config->port != NULL)
    MN_TRY(run_board(result, shop, plan, model, config, &reference, &vectors));
  else
    MN_TRY(run_emulated(result, shop, plan, config, &reference, &vectors));
  MN_TRY(mn_measure_size(result, shop, plan, model, config->plan_options, &objects));
  step(config, 4, "done");
  return MN_OK;
}

mn_status mn_bench(mn_bench_result *result, mn_arena *arena, const mn_model *model,
                   const mn_bench_config *config, mn_error *error) {
  mn_bench_result made = {.core = config->target->core,
                          .machine = config->port == NULL ? config->target->machine : NULL,
                          .emulated = config->port == NULL};
  mn_workshop shop = {.target = config->target,
                      .folder = config->work_folder,
                      .arena = arena,
                      .monitor = config->monitor,
                      .error = error};
  const char *scratch = NULL;
  MN_TRY(check_target(config->target, config->port, error));
  if (config->work_folder == NULL) {
    MN_TRY(mn_scratch_make(&scratch, arena, error));
    shop.folder = scratch;
  }
  mn_status status = mn_folder_make(shop.folder, error);
  if (status == MN_OK) status = bench_in(&made, &shop, model, config);
  mn_scratch_remove(scratch);
  MN_TRY(status);
  *result = made;
  return MN_OK;
}
