/* repair.c - a budget is a guarantee: one option at a time, the pick becomes narrower until every
 * budget holds by the real planner, then wider as long as they do.
 *
 * A step is judged by what the search likes (log-probability lost or won) over what it saves or costs. The planner is
 * asked where counting operations does not tell.
 * SPDX-License-Identifier: Apache-2.0 */
#include "search/internal.h"

#include <math.h>
#include <string.h>

typedef struct repair {
  const mn_net *net;
  const mn_search_config *config;
  mn_arena *scratch;
  mn_liking *liking;
  const void *context;
  bool *tried; /* [decisions] */
} repair;

/* The nearest option in a direction that the search may take; -1 none. */
static int32_t neighbour(const repair *r, const mn_pick *pick, int32_t d, int32_t direction) {
  int32_t options = mn_net_decision(r->net, d)->options;
  if (mn_net_decision(r->net, d)->kind == MN_DECISION_INPUT) return -1;
  for (int32_t k = pick->option[d] + direction; k >= 0 && k < options; k += direction)
    if (isfinite(r->liking(r->context, d, k))) return k;
  return -1;
}

static double liking_change(const repair *r, const mn_pick *pick, int32_t d, int32_t k) {
  double change = r->liking(r->context, d, k) - r->liking(r->context, d, pick->option[d]);
  return isfinite(change) ? change : 0;
}

/* Price with option k of decision d, all else as in pick; `counts`: of it only operations and parameters. */
static mn_status try_option(const repair *r, mn_price *price, mn_pick *pick, int32_t d, int32_t k,
                            bool counts, mn_error *error) {
  int32_t kept = pick->option[d];
  mn_counts counted = {.ops = price->ops, .params = price->params};
  pick->option[d] = k;
  mn_status status = counts ? mn_search_count(&counted, r->scratch, r->net, pick, r->config, error)
                            : mn_search_price(price, r->scratch, r->net, pick, r->config, error);
  pick->option[d] = kept;
  if (counts) price->ops = counted.ops, price->params = counted.params;
  return status;
}

/* Nothing but operations is over its limit: a narrower network saves those, and breaks no other limit. */
static bool only_ops_exceed(const repair *r, const mn_price *price) {
  mn_budget others = r->config->budget;
  others.ops = 0;
  return mn_budget_met(&others, price);
}

/* What a narrower option is worth: excess removed; where none is removed, ops saved break the tie. */
static double narrowing_score(const repair *r, const mn_pick *pick, int32_t d, int32_t k,
                              const mn_price *before, const mn_price *after) {
  double saved =
      mn_budget_excess(&r->config->budget, before) - mn_budget_excess(&r->config->budget, after);
  double ops = 1 - (double)after->ops / (double)(before->ops > 0 ? before->ops : 1);
  double loss = fmax(0, -liking_change(r, pick, d, k)) + 0.05;
  return (fmax(saved, 0) + 1e-3 * fmax(ops, 0) + 1e-9) / loss;
}

typedef struct narrowing {
  double score;
  int32_t d, k;
} narrowing;

/* An optional layer that is off and narrows what follows: to put it there may save as well, once for each. */
static mn_status try_putting_in(const repair *r, narrowing *best, mn_pick *pick, int32_t d,
                                const mn_price *price, mn_error *error) {
  const mn_decision *decision = mn_net_decision(r->net, d);
  mn_price with = *price;
  if (decision->kind != MN_DECISION_OPTIONAL || r->tried[d]) return MN_OK;
  const int32_t k = neighbour(r, pick, d, 1);
  if (k < 0) return MN_OK;
  MN_TRY(try_option(r, &with, pick, d, k, false, error));
  const mn_budget *budget = &r->config->budget;
  if (mn_budget_excess(budget, &with) >= mn_budget_excess(budget, price)) return MN_OK;
  const double score = narrowing_score(r, pick, d, k, price, &with);
  if (score > best->score) *best = (narrowing){score, d, k};
  return MN_OK;
}

/* Takes the best single step that narrows, if there is one. */
static mn_status narrow_once(const repair *r, mn_pick *pick, mn_price *price, bool *moved,
                             mn_error *error) {
  narrowing best = {.score = -(double)INFINITY, .d = -1};
  for (int32_t d = 0; d < pick->count; d++) {
    int32_t k = neighbour(r, pick, d, -1);
    mn_price tried = *price;
    if (k < 0) {
      MN_TRY(try_putting_in(r, &best, pick, d, price, error));
      continue;
    }
    MN_TRY(try_option(r, &tried, pick, d, k, only_ops_exceed(r, price), error));
    double score = narrowing_score(r, pick, d, k, price, &tried);
    if (score > best.score) best = (narrowing){score, d, k};
  }
  *moved = best.d >= 0;
  if (best.d < 0) return MN_OK;
  r->tried[best.d] = r->tried[best.d] || best.k > pick->option[best.d];
  pick->option[best.d] = best.k;
  return mn_search_price(price, r->scratch, r->net, pick, r->config, error);
}

/* The wider option that is liked most, of decisions not tried yet, the first of equals; *d -1: none. */
static void next_wider(const repair *r, const mn_pick *pick, int32_t *d, int32_t *k) {
  double most = -(double)INFINITY;
  *d = *k = -1;
  for (int32_t i = 0; i < pick->count; i++) {
    const int32_t option = r->tried[i] ? -1 : neighbour(r, pick, i, 1);
    const double change = option < 0 ? 0 : liking_change(r, pick, i, option);
    if (option < 0 || change <= most) continue;
    most = change;
    *d = i;
    *k = option;
  }
}

static bool exceeds(const repair *r, int64_t ops) {
  return r->config->budget.ops > 0 && ops > r->config->budget.ops;
}

/* Takes the step up that is liked most of those that add something and keep the budget, if there is one. */
static mn_status widen_once(const repair *r, mn_pick *pick, mn_price *price, bool *moved,
                            mn_error *error) {
  memset(r->tried, 0, (size_t)pick->count * sizeof *r->tried);
  *moved = false;
  for (;;) {
    int32_t d, k;
    mn_price wider = {0};
    next_wider(r, pick, &d, &k);
    if (d < 0) return MN_OK;
    r->tried[d] = true;
    MN_TRY(try_option(r, &wider, pick, d, k, true, error));
    if (exceeds(r, wider.ops) || wider.params <= price->params) continue;
    MN_TRY(try_option(r, &wider, pick, d, k, false, error));
    if (!mn_budget_met(&r->config->budget, &wider)) continue;
    pick->option[d] = k;
    *price = wider;
    *moved = true;
    return MN_OK;
  }
}

/* Narrower until the budget holds, then wider until nothing more fits. */
static mn_status fit(const repair *r, mn_pick *pick, mn_price *price, mn_error *error) {
  const mn_budget *budget = &r->config->budget;
  bool moved = true;
  MN_TRY(mn_search_price(price, r->scratch, r->net, pick, r->config, error));
  while (moved && !mn_budget_met(budget, price)) MN_TRY(narrow_once(r, pick, price, &moved, error));
  if (!mn_budget_met(budget, price))
    return mn_error_set(error, MN_ERR_BUDGET, "%s: no network within the budget was reached",
                        mn_net_path(r->net));
  for (moved = true; moved;) MN_TRY(widen_once(r, pick, price, &moved, error));
  return MN_OK;
}

mn_status mn_search_fit(mn_pick *pick, mn_price *price, mn_arena *scratch, const mn_net *net,
                        const mn_search_config *config, mn_liking *liking, const void *context,
                        mn_error *error) {
  mn_arena_mark mark = mn_arena_mark_get(scratch);
  repair r = {net, config, scratch, liking, context, NULL};
  r.tried = mn_arena_array(scratch, (size_t)pick->count + 1, sizeof *r.tried);
  mn_status status = r.tried != NULL ? fit(&r, pick, price, error)
                                     : mn_error_set(error, MN_ERR_MEMORY, "out of memory");
  mn_arena_release(scratch, mark);
  return status;
}
