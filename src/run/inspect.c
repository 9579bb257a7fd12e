/* inspect.c - micronets inspect: layers, memory, flash and modelled speed of a model or a network.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "run/stage.h"

typedef struct subject {
  mn_model model; /* of a .net: graph and front end alone */
  bool is_net;
  int64_t file_bytes; /* of a .tflite */
} subject;

static mn_status read_net(subject *s, const mn_run_context *context,
                          const mn_options_inspect *options, mn_error *error) {
  mn_net *net;
  MN_TRY(mn_stage_net(&net, context, context->arguments[0], &options->set, error));
  s->is_net = true;
  return mn_stage_lower(&s->model.graph, &s->model.frontend, context->arena, net, error);
}

static mn_status read_model(subject *s, const mn_run_context *context, mn_error *error) {
  mn_bytes file;
  MN_TRY(mn_file_read(&file, context->arena, context->arguments[0], 0, error));
  s->file_bytes = (int64_t)file.size;
  MN_TRY(mn_stage_model(&s->model, context, context->arguments[0], error));
  return MN_OK;
}

static mn_status text_of_frontend(char **text, const mn_run_context *context,
                                  const mn_frontend *frontend, mn_error *error) {
  mn_buffer buffer = {0};
  mn_sink sink = mn_buffer_sink(&buffer);
  *text = NULL;
  if (frontend->kind == MN_FRONTEND_NONE) return MN_OK;
  mn_status status = mn_frontend_print(&sink, frontend);
  if (status == MN_OK) {
    size_t size = buffer.size;
    while (size > 0 && buffer.data[size - 1] == '\n') size--;
    *text = mn_arena_text(context->arena, "%.*s", (int)size, (const char *)buffer.data);
  }
  mn_buffer_free(&buffer);
  return *text != NULL ? MN_OK : mn_out_of_memory(context, error);
}

/* `cycles` of each layer, -1 unknown; NULL: no target was named. */
static json_t *layers_json(const mn_graph *graph, const double *cycles) {
  json_t *layers = mn_json_array();
  for (int32_t i = 0; i < graph->op_count; i++) {
    const mn_op *op = &graph->ops[i];
    const mn_shape *shape = &graph->tensors[op->output].shape;
    json_t *layer = mn_json_object(), *output = mn_json_array();
    mn_json_put_text(layer, "name", op->name);
    mn_json_put_text(layer, "kind", mn_op_info_get(op->kind)->text);
    for (int32_t d = 0; d < shape->rank; d++) mn_json_push(output, json_integer(shape->dim[d]));
    mn_json_put(layer, "output", output);
    mn_json_put_int(layer, "macs", mn_op_macs(graph, i));
    mn_json_put_int(layer, "params", mn_op_weights(graph, i) + mn_op_biases(graph, i));
    if (cycles != NULL) mn_json_put_known(layer, "cycles_modelled", cycles[i]);
    mn_json_push(layers, layer);
  }
  return layers;
}

/* Modelled cycles of each layer; all unknown where our runtime cannot run the graph yet. */
static mn_status cycles_of_layers(const double **cycles, const mn_run_context *context,
                                  const mn_graph *graph, const mn_target *target,
                                  mn_runtime runtime, const mn_plan_options *options,
                                  mn_error *error) {
  const mn_plan *plan = NULL;
  mn_error ignored;
  double *made = mn_arena_array(context->arena, (size_t)graph->op_count + 1, sizeof *made);
  if (made == NULL) return mn_out_of_memory(context, error);
  if (mn_plan_make(&plan, context->arena, graph, target, options, &ignored) != MN_OK) plan = NULL;
  for (int32_t i = 0; i < graph->op_count; i++) {
    if (runtime == MN_RUNTIME_TFLM)
      made[i] = mn_tflm_op_cycles(graph, i, target);
    else
      made[i] = plan != NULL ? mn_plan_op_cycles(plan, i, target) : -1;
  }
  *cycles = made;
  return MN_OK;
}

static void put_target(json_t *object, const mn_target *target, const mn_price *price,
                       mn_runtime runtime) {
  mn_json_put_text(object, "target", target->name);
  mn_stage_put_speed(object, price);
  mn_stage_put_error(object, target, runtime, price->cycles_modelled >= 0);
}

/* What our runtime cannot run yet still has layers and a price under TFLM; ours is unknown then. */
static mn_status price_subject(mn_price *price, const mn_run_context *context, const subject *s,
                               const mn_target *target, mn_runtime runtime,
                               const mn_plan_options *options, mn_error *error) {
  mn_tflm_memory tflm = {-1, -1, -1};
  mn_error ignored;
  const mn_frontend *frontend =
      s->model.frontend.kind != MN_FRONTEND_NONE ? &s->model.frontend : NULL;
  mn_status status = mn_price_graph(price, context->arena, s->model.graph, frontend, target,
                                    runtime, options, error);
  if (status != MN_ERR_UNSUPPORTED) return mn_stage_blame(status, context->arguments[0], error);
  mn_monitor_message(context->monitor, MN_LEVEL_WARNING, "%s: %s; its sram and flash are unknown",
                     context->arguments[0], error->text);
  error->text[0] = 0;
  if (mn_tflm_memory_of(&tflm, context->arena, s->model.graph, &ignored) != MN_OK)
    tflm = (mn_tflm_memory){-1, -1, -1};
  *price = (mn_price){.flash = {-1, -1, -1, -1},
                      .sram = {-1, -1, -1, -1, -1, -1},
                      .tflm = {tflm.arena, tflm.head, tflm.tail, -1},
                      .cycles_modelled = -1,
                      .ms_modelled = -1,
                      .mj_modelled = -1};
  return MN_OK;
}

static mn_status describe(json_t *object, const mn_run_context *context, const subject *s,
                          const mn_target *target, const mn_options_inspect *options,
                          mn_error *error) {
  mn_price price;
  char *frontend;
  const double *cycles = NULL;
  const mn_stage_asked asked = MN_STAGE_ASKED(options);
  mn_runtime runtime = mn_stage_runtime_of(options->runtime);
  mn_plan_options plan_options;
  mn_counts counts = mn_graph_counts(s->model.graph);
  MN_TRY(text_of_frontend(&frontend, context, &s->model.frontend, error));
  MN_TRY(mn_stage_plan_options(&plan_options, &asked, &s->model, context->arena, error));
  MN_TRY(price_subject(&price, context, s, target, runtime, &plan_options, error));
  if (!s->is_net) mn_stage_use_file(&price, s->file_bytes);
  mn_json_put_int(object, "macs", counts.macs);
  mn_json_put_int(object, "ops", counts.ops);
  mn_json_put_int(object, "params", counts.params);
  if (target != NULL)
    MN_TRY(
        cycles_of_layers(&cycles, context, s->model.graph, target, runtime, &plan_options, error));
  mn_json_put(object, "layers", layers_json(s->model.graph, cycles));
  mn_json_put_text(object, "front_end", frontend);
  if (target != NULL && runtime == MN_RUNTIME_MICRONETS) mn_stage_put_rule(object, &plan_options);
  mn_stage_put_memory(object, &price);
  mn_stage_put_tflm(object, &price, s->model.graph);
  mn_stage_put_map(object, &price, s->model.graph, target);
  if (target != NULL) put_target(object, target, &price, runtime);
  if (target != NULL) mn_stage_put_duty(object, &s->model.frontend, price.ms_modelled);
  return MN_OK;
}

static void put_model(json_t *object, const mn_model *model) {
  json_t *labels = mn_json_array();
  for (int32_t i = 0; i < model->label_count; i++)
    mn_json_push(labels, mn_json_text(model->labels[i]));
  mn_json_put(object, "labels", labels);
  mn_json_put(object, "threshold",
              model->has_threshold ? json_real((double)model->threshold) : json_null());
  mn_json_put_text(object, "trained_on", model->trained_on);
  mn_json_put_text(object, "description", model->description);
}

mn_status mn_run_inspect(json_t **result, const mn_run_context *context,
                         const mn_options_inspect *options, mn_error *error) {
  subject s = {0};
  const mn_target *target = NULL;
  const char *path = context->arguments[0];
  if (options->target != NULL) MN_TRY(mn_stage_target(&target, context, options->target, error));
  if (mn_stage_has_suffix(path, ".net"))
    MN_TRY(read_net(&s, context, options, error));
  else
    MN_TRY(read_model(&s, context, error));
  json_t *object = mn_json_open(context);
  mn_json_put_text(object, "model", path);
  mn_status status = describe(object, context, &s, target, options, error);
  if (!s.is_net) put_model(object, &s.model);
  if (status == MN_OK) return mn_json_finish(result, object, context, false, error);
  json_decref(object);
  return status;
}
