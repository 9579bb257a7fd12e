/* fit.c - one training: feeds, trainer, freeze, model file, verdict. See train.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "run/anomaly.h"
#include "run/teacher.h"

typedef struct fitting {
  const mn_training *job;
  mn_feed *train, *val, *test;
  mn_trainer *trainer;
  mn_arena *arena;     /* of the frozen graph and the model */
  mn_teacher *teacher; /* NULL: none */
} fitting;

static mn_status open_feeds(fitting *f, mn_error *error) {
  const mn_training *job = f->job;
  mn_feed_config config = mn_feed_defaults(job->dataset), clean = {0};
  config.batch = clean.batch = (int32_t)job->options->batch;
  config.seed = job->seed;
  config.label_smoothing = job->options->label_smoothing;
  config.balance = strcmp(job->options->class_weights, "balanced") == 0;
  config.variants = (int32_t)job->options->draws;
  if (config.cut_probability > 0) config.cut_probability = job->options->cut;
  mn_feed_scale(&config, job->options->augment);
  if (job->options->mixup > 0) config.mixup = job->options->mixup;
  config.cutmix = job->options->cutmix;
  config.reconstruct = clean.reconstruct = job->reconstructs;
  if (job->reconstructs) config.mixup = 0;
  MN_TRY(
      mn_feed_open(&f->train, job->dataset, MN_SPLIT_TRAIN, 0, 1, &job->frontend, &config, error));
  MN_TRY(mn_feed_open(&f->val, job->dataset, MN_SPLIT_VAL, 0, 1, &job->frontend, &clean, error));
  MN_TRY(mn_feed_open(&f->test, job->dataset, MN_SPLIT_TEST, 0, 1, &job->frontend, &clean, error));
  MN_TRY(mn_feed_expect(f->train, "to train on (split train)", error));
  return mn_feed_expect(f->val, "to validate with (split val)", error);
}

static mn_train_config train_config(const fitting *f) {
  const mn_options_train *options = f->job->options;
  int64_t batches = mn_feed_batches(f->train);
  mn_train_config config = mn_train_defaults();
  config.optimizer = MN_OPTIMIZER_ADAMW;
  config.learning_rate = options->learning_rate;
  config.weight_decay = options->weight_decay;
  config.dropout = options->dropout;
  config.distill = options->distill;
  config.temperature = options->temperature;
  if (f->job->frontend.kind == MN_FRONTEND_IMAGE) { /* int8 = pixel - 128, nothing is lost */
    config.input_low = -1;
    config.input_high = 127.0 / 128;
  }
  if (f->job->reconstructs) {
    config.loss = MN_LOSS_MEAN_SQUARED;
    config.dropout = 0;
  }
  config.steps = options->epochs * batches;
  config.warmup_steps = options->warmup_epochs * batches;
  config.quantize_from = (int64_t)((double)options->epochs * options->quantize_from) * batches;
  config.batch = (int32_t)options->batch;
  config.seed = f->job->seed;
  config.arithmetic = f->job->arithmetic;
  config.pool = f->job->context->pool;
  config.ranks = true;
  return config;
}

/* A checkpoint goes on only under the same network, data, recipe and number of ranks. */
static mn_status identity(uint64_t *sum, const mn_training *job, mn_error *error) {
  const mn_options_train *o = job->options;
  const double recipe[] = {(double)o->epochs,
                           (double)o->batch,
                           (double)o->warmup_epochs,
                           o->learning_rate,
                           o->weight_decay,
                           o->label_smoothing,
                           o->dropout,
                           o->quantize_from,
                           (double)job->seed,
                           o->average,
                           (double)o->patience,
                           o->mixup,
                           o->cutmix,
                           o->distill,
                           o->temperature,
                           o->augment,
                           (double)o->draws,
                           o->cut,
                           (double)mn_ranks_count()};
  const char *words[] = {o->keep, o->class_weights};
  uint64_t data = mn_dataset_hash(job->dataset);
  *sum = mn_hash64(mn_net_hash(job->net), recipe, sizeof recipe);
  for (size_t i = 0; i < MN_COUNT(words); i++) *sum = mn_hash64(*sum, words[i], strlen(words[i]));
  *sum = mn_hash64(*sum, &data, sizeof data);
  const char *files[] = {o->init, o->teacher, o->teacher_net};
  for (size_t i = 0; i < MN_COUNT(files); i++)
    if (files[i] != NULL) MN_TRY(mn_file_hash(sum, files[i], error));
  return MN_OK;
}

/* Of the network without rounding; a split without items has no figure. */
static mn_status float_figure(double *figure, mn_trainer *trainer, mn_feed *feed, mn_error *error) {
  if (mn_feed_items(feed) == 0) return MN_OK; /* and the area under the curve is the file's */
  return mn_trainer_accuracy_float(trainer, figure, feed, error);
}

static mn_status fit(fitting *f, mn_trained *trained, mn_error *error) {
  const mn_training *job = f->job;
  mn_train_config config = train_config(f);
  MN_TRY(mn_trainer_create(&f->trainer, job->graph, &config, error));
  bool going_on = job->options->resume && mn_file_exists(job->checkpoint);
  if (job->options->init != NULL && !going_on) {
    MN_TRY(mn_trainer_load_layers(f->trainer, &trained->inherited, job->options->init, error));
    if (trained->inherited == 0)
      return mn_error_set(error, MN_ERR_FORMAT,
                          "%s: found no layer that %s has too; expected the same layer names",
                          job->options->init, mn_net_path(job->net));
  }
  if (job->options->teacher != NULL) MN_TRY(mn_teacher_open(&f->teacher, job, f->arena, error));
  mn_fit_config stage = {.epochs = (int32_t)job->options->epochs,
                         .average = job->options->average,
                         .keep_best = strcmp(job->options->keep, "best") == 0,
                         .patience = (int32_t)job->options->patience,
                         .teach = f->teacher != NULL ? mn_teacher_teach : NULL,
                         .teacher = f->teacher,
                         .checkpoint = job->checkpoint,
                         .resume = going_on,
                         .monitor = job->context->monitor};
  MN_TRY(identity(&stage.identity, job, error));
  MN_TRY(mn_fit(f->trainer, &trained->fit, f->train, f->val, &stage, error));
  if (mn_dataset_task(job->dataset) == MN_TASK_AD) return MN_OK;
  MN_TRY(float_figure(&trained->float_val, f->trainer, f->val, error));
  return float_figure(&trained->float_test, f->trainer, f->test, error);
}

static mn_status assemble(mn_model *model, fitting *f, mn_error *error) {
  const mn_training *job = f->job;
  mn_file_words words;
  const mn_graph *frozen;
  MN_TRY(mn_stage_words(&words, job->context, f->arena, job->dataset, error));
  MN_TRY(mn_trainer_freeze(&frozen, f->arena, f->trainer, error));
  *model = (mn_model){.graph = frozen,
                      .frontend = job->frontend,
                      .labels = words.labels,
                      .label_count = words.label_count,
                      .description = words.description,
                      .trained_on = words.trained_on};
  return MN_OK;
}

/* The verdict is that of the bytes: the model is read back before it is judged. */
static mn_status judge(mn_trained *trained, fitting *f, const mn_buffer *file, mn_error *error) {
  const mn_training *job = f->job;
  mn_arena *arena = job->context->arena;
  mn_model model;
  MN_TRY(mn_tflite_read(&model, f->arena, (mn_bytes){file->data, file->size}, error));
  if (mn_dataset_task(job->dataset) == MN_TASK_AD)
    return mn_anomaly_judge(trained, job, &model, error);
  MN_TRY(mn_eval(&trained->val, arena, &model, job->dataset, 1u << MN_SPLIT_VAL, job->context->pool,
                 error));
  return mn_eval(&trained->test, arena, &model, job->dataset, 1u << MN_SPLIT_TEST,
                 job->context->pool, error);
}

static mn_status write_model(mn_trained *trained, fitting *f, mn_error *error) {
  const mn_training *job = f->job;
  mn_model model;
  mn_buffer file = {0};
  mn_sink sink = mn_buffer_sink(&file);
  MN_TRY(assemble(&model, f, error));
  if (mn_dataset_task(job->dataset) == MN_TASK_AD) {
    MN_TRY(mn_anomaly_finish(&model, f->arena, job, error));
  } else {
    MN_TRY(mn_eval_calibrate(&trained->threshold, &model, job->dataset, job->context->pool, error));
    model.has_threshold = true;
    model.threshold = trained->threshold;
  }
  mn_status status = mn_tflite_write(&sink, &model, error);
  if (status == MN_OK) status = judge(trained, f, &file, error);
  if (status == MN_OK) status = mn_file_write(job->model, file.data, file.size, error);
  mn_buffer_free(&file);
  return status;
}

mn_status mn_train_once(mn_trained *trained, const mn_training *training, mn_error *error) {
  fitting f = {.job = training};
  *trained = (mn_trained){.float_val = -1, .float_test = -1, .inherited = -1};
  if (mn_arena_create(&f.arena) != MN_OK) return mn_out_of_memory(training->context, error);
  /* Features are made by the first rank; the others find them in the cache. */
  if (mn_ranks_me() > 0) mn_ranks_wait();
  mn_status status = open_feeds(&f, error);
  if (mn_ranks_me() == 0) mn_ranks_wait();
  if (status == MN_OK) status = fit(&f, trained, error);
  if (status == MN_OK) status = write_model(trained, &f, error);
  if (status == MN_OK) mn_ranks_wait(); /* what the first rank wrote may be read from here on */
  mn_trainer_destroy(f.trainer);
  mn_teacher_close(f.teacher);
  mn_feed_close(f.train);
  mn_feed_close(f.val);
  mn_feed_close(f.test);
  mn_arena_destroy(f.arena);
  return status;
}
