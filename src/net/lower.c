/* lower.c - layers become a bare graph: one network of a pick, or the supernet with its gates. Both
 * take the same walk; only optional layers differ.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "net/gates.h"
#include "net/net_tree.h"

/* The tensor that the next layer reads, and the gate of its channels. */
typedef struct net_flow {
  mn_tensor_id tensor;
  int32_t gate;
} net_flow;

/* What the gate map says about one op. */
typedef struct op_note {
  int32_t gate, on, off, mask;
} op_note;

typedef struct lowering {
  const mn_net *net;
  const mn_pick *pick;
  bool super;
  mn_arena *arena;
  mn_builder *builder;
  net_gates *gates;
  op_note *notes;
  int32_t note_count, note_capacity;
  int32_t on, off;        /* decision under which the next ops exist; -1 always */
  const net_layer *layer; /* for messages */
  mn_error *error;
} lowering;

static mn_status no_memory(lowering *l) {
  return mn_error_set(l->error, MN_ERR_MEMORY, "%s: out of memory", l->net->path);
}

static mn_status fail(lowering *l, const char *text) {
  return mn_error_set(l->error, MN_ERR_FORMAT, "%s:%d:%d: %s: %s", l->net->path, l->layer->line,
                      l->layer->column, l->layer->name, text);
}

static mn_status locate(lowering *l, mn_status status) {
  if (status == MN_OK || status == MN_ERR_MEMORY) return status;
  return mn_error_prefix(l->error, status, "%s:%d (%s)", l->net->path, l->layer->line,
                         l->layer->name);
}

static const mn_shape *shape_of(const lowering *l, net_flow x) {
  return &mn_builder_tensor_get(l->builder, x.tensor)->shape;
}

static mn_dtype dtype_of(const lowering *l, net_flow x) {
  return mn_builder_tensor_get(l->builder, x.tensor)->dtype;
}

static int32_t channels_of(const lowering *l, net_flow x) {
  const mn_shape *shape = shape_of(l, x);
  return shape->dim[shape->rank - 1];
}

/* ---- Emitting --------------------------------------------------------------------------------*/
static const char *part_name(lowering *l, const char *part) {
  if (part == NULL) return l->layer->name;
  return mn_arena_text(l->arena, "%s.%s", l->layer->name, part);
}

/* y may be one of the inputs' flows. gate < 0: the gates ran out. */
static mn_status emit(lowering *l, net_flow *y, mn_op *op, mn_dtype dtype, int32_t gate,
                      int32_t mask) {
  if (op->name == NULL) return no_memory(l);
  if (gate < 0) return fail(l, "the space has too many different widths");
  if (!net_reserve(l->arena, (void **)&l->notes, l->note_count, &l->note_capacity,
                   sizeof *l->notes)) {
    return no_memory(l);
  }
  op->line = l->layer->line;
  op->origin = -1;
  if (op->kind != MN_OP_MIX) op->decision = -1;
  mn_tensor_id output = -1;
  MN_TRY(locate(l, mn_builder_add(l->builder, &output, op, dtype, l->error)));
  l->notes[l->note_count++] = (op_note){gate, l->on, l->off, mask};
  *y = (net_flow){output, gate};
  return MN_OK;
}

static mn_status add_constant(lowering *l, mn_tensor_id *id, const char *op, const char *what,
                              mn_dtype dtype, mn_shape shape, const int32_t *values) {
  mn_tensor tensor = {.name = mn_arena_text(l->arena, "%s.%s", op, what),
                      .dtype = dtype,
                      .shape = shape,
                      .constant = true};
  if (tensor.name == NULL) return no_memory(l);
  if (values != NULL) {
    tensor.data_bytes = (size_t)mn_shape_elements(&shape) * sizeof *values;
    tensor.data = mn_arena_copy(l->arena, values, tensor.data_bytes);
    if (tensor.data == NULL) return no_memory(l);
  }
  return locate(l, mn_builder_tensor(l->builder, id, &tensor, l->error));
}

/* ---- Layers with weights ---------------------------------------------------------------------*/
typedef struct weighted {
  mn_op_kind kind;
  const char *part;       /* "conv" of "ds4.conv"; NULL: the layer is this one op */
  const net_value *width; /* NULL: depthwise, or a projection of `channels` */
  int32_t channels, kernel_h, kernel_w, stride_h, stride_w, multiplier;
  mn_activation activation;
  bool final; /* the op that ends the line: bare where the line is the last one */
} weighted;

static mn_dtype activation_dtype(const lowering *l, const net_layer *layer) {
  int32_t bits = net_value_of(l->net, &layer->activations, l->pick);
  return bits == 4 ? MN_DTYPE_INT4 : bits == 16 ? MN_DTYPE_INT16 : MN_DTYPE_INT8;
}

static mn_shape weight_shape(const lowering *l, const weighted *w, net_flow x) {
  int32_t inputs = channels_of(l, x);
  switch (w->kind) {
    case MN_OP_FULLY_CONNECTED:
      return (mn_shape){2, {w->channels, (int32_t)mn_shape_elements(shape_of(l, x))}};
    case MN_OP_DEPTHWISE_CONV_2D: return (mn_shape){4, {1, w->kernel_h, w->kernel_w, w->channels}};
    default: return (mn_shape){4, {w->channels, w->kernel_h, w->kernel_w, inputs}};
  }
}

/* The gate of the output's channels, and the decision that masks them. */
static int32_t weighted_gate(lowering *l, const weighted *w, net_flow x, int32_t *mask) {
  *mask = -1;
  if (w->kind == MN_OP_DEPTHWISE_CONV_2D && w->multiplier == 1) return x.gate;
  bool open = w->width != NULL && w->width->kind == NET_VALUE_DECISION &&
              l->net->decisions[w->width->index].face.options > 1;
  if (!l->super || !open) return net_gate_full(l->gates, w->channels);
  *mask = w->width->index;
  return net_gate_decision(l->gates, w->width->index, w->channels);
}

static mn_status check_multiplier(lowering *l, const weighted *w, net_flow x) {
  int64_t channels = (int64_t)channels_of(l, x) * w->multiplier;
  if (w->kind != MN_OP_DEPTHWISE_CONV_2D) return MN_OK;
  if (channels > NET_MAX_SIZE) return fail(l, "the multiplier gives more than 65535 channels");
  if (w->multiplier > 1 && l->gates->gate[x.gate].kind != MN_GATE_FULL) {
    return fail(l, "a multiplier needs an input whose width is no choice");
  }
  return MN_OK;
}

static mn_status emit_weighted(lowering *l, net_flow *x, weighted w) {
  const net_layer *layer = l->layer;
  bool bare = w.final && layer == &l->net->layers[l->net->last < 0 ? 0 : l->net->last];
  int32_t mask;
  MN_TRY(check_multiplier(l, &w, *x));
  if (w.kind == MN_OP_DEPTHWISE_CONV_2D) w.channels = channels_of(l, *x) * w.multiplier;
  if (w.width != NULL) w.channels = net_value_of(l->net, w.width, l->pick);
  if (bare && (layer->own & NET_ACTIVATION) == 0) w.activation = MN_ACTIVATION_NONE;
  mn_op op = {.kind = w.kind,
              .name = part_name(l, w.part),
              .inputs = 3,
              .input = {x->tensor},
              .activation = w.activation,
              .batch_norm = layer->bn && !(bare && (layer->own & NET_BN) == 0),
              .window = {w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, 1, 1, w.multiplier,
                         layer->padding}};
  if (op.name == NULL) return no_memory(l);
  mn_dtype bits =
      net_value_of(l->net, &layer->weights, l->pick) == 4 ? MN_DTYPE_INT4 : MN_DTYPE_INT8;
  mn_dtype bias = dtype_of(l, *x) == MN_DTYPE_INT16 ? MN_DTYPE_INT64 : MN_DTYPE_INT32;
  mn_shape outputs = {1, {w.channels}};
  MN_TRY(add_constant(l, &op.input[1], op.name, "weights", bits, weight_shape(l, &w, *x), NULL));
  MN_TRY(add_constant(l, &op.input[2], op.name, "bias", bias, outputs, NULL));
  int32_t gate = weighted_gate(l, &w, *x, &mask);
  return emit(l, x, &op, activation_dtype(l, layer), gate, mask);
}

static weighted depthwise_of(const net_layer *layer, const char *part) {
  return (weighted){.kind = MN_OP_DEPTHWISE_CONV_2D,
                    .part = part,
                    .kernel_h = layer->kernel_h,
                    .kernel_w = layer->kernel_w,
                    .stride_h = layer->stride_h,
                    .stride_w = layer->stride_w,
                    .multiplier = layer->multiplier,
                    .activation = layer->activation,
                    .final = part == NULL};
}

static weighted pointwise_of(const net_value *width, const char *part, mn_activation activation,
                             bool final) {
  return (weighted){.kind = MN_OP_CONV_2D,
                    .part = part,
                    .width = width,
                    .kernel_h = 1,
                    .kernel_w = 1,
                    .stride_h = 1,
                    .stride_w = 1,
                    .multiplier = 1,
                    .activation = activation,
                    .final = final};
}

static mn_status lower_conv(lowering *l, net_flow *x, const net_layer *layer) {
  weighted w = depthwise_of(layer, NULL);
  w.kind = MN_OP_CONV_2D;
  w.width = &layer->width;
  return emit_weighted(l, x, w);
}

static mn_status lower_ibn(lowering *l, net_flow *x, const net_layer *layer) {
  weighted depthwise = depthwise_of(layer, "depthwise");
  depthwise.activation = MN_ACTIVATION_RELU6;
  MN_TRY(emit_weighted(l, x, pointwise_of(&layer->expand, "expand", MN_ACTIVATION_RELU6, false)));
  MN_TRY(emit_weighted(l, x, depthwise));
  return emit_weighted(l, x, pointwise_of(&layer->width, "project", MN_ACTIVATION_NONE, true));
}

static mn_status lower_fc(lowering *l, net_flow *x, const net_layer *layer) {
  return emit_weighted(l, x,
                       (weighted){.kind = MN_OP_FULLY_CONNECTED,
                                  .width = &layer->width,
                                  .multiplier = 1,
                                  .activation = layer->activation,
                                  .final = true});
}

/* ---- Layers without weights ------------------------------------------------------------------*/
static mn_status lower_pool(lowering *l, net_flow *x, const net_layer *layer) {
  mn_op op = {.kind = layer->pool == NET_POOL_MAX ? MN_OP_MAX_POOL_2D : MN_OP_AVERAGE_POOL_2D,
              .name = part_name(l, NULL),
              .inputs = 1,
              .input = {x->tensor},
              .window = {layer->kernel_h, layer->kernel_w, layer->stride_h, layer->stride_w, 1, 1,
                         1, layer->padding}};
  const mn_shape *shape = shape_of(l, *x);
  if (shape->rank != 4) return fail(l, "a pool needs a map of height and width");
  if (layer->kernel_h == 0) {
    op.window = (mn_window){shape->dim[1],   shape->dim[2], shape->dim[1], shape->dim[2], 1, 1, 1,
                            MN_PADDING_VALID};
  }
  return emit(l, x, &op, MN_DTYPE_COUNT, x->gate, -1);
}

static mn_status lower_reshape(lowering *l, net_flow *x, const net_layer *layer) {
  const mn_gate *gate = &l->gates->gate[x->gate];
  mn_shape to = layer->shape;
  bool flat = layer->word == NET_WORD_FLATTEN;
  if (flat) to = (mn_shape){2, {1, (int32_t)mn_shape_elements(shape_of(l, *x))}};
  if (!flat && gate->kind != MN_GATE_FULL)
    return fail(l, "reshape of a map whose width is a choice");
  mn_op op = {.kind = MN_OP_RESHAPE, .name = part_name(l, NULL), .inputs = 2, .input = {x->tensor}};
  mn_shape rank = {1, {to.rank}};
  MN_TRY(add_constant(l, &op.input[1], op.name, "shape", MN_DTYPE_INT32, rank, to.dim));
  int32_t next = x->gate;
  if (gate->kind == MN_GATE_FULL) next = net_gate_full(l->gates, to.dim[to.rank - 1]);
  return emit(l, x, &op, MN_DTYPE_COUNT, next, -1);
}

static mn_status lower_softmax(lowering *l, net_flow *x) {
  mn_op op = {.kind = MN_OP_SOFTMAX,
              .name = part_name(l, NULL),
              .inputs = 1,
              .input = {x->tensor},
              .beta = 1};
  return emit(l, x, &op, MN_DTYPE_COUNT, x->gate, -1);
}

static mn_status lower_layer(lowering *l, net_flow *x, const net_layer *layer) {
  switch (layer->word) {
    case NET_WORD_CONV: return lower_conv(l, x, layer);
    case NET_WORD_DEPTHWISE: return emit_weighted(l, x, depthwise_of(layer, NULL));
    case NET_WORD_DS:
      MN_TRY(emit_weighted(l, x, depthwise_of(layer, "depthwise")));
      return emit_weighted(l, x, pointwise_of(&layer->width, "conv", layer->activation, true));
    case NET_WORD_IBN: return lower_ibn(l, x, layer);
    case NET_WORD_FC: return lower_fc(l, x, layer);
    case NET_WORD_POOL: return lower_pool(l, x, layer);
    case NET_WORD_SOFTMAX: return lower_softmax(l, x);
    default: return lower_reshape(l, x, layer);
  }
}

/* ---- Branches --------------------------------------------------------------------------------*/
/* The pool that a shortcut needs beside a stride. */
static mn_status lower_shortcut_pool(lowering *l, net_flow *x, int32_t stride_h, int32_t stride_w,
                                     const char *part) {
  mn_op op = {.kind = MN_OP_AVERAGE_POOL_2D,
              .name = part_name(l, part),
              .inputs = 1,
              .input = {x->tensor},
              .window = {stride_h, stride_w, stride_h, stride_w, 1, 1, 1, MN_PADDING_SAME}};
  if (shape_of(l, *x)->rank != 4) return fail(l, "a stride needs a map of height and width");
  return emit(l, x, &op, MN_DTYPE_COUNT, x->gate, -1);
}

/* Zero channels at the end of the axis, up to `channels`. */
static mn_status lower_pad(lowering *l, net_flow *x, int32_t channels, int32_t gate) {
  const mn_shape *shape = shape_of(l, *x);
  int32_t paddings[2 * MN_MAX_RANK] = {0};
  if (channels == channels_of(l, *x)) return MN_OK;
  paddings[2 * shape->rank - 1] = channels - channels_of(l, *x);
  mn_shape rows = {2, {shape->rank, 2}};
  mn_op op = {.kind = MN_OP_PAD, .name = part_name(l, "pad"), .inputs = 2, .input = {x->tensor}};
  if (op.name == NULL) return no_memory(l);
  MN_TRY(add_constant(l, &op.input[1], op.name, "paddings", MN_DTYPE_INT32, rows, paddings));
  return emit(l, x, &op, MN_DTYPE_COUNT, gate, -1);
}

static bool whole_gate(const lowering *l, net_flow x) {
  return l->gates->gate[x.gate].width == channels_of(l, x);
}

static mn_status lower_sum(lowering *l, net_flow *x, net_flow shortcut) {
  const net_layer *layer = l->layer;
  int32_t a = channels_of(l, *x), b = channels_of(l, shortcut), channels = a > b ? a : b;
  if (!whole_gate(l, *x) || !whole_gate(l, shortcut)) {
    return fail(l, "a sum behind flatten needs widths that are no choice");
  }
  int32_t gate = net_gate_union(l->gates, x->gate, shortcut.gate);
  if (gate < 0) return fail(l, "the space has too many different widths");
  MN_TRY(lower_pad(l, x, channels, gate));
  MN_TRY(lower_pad(l, &shortcut, channels, gate));
  mn_op op = {.kind = MN_OP_ADD,
              .name = part_name(l, "add"),
              .inputs = 2,
              .input = {x->tensor, shortcut.tensor},
              .activation = layer->word == NET_WORD_BLOCK ? layer->activation : MN_ACTIVATION_NONE};
  return emit(l, x, &op, MN_DTYPE_COUNT, gate, -1);
}

static mn_status lower_projection(lowering *l, net_flow *from, net_flow branch, int32_t stride_h,
                                  int32_t stride_w) {
  weighted w = pointwise_of(NULL, "shortcut", MN_ACTIVATION_NONE, false);
  if (shape_of(l, *from)->rank != 4) return fail(l, "a projection needs a map of height and width");
  w.channels = channels_of(l, branch);
  w.stride_h = stride_h;
  w.stride_w = stride_w;
  MN_TRY(emit_weighted(l, from, w));
  /* its channels open with those it is added to */
  op_note *note = &l->notes[l->note_count - 1];
  const mn_gate *gate = &l->gates->gate[branch.gate];
  note->gate = from->gate = branch.gate;
  if (gate->kind == MN_GATE_DECISION) note->mask = gate->decision;
  return MN_OK;
}

static mn_status lower_mix(lowering *l, net_flow *x, net_flow shortcut, int32_t decision) {
  if (!whole_gate(l, *x) || !whole_gate(l, shortcut)) {
    return fail(l, "an optional layer behind flatten needs widths that are no choice");
  }
  mn_op op = {.kind = MN_OP_MIX,
              .name = part_name(l, "mix"),
              .inputs = 2,
              .input = {x->tensor, shortcut.tensor},
              .decision = decision};
  int32_t gate = net_gate_mix(l->gates, decision, x->gate, shortcut.gate);
  return emit(l, x, &op, MN_DTYPE_COUNT, gate, -1);
}

static mn_status lower_line(lowering *l, net_flow *x, int32_t index);

static mn_status lower_body(lowering *l, net_flow *x, int32_t index) {
  const net_layer *layer = &l->net->layers[index];
  if (layer->word != NET_WORD_BLOCK) return lower_layer(l, x, layer);
  for (int32_t i = 1; i <= layer->members; i++) MN_TRY(lower_line(l, x, index + i));
  l->layer = layer;
  return MN_OK;
}

static mn_status lower_branches(lowering *l, net_flow *x, int32_t index, int32_t decision) {
  const net_layer *layer = l->layer;
  int32_t outer = l->on, stride_h, stride_w;
  net_flow from = *x, shortcut = *x;
  bool residual = layer->shortcut == NET_SHORTCUT_PAD;
  net_layer_stride(l->net, index, &stride_h, &stride_w);
  if ((residual || decision >= 0) && (stride_h > 1 || stride_w > 1)) {
    /* one pool serves the residual and the way around: then it is always there */
    l->off = residual ? -1 : decision;
    MN_TRY(lower_shortcut_pool(l, &shortcut, stride_h, stride_w, "pool"));
    l->off = -1;
  }
  if (decision >= 0) l->on = decision;
  MN_TRY(lower_body(l, x, index));
  if (residual) MN_TRY(lower_sum(l, x, shortcut));
  if (layer->shortcut == NET_SHORTCUT_CONV) {
    MN_TRY(lower_projection(l, &from, *x, stride_h, stride_w));
    MN_TRY(lower_sum(l, x, from));
  }
  l->on = outer;
  return decision >= 0 ? lower_mix(l, x, shortcut, decision) : MN_OK;
}

static mn_status lower_line(lowering *l, net_flow *x, int32_t index) {
  const net_layer *layer = &l->net->layers[index];
  int32_t decision = layer->optional_decision, stride_h, stride_w;
  bool open = l->super && decision >= 0 && l->net->decisions[decision].face.options > 1;
  l->layer = layer;
  if (open || net_layer_on(l->net, layer, l->pick)) {
    return lower_branches(l, x, index, open ? decision : -1);
  }
  net_layer_stride(l->net, index, &stride_h, &stride_w);
  if (stride_h == 1 && stride_w == 1) return MN_OK;
  return lower_shortcut_pool(l, x, stride_h, stride_w, NULL);
}

/* ---- The whole net ---------------------------------------------------------------------------*/
static mn_dtype input_dtype(const lowering *l) {
  for (int32_t i = 0; i < l->net->layer_count; i++) {
    const net_layer *layer = &l->net->layers[i];
    if (!net_words[layer->word].weights) continue;
    return activation_dtype(l, layer) == MN_DTYPE_INT16 ? MN_DTYPE_INT16 : MN_DTYPE_INT8;
  }
  return MN_DTYPE_INT8;
}

static mn_status lower_net(lowering *l, const mn_graph **graph) {
  mn_frontend frontend;
  mn_tensor tensor = {.name = "input", .dtype = input_dtype(l)};
  net_flow x = {-1, -1};
  MN_TRY(net_input_resolve(&frontend, &tensor.shape, l->net, l->pick, l->error));
  MN_TRY(mn_builder_create(&l->builder, l->arena));
  MN_TRY(mn_builder_tensor(l->builder, &x.tensor, &tensor, l->error));
  x.gate = net_gate_full(l->gates, tensor.shape.dim[tensor.shape.rank - 1]);
  mn_tensor_id input = x.tensor;
  for (int32_t i = 0; i < l->net->layer_count; i += 1 + l->net->layers[i].members) {
    MN_TRY(lower_line(l, &x, i));
  }
  return mn_builder_finish(graph, l->builder, &input, 1, &x.tensor, 1, l->error);
}

static mn_status make_lowering(lowering *l, mn_arena *arena, const mn_net *net, const mn_pick *pick,
                               bool super, mn_error *error) {
  *l = (lowering){.net = net,
                  .pick = pick,
                  .super = super,
                  .arena = arena,
                  .on = -1,
                  .off = -1,
                  .error = error};
  l->gates = mn_arena_alloc(arena, sizeof *l->gates);
  return l->gates != NULL ? MN_OK : no_memory(l);
}

mn_status mn_net_lower(const mn_graph **graph, mn_arena *arena, const mn_net *net,
                       const mn_pick *pick, mn_error *error) {
  lowering l;
  MN_TRY(make_lowering(&l, arena, net, pick, false, error));
  return lower_net(&l, graph);
}

static mn_status make_map(lowering *l, const mn_gate_map **map, const mn_graph *graph) {
  size_t ops = (size_t)graph->op_count, tensors = (size_t)graph->tensor_count;
  mn_gate_map *made = mn_arena_alloc(l->arena, sizeof *made);
  int32_t *tensor_gate = mn_arena_array(l->arena, tensors, sizeof *tensor_gate);
  int32_t *on = mn_arena_array(l->arena, ops, sizeof *on);
  int32_t *off = mn_arena_array(l->arena, ops, sizeof *off);
  int32_t *mask = mn_arena_array(l->arena, ops, sizeof *mask);
  if (made == NULL || tensor_gate == NULL || on == NULL || off == NULL || mask == NULL) {
    return no_memory(l);
  }
  for (size_t t = 0; t < tensors; t++) tensor_gate[t] = -1;
  tensor_gate[graph->inputs[0]] = 0; /* the first gate made */
  for (size_t o = 0; o < ops; o++) {
    tensor_gate[graph->ops[o].output] = l->notes[o].gate;
    on[o] = l->notes[o].on;
    off[o] = l->notes[o].off;
    mask[o] = l->notes[o].mask;
  }
  *made = (mn_gate_map){l->gates->count, l->gates->gate, tensor_gate, on, off, mask};
  *map = made;
  return MN_OK;
}

mn_status mn_net_lower_supernet(const mn_graph **graph, const mn_gate_map **gates, mn_arena *arena,
                                const mn_net *net, const mn_pick *pick, mn_error *error) {
  lowering l;
  MN_TRY(make_lowering(&l, arena, net, pick, true, error));
  const mn_graph *made = NULL;
  MN_TRY(lower_net(&l, &made));
  MN_TRY(make_map(&l, gates, made));
  *graph = made;
  return MN_OK;
}
