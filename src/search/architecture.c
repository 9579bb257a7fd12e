/* architecture.c - architecture parameters: Gumbel-softmax samples, channel masks, the way back.
 *
 * Channel c of a layer is masked with the probability that it is open: that the chosen width exceeds c
 * (FBNetV2's channel masking: all widths share one kernel). An optional layer mixes with its shortcut.
 * SPDX-License-Identifier: Apache-2.0 */
#include "search/internal.h"

#include <math.h>
#include <string.h>

static double **rows_of(mn_arena *arena, const mn_net *net, double *flat) {
  int32_t decisions = mn_net_decisions(net);
  double **row = mn_arena_array(arena, (size_t)decisions, sizeof *row);
  for (int32_t d = 0, at = 0; row != NULL && d < decisions;
       at += mn_net_decision(net, d)->options, d++)
    row[d] = flat + at;
  return row;
}

static double **new_rows(mn_arena *arena, const mn_net *net, int32_t values) {
  double *flat = mn_arena_array(arena, (size_t)values, sizeof *flat);
  return flat == NULL ? NULL : rows_of(arena, net, flat);
}

static int32_t channels_of(const mn_graph *graph, int32_t op) {
  const mn_shape *shape = &graph->tensors[graph->ops[op].output].shape;
  return shape->dim[shape->rank - 1];
}

/* Layers with a width of their own, the projections beside them, and depthwise layers between them: batch norm
 * would undo the mask of their input, and turn closed channels into constants. */
static bool takes_mask(const mn_architecture *a, int32_t op) {
  const mn_op *o = &a->graph->ops[op];
  const int32_t gate = a->gates->tensor_gate[o->output];
  const bool follows = o->kind == MN_OP_DEPTHWISE_CONV_2D && o->batch_norm;
  if (a->gates->mask_decision[op] >= 0) return true;
  return (o->kind == MN_OP_CONV_2D || follows) && gate >= 0 &&
         a->gates->gates[gate].kind != MN_GATE_FULL;
}

static bool make_masks(mn_architecture *a, mn_arena *arena) {
  size_t ops = (size_t)a->graph->op_count;
  a->mask = mn_arena_array(arena, ops, sizeof *a->mask);
  a->mask_gradient = mn_arena_array(arena, ops, sizeof *a->mask_gradient);
  a->mix = mn_arena_array(arena, 2 * ops, sizeof *a->mix);
  a->mix_gradient = mn_arena_array(arena, 2 * ops, sizeof *a->mix_gradient);
  if (!a->mask || !a->mask_gradient || !a->mix || !a->mix_gradient) return false;
  for (int32_t op = 0; op < a->graph->op_count; op++) {
    if (!takes_mask(a, op)) continue;
    size_t channels = (size_t)channels_of(a->graph, op);
    a->mask[op] = mn_arena_array(arena, channels, sizeof **a->mask);
    a->mask_gradient[op] = mn_arena_array(arena, channels, sizeof **a->mask_gradient);
    if (!a->mask[op] || !a->mask_gradient[op]) return false;
  }
  return true;
}

mn_status mn_architecture_create(mn_architecture *a, mn_arena *arena, const mn_net *net,
                                 const mn_graph *graph, const mn_gate_map *gates,
                                 const mn_options *options) {
  *a = (mn_architecture){.net = net,
                         .graph = graph,
                         .gates = gates,
                         .options = options,
                         .decisions = mn_net_decisions(net)};
  for (int32_t d = 0; d < a->decisions; d++) a->values += mn_net_decision(net, d)->options;
  a->state = mn_arena_array(arena, 3 * (size_t)a->values, sizeof *a->state);
  if (a->state == NULL) return MN_ERR_MEMORY;
  a->alpha = rows_of(arena, net, a->state);
  a->moment1 = rows_of(arena, net, a->state + a->values);
  a->moment2 = rows_of(arena, net, a->state + 2 * a->values);
  a->p = new_rows(arena, net, a->values);
  a->dp = new_rows(arena, net, a->values);
  a->gradient = new_rows(arena, net, a->values);
  a->probability = new_rows(arena, net, a->values);
  bool made = a->alpha && a->moment1 && a->moment2 && a->p && a->dp && a->gradient &&
              a->probability && make_masks(a, arena);
  return made ? MN_OK : MN_ERR_MEMORY;
}

size_t mn_architecture_state_bytes(const mn_architecture *a) {
  return 3 * (size_t)a->values * sizeof *a->state;
}

static double gumbel(mn_rng *rng) {
  double u = mn_rng_uniform(rng);
  return -log(-log(u + (1 - u) * 1e-12) + 1e-300);
}

/* softmax over the allowed options of one decision; rng NULL: no noise. */
static void soften(const mn_architecture *a, double *p, int32_t d, mn_rng *rng,
                   double temperature) {
  int32_t options = mn_net_decision(a->net, d)->options;
  double peak = -(double)INFINITY, sum = 0;
  for (int32_t k = 0; k < options; k++) {
    double noise = rng != NULL ? gumbel(rng) : 0;
    p[k] = a->options->allowed[d][k] ? (a->alpha[d][k] + noise) / temperature : -(double)INFINITY;
    if (p[k] > peak) peak = p[k];
  }
  for (int32_t k = 0; k < options; k++) sum += p[k] = exp(p[k] - peak);
  for (int32_t k = 0; k < options; k++) p[k] /= sum;
}

static void fill_gates(mn_architecture *a) {
  for (int32_t op = 0; op < a->graph->op_count; op++) {
    int32_t mix = a->graph->ops[op].kind == MN_OP_MIX ? a->graph->ops[op].decision : -1;
    if (a->mask[op] != NULL)
      mn_gate_open(a->mask[op], a->gates, a->gates->tensor_gate[a->graph->ops[op].output], a->net,
                   (const double *const *)a->p);
    if (mix >= 0) {
      a->mix[2 * op] = (float)a->p[mix][1];
      a->mix[2 * op + 1] = (float)a->p[mix][0];
    }
  }
}

void mn_architecture_sample(mn_architecture *a, mn_rng *rng, double temperature) {
  for (int32_t d = 0; d < a->decisions; d++) soften(a, a->p[d], d, rng, temperature);
  fill_gates(a);
}

void mn_architecture_fix(mn_architecture *a, const mn_pick *pick) {
  for (int32_t d = 0; d < a->decisions; d++)
    for (int32_t k = 0; k < mn_net_decision(a->net, d)->options; k++)
      a->p[d][k] = k == pick->option[d];
  fill_gates(a);
}

void mn_architecture_probability(mn_architecture *a) {
  for (int32_t d = 0; d < a->decisions; d++) soften(a, a->probability[d], d, NULL, 1);
}

void mn_architecture_draw(const mn_architecture *a, mn_pick *pick, mn_rng *rng) {
  mn_architecture_argmax(a, pick);
  for (int32_t d = 0; d < pick->count; d++) {
    double left = mn_rng_uniform(rng);
    for (int32_t k = 0; k < mn_net_decision(a->net, d)->options; k++) {
      left -= a->probability[d][k];
      if (left > 0 || a->probability[d][k] <= 0) continue;
      pick->option[d] = k;
      break;
    }
  }
}

mn_gates mn_architecture_gates(mn_architecture *a) {
  return (mn_gates){.mask = (const float *const *)a->mask,
                    .mask_gradient = a->mask_gradient,
                    .mix = a->mix,
                    .mix_gradient = a->mix_gradient};
}

static void collect_gradients(mn_architecture *a) {
  memset(a->dp[0], 0, (size_t)a->values * sizeof(double));
  for (int32_t op = 0; op < a->graph->op_count; op++) {
    int32_t mix = a->graph->ops[op].kind == MN_OP_MIX ? a->graph->ops[op].decision : -1;
    if (a->mask[op] != NULL)
      mn_gate_open_gradient(a->dp, a->mask_gradient[op], a->gates,
                            a->gates->tensor_gate[a->graph->ops[op].output], a->net,
                            (const double *const *)a->p);
    if (mix >= 0) {
      a->dp[mix][1] += (double)a->mix_gradient[2 * op];
      a->dp[mix][0] += (double)a->mix_gradient[2 * op + 1];
    }
  }
}

/* gradient on alpha += softmax's Jacobian applied to dp. */
static void through_softmax(double *gradient, const double *p, const double *dp, int32_t options,
                            double temperature) {
  double mean = 0;
  for (int32_t k = 0; k < options; k++) mean += p[k] * dp[k];
  for (int32_t k = 0; k < options; k++) gradient[k] += p[k] * (dp[k] - mean) / temperature;
}

static void adam(double *alpha, double *m, double *v, const double *gradient, int32_t options,
                 double rate, int64_t step) {
  const double beta1 = 0.9, beta2 = 0.99, tiny = 1e-8;
  double correct1 = 1 - pow(beta1, (double)step), correct2 = 1 - pow(beta2, (double)step);
  for (int32_t k = 0; k < options; k++) {
    m[k] = beta1 * m[k] + (1 - beta1) * gradient[k];
    v[k] = beta2 * v[k] + (1 - beta2) * gradient[k] * gradient[k];
    alpha[k] -= rate * (m[k] / correct1) / (sqrt(v[k] / correct2) + tiny);
  }
}

void mn_architecture_update(mn_architecture *a, double *const *dprobability, double temperature,
                            double rate, int64_t step) {
  collect_gradients(a);
  for (int32_t d = 0; d < a->decisions; d++) {
    int32_t options = mn_net_decision(a->net, d)->options;
    double *gradient = a->gradient[d];
    memset(gradient, 0, (size_t)options * sizeof *gradient);
    through_softmax(gradient, a->p[d], a->dp[d], options, temperature);
    if (dprobability != NULL)
      through_softmax(gradient, a->probability[d], dprobability[d], options, 1);
    adam(a->alpha[d], a->moment1[d], a->moment2[d], gradient, options, rate, step);
  }
}

void mn_architecture_argmax(const mn_architecture *a, mn_pick *pick) {
  for (int32_t d = 0; d < a->decisions; d++) {
    int32_t best = -1;
    for (int32_t k = 0; k < mn_net_decision(a->net, d)->options; k++)
      if (a->options->allowed[d][k] && (best < 0 || a->alpha[d][k] > a->alpha[d][best])) best = k;
    pick->option[d] = best < 0 ? 0 : best;
  }
}

double mn_architecture_liking(const mn_architecture *a, int32_t decision, int32_t option) {
  double peak = -(double)INFINITY, sum = 0;
  if (!a->options->allowed[decision][option]) return -(double)INFINITY;
  for (int32_t k = 0; k < mn_net_decision(a->net, decision)->options; k++)
    if (a->options->allowed[decision][k] && a->alpha[decision][k] > peak)
      peak = a->alpha[decision][k];
  for (int32_t k = 0; k < mn_net_decision(a->net, decision)->options; k++)
    if (a->options->allowed[decision][k]) sum += exp(a->alpha[decision][k] - peak);
  return a->alpha[decision][option] - peak - log(sum);
}
