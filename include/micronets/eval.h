/* eval.h - what a .tflite is worth on a dataset: accuracy, confusion, threshold, AUC. Judges the int8
 * file with the executor, never the trainer.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MICRONETS_EVAL_H
#define MICRONETS_EVAL_H

#include "micronets/data.h"
#include "micronets/tflite.h"

typedef struct mn_eval_result {
  int32_t items, classes;
  int32_t left_out;         /* items of folders the model has no label for and no `unknown` */
  int32_t taken_as_unknown; /* items of folders the model has no label for, counted as `unknown` */
  double accuracy;
  const double *per_class;  /* [classes] recall */
  const int32_t *confusion; /* [classes][classes], row: truth */
  /* At the model's threshold; -1 where it has none. A keyword is every label but unknown and silence.
   * recall: share of keyword items that are recognised and accepted; false_accepts: share of the other
   * items (of all, where there are no others) that are accepted as a keyword they are not. */
  double threshold, recall, false_accepts;
} mn_eval_result;

/* Real numbers of a frozen graph's first output: [elements of the tensor]. */
void mn_eval_scores(double *score, const mn_graph *graph, const void *output);
/* The largest score, and its probability: the score itself behind a SOFTMAX, else that of a softmax
 * over all of them. */
int32_t mn_eval_winner(double *probability, const mn_graph *graph, const double *score);

/* splits: bit mask 1 << MN_SPLIT_x. Memory of the result lives in arena. */
mn_status mn_eval(mn_eval_result *result, mn_arena *arena, const mn_model *model,
                  const mn_dataset *dataset, unsigned splits, mn_pool *pool,
                  mn_error *error) MN_MUST_CHECK;
/* A threshold on the winning probability, chosen on the validation split: of 0.00, 0.01, ... 0.99 the
 * one with the largest recall - 2 x false accepts (both as above), and of equally good ones the
 * middle. */
mn_status mn_eval_calibrate(float *threshold, const mn_model *model,
                            const mn_dataset *dataset, mn_pool *pool,
                            mn_error *error) MN_MUST_CHECK;

/* ---- Anomaly detection -------------------------------------------------------------------------
 * A recording is scored against the machine (or state) that it is said to show: the higher, the less
 * it is like what training showed of it; the mean over its windows. Where the model does not know that
 * machine, against the nearest one it knows. */
typedef enum mn_score_kind {
  MN_SCORE_PROBABILITY,    /* -ln of the probability of the own machine (the paper's score) */
  MN_SCORE_RECONSTRUCTION, /* mean squared error of an auto-encoder, real units */
  MN_SCORE_EMBEDDING,      /* distance of what the last layer with weights reads (features.h) */
  MN_SCORE_BANDS,          /* distance of the input's bands, averaged over its frames */
  MN_SCORE_COUNT
} mn_score_kind;
const char *mn_score_text(mn_score_kind kind);

typedef struct mn_anomaly_result {
  int32_t items, anomalous, windows;
  int32_t unknown;                 /* items of machines that the model does not know */
  bool has[MN_SCORE_COUNT];        /* which scores the model gives; the rest is of the one chosen: */
  double auc[MN_SCORE_COUNT];      /* pooled; -1 without both kinds of items */
  mn_score_kind chosen;
  int32_t identities;
  const char *const *identity;     /* [identities] of the judged items, in byte order */
  const double *auc_per_id;        /* [identities]; -1 without both kinds */
  double auc_mean;                 /* of those known; -1 none */
  /* How well normal recordings are told from the same recordings said to be of another machine: what
   * can be known without an anomaly. -1 with one machine. */
  double auc_mismatch;
  double threshold;                /* a score at or above it is an anomaly; -1: the model has none */
  double recall, false_alarms;     /* shares of anomalous and normal items above it; -1 unknown */
  const double *score;             /* [items] */
  const int32_t *item;             /* [items] index in the data set */
} mn_anomaly_result;
/* For data sets of task ad. Memory of the result lives in arena. */
mn_status mn_eval_anomaly(mn_anomaly_result *result, mn_arena *arena, const mn_model *model,
                          const mn_dataset *dataset, unsigned splits, mn_pool *pool,
                          mn_error *error) MN_MUST_CHECK;
/* The score that 1 in 20 normal recordings of the validation split pass: no anomaly is there to
 * choose with. */
mn_status mn_eval_anomaly_threshold(float *threshold, const mn_model *model, const mn_dataset *dataset,
                                    mn_pool *pool, mn_error *error) MN_MUST_CHECK;

/* One window after another, as `run` does: costs [machines] by one kind of score, from the bytes of the
 * input and the outputs (embedding: the second, or NULL). work: mn_judge_doubles() doubles. False: the
 * model has no such score. Immutable, lives in arena. */
typedef struct mn_judge mn_judge;
mn_status mn_judge_open(const mn_judge **judge, mn_arena *arena, const mn_model *model,
                        mn_error *error) MN_MUST_CHECK;
int32_t mn_judge_machines(const mn_judge *judge);
size_t mn_judge_doubles(const mn_judge *judge);
mn_score_kind mn_judge_chosen(const mn_judge *judge);
bool mn_judge_costs(const mn_judge *judge, double *cost, mn_score_kind kind, double *work,
                    const int8_t *input, const void *output, const int8_t *embedding);

/* Fits a detector to the windows of the training split; *fitted false: the model has no such vector
 * (embedding: its second output). Tables live in arena. */
mn_status mn_eval_fit_detector(mn_detector *detector, bool *fitted, mn_arena *arena,
                               const mn_model *model, const mn_dataset *dataset,
                               mn_detector_source source, mn_pool *pool,
                               mn_error *error) MN_MUST_CHECK;
/* The same detector with the means of all normal recordings of the data (any split) in place of its own:
 * what `eval --recalibrate` does on the host. *heard: states that were there; the rest keep their mean. */
mn_status mn_eval_move_detector(mn_detector *moved, int32_t *heard, mn_arena *arena,
                                const mn_detector *detector, const mn_model *model,
                                const mn_dataset *dataset, mn_detector_source source,
                                mn_pool *pool, mn_error *error) MN_MUST_CHECK;
/* Bytes of its tables; -1 where it does not fit the model. */
int64_t mn_detector_bytes(const mn_detector *detector, const mn_model *model,
                          mn_detector_source source);

/* Area under the ROC curve, 0 to 1: the chance that a positive item scores higher than a negative one, ties
 * counting half. -1 where one of the two kinds is absent. score, positive [count]; scores must be numbers. */
mn_status mn_eval_auc(double *area, const double *score, const bool *positive, int32_t count,
                      mn_error *error) MN_MUST_CHECK;

#endif
