/* depthwise_3x3_run.c - the inner part of depthwise 3x3 in C, where depthwise_3x3_run_asm.c is not
 * compiled: a row of the window is four halfwords of the plane, enough for two outputs.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/depthwise_3x3.h"
#include "kernels/dsp.h"

#if !MN_DSP_ASSEMBLY

static inline int8_t requantized(const int32_t *folded, int32_t acc) {
  return (int8_t)mn_ssat8(mn_smmla(acc, folded[1], folded[2]) >> MN_FOLDED_SHIFT);
}

/* Outputs at halfwords 0 and 1 of the window. */
static void pair(const mn_depthwise_3x3_strip *s, const int16_t *x, int8_t *y) {
  int32_t acc[2] = {s->folded[0], s->folded[0]};
  for (int32_t i = 0; i < 3; i++) {
    const int16_t *row = x + i * s->pitch / 2;
    int32_t x01 = mn_pair(row[0], row[1]), x23 = mn_pair(row[2], row[3]);
    int32_t w01 = s->weights[2 * i], w12 = s->weights[2 * i + 1];
    acc[0] = mn_smlabt(x23, w12, mn_smlad(x01, w01, acc[0]));
    acc[1] = mn_smlad(x23, w12, mn_smlatb(x01, w01, acc[1]));
  }
  y[0] = requantized(s->folded, acc[0]);
  y[s->y_step] = requantized(s->folded, acc[1]);
}

static void single(const mn_depthwise_3x3_strip *s, const int16_t *x, int8_t *y) {
  int32_t acc = s->folded[0];
  for (int32_t i = 0; i < 3; i++) {
    const int16_t *row = x + i * s->pitch / 2;
    int32_t x01 = mn_pair(row[0], row[1]), x23 = mn_pair(row[2], row[3]);
    acc = mn_smlad(x01, s->weights[2 * i], acc);
    acc = mn_smlabt(x23, s->weights[2 * i + 1], acc);
  }
  *y = requantized(s->folded, acc);
}

void mn_depthwise_3x3_run(const mn_depthwise_3x3_strip *strip) {
  const int16_t *x = strip->x;
  int8_t *y = strip->y;
  for (; x != strip->end; x += strip->x_skip / 2, y += strip->y_skip) {
    for (int32_t w = 0; w < strip->pairs; w += 4, x += 2, y += 2 * strip->y_step) pair(strip, x, y);
    for (int32_t w = 0; w < strip->singles; w += 4, x += 2, y += strip->y_step) single(strip, x, y);
  }
}

#endif
