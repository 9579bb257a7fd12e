/* trainer.c - the public trainer: create, step, scores. A pass runs unit after unit, each over the
 * fixed shards of the batch; between them, sums become views (forward) and gradients (backward).
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "train/checkpoint.h"
#include "train/half.h"
#include "train/integer.h"

mn_train_config mn_train_defaults(void) {
  return (mn_train_config){
      .optimizer = MN_OPTIMIZER_ADAMW,
      .loss = MN_LOSS_CROSS_ENTROPY,
      .learning_rate = 3e-3,
      .final_learning_rate = 1e-5,
      .weight_decay = 1e-2,
      .momentum = 0.9,
      .temperature = 4,
      .steps = 1000,
      .warmup_steps = 20,
      .quantize_from = -1,
      .batch = 128,
      .remake_bytes = 6 << 20, /* smaller maps stay in the caches */
      .seed = 1,
  };
}

/* ---- Life -----------------------------------------------------------------------------------*/
static mn_status check_config(const mn_train_config *config, mn_error *error) {
  if (config->batch < 1)
    return mn_error_set(error, MN_ERR_ARGUMENT, "batch is %d; at least 1 is needed", config->batch);
  if (!(config->dropout >= 0 && config->dropout < 1))
    return mn_error_set(error, MN_ERR_ARGUMENT, "dropout is %g; 0 to below 1 is needed",
                        config->dropout);
  if (!isfinite(config->learning_rate) || config->learning_rate < 0)
    return mn_error_set(error, MN_ERR_ARGUMENT, "learning rate is %g; a positive number is needed",
                        config->learning_rate);
  return MN_OK;
}

mn_status mn_trainer_create(mn_trainer **trainer, const mn_graph *graph,
                            const mn_train_config *config, mn_error *error) {
  assert(config->pool != NULL && !graph->frozen);
  MN_TRY(check_config(config, error));
  const mn_lanes *lanes = mn_lanes_get(config->isa);
  if (lanes == NULL)
    return mn_error_set(
        error, MN_ERR_ARGUMENT,
        "instruction set \"%s\" is unknown or missing here; leave it out to use the best",
        config->isa);
  mn_trainer *t = mn_calloc(1, sizeof *t);
  if (t == NULL) return mn_error_set(error, MN_ERR_MEMORY, "out of memory while making a trainer");
  t->graph = graph, t->config = *config, t->lanes = lanes, t->broken = -1;
  t->integer = mn_integer_get(lanes);
  t->half = mn_half_get(lanes, config->arithmetic);
  if (t->half != NULL) mn_trainer_attach(t, mn_arithmetic_blocks[config->arithmetic], NULL, 0);
  mn_status status = mn_arena_create(&t->arena);
  if (status == MN_OK) status = mn_engine_build(t, error);
  if (status == MN_OK) status = mn_engine_place(t);
  if (status == MN_ERR_MEMORY) mn_error_set(error, status, "out of memory while making a trainer");
  if (status != MN_OK) {
    mn_trainer_destroy(t);
    return status;
  }
  *trainer = t;
  return MN_OK;
}

void mn_trainer_destroy(mn_trainer *trainer) {
  if (trainer == NULL) return;
  mn_engine_release(trainer);
  mn_arena_destroy(trainer->arena);
  mn_free(trainer);
}

void mn_trainer_teach(mn_trainer *trainer, const float *teacher) {
  trainer->teacher = teacher;
}

int64_t mn_trainer_steps_done(const mn_trainer *trainer) {
  return trainer->step;
}

mn_parameter *mn_trainer_parameter(const mn_trainer *t, const char *op, mn_parameter_kind kind) {
  for (int32_t i = 0; i < t->parameter_count; i++)
    if (t->parameters[i].kind == kind && strcmp(t->parameters[i].op, op) == 0)
      return &t->parameters[i];
  return NULL;
}

/* ---- Passes -----------------------------------------------------------------------------------*/
typedef struct unit_job {
  mn_trainer *t;
  mn_unit *unit;
  mn_unit_work *work;
  bool backward; /* last shard first */
} unit_job;

static void unit_shard(void *context, int32_t shard, int32_t thread) {
  const unit_job *j = context;
  j->work(j->t, j->unit, j->backward ? MN_SHARDS - 1 - shard : shard, thread);
}

/* Every other unit begins with the shard that was written last: it is still in the cache. */
static void unit_run(mn_trainer *t, mn_unit *u, mn_unit_work *work) {
  unit_job job = {t, u, work, t->turned};
  t->turned = !t->turned;
  mn_pool_run(t->config.pool, unit_shard, &job, MN_SHARDS);
}

static void weights_job(void *context, int32_t unit, int32_t thread) {
  (void)thread;
  mn_trainer *t = context;
  mn_unit_prepare_weights(t, &t->units[unit]);
}

static bool stores_compact(const mn_trainer *t) {
  return t->half != NULL && t->training && !t->quantized;
}

static void input_load(mn_trainer *t) {
  mn_value *x = &t->values[0];
  memcpy(x->z, t->batch->x, (size_t)(t->batch->items * x->pixels * x->stride) * sizeof(float));
  mn_gates_input(t, x);
  mn_value_settle(t, x);
}

static void mix_load(const mn_trainer *t, mn_unit *u) {
  const bool gated = t->gates != NULL && t->gates->mix != NULL;
  u->mix[0] = gated ? t->gates->mix[2 * u->op] : 1.0f;
  u->mix[1] = gated ? t->gates->mix[2 * u->op + 1] : 0.0f;
}

void mn_engine_prepare(mn_trainer *t) {
  t->broken = -1;
  if (t->quantized)
    for (int32_t i = 0; i < t->range_count; i++) mn_range_settle(&t->ranges[i]);
  mn_pool_run(t->config.pool, weights_job, t, t->unit_count);
  for (int32_t i = 0; i < t->value_count; i++)
    t->values[i].compact = t->values[i].compacts && stores_compact(t);
  input_load(t);
}

void mn_engine_unit_forward(mn_trainer *t, mn_unit *u) {
  if (u->family == &mn_mix_family) mix_load(t, u);
  unit_run(t, u, u->family->forward);
  mn_gates_forward(t, u);
  mn_value_settle(t, u->output);
}

void mn_engine_forward(mn_trainer *t) {
  mn_engine_prepare(t);
  for (int32_t i = 0; i < t->unit_count; i++) mn_engine_unit_forward(t, &t->units[i]);
}

static void mix_give(const mn_trainer *t, const mn_unit *u) {
  if (u->family != &mn_mix_family || t->gates == NULL || t->gates->mix_gradient == NULL) return;
  for (int32_t k = 0; k < 2; k++) {
    double total = 0;
    for (int32_t s = 0; s < MN_SHARDS; s++) total += u->mix_gradient[s][k];
    t->gates->mix_gradient[2 * u->op + k] = (float)total;
  }
}

void mn_engine_unit_backward(mn_trainer *t, mn_unit *u) {
  mn_value_gather(t, u->output);
  if (u->input[0]->maker != NULL) mn_expand_prepare(t, u->input[0]->maker);
  if (t->updates || !u->input[0]->input) unit_run(t, u, u->family->backward);
  mn_ranks_sum_weights(t, u);
  mn_ranks_sum_mix(t, u);
  mn_gates_backward(t, u);
  mix_give(t, u);
}

void mn_engine_backward(mn_trainer *t) {
  for (int32_t i = 0; i < t->range_count; i++)
    memset(t->ranges[i].parameter->gradient, 0, 2 * sizeof(float));
  for (int32_t i = t->unit_count - 1; i >= 0; i--) mn_engine_unit_backward(t, &t->units[i]);
  if (t->quantized) mn_value_gather(t, &t->values[0]);
}

void mn_engine_begin(mn_trainer *t, const mn_batch *batch, const mn_gates *gates, bool training,
                     bool updates) {
  t->batch = batch, t->gates = gates, t->training = training, t->updates = updates;
  t->all_items = batch->whole > 0 ? batch->whole : batch->items;
}

/* Ranges start from one batch through the float network of the moment. */
static mn_status start_quantization(mn_trainer *t) {
  const bool updates = t->updates;
  if (t->quantized || t->config.quantize_from < 0 || t->step < t->config.quantize_from)
    return MN_OK;
  t->updates = false;
  mn_engine_forward(t);
  t->updates = updates;
  return mn_engine_calibrate(t);
}

/* ---- Steps ------------------------------------------------------------------------------------*/
static mn_status check_batch(const mn_trainer *t, const mn_batch *batch, mn_error *error) {
  const int64_t classes = t->scores->pixels * t->scores->channels;
  assert(batch->items >= 0 && batch->items <= t->config.batch);
  if (batch->classes == classes) return MN_OK;
  return mn_error_set(error, MN_ERR_ARGUMENT,
                      "the network has %lld outputs, the data %d classes; set classes=%d",
                      (long long)classes, batch->classes, batch->classes);
}

static mn_status diverged(const mn_trainer *t, double loss, mn_error *error) {
  const int32_t op = t->broken >= 0 ? t->values[t->broken].op : t->graph->op_count - 1;
  const mn_op *at = &t->graph->ops[op < 0 ? 0 : op];
  return mn_error_set(
      error, MN_ERR_DIVERGED, "line %d (%s): loss is %g at step %lld; lower the learning rate%s",
      at->line, at->name, t->broken >= 0 ? (double)NAN : loss, (long long)t->step,
      stores_compact(t) ? ", or take float32 arithmetic, whose range is greater" : "");
}

mn_status mn_trainer_step(mn_trainer *t, double *loss, const mn_batch *batch, const mn_gates *gates,
                          bool update, mn_error *error) {
  MN_TRY(check_batch(t, batch, error));
  mn_engine_begin(t, batch, gates, true, update);
  MN_TRY(start_quantization(t));
  mn_engine_forward(t);
  *loss = mn_loss_run(t);
  mn_engine_backward(t);
  mn_ranks_sums_end(); /* before anything can end the step: they are made in place */
  if (t->broken >= 0 || !isfinite(*loss)) return diverged(t, *loss, error);
  if (!update) return MN_OK;
  mn_optimizer_run(t);
  t->step++;
  return MN_OK;
}

mn_status mn_trainer_scores(mn_trainer *t, float *scores, const mn_batch *batch,
                            const mn_gates *gates, mn_error *error) {
  MN_TRY(check_batch(t, batch, error));
  mn_engine_begin(t, batch, gates, false, false);
  mn_engine_forward(t);
  mn_loss_scores(t, scores);
  return MN_OK;
}

void mn_parameter_gradient(const mn_trainer *t, const mn_parameter *p, float *canonical,
                           float *padded) {
  const mn_update u = {.gradient = p->gradient, .shard_stride = p->count, .shards = p->shards};
  if (p->kind == MN_PARAMETER_RANGE)
    memcpy(padded, p->gradient, 2 * sizeof *padded);
  else
    t->lanes->reduce(padded, &u, 0, p->count);
  mn_parameter_get(p, canonical, padded);
}
