/* anomaly.h - scores of recordings before anything is counted: what anomaly.c sums up window by window
 * and anomaly_auc.c turns into figures.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_EVAL_ANOMALY_H
#define MN_EVAL_ANOMALY_H

#include "micronets/eval.h"

/* Costs [items][machines] of one kind: how little the item is like each machine. */
typedef struct mn_anomaly_scores {
  const mn_dataset *dataset;
  mn_arena *arena;
  int32_t items, windows, machines; /* machines of the model; 1 where it tells none apart */
  int32_t *item;                    /* [items] index in the data set, ascending */
  int32_t *own; /* [items] machine it is said to be; -1 not known to the model */
  bool has[MN_SCORE_COUNT];
  mn_score_kind chosen;
  double *cost[MN_SCORE_COUNT];
} mn_anomaly_scores;

mn_status mn_anomaly_scores_make(mn_anomaly_scores *scores, mn_arena *arena, const mn_model *model,
                                 const mn_dataset *dataset, unsigned splits, mn_pool *pool,
                                 mn_error *error) MN_MUST_CHECK;
/* Score of item i against its own machine, else the nearest. */
double mn_anomaly_score_of(const mn_anomaly_scores *scores, mn_score_kind kind, int32_t i);

#endif
