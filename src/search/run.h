/* run.h - the state of one search, shared by search.c (training) and choose.c (candidates).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_SEARCH_RUN_H
#define MN_SEARCH_RUN_H

#include "search/internal.h"

enum { SEARCH_BATCH = 100 }; /* items of every feed */

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
  mn_pick widest, best, drawn;
  const mn_graph *supernet;
  const mn_gate_map *gates;
  mn_architecture architecture;
  mn_cost cost;
  mn_trainer *trainer;
  mn_feed *weights_feed, *architecture_feed, *val_feed;
  int32_t epochs, warmup, settling; /* settling: the first epoch of the last part */
  double temperature_start, temperature_end, rate;
  search_state state;
  uint64_t classes;  /* hash of their names in order */
  uint64_t identity; /* of the checkpoint */
  double loss, value[METRIC_COUNT];
  double **dprobability;
} search_run;

/* Candidates within the budget from the trained supernet, judged on the validation split. */
mn_status mn_search_choose(search_run *run, mn_search_result *result, mn_error *error);

/* A question to the supernet. From NULL: draw `number` of its probabilities (0: what it likes most),
 * repaired into the budget and at most so many ops (0: any). Otherwise a network between least and most
 * ops, both excluded, a few random steps away from a known one. */
typedef struct search_question {
  int32_t number;
  int64_t least, most;
  const mn_pick *from;
  int64_t from_ops;
} search_question;
typedef struct search_answers {
  mn_candidate *list; /* no pick twice */
  int32_t count, capacity;
  int32_t told; /* pieces of work done, for the monitor */
} search_answers;
/* Asks all; under mpirun each rank answers its share, with the same answers for any number of ranks. A
 * question that leads to no network, or to a known one, adds none. */
mn_status mn_search_ask(const search_run *run, search_answers *answers,
                        const search_question *questions, int32_t count, mn_error *error);
/* front.c: asks until the front is long enough or nothing more is found. */
enum { MN_MOST_DRAWS = 40, MN_FRONT_LEAST = 8, MN_FRONT_QUESTIONS = 12 + 16 * 8 };
mn_status mn_search_front(const search_run *run, mn_search_result *result, search_answers *answers,
                          mn_error *error);

/* mismatch.c: the area under the curve of true against false claims on the feed (task ad); `batch` is
 * that of the feed. */
mn_status mn_search_mismatch(double *area, mn_arena *scratch, mn_trainer *trainer, mn_feed *feed,
                             const mn_graph *graph, int32_t batch, mn_error *error) MN_MUST_CHECK;

#endif
