/* bench.c - micronets bench: the firmware on an emulated core.
 * SPDX-License-Identifier: Apache-2.0 */
#include "micronets/bench.h"

#include <string.h>

#include "run/stage.h"

static void push_layers(json_t *layers, const mn_bench_layer *list, int32_t count) {
  for (int32_t i = 0; i < count; i++) {
    const mn_bench_layer *from = &list[i];
    json_t *layer = mn_json_object();
    mn_json_put_text(layer, "name", from->name);
    mn_json_put_text(layer, "kind", from->kind);
    mn_json_put_int(layer, "macs", from->macs);
    mn_json_put_known_int(layer, "instructions", from->instructions);
    mn_json_put_known(layer, "cycles_modelled", from->cycles_modelled);
    if (from->cycles > 0) mn_json_put_known(layer, "cycles_measured", from->cycles);
    mn_json_push(layers, layer);
  }
}

/* The stages of the front end, then the network's layers. */
static json_t *layers_json(const mn_bench_result *r) {
  json_t *layers = mn_json_array();
  push_layers(layers, r->frontend.stages, r->frontend.stage_count);
  push_layers(layers, r->layers, r->layer_count);
  return layers;
}

/* One whole input of sound, or one frame: sums over its stages, and the bytes it needs. */
static json_t *frontend_json(const mn_bench_result *r) {
  if (r->frontend.stage_count == 0) return json_null();
  json_t *object = mn_json_object();
  int64_t instructions = 0;
  double cycles = 0;
  for (int32_t i = 0; i < r->frontend.stage_count; i++) {
    const mn_bench_layer *stage = &r->frontend.stages[i];
    instructions += stage->instructions;
    cycles = stage->cycles_modelled < 0 ? -1 : cycles + stage->cycles_modelled;
  }
  mn_json_put_int(object, "instructions", instructions);
  mn_json_put_known(object, "cycles_modelled", cycles);
  bool frame = r->frontend.frame_width > 0;
  mn_json_put_known_int(object, "frame_width", frame ? r->frontend.frame_width : -1);
  mn_json_put_known_int(object, "frame_height", frame ? r->frontend.frame_height : -1);
  mn_json_put_int(object, "state", r->frontend.state_bytes);
  mn_json_put_int(object, "scratch", r->frontend.scratch_bytes);
  mn_json_put_int(object, "tables", r->frontend.tables_bytes);
  return object;
}

static json_t *parity_json(const mn_bench_result *r) {
  json_t *parity = mn_json_object(), *missing = mn_json_array();
  mn_json_put_int(parity, "tensors", r->parity.tensors);
  mn_json_put_int(parity, "tensors_total", r->parity.tensors_total);
  for (int32_t i = 0; i < r->parity.not_materialised_count; i++)
    mn_json_push(missing, mn_json_text(r->parity.not_materialised[i]));
  mn_json_put(parity, "not_materialised", missing);
  mn_json_put_int(parity, "vectors", r->parity.vectors);
  mn_json_put_int(parity, "mismatches", r->parity.mismatches);
  mn_json_put_text(parity, "first_mismatch", r->parity.first_mismatch);
  return parity;
}

static void put_memory(json_t *object, const mn_bench_result *r) {
  json_t *sram = mn_json_object(), *flash = mn_json_object();
  mn_json_put_known_int(sram, "arena", r->sram.arena);
  mn_json_put_known_int(sram, "features", r->sram.features);
  mn_json_put_known_int(sram, "data", r->sram.data);
  mn_json_put_known_int(sram, "stack", r->sram.stack);
  mn_json_put_known_int(sram, "stack_bound", r->sram.stack_bound);
  mn_json_put_known_int(sram, "total", r->sram.total);
  mn_json_put(object, "sram", sram);
  mn_json_put_known_int(flash, "weights", r->flash.weights);
  mn_json_put_known_int(flash, "constants", r->flash.constants);
  mn_json_put_known_int(flash, "code", r->flash.code);
  mn_json_put_known_int(flash, "total", r->flash.total);
  mn_json_put(object, "flash", flash);
}

static mn_status bench_json(json_t **result, const mn_run_context *context,
                            const mn_bench_result *r, const mn_bench_config *config,
                            const mn_frontend *frontend, mn_error *error) {
  const mn_target *target = config->target;
  json_t *object = mn_json_open(context);
  mn_json_put_text(object, "target", target->name);
  mn_stage_put_rule(object, config->plan_options);
  mn_json_put_text(object, "core", r->core);
  mn_json_put_text(object, "machine", r->machine);
  mn_json_put(object, "emulated", json_boolean(r->emulated));
  mn_json_put_known_int(object, "instructions", r->instructions);
  mn_json_put_known(object, "cycles_modelled", r->cycles_modelled);
  mn_json_put_known(object, "ms_modelled", r->ms_modelled);
  mn_json_put_known(object, "mj_modelled", r->mj_modelled);
  mn_stage_put_duty(object, frontend, r->ms_modelled);
  mn_stage_put_error(object, target, MN_RUNTIME_MICRONETS, r->cycles_modelled >= 0);
  mn_json_put_known(object, "cycles_measured", r->cycles > 0 ? r->cycles : -1);
  mn_json_put_known(object, "ms_measured", r->cycles > 0 ? 1e3 * r->cycles / target->clock_hz : -1);
  put_memory(object, r);
  mn_json_put(object, "frontend", frontend_json(r));
  mn_json_put(object, "parity", parity_json(r));
  mn_json_put(object, "layers", layers_json(r));
  return mn_json_finish(result, object, context, true, error);
}

mn_status mn_run_bench(json_t **result, const mn_run_context *context,
                       const mn_options_bench *options, mn_error *error) {
  mn_model model;
  mn_bench_result r = {0};
  const mn_target *target;
  mn_plan_options plan_options;
  const mn_stage_asked asked = MN_STAGE_ASKED(options);
  MN_TRY(mn_stage_runtime(context, options->runtime, error));
  MN_TRY(mn_stage_need(context, options->target, "--target", "NAME|FILE", error));
  MN_TRY(mn_stage_target(&target, context, options->target, error));
  MN_TRY(mn_stage_model(&model, context, context->arguments[0], error));
  MN_TRY(mn_stage_plan_options(&plan_options, &asked, &model, context->arena, error));
  mn_bench_config config = {.target = target,
                            .plan_options = &plan_options,
                            .vectors = options->vectors,
                            .port = options->port,
                            .seed = (uint64_t)context->common->seed,
                            .monitor = context->monitor};
  if (context->common->out != NULL)
    MN_TRY(mn_stage_folder(&config.work_folder, context, ".", error));
  mn_status status = mn_bench(&r, context->arena, &model, &config, error);
  if (status != MN_OK && status != MN_ERR_PARITY)
    return mn_stage_blame(status, context->arguments[0], error);
  mn_error kept = status != MN_OK ? *error : (mn_error){{0}};
  MN_TRY(bench_json(result, context, &r, &config, &model.frontend, error));
  if (status == MN_OK && r.parity.mismatches > 0)
    return mn_error_set(error, MN_ERR_PARITY, "bench: %lld tensors differ from the host; first: %s",
                        (long long)r.parity.mismatches,
                        r.parity.first_mismatch != NULL ? r.parity.first_mismatch : "-");
  if (status != MN_OK) *error = kept;
  return status;
}
