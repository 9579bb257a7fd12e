/* feasible.c - before anything is trained: can the budget be met at all, and which options can no
 * network within it have?
 * SPDX-License-Identifier: Apache-2.0 */
#include "search/internal.h"

/* Bytes or ops that one op of the smallest network needs under a metric. */
static double op_need(const mn_graph *graph, int32_t op, int metric, mn_runtime runtime) {
  const mn_op *o = &graph->ops[op];
  if (metric == METRIC_FLASH) {
    const mn_op_cost cost = mn_search_op_cost(graph, op, runtime == MN_RUNTIME_TFLM);
    return cost.weights + cost.channels;
  }
  if (metric != METRIC_SRAM) return 2.0 * (double)mn_op_macs(graph, op);
  return (double)(mn_tensor_bytes(&graph->tensors[o->input[0]]) +
                  mn_tensor_bytes(&graph->tensors[o->output]));
}

static const mn_op *neediest(const mn_graph *graph, int metric, mn_runtime runtime) {
  int32_t best = 0;
  for (int32_t op = 1; op < graph->op_count; op++)
    if (op_need(graph, op, metric, runtime) > op_need(graph, best, metric, runtime)) best = op;
  return &graph->ops[best];
}

static mn_status refuse(const mn_net *net, const mn_graph *graph, const mn_search_config *config,
                        const mn_price *price, int metric, mn_error *error) {
  const mn_op *op = neediest(graph, metric, config->runtime);
  return mn_error_set(
      error, MN_ERR_BUDGET,
      "%s:%d: the budget %s=%.10g cannot be met; the smallest network of this space needs %.10g, and this "
      "line (%s) needs most of it (smallest flash=%lld sram=%lld ops=%lld); raise the budget or "
      "narrow the line",
      mn_net_path(net), op->line, mn_metric_names[metric], mn_budget_limit(&config->budget, metric),
      mn_price_metric(price, metric), op->name, (long long)price->flash.total,
      (long long)price->sram.total, (long long)price->ops);
}

/* ---- The least of the space --------------------------------------------------------------------*/
typedef struct pricing {
  mn_arena *scratch;
  const mn_net *net;
  const mn_search_config *config;
  int metric;
} pricing;

static mn_status cost_of(void *context, double *cost, const mn_pick *pick, mn_error *error) {
  const pricing *p = context;
  mn_price price = {0};
  mn_counts counts = {0};
  if (p->metric == METRIC_OPS) {
    MN_TRY(mn_search_count(&counts, p->scratch, p->net, pick, p->config, error));
    *cost = (double)counts.ops;
    return MN_OK;
  }
  MN_TRY(mn_search_price(&price, p->scratch, p->net, pick, p->config, error));
  *cost = mn_price_metric(&price, p->metric);
  return MN_OK;
}

/* The network of the space that needs least of a metric. */
static mn_status find_least(mn_pick *pick, double *least, mn_arena *scratch, const mn_net *net,
                            const mn_search_config *config, int metric, mn_error *error) {
  pricing p = {scratch, net, config, metric};
  mn_pick_smallest(pick, net);
  return mn_pick_descend(pick, least, net, cost_of, &p, error);
}

static mn_status judge_metric(mn_pick *pick, mn_arena *arena, const mn_net *net,
                              const mn_search_config *config, int metric, mn_error *error) {
  const double limit = mn_budget_limit(&config->budget, metric);
  const mn_graph *graph = NULL;
  mn_price price = {0};
  double least;
  if (limit <= 0) return MN_OK;
  MN_TRY(find_least(pick, &least, arena, net, config, metric, error));
  if (least < 0)
    return mn_error_set(
        error, MN_ERR_USAGE, "--budget: %s is not modelled for target %s; use ops= instead",
        mn_metric_names[metric], config->target != NULL ? config->target->name : "(none)");
  if (least <= limit) return MN_OK;
  MN_TRY(mn_search_price(&price, arena, net, pick, config, error));
  MN_TRY(mn_net_lower(&graph, arena, net, pick, error));
  return refuse(net, graph, config, &price, metric, error);
}

static mn_status judge_smallest(mn_arena *arena, const mn_net *net, const mn_search_config *config,
                                mn_error *error) {
  mn_pick pick;
  if (mn_pick_create(&pick, arena, net) != MN_OK)
    return mn_error_set(error, MN_ERR_MEMORY, "search: out of memory");
  for (int m = 0; m < METRIC_COUNT; m++) MN_TRY(judge_metric(&pick, arena, net, config, m, error));
  return MN_OK;
}

mn_status mn_search_feasible(const mn_net *net, const mn_search_config *config, mn_error *error) {
  mn_arena *arena;
  if (mn_arena_create(&arena) != MN_OK)
    return mn_error_set(error, MN_ERR_MEMORY, "search: out of memory");
  mn_status status = judge_smallest(arena, net, config, error);
  mn_arena_destroy(arena);
  return status;
}

/* ---- Options that no network within the budget has -----------------------------------------------*/
/* The optional decision that all layers of a width hang on, -1 where one is always there. */
static int32_t layer_decision(const mn_gate_map *gates, const mn_graph *supernet,
                              int32_t decision) {
  int32_t layer = -1;
  for (int32_t op = 0; op < supernet->op_count; op++) {
    if (gates->mask_decision[op] != decision) continue;
    if (gates->op_decision[op] < 0 || (layer >= 0 && layer != gates->op_decision[op])) return -1;
    layer = gates->op_decision[op];
  }
  return layer;
}

/* The networks that options are tried in: the first options of all decisions, and the least by each limited
 * metric. */
typedef struct bases {
  mn_pick pick[1 + METRIC_COUNT], tried;
  int32_t count;
} bases;

static mn_status add_base(bases *b, mn_arena *arena, const mn_net *net,
                          const mn_search_config *config, int metric, mn_error *error) {
  mn_pick *pick = &b->pick[b->count];
  double least;
  if (mn_pick_create(pick, arena, net) != MN_OK)
    return mn_error_set(error, MN_ERR_MEMORY, "search: out of memory");
  mn_pick_smallest(pick, net);
  if (metric >= 0) MN_TRY(find_least(pick, &least, arena, net, config, metric, error));
  for (int32_t i = 0; i < b->count; i++)
    if (mn_pick_equal(pick, &b->pick[i])) return MN_OK;
  b->count++;
  return MN_OK;
}

static mn_status find_bases(bases *b, mn_arena *arena, const mn_net *net,
                            const mn_search_config *config, mn_error *error) {
  if (mn_pick_create(&b->tried, arena, net) != MN_OK)
    return mn_error_set(error, MN_ERR_MEMORY, "search: out of memory");
  MN_TRY(add_base(b, arena, net, config, -1, error));
  for (int m = 0; m < METRIC_COUNT; m++)
    if (mn_budget_limit(&config->budget, m) > 0) MN_TRY(add_base(b, arena, net, config, m, error));
  return MN_OK;
}

/* Whether a network with option k of decision d keeps the budget; `layer`: what must be on for it. */
static mn_status fits(bool *fit, bases *b, mn_arena *arena, const mn_net *net,
                      const mn_search_config *config, int32_t d, int32_t k, int32_t layer,
                      mn_error *error) {
  mn_price price = {0};
  *fit = false;
  for (int32_t i = 0; i < b->count && !*fit; i++) {
    mn_pick_copy(&b->tried, &b->pick[i]);
    if (layer >= 0) b->tried.option[layer] = 1;
    b->tried.option[d] = k;
    MN_TRY(mn_search_price(&price, arena, net, &b->tried, config, error));
    *fit = mn_budget_met(&config->budget, &price);
  }
  return MN_OK;
}

mn_status mn_search_prune(mn_options *options, mn_arena *arena, const mn_net *net,
                          const mn_gate_map *gates, const mn_graph *supernet,
                          const mn_search_config *config, mn_error *error) {
  int32_t decisions = mn_net_decisions(net);
  bases b = {.count = 0};
  options->allowed = mn_arena_array(arena, (size_t)decisions, sizeof *options->allowed);
  if (options->allowed == NULL) return mn_error_set(error, MN_ERR_MEMORY, "search: out of memory");
  MN_TRY(find_bases(&b, arena, net, config, error));
  for (int32_t d = 0; d < decisions; d++) {
    int32_t count = mn_net_decision(net, d)->options, layer = layer_decision(gates, supernet, d);
    options->allowed[d] = mn_arena_array(arena, (size_t)count, sizeof **options->allowed);
    if (options->allowed[d] == NULL)
      return mn_error_set(error, MN_ERR_MEMORY, "search: out of memory");
    options->allowed[d][0] = true;
    for (int32_t k = 1; k < count; k++)
      MN_TRY(fits(&options->allowed[d][k], &b, arena, net, config, d, k, layer, error));
  }
  return MN_OK;
}
