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

/* A classifier of machines is judged by its embedding (run/anomaly.c); an auto-encoder, which makes as much
 * as it takes, by that. */
static mn_status add_detector(mn_subject *s, mn_arena *scratch, int32_t machines, mn_error *error) {
  const mn_graph *g = s->graph;
  int64_t in = mn_shape_elements(&g->tensors[g->inputs[0]].shape);
  mn_tensor_id embedding = mn_graph_embedding(g);
  if (embedding < 0 || in == mn_shape_elements(&g->tensors[g->outputs[0]].shape)) return MN_OK;
  const mn_shape *shape = &g->tensors[embedding].shape;
  int32_t dims = shape->dim[shape->rank - 1];
  s->detector = mn_detector_of(machines, dims, (int32_t)(mn_shape_elements(shape) / dims));
  s->options.detector = &s->detector;
  return mn_graph_show(&s->graph, scratch, embedding, error);
}

mn_status mn_search_subject(mn_subject *subject, mn_arena *scratch, const mn_net *net,
                            const mn_pick *pick, const mn_search_config *config, mn_error *error) {
  *subject = (mn_subject){.options = {.words = config->words, .frontend = &subject->frontend}};
  MN_TRY(mn_net_lower(&subject->graph, scratch, net, pick, error));
  MN_TRY(mn_net_frontend(&subject->frontend, net, pick, error));
  if (config->machines == 0) return MN_OK;
  return add_detector(subject, scratch, config->machines, error);
}

mn_status mn_search_count(mn_counts *counts, mn_arena *scratch, const mn_net *net,
                          const mn_pick *pick, const mn_search_config *config, mn_error *error) {
  mn_arena_mark mark = mn_arena_mark_get(scratch);
  mn_subject s;
  const mn_status status = mn_search_subject(&s, scratch, net, pick, config, error);
  if (status == MN_OK) *counts = mn_graph_counts(s.graph);
  mn_arena_release(scratch, mark);
  return status;
}

mn_status mn_search_price(mn_price *price, mn_arena *scratch, const mn_net *net,
                          const mn_pick *pick, const mn_search_config *config, mn_error *error) {
  mn_arena_mark mark = mn_arena_mark_get(scratch);
  mn_subject s;
  mn_status status = mn_search_subject(&s, scratch, net, pick, config, error);
  if (status == MN_OK)
    status = mn_budget_price(price, &s.options, scratch, s.graph, &s.frontend, config->target,
                             config->runtime, &config->budget, error);
  mn_arena_release(scratch, mark);
  return status;
}
