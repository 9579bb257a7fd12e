/* choose.c - after the supernet is trained: candidates around what it likes, each repaired into the
 * budget, judged with inherited weights on the validation split; and the front of them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "search/run.h"

/* Picks at the budget, more where the probabilities are those of another one; steps of a walk;
 * batches for statistics. */
enum { DRAWS = 10, STEPS = 24, STATISTICS_BATCHES = 12, BATCH = 100 };

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

/* ---- Questions and answers -------------------------------------------------------------------*/

static mn_status stopped(mn_error *error) {
  return mn_error_set(error, MN_ERR_INTERRUPTED, "search: interrupted");
}

static bool is_known(const search_answers *answers, const mn_pick *pick) {
  for (int32_t i = 0; i < answers->count; i++)
    if (mn_pick_equal(&answers->list[i].pick, pick)) return true;
  return false;
}

static mn_status answer_draw(bool *found, const search_run *run, mn_candidate *candidate,
                             const search_question *question, mn_error *error) {
  mn_search_config config = *run->config;
  config.budget.ops = question->most;
  draw(run, &candidate->pick, question->number);
  mn_status status = mn_search_fit(&candidate->pick, &candidate->price, run->scratch, run->net,
                                   &config, liking_of, &run->architecture, error);
  *found = status == MN_OK;
  return status == MN_ERR_BUDGET ? MN_OK : status;
}

/* One random step of one decision, up where there are too few ops, down where there are too many. */
static void step(const search_run *run, mn_candidate *candidate, const search_question *question,
                 mn_rng *rng) {
  mn_pick *pick = &candidate->pick;
  const int32_t d = (int32_t)mn_rng_below(rng, (uint32_t)pick->count);
  int32_t way = mn_rng_below(rng, 2) == 0 ? 1 : -1;
  if (candidate->price.ops <= question->least) way = 1;
  if (candidate->price.ops >= question->most) way = -1;
  if (mn_net_decision(run->net, d)->kind == MN_DECISION_INPUT) return;
  int32_t k = pick->option[d] + way;
  while (k >= 0 && k < mn_net_decision(run->net, d)->options && !run->options.allowed[d][k])
    k += way;
  if (k >= 0 && k < mn_net_decision(run->net, d)->options) pick->option[d] = k;
}

/* A walk from a known network into the gap that the question is about. */
static mn_status answer_walk(bool *found, const search_run *run, mn_candidate *candidate,
                             const search_question *question, const search_answers *answers,
                             mn_error *error) {
  mn_rng rng = mn_rng_stream(run->config->seed, 0x3a1f, (uint64_t)question->number);
  for (int32_t d = 0; d < candidate->pick.count; d++)
    candidate->pick.option[d] = question->from->option[d];
  candidate->price.ops = question->from_ops;
  for (int32_t i = 0; i < STEPS && !*found; i++) {
    step(run, candidate, question, &rng);
    MN_TRY(mn_search_price(&candidate->price, run->scratch, run->net, &candidate->pick, run->config,
                           error));
    *found = candidate->price.ops > question->least && candidate->price.ops < question->most &&
             mn_budget_met(&run->config->budget, &candidate->price) &&
             !is_known(answers, &candidate->pick);
  }
  return MN_OK;
}

/* val stays negative where the question leads nowhere; others will. */
static mn_status answer(const search_run *run, mn_candidate *candidate,
                        const search_question *question, const search_answers *answers,
                        mn_error *error) {
  bool found = false;
  if (mn_monitor_stopped(run->config->monitor)) return stopped(error);
  if (question->from == NULL)
    MN_TRY(answer_draw(&found, run, candidate, question, error));
  else
    MN_TRY(answer_walk(&found, run, candidate, question, answers, error));
  return found && !is_known(answers, &candidate->pick) ? judge(run, candidate, error) : MN_OK;
}

/* What one rank found, everywhere: the others add zeros. */
static mn_status spread(const search_run *run, mn_candidate *candidate, mn_error *error) {
  const int32_t count = candidate->pick.count;
  mn_arena_mark mark = mn_arena_mark_get(run->scratch);
  double *value = mn_arena_array(run->scratch, (size_t)count + 2, sizeof *value);
  if (value == NULL) return mn_error_set(error, MN_ERR_MEMORY, "search: out of memory");
  const bool mine = candidate->val >= 0;
  for (int32_t d = 0; mine && d < count; d++) value[d] = candidate->pick.option[d];
  value[count] = mine ? candidate->val : 0;
  value[count + 1] = mine;
  mn_ranks_sum(value, count + 2);
  for (int32_t d = 0; d < count; d++) candidate->pick.option[d] = (int32_t)value[d];
  candidate->val = value[count + 1] > 0 ? value[count] : -1;
  mn_arena_release(run->scratch, mark);
  if (candidate->val < 0) return MN_OK;
  return mn_search_price(&candidate->price, run->scratch, run->net, &candidate->pick, run->config,
                         error);
}

static mn_status take(const search_run *run, search_answers *answers, mn_candidate *candidate,
                      mn_error *error) {
  if (mn_ranks_count() > 1) MN_TRY(spread(run, candidate, error));
  if (candidate->val < 0 || is_known(answers, &candidate->pick)) return MN_OK;
  answers->list[answers->count++] = *candidate;
  mn_progress progress = {
      .stage = "candidates",
      .step = answers->count,
      .total = answers->capacity,
      .name = {"val", "ops", "sram"},
      .value = {candidate->val, (double)candidate->price.ops, (double)candidate->price.sram.total}};
  mn_monitor_progress(run->config->monitor, &progress);
  return MN_OK;
}

mn_status mn_search_ask(const search_run *run, search_answers *answers,
                        const search_question *questions, int32_t count, mn_error *error) {
  mn_candidate *fresh = mn_arena_array(run->arena, (size_t)count, sizeof *fresh);
  if (fresh == NULL) return mn_error_set(error, MN_ERR_MEMORY, "search: out of memory");
  for (int32_t i = 0; i < count; i++) {
    if (mn_pick_create(&fresh[i].pick, run->arena, run->net) != MN_OK)
      return mn_error_set(error, MN_ERR_MEMORY, "search: out of memory");
    fresh[i].val = -1;
  }
  const int32_t ranks = mn_ranks_count(), me = mn_ranks_me();
  mn_status status = MN_OK;
  mn_ranks_part();
  for (int32_t i = me; i < count && status == MN_OK; i += ranks)
    status = answer(run, &fresh[i], &questions[i], answers, error);
  if (!mn_ranks_meet(status == MN_OK)) return status != MN_OK ? status : stopped(error);
  for (int32_t i = 0; i < count; i++) MN_TRY(take(run, answers, &fresh[i], error));
  return MN_OK;
}

static mn_status ask_at_budget(const search_run *run, search_answers *answers, int32_t draws,
                               mn_error *error) {
  search_question question[MN_MOST_DRAWS];
  for (int32_t i = 0; i < draws; i++)
    question[i] = (search_question){.number = i, .most = run->config->budget.ops};
  MN_TRY(mn_search_ask(run, answers, question, draws, error));
  if (answers->count > 0) return MN_OK;
  return mn_error_set(error, MN_ERR_BUDGET, "%s: no network within the budget was reached",
                      mn_net_path(run->net));
}

static const mn_candidate *best_of(const search_answers *answers) {
  const mn_candidate *best = &answers->list[0];
  for (int32_t i = 1; i < answers->count; i++)
    if (answers->list[i].val > best->val) best = &answers->list[i];
  return best;
}

mn_status mn_search_choose(search_run *run, mn_search_result *result, mn_error *error) {
  const int32_t draws = run->epochs > 0 ? DRAWS : MN_MOST_DRAWS;
  search_answers answers = {.capacity = draws + MN_FRONT_QUESTIONS};
  answers.list = mn_arena_array(run->arena, (size_t)answers.capacity, sizeof *answers.list);
  if (answers.list == NULL) return mn_error_set(error, MN_ERR_MEMORY, "search: out of memory");
  mn_architecture_probability(&run->architecture);
  MN_TRY(ask_at_budget(run, &answers, draws, error));
  const mn_candidate best = *best_of(&answers);
  *result = (mn_search_result){.best = best,
                               .budget_met = mn_budget_met(&run->config->budget, &best.price),
                               .epochs = run->epochs};
  return mn_search_front(run, result, &answers, error);
}
