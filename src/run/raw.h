/* raw.h - a model judged on stored input tensors.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_RUN_RAW_H
#define MN_RUN_RAW_H

#include "micronets/eval.h"
#include "run/infer.h"

/* Every line of the CSV names a file of `folder` and, last (or under a heading "label" or "class"), its
 * class: an index or a label of the model. scale: NULL, or "SCALE,ZERO", the quantization of the stored
 * int8 inputs, which are brought to the model's. Errors name file and line. */
mn_status mn_raw_eval(mn_eval_result *result, const mn_run_context *context, const mn_model *model,
                      const char *folder, const char *labels, const char *scale,
                      mn_error *error) MN_MUST_CHECK;

#endif
