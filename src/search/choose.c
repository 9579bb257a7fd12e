/* choose.c - after the supernet is trained: candidates around what it likes, each repaired into the
 * budget, judged with inherited weights on the validation split; and the front of them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>

#include "search/run.h"

/* Picks at the budget, more where the probabilities are those of another one; steps of a walk;
 * batches for statistics. */
enum { DRAWS = 10, STEPS = 24, STATISTICS_BATCHES = 12 };

static double liking_of(const void *context, int32_t decision, int32_t option) {
  return mn_architecture_liking(context, decision, option);
}

static mn_status make_child(mn_trainer **child, const search_run *run, const mn_graph *graph,
                            mn_error *error) {
  mn_train_config config = mn_train_defaults();
  int32_t layers = 0;
  config.quantize_from = -1;
  config.dropout = 0;
  config.batch = SEARCH_BATCH;
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
    status = mn_search_mismatch(&candidate->val, run->scratch, child, run->val_feed, graph,
                                SEARCH_BATCH, error);
  } else if (status == MN_OK) {
    status = mn_trainer_accuracy(child, &candidate->val, run->val_feed, error);
  }
  mn_trainer_destroy(child);
  mn_arena_release(run->scratch, mark);
  return status;
}

/* A draw of every decision from softmax(alpha); draw 0 takes the most liked options. */
static void draw(const search_run *run, mn_pick *pick, int32_t number) {
  mn_rng rng = mn_rng_stream(run->config->seed, 0xd4a3, (uint64_t)number);
  if (number > 0)
    mn_architecture_draw(&run->architecture, pick, &rng);
  else
    mn_architecture_argmax(&run->architecture, pick);
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

static mn_status find_draw(bool *found, const search_run *run, mn_candidate *candidate,
                           const search_question *question, mn_arena *scratch, mn_error *error) {
  mn_search_config config = *run->config;
  config.budget.ops = question->most;
  draw(run, &candidate->pick, question->number);
  mn_status status = mn_search_fit(&candidate->pick, &candidate->price, scratch, run->net, &config,
                                   liking_of, &run->architecture, error);
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
static mn_status find_walk(bool *found, const search_run *run, mn_candidate *candidate,
                           const search_question *question, const search_answers *answers,
                           mn_arena *scratch, mn_error *error) {
  mn_rng rng = mn_rng_stream(run->config->seed, 0x3a1f, (uint64_t)question->number);
  for (int32_t d = 0; d < candidate->pick.count; d++)
    candidate->pick.option[d] = question->from->option[d];
  candidate->price.ops = question->from_ops;
  for (int32_t i = 0; i < STEPS && !*found; i++) {
    step(run, candidate, question, &rng);
    mn_counts counts;
    MN_TRY(mn_search_count(&counts, scratch, run->net, &candidate->pick, run->config, error));
    candidate->price.ops = counts.ops;
    if (counts.ops <= question->least || counts.ops >= question->most) continue;
    if (is_known(answers, &candidate->pick)) continue;
    MN_TRY(mn_search_price(&candidate->price, scratch, run->net, &candidate->pick, run->config,
                           error));
    *found = mn_budget_met(&run->config->budget, &candidate->price);
  }
  return MN_OK;
}

/* What a question led to, before it is judged. */
typedef struct finding {
  bool found;
  mn_status status;
  mn_error error;
} finding;

/* The questions of one call; this rank's are me, me + ranks, ... */
typedef struct ask_job {
  const search_run *run;
  search_answers *answers;
  const search_question *question;
  mn_candidate *fresh; /* val stays negative where a question leads nowhere; others will */
  finding *finding;
  mn_arena **scratch; /* [threads] */
  int32_t count, me, ranks;
  atomic_int found; /* questions of this rank */
} ask_job;

/* Two pieces of work for every question that may be asked: a network is found, and judged. */
static void tell(const ask_job *j, int32_t done, const mn_candidate *at) {
  const int32_t step = j->answers->told + (done < 2 * j->count ? done : 2 * j->count);
  const mn_progress progress = {
      .stage = "candidates",
      .step = step,
      .total = 2 * j->answers->capacity,
      .name = {"ops", "sram", at->val >= 0 ? "val" : NULL},
      .value = {(double)at->price.ops, (double)at->price.sram.total, at->val}};
  mn_monitor_progress(j->run->config->monitor, &progress);
}

/* One question, on any thread: answers do not grow meanwhile. */
static void find_one(void *context, int32_t item, int32_t thread) {
  ask_job *j = context;
  const int32_t i = j->me + item * j->ranks;
  const search_question *question = &j->question[i];
  finding *f = &j->finding[i];
  mn_arena *scratch = j->scratch[thread];
  if (mn_monitor_stopped(j->run->config->monitor))
    f->status = stopped(&f->error);
  else if (question->from == NULL)
    f->status = find_draw(&f->found, j->run, &j->fresh[i], question, scratch, &f->error);
  else
    f->status =
        find_walk(&f->found, j->run, &j->fresh[i], question, j->answers, scratch, &f->error);
  const int32_t done = atomic_fetch_add(&j->found, 1) + 1;
  if (thread == 0) tell(j, done * j->ranks, &j->fresh[i]);
}

/* Pricing is most of the work, and one network's has nothing to share between threads. */
static mn_status find_all(ask_job *j, mn_error *error) {
  mn_pool *pool = j->run->config->pool;
  const int32_t threads = mn_pool_threads(pool);
  mn_status status = MN_OK;
  for (int32_t k = 0; k < threads && status == MN_OK; k++) status = mn_arena_create(&j->scratch[k]);
  if (status != MN_OK) (void)mn_error_set(error, status, "search: out of memory");
  const int32_t own = (j->count - j->me + j->ranks - 1) / j->ranks;
  if (status == MN_OK) mn_pool_run(pool, find_one, j, own);
  for (int32_t k = 0; k < threads; k++) mn_arena_destroy(j->scratch[k]);
  return status;
}

static mn_status judge_all(ask_job *j, mn_error *error) {
  for (int32_t i = j->me; i < j->count; i += j->ranks) {
    const finding *f = &j->finding[i];
    if (f->status != MN_OK) {
      *error = f->error;
      return f->status;
    }
    if (mn_monitor_stopped(j->run->config->monitor)) return stopped(error);
    if (f->found && !is_known(j->answers, &j->fresh[i].pick))
      MN_TRY(judge(j->run, &j->fresh[i], error));
    tell(j, j->count + i + 1, &j->fresh[i]);
  }
  return MN_OK;
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
  return MN_OK;
}

mn_status mn_search_ask(const search_run *run, search_answers *answers,
                        const search_question *questions, int32_t count, mn_error *error) {
  const size_t threads = (size_t)mn_pool_threads(run->config->pool);
  ask_job j = {.run = run,
               .answers = answers,
               .question = questions,
               .fresh = mn_arena_array(run->arena, (size_t)count, sizeof *j.fresh),
               .finding = mn_arena_array(run->arena, (size_t)count, sizeof *j.finding),
               .scratch = mn_arena_array(run->arena, threads, sizeof *j.scratch),
               .count = count,
               .me = mn_ranks_me(),
               .ranks = mn_ranks_count()};
  if (j.fresh == NULL || j.finding == NULL || j.scratch == NULL)
    return mn_error_set(error, MN_ERR_MEMORY, "search: out of memory");
  for (int32_t i = 0; i < count; i++) {
    if (mn_pick_create(&j.fresh[i].pick, run->arena, run->net) != MN_OK)
      return mn_error_set(error, MN_ERR_MEMORY, "search: out of memory");
    j.fresh[i].val = -1;
  }
  mn_ranks_part();
  mn_status status = find_all(&j, error);
  if (status == MN_OK) status = judge_all(&j, error);
  if (!mn_ranks_meet(status == MN_OK)) return status != MN_OK ? status : stopped(error);
  for (int32_t i = 0; i < count; i++) MN_TRY(take(run, answers, &j.fresh[i], error));
  answers->told += 2 * count;
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
