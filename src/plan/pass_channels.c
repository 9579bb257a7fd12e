/* pass_channels.c - removes channels that hold one value whatever the input, or that nothing reads.
 *
 * Tensors whose channels go together (through depthwise, pools, sums, reshapes that keep the last axis)
 * form a group; a channel goes from all of them or from none. It can go where every layer that reads it
 * either multiplies it by zero, or can have its share added to the bias: where it is not the zero point,
 * the share must not differ at the border, where padding stands for the zero point.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "plan/draft.h"
#include "plan/known.h"
#include "plan/slice.h"

typedef struct finder {
  mn_draft *draft;
  mn_arena *scratch; /* of this round */
  mn_known known;
  int32_t *parent; /* [tensor]: another tensor of its group; itself at the root */
  bool *blocked;   /* [tensor], at the root */
} finder;

static const mn_tensor *tensor_of(const finder *f, mn_tensor_id id) {
  return &f->draft->tensors[id];
}

/* ---- Groups --------------------------------------------------------------------------------*/
static int32_t root_of(const finder *f, mn_tensor_id id) {
  while (f->parent[id] != id) id = f->parent[id];
  return id;
}

static void join(finder *f, mn_tensor_id a, mn_tensor_id b) {
  int32_t x = root_of(f, a), y = root_of(f, b);
  f->parent[y] = x;
  f->blocked[x] = f->blocked[x] || f->blocked[y];
}

static void block(finder *f, mn_tensor_id id) {
  f->blocked[root_of(f, id)] = true;
}

static bool makes_channels(const mn_op *op, const mn_tensor *x) {
  bool one_channel = op->kind == MN_OP_DEPTHWISE_CONV_2D && mn_channels_of(x) == 1;
  return op->kind == MN_OP_CONV_2D || op->kind == MN_OP_FULLY_CONNECTED || one_channel;
}

/* Whether an op without a mix of channels hands each one on as it is numbered. */
static bool hands_on(const finder *f, const mn_op *op) {
  const mn_tensor *x = tensor_of(f, op->input[0]), *y = tensor_of(f, op->output);
  if (mn_channels_of(x) != mn_channels_of(y)) return false;
  switch (op->kind) {
    case MN_OP_DEPTHWISE_CONV_2D:
    case MN_OP_AVERAGE_POOL_2D:
    case MN_OP_MAX_POOL_2D:
    case MN_OP_ADD:
    case MN_OP_QUANTIZE: return true;
    case MN_OP_RESHAPE: return x->shape.rank > 0 && y->shape.rank > 0;
    case MN_OP_PAD: return x->shape.rank == 4;
    case MN_OP_MEAN: return x->shape.rank == 4 && !mn_averages_channels(&f->draft->graph, op);
    default: return false;
  }
}

static bool is_layer(const mn_op *op) {
  return op->kind == MN_OP_CONV_2D || op->kind == MN_OP_FULLY_CONNECTED;
}

/* A RESHAPE of a map into vectors of whole positions, which only fully connected layers read: their
 * weights see each channel once per position. */
static bool flattens(const finder *f, const mn_op *op) {
  const mn_graph *g = &f->draft->graph;
  const mn_tensor *x = tensor_of(f, op->input[0]), *y = tensor_of(f, op->output);
  if (op->kind != MN_OP_RESHAPE || x->shape.rank != 4 || hands_on(f, op)) return false;
  if (mn_channels_of(y) % mn_channels_of(x) != 0 || mn_draft_is_end(f->draft, op->output))
    return false;
  for (int32_t o = 0; o < g->op_count; o++)
    for (int32_t i = 0; i < g->ops[o].inputs; i++)
      if (g->ops[o].input[i] == op->output &&
          (i > 0 || g->ops[o].kind != MN_OP_FULLY_CONNECTED || g->ops[o].keep_dims))
        return false;
  return true;
}

/* The tensor whose channels a layer reads: its input, or what was flattened into it. */
static mn_tensor_id read_by(const finder *f, const mn_op *layer) {
  int32_t producer = mn_draft_producer(f->draft, layer->input[0]);
  bool flat = producer >= 0 && flattens(f, &f->draft->ops[producer]);
  return flat ? f->draft->ops[producer].input[0] : layer->input[0];
}

static bool reads_group(const finder *f, const mn_op *op, int32_t root) {
  return is_layer(op) && root_of(f, read_by(f, op)) == root;
}

static void group_op(finder *f, const mn_op *op) {
  const mn_tensor *x = tensor_of(f, op->input[0]);
  if (makes_channels(op, x)) {
    if (!is_layer(op)) block(f, op->input[0]);
    return;
  }
  bool together = hands_on(f, op);
  if (flattens(f, op)) {
    block(f, op->output); /* it follows its input */
    return;
  }
  for (int32_t i = 0; i < (op->kind == MN_OP_ADD ? 2 : 1); i++) {
    if (together) join(f, op->output, op->input[i]);
    if (!together) block(f, op->input[i]);
  }
  if (!together) block(f, op->output);
}

static void find_groups(finder *f) {
  const mn_graph *g = &f->draft->graph;
  for (int32_t t = 0; t < g->tensor_count; t++) {
    const mn_tensor *tensor = &g->tensors[t];
    bool plain = tensor->dtype == MN_DTYPE_INT8 || tensor->dtype == MN_DTYPE_INT16;
    f->parent[t] = t;
    f->blocked[t] = tensor->constant || tensor->variable || !plain || mn_draft_is_end(f->draft, t);
  }
  for (int32_t o = 0; o < g->op_count; o++) group_op(f, &g->ops[o]);
}

/* ---- What a layer says of one channel that it reads ------------------------------------------*/
/* Tap (i, j) lies outside the input for some output: there the padding is multiplied instead. */
static bool leaves_input(const finder *f, const mn_op *op, int32_t i, int32_t j) {
  const mn_shape *x = &tensor_of(f, op->input[0])->shape, *y = &tensor_of(f, op->output)->shape;
  const mn_window *w = &op->window;
  int32_t top = i * w->dilation_h - mn_window_pad_before(x->dim[1], w->kernel_h, w->stride_h,
                                                         w->dilation_h, w->padding);
  int32_t left = j * w->dilation_w - mn_window_pad_before(x->dim[2], w->kernel_w, w->stride_w,
                                                          w->dilation_w, w->padding);
  return top < 0 || left < 0 || top + (y->dim[1] - 1) * w->stride_h >= x->dim[1] ||
         left + (y->dim[2] - 1) * w->stride_w >= x->dim[2];
}

typedef enum verdict { READ, IGNORED, FOLDED } verdict;

static verdict judge_conv(const finder *f, const mn_op *op, int32_t channel) {
  const mn_tensor *k = tensor_of(f, op->input[1]);
  int32_t kh = k->shape.dim[1], kw = k->shape.dim[2], depth = k->shape.dim[3];
  bool zero = true, at_border = false;
  for (int32_t o = 0; o < k->shape.dim[0]; o++)
    for (int32_t tap = 0; tap < kh * kw; tap++) {
      if (mn_weight_at(k, ((int64_t)o * kh * kw + tap) * depth + channel) == 0) continue;
      zero = false;
      at_border = at_border || leaves_input(f, op, tap / kw, tap % kw);
    }
  int32_t value;
  if (zero) return IGNORED;
  if (!mn_known_constant(&value, &f->known, op->input[0], channel)) return READ;
  if (value == tensor_of(f, op->input[0])->quantization.zero_point[0]) return IGNORED;
  return at_border || op->input[2] < 0 ? READ : FOLDED;
}

/* Weights [O, I] where I is one or several times the channels of x. */
static verdict judge_fully_connected(const finder *f, const mn_op *op, int32_t channel) {
  mn_tensor_id from = read_by(f, op);
  const mn_tensor *k = tensor_of(f, op->input[1]), *x = tensor_of(f, from);
  int32_t inputs = k->shape.dim[1], channels = mn_channels_of(x);
  verdict all = IGNORED;
  if (inputs % channels != 0) return READ;
  for (int32_t i = channel; i < inputs; i += channels) {
    bool zero = true;
    for (int32_t o = 0; o < k->shape.dim[0] && zero; o++)
      zero = mn_weight_at(k, (int64_t)o * inputs + i) == 0;
    int32_t value;
    if (zero) continue;
    if (!mn_known_constant(&value, &f->known, from, channel)) return READ;
    if (value != x->quantization.zero_point[0]) all = FOLDED;
  }
  return all == FOLDED && (op->inputs < 3 || op->input[2] < 0) ? READ : all;
}

/* ---- One group -----------------------------------------------------------------------------*/
static void judge_channel(const finder *f, int32_t root, int32_t channel, bool *gone,
                          bool *folded) {
  const mn_graph *g = &f->draft->graph;
  *gone = true;
  *folded = false;
  for (int32_t o = 0; o < g->op_count && *gone; o++) {
    const mn_op *op = &g->ops[o];
    if (!reads_group(f, op, root)) continue;
    verdict v = op->kind == MN_OP_CONV_2D ? judge_conv(f, op, channel)
                                          : judge_fully_connected(f, op, channel);
    *gone = v != READ;
    *folded = *folded || v == FOLDED;
  }
}

/* Adds the constant's share to the bias of every layer that reads it; false where one leaves its range. */
static mn_status fold_all(finder *f, int32_t root, const bool *folded, bool *fits) {
  const mn_graph *g = &f->draft->graph;
  *fits = true;
  for (int32_t dry = 1; dry >= 0 && *fits; dry--)
    for (int32_t o = 0; o < g->op_count && *fits; o++) {
      mn_op *op = &f->draft->ops[o];
      if (!reads_group(f, op, root)) continue;
      MN_TRY(mn_fold_channels(f->draft, op, read_by(f, op), &f->known, folded, dry == 1, fits));
    }
  return MN_OK;
}

static mn_status slice_ops(finder *f, int32_t root, const mn_kept *kept) {
  for (int32_t o = 0; o < f->draft->graph.op_count; o++) {
    mn_op *op = &f->draft->ops[o];
    const mn_tensor *x = tensor_of(f, op->input[0]);
    bool writes = root_of(f, op->output) == root;
    if (reads_group(f, op, root)) MN_TRY(mn_slice_inputs(f->draft, op, kept));
    bool makes = makes_channels(op, x) || op->kind == MN_OP_DEPTHWISE_CONV_2D;
    if (writes && makes) MN_TRY(mn_slice_outputs(f->draft, op, kept));
    if (writes && op->kind == MN_OP_RESHAPE) MN_TRY(mn_slice_shape(f->draft, op, kept->count));
  }
  return MN_OK;
}

/* Shortens the last axis, which holds every channel once or, flattened, once per position. */
static mn_status slice_tensor(mn_draft *draft, mn_tensor_id id, const mn_kept *kept) {
  mn_tensor *tensor = &draft->tensors[id];
  int32_t times = mn_channels_of(tensor) / kept->from;
  size_t count = (size_t)times * (size_t)kept->count;
  int32_t *channels = mn_arena_array(draft->arena, count, sizeof *channels);
  if (channels == NULL) return mn_draft_no_memory(draft);
  for (size_t i = 0; i < count; i++) {
    int32_t position = (int32_t)i / kept->count, c = kept->channel[(int32_t)i % kept->count];
    int32_t at = position * kept->from + c;
    channels[i] = draft->kept[id] != NULL ? draft->kept[id][at] : at;
  }
  draft->kept[id] = channels;
  tensor->shape.dim[tensor->shape.rank - 1] = (int32_t)count;
  return MN_OK;
}

/* Before its input's shape is cut, which tells that it is one. */
static mn_status slice_flattened(finder *f, int32_t root, const mn_kept *kept) {
  for (int32_t o = 0; o < f->draft->graph.op_count; o++) {
    mn_op *op = &f->draft->ops[o];
    if (root_of(f, op->input[0]) != root || !flattens(f, op)) continue;
    MN_TRY(slice_tensor(f->draft, op->output, kept));
    MN_TRY(mn_slice_shape(f->draft, op, mn_channels_of(tensor_of(f, op->output))));
  }
  return MN_OK;
}

static mn_status slice_tensors(finder *f, int32_t root, const mn_kept *kept) {
  MN_TRY(slice_flattened(f, root, kept));
  for (int32_t t = 0; t < f->known.graph->tensor_count; t++)
    if (root_of(f, t) == root) MN_TRY(slice_tensor(f->draft, t, kept));
  return MN_OK;
}

/* Lists what stays; at least one channel does, as a tensor without any cannot be. */
static mn_status list_kept(mn_kept *kept, finder *f, const bool *gone, int32_t channels) {
  int32_t *channel = mn_arena_array(f->scratch, (size_t)channels, sizeof *channel);
  if (channel == NULL) return mn_draft_no_memory(f->draft);
  *kept = (mn_kept){channel, 0, channels};
  for (int32_t c = 0; c < channels; c++)
    if (!gone[c]) channel[kept->count++] = c;
  if (kept->count == 0) kept->count = 1; /* channel 0 */
  return MN_OK;
}

static mn_status judge_group(finder *f, int32_t root, bool may_fold, bool *gone, bool *folded) {
  int32_t channels = mn_channels_of(tensor_of(f, root));
  bool any = false;
  for (int32_t c = 0; c < channels; c++) {
    judge_channel(f, root, c, &gone[c], &folded[c]);
    gone[c] = gone[c] && (may_fold || !folded[c]);
    folded[c] = folded[c] && gone[c];
    any = any || !gone[c];
  }
  if (!any) gone[0] = folded[0] = false;
  return MN_OK;
}

static mn_status shrink_group(finder *f, int32_t root, int64_t *removed) {
  int32_t channels = mn_channels_of(tensor_of(f, root));
  bool *gone = mn_arena_array(f->scratch, (size_t)channels, sizeof *gone);
  bool *folded = mn_arena_array(f->scratch, (size_t)channels, sizeof *folded);
  if (gone == NULL || folded == NULL) return mn_draft_no_memory(f->draft);
  bool fits = true;
  mn_kept kept;
  MN_TRY(judge_group(f, root, true, gone, folded));
  MN_TRY(fold_all(f, root, folded, &fits));
  if (!fits) MN_TRY(judge_group(f, root, false, gone, folded));
  MN_TRY(list_kept(&kept, f, gone, channels));
  if (kept.count == channels) return MN_OK;
  MN_TRY(slice_ops(f, root, &kept));
  MN_TRY(slice_tensors(f, root, &kept));
  *removed += channels - kept.count;
  return MN_OK;
}

/* A group is worth a look where something makes its channels. */
static bool made_by_layer(const finder *f, int32_t root) {
  const mn_graph *g = &f->draft->graph;
  for (int32_t o = 0; o < g->op_count; o++)
    if (root_of(f, g->ops[o].output) == root) return true;
  return false;
}

static mn_status shrink_all(finder *f, int64_t *removed) {
  size_t tensors = (size_t)f->draft->graph.tensor_count;
  f->parent = mn_arena_array(f->scratch, 2 * tensors, sizeof *f->parent);
  f->blocked = mn_arena_array(f->scratch, 2 * tensors, sizeof *f->blocked);
  if (f->parent == NULL || f->blocked == NULL) return mn_draft_no_memory(f->draft);
  mn_graph *before = mn_arena_copy(f->scratch, &f->draft->graph, sizeof *before);
  mn_tensor *old = mn_arena_copy(f->scratch, f->draft->tensors, tensors * sizeof *old);
  if (before == NULL || old == NULL) return mn_draft_no_memory(f->draft);
  before->tensors = old; /* shapes as the values were found with */
  MN_TRY(mn_known_find(&f->known, f->scratch, before, f->draft->error));
  find_groups(f);
  for (int32_t t = 0; t < (int32_t)tensors; t++)
    if (f->parent[t] == t && !f->blocked[t] && made_by_layer(f, t))
      MN_TRY(shrink_group(f, t, removed));
  return MN_OK;
}

mn_status mn_pass_dead_channels(mn_draft *draft, int64_t *removed) {
  finder f = {.draft = draft};
  if (mn_arena_create(&f.scratch) != MN_OK) return mn_draft_no_memory(draft);
  mn_status status = shrink_all(&f, removed);
  mn_arena_destroy(f.scratch);
  return status;
}
