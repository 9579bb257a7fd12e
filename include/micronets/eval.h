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
mn_status mn_eval_calibrate(float *threshold, mn_arena *arena, const mn_model *model,
                            const mn_dataset *dataset, mn_pool *pool,
                            mn_error *error) MN_MUST_CHECK;

/* Area under the ROC curve: the chance that a positive item scores higher than a negative one, ties
 * counting half. -1 where one of the two kinds is absent. Scores must be numbers. */
double mn_eval_auc(const double *score, const bool *positive, int32_t count, mn_error *error);

#endif
