/* front.c - the front of a supernet: networks of less and less ops, none of them beaten by a cheaper one,
 * each judged with inherited weights on the validation split.
 * SPDX-License-Identifier: Apache-2.0 */
#include "search/run.h"

#include <math.h>
#include <stdlib.h>

enum { LADDER = 12, ROUND = 8, MOST_ROUNDS = (MN_FRONT_QUESTIONS - LADDER) / ROUND };
static const double apart = 1.05;     /* ratio of ops from which two networks count as two */
static const double hoped_for = 0.02; /* more validation above the front's last network */

static int by_ops(const void *a, const void *b) {
  const mn_candidate *x = a, *y = b;
  if (x->price.ops != y->price.ops) return x->price.ops < y->price.ops ? -1 : 1;
  return (x->val < y->val) - (x->val > y->val);
}

/* Of all answers, sorted by ops; who is not better than a cheaper one is left out. */
static void keep_front(mn_search_result *result, const search_answers *answers) {
  mn_candidate *front = result->pareto;
  int32_t kept = 0;
  for (int32_t i = 0; i < answers->count; i++) front[i] = answers->list[i];
  qsort(front, (size_t)answers->count, sizeof *front, by_ops);
  for (int32_t i = 0; i < answers->count; i++)
    if (kept == 0 || front[i].val > front[kept - 1].val) front[kept++] = front[i];
  result->pareto_count = kept;
}

static int32_t count_apart(const mn_search_result *result) {
  double last = 0;
  int32_t count = 0;
  for (int32_t i = 0; i < result->pareto_count; i++) {
    if ((double)result->pareto[i].price.ops < apart * last) continue;
    last = (double)result->pareto[i].price.ops;
    count++;
  }
  return count;
}

/* Limits in equal ratios from the smallest network of the space up to the best one. */
static mn_status ask_ladder(const search_run *run, const mn_search_result *result,
                            search_answers *answers, mn_error *error) {
  search_question question[LADDER];
  mn_pick pick;
  mn_price smallest = {0};
  if (mn_pick_create(&pick, run->arena, run->net) != MN_OK)
    return mn_error_set(error, MN_ERR_MEMORY, "search: out of memory");
  mn_pick_smallest(&pick, run->net);
  MN_TRY(mn_search_price(&smallest, run->scratch, run->net, &pick, run->config, error));
  const double low = (double)(smallest.ops > 0 ? smallest.ops : 1);
  const double ratio = (double)result->best.price.ops / low;
  for (int32_t i = 0; i < LADDER; i++)
    question[i] = (search_question){.most = (int64_t)ceil(low * pow(ratio, (double)i / LADDER))};
  return mn_search_ask(run, answers, question, LADDER, error);
}

/* The gap above a member of the front: the ops where it ends, and what validation may gain in it. */
static int64_t end_of_gap(const mn_search_result *result, int32_t i) {
  return i + 1 < result->pareto_count ? result->pareto[i + 1].price.ops : result->best.price.ops;
}

static double gain_in_gap(const mn_search_result *result, int32_t i) {
  return i + 1 < result->pareto_count ? result->pareto[i + 1].val - result->pareto[i].val
                                      : hoped_for;
}

/* Where one more network would tell most: the gap in which validation and ops differ most, shared by the
 * questions that it has already; -1: none is wide enough. */
static int32_t widest_gap(const mn_search_result *result, const int32_t *asked) {
  int32_t widest = -1;
  double most = 0;
  for (int32_t i = 0; i < result->pareto_count; i++) {
    double ratio = (double)end_of_gap(result, i) / (double)result->pareto[i].price.ops;
    double size = ratio > apart ? gain_in_gap(result, i) * log(ratio) / (1 + asked[i]) : 0;
    if (size <= most) continue;
    most = size;
    widest = i;
  }
  return widest;
}

/* One round of walks into the gaps, from their lower and their upper ends in turn. */
static mn_status ask_gaps(const search_run *run, const mn_search_result *result,
                          search_answers *answers, int32_t round, mn_error *error) {
  search_question question[ROUND];
  int32_t asked[MN_FRONT_QUESTIONS + MN_MOST_DRAWS] = {0}, count = 0;
  for (; count < ROUND; count++) {
    const int32_t gap = widest_gap(result, asked);
    if (gap < 0) break;
    const bool upper = asked[gap]++ % 2 == 1 && gap + 1 < result->pareto_count;
    const mn_candidate *from = &result->pareto[gap + upper];
    question[count] = (search_question){.number = ROUND * round + count,
                                        .least = result->pareto[gap].price.ops,
                                        .most = end_of_gap(result, gap),
                                        .from = &from->pick,
                                        .from_ops = from->price.ops};
  }
  return count > 0 ? mn_search_ask(run, answers, question, count, error) : MN_OK;
}

mn_status mn_search_front(const search_run *run, mn_search_result *result, search_answers *answers,
                          mn_error *error) {
  result->pareto = mn_arena_array(run->arena, (size_t)answers->capacity, sizeof *result->pareto);
  if (result->pareto == NULL) return mn_error_set(error, MN_ERR_MEMORY, "search: out of memory");
  MN_TRY(ask_ladder(run, result, answers, error));
  keep_front(result, answers);
  for (int32_t r = 0; r < MOST_ROUNDS && count_apart(result) < MN_FRONT_LEAST; r++) {
    MN_TRY(ask_gaps(run, result, answers, r, error));
    keep_front(result, answers);
  }
  return MN_OK;
}
