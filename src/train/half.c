/* half.c - which products take factors of 16 bits, and how values and weights become them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "train/checkpoint.h"
#include "train/half.h"

static const char *const names[MN_ARITHMETICS] = {[MN_ARITHMETIC_FLOAT32] = "float32",
                                                  [MN_ARITHMETIC_BF16] = "bf16",
                                                  [MN_ARITHMETIC_INT16] = "int16"};
const char *const mn_arithmetic_blocks[MN_ARITHMETICS] = {
    [MN_ARITHMETIC_BF16] = "train.bf16", [MN_ARITHMETIC_INT16] = "train.int16"};

const char *mn_arithmetic_name(mn_arithmetic arithmetic) {
  return names[arithmetic];
}

/* The fastest of them on the slowest rank. */
static mn_arithmetic fastest(void) {
  static const mn_arithmetic order[] = {MN_ARITHMETIC_BF16, MN_ARITHMETIC_INT16};
  for (size_t i = 0; i < MN_COUNT(order); i++) {
    double slower = mn_half_pays(order[i]) ? 0 : 1;
    mn_ranks_greatest(&slower, 1);
    if (slower == 0) return order[i];
  }
  return MN_ARITHMETIC_FLOAT32;
}

mn_arithmetic mn_arithmetic_of(const char *word) {
  for (size_t i = 0; i < MN_ARITHMETICS; i++)
    if (strcmp(word, names[i]) == 0) return (mn_arithmetic)i;
  return fastest();
}

/* Shorter sums, and fewer of them, save less than it costs to make their factors. So do those on the network's
 * input, whose rows are not padded and could not all be paired. */
enum { LONG = 32 };
static bool pays(const mn_unit *u) {
  return u->family == &mn_conv_family && u->output->maker == NULL && !u->input[0]->input &&
         u->depth_used >= LONG && u->output->channels >= LONG;
}

bool mn_half_backward(const mn_trainer *t, const mn_unit *u) {
  return t->half != NULL && pays(u);
}

bool mn_half_forward(const mn_trainer *t, const mn_unit *u) {
  return mn_half_backward(t, u) && t->training && !t->quantized;
}

/* Sums go along a row of the matrix, over output channels, or along the rows of a block. */
float mn_half_most(const mn_unit *u) {
  int32_t longest = u->depth;
  if (u->output->stride > longest) longest = u->output->stride;
  if (u->block > longest) longest = u->block;
  return fminf(floorf(sqrtf(2147483520.0f / (float)longest)), INT16_MAX);
}

float mn_weights_pack(const mn_trainer *t, const mn_unit *u, bool half, void *to, const float *from,
                      int32_t k, int32_t n, int32_t n_valid, ptrdiff_t k_step, ptrdiff_t n_step) {
  if (half) return t->half->pack(to, from, k, n, n_valid, k_step, n_step, mn_half_most(u));
  t->lanes->pack(to, from, k, n, n_valid, k_step, n_step);
  return 1.0f;
}

float mn_value_read_half(const mn_trainer *t, const mn_value *v, uint16_t *to, int64_t first,
                         int64_t rows, float most) {
  const mn_walk w = {
      .rows = rows, .lines = 1, .channels = v->stride, .from_row = v->stride, .to_row = v->stride};
  return t->half->read(to, mn_value_row(v, first), &v->view, &w, most);
}

float mn_value_lines_half(const mn_trainer *t, const mn_value *v, uint16_t *to, ptrdiff_t to_row,
                          ptrdiff_t to_line, int32_t item, int32_t first, int32_t lines,
                          float most) {
  const mn_walk w = mn_value_walk(v, lines, to_row, to_line);
  const int64_t row = ((int64_t)item * v->height + first) * v->width;
  return t->half->read(to, mn_value_row(v, row), &v->view, &w, most);
}
