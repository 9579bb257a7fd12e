/* internal.h - what the files of the search room share: the expected cost, the architecture
 * parameters, pricing of one pick.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_SEARCH_INTERNAL_H
#define MN_SEARCH_INTERNAL_H

#include "micronets/search.h"

/* The metrics a budget can name, in one order. */
enum { METRIC_FLASH, METRIC_SRAM, METRIC_OPS, METRIC_MS, METRIC_MJ, METRIC_COUNT };
extern const char *const mn_metric_names[METRIC_COUNT];
double mn_budget_limit(const mn_budget *budget, int metric); /* 0: none */
double mn_price_metric(const mn_price *price, int metric);   /* -1: unknown */
/* Sum over the metrics of how far the price lies above its limit, relative to the limit. */
double mn_budget_excess(const mn_budget *budget, const mn_price *price);

/* One pick as the planner takes it: its graph, for task ad with the embedding that a detector will read. */
typedef struct mn_subject {
  const mn_graph *graph;
  mn_frontend frontend;
  mn_detector detector;
  mn_plan_options options; /* points into this struct */
} mn_subject;
mn_status mn_search_subject(mn_subject *subject, mn_arena *scratch, const mn_net *net,
                            const mn_pick *pick, const mn_search_config *config, mn_error *error);

/* Operations and parameters of one pick: a twentieth of the work of its price, or less. */
mn_status mn_search_count(mn_counts *counts, mn_arena *scratch, const mn_net *net,
                          const mn_pick *pick, const mn_search_config *config, mn_error *error);
/* Price of one pick by the real planner and tables. `scratch` is released again. */
mn_status mn_search_price(mn_price *price, mn_arena *scratch, const mn_net *net,
                          const mn_pick *pick, const mn_search_config *config, mn_error *error);

/* Which options survive: allowed[d][k]. An option goes where even the smallest network that has it
 * misses the budget. */
typedef struct mn_options {
  bool **allowed; /* [decisions][options] */
} mn_options;
mn_status mn_search_prune(mn_options *options, mn_arena *arena, const mn_net *net,
                          const mn_gate_map *gates, const mn_graph *supernet,
                          const mn_search_config *config, mn_error *error);

/* Operations, and the bytes of flash of weights and of what goes with each output channel, of one op. */
typedef struct mn_op_cost {
  double ops, weights, channels;
} mn_op_cost;
mn_op_cost mn_search_op_cost(const mn_graph *graph, int32_t op, bool tflm);

/* ---- Expected cost (cost.c) ---------------------------------------------------------------*/
typedef struct mn_cost {
  const mn_graph *graph; /* supernet */
  const mn_gate_map *gates;
  const mn_net *net;
  bool paper, tflm;
  double *width, *dwidth;               /* [gates] */
  double *exists, *dexists;             /* [ops] */
  double *tensor_bytes, *dtensor_bytes; /* [tensors] */
  mn_pick scheduled;                    /* whose schedule the SRAM term follows */
  mn_plan_block *blocks; /* [block_room] of that schedule, in the supernet's ops and tensors */
  int32_t *op;           /* [op_room] the supernet's op for each of that network */
  int32_t block_room, op_room;
  mn_memory memory;
  double offset[METRIC_COUNT]; /* real price minus smooth cost at the last calibration */
  double ms_per_op, mj_per_op; /* linear models (the paper, section 3.3); 0 unknown */
} mn_cost;
mn_status mn_cost_create(mn_cost *cost, mn_arena *arena, const mn_graph *graph,
                         const mn_gate_map *gates, const mn_net *net,
                         const mn_search_config *config);
/* memory.c: the SRAM term follows from now on the schedule that `pick` has under the budget. Comes before the first forward. */
mn_status mn_cost_schedule(mn_cost *cost, const mn_pick *pick, mn_arena *scratch,
                           const mn_search_config *config, mn_error *error);
/* Smooth costs of probabilities p[decision][option]; offsets included. Errors: MN_ERR_MEMORY. */
mn_status mn_cost_forward(mn_cost *cost, double value[METRIC_COUNT],
                          const double *const *p) MN_MUST_CHECK;
/* dp += sum over metrics weight[m] * d value[m] / d p; uses the state of the last forward. */
void mn_cost_backward(mn_cost *cost, double *const *dp, const double weight[METRIC_COUNT],
                      const double *const *p);
/* Follows the schedule of `pick`, and moves the offsets so that smooth cost and real price agree at `pick`. */
mn_status mn_cost_calibrate(mn_cost *cost, const mn_pick *pick, mn_arena *scratch,
                            const mn_search_config *config, mn_error *error);

/* ---- Architecture parameters (architecture.c) ------------------------------------------------
 * One vector alpha per decision; p = softmax((alpha + Gumbel noise) / temperature). */
typedef struct mn_architecture {
  const mn_net *net;
  const mn_graph *graph;
  const mn_gate_map *gates;
  const mn_options *options;
  int32_t decisions, values; /* values: all options of all decisions */
  double *state;             /* [3][values]: alpha, first and second moment; saved in checkpoints */
  double **alpha, **moment1, **moment2; /* [decisions] into state */
  double **p, **dp;                     /* the last sample, and gradients to it */
  double **gradient;                    /* on alpha, of the present update */
  double **probability;                 /* softmax(alpha), no noise, temperature 1 */
  float **mask, **mask_gradient;        /* [ops] */
  float *mix, *mix_gradient;            /* [ops][2] */
} mn_architecture;
mn_status mn_architecture_create(mn_architecture *a, mn_arena *arena, const mn_net *net,
                                 const mn_graph *graph, const mn_gate_map *gates,
                                 const mn_options *options);
size_t mn_architecture_state_bytes(const mn_architecture *a);
/* Draws p (Gumbel-softmax), fills masks and mixes. */
void mn_architecture_sample(mn_architecture *a, mn_rng *rng, double temperature);
/* Sets p to the one-hot of a pick, fills masks and mixes. */
void mn_architecture_fix(mn_architecture *a, const mn_pick *pick);
void mn_architecture_probability(mn_architecture *a);
/* One option of every decision by the probabilities as they were last set. */
void mn_architecture_draw(const mn_architecture *a, mn_pick *pick, mn_rng *rng);
mn_gates mn_architecture_gates(mn_architecture *a);
/* Gradients of masks and mixes -> dp of the last sample -> gradient on alpha; adds the cost's
 * gradient dprobability (may be NULL); one Adam step. step counts from 1. */
void mn_architecture_update(mn_architecture *a, double *const *dprobability, double temperature,
                            double rate, int64_t step);
void mn_architecture_argmax(const mn_architecture *a, mn_pick *pick);
/* log softmax(alpha)[d][k]: how much the search likes an option; -inf where it is not allowed. */
double mn_architecture_liking(const mn_architecture *a, int32_t decision, int32_t option);

/* ---- Repair (repair.c) -------------------------------------------------------------------------
 * Narrower, or wider, until every budget holds by the real planner and tables and nothing more fits. */
typedef double mn_liking(const void *context, int32_t decision, int32_t option);
mn_status mn_search_fit(mn_pick *pick, mn_price *price, mn_arena *scratch, const mn_net *net,
                        const mn_search_config *config, mn_liking *liking, const void *context,
                        mn_error *error);

#endif
