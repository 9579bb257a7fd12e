/* space.c - micronets space: how many networks, and the least and most each metric can be.
 * SPDX-License-Identifier: Apache-2.0 */
#include "run/stage.h"

enum { OPS, PARAMS, FLASH, SRAM, METRICS };
static const char *const names[METRICS] = {"ops", "params", "flash", "sram"};

typedef struct pricing {
  const mn_run_context *context;
  const mn_net *net;
  const mn_target *target; /* NULL: ops and params only */
  mn_runtime runtime;
  mn_frontend frontend;
} pricing;

static mn_status price(int64_t value[METRICS], const pricing *p, const mn_pick *pick,
                       mn_error *error) {
  mn_arena *arena = p->context->arena;
  mn_arena_mark mark = mn_arena_mark_get(arena);
  const mn_graph *graph = NULL;
  mn_price full;
  mn_plan_options options = {0};
  mn_status status = mn_net_lower(&graph, arena, p->net, pick, error);
  if (status == MN_OK && p->target != NULL)
    status = mn_price_graph(&full, arena, graph,
                            p->frontend.kind != MN_FRONTEND_NONE ? &p->frontend : NULL, p->target,
                            p->runtime, &options, error);
  if (status == MN_OK) {
    mn_counts counts = mn_graph_counts(graph);
    value[OPS] = counts.ops;
    value[PARAMS] = counts.params;
    value[FLASH] = p->target != NULL ? full.flash.total : -1;
    value[SRAM] = p->target != NULL ? full.sram.total : -1;
  }
  mn_arena_release(arena, mark);
  return status;
}

typedef struct extreme {
  const pricing *p;
  int metric, sign; /* sign -1: the most of it */
} extreme;

static mn_status cost_of(void *context, double *cost, const mn_pick *pick, mn_error *error) {
  const extreme *e = context;
  int64_t value[METRICS];
  MN_TRY(price(value, e->p, pick, error));
  *cost = e->sign * (double)value[e->metric];
  return MN_OK;
}

static mn_status extreme_json(json_t *object, const char *key, const pricing *p, bool largest,
                              mn_error *error) {
  json_t *entry = mn_json_object();
  mn_json_put(object, key, entry);
  for (int metric = 0; metric < METRICS; metric++) {
    if (p->target == NULL && metric >= FLASH) break;
    mn_pick pick;
    double best;
    extreme e = {p, metric, largest ? -1 : 1};
    MN_TRY(mn_pick_create(&pick, p->context->arena, p->net));
    (largest ? mn_pick_largest : mn_pick_smallest)(&pick, p->net);
    MN_TRY(mn_pick_descend(&pick, &best, p->net, cost_of, &e, error));
    mn_json_put_int(entry, names[metric], (int64_t)(e.sign * best));
  }
  return MN_OK;
}

static json_t *decisions_json(const mn_net *net) {
  static const char *const kinds[] = {"width", "optional", "bits", "input"};
  json_t *list = mn_json_array();
  for (int32_t d = 0; d < mn_net_decisions(net); d++) {
    const mn_decision *decision = mn_net_decision(net, d);
    json_t *entry = mn_json_object(), *values = mn_json_array();
    mn_json_put_text(entry, "name", decision->name);
    mn_json_put_text(entry, "kind", kinds[decision->kind]);
    for (int32_t k = 0; k < decision->options; k++)
      mn_json_push(values, json_integer(decision->value[k]));
    mn_json_put(entry, "options", values);
    mn_json_push(list, entry);
  }
  return list;
}

mn_status mn_run_space(json_t **result, const mn_run_context *context,
                       const mn_options_space *options, mn_error *error) {
  mn_net *net;
  mn_pick pick;
  pricing p = {.context = context, .runtime = mn_stage_runtime_of(options->runtime)};
  MN_TRY(mn_stage_net(&net, context, context->arguments[0], &options->set, error));
  p.net = net;
  if (options->target != NULL) MN_TRY(mn_stage_target(&p.target, context, options->target, error));
  MN_TRY(mn_pick_create(&pick, context->arena, net));
  MN_TRY(mn_net_frontend(&p.frontend, net, &pick, error));
  json_t *object = mn_json_open(context);
  mn_json_put_int(object, "decisions", mn_net_decisions(net));
  mn_json_put_real(object, "networks_log10", mn_net_networks_log10(net));
  mn_status status = extreme_json(object, "smallest", &p, false, error);
  if (status == MN_OK) status = extreme_json(object, "largest", &p, true, error);
  mn_json_put(object, "list", decisions_json(net));
  if (status == MN_OK) return mn_json_finish(result, object, context, false, error);
  json_decref(object);
  return status;
}
