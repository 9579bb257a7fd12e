/* data.c - micronets data: what a data set holds and what is wrong with it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "run/stage.h"

/* NULL: out of memory. */
static json_t *splits_json(const mn_dataset *dataset, mn_arena *arena) {
  int32_t classes = mn_dataset_classes(dataset);
  int64_t *count = mn_arena_array(arena, (size_t)(MN_SPLIT_COUNT * (classes + 1)), sizeof *count);
  if (count == NULL) return NULL;
  json_t *splits = mn_json_object();
  for (int32_t i = 0; i < mn_dataset_items(dataset); i++) {
    const mn_item *item = mn_dataset_item(dataset, i);
    if (item->label >= 0 && item->label < classes)
      count[(int32_t)item->split * (classes + 1) + item->label]++;
    count[(int32_t)item->split * (classes + 1) + classes]++;
  }
  for (int32_t s = 0; s < MN_SPLIT_COUNT; s++) {
    const int64_t *row = count + s * (classes + 1);
    json_t *split = mn_json_object(), *per_class = mn_json_object();
    mn_json_put_int(split, "items", row[classes]);
    for (int32_t c = 0; c < classes; c++)
      mn_json_put_int(per_class, mn_dataset_class(dataset, c), row[c]);
    mn_json_put(split, "per_class", per_class);
    mn_json_put(splits, mn_split_text((mn_split)s), split);
  }
  return splits;
}

static bool is_leak(const mn_problem *problem) {
  return strstr(problem->kind, "leak") != NULL;
}

static json_t *problems_json(const mn_dataset *dataset, bool leaks) {
  json_t *list = mn_json_array();
  for (int32_t i = 0; i < mn_dataset_problems(dataset); i++) {
    const mn_problem *problem = mn_dataset_problem(dataset, i);
    if (leaks && !is_leak(problem)) continue;
    json_t *entry = mn_json_object();
    mn_json_put_text(entry, "file", problem->file);
    mn_json_put_text(entry, "kind", problem->kind);
    mn_json_put_text(entry, "text", problem->text);
    mn_json_push(list, entry);
  }
  return list;
}

/* [width, height] of the first photo. */
static json_t *image_size_json(const mn_dataset *dataset) {
  int32_t width, height;
  mn_dataset_image_size(dataset, &width, &height);
  if (width == 0) return json_null();
  json_t *size = mn_json_array();
  mn_json_push(size, json_integer(width));
  mn_json_push(size, json_integer(height));
  return size;
}

static mn_status data_json(json_t **result, const mn_run_context *context,
                           const mn_dataset *dataset, mn_error *error) {
  json_t *splits = splits_json(dataset, context->arena);
  if (splits == NULL) return mn_out_of_memory(context, error);
  json_t *object = mn_json_open(context), *classes = mn_json_array();
  char hash[20];
  mn_json_put_text(object, "task", mn_task_text(mn_dataset_task(dataset)));
  for (int32_t c = 0; c < mn_dataset_classes(dataset); c++)
    mn_json_push(classes, mn_json_text(mn_dataset_class(dataset, c)));
  mn_json_put(object, "classes", classes);
  mn_json_put(object, "splits", splits);
  int32_t rate = mn_dataset_sample_rate(dataset);
  mn_json_put_known_int(object, "sample_rate", rate > 0 ? rate : -1);
  mn_json_put(object, "image_size", image_size_json(dataset));
  mn_json_put_text(object, "trained_on", mn_dataset_trained_on(dataset));
  snprintf(hash, sizeof hash, "%016llx", (unsigned long long)mn_dataset_hash(dataset));
  mn_json_put_text(object, "hash", hash);
  mn_json_put(object, "problems", problems_json(dataset, false));
  mn_json_put(object, "leaks", problems_json(dataset, true));
  return mn_json_finish(result, object, context, context->data->words != NULL, error);
}

mn_status mn_run_data(json_t **result, const mn_run_context *context, mn_error *error) {
  mn_dataset *dataset = NULL;
  const char *folder = NULL;
  if (context->common->out != NULL) MN_TRY(mn_stage_folder(&folder, context, ".", error));
  MN_TRY(mn_stage_dataset(&dataset, context, folder, NULL, error));
  mn_status status = data_json(result, context, dataset, error);
  mn_stage_close(context, dataset);
  if (status != MN_OK || folder == NULL) return status;
  const char *path = mn_stage_path(context, folder, "data.json");
  if (path == NULL) return mn_out_of_memory(context, error);
  return mn_run_write_json(path, *result, error);
}
