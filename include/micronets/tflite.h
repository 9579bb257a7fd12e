/* tflite.h - the standard model file: verify, read, write. Untrusted bytes: every offset, index,
 * shape and quantization is checked before use (TFLite schema v3, identifier "TFL3").
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MICRONETS_TFLITE_H
#define MICRONETS_TFLITE_H

#include "micronets/base.h"
#include "micronets/features.h"
#include "micronets/graph.h"

/* Metadata kept as it was, byte for byte. */
typedef struct mn_metadata {
  const char *name;
  mn_bytes data;
} mn_metadata;

/* A model: frozen graph, front end, labels, threshold, foreign metadata. Lives in one arena. */
typedef struct mn_model {
  const mn_graph *graph;
  mn_frontend frontend;      /* kind NONE where the file says nothing */
  const char *const *labels; /* [label_count] in output order */
  int32_t label_count;
  bool has_threshold;
  float threshold;         /* probability; a class below it is not reported */
  const char *score_kind;  /* anomaly detection: what a recording is scored by; NULL: a classifier */
  float score_threshold;   /* with score_kind: a score at or above it is an anomaly */
  const char *description; /* of the file */
  const char *trained_on;  /* one plain sentence; NULL unknown */
  const mn_metadata *metadata;
  int32_t metadata_count;
} mn_model;

/* The output that a label names; -1: none of that name. */
int32_t mn_model_label(const mn_model *model, const char *name);

/* Reads and verifies. The model borrows `file` for constants: it must outlive the model.
 * Errors: MN_ERR_FORMAT naming byte offset, found, expected; MN_ERR_UNSUPPORTED naming op or type.
 * Ops that are well formed but not in our list are refused with their name. */
mn_status mn_tflite_read(mn_model *model, mn_arena *arena, mn_bytes file,
                         mn_error *error) MN_MUST_CHECK;
/* The same bytes for the same model. TFLM runs the file identically. */
mn_status mn_tflite_write(const mn_sink *out, const mn_model *model, mn_error *error) MN_MUST_CHECK;
/* A detector as a metadata entry, and back; NULL where the model has none. Tables live in arena. */
mn_status mn_detector_write(mn_metadata *entry, mn_arena *arena, const mn_detector *detector,
                            mn_detector_source source, mn_error *error) MN_MUST_CHECK;
mn_status mn_detector_read(const mn_detector **detector, mn_arena *arena, const mn_model *model,
                           mn_detector_source source, mn_error *error) MN_MUST_CHECK;
/* Exact size of the file that mn_tflite_write would make for a bare or frozen graph (search prices
 * --runtime tflm with it); labels and front end as in `model`. */
mn_status mn_tflite_size(size_t *bytes, const mn_model *model, mn_error *error) MN_MUST_CHECK;

#endif
