/* bench_model.c - benches a model on an emulated core and holds the result against the price.
 * Usage: bench_model FILE.tflite|FILE.net|random:SEED TARGET FOLDER [VECTORS [min-sram]]
 * A .net gets random weights and the front end of its input line. Code sizes of a compiler that the shipped table
 * does not know are measured and kept in the folder $MN_CODE_SIZES.
 * Prints key=value lines. Exit 0: every bit right, every promise kept; 4: not so; 1: failed.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "micronets/bench.h"
#include "micronets/net.h"
#include "random_graph.h"

static int broken;

/* A promise of the price, and what was measured. */
static void promise(const char *name, int64_t promised, int64_t measured, bool exactly) {
  bool kept = exactly ? measured == promised : measured <= promised && measured >= 0;
  printf("%s promised=%lld measured=%lld%s\n", name, (long long)promised, (long long)measured,
         kept ? "" : " BROKEN");
  broken += !kept;
}

static mn_status load_net(mn_model *model, mn_arena *arena, const char *name, mn_bytes text,
                          mn_error *error) {
  mn_net *net = NULL;
  mn_pick pick;
  const mn_graph *bare = NULL;
  *model = (mn_model){0};
  MN_TRY(mn_net_parse(&net, arena, name, text, error));
  MN_TRY(mn_pick_create(&pick, arena, net));
  MN_TRY(mn_net_frontend(&model->frontend, net, &pick, error));
  MN_TRY(mn_net_lower(&bare, arena, net, &pick, error));
  model->graph = test_random_frozen(arena, bare, 1);
  return MN_OK;
}

static mn_status load(mn_model *model, mn_arena *arena, const char *name, mn_error *error) {
  if (strncmp(name, "random:", 7) == 0) {
    uint64_t seed = strtoull(name + 7, NULL, 10);
    *model = (mn_model){.graph = test_random_frozen(arena, test_random_bare(arena, seed, 9), seed)};
    return MN_OK;
  }
  mn_bytes file = {0};
  MN_TRY(mn_file_read(&file, arena, name, 0, error));
  size_t length = strlen(name);
  if (length > 4 && strcmp(name + length - 4, ".net") == 0)
    return load_net(model, arena, name, file, error);
  return mn_tflite_read(model, arena, file, error);
}

/* A model that hears or sees has stages. */
static void hold_frontend(const mn_bench_result *r, const mn_frontend *frontend) {
  bool hears = frontend->kind == MN_FRONTEND_MFCC || frontend->kind == MN_FRONTEND_LOGMEL;
  for (int32_t i = 0; i < r->frontend.stage_count; i++)
    printf("stage=\"%s\" instructions=%lld cycles=%.0f\n", r->frontend.stages[i].name,
           (long long)r->frontend.stages[i].instructions, r->frontend.stages[i].cycles_modelled);
  bool sees = frontend->kind == MN_FRONTEND_IMAGE;
  promise("frontend.stages", hears || sees, r->frontend.stage_count >= (hears ? 5 : 2), true);
}

/* How often a run passes a mark: one before each call. */
static int64_t marks_of(const mn_plan *plan) {
  int64_t marks = 0;
  int32_t turns = 1;
  for (int32_t s = 0; s < plan->step_count; s++) {
    if (plan->steps[s].kind != MN_STEP_CALL)
      turns = plan->steps[s].kind == MN_STEP_LOOP ? plan->steps[s].count : 1;
    else
      marks += turns;
  }
  return marks;
}

static void hold_against_price(const mn_bench_result *r, const mn_price *price,
                               const mn_plan *plan) {
  int64_t layers = 0;
  for (int32_t i = 0; i < r->layer_count; i++) layers += r->layers[i].instructions;
  promise("sram.arena", price->sram.arena, r->sram.arena, true);
  promise("sram.features", price->sram.features, r->sram.features, true);
  promise("sram.data", price->sram.data, r->sram.data, true);
  promise("sram.stack", r->sram.stack_bound, r->sram.stack, false);
  promise("sram.stack_bound", price->sram.stack, r->sram.stack_bound, true);
  promise("sram.total", price->sram.total, r->sram.total, true);
  promise("flash.weights", price->flash.weights, r->flash.weights, true);
  promise("flash.constants", price->flash.constants, r->flash.constants, true);
  promise("flash.code", price->flash.code, r->flash.code, false);
  promise("flash.total", price->flash.total, r->flash.total, false);
  promise("parity.mismatches", 0, r->parity.mismatches, true);
  promise("parity.tensors", r->parity.tensors_total, r->parity.tensors, true);
  /* A mark before each call adds its own call and what the compiler moves across it. */
  promise("instructions.layers", r->instructions + 32 * marks_of(plan) + 64, layers, false);
  promise("instructions.some", r->instructions, 1, false);
}

static mn_status run(char **argv, mn_arena *arena, mn_error *error) {
  const char *limit = argv[4] != NULL ? argv[5] : NULL; /* "min-sram", or bytes of max_sram */
  mn_plan_options options = {.max_sram = limit != NULL ? atoll(limit) : 0};
  const mn_plan *plan = NULL;
  const mn_target *target = NULL;
  mn_model model;
  mn_bench_result result;
  mn_price price;
  MN_TRY(mn_target_read(&target, arena, argv[2], error));
  MN_TRY(mn_bench_code_sizes_refresh(arena, target, getenv("MN_CODE_SIZES"), NULL, error));
  MN_TRY(load(&model, arena, argv[1], error));
  options.min_sram = limit != NULL && options.max_sram == 0;
  options.frontend = &model.frontend;
  mn_bench_config config = {.target = target,
                            .plan_options = &options,
                            .vectors = argv[4],
                            .work_folder = argv[3],
                            .seed = 1};
  MN_TRY(mn_plan_make(&plan, arena, model.graph, target, &options, error));
  MN_TRY(mn_bench(&result, arena, &model, &config, error));
  MN_TRY(mn_price_graph(&price, arena, model.graph, &model.frontend, target, MN_RUNTIME_MICRONETS,
                        &options, error));
  printf("model=%s core=%s machine=%s vectors=%lld instructions=%lld cycles=%.0f\n", argv[1],
         result.core, result.machine, (long long)result.parity.vectors,
         (long long)result.instructions, result.cycles_modelled);
  hold_against_price(&result, &price, plan);
  hold_frontend(&result, &model.frontend);
  if (result.parity.first_mismatch != NULL)
    printf("first mismatch: %s\n", result.parity.first_mismatch);
  return MN_OK;
}

int main(int argc, char **argv) {
  mn_arena *arena = NULL;
  mn_error error = {{0}};
  if (argc < 4 || argc > 6 || mn_arena_create(&arena) != MN_OK) return 2;
  mn_status status = run(argv, arena, &error);
  if (status != MN_OK) fprintf(stderr, "bench_model: %s\n", error.text);
  mn_arena_destroy(arena);
  return status != MN_OK ? 1 : broken > 0 ? 4 : 0;
}
