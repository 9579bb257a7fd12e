/* recalibrate.c - a model taken to another place: the means of its detectors become those of a few normal
 * recordings made there; covariances and threshold stay.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "run/anomaly.h"

static mn_status move_all(mn_metadata *entries, int32_t *heard, const mn_run_context *context,
                          const mn_model *model, const mn_dataset *dataset, mn_error *error) {
  for (int source = 0; source < MN_DETECTOR_COUNT; source++) {
    const mn_detector *detector;
    mn_detector moved;
    mn_metadata entry;
    MN_TRY(mn_detector_read(&detector, context->arena, model, (mn_detector_source)source, error));
    if (detector == NULL) continue;
    MN_TRY(mn_eval_move_detector(&moved, heard, context->arena, detector, model, dataset,
                                 (mn_detector_source)source, context->pool, error));
    MN_TRY(mn_detector_write(&entry, context->arena, &moved, (mn_detector_source)source, error));
    for (int32_t i = 0; i < model->metadata_count; i++)
      if (strcmp(entries[i].name, entry.name) == 0) entries[i] = entry;
  }
  return MN_OK;
}

mn_status mn_anomaly_recalibrate(json_t *object, const mn_run_context *context,
                                 const mn_model *model, const mn_dataset *dataset, const char *path,
                                 mn_error *error) {
  mn_model moved = *model;
  mn_buffer file = {0};
  mn_sink sink = mn_buffer_sink(&file);
  int32_t heard = 0;
  mn_metadata *entries = mn_arena_copy(context->arena, model->metadata,
                                       sizeof *entries * (size_t)model->metadata_count);
  if (entries == NULL) return mn_out_of_memory(context, error);
  MN_TRY(move_all(entries, &heard, context, model, dataset, error));
  if (heard == 0)
    return mn_error_set(error, MN_ERR_FORMAT,
                        "--recalibrate: the data holds no normal recording of a machine that the "
                        "model knows, or the model has no detector");
  moved.metadata = entries;
  mn_status status = mn_tflite_write(&sink, &moved, error);
  if (status == MN_OK) status = mn_file_write(path, file.data, file.size, error);
  mn_buffer_free(&file);
  mn_json_put_text(object, "recalibrated", path);
  mn_json_put_int(object, "recalibrated_states", heard);
  return status;
}
