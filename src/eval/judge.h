/* judge.h - what one window costs by every score that a model gives.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_EVAL_JUDGE_H
#define MN_EVAL_JUDGE_H

#include "micronets/eval.h"

struct mn_judge {
  const mn_model *model;
  size_t input_bytes;
  int64_t outputs;
  int32_t machines, most_dims;
  bool has[MN_SCORE_COUNT];
  const mn_detector *detector[MN_DETECTOR_COUNT];
};

#endif
