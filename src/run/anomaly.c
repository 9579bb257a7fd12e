/* anomaly.c - see anomaly.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "run/anomaly.h"

mn_status mn_anomaly_finish(mn_model *model, mn_arena *arena, const mn_training *job,
                            mn_error *error) {
  (void)arena;
  model->score_kind =
      mn_score_text(job->reconstructs ? MN_SCORE_RECONSTRUCTION : MN_SCORE_PROBABILITY);
  return mn_eval_anomaly_threshold(&model->score_threshold, model, job->dataset, job->context->pool,
                                   error);
}

mn_status mn_anomaly_judge(mn_trained *trained, const mn_training *job, const mn_model *model,
                           mn_error *error) {
  mn_anomaly_result val, test;
  mn_arena *arena = job->context->arena;
  mn_pool *pool = job->context->pool;
  MN_TRY(mn_eval_anomaly(&val, arena, model, job->dataset, 1u << MN_SPLIT_VAL, pool, error));
  MN_TRY(mn_eval_anomaly(&test, arena, model, job->dataset, 1u << MN_SPLIT_TEST, pool, error));
  trained->threshold = model->score_threshold;
  trained->val = (mn_eval_result){.items = val.items,
                                  .accuracy = val.auc_mismatch,
                                  .recall = val.recall,
                                  .false_accepts = val.false_alarms};
  trained->test = (mn_eval_result){.items = test.items,
                                   .accuracy = test.auc[test.chosen],
                                   .recall = test.recall,
                                   .false_accepts = test.false_alarms};
  return MN_OK;
}

static void put_result(json_t *object, const mn_anomaly_result *r) {
  json_t *per_id = mn_json_object(), *by_score = mn_json_object();
  mn_json_put_int(object, "items", r->items);
  mn_json_put_int(object, "anomalous", r->anomalous);
  mn_json_put_int(object, "windows", r->windows);
  mn_json_put_int(object, "unknown_identity", r->unknown);
  mn_json_put_text(object, "metric", "auc");
  mn_json_put_text(object, "score", mn_score_text(r->chosen));
  mn_json_put_known(object, "auc", r->auc[r->chosen]);
  for (int32_t k = 0; k < r->identities; k++)
    mn_json_put_known(per_id, r->identity[k], r->auc_per_id[k]);
  mn_json_put(object, "auc_per_id", per_id);
  mn_json_put_known(object, "auc_mean", r->auc_mean);
  mn_json_put_known(object, "auc_mismatch", r->auc_mismatch);
  for (int kind = 0; kind < MN_SCORE_COUNT; kind++)
    if (r->has[kind]) mn_json_put_known(by_score, mn_score_text((mn_score_kind)kind), r->auc[kind]);
  mn_json_put(object, "auc_by_score", by_score);
  mn_json_put_known(object, "threshold", r->threshold);
  mn_json_put_known(object, "recall", r->recall);
  mn_json_put_known(object, "false_accepts", r->false_alarms);
}

mn_status mn_anomaly_eval(json_t *object, const mn_run_context *context, const mn_model *model,
                          const mn_dataset *dataset, unsigned splits, mn_error *error) {
  mn_anomaly_result r;
  MN_TRY(mn_eval_anomaly(&r, context->arena, model, dataset, splits, context->pool, error));
  put_result(object, &r);
  mn_json_put_text(object, "trained_on", model->trained_on);
  return MN_OK;
}
