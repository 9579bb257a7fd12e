/* feasible.c - before anything is trained: can the budget be met at all, and which options can no
 * network within it have?
 * SPDX-License-Identifier: Apache-2.0 */
#include "search/internal.h"

/* Bytes or ops that one op of the smallest network needs under a metric. */
static double op_need(const mn_graph *graph, int32_t op, int metric) {
  const mn_op *o = &graph->ops[op];
  if (metric == METRIC_FLASH)
    return (double)(mn_op_weights(graph, op) + 9 * mn_op_biases(graph, op));
  if (metric != METRIC_SRAM) return 2.0 * (double)mn_op_macs(graph, op);
  return (double)(mn_tensor_bytes(&graph->tensors[o->input[0]]) +
                  mn_tensor_bytes(&graph->tensors[o->output]));
}

static const mn_op *neediest(const mn_graph *graph, int metric) {
  int32_t best = 0;
  for (int32_t op = 1; op < graph->op_count; op++)
    if (op_need(graph, op, metric) > op_need(graph, best, metric)) best = op;
  return &graph->ops[best];
}

static mn_status refuse(const mn_net *net, const mn_graph *graph, const mn_budget *budget,
                        const mn_price *price, int metric, mn_error *error) {
  const mn_op *op = neediest(graph, metric);
  return mn_error_set(
      error, MN_ERR_BUDGET,
      "%s:%d: the budget %s=%.10g cannot be met; the smallest network of this space needs %.10g, and this "
      "line (%s) needs most of it (smallest flash=%lld sram=%lld ops=%lld); raise the budget or "
      "narrow the line",
      mn_net_path(net), op->line, mn_metric_names[metric], mn_budget_limit(budget, metric),
      mn_price_metric(price, metric), op->name, (long long)price->flash.total,
      (long long)price->sram.total, (long long)price->ops);
}

static mn_status judge_smallest(mn_arena *arena, const mn_net *net, const mn_search_config *config,
                                mn_error *error) {
  mn_pick pick;
  mn_price price = {0};
  const mn_graph *graph = NULL;
  if (mn_pick_create(&pick, arena, net) != MN_OK)
    return mn_error_set(error, MN_ERR_MEMORY, "search: out of memory");
  mn_pick_smallest(&pick, net);
  MN_TRY(mn_search_price(&price, arena, net, &pick, config, error));
  MN_TRY(mn_net_lower(&graph, arena, net, &pick, error));
  for (int m = 0; m < METRIC_COUNT; m++) {
    double limit = mn_budget_limit(&config->budget, m), value = mn_price_metric(&price, m);
    if (limit > 0 && value < 0)
      return mn_error_set(
          error, MN_ERR_USAGE, "--budget: %s is not modelled for target %s; use ops= instead",
          mn_metric_names[m], config->target != NULL ? config->target->name : "(none)");
    if (limit > 0 && value > limit) return refuse(net, graph, &config->budget, &price, m, error);
  }
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

/* The optional decision that a decision's own layer hangs on, -1 none: a width is only there where
 * its layer is. */
static int32_t layer_decision(const mn_gate_map *gates, const mn_graph *supernet,
                              int32_t decision) {
  for (int32_t op = 0; op < supernet->op_count; op++)
    if (gates->mask_decision[op] == decision) return gates->op_decision[op];
  return -1;
}

mn_status mn_search_prune(mn_options *options, mn_arena *arena, const mn_net *net,
                          const mn_gate_map *gates, const mn_graph *supernet,
                          const mn_search_config *config, mn_error *error) {
  int32_t decisions = mn_net_decisions(net);
  mn_pick pick;
  mn_price price = {0};
  options->allowed = mn_arena_array(arena, (size_t)decisions, sizeof *options->allowed);
  if (options->allowed == NULL || mn_pick_create(&pick, arena, net) != MN_OK)
    return mn_error_set(error, MN_ERR_MEMORY, "search: out of memory");
  for (int32_t d = 0; d < decisions; d++) {
    int32_t count = mn_net_decision(net, d)->options, layer = layer_decision(gates, supernet, d);
    options->allowed[d] = mn_arena_array(arena, (size_t)count, sizeof **options->allowed);
    if (options->allowed[d] == NULL)
      return mn_error_set(error, MN_ERR_MEMORY, "search: out of memory");
    for (int32_t k = 0; k < count; k++) {
      mn_pick_smallest(&pick, net);
      if (layer >= 0) pick.option[layer] = 1;
      pick.option[d] = k;
      MN_TRY(mn_search_price(&price, arena, net, &pick, config, error));
      options->allowed[d][k] = k == 0 || mn_budget_met(&config->budget, &price);
    }
  }
  return MN_OK;
}
