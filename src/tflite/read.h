/* read.h - the reader's working state, shared by its two files. All of it lives in the caller's
 * arena; constants stay in the file.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TFLITE_READ_H
#define MN_TFLITE_READ_H

#include "micronets/tflite.h"
#include "tflite/check.h"
#include "tflite/flat_read.h"
#include "tflite/options.h"

typedef struct mn_reader {
  mn_flat flat;
  mn_arena *arena;
  mn_bytes *buffers;
  size_t *buffer_at; /* place of the data, for messages */
  uint32_t buffer_count;
  mn_tensor *tensors; /* as numbered in the file */
  mn_op *ops;
  size_t *op_at;
  int32_t tensor_count, op_count;
  int32_t *inputs, *outputs;
  int32_t input_count, output_count;
} mn_reader;

/* Out of memory, said through the same channel as everything else. */
mn_status mn_reader_no_memory(mn_reader *reader);
/* op_names.c */
const char *mn_tflite_op_name(int32_t code);
const char *mn_tflite_type_name(int32_t code);
/* read_tensor.c */
mn_status mn_read_buffers(mn_reader *reader, const mn_flat_table *model) MN_MUST_CHECK;
mn_status mn_read_tensors(mn_reader *reader, const mn_flat_table *subgraph) MN_MUST_CHECK;

#endif
