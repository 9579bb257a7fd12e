/* snapshot.c - all parameters as one block, for averages over steps and for the best epoch.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "train/engine.h"

int64_t mn_snapshot_floats(const mn_trainer *t) {
  int64_t total = 0;
  for (int32_t i = 0; i < t->parameter_count; i++) total += mn_parameter_size(&t->parameters[i]);
  return total;
}

void mn_snapshot_take(const mn_trainer *t, float *to) {
  for (int32_t i = 0; i < t->parameter_count; i++) {
    const mn_parameter *p = &t->parameters[i];
    mn_parameter_get(p, to, p->value);
    to += mn_parameter_size(p);
  }
}

void mn_snapshot_give(mn_trainer *t, const float *from) {
  for (int32_t i = 0; i < t->parameter_count; i++) {
    const mn_parameter *p = &t->parameters[i];
    mn_parameter_set(p, p->value, from);
    from += mn_parameter_size(p);
  }
}

/* A young average forgets faster: after n steps it spans about a tenth of them at least. */
static float decay_after(double decay, int64_t steps) {
  return (float)fmin(decay, (1.0 + (double)steps) / (10.0 + (double)steps));
}

void mn_snapshot_blend(const mn_trainer *t, float *average, float *spare, double decay) {
  const float slow = decay_after(decay, t->step);
  const float ranges = t->quantized ? decay_after(decay, t->step - 1 - t->quantized_since) : 0.0f;
  mn_snapshot_take(t, spare);
  for (int32_t i = 0; i < t->parameter_count; i++) {
    const mn_parameter *p = &t->parameters[i];
    const int64_t count = mn_parameter_size(p);
    const bool fresh = p->kind == MN_PARAMETER_RANGE && t->step - 1 == t->quantized_since;
    const float keep = fresh ? 0.0f : p->kind == MN_PARAMETER_RANGE ? ranges : slow;
    for (int64_t k = 0; k < count; k++) average[k] = keep * average[k] + (1.0f - keep) * spare[k];
    average += count;
    spare += count;
  }
}
