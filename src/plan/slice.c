/* slice.c - see slice.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "plan/slice.h"

#include <string.h>

#define MAX_BIAS (INT64_C(1) << 30)      /* so that a 32-bit sum cannot wrap */
#define MAX_BIAS_WIDE (INT64_C(1) << 46) /* so that a 64-bit one can be requantized */

/* ---- Weights of 8 and 4 bits, element by element ---------------------------------------------*/
static void store(uint8_t *data, mn_dtype dtype, int64_t element, int32_t value) {
  if (dtype == MN_DTYPE_INT4)
    data[element / 2] = (uint8_t)(data[element / 2] | (value & 15) << (element % 2 == 0 ? 0 : 4));
  else
    data[element] = (uint8_t)value;
}

/* Copies weights seen as [outer, axis, inner] with only the kept indices of the axis. */
static mn_status slice_axis(mn_draft *draft, mn_tensor_id *id, int32_t axis, const mn_kept *kept) {
  mn_tensor from = draft->tensors[*id];
  mn_shape shape = from.shape;
  int64_t inner = 1, outer = 1;
  uint8_t *to;
  for (int32_t d = 0; d < axis; d++) outer *= shape.dim[d];
  for (int32_t d = axis + 1; d < shape.rank; d++) inner *= shape.dim[d];
  int32_t times = shape.dim[axis] / kept->from;
  shape.dim[axis] = times * kept->count;
  MN_TRY(mn_draft_constant(draft, id, &to, &shape));
  int64_t at = 0;
  for (int64_t a = 0; a < outer * times; a++)
    for (int32_t c = 0; c < kept->count; c++)
      for (int64_t i = 0; i < inner; i++)
        store(to, from.dtype, at++,
              mn_weight_at(&from, (a * kept->from + kept->channel[c]) * inner + i));
  return MN_OK;
}

/* ---- Scales and biases -----------------------------------------------------------------------*/
static mn_status slice_scales(mn_draft *draft, mn_tensor_id id, const mn_kept *kept) {
  mn_quantization *q = &draft->tensors[id].quantization;
  if (q->count <= 1) return MN_OK;
  float *scale = mn_arena_array(draft->arena, (size_t)kept->count, sizeof *scale);
  int32_t *zero_point = mn_arena_array(draft->arena, (size_t)kept->count, sizeof *zero_point);
  if (scale == NULL || zero_point == NULL) return mn_draft_no_memory(draft);
  for (int32_t c = 0; c < kept->count; c++) {
    scale[c] = q->scale[kept->channel[c]];
    zero_point[c] = q->zero_point[kept->channel[c]];
  }
  *q = (mn_quantization){kept->count, q->axis, scale, zero_point};
  return MN_OK;
}

static mn_status slice_bias(mn_draft *draft, mn_tensor_id *id, const mn_kept *kept) {
  const uint8_t *from = draft->tensors[*id].data;
  size_t width = (size_t)mn_dtype_bits(draft->tensors[*id].dtype) / 8;
  uint8_t *to;
  MN_TRY(mn_draft_constant(draft, id, &to, &(mn_shape){1, {kept->count}}));
  for (int32_t c = 0; c < kept->count; c++)
    memcpy(to + (size_t)c * width, from + (size_t)kept->channel[c] * width, width);
  return slice_scales(draft, *id, kept);
}

mn_status mn_slice_inputs(mn_draft *draft, mn_op *op, const mn_kept *kept) {
  return slice_axis(draft, &op->input[1], op->kind == MN_OP_CONV_2D ? 3 : 1, kept);
}

mn_status mn_slice_outputs(mn_draft *draft, mn_op *op, const mn_kept *kept) {
  bool depthwise = op->kind == MN_OP_DEPTHWISE_CONV_2D;
  MN_TRY(slice_axis(draft, &op->input[1], depthwise ? 3 : 0, kept));
  MN_TRY(slice_scales(draft, op->input[1], kept));
  if (depthwise && op->window.multiplier > 1) op->window.multiplier = kept->count;
  return op->inputs > 2 && op->input[2] >= 0 ? slice_bias(draft, &op->input[2], kept) : MN_OK;
}

mn_status mn_slice_shape(mn_draft *draft, mn_op *op, int32_t last) {
  if (op->inputs < 2 || op->input[1] < 0) return MN_OK;
  const mn_tensor *old = &draft->tensors[op->input[1]];
  const uint8_t *from = old->data;
  mn_shape shape = old->shape;
  size_t bytes = old->data_bytes;
  uint8_t *to;
  MN_TRY(mn_draft_constant(draft, &op->input[1], &to, &shape));
  memcpy(to, from, bytes);
  memcpy(to + bytes - sizeof last, &last, sizeof last);
  return MN_OK;
}

/* ---- Folding -------------------------------------------------------------------------------*/
static int64_t load_bias(const mn_tensor *bias, int32_t o) {
  int32_t narrow;
  int64_t wide;
  if (bias->dtype == MN_DTYPE_INT64) {
    memcpy(&wide, (const uint8_t *)bias->data + (size_t)o * sizeof wide, sizeof wide);
    return wide;
  }
  memcpy(&narrow, (const uint8_t *)bias->data + (size_t)o * sizeof narrow, sizeof narrow);
  return narrow;
}

/* What the folded channels add to output o: weights [O, rest], the channel is the last index. */
static int64_t share_of(const mn_draft *draft, const mn_op *op, mn_tensor_id x,
                        const mn_known *known, const bool *folded, int32_t o) {
  const mn_tensor *k = &draft->tensors[op->input[1]];
  int32_t zero_point = draft->tensors[x].quantization.zero_point[0];
  int32_t channels = mn_channels_of(&draft->tensors[x]), value;
  int64_t rest = mn_shape_elements(&k->shape) / k->shape.dim[0], sum = 0;
  for (int32_t c = 0; c < channels; c++) {
    if (!folded[c] || !mn_known_constant(&value, known, x, c)) continue;
    for (int64_t i = c; i < rest; i += channels)
      sum += (int64_t)(value - zero_point) * mn_weight_at(k, o * rest + i);
  }
  return sum;
}

mn_status mn_fold_channels(mn_draft *draft, mn_op *op, mn_tensor_id x, const mn_known *known,
                           const bool *folded, bool dry, bool *fits) {
  bool any = false;
  for (int32_t c = 0; c < mn_channels_of(&draft->tensors[x]); c++) any = any || folded[c];
  if (!any || op->inputs < 3 || op->input[2] < 0) return MN_OK;
  mn_tensor bias = draft->tensors[op->input[2]];
  bool wide = bias.dtype == MN_DTYPE_INT64;
  int64_t most = wide ? MAX_BIAS_WIDE : MAX_BIAS;
  int32_t outputs = draft->tensors[op->input[1]].shape.dim[0];
  uint8_t *to = NULL;
  if (!dry) MN_TRY(mn_draft_constant(draft, &op->input[2], &to, &bias.shape));
  for (int32_t o = 0; o < outputs; o++) {
    int64_t share = share_of(draft, op, x, known, folded, o), value = load_bias(&bias, o) + share;
    int32_t narrow = (int32_t)value;
    if (share != 0 && (value >= most || value <= -most)) *fits = false;
    if (dry) continue;
    if (wide) memcpy(to + (size_t)o * sizeof value, &value, sizeof value);
    if (!wide) memcpy(to + (size_t)o * sizeof narrow, &narrow, sizeof narrow);
  }
  return MN_OK;
}

bool mn_averages_channels(const mn_graph *graph, const mn_op *op) {
  const mn_tensor *axes = &graph->tensors[op->input[1]];
  int32_t rank = graph->tensors[op->input[0]].shape.rank;
  for (int64_t i = 0; i < mn_shape_elements(&axes->shape); i++) {
    int32_t axis;
    memcpy(&axis, (const uint8_t *)axes->data + (size_t)i * sizeof axis, sizeof axis);
    if (axis == rank - 1 || axis == -1) return true;
  }
  return false;
}
