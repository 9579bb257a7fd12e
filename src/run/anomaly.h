/* anomaly.h - the stages' part of task ad: threshold and verdict of a training, the object of eval.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_RUN_ANOMALY_H
#define MN_RUN_ANOMALY_H

#include "run/infer.h"
#include "run/train.h"

/* What a trained network needs to be a detector: kind of score, threshold. */
mn_status mn_anomaly_finish(mn_model *model, mn_arena *arena, const mn_training *job,
                            mn_error *error) MN_MUST_CHECK;
/* Areas under the curve in the places of accuracies. */
mn_status mn_anomaly_judge(mn_trained *trained, const mn_training *job, const mn_model *model,
                           mn_error *error) MN_MUST_CHECK;
/* "auc", "auc_per_id" and the rest, into eval's object. */
mn_status mn_anomaly_eval(json_t *object, const mn_run_context *context, const mn_model *model,
                          const mn_dataset *dataset, unsigned splits,
                          mn_error *error) MN_MUST_CHECK;

/* Writes the model with what is normal in this data to `path`; "recalibrated" into the object. */
mn_status mn_anomaly_recalibrate(json_t *object, const mn_run_context *context,
                                 const mn_model *model, const mn_dataset *dataset, const char *path,
                                 mn_error *error) MN_MUST_CHECK;
/* "score", "anomaly", "scores" and "class" of one recording, windows averaged. */
mn_status mn_anomaly_run(json_t **row, mn_infer *infer, const char *path,
                         mn_error *error) MN_MUST_CHECK;

#endif
