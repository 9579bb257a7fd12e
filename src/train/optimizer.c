/* optimizer.c - learning-rate schedule (linear warm-up, then half a cosine) and one step of AdamW or
 * SGD over all parameters, cut into fixed chunks. Decay spares batch norm, biases and ranges.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "train/engine.h"

enum { CHUNK = 8192 };

double mn_rate_at(const mn_train_config *config, int64_t step) {
  if (step < config->warmup_steps)
    return config->learning_rate * (double)(step + 1) / (double)config->warmup_steps;
  const double span = (double)(config->steps - config->warmup_steps);
  const double done = span > 0 ? fmin((double)(step - config->warmup_steps) / span, 1) : 1;
  const double range = config->learning_rate - config->final_learning_rate;
  return config->final_learning_rate + range * 0.5 * (1 + cos(3.14159265358979323846 * done));
}

typedef struct job {
  mn_trainer *t;
  mn_update base;
  double decay;
} job;

static mn_update update_of(const job *j, const mn_parameter *p) {
  mn_update u = j->base;
  u.value = p->value, u.first = p->first, u.second = p->second, u.gradient = p->gradient;
  u.shard_stride = p->count, u.shards = mn_engine_shared(j->t) ? 1 : p->shards;
  u.decay = p->decays ? (float)((double)u.rate * j->decay) : 0.0f;
  return u;
}

/* Finds the parameter that holds a chunk; parameters are few. */
static void chunk_run(void *context, int32_t item, int32_t thread) {
  (void)thread;
  const job *j = context;
  int64_t chunk = item;
  for (int32_t i = 0; i < j->t->parameter_count; i++) {
    const mn_parameter *p = &j->t->parameters[i];
    if (p->gradient == NULL || p->kind == MN_PARAMETER_RANGE) continue;
    const int64_t chunks = (p->count + CHUNK - 1) / CHUNK;
    if (chunk >= chunks) {
      chunk -= chunks;
      continue;
    }
    const mn_update u = update_of(j, p);
    const int64_t left = p->count - chunk * CHUNK, count = left < CHUNK ? left : CHUNK;
    const bool sgd = j->t->config.optimizer == MN_OPTIMIZER_SGD;
    (sgd ? j->t->lanes->sgd : j->t->lanes->adamw)(&u, chunk * CHUNK, count);
    return;
  }
}

static int32_t chunks_of(const mn_trainer *t) {
  int64_t total = 0;
  for (int32_t i = 0; i < t->parameter_count; i++)
    if (t->parameters[i].gradient != NULL && t->parameters[i].kind != MN_PARAMETER_RANGE)
      total += (t->parameters[i].count + CHUNK - 1) / CHUNK;
  return (int32_t)total;
}

void mn_optimizer_run(mn_trainer *t) {
  const double rate = mn_rate_at(&t->config, t->step), count = (double)(t->step + 1);
  const bool sgd = t->config.optimizer == MN_OPTIMIZER_SGD;
  job j = {.t = t, .decay = t->config.weight_decay};
  j.base.rate = (float)rate;
  j.base.beta1 = sgd ? (float)t->config.momentum : 0.9f;
  j.base.beta2 = 0.999f;
  j.base.correct1 = (float)(1 / (1 - pow(0.9, count)));
  j.base.correct2 = (float)(1 / (1 - pow(0.999, count)));
  j.base.epsilon = 1e-8f;
  mn_pool_run(t->config.pool, chunk_run, &j, chunks_of(t));
  if (!t->quantized) return;
  for (int32_t i = 0; i < t->range_count; i++)
    if (t->ranges[i].observed)
      mn_range_observe(t, &t->ranges[i]);
    else if (!t->ranges[i].is_fixed)
      mn_range_optimize(t, &t->ranges[i], rate);
}
