/* price.c - one pick, priced by the real planner and tables; metrics by index.
 * SPDX-License-Identifier: Apache-2.0 */
#include "search/internal.h"

const char *const mn_metric_names[METRIC_COUNT] = {"flash", "sram", "ops", "ms", "mj"};

double mn_budget_limit(const mn_budget *budget, int metric) {
  const double limit[METRIC_COUNT] = {(double)budget->flash, (double)budget->sram,
                                      (double)budget->ops, budget->ms, budget->mj};
  return limit[metric];
}

double mn_price_metric(const mn_price *price, int metric) {
  const double value[METRIC_COUNT] = {(double)price->flash.total, (double)price->sram.total,
                                      (double)price->ops, price->ms_modelled, price->mj_modelled};
  return value[metric];
}

double mn_budget_excess(const mn_budget *budget, const mn_price *price) {
  double excess = 0;
  for (int m = 0; m < METRIC_COUNT; m++) {
    double limit = mn_budget_limit(budget, m), value = mn_price_metric(price, m);
    if (limit > 0 && value > limit) excess += value / limit - 1;
  }
  return excess;
}

mn_status mn_search_price(mn_price *price, mn_arena *scratch, const mn_net *net,
                          const mn_pick *pick, const mn_search_config *config, mn_error *error) {
  mn_arena_mark mark = mn_arena_mark_get(scratch);
  const mn_graph *graph = NULL;
  mn_frontend frontend = {0};
  mn_plan_options options = {.words = config->words};
  mn_status status = mn_net_lower(&graph, scratch, net, pick, error);
  if (status == MN_OK) status = mn_net_frontend(&frontend, net, pick, error);
  if (status == MN_OK)
    status = mn_budget_price(price, &options, scratch, graph, &frontend, config->target,
                             config->runtime, &config->budget, error);
  mn_arena_release(scratch, mark);
  return status;
}
