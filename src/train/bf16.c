/* bf16.c - which products take bf16, and how values and weights become it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "train/bf16.h"

const char *mn_arithmetic_name(mn_arithmetic arithmetic) {
  return arithmetic == MN_ARITHMETIC_BF16 ? "bf16" : "float32";
}

mn_arithmetic mn_arithmetic_of(const char *word) {
  if (strcmp(word, "auto") != 0)
    return strcmp(word, "bf16") == 0 ? MN_ARITHMETIC_BF16 : MN_ARITHMETIC_FLOAT32;
  double missing = mn_bf16_get(mn_lanes_get(NULL))->native ? 0 : 1;
  mn_ranks_greatest(&missing, 1);
  return missing > 0 ? MN_ARITHMETIC_FLOAT32 : MN_ARITHMETIC_BF16;
}

/* Rows of an odd number of floats that are read where they lie cannot be paired: only those of a fully
 * connected layer on the network's input. */
static bool pairs(const mn_unit *u) {
  return u->family == &mn_conv_family && u->output->maker == NULL &&
         !(u->direct && u->depth % 2 != 0);
}

bool mn_bf16_backward(const mn_trainer *t, const mn_unit *u) {
  return t->bf16 != NULL && pairs(u);
}

bool mn_bf16_forward(const mn_trainer *t, const mn_unit *u) {
  return mn_bf16_backward(t, u) && t->training && !t->quantized;
}

void mn_weights_pack(const mn_trainer *t, bool half, void *to, const float *from, int32_t k,
                     int32_t n, int32_t n_valid, ptrdiff_t k_step, ptrdiff_t n_step) {
  if (half)
    t->bf16->pack(to, from, k, n, n_valid, k_step, n_step);
  else
    t->lanes->pack(to, from, k, n, n_valid, k_step, n_step);
}

static void input_run(const mn_view *view, void *to, const float *z, int64_t count) {
  uint16_t *y = to;
  if (view->scale == NULL)
    for (int64_t i = 0; i < count; i++) y[i] = mn_bf16_round(z[i]);
  else
    for (int64_t i = 0; i < count; i++) y[i] = mn_bf16_round(mn_input_read(view, z[i]));
}

static void rows_round(const mn_trainer *t, const mn_value *v, uint16_t *to, const float *z,
                       const mn_walk *w) {
  if (v->input)
    mn_input_walk(v, to, sizeof *to, z, w, input_run);
  else
    t->bf16->read(to, z, &v->view, w);
}

void mn_value_read_bf16(const mn_trainer *t, const mn_value *v, uint16_t *to, int64_t first,
                        int64_t rows) {
  const mn_walk w = {
      .rows = rows, .lines = 1, .channels = v->stride, .from_row = v->stride, .to_row = v->stride};
  rows_round(t, v, to, v->z + first * v->stride, &w);
}

void mn_value_lines_bf16(const mn_trainer *t, const mn_value *v, uint16_t *to, ptrdiff_t to_row,
                         ptrdiff_t to_line, int32_t item, int32_t first, int32_t lines) {
  const mn_walk w = mn_value_walk(v, lines, to_row, to_line);
  rows_round(t, v, to, v->z + ((int64_t)item * v->height + first) * v->width * v->stride, &w);
}
