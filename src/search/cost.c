/* cost.c - expected flash, SRAM and ops of a supernet (the paper, section 5.1), exact at one-hot.
 *
 * Search turns probabilities into expected channels with the gate map; the schedule is plan's
 * business (mn_plan_expected_sram). What the smooth terms leave out (code, front end, alignment)
 * is an offset, taken from the real price of the present argmax network once an epoch.
 * SPDX-License-Identifier: Apache-2.0 */
#include "search/internal.h"

#include <math.h>

/* Bytes that go with each output channel beside its weights. */
enum {
  CHANNEL_BYTES = 9,
  TFLM_CHANNEL_BYTES = 15,
  TFLM_TAIL_CHANNEL_BYTES = 8,
  TFLM_TAIL_OP_BYTES = 165
};
static const double peak_sharpness = 40; /* of the smooth maximum over ops, relative to the peak */

mn_status mn_cost_create(mn_cost *cost, mn_arena *arena, const mn_graph *graph,
                         const mn_gate_map *gates, const mn_net *net,
                         const mn_search_config *config) {
  size_t gate_count = (size_t)gates->gate_count, ops = (size_t)graph->op_count,
         tensors = (size_t)graph->tensor_count;
  *cost = (mn_cost){.graph = graph,
                    .gates = gates,
                    .net = net,
                    .paper = config->paper_price,
                    .tflm = config->runtime == MN_RUNTIME_TFLM};
  cost->width = mn_arena_array(arena, gate_count, sizeof(double));
  cost->dwidth = mn_arena_array(arena, gate_count, sizeof(double));
  cost->exists = mn_arena_array(arena, ops, sizeof(double));
  cost->dexists = mn_arena_array(arena, ops, sizeof(double));
  cost->tensor_bytes = mn_arena_array(arena, tensors, sizeof(double));
  cost->dtensor_bytes = mn_arena_array(arena, tensors, sizeof(double));
  /* A network of the space may have a PAD for each of the supernet's sums. */
  cost->op_room = 2 * graph->op_count;
  cost->block_room = graph->tensor_count + graph->op_count + 2 * cost->op_room;
  cost->op = mn_arena_array(arena, (size_t)cost->op_room, sizeof *cost->op);
  cost->blocks = mn_arena_array(arena, (size_t)cost->block_room, sizeof *cost->blocks);
  bool made = mn_pick_create(&cost->scheduled, arena, net) == MN_OK && cost->op && cost->blocks &&
              cost->width && cost->dwidth && cost->exists && cost->dexists && cost->tensor_bytes &&
              cost->dtensor_bytes;
  return made ? MN_OK : MN_ERR_MEMORY;
}

/* Share of a tensor's channels that is expected to be open. */
static double open_share(const mn_cost *cost, mn_tensor_id tensor) {
  int32_t gate = tensor < 0 ? -1 : cost->gates->tensor_gate[tensor];
  return gate < 0 ? 1 : cost->width[gate] / cost->gates->gates[gate].width;
}

static void add_share_gradient(mn_cost *cost, mn_tensor_id tensor, double gradient) {
  int32_t gate = tensor < 0 ? -1 : cost->gates->tensor_gate[tensor];
  if (gate >= 0) cost->dwidth[gate] += gradient / cost->gates->gates[gate].width;
}

/* Conv and fully connected weights span input and output channels, depthwise only its output's. */
static bool spans_input(mn_op_kind kind) {
  return kind == MN_OP_CONV_2D || kind == MN_OP_FULLY_CONNECTED;
}

static double op_exists(const mn_cost *cost, int32_t op, const double *const *p) {
  int32_t on = cost->gates->op_decision[op], off = cost->gates->op_decision_off[op];
  return (on >= 0 ? p[on][1] : 1) * (off >= 0 ? p[off][0] : 1);
}

/* At full width. */
mn_op_cost mn_search_op_cost(const mn_graph *graph, int32_t op, bool tflm) {
  const mn_op *o = &graph->ops[op];
  const double per_channel = tflm ? TFLM_CHANNEL_BYTES : CHANNEL_BYTES;
  const double bits = o->inputs > 1 ? mn_dtype_bits(graph->tensors[o->input[1]].dtype) : 8;
  return (mn_op_cost){2.0 * (double)mn_op_macs(graph, op),
                      (double)mn_op_weights(graph, op) * bits / 8,
                      (double)mn_op_biases(graph, op) * per_channel};
}

static double tail_bytes(const mn_cost *cost, int32_t op, double out) {
  if (!cost->tflm || cost->graph->ops[op].kind == MN_OP_MIX) return 0;
  return TFLM_TAIL_OP_BYTES + TFLM_TAIL_CHANNEL_BYTES * (double)mn_op_biases(cost->graph, op) * out;
}

static void add_op(mn_cost *cost, double value[METRIC_COUNT], int32_t op) {
  const mn_op *o = &cost->graph->ops[op];
  const mn_op_cost full = mn_search_op_cost(cost->graph, op, cost->tflm);
  double in = spans_input(o->kind) ? open_share(cost, o->input[0]) : 1;
  double out = open_share(cost, o->output), exists = cost->exists[op];
  value[METRIC_OPS] += exists * in * out * full.ops;
  value[METRIC_FLASH] += exists * out * (in * full.weights + full.channels);
  value[METRIC_SRAM] += exists * tail_bytes(cost, op, out);
}

static void add_linear_models(const mn_cost *cost, double value[METRIC_COUNT]) {
  value[METRIC_MS] = value[METRIC_OPS] * cost->ms_per_op;
  value[METRIC_MJ] = value[METRIC_OPS] * cost->mj_per_op;
}

static double expected_sram(mn_cost *cost) {
  if (cost->paper || cost->tflm)
    return mn_paper_expected_sram(cost->dtensor_bytes, cost->graph, cost->tensor_bytes,
                                  cost->exists, peak_sharpness);
  return mn_plan_expected_sram(cost->dtensor_bytes, &cost->memory, cost->tensor_bytes,
                               cost->graph->tensor_count, cost->exists, peak_sharpness);
}

mn_status mn_cost_forward(mn_cost *cost, double value[METRIC_COUNT], const double *const *p) {
  for (int m = 0; m < METRIC_COUNT; m++) value[m] = 0;
  mn_gate_widths(cost->width, cost->gates, cost->net, p);
  for (int32_t op = 0; op < cost->graph->op_count; op++) {
    cost->exists[op] = op_exists(cost, op, p);
    add_op(cost, value, op);
  }
  for (int32_t t = 0; t < cost->graph->tensor_count; t++) {
    const mn_tensor *tensor = &cost->graph->tensors[t];
    cost->tensor_bytes[t] =
        tensor->constant ? 0 : (double)mn_tensor_bytes(tensor) * open_share(cost, t);
  }
  value[METRIC_SRAM] += expected_sram(cost);
  add_linear_models(cost, value);
  for (int m = 0; m < METRIC_COUNT; m++) value[m] += cost->offset[m];
  return isnan(value[METRIC_SRAM]) ? MN_ERR_MEMORY : MN_OK;
}

static void backward_op(mn_cost *cost, const double weight[METRIC_COUNT], int32_t op) {
  const mn_op *o = &cost->graph->ops[op];
  const mn_op_cost full = mn_search_op_cost(cost->graph, op, cost->tflm);
  double in = spans_input(o->kind) ? open_share(cost, o->input[0]) : 1;
  double out = open_share(cost, o->output), exists = cost->exists[op];
  double ops = weight[METRIC_OPS] + weight[METRIC_MS] * cost->ms_per_op +
               weight[METRIC_MJ] * cost->mj_per_op;
  double both = ops * full.ops + weight[METRIC_FLASH] * full.weights;
  double alone = weight[METRIC_FLASH] * full.channels;
  double tail = weight[METRIC_SRAM] * (tail_bytes(cost, op, 1) - tail_bytes(cost, op, 0));
  cost->dexists[op] = out * (in * both + alone) + weight[METRIC_SRAM] * tail_bytes(cost, op, out);
  if (spans_input(o->kind)) add_share_gradient(cost, o->input[0], exists * out * both);
  add_share_gradient(cost, o->output, exists * (in * both + alone + tail));
}

/* exists = p[on][1] * p[off][0], one of the factors usually 1. */
static void backward_exists(const mn_cost *cost, double *const *dp, int32_t op,
                            const double *const *p) {
  int32_t on = cost->gates->op_decision[op], off = cost->gates->op_decision_off[op];
  if (on >= 0) dp[on][1] += cost->dexists[op] * (off >= 0 ? p[off][0] : 1);
  if (off >= 0) dp[off][0] += cost->dexists[op] * (on >= 0 ? p[on][1] : 1);
}

void mn_cost_backward(mn_cost *cost, double *const *dp, const double weight[METRIC_COUNT],
                      const double *const *p) {
  for (int32_t g = 0; g < cost->gates->gate_count; g++) cost->dwidth[g] = 0;
  for (int32_t op = 0; op < cost->graph->op_count; op++) backward_op(cost, weight, op);
  for (int32_t t = 0; t < cost->graph->tensor_count; t++) {
    const mn_tensor *tensor = &cost->graph->tensors[t];
    if (tensor->constant) continue;
    add_share_gradient(
        cost, t, weight[METRIC_SRAM] * cost->dtensor_bytes[t] * (double)mn_tensor_bytes(tensor));
  }
  for (int32_t op = 0; op < cost->graph->op_count; op++) backward_exists(cost, dp, op, p);
  mn_gate_widths_gradient(dp, cost->dwidth, cost->gates, cost->net, p);
}

/* One-hot probabilities of a pick, in scratch memory. */
static const double *const *one_hot(mn_arena *scratch, const mn_net *net, const mn_pick *pick) {
  double **p = mn_arena_array(scratch, (size_t)pick->count, sizeof *p);
  for (int32_t d = 0; p != NULL && d < pick->count; d++) {
    p[d] = mn_arena_array(scratch, (size_t)mn_net_decision(net, d)->options, sizeof **p);
    if (p[d] == NULL) return NULL;
    p[d][pick->option[d]] = 1;
  }
  return (const double *const *)p;
}

mn_status mn_cost_calibrate(mn_cost *cost, const mn_pick *pick, mn_arena *scratch,
                            const mn_search_config *config, mn_error *error) {
  mn_arena_mark mark = mn_arena_mark_get(scratch);
  mn_price price = {0};
  double smooth[METRIC_COUNT];
  mn_status status = mn_cost_schedule(cost, pick, scratch, config, error);
  if (status == MN_OK) status = mn_search_price(&price, scratch, cost->net, pick, config, error);
  const double *const *p = one_hot(scratch, cost->net, pick);
  if (status == MN_OK && p == NULL)
    status = mn_error_set(error, MN_ERR_MEMORY, "search: out of memory");
  if (status == MN_OK) {
    if (price.ms_modelled > 0) cost->ms_per_op = price.ms_modelled / (double)price.ops;
    if (price.mj_modelled > 0) cost->mj_per_op = price.mj_modelled / (double)price.ops;
    for (int m = 0; m < METRIC_COUNT; m++) cost->offset[m] = 0;
    if (mn_cost_forward(cost, smooth, p) != MN_OK)
      status = mn_error_set(error, MN_ERR_MEMORY, "search: out of memory");
    cost->offset[METRIC_FLASH] = (double)price.flash.total - smooth[METRIC_FLASH];
    cost->offset[METRIC_SRAM] = (double)price.sram.total - smooth[METRIC_SRAM];
  }
  mn_arena_release(scratch, mark);
  return status;
}
