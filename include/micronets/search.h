/* search.h - choose an architecture by gradient descent on a supernet, under a budget that is kept.
 *
 * Reads     a dataset (train and val splits), a space, a target, a budget.
 * Writes    a pick, the front of picks, supernet.ckpt (weights and architecture parameters).
 * Units     flash and SRAM in bytes, ops = 2 x multiply-accumulates per inference.
 * Repeats   same seed gives the same architecture, whatever the number of threads.
 * Errors    MN_ERR_BUDGET before training if no network of the space fits.
 * Method    the paper, section 5, and docs/search.md.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MICRONETS_SEARCH_H
#define MICRONETS_SEARCH_H

#include "micronets/data.h"
#include "micronets/net.h"
#include "micronets/plan.h"
#include "micronets/train.h"

/* 0: no limit. Bytes, ops, ms, mJ. */
typedef struct mn_budget {
  int64_t flash, sram, ops;
  double ms, mj;
} mn_budget;
/* "flash=100K,sram=64K,ops=16M,ms=100,mj=10": K and M are 1024 and 1024^2 for bytes, 10^3 and 10^6 for ops.
 * Errors: MN_ERR_USAGE. */
mn_status mn_budget_parse(mn_budget *budget, const char *text, mn_error *error) MN_MUST_CHECK;
/* The sram of a budget alone, "32K", as the value of --option. */
mn_status mn_budget_sram(int64_t *bytes, const char *option, const char *text,
                         mn_error *error) MN_MUST_CHECK;
bool mn_budget_met(const mn_budget *budget, const mn_price *price);
/* The price under the schedule that a budget asks for: that of `options` where it meets the budget's
 * SRAM, ms and mJ; else, where SRAM is named and our runtime meant, the one of fewest cycles within it, or
 * of least SRAM where none is: *options then say so. Search, compile and bench of one build take this one. */
mn_status mn_budget_price(mn_price *price, mn_plan_options *options, mn_arena *arena,
                          const mn_graph *graph, const mn_frontend *frontend,
                          const mn_target *target, mn_runtime runtime, const mn_budget *budget,
                          mn_error *error) MN_MUST_CHECK;

typedef struct mn_search_config {
  const mn_target *target;
  mn_runtime runtime;
  bool paper_price;          /* --price paper: layerwise SRAM term */
  mn_budget budget;
  int32_t machines;           /* task ad: the classes that a detector will tell apart; 0: no detector */
  const mn_file_words *words; /* what the .tflite will say; counts under MN_RUNTIME_TFLM; may be NULL */
  int32_t epochs;            /* 0: default, which is none with supernet_in */
  double share;              /* of the epochs: a first look; 0: all of them */
  int32_t warmup_epochs;     /* weights only; -1: default; none with supernet_in */
  double temperature_start, temperature_end; /* 0: default */
  double architecture_rate;  /* 0: default */
  /* Departures from the method, to measure what it is worth (bench/search/ablation.c). */
  bool unsettled;            /* the architecture is searched to the end: no settling */
  bool joint;                /* both kinds of step see the same batches, of the whole training split */
  double linear_penalty;     /* weight of the plain term cost / limit; 0: hinges and dual ascent */
  mn_arithmetic arithmetic;  /* of the supernet's training */
  uint64_t seed;
  const char *supernet_in;   /* answer another budget from this supernet.ckpt: its weights and, without
                                epochs, what it likes; NULL: train one */
  const char *supernet_out;  /* leave supernet.ckpt here; NULL: none */
  const char *checkpoint;    /* for resume; NULL none */
  bool resume;
  mn_pool *pool;
  const mn_monitor *monitor;
} mn_search_config;

typedef struct mn_candidate {
  mn_pick pick;
  mn_price price;
  double val;                /* supernet's accuracy with inherited weights, [0, 1]; -1 not evaluated; task
                                ad: area under the curve of true against false claims of a machine */
} mn_candidate;

typedef struct mn_search_result {
  mn_candidate best;
  mn_candidate *pareto;      /* sorted by ops, each better on validation than all before it; at least
                                eight where so many are found */
  int32_t pareto_count;
  bool budget_met;
  int32_t epochs;
} mn_search_result;

/* `net` must have its input decisions and classes pinned. Result memory lives in arena. */
mn_status mn_search(mn_search_result *result, mn_arena *arena, const mn_net *net,
                    const mn_dataset *dataset, const mn_search_config *config,
                    mn_error *error) MN_MUST_CHECK;

/* The smallest price per metric over the space and the .net line that needs most, for exit 4. */
mn_status mn_search_feasible(const mn_net *net, const mn_search_config *config, mn_error *error) MN_MUST_CHECK;

#endif
