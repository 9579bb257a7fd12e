/* train.c - micronets train: options checked, one training per seed, train.json.
 * SPDX-License-Identifier: Apache-2.0 */
#include "run/train.h"
#include "run/standard.h"
#include "run/window.h"

#include <math.h>
#include <string.h>

typedef struct train_job {
  mn_training training;
  const char *folder, *model; /* of --out */
  mn_trained *trained;        /* [seeds] */
  const char **models;        /* [seeds] paths */
  int32_t seeds, best;        /* best: highest int8 validation accuracy */
} train_job;

static mn_status check_options(const mn_run_context *context, const mn_options_train *options,
                               mn_error *error) {
  MN_TRY(mn_stage_need(context, options->net, "--net", "FILE.net", error));
  if (options->bits == 4)
    return mn_error_set(error, MN_ERR_USAGE, "train: --bits 4 is not built yet; expected --bits 8");
  if (options->bits != 8)
    return mn_error_set(error, MN_ERR_USAGE, "--bits: found %d; expected 8", (int)options->bits);
  if (options->teacher_net != NULL && options->teacher == NULL)
    return mn_error_set(error, MN_ERR_USAGE,
                        "train: found --teacher-net alone; expected --teacher CHECKPOINT with it");
  MN_TRY(mn_stage_range("epochs", options->epochs, 1, MN_STAGE_MOST_EPOCHS, error));
  MN_TRY(mn_stage_range("batch", options->batch, 1, 65536, error));
  MN_TRY(mn_stage_range("seeds", options->seeds, 1, 1000, error));
  if (options->average < 0 || options->average >= 1 || options->distill < 0 ||
      options->distill > 1 || options->cutmix < 0 || options->cutmix > 1 || options->cut < 0 ||
      options->cut > 1)
    return mn_error_set(error, MN_ERR_USAGE,
                        "train: --average, --distill, --cutmix and --cut are shares; expected 0 to "
                        "1, --average below it");
  MN_TRY(mn_stage_range("draws", options->draws, 1, 1000, error));
  if (!(options->augment >= 0 && options->augment <= 2))
    return mn_error_set(error, MN_ERR_USAGE, "--augment: found %g; expected 0 to 2",
                        options->augment);
  if (!(options->temperature > 0))
    return mn_error_set(error, MN_ERR_USAGE, "--temperature: found %g; expected more than 0",
                        options->temperature);
  MN_TRY(mn_stage_range("patience", options->patience, 0, MN_STAGE_MOST_EPOCHS, error));
  MN_TRY(mn_stage_range("warmup-epochs", options->warmup_epochs, 0, MN_STAGE_MOST_EPOCHS, error));
  if (options->quantize_from >= 1 || options->label_smoothing >= 1 || options->dropout >= 1)
    return mn_error_set(
        error, MN_ERR_USAGE,
        "train: --quantize-from, --label-smoothing and --dropout are shares; expected less than 1");
  return MN_OK;
}

/* An option that can change nothing with this data and this network was meant for others: it is refused
 * where it differs from what it is without being given. */
static mn_status check_idle(const mn_training *t, mn_error *error) {
  const mn_options_train *given = t->options;
  mn_options_train o;
  MN_OPTIONS_TRAIN(MN_SET_STANDARD)
  const bool photos = t->frontend.kind == MN_FRONTEND_IMAGE, taught = given->teacher != NULL;
  const bool spoken = t->context->data->words != NULL, classes = !t->reconstructs;
  const bool machines = mn_dataset_task(t->dataset) == MN_TASK_AD;
  const struct {
    const char *option;
    bool changed, counts;
    const char *expected;
  } rows[] = {
      {"distill", given->distill != o.distill, taught, "a --teacher"},
      {"temperature", given->temperature != o.temperature, taught, "a --teacher"},
      {"cutmix", given->cutmix != o.cutmix, photos, "photos"},
      {"draws", given->draws != o.draws, !photos && !machines, "clips of words"},
      {"augment", given->augment != o.augment, !machines, "clips of words or photos"},
      {"cut", given->cut != o.cut, spoken, "spoken words (--words)"},
      {"mixup", given->mixup != o.mixup, classes, "a classifier"},
      {"dropout", given->dropout != o.dropout, classes, "a classifier"},
      {"label-smoothing", given->label_smoothing != o.label_smoothing, classes, "a classifier"},
      {"class-weights", strcmp(given->class_weights, o.class_weights) != 0, classes,
       "a classifier"},
  };
  for (size_t i = 0; i < MN_COUNT(rows); i++)
    if (rows[i].changed && !rows[i].counts)
      return mn_error_set(error, MN_ERR_USAGE,
                          "train: --%s changes nothing here; expected %s with it; leave it out",
                          rows[i].option, rows[i].expected);
  return MN_OK;
}

/* What a network of this kind can be judged by. */
static mn_status check_score(const mn_training *t, bool machines, mn_error *error) {
  const char *score = t->options->score;
  bool reconstruction = strcmp(score, "reconstruction") == 0;
  if (strcmp(score, "auto") == 0 || (machines && strcmp(score, "bands") == 0)) return MN_OK;
  if (!machines)
    return mn_error_set(error, MN_ERR_USAGE,
                        "--score %s: found data of another task; expected recordings of machines",
                        score);
  if (reconstruction == t->reconstructs) return MN_OK;
  return mn_error_set(
      error, MN_ERR_USAGE, "--score %s: %s is %s; expected %s", score, mn_net_path(t->net),
      t->reconstructs ? "an auto-encoder" : "a classifier",
      t->reconstructs ? "reconstruction or bands" : "probability, embedding or bands");
}

/* Other activations have prices and no training. */
static mn_status check_activations(const mn_training *t, mn_error *error) {
  for (int32_t i = 0; i < t->graph->op_count; i++) {
    const mn_op *op = &t->graph->ops[i];
    const mn_dtype dtype = t->graph->tensors[op->output].dtype;
    if (dtype != MN_DTYPE_INT8)
      return mn_error_set(
          error, MN_ERR_UNSUPPORTED,
          "%s:%d: found activations of %s (%s); expected 8 bits, the only ones that "
          "can be trained",
          mn_net_path(t->net), op->line, mn_dtype_text(dtype), op->name);
  }
  return MN_OK;
}

mn_status mn_training_lower(mn_training *t, mn_error *error) {
  const mn_run_context *context = t->context;
  MN_TRY(mn_stage_lower(&t->graph, &t->frontend, context->arena, t->net, error));
  if (t->frontend.kind == MN_FRONTEND_NONE)
    return mn_error_set(error, MN_ERR_FORMAT,
                        "%s: found no front end on the input line; expected one, such as mfcc",
                        mn_net_path(t->net));
  MN_TRY(check_activations(t, error));
  const mn_shape *output = &t->graph->tensors[t->graph->outputs[0]].shape;
  int32_t classes = mn_dataset_classes(t->dataset);
  const mn_shape *input = &t->graph->tensors[t->graph->inputs[0]].shape;
  bool machines = mn_dataset_task(t->dataset) == MN_TASK_AD;
  t->reconstructs = machines && mn_shape_elements(output) == mn_shape_elements(input);
  MN_TRY(check_score(t, machines, error));
  if (t->reconstructs) return MN_OK;
  if (machines) MN_TRY(mn_stage_machines(t->dataset, mn_net_path(t->net), error));
  if (mn_shape_elements(output) == classes) return MN_OK;
  return mn_error_set(error, MN_ERR_FORMAT,
                      "%s: found %d outputs; expected %d, the classes of the data",
                      mn_net_path(t->net), (int)mn_shape_elements(output), (int)classes);
}

static mn_status run_seed(train_job *job, int32_t k, mn_error *error) {
  mn_training training = job->training;
  const mn_run_context *context = training.context;
  training.seed += (uint64_t)k;
  if (job->seeds == 1) {
    training.checkpoint = mn_stage_path(context, job->folder, "train.ckpt");
    training.model = job->model;
  } else {
    const char *stem =
        mn_arena_text(context->arena, "seed-%llu", (unsigned long long)training.seed);
    training.checkpoint =
        mn_stage_path(context, job->folder, mn_arena_text(context->arena, "%s.ckpt", stem));
    training.model =
        mn_stage_path(context, job->folder, mn_arena_text(context->arena, "%s.tflite", stem));
  }
  if (training.checkpoint == NULL || training.model == NULL)
    return mn_out_of_memory(context, error);
  job->models[k] = training.model;
  MN_TRY(mn_train_once(&job->trained[k], &training, error));
  if (job->trained[k].val.accuracy > job->trained[job->best].val.accuracy) job->best = k;
  return MN_OK;
}

/* ---- train.json --------------------------------------------------------------------------------*/
static json_t *pair(double val, double test) {
  json_t *object = mn_json_object();
  mn_json_put_known(object, "val", val);
  mn_json_put_known(object, "test", test);
  return object;
}

static void put_figures(json_t *object, const mn_trained *trained) {
  mn_json_put(object, "float", pair(trained->float_val, trained->float_test));
  mn_json_put(object, "int8",
              pair(trained->val.items > 0 ? trained->val.accuracy : -1,
                   trained->test.items > 0 ? trained->test.accuracy : -1));
}

static void put_threshold(json_t *object, const mn_trained *trained) {
  json_t *threshold = mn_json_object();
  mn_json_put_real(threshold, "threshold", (double)trained->threshold);
  mn_json_put_known(threshold, "recall_val", trained->val.recall);
  mn_json_put_known(threshold, "false_accepts_val", trained->val.false_accepts);
  mn_json_put_known(threshold, "recall_test", trained->test.recall);
  mn_json_put_known(threshold, "false_accepts_test", trained->test.false_accepts);
  mn_json_put(object, "calibration", threshold);
}

static void put_seeds(json_t *object, const train_job *job) {
  json_t *runs = mn_json_array();
  double sum = 0, square = 0;
  for (int32_t k = 0; k < job->seeds; k++) {
    json_t *run = mn_json_object();
    mn_json_put_int(run, "seed", (int64_t)job->training.seed + k);
    mn_json_put_text(run, "model", job->models[k]);
    put_figures(run, &job->trained[k]);
    mn_json_push(runs, run);
    sum += job->trained[k].test.accuracy;
  }
  double mean = sum / job->seeds;
  for (int32_t k = 0; k < job->seeds; k++) square += pow(job->trained[k].test.accuracy - mean, 2);
  /* Of the int8 test figures, which all seeds have or none. */
  bool known = job->trained[0].test.accuracy >= 0;
  mn_json_put_known(object, "mean", known ? mean : -1);
  mn_json_put_known(object, "sd", known ? sqrt(square / (job->seeds - 1)) : -1);
  mn_json_put(object, "runs", runs);
}

static mn_status finish(json_t **result, const train_job *job, mn_error *error) {
  const mn_run_context *context = job->training.context;
  const mn_trained *best = &job->trained[job->best];
  mn_counts counts = mn_graph_counts(job->training.graph);
  json_t *object = mn_json_open(context);
  mn_json_put_text(object, "model", job->model);
  mn_json_put_text(object, "trained_on", mn_dataset_trained_on(job->training.dataset));
  mn_stage_put_metric(object, job->training.dataset);
  put_figures(object, best);
  mn_json_put_int(object, "epochs", best->fit.epochs);
  mn_json_put_text(object, "arithmetic", mn_arithmetic_name(job->training.arithmetic));
  mn_json_put_int(object, "best_epoch", best->fit.best_epoch);
  mn_json_put_known(object, "samples_per_second",
                    best->fit.samples_per_second > 0 ? best->fit.samples_per_second : -1);
  mn_json_put_real(object, "loss", best->fit.loss);
  mn_json_put_int(object, "ops", counts.ops);
  mn_json_put_int(object, "params", counts.params);
  put_threshold(object, best);
  if (job->training.options->init != NULL)
    mn_json_put_known_int(object, "inherited_layers", best->inherited);
  if (job->seeds > 1) put_seeds(object, job);
  MN_TRY(mn_json_finish(result, object, context, true, error));
  return mn_run_write_json(mn_stage_path(context, job->folder, "train.json"), *result, error);
}

/* With several seeds the model is the one that validation likes best. */
static mn_status copy_best(const train_job *job, mn_error *error) {
  mn_bytes file;
  if (job->seeds == 1) return MN_OK;
  MN_TRY(mn_file_read(&file, job->training.context->arena, job->models[job->best], 0, error));
  return mn_file_write(job->model, file.data, file.size, error);
}

static mn_status prepare(train_job *job, mn_error *error) {
  mn_training *t = &job->training;
  MN_TRY(mn_stage_file_or_folder(&job->model, &job->folder, t->context, ".tflite", "model.tflite",
                                 error));
  MN_TRY(mn_stage_net(&t->net, t->context, t->options->net, &t->options->set, error));
  MN_TRY(mn_stage_dataset(&t->dataset, t->context, job->folder, t->options->init, error));
  MN_TRY(mn_stage_classes(t->net, t->dataset, error));
  MN_TRY(mn_training_lower(t, error));
  MN_TRY(check_idle(t, error));
  mn_window_warn(t->context, t->dataset, &t->frontend);
  job->seeds = (int32_t)t->options->seeds;
  job->trained = mn_arena_array(t->context->arena, (size_t)job->seeds, sizeof *job->trained);
  job->models = mn_arena_array(t->context->arena, (size_t)job->seeds, sizeof *job->models);
  return job->trained != NULL && job->models != NULL ? MN_OK : mn_out_of_memory(t->context, error);
}

mn_status mn_run_train(json_t **result, const mn_run_context *context,
                       const mn_options_train *options, mn_error *error) {
  train_job job = {.training = {.context = context,
                                .options = options,
                                .seed = (uint64_t)context->common->seed,
                                .arithmetic = mn_arithmetic_of(options->arithmetic)}};
  MN_TRY(check_options(context, options, error));
  const char *inputs[] = {options->net, context->data->data, options->init, options->teacher,
                          options->teacher_net};
  mn_status status = prepare(&job, error);
  json_t *files = status == MN_OK ? mn_stage_inputs(inputs, MN_COUNT(inputs)) : NULL;
  if (status == MN_OK)
    status = mn_stage_record(context, job.folder, "running", job.training.dataset,
                             json_incref(files), NULL, error);
  const bool recorded = status == MN_OK;
  for (int32_t k = 0; k < job.seeds && status == MN_OK; k++) status = run_seed(&job, k, error);
  if (status == MN_OK) status = copy_best(&job, error);
  if (status == MN_OK) status = finish(result, &job, error);
  if (recorded)
    status = mn_stage_record_end(status, context, job.folder, job.training.dataset,
                                 json_incref(files), error);
  json_decref(files);
  if (job.training.dataset != NULL) mn_stage_close(context, job.training.dataset);
  return status;
}
