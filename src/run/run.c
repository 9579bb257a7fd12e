/* run.c - micronets run: scores of clips or stored tensors; every operator's tensor for comparison.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "micronets/eval.h"
#include "run/anomaly.h"
#include "run/dump.h"
#include "run/infer.h"

typedef struct run_job {
  const mn_run_context *context;
  const mn_options_run *options;
  mn_infer infer;
  mn_dump dump;
  mn_buffer dumped, output; /* files, whole at the end */
  json_t *rows;
} run_job;

/* A model without labels answers with its index. */
static json_t *class_json(const mn_model *model, int32_t best) {
  if (best < model->label_count) return mn_json_text(model->labels[best]);
  return json_integer(best);
}

static mn_status put_row(run_job *job, const char *path, mn_error *error) {
  const mn_model *model = job->infer.model;
  double *score = mn_arena_array(job->context->arena, (size_t)job->infer.outputs, sizeof *score);
  if (score == NULL) return mn_out_of_memory(job->context, error);
  double probability;
  mn_eval_scores(score, model->graph, mn_exec_output(job->infer.exec, 0));
  int32_t best = mn_eval_winner(&probability, model->graph, score);
  json_t *row = mn_json_object(), *scores = mn_json_array();
  for (int64_t i = 0; i < job->infer.outputs; i++) mn_json_push(scores, json_real(score[i]));
  mn_json_put_text(row, "input", path);
  mn_json_put(row, "class", class_json(model, best));
  mn_json_put_int(row, "index", best);
  mn_json_put_real(row, "probability", probability);
  mn_json_put(
      row, "accepted",
      model->has_threshold ? json_boolean(probability >= (double)model->threshold) : json_null());
  mn_json_put(row, "scores", scores);
  mn_json_push(job->rows, row);
  return MN_OK;
}

static mn_status run_input(run_job *job, const char *path, mn_error *error) {
  const mn_watch watch = mn_dump_watch(&job->dump);
  if (!job->options->sequence) mn_exec_reset(job->infer.exec);
  MN_TRY(job->options->raw ? mn_infer_raw(&job->infer, path, error)
                           : mn_infer_file(&job->infer, path, error));
  mn_exec_run(job->infer.exec, job->options->dump != NULL ? &watch : NULL);
  mn_status status = MN_OK;
  if (job->options->dump != NULL) status = mn_dump_append(&job->dumped, &job->dump);
  if (status == MN_OK)
    status = mn_buffer_append(&job->output, mn_exec_output(job->infer.exec, 0),
                              mn_tensor_bytes(job->infer.output));
  if (status != MN_OK) return mn_out_of_memory(job->context, error);
  return put_row(job, path, error);
}

/* A recording of a machine is scored window by window; it has neither a dump nor a raw output. */
static mn_status run_recording(run_job *job, const char *path, mn_error *error) {
  json_t *row;
  MN_TRY(mn_anomaly_run(&row, &job->infer, path, error));
  mn_json_push(job->rows, row);
  return MN_OK;
}

static mn_status run_inputs(run_job *job, mn_error *error) {
  bool machine = job->infer.model->score_kind != NULL && !job->options->raw &&
                 job->options->dump == NULL && job->options->output == NULL;
  for (int32_t i = 1; i < job->context->argument_count; i++) {
    if (mn_monitor_stopped(job->context->monitor))
      return mn_error_set(error, MN_ERR_INTERRUPTED, "run: interrupted");
    MN_TRY((machine ? run_recording : run_input)(job, job->context->arguments[i], error));
  }
  const mn_options_run *options = job->options;
  if (options->dump != NULL)
    MN_TRY(mn_file_write(options->dump, job->dumped.data, job->dumped.size, error));
  if (options->output != NULL)
    MN_TRY(mn_file_write(options->output, job->output.data, job->output.size, error));
  return MN_OK;
}

/* The first input's answer stands at the top; several have a list besides. */
static mn_status finish(json_t **result, run_job *job, mn_error *error) {
  json_t *object = mn_json_open(job->context);
  json_t *first = json_array_get(job->rows, 0);
  json_object_update(object, first);
  if (json_array_size(job->rows) > 1) mn_json_put(object, "inputs", json_incref(job->rows));
  mn_json_put_text(object, "trained_on", job->infer.model->trained_on);
  return mn_json_finish(result, object, job->context, false, error);
}

/* Standard output holds the object and nothing else. */
static mn_status check_options(const mn_run_context *context, const mn_options_run *options,
                               mn_error *error) {
  const bool dumps = options->dump != NULL && strcmp(options->dump, "-") == 0;
  const bool outputs = options->output != NULL && strcmp(options->output, "-") == 0;
  if (!context->common->json || (!dumps && !outputs)) return MN_OK;
  return mn_error_set(error, MN_ERR_USAGE,
                      "--%s -: found --json, whose object goes to standard output; expected a file",
                      dumps ? "dump" : "output");
}

mn_status mn_run_run(json_t **result, const mn_run_context *context, const mn_options_run *options,
                     mn_error *error) {
  mn_model model;
  run_job job = {.context = context, .options = options};
  MN_TRY(check_options(context, options, error));
  MN_TRY(mn_stage_model(&model, context, context->arguments[0], error));
  MN_TRY(mn_stage_blame(mn_infer_open(&job.infer, context, &model, options->dump != NULL, error),
                        context->arguments[0], error));
  mn_status status =
      options->dump != NULL ? mn_dump_open(&job.dump, context, model.graph, error) : MN_OK;
  job.rows = mn_json_array();
  if (status == MN_OK) status = run_inputs(&job, error);
  if (status == MN_OK) status = finish(result, &job, error);
  json_decref(job.rows);
  mn_buffer_free(&job.dumped);
  mn_buffer_free(&job.output);
  mn_infer_close(&job.infer);
  return status;
}
