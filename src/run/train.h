/* train.h - one training from data set to .tflite, as train and build call it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_RUN_TRAIN_H
#define MN_RUN_TRAIN_H

#include "micronets/eval.h"
#include "micronets/train.h"
#include "run/stage.h"

/* One network, one seed. Paths are written when everything is ready. */
typedef struct mn_training {
  const mn_run_context *context;
  const mn_options_train *options;
  mn_dataset *dataset;
  mn_net *net;
  const mn_graph *graph;
  mn_frontend frontend;
  bool reconstructs; /* an auto-encoder: as many outputs as inputs */
  uint64_t seed;
  mn_arithmetic arithmetic;
  const char *checkpoint, *model; /* paths */
} mn_training;

typedef struct mn_trained {
  mn_fit_result fit;
  double float_val, float_test; /* -1: not measured */
  /* Of the int8 file, by the executor. Anomaly detection: `accuracy` of val tells machines apart
   * (auc_mismatch), that of test is the pooled area under the curve. */
  mn_eval_result val, test;
  float threshold;
  int32_t inherited; /* layers that --init gave; -1: none was asked, or the training was resumed */
} mn_trained;

/* From net and dataset: graph, front end, reconstructs. Nothing may be left to choose, and the last layer
 * must count as many classes as the data. */
mn_status mn_training_lower(mn_training *training, mn_error *error) MN_MUST_CHECK;
/* Trains, freezes, calibrates, writes the model, judges it. */
mn_status mn_train_once(mn_trained *trained, const mn_training *training,
                        mn_error *error) MN_MUST_CHECK;

#endif
