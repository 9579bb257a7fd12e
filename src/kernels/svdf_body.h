/* svdf_body.h - SVDF for one type of the state. The file that includes it says STATE_TYPE, STATE_MIN and
 * STATE_MAX.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/requantize.h"
#include "kernels/svdf.h"

/* k [I] of one filter: what enters its memory now. */
static STATE_TYPE feature(const mn_svdf *p, const int8_t *x, const int8_t *k) {
  int32_t acc = 0;
  for (int32_t i = 0; i < p->inputs; i++) acc += (x[i] - p->input_zero_point) * k[i];
  acc = mn_requantize(acc, p->state_multiplier, p->state_shift) + p->state_zero_point;
  return (STATE_TYPE)mn_clamp(acc, STATE_MIN, STATE_MAX);
}

/* state, t [M] of one filter. */
static uint32_t over_time(const mn_svdf *p, const STATE_TYPE *state, const STATE_TYPE *t) {
  uint32_t acc = 0;
  for (int32_t m = 0; m < p->memory; m++)
    acc += (uint32_t)(state[m] - p->state_zero_point) * (uint32_t)t[m];
  return acc;
}

/* Moves the memories of one batch item on by one step: state [F, M]. */
static void remember(const mn_svdf *p, const mn_kernel_io *io, STATE_TYPE *state, int32_t b) {
  const int8_t *x = (const int8_t *)io->x[0] + b * p->inputs, *k = io->constant[0];
  for (int32_t f = 0; f < p->filters; f++) {
    STATE_TYPE *memory = state + f * p->memory;
    for (int32_t m = 0; m + 1 < p->memory; m++) memory[m] = memory[m + 1];
    memory[p->memory - 1] = feature(p, x, k + f * p->inputs);
  }
}

static void run(const mn_svdf *p, const mn_kernel_io *io) {
  const STATE_TYPE *t = io->constant[1];
  const int32_t *bias = io->constant[2];
  int32_t units = p->filters / p->rank;
  for (int32_t b = 0; b < p->batch; b++) {
    STATE_TYPE *state = (STATE_TYPE *)(uintptr_t)io->x[1] + b * p->filters * p->memory;
    int8_t *y = (int8_t *)io->y + b * units;
    remember(p, io, state, b);
    for (int32_t u = 0; u < units; u++) {
      uint32_t acc = bias != NULL ? (uint32_t)bias[u] : 0;
      for (int32_t f = u * p->rank; f < (u + 1) * p->rank; f++)
        acc += over_time(p, state + f * p->memory, t + f * p->memory);
      int32_t q = mn_requantize((int32_t)acc, p->output_multiplier, p->output_shift);
      y[u] = (int8_t)mn_clamp(q + p->output_zero_point, INT8_MIN, INT8_MAX);
    }
  }
}
