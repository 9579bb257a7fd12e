/* anomaly.c - see anomaly.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "run/anomaly.h"

#include <string.h>

/* What the last layer with weights reads becomes a second output. */
static mn_status show_embedding(mn_model *model, mn_arena *arena, mn_error *error) {
  mn_tensor_id embedding = mn_graph_embedding(model->graph);
  return embedding >= 0 ? mn_graph_show(&model->graph, arena, embedding, error) : MN_OK;
}

static mn_status fit_detectors(mn_model *model, mn_arena *arena, const mn_training *job,
                               mn_error *error) {
  mn_metadata *entries = mn_arena_array(arena, MN_DETECTOR_COUNT, sizeof *entries);
  if (entries == NULL) return mn_error_set(error, MN_ERR_MEMORY, "detector: out of memory");
  for (int source = 0; source < MN_DETECTOR_COUNT; source++) {
    mn_detector detector;
    bool fitted;
    MN_TRY(mn_eval_fit_detector(&detector, &fitted, arena, model, job->dataset,
                                (mn_detector_source)source, job->context->pool, error));
    if (!fitted) continue;
    MN_TRY(mn_detector_write(&entries[model->metadata_count], arena, &detector,
                             (mn_detector_source)source, error));
    model->metadata = entries;
    model->metadata_count++;
  }
  return MN_OK;
}

static const char *score_of(const mn_training *job) {
  if (strcmp(job->options->score, "auto") != 0) return job->options->score;
  return mn_score_text(job->reconstructs ? MN_SCORE_RECONSTRUCTION : MN_SCORE_EMBEDDING);
}

mn_status mn_anomaly_finish(mn_model *model, mn_arena *arena, const mn_training *job,
                            mn_error *error) {
  if (!job->reconstructs) MN_TRY(show_embedding(model, arena, error));
  MN_TRY(fit_detectors(model, arena, job, error));
  model->score_kind = score_of(job);
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

/* Mean score of normal and of anomalous recordings; null where there are none. */
static void put_means(json_t *object, const mn_dataset *dataset, const mn_anomaly_result *r) {
  double sum[2] = {0, 0};
  int32_t count[2] = {r->items - r->anomalous, r->anomalous};
  for (int32_t i = 0; i < r->items; i++)
    sum[mn_dataset_item(dataset, r->item[i])->anomalous] += r->score[i];
  json_t *means = mn_json_object();
  mn_json_put_known(means, "normal", count[0] > 0 ? sum[0] / count[0] : -1);
  mn_json_put_known(means, "anomalous", count[1] > 0 ? sum[1] / count[1] : -1);
  mn_json_put(object, "score_mean", means);
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
  put_means(object, dataset, &r);
  mn_json_put_text(object, "trained_on", model->trained_on);
  return MN_OK;
}

/* ---- run ---------------------------------------------------------------------------------------*/
/* Mean cost of the recording's windows against every machine. */
static mn_status sum_costs(double *cost, mn_infer *infer, const mn_judge *judge,
                           const mn_listening *listening, mn_error *error) {
  mn_arena *arena = infer->context->arena;
  int32_t machines = mn_judge_machines(judge), windows = mn_listening_windows(listening);
  double *one = mn_arena_array(arena, (size_t)machines, sizeof *one);
  double *work = mn_arena_array(arena, mn_judge_doubles(judge), sizeof *work);
  int8_t *input = mn_arena_alloc(arena, mn_tensor_bytes(infer->input));
  if (one == NULL || work == NULL || input == NULL) return mn_out_of_memory(infer->context, error);
  for (int32_t w = 0; w < windows; w++) {
    if (mn_monitor_stopped(infer->context->monitor))
      return mn_error_set(error, MN_ERR_INTERRUPTED, "run: interrupted");
    mn_exec_reset(infer->exec);
    MN_TRY(mn_infer_window(infer, listening, w, error));
    memcpy(input, mn_exec_input(infer->exec, 0), mn_tensor_bytes(infer->input));
    mn_exec_run(infer->exec, NULL);
    const int8_t *embedding =
        infer->model->graph->output_count > 1 ? mn_exec_output(infer->exec, 1) : NULL;
    mn_judge_costs(judge, one, mn_judge_chosen(judge), work, input, mn_exec_output(infer->exec, 0),
                   embedding);
    for (int32_t k = 0; k < machines; k++) cost[k] += one[k];
  }
  for (int32_t k = 0; k < machines; k++) cost[k] /= windows;
  return MN_OK;
}

static mn_status cost_of(double *cost, int32_t *windows, mn_infer *infer, const mn_judge *judge,
                         const char *path, mn_error *error) {
  mn_listening *listening = NULL;
  MN_TRY(mn_infer_listen(&listening, infer, path, error));
  *windows = mn_listening_windows(listening);
  mn_status status = sum_costs(cost, infer, judge, listening, error);
  mn_listening_close(listening);
  return status;
}

mn_status mn_anomaly_run(json_t **row, mn_infer *infer, const char *path, mn_error *error) {
  const mn_model *model = infer->model;
  const mn_judge *judge;
  int32_t windows, nearest = 0;
  MN_TRY(mn_judge_open(&judge, infer->context->arena, model, error));
  int32_t machines = mn_judge_machines(judge);
  double *cost = mn_arena_array(infer->context->arena, (size_t)machines, sizeof *cost);
  if (cost == NULL) return mn_out_of_memory(infer->context, error);
  MN_TRY(cost_of(cost, &windows, infer, judge, path, error));
  json_t *object = mn_json_object(), *scores = mn_json_array();
  for (int32_t k = 0; k < machines; k++) {
    if (cost[k] < cost[nearest]) nearest = k;
    mn_json_push(scores, json_real(cost[k]));
  }
  mn_json_put_text(object, "input", path);
  mn_json_put_text(object, "class", model->label_count > 0 ? model->labels[nearest] : NULL);
  mn_json_put_text(object, "score_kind", mn_score_text(mn_judge_chosen(judge)));
  mn_json_put_real(object, "score", cost[nearest]);
  mn_json_put_real(object, "threshold", (double)model->score_threshold);
  mn_json_put(object, "anomaly", json_boolean(cost[nearest] >= (double)model->score_threshold));
  mn_json_put_int(object, "windows", windows);
  mn_json_put(object, "scores", scores);
  *row = object;
  return MN_OK;
}
