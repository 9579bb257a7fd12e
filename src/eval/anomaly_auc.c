/* anomaly_auc.c - figures of anomaly detection from the scores of recordings: areas under the ROC
 * curve, pooled and per machine, and what a threshold finds.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "eval/anomaly.h"

static mn_status out_of_memory(mn_error *error) {
  return mn_error_set(error, MN_ERR_MEMORY, "eval: out of memory");
}

/* ---- Area under the curve ----------------------------------------------------------------------*/
typedef struct sample {
  double *score;
  bool *positive;
  int32_t count;
} sample;

static void add(sample *s, double score, bool positive) {
  s->score[s->count] = score;
  s->positive[s->count++] = positive;
}

static mn_status auc_of(double *auc, const sample *s, mn_error *error) {
  return mn_eval_auc(auc, s->score, s->positive, s->count, error);
}

static const mn_item *item_at(const mn_anomaly_scores *scores, int32_t i) {
  return mn_dataset_item(scores->dataset, scores->item[i]);
}

/* Of all items, or of one machine's. */
static mn_status auc_over(double *auc, sample *s, const mn_anomaly_scores *scores,
                          mn_score_kind kind, const char *identity, mn_error *error) {
  s->count = 0;
  for (int32_t i = 0; i < scores->items; i++) {
    const mn_item *item = item_at(scores, i);
    if (identity != NULL && strcmp(item->identity, identity) != 0) continue;
    add(s, mn_anomaly_score_of(scores, kind, i), item->anomalous);
  }
  return auc_of(auc, s, error);
}

static mn_status mismatch(double *auc, sample *s, const mn_anomaly_scores *scores,
                          mn_score_kind kind, mn_error *error) {
  s->count = 0;
  for (int32_t i = 0; i < scores->items; i++) {
    if (item_at(scores, i)->anomalous || scores->own[i] < 0) continue;
    for (int32_t k = 0; k < scores->machines; k++)
      add(s, scores->cost[kind][i * scores->machines + k], k != scores->own[i]);
  }
  return auc_of(auc, s, error);
}

/* ---- Per machine -------------------------------------------------------------------------------*/
static mn_status list_identities(mn_anomaly_result *r, mn_arena *arena,
                                 const mn_anomaly_scores *scores, mn_error *error) {
  const char **names = mn_arena_array(arena, (size_t)scores->items + 1, sizeof *names);
  if (names == NULL) return out_of_memory(error);
  for (int32_t i = 0; i < scores->items; i++) names[i] = item_at(scores, i)->identity;
  qsort(names, (size_t)scores->items, sizeof *names, mn_text_order);
  for (int32_t i = 0; i < scores->items; i++)
    if (r->identities == 0 || strcmp(names[r->identities - 1], names[i]) != 0)
      names[r->identities++] = names[i];
  r->identity = names;
  return MN_OK;
}

static mn_status judge_identities(mn_anomaly_result *r, mn_arena *arena, sample *s,
                                  const mn_anomaly_scores *scores, mn_error *error) {
  MN_TRY(list_identities(r, arena, scores, error));
  double *auc = mn_arena_array(arena, (size_t)r->identities + 1, sizeof *auc), sum = 0;
  int32_t known = 0;
  if (auc == NULL) return out_of_memory(error);
  for (int32_t k = 0; k < r->identities; k++) {
    MN_TRY(auc_over(&auc[k], s, scores, r->chosen, r->identity[k], error));
    if (auc[k] < 0) continue;
    sum += auc[k];
    known++;
  }
  r->auc_per_id = auc;
  r->auc_mean = known > 0 ? sum / known : -1;
  return MN_OK;
}

/* ---- Threshold ---------------------------------------------------------------------------------*/
static void judge_threshold(mn_anomaly_result *r, const mn_anomaly_scores *scores,
                            const mn_model *model) {
  int32_t found = 0, alarms = 0, normal = r->items - r->anomalous;
  r->threshold = r->recall = r->false_alarms = -1;
  if (model->score_kind == NULL) return;
  r->threshold = (double)model->score_threshold;
  for (int32_t i = 0; i < r->items; i++) {
    bool above = r->score[i] >= r->threshold;
    found += above && item_at(scores, i)->anomalous;
    alarms += above && !item_at(scores, i)->anomalous;
  }
  if (r->anomalous > 0) r->recall = (double)found / r->anomalous;
  if (normal > 0) r->false_alarms = (double)alarms / normal;
}

static mn_status summarise(mn_anomaly_result *r, mn_arena *arena, const mn_anomaly_scores *scores,
                           const mn_model *model, mn_error *error) {
  size_t room = (size_t)scores->items * (size_t)(scores->machines + 1);
  double *score = mn_arena_array(arena, (size_t)scores->items + 1, sizeof *score);
  sample s = {mn_arena_array(arena, room, sizeof *s.score),
              mn_arena_array(arena, room, sizeof *s.positive), 0};
  if (score == NULL || s.score == NULL || s.positive == NULL) return out_of_memory(error);
  *r = (mn_anomaly_result){.items = scores->items,
                           .windows = scores->windows,
                           .chosen = scores->chosen,
                           .score = score,
                           .item = scores->item};
  for (int32_t i = 0; i < scores->items; i++) {
    score[i] = mn_anomaly_score_of(scores, r->chosen, i);
    r->anomalous += item_at(scores, i)->anomalous;
    r->unknown += scores->own[i] < 0;
  }
  for (int kind = 0; kind < MN_SCORE_COUNT; kind++) {
    r->has[kind] = scores->has[kind];
    r->auc[kind] = -1;
    if (scores->has[kind])
      MN_TRY(auc_over(&r->auc[kind], &s, scores, (mn_score_kind)kind, NULL, error));
  }
  MN_TRY(mismatch(&r->auc_mismatch, &s, scores, r->chosen, error));
  judge_threshold(r, scores, model);
  return judge_identities(r, arena, &s, scores, error);
}

mn_status mn_eval_anomaly(mn_anomaly_result *result, mn_arena *arena, const mn_model *model,
                          const mn_dataset *dataset, unsigned splits, mn_pool *pool,
                          mn_error *error) {
  mn_anomaly_scores scores;
  MN_TRY(mn_anomaly_scores_make(&scores, arena, model, dataset, splits, pool, error));
  return summarise(result, arena, &scores, model, error);
}

static int rising(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

mn_status mn_eval_anomaly_threshold(float *threshold, const mn_model *model,
                                    const mn_dataset *dataset, mn_pool *pool, mn_error *error) {
  mn_anomaly_result r;
  mn_arena *arena = NULL;
  if (mn_arena_create(&arena) != MN_OK) return out_of_memory(error);
  mn_status status = mn_eval_anomaly(&r, arena, model, dataset, 1u << MN_SPLIT_VAL, pool, error);
  double *sorted =
      status == MN_OK ? mn_arena_copy(arena, r.score, sizeof *r.score * (size_t)r.items) : NULL;
  if (status == MN_OK && sorted == NULL) status = out_of_memory(error);
  if (status == MN_OK) {
    qsort(sorted, (size_t)r.items, sizeof *sorted, rising);
    *threshold = (float)sorted[(r.items - 1) * 19 / 20];
  }
  mn_arena_destroy(arena);
  return status;
}
