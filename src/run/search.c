/* search.c - micronets search: arch.net, the front, supernet.ckpt and search.json from one search.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "run/search_front.h"
#include "run/search_inputs.h"
#include "run/window.h"

typedef struct search_job {
  const mn_run_context *context;
  const mn_options_search *options;
  const char *folder, *arch;
  mn_net *net;
  mn_dataset *dataset;
  mn_search_config config;
  mn_file_words words;
  json_t *inputs; /* what each input line was worth; empty where there is one */
} search_job;

static mn_status net_text(mn_bytes *text, const search_job *job, const mn_pick *pick,
                          mn_error *error) {
  mn_buffer buffer = {0};
  mn_sink sink = mn_buffer_sink(&buffer);
  mn_status status = mn_net_print(&sink, job->net, pick);
  char *copy = status == MN_OK ? mn_arena_text(job->context->arena, "%.*s", (int)buffer.size,
                                               (char *)buffer.data)
                               : NULL;
  *text = (mn_bytes){(const uint8_t *)copy, buffer.size};
  mn_buffer_free(&buffer);
  return copy != NULL ? MN_OK : mn_out_of_memory(job->context, error);
}

/* The network as a file, and its row. */
static mn_status put_candidate(json_t **row, const search_job *job, const mn_candidate *candidate,
                               const char *path, mn_error *error) {
  mn_bytes text;
  MN_TRY(net_text(&text, job, &candidate->pick, error));
  MN_TRY(mn_file_write(path, text.data, text.size, error));
  json_t *object = mn_json_object();
  mn_json_put_text(object, "net", path);
  mn_json_put_int(object, "ops", candidate->price.ops);
  mn_json_put_int(object, "params", candidate->price.params);
  mn_json_put_known_int(object, "flash", candidate->price.flash.total);
  mn_json_put_known_int(object, "sram", candidate->price.sram.total);
  mn_json_put_known(object, "ms_modelled", candidate->price.ms_modelled);
  mn_json_put_known(object, "mj_modelled", candidate->price.mj_modelled);
  if (job->config.runtime == MN_RUNTIME_MICRONETS)
    mn_stage_put_rule(object, &(mn_plan_options){.max_sram = candidate->price.max_sram});
  mn_json_put_known(object, "val", candidate->val);
  mn_json_put_text(object, "text", (const char *)text.data);
  *row = object;
  return MN_OK;
}

static mn_status train_front(json_t *front, const search_job *job, const char *folder,
                             mn_error *error) {
  const mn_search_config *config = &job->config;
  const mn_front_training training = {
      .context = job->context,
      .dataset = job->dataset,
      .folder = folder,
      .supernet = config->supernet_in != NULL ? config->supernet_in : config->supernet_out,
      .epochs = job->options->front_epochs,
      .arithmetic = config->arithmetic,
      .resume = job->options->resume,
      .rows = front};
  return mn_search_train_front(&training, error);
}

/* Whether an interrupted run had come to the same network: what it has trained of it goes on. */
static bool stands_there(const search_job *job, const mn_candidate *candidate, const char *path) {
  mn_bytes text, old;
  mn_error ignored;
  return job->options->resume && mn_file_exists(path) &&
         net_text(&text, job, &candidate->pick, &ignored) == MN_OK &&
         mn_file_read(&old, job->context->arena, path, 0, &ignored) == MN_OK &&
         old.size == text.size && memcmp(old.data, text.data, text.size) == 0;
}

static mn_status make_room(const char **path, const search_job *job, const mn_search_result *found,
                           const char *folder, mn_error *error) {
  const int32_t count = found->pareto_count;
  bool *stands = mn_arena_array(job->context->arena, (size_t)count + 1, sizeof *stands);
  if (stands == NULL) return mn_out_of_memory(job->context, error);
  for (int32_t i = 0; i < count; i++) {
    path[i] = mn_arena_text(job->context->arena, "%s/%02d.net", folder, (int)i);
    if (path[i] == NULL) return mn_out_of_memory(job->context, error);
    stands[i] = stands_there(job, &found->pareto[i], path[i]);
  }
  return mn_search_front_clear(folder, stands, count, error);
}

static mn_status put_front(json_t *object, const search_job *job, const mn_search_result *found,
                           mn_error *error) {
  json_t *front = mn_json_array(), *row;
  mn_json_put(object, "pareto", front);
  const char *folder = mn_stage_path(job->context, job->folder, "pareto");
  const char **path =
      mn_arena_array(job->context->arena, (size_t)found->pareto_count + 1, sizeof *path);
  if (folder == NULL || path == NULL) return mn_out_of_memory(job->context, error);
  MN_TRY(make_room(path, job, found, folder, error));
  if (found->pareto_count > 0) MN_TRY(mn_folder_make(folder, error));
  for (int32_t i = 0; i < found->pareto_count; i++) {
    MN_TRY(put_candidate(&row, job, &found->pareto[i], path[i], error));
    mn_json_push(front, row);
  }
  if (job->options->front_epochs > 0) MN_TRY(train_front(front, job, folder, error));
  return mn_run_write_json(mn_stage_path(job->context, job->folder, "pareto.json"), front, error);
}

static mn_status put_result(json_t *object, const search_job *job, const mn_search_result *found,
                            mn_error *error) {
  json_t *best;
  mn_stage_put_metric(object, job->dataset);
  MN_TRY(put_candidate(&best, job, &found->best, job->arch, error));
  mn_json_put(object, "best", best);
  MN_TRY(put_front(object, job, found, error));
  mn_json_put(object, "budget_met", json_boolean(found->budget_met));
  mn_json_put_int(object, "epochs", found->epochs);
  mn_json_put_text(object, "arithmetic", mn_arithmetic_name(job->config.arithmetic));
  mn_json_put(object, "inputs", json_incref(job->inputs));
  mn_json_put_text(object, "supernet", job->config.supernet_out);
  return MN_OK;
}

/* The folder's files, then search.json as the last: where it stands, the stage is done. */
static mn_status finish(json_t **result, const search_job *job, const mn_search_result *found,
                        mn_error *error) {
  const mn_run_context *context = job->context;
  json_t *object = mn_json_open(context);
  mn_status status = put_result(object, job, found, error);
  if (status != MN_OK) {
    json_decref(object);
    return status;
  }
  MN_TRY(mn_json_finish(result, object, context, true, error));
  MN_TRY(mn_run_write_json(mn_stage_path(context, job->folder, "search.json"), *result, error));
  if (found->budget_met) return MN_OK;
  return mn_error_set(error, MN_ERR_BUDGET,
                      "search: no network of %s meets the budget %s; the nearest is in %s",
                      job->options->space, job->options->budget, job->arch);
}

/* The object where no network of the space is within the budget: for --json alone, a person reads the reason. */
static mn_status answer_no(json_t **result, const search_job *job, const mn_error *reason) {
  json_t *object = mn_json_open(job->context);
  mn_error ignored;
  mn_stage_put_metric(object, job->dataset);
  mn_json_put(object, "best", json_null());
  mn_json_put(object, "pareto", mn_json_array());
  mn_json_put(object, "budget_met", json_false());
  mn_json_put_int(object, "epochs", 0);
  mn_json_put(object, "inputs", json_incref(job->inputs));
  mn_json_put_text(object, "reason", reason->text);
  return mn_json_finish(result, object, job->context, true, &ignored);
}

static mn_status check_options(const mn_run_context *context, const mn_options_search *options,
                               mn_error *error) {
  MN_TRY(mn_stage_need(context, options->space, "--space", "FILE.net", error));
  MN_TRY(mn_stage_need(context, options->target, "--target", "NAME|FILE", error));
  MN_TRY(mn_stage_range("epochs", options->epochs, 0, MN_STAGE_MOST_EPOCHS, error));
  MN_TRY(mn_stage_range("front-epochs", options->front_epochs, 0, MN_STAGE_MOST_EPOCHS, error));
  return mn_stage_need(context, options->budget, "--budget", "flash=100K,sram=64K,...", error);
}

static mn_status prepare(search_job *job, mn_error *error) {
  const mn_run_context *context = job->context;
  const mn_options_search *options = job->options;
  MN_TRY(mn_stage_file_or_folder(&job->arch, &job->folder, context, ".net", "arch.net", error));
  const mn_target *target;
  MN_TRY(mn_stage_target(&target, context, options->target, error));
  MN_TRY(mn_stage_net(&job->net, context, options->space, &options->set, error));
  job->config =
      (mn_search_config){.target = target,
                         .runtime = mn_stage_runtime_of(options->runtime),
                         .paper_price = strcmp(options->price, "paper") == 0,
                         .epochs = (int32_t)options->epochs,
                         .warmup_epochs = -1,
                         .seed = (uint64_t)context->common->seed,
                         .arithmetic = mn_arithmetic_of(options->arithmetic),
                         .supernet_in = options->supernet,
                         .supernet_out = mn_stage_path(context, job->folder, "supernet.ckpt"),
                         .checkpoint = mn_stage_path(context, job->folder, "search.ckpt"),
                         .resume = options->resume,
                         .pool = context->pool,
                         .monitor = context->monitor};
  /* answering from a supernet in the same folder must not write over it half-way */
  if (options->supernet != NULL) job->config.supernet_out = NULL;
  MN_TRY(mn_budget_parse(&job->config.budget, options->budget, error));
  MN_TRY(mn_stage_dataset(&job->dataset, context, job->folder, options->supernet, error));
  MN_TRY(mn_stage_classes(job->net, job->dataset, error));
  if (mn_dataset_task(job->dataset) == MN_TASK_AD) {
    MN_TRY(mn_stage_machines(job->dataset, options->space, error));
    job->config.machines = mn_dataset_classes(job->dataset);
  }
  MN_TRY(mn_stage_words(&job->words, context, context->arena, job->dataset, error));
  job->config.words = &job->words;
  return MN_OK;
}

static mn_status warn_of_window(const search_job *job, mn_error *error) {
  mn_pick pick;
  mn_frontend frontend;
  MN_TRY(mn_pick_create(&pick, job->context->arena, job->net));
  MN_TRY(mn_net_frontend(&frontend, job->net, &pick, error));
  mn_window_warn(job->context, job->dataset, &frontend);
  return MN_OK;
}

mn_status mn_run_search(json_t **result, const mn_run_context *context,
                        const mn_options_search *options, mn_error *error) {
  search_job job = {.context = context, .options = options};
  mn_search_result found;
  MN_TRY(check_options(context, options, error));
  job.inputs = mn_json_array();
  const char *inputs[] = {options->space, context->data->data, options->supernet};
  mn_status status = prepare(&job, error);
  json_t *files = status == MN_OK ? mn_stage_inputs(inputs, MN_COUNT(inputs)) : NULL;
  if (status == MN_OK)
    status = mn_stage_record(context, job.folder, "running", job.dataset, json_incref(files), NULL,
                             error);
  const bool recorded = status == MN_OK;
  const mn_input_search choice = {context, options, &job.config, job.dataset, job.inputs};
  if (status == MN_OK) status = mn_search_choose_input(&job.net, &choice, error);
  if (status == MN_OK) status = warn_of_window(&job, error);
  if (status == MN_OK)
    status = mn_search(&found, context->arena, job.net, job.dataset, &job.config, error);
  if (status == MN_OK) status = finish(result, &job, &found, error);
  if (status == MN_ERR_BUDGET && recorded && context->common->json && *result == NULL &&
      answer_no(result, &job, error) != MN_OK)
    status = mn_out_of_memory(context, error);
  if (recorded)
    status =
        mn_stage_record_end(status, context, job.folder, job.dataset, json_incref(files), error);
  json_decref(files);
  json_decref(job.inputs);
  if (job.dataset != NULL) mn_stage_close(context, job.dataset);
  return status;
}
