/* run.h - the state of one search, shared by search.c (training) and choose.c (candidates).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_SEARCH_RUN_H
#define MN_SEARCH_RUN_H

#include "search/internal.h"

/* What a checkpoint must bring back beside the trainer and the architecture parameters. */
typedef struct search_state {
  int32_t epoch, index; /* the next step */
  int64_t steps;        /* architecture steps done */
  double lambda[METRIC_COUNT], offset[METRIC_COUNT];
  double ms_per_op, mj_per_op;
} search_state;

typedef struct search_run {
  const mn_search_config *config;
  const mn_net *net;
  const mn_dataset *dataset;
  mn_arena *arena, *scratch; /* arena: the caller's, for results */
  mn_frontend frontend;
  mn_options options;
  mn_pick widest, best;
  const mn_graph *supernet;
  const mn_gate_map *gates;
  mn_architecture architecture;
  mn_cost cost;
  mn_trainer *trainer;
  mn_feed *weights_feed, *architecture_feed, *val_feed;
  int32_t epochs, warmup;
  double temperature_start, temperature_end, rate;
  search_state state;
  double loss, value[METRIC_COUNT];
  double **dprobability;
} search_run;

/* Candidates within the budget from the trained supernet, judged on the validation split. */
mn_status mn_search_choose(search_run *run, mn_search_result *result, mn_error *error);

/* mismatch.c: the area under the curve of true against false claims on the feed (task ad); `batch` is
 * that of the feed. */
mn_status mn_search_mismatch(double *area, mn_arena *scratch, mn_trainer *trainer, mn_feed *feed,
                             const mn_graph *graph, int32_t batch, mn_error *error) MN_MUST_CHECK;

#endif
