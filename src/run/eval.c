/* eval.c - micronets eval: a model on a data set, or on stored input tensors.
 * SPDX-License-Identifier: Apache-2.0 */
#include "micronets/eval.h"

#include <string.h>

#include "run/anomaly.h"
#include "run/raw.h"
#include "run/stage.h"

static unsigned split_mask(const char *word) {
  for (int s = 0; s < MN_SPLIT_COUNT; s++)
    if (strcmp(word, mn_split_text((mn_split)s)) == 0) return 1u << s;
  return (1u << MN_SPLIT_COUNT) - 1;
}

static const char *class_text(const mn_model *model, int32_t index) {
  static char text[16];
  if (index < model->label_count) return model->labels[index];
  snprintf(text, sizeof text, "%d", (int)index);
  return text;
}

static void put_classes(json_t *object, const mn_model *model, const mn_eval_result *r) {
  json_t *per_class = mn_json_object(), *labels = mn_json_array(), *confusion = mn_json_array();
  for (int32_t c = 0; c < r->classes; c++) {
    mn_json_put_known(per_class, class_text(model, c), r->per_class[c]);
    mn_json_push(labels, mn_json_text(class_text(model, c)));
    json_t *row = mn_json_array();
    for (int32_t k = 0; k < r->classes; k++)
      mn_json_push(row, json_integer(r->confusion[c * r->classes + k]));
    mn_json_push(confusion, row);
  }
  mn_json_put(object, "classes", labels);
  mn_json_put(object, "per_class", per_class);
  mn_json_put(object, "confusion", confusion);
}

static void put_verdict(json_t *object, const mn_model *model, const mn_eval_result *r) {
  mn_json_put_int(object, "items", r->items);
  mn_json_put_int(object, "left_out", r->left_out);
  mn_json_put_int(object, "taken_as_unknown", r->taken_as_unknown);
  mn_json_put_text(object, "metric", "accuracy");
  mn_json_put_known(object, "accuracy", r->items > 0 ? r->accuracy : -1);
  mn_json_put_known(object, "threshold", r->threshold);
  mn_json_put_known(object, "recall", r->recall);
  mn_json_put_known(object, "false_accepts", r->false_accepts);
  mn_json_put_text(object, "trained_on", model->trained_on);
  put_classes(object, model, r);
}

/* A model that knows `unknown` or `silence` was trained with --classes: its keywords, or NULL. */
static const char *keywords_of(const mn_run_context *context, const mn_model *model) {
  char *list = NULL;
  bool others = false;
  for (int32_t i = 0; i < model->label_count; i++) {
    const char *label = model->labels[i];
    bool other = strcmp(label, "unknown") == 0 || strcmp(label, "silence") == 0;
    others = others || other;
    if (other) continue;
    list = mn_arena_text(context->arena, "%s%s%s", list != NULL ? list : "",
                         list != NULL ? "," : "", label);
    if (list == NULL) return NULL;
  }
  return others ? list : NULL;
}

/* Data that lacks some of the words is opened folder by folder; names tell the labels then. */
static mn_status open_for_model(mn_dataset **dataset, const mn_run_context *context,
                                const mn_model *model, mn_error *error) {
  mn_options_data data = *context->data;
  mn_run_context as_trained = *context;
  as_trained.data = &data;
  if (model->score_kind != NULL && strcmp(data.task, "auto") == 0) data.task = "ad";
  if (data.classes == NULL && data.data != NULL) data.classes = keywords_of(context, model);
  mn_status status = mn_stage_dataset(dataset, &as_trained, NULL, NULL, error);
  if (status != MN_ERR_USAGE || data.classes == context->data->classes) return status;
  return mn_stage_dataset(dataset, context, NULL, NULL, error);
}

static mn_status need_items(const mn_run_context *context, const mn_dataset *dataset,
                            unsigned splits, const char *word, mn_error *error) {
  for (int32_t i = 0; i < mn_dataset_items(dataset); i++)
    if ((splits & 1u << mn_dataset_item(dataset, i)->split) != 0) return MN_OK;
  return mn_error_set(error, MN_ERR_FORMAT, "%s: found no example in split %s; --split %s",
                      context->data->data != NULL ? context->data->data : "--words", word,
                      strcmp(word, "all") == 0 ? "all needs one" : "all takes those of the others");
}

static mn_status eval_data(json_t *object, const mn_run_context *context, const mn_model *model,
                           const mn_options_eval *options, mn_error *error) {
  unsigned splits = split_mask(options->split);
  mn_dataset *dataset = NULL;
  mn_eval_result r;
  MN_TRY(open_for_model(&dataset, context, model, error));
  mn_status status = need_items(context, dataset, splits, options->split, error);
  if (status != MN_OK) {
    mn_stage_close(context, dataset);
    return status;
  }
  if (mn_dataset_task(dataset) == MN_TASK_AD) {
    status = mn_anomaly_eval(object, context, model, dataset, splits, error);
    if (status == MN_OK && options->recalibrate != NULL)
      status = mn_anomaly_recalibrate(object, context, model, dataset, options->recalibrate, error);
  } else if (options->recalibrate != NULL) {
    status =
        mn_error_set(error, MN_ERR_USAGE,
                     "--recalibrate: found data of another task; expected recordings of machines");
  } else {
    status = mn_eval(&r, context->arena, model, dataset, splits, context->pool, error);
    if (status == MN_OK) put_verdict(object, model, &r);
  }
  mn_stage_close(context, dataset);
  return status;
}

static mn_status eval_raw(json_t *object, const mn_run_context *context, const mn_model *model,
                          const mn_options_eval *options, mn_error *error) {
  mn_eval_result r = {.threshold = -1, .recall = -1, .false_accepts = -1};
  MN_TRY(mn_raw_eval(&r, context, model, options->raw, options->labels, options->raw_scale, error));
  put_verdict(object, model, &r);
  return MN_OK;
}

mn_status mn_run_eval(json_t **result, const mn_run_context *context,
                      const mn_options_eval *options, mn_error *error) {
  mn_model model;
  if ((options->raw == NULL) != (options->labels == NULL))
    return mn_error_set(error, MN_ERR_USAGE,
                        "eval: found one of --raw and --labels; expected both or neither");
  if (options->raw_scale != NULL && options->raw == NULL)
    return mn_error_set(error, MN_ERR_USAGE, "eval: found --raw-scale; expected --raw with it");
  if (options->recalibrate != NULL && options->raw != NULL)
    return mn_error_set(error, MN_ERR_USAGE,
                        "eval: found --raw and --recalibrate; expected recordings by --data");
  if (options->raw != NULL && (context->data->data != NULL || context->data->words != NULL))
    return mn_error_set(error, MN_ERR_USAGE,
                        "eval: found --raw and a data set; expected one of them");
  MN_TRY(mn_stage_model(&model, context, context->arguments[0], error));
  json_t *object = mn_json_open(context);
  mn_json_put_text(object, "split", options->raw == NULL ? options->split : NULL);
  mn_status status = options->raw != NULL ? eval_raw(object, context, &model, options, error)
                                          : eval_data(object, context, &model, options, error);
  if (status != MN_OK) {
    json_decref(object);
    return status;
  }
  return mn_json_finish(result, object, context, context->data->words != NULL, error);
}
