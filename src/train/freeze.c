/* freeze.c - what was learnt, as mn_graph_freeze wants it: batch norm folded, scales fixed.
 *
 * Weights go over already rounded on their own grid and multiplied by the factor of their channel, so
 * that rounding them again on the folded grid cannot choose another integer.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "train/engine.h"

typedef struct folding {
  mn_arena *arena;
  const mn_trainer *t;
  mn_parameters *parameters; /* [op_count] */
  mn_range *ranges;          /* [tensor_count] */
} folding;

static float factor_of(const mn_value *y, int32_t c) {
  if (y->gamma == NULL) return 1.0f;
  return (float)((double)y->gamma->value[c] /
                 sqrt((double)y->variance->value[c] + (double)MN_BN_EPSILON));
}

static float bias_of(const mn_value *y, int32_t c) {
  const double bias = y->bias != NULL ? (double)y->bias->value[c] : 0;
  if (y->gamma == NULL) return (float)bias;
  return (float)(bias - (double)y->mean->value[c] * (double)factor_of(y, c));
}

/* A channel that batch norm has all but closed: its scale must stay positive, and large enough for
 * the bias to fit 30 bits of steps. */
static float scale_of(const mn_unit *u, int32_t c, float x_scale) {
  const float own = u->weight_step[c] * fabsf(factor_of(u->output, c));
  const float least = fabsf(bias_of(u->output, c)) / (x_scale * 536870912.0f);
  return fmaxf(fmaxf(own, least), 1e-20f);
}

static mn_status fold_unit(folding *f, mn_unit *u, float x_scale) {
  const mn_parameter *w = u->weights;
  const float *rounded = mn_unit_round_weights(u);
  const size_t outer = (size_t)w->outer;
  float *weights = mn_arena_array(f->arena, (size_t)mn_parameter_size(w), sizeof *weights);
  float *bias = mn_arena_array(f->arena, outer, sizeof *bias);
  float *scale = mn_arena_array(f->arena, outer, sizeof *scale);
  if (weights == NULL || bias == NULL || scale == NULL) return MN_ERR_MEMORY;
  for (int32_t o = 0; o < w->outer; o++) {
    const float factor = factor_of(u->output, o);
    bias[o] = bias_of(u->output, o);
    scale[o] = scale_of(u, o, x_scale);
    for (int32_t k = 0; k < w->taps; k++)
      for (int32_t c = 0; c < w->inner; c++)
        weights[mn_parameter_canonical(w, o, k, c)] =
            rounded[mn_parameter_padded(w, o, k, c)] * factor;
  }
  f->parameters[u->op] = (mn_parameters){weights, bias, scale};
  return MN_OK;
}

/* The range a tensor is read with: its own, or that of where its values come from. */
static const mn_learned_range *range_behind(const mn_trainer *t, const mn_value *v) {
  while (v->range == NULL) {
    const mn_unit *maker = NULL;
    for (int32_t i = 0; i < t->unit_count; i++)
      if (t->units[i].output == v) maker = &t->units[i];
    if (maker == NULL) return NULL;
    v = maker->input[0];
  }
  return v->range;
}

static mn_status fold_all(folding *f) {
  const mn_trainer *t = f->t;
  for (int32_t i = 0; i < t->range_count; i++) {
    mn_range_settle(&t->ranges[i]);
    f->ranges[t->ranges[i].maker->tensor] = (mn_range){t->ranges[i].scale, t->ranges[i].zero_point};
  }
  for (int32_t i = 0; i < t->unit_count; i++) {
    mn_unit *u = &t->units[i];
    if (u->weights == NULL) continue;
    const mn_learned_range *range = range_behind(t, u->input[0]);
    MN_TRY(fold_unit(f, u, range != NULL ? range->scale : 1.0f));
  }
  return MN_OK;
}

mn_status mn_trainer_freeze(const mn_graph **frozen, mn_arena *arena, const mn_trainer *trainer,
                            mn_error *error) {
  if (!trainer->quantized)
    return mn_error_set(
        error, MN_ERR_ARGUMENT,
        "the network has no ranges yet: fake quantization starts at step %lld, %lld are "
        "done; train on",
        (long long)trainer->config.quantize_from, (long long)trainer->step);
  folding f = {.arena = arena, .t = trainer};
  f.parameters = mn_arena_array(arena, (size_t)trainer->graph->op_count, sizeof *f.parameters);
  f.ranges = mn_arena_array(arena, (size_t)trainer->graph->tensor_count, sizeof *f.ranges);
  const mn_status status = f.parameters == NULL || f.ranges == NULL ? MN_ERR_MEMORY : fold_all(&f);
  if (status != MN_OK) return mn_error_set(error, status, "out of memory while freezing a network");
  return mn_graph_freeze(frozen, arena, trainer->graph, f.parameters, f.ranges, error);
}
