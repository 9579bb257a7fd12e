/* anomaly.c - how little each recording is like each machine: the costs of its windows by every score
 * that the model gives, averaged.
 * SPDX-License-Identifier: Apache-2.0 */
#include "eval/anomaly.h"

#include <math.h>
#include <string.h>

#include "eval/judge.h"
#include "eval/windows.h"

typedef struct scoring {
  mn_windows windows;
  mn_anomaly_scores *out;
  const mn_judge *judge;
  int32_t machines;
  int32_t *count;               /* [items] windows */
  double *work;                 /* [threads] of the judge */
  double *cost[MN_SCORE_COUNT]; /* [block][machines] of the windows in work */
} scoring;

static mn_status out_of_memory(mn_error *error) {
  return mn_error_set(error, MN_ERR_MEMORY, "eval: out of memory");
}

static mn_status make_room(scoring *s, mn_error *error) {
  mn_arena *scratch = s->windows.arena, *arena = s->out->arena;
  size_t items = (size_t)mn_dataset_items(s->out->dataset), machines = (size_t)s->machines;
  size_t threads = (size_t)s->windows.threads;
  s->work = mn_arena_array(scratch, threads * mn_judge_doubles(s->judge), sizeof *s->work);
  s->count = mn_arena_array(scratch, items, sizeof *s->count);
  s->out->item = mn_arena_array(arena, items, sizeof *s->out->item);
  s->out->own = mn_arena_array(arena, items, sizeof *s->out->own);
  if (s->work == NULL || s->count == NULL || s->out->item == NULL || s->out->own == NULL)
    return out_of_memory(error);
  for (int kind = 0; kind < MN_SCORE_COUNT; kind++) {
    if (!s->out->has[kind]) continue;
    s->cost[kind] = mn_arena_array(scratch, MN_WINDOWS_BLOCK * machines, sizeof(double));
    s->out->cost[kind] = mn_arena_array(arena, items * machines, sizeof(double));
    if (s->cost[kind] == NULL || s->out->cost[kind] == NULL) return out_of_memory(error);
  }
  return MN_OK;
}

static void score_window(void *context, mn_exec *exec, const int8_t *input, int32_t index,
                         int32_t thread) {
  const scoring *s = context;
  double *work = s->work + (size_t)thread * mn_judge_doubles(s->judge);
  const int8_t *embedding =
      s->judge->detector[MN_DETECTOR_EMBEDDING] != NULL ? mn_exec_output(exec, 1) : NULL;
  for (int kind = 0; kind < MN_SCORE_COUNT; kind++)
    if (s->out->has[kind])
      mn_judge_costs(s->judge, s->cost[kind] + (ptrdiff_t)index * s->machines, (mn_score_kind)kind,
                     work, input, mn_exec_output(exec, 0), embedding);
}

/* Windows of an item come one behind the other. */
static void add_block(void *context, const int32_t *item, int32_t count) {
  scoring *s = context;
  mn_anomaly_scores *out = s->out;
  for (int32_t i = 0; i < count; i++) {
    if (out->items == 0 || out->item[out->items - 1] != item[i]) out->item[out->items++] = item[i];
    int32_t last = out->items - 1;
    s->count[last]++;
    for (int kind = 0; kind < MN_SCORE_COUNT; kind++)
      for (int32_t k = 0; out->has[kind] && k < s->machines; k++)
        out->cost[kind][last * s->machines + k] += s->cost[kind][i * s->machines + k];
  }
  out->windows += count;
}

/* ---- All of them -------------------------------------------------------------------------------*/
static void finish_items(scoring *s) {
  mn_anomaly_scores *out = s->out;
  for (int32_t i = 0; i < out->items; i++) {
    const mn_item *item = mn_dataset_item(out->dataset, out->item[i]);
    out->own[i] = mn_model_label(s->windows.model, item->identity);
    for (int kind = 0; kind < MN_SCORE_COUNT; kind++)
      for (int32_t k = 0; out->has[kind] && k < out->machines; k++)
        out->cost[kind][i * out->machines + k] /= s->count[i];
  }
}

static mn_status score_splits(scoring *s, unsigned splits, mn_error *error) {
  MN_TRY(mn_judge_open(&s->judge, s->windows.arena, s->windows.model, error));
  s->machines = s->out->machines = mn_judge_machines(s->judge);
  memcpy(s->out->has, s->judge->has, sizeof s->out->has);
  s->out->chosen = mn_judge_chosen(s->judge);
  MN_TRY(make_room(s, error));
  s->windows.visit = score_window;
  s->windows.block = add_block;
  s->windows.context = s;
  for (int split = 0; split < MN_SPLIT_COUNT; split++)
    if ((splits & 1u << split) != 0)
      MN_TRY(mn_windows_run(&s->windows, s->out->dataset, (mn_split)split, error));
  finish_items(s);
  return MN_OK;
}

mn_status mn_anomaly_scores_make(mn_anomaly_scores *scores, mn_arena *arena, const mn_model *model,
                                 const mn_dataset *dataset, unsigned splits, mn_pool *pool,
                                 mn_error *error) {
  scoring s = {.out = scores};
  *scores = (mn_anomaly_scores){.dataset = dataset, .arena = arena};
  if (mn_dataset_task(dataset) != MN_TASK_AD)
    return mn_error_set(error, MN_ERR_FORMAT,
                        "eval: the data is no set of normal and anomalous recordings");
  mn_status status = mn_windows_open(&s.windows, model, pool, error);
  if (status == MN_OK) status = score_splits(&s, splits, error);
  mn_windows_close(&s.windows);
  return status;
}

double mn_anomaly_score_of(const mn_anomaly_scores *scores, mn_score_kind kind, int32_t i) {
  const double *cost = scores->cost[kind] + (ptrdiff_t)i * scores->machines;
  if (scores->own[i] >= 0) return cost[scores->own[i]];
  double best = cost[0];
  for (int32_t k = 1; k < scores->machines; k++) best = fmin(best, cost[k]);
  return best;
}
