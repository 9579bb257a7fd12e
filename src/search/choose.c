/* choose.c - after the supernet is trained: candidates around what it likes, each repaired into the
 * budget, judged with inherited weights on the validation split; and the front of them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "search/run.h"

#include <math.h>
#include <stdlib.h>

/* Draws beside the most liked pick; steps of the front below the budget; batches for statistics. */
enum { DRAWS = 10, FRONT_STEPS = 8, STATISTICS_BATCHES = 12, BATCH = 100 };

static double liking_of(const void *context, int32_t decision, int32_t option) {
  return mn_architecture_liking(context, decision, option);
}

static mn_status make_child(mn_trainer **child, const search_run *run, const mn_graph *graph,
                            mn_error *error) {
  mn_train_config config = mn_train_defaults();
  int32_t layers = 0;
  config.quantize_from = -1;
  config.dropout = 0;
  config.batch = BATCH;
  config.steps = 1;
  config.seed = run->config->seed;
  config.pool = run->config->pool;
  config.ranks = true;
  MN_TRY(mn_trainer_create(child, graph, &config, error));
  return mn_trainer_inherit(*child, &layers, run->trainer, error);
}

/* Validation accuracy of a pick with the supernet's weights and batch-norm statistics of its own. */
static mn_status judge(const search_run *run, mn_candidate *candidate, mn_error *error) {
  const mn_graph *graph = NULL;
  mn_trainer *child = NULL;
  mn_arena_mark mark = mn_arena_mark_get(run->scratch);
  mn_status status = mn_net_lower(&graph, run->scratch, run->net, &candidate->pick, error);
  if (status == MN_OK) status = make_child(&child, run, graph, error);
  if (status == MN_OK)
    status = mn_trainer_calibrate(child, run->weights_feed, STATISTICS_BATCHES, error);
  if (status == MN_OK && mn_dataset_task(run->dataset) == MN_TASK_AD) {
    status = mn_search_mismatch(&candidate->val, run->scratch, child, run->val_feed, graph, BATCH,
                                error);
  } else if (status == MN_OK) {
    candidate->val = mn_trainer_accuracy(child, run->val_feed, error);
    if (candidate->val < 0) status = MN_ERR_FAILED;
  }
  mn_trainer_destroy(child);
  mn_arena_release(run->scratch, mark);
  return status;
}

/* A draw of every decision from softmax(alpha); draw 0 takes the most liked options. */
static void draw(const search_run *run, mn_pick *pick, int32_t number) {
  mn_architecture_argmax(&run->architecture, pick);
  mn_rng rng = mn_rng_stream(run->config->seed, 0xd4a3, (uint64_t)number);
  for (int32_t d = 0; number > 0 && d < pick->count; d++) {
    double left = mn_rng_uniform(&rng);
    for (int32_t k = 0; k < mn_net_decision(run->net, d)->options; k++) {
      left -= run->architecture.probability[d][k];
      if (left > 0 || run->architecture.probability[d][k] <= 0) continue;
      pick->option[d] = k;
      break;
    }
  }
}

static mn_status add_candidate(const search_run *run, mn_candidate *list, int32_t *count,
                               int32_t number, const mn_search_config *config, mn_error *error) {
  mn_candidate *candidate = &list[*count];
  if (mn_pick_create(&candidate->pick, run->arena, run->net) != MN_OK)
    return mn_error_set(error, MN_ERR_MEMORY, "search: out of memory");
  draw(run, &candidate->pick, number);
  mn_status status = mn_search_fit(&candidate->pick, &candidate->price, run->scratch, run->net,
                                   config, liking_of, &run->architecture, error);
  if (status == MN_ERR_BUDGET) return MN_OK; /* this draw leads nowhere; others will */
  MN_TRY(status);
  for (int32_t i = 0; i < *count; i++)
    if (mn_pick_equal(&list[i].pick, &candidate->pick)) return MN_OK;
  MN_TRY(judge(run, candidate, error));
  ++*count;
  mn_progress progress = {
      .stage = "candidates",
      .step = *count,
      .total = DRAWS + FRONT_STEPS,
      .name = {"val", "ops", "sram"},
      .value = {candidate->val, (double)candidate->price.ops, (double)candidate->price.sram.total}};
  mn_monitor_progress(run->config->monitor, &progress);
  return MN_OK;
}

static const mn_candidate *best_of(const mn_candidate *list, int32_t count) {
  const mn_candidate *best = &list[0];
  for (int32_t i = 1; i < count; i++)
    if (list[i].val > best->val) best = &list[i];
  return best;
}

static int by_ops(const void *a, const void *b) {
  const mn_candidate *x = a, *y = b;
  if (x->price.ops != y->price.ops) return x->price.ops < y->price.ops ? -1 : 1;
  return (x->val < y->val) - (x->val > y->val);
}

/* Sorted by ops; who is not better than a cheaper one goes. */
static int32_t keep_front(mn_candidate *list, int32_t count) {
  int32_t kept = 0;
  qsort(list, (size_t)count, sizeof *list, by_ops);
  for (int32_t i = 0; i < count; i++)
    if (kept == 0 || list[i].val > list[kept - 1].val) list[kept++] = list[i];
  return kept;
}

/* Ops limits in equal ratios from the smallest network up to the best one. */
static mn_status add_front(const search_run *run, mn_candidate *list, int32_t *count, int64_t most,
                           mn_error *error) {
  mn_pick pick;
  mn_price smallest = {0};
  if (mn_pick_create(&pick, run->arena, run->net) != MN_OK)
    return mn_error_set(error, MN_ERR_MEMORY, "search: out of memory");
  mn_pick_smallest(&pick, run->net);
  MN_TRY(mn_search_price(&smallest, run->scratch, run->net, &pick, run->config, error));
  double ratio = (double)most / (double)(smallest.ops > 0 ? smallest.ops : 1);
  for (int32_t i = 1; i < FRONT_STEPS; i++) {
    mn_search_config config = *run->config;
    config.budget.ops = (int64_t)((double)smallest.ops * pow(ratio, (double)i / FRONT_STEPS));
    if (mn_trainer_stops(run->trainer, run->config->monitor))
      return mn_error_set(error, MN_ERR_INTERRUPTED, "search: interrupted");
    MN_TRY(add_candidate(run, list, count, 0, &config, error));
  }
  return MN_OK;
}

mn_status mn_search_choose(search_run *run, mn_search_result *result, mn_error *error) {
  mn_candidate *list = mn_arena_array(run->arena, DRAWS + FRONT_STEPS + 1, sizeof *list);
  if (list == NULL) return mn_error_set(error, MN_ERR_MEMORY, "search: out of memory");
  int32_t count = 0;
  mn_architecture_probability(&run->architecture);
  for (int32_t i = 0; i < DRAWS; i++) {
    if (mn_trainer_stops(run->trainer, run->config->monitor))
      return mn_error_set(error, MN_ERR_INTERRUPTED, "search: interrupted");
    MN_TRY(add_candidate(run, list, &count, i, run->config, error));
  }
  if (count == 0)
    return mn_error_set(error, MN_ERR_BUDGET, "%s: no network within the budget was reached",
                        mn_net_path(run->net));
  mn_candidate best = *best_of(list, count);
  MN_TRY(add_front(run, list, &count, best.price.ops, error));
  *result = (mn_search_result){.best = best,
                               .budget_met = mn_budget_met(&run->config->budget, &best.price),
                               .pareto = list,
                               .pareto_count = keep_front(list, count),
                               .epochs = run->epochs};
  return MN_OK;
}
