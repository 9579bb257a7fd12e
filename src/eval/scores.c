/* scores.c - what an output tensor says, in real numbers.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "micronets/eval.h"

static double element(const mn_tensor *tensor, const void *data, int64_t index) {
  switch (tensor->dtype) {
    case MN_DTYPE_INT8: return ((const int8_t *)data)[index];
    case MN_DTYPE_UINT8: return ((const uint8_t *)data)[index];
    case MN_DTYPE_INT16: return ((const int16_t *)data)[index];
    case MN_DTYPE_INT32: return ((const int32_t *)data)[index];
    case MN_DTYPE_FLOAT32: return (double)((const float *)data)[index];
    default: return 0;
  }
}

void mn_eval_scores(double *score, const mn_graph *graph, const void *output) {
  const mn_tensor *tensor = &graph->tensors[graph->outputs[0]];
  const mn_quantization *q = &tensor->quantization;
  int64_t count = mn_shape_elements(&tensor->shape);
  for (int64_t i = 0; i < count; i++) {
    double value = element(tensor, output, i);
    score[i] = q->count > 0 ? (double)q->scale[0] * (value - q->zero_point[0]) : value;
  }
}

int32_t mn_eval_winner(double *probability, const mn_graph *graph, const double *score) {
  int64_t count = mn_shape_elements(&graph->tensors[graph->outputs[0]].shape);
  int32_t best = 0;
  for (int32_t i = 1; i < count; i++)
    if (score[i] > score[best]) best = i;
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += exp(score[i] - score[best]);
  *probability = mn_graph_is_probability(graph) ? score[best] : 1 / sum;
  return best;
}
