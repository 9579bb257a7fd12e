/* stage.c - opening what options name, and paths. See stage.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "run/stage.h"

#include <string.h>
#include <sys/stat.h>

mn_status mn_out_of_memory(const mn_run_context *context, mn_error *error) {
  return mn_error_set(error, MN_ERR_MEMORY, "%s: out of memory", context->command);
}

mn_status mn_stage_need(const mn_run_context *context, const char *value, const char *option,
                        const char *expected, mn_error *error) {
  if (value != NULL) return MN_OK;
  return mn_error_set(error, MN_ERR_USAGE,
                      "%s: found no %s; expected %s %s; see micronets %s --help", context->command,
                      option, option, expected, context->command);
}

/* ---- Paths ----------------------------------------------------------------------------------*/
const char *mn_stage_path(const mn_run_context *context, const char *folder, const char *name) {
  if (strcmp(folder, ".") == 0) return mn_arena_text(context->arena, "%s", name);
  return mn_arena_text(context->arena, "%s/%s", folder, name);
}

static const char *folder_of(const mn_run_context *context, const char *file) {
  const char *slash = strrchr(file, '/');
  if (slash == NULL) return ".";
  return mn_arena_text(context->arena, "%.*s", slash > file ? (int)(slash - file) : 1, file);
}

mn_status mn_stage_folder(const char **folder, const mn_run_context *context, const char *standard,
                          mn_error *error) {
  const char *path = context->common->out != NULL ? context->common->out : standard;
  char *name = mn_arena_text(context->arena, "%s", path);
  if (name == NULL) return mn_out_of_memory(context, error);
  for (size_t size = strlen(name); size > 1 && name[size - 1] == '/'; size--) name[size - 1] = 0;
  MN_TRY(mn_folder_make(name, error));
  *folder = name;
  return MN_OK;
}

bool mn_stage_has_suffix(const char *path, const char *suffix) {
  size_t length = strlen(path), tail = strlen(suffix);
  return length > tail && strcmp(path + length - tail, suffix) == 0;
}

mn_status mn_stage_file_or_folder(const char **file, const char **folder,
                                  const mn_run_context *context, const char *suffix,
                                  const char *name, mn_error *error) {
  const char *out = context->common->out;
  if (out == NULL || !mn_stage_has_suffix(out, suffix)) {
    MN_TRY(mn_stage_folder(folder, context, ".", error));
    *file = mn_stage_path(context, *folder, name);
  } else {
    *folder = folder_of(context, out);
    if (*folder == NULL) return mn_out_of_memory(context, error);
    MN_TRY(mn_folder_make(*folder, error));
    *file = out;
  }
  return *file != NULL ? MN_OK : mn_out_of_memory(context, error);
}

/* ---- Inputs ---------------------------------------------------------------------------------*/
static mn_task task_of(const char *word) {
  for (int task = MN_TASK_AUTO; task <= MN_TASK_IC; task++)
    if (strcmp(word, mn_task_text((mn_task)task)) == 0) return (mn_task)task;
  return MN_TASK_AUTO;
}

/* cache/ in the folder of that file, where there is one. */
static const char *cache_beside(const mn_run_context *context, const char *file) {
  const char *folder = folder_of(context, file);
  const char *cache = folder != NULL ? mn_stage_path(context, folder, "cache") : NULL;
  struct stat found;
  return cache != NULL && stat(cache, &found) == 0 && S_ISDIR(found.st_mode) ? cache : NULL;
}

mn_status mn_stage_dataset(mn_dataset **dataset, const mn_run_context *context, const char *folder,
                           const char *earlier, mn_error *error) {
  const mn_options_data *data = context->data;
  if (context->dataset != NULL) {
    *dataset = context->dataset;
    return MN_OK;
  }
  if ((data->data == NULL) == (data->words == NULL))
    return mn_error_set(
        error, MN_ERR_USAGE, "%s: found %s; expected one of --data D and --words W,W,...",
        context->command,
        data->data == NULL ? "neither --data nor --words" : "both --data and --words");
  if (data->only_words && data->words == NULL)
    return mn_error_set(error, MN_ERR_USAGE, "--only-words: found --data; expected --words");
  if (data->unknown_words != NULL && (data->words == NULL || data->only_words))
    return mn_error_set(error, MN_ERR_USAGE, "--unknown-words: found %s; expected --words alone",
                        data->words == NULL ? "--data" : "--only-words");
  if (data->language != NULL && data->words == NULL)
    return mn_error_set(error, MN_ERR_USAGE, "--language: found --data; expected --words");
  mn_data_config config = {.path = data->data,
                           .words = data->words,
                           .only_words = data->only_words,
                           .classes = data->classes,
                           .unknown_words = data->unknown_words,
                           .language = data->language,
                           .task = task_of(data->task),
                           .seed = (uint64_t)context->common->seed,
                           .cache_folder = data->cache,
                           .pool = context->pool,
                           .monitor = context->monitor};
  if (config.cache_folder == NULL && earlier != NULL)
    config.cache_folder = cache_beside(context, earlier);
  if (config.cache_folder == NULL && folder != NULL)
    config.cache_folder = mn_stage_path(context, folder, "cache");
  return mn_dataset_open(dataset, &config, error);
}

void mn_stage_close(const mn_run_context *context, mn_dataset *dataset) {
  if (dataset != context->dataset) mn_dataset_close(dataset);
}

static mn_status set_one(mn_net *net, mn_arena *arena, const char *assignment, mn_error *error) {
  const char *equals = strchr(assignment, '=');
  if (equals == NULL || equals == assignment)
    return mn_error_set(error, MN_ERR_USAGE, "--set: found \"%s\"; expected NAME=VALUE",
                        assignment);
  const char *name = mn_arena_text(arena, "%.*s", (int)(equals - assignment), assignment);
  if (name == NULL) return mn_error_set(error, MN_ERR_MEMORY, "--set: out of memory");
  return mn_net_set(net, name, equals + 1, error);
}

mn_status mn_stage_net(mn_net **net, const mn_run_context *context, const char *path,
                       const mn_text_list *set, mn_error *error) {
  mn_bytes text;
  MN_TRY(mn_file_read(&text, context->arena, path, 1 << 20, error));
  MN_TRY(mn_net_parse(net, context->arena, path, text, error));
  for (int32_t i = 0; i < set->count; i++)
    MN_TRY(set_one(*net, context->arena, set->item[i], error));
  return MN_OK;
}

mn_status mn_stage_lower(const mn_graph **graph, mn_frontend *frontend, mn_arena *arena,
                         const mn_net *net, mn_error *error) {
  mn_pick pick;
  for (int32_t d = 0; d < mn_net_decisions(net); d++) {
    const mn_decision *decision = mn_net_decision(net, d);
    if (decision->options > 1)
      return mn_error_set(error, MN_ERR_FORMAT,
                          "%s:%d:%d: %s is left open; expected a network; pin it with --set "
                          "%s=VALUE, or see micronets space",
                          mn_net_path(net), (int)decision->line, (int)decision->column,
                          decision->name, decision->name);
  }
  MN_TRY(mn_pick_create(&pick, arena, net));
  MN_TRY(mn_net_frontend(frontend, net, &pick, error));
  return mn_net_lower(graph, arena, net, &pick, error);
}

/* A net without that name has its classes written down: the caller compares them later. */
mn_status mn_stage_classes(mn_net *net, const mn_dataset *dataset, mn_error *error) {
  char text[16];
  snprintf(text, sizeof text, "%d", (int)mn_dataset_classes(dataset));
  mn_error ignored = {{0}};
  mn_status status = mn_net_set(net, "classes", text, &ignored);
  if (status == MN_OK || status == MN_ERR_ARGUMENT) return MN_OK;
  if (error != NULL) *error = ignored;
  return status;
}

mn_status mn_stage_words(mn_file_words *words, const mn_run_context *context, mn_arena *arena,
                         const mn_dataset *dataset, mn_error *error) {
  int32_t classes = mn_dataset_classes(dataset);
  const char **labels = mn_arena_array(arena, (size_t)classes, sizeof *labels);
  if (labels == NULL) return mn_out_of_memory(context, error);
  for (int32_t c = 0; c < classes; c++) labels[c] = mn_dataset_class(dataset, c);
  *words = (mn_file_words){.labels = labels,
                           .label_count = classes,
                           .description = "micronets " MICRONETS_VERSION,
                           .trained_on = mn_dataset_trained_on(dataset)};
  return MN_OK;
}

mn_status mn_stage_blame(mn_status status, const char *path, mn_error *error) {
  bool said = strncmp(error->text, path, strlen(path)) == 0;
  bool about_file =
      status == MN_ERR_FORMAT || status == MN_ERR_UNSUPPORTED || status == MN_ERR_BUDGET;
  return said || !about_file ? status : mn_error_prefix(error, status, "%s", path);
}

mn_status mn_stage_model(mn_model *model, const mn_run_context *context, const char *path,
                         mn_error *error) {
  mn_bytes file;
  MN_TRY(mn_file_read(&file, context->arena, path, 0, error));
  MN_TRY(mn_stage_blame(mn_tflite_read(model, context->arena, file, error), path, error));
  const bool hears = model->frontend.kind != MN_FRONTEND_NONE;
  const char *fault = hears ? mn_frontend_check(&model->frontend) : NULL;
  if (fault == NULL) return MN_OK;
  return mn_error_set(error, MN_ERR_FORMAT, "%s: the front end in its metadata: %s", path, fault);
}

mn_status mn_stage_machines(const mn_dataset *dataset, const char *path, mn_error *error) {
  if (mn_dataset_classes(dataset) > 1) return MN_OK;
  return mn_error_set(
      error, MN_ERR_FORMAT,
      "%s: training shows one machine, \"%s\": there is nothing to tell apart; train an "
      "auto-encoder instead, such as networks/mlperf_ad.net",
      path, mn_dataset_class(dataset, 0));
}

void mn_stage_put_metric(json_t *object, const mn_dataset *dataset) {
  const bool machines = mn_dataset_task(dataset) == MN_TASK_AD;
  mn_json_put_text(object, "metric", machines ? "auc" : "accuracy");
}

mn_status mn_stage_range(const char *option, int64_t value, int64_t least, int64_t most,
                         mn_error *error) {
  if (value >= least && value <= most) return MN_OK;
  return mn_error_set(error, MN_ERR_USAGE, "--%s: found %lld; expected %lld to %lld", option,
                      (long long)value, (long long)least, (long long)most);
}

mn_runtime mn_stage_runtime_of(const char *word) {
  return strcmp(word, "tflm") == 0 ? MN_RUNTIME_TFLM : MN_RUNTIME_MICRONETS;
}

mn_status mn_stage_runtime(const mn_run_context *context, const char *runtime, mn_error *error) {
  if (mn_stage_runtime_of(runtime) == MN_RUNTIME_MICRONETS) return MN_OK;
  return mn_error_set(error, MN_ERR_USAGE, "%s: --runtime tflm is not built yet; leave it out",
                      context->command);
}

/* ---- Prices as JSON --------------------------------------------------------------------------*/
void mn_stage_put_memory(json_t *object, const mn_price *price) {
  json_t *sram = mn_json_object(), *flash = mn_json_object();
  mn_json_put_known_int(sram, "arena", price->sram.arena);
  mn_json_put_known_int(sram, "features", price->sram.features);
  mn_json_put_known_int(sram, "data", price->sram.data);
  mn_json_put_known_int(sram, "stack", price->sram.stack);
  mn_json_put_known_int(sram, "lower_bound", price->sram.lower_bound);
  mn_json_put_known_int(sram, "total", price->sram.total);
  mn_json_put(object, "sram", sram);
  mn_json_put_known_int(flash, "weights", price->flash.weights);
  mn_json_put_known_int(flash, "constants", price->flash.constants);
  mn_json_put_known_int(flash, "code", price->flash.code);
  mn_json_put_known_int(flash, "total", price->flash.total);
  mn_json_put(object, "flash", flash);
}

void mn_stage_put_tflm(json_t *object, const mn_price *price, const mn_graph *graph) {
  json_t *tflm = mn_json_object(), *ops = mn_json_array();
  bool seen[MN_OP_COUNT] = {false};
  mn_json_put_known_int(tflm, "arena", price->tflm.arena);
  mn_json_put_known_int(tflm, "head", price->tflm.head);
  mn_json_put_known_int(tflm, "tail", price->tflm.tail);
  mn_json_put_known_int(tflm, "model_bytes",
                        price->tflm.model_bytes > 0 ? price->tflm.model_bytes : -1);
  for (int32_t i = 0; i < graph->op_count; i++) seen[graph->ops[i].kind] = true;
  for (int kind = 0; kind < MN_OP_COUNT; kind++)
    if (seen[kind]) mn_json_push(ops, mn_json_text(mn_op_info_get((mn_op_kind)kind)->text));
  mn_json_put(tflm, "ops", ops);
  mn_json_put(object, "tflm", tflm);
}

void mn_stage_put_duty(json_t *object, const mn_frontend *frontend, double ms_modelled) {
  double stride_ms = -1;
  if (mn_frontend_listens(frontend))
    stride_ms = frontend->step_us / 1e3 * (frontend->every > 0 ? frontend->every : 1);
  mn_json_put_known(object, "stride_ms", stride_ms);
  mn_json_put_known(object, "duty_cycle_modelled",
                    stride_ms > 0 && ms_modelled >= 0 ? ms_modelled / stride_ms : -1);
}

void mn_stage_put_speed(json_t *object, const mn_price *price) {
  mn_json_put_known(object, "cycles_modelled", price->cycles_modelled);
  mn_json_put_known(object, "ms_modelled", price->ms_modelled);
  mn_json_put_known(object, "mj_modelled", price->mj_modelled);
}

void mn_stage_put_error(json_t *object, const mn_target *target, mn_runtime runtime, bool known) {
  bool judged = known && target->error_percent > 0; /* an error of nothing is nothing */
  mn_json_put_known(object, "error_percent", judged ? target->error_percent : -1);
  mn_json_put_text(object, "error_basis", judged ? target->error_basis : NULL);
  mn_json_put_text(object, "power_basis",
                   target->active_watts > 0 ? target->active_watts_source : NULL);
  mn_json_put(object, "verified_on_board", json_boolean(judged && runtime == MN_RUNTIME_TFLM));
}
