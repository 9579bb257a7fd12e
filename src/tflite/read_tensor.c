/* read_tensor.c - buffers, tensors and their quantization out of an untrusted file.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "tflite/read.h"
#include "tflite/schema.h"

/* ---- Buffers -------------------------------------------------------------------------------*/
/* Large models keep data behind the FlatBuffer: offset and size from the start of the file. */
static mn_status read_outside(mn_reader *reader, const mn_flat_table *table, mn_bytes *bytes,
                              size_t *at) {
  mn_flat *flat = &reader->flat;
  uint64_t offset = mn_flat_u64(flat, table, MN_BUFFER_OFFSET, 0);
  uint64_t size = mn_flat_u64(flat, table, MN_BUFFER_SIZE, 0);
  if (flat->status != MN_OK || offset <= 1 || size == 0) return flat->status;
  if (offset > flat->file.size || size > flat->file.size - offset)
    return mn_flat_fail(flat, MN_ERR_FORMAT, table->at,
                        "data of %llu bytes at %llu runs past the end of the file (%zu bytes)",
                        (unsigned long long)size, (unsigned long long)offset, flat->file.size);
  *bytes = (mn_bytes){flat->file.data + offset, (size_t)size};
  *at = (size_t)offset;
  return MN_OK;
}

mn_status mn_read_buffers(mn_reader *reader, const mn_flat_table *model) {
  mn_flat *flat = &reader->flat;
  mn_flat_enter(flat, "buffers");
  mn_flat_vector buffers = mn_flat_vector_of(flat, model, MN_MODEL_BUFFERS, 4);
  if (flat->status != MN_OK) return flat->status;
  reader->buffer_count = buffers.count;
  reader->buffers = mn_arena_array(reader->arena, buffers.count, sizeof *reader->buffers);
  reader->buffer_at = mn_arena_array(reader->arena, buffers.count, sizeof *reader->buffer_at);
  if (reader->buffers == NULL || reader->buffer_at == NULL) return mn_reader_no_memory(reader);
  for (uint32_t i = 0; i < buffers.count; i++) {
    mn_flat_enter(flat, "buffer %u", i);
    mn_flat_table table = mn_flat_item_table(flat, buffers, i);
    mn_flat_vector data = mn_flat_vector_of(flat, &table, MN_BUFFER_DATA, 1);
    if (flat->status != MN_OK) return flat->status;
    reader->buffers[i] = (mn_bytes){data.count > 0 ? flat->file.data + data.at : NULL, data.count};
    reader->buffer_at[i] = data.at;
    if (data.count == 0)
      MN_TRY(read_outside(reader, &table, &reader->buffers[i], &reader->buffer_at[i]));
  }
  return MN_OK;
}

/* ---- Tensors -------------------------------------------------------------------------------*/
static mn_status read_type(mn_reader *reader, const mn_flat_table *table, mn_tensor *tensor) {
  mn_flat *flat = &reader->flat;
  int32_t code = mn_flat_u8(flat, table, MN_TENSOR_TYPE, 0);
  if (flat->status != MN_OK) return flat->status;
  for (int32_t dtype = 0; dtype < MN_DTYPE_COUNT; dtype++) {
    if (mn_dtype_tflite((mn_dtype)dtype) != code) continue;
    tensor->dtype = (mn_dtype)dtype;
    return MN_OK;
  }
  return mn_flat_fail(
      flat, MN_ERR_UNSUPPORTED, table->at,
      "tensor type %s (code %d) is not supported; expected int8, int16, int4, int32 or int64",
      mn_tflite_type_name(code), (int)code);
}

static mn_status read_shape(mn_reader *reader, const mn_flat_table *table, mn_tensor *tensor) {
  mn_flat *flat = &reader->flat;
  mn_flat_vector shape = mn_flat_vector_of(flat, table, MN_TENSOR_SHAPE, 4);
  if (flat->status != MN_OK) return flat->status;
  if (shape.count > MN_MAX_RANK)
    return mn_flat_fail(flat, MN_ERR_UNSUPPORTED, shape.at, "%u axes; at most %d are supported",
                        shape.count, MN_MAX_RANK);
  int64_t elements = 1;
  tensor->shape.rank = (int32_t)shape.count;
  for (uint32_t i = 0; i < shape.count; i++) {
    int32_t dim = mn_flat_item_i32(flat, shape, i);
    if (dim <= 0)
      return mn_flat_fail(flat, MN_ERR_FORMAT, shape.at + 4 * (size_t)i,
                          "axis %u has size %d; expected at least 1", i, (int)dim);
    elements *= dim;
    if (elements > INT32_MAX)
      return mn_flat_fail(flat, MN_ERR_FORMAT, shape.at, "more than %d elements", INT32_MAX);
    tensor->shape.dim[i] = dim;
  }
  return MN_OK;
}

static size_t alignment_of(mn_dtype dtype) {
  int32_t bits = mn_dtype_bits(dtype);
  return bits <= 8 ? 1 : (size_t)bits / 8;
}

static mn_status read_data(mn_reader *reader, const mn_flat_table *table, mn_tensor *tensor) {
  mn_flat *flat = &reader->flat;
  uint32_t index = mn_flat_u32(flat, table, MN_TENSOR_BUFFER, 0);
  tensor->variable = mn_flat_u8(flat, table, MN_TENSOR_IS_VARIABLE, 0) != 0;
  if (flat->status != MN_OK) return flat->status;
  if (index >= reader->buffer_count)
    return mn_flat_fail(flat, MN_ERR_FORMAT, table->at, "buffer %u; the file has %u", index,
                        reader->buffer_count);
  mn_bytes data = reader->buffers[index];
  if (data.size == 0) return MN_OK;
  size_t need = mn_tensor_bytes(tensor);
  if (data.size != need)
    return mn_flat_fail(flat, MN_ERR_FORMAT, reader->buffer_at[index],
                        "its data has %zu bytes; its shape and type need %zu", data.size, need);
  if (tensor->variable)
    return mn_flat_fail(flat, MN_ERR_UNSUPPORTED, table->at,
                        "a variable with initial values; expected it to start at zero");
  tensor->constant = true;
  tensor->data_bytes = data.size;
  tensor->data = data.data;
  /* kernels read whole elements: what the file does not align, a copy does */
  if ((uintptr_t)data.data % alignment_of(tensor->dtype) != 0)
    tensor->data = mn_arena_copy(reader->arena, data.data, data.size);
  return tensor->data != NULL ? MN_OK : mn_reader_no_memory(reader);
}

static int64_t type_limit(mn_dtype dtype) {
  int32_t bits = mn_dtype_bits(dtype);
  if (dtype == MN_DTYPE_UINT8) return UINT8_MAX;
  return bits > 32 ? INT32_MAX : ((int64_t)1 << (bits - 1)) - 1;
}

/* One scale, or one for each index of an axis. */
static mn_status check_axis(mn_reader *reader, const mn_tensor *tensor, size_t at, int32_t axis) {
  mn_flat *flat = &reader->flat;
  int32_t count = tensor->quantization.count;
  if (count == 1) return MN_OK;
  if (axis < 0 || axis >= tensor->shape.rank)
    return mn_flat_fail(flat, MN_ERR_FORMAT, at, "scales along axis %d of %d axes", (int)axis,
                        (int)tensor->shape.rank);
  if (count != tensor->shape.dim[axis])
    return mn_flat_fail(flat, MN_ERR_FORMAT, at, "%d scales along axis %d; its size is %d",
                        (int)count, (int)axis, (int)tensor->shape.dim[axis]);
  return MN_OK;
}

static mn_status read_scales(mn_reader *reader, mn_tensor *tensor, mn_flat_vector scales) {
  mn_flat *flat = &reader->flat;
  float *scale = mn_arena_array(reader->arena, scales.count, sizeof *scale);
  if (scale == NULL) return mn_reader_no_memory(reader);
  for (uint32_t i = 0; i < scales.count; i++) {
    scale[i] = mn_flat_item_f32(flat, scales, i);
    if (!isfinite(scale[i]) || scale[i] <= 0)
      return mn_flat_fail(flat, MN_ERR_FORMAT, scales.at + 4 * (size_t)i,
                          "scale %u is %g; expected a positive number", i, (double)scale[i]);
  }
  tensor->quantization.count = (int32_t)scales.count;
  tensor->quantization.scale = scale;
  return MN_OK;
}

/* None means 0; a single one stands for all channels, as TFLM reads it. */
static mn_status read_zero_points(mn_reader *reader, mn_tensor *tensor, mn_flat_vector points) {
  mn_flat *flat = &reader->flat;
  uint32_t count = (uint32_t)tensor->quantization.count;
  if (points.count > 1 && points.count != count)
    return mn_flat_fail(flat, MN_ERR_FORMAT, points.at, "%u zero points for %u scales",
                        points.count, count);
  int32_t *zero_point = mn_arena_array(reader->arena, count, sizeof *zero_point);
  if (zero_point == NULL) return mn_reader_no_memory(reader);
  int64_t limit = type_limit(tensor->dtype), least = -limit - 1;
  if (tensor->dtype == MN_DTYPE_UINT8) least = 0;
  for (uint32_t i = 0; i < count && points.count > 0; i++) {
    int64_t value = mn_flat_item_i64(flat, points, points.count == 1 ? 0 : i);
    if (value > limit || value < least)
      return mn_flat_fail(flat, MN_ERR_FORMAT, points.at, "zero point %lld does not fit %s",
                          (long long)value, mn_dtype_text(tensor->dtype));
    zero_point[i] = (int32_t)value;
  }
  tensor->quantization.zero_point = zero_point;
  return MN_OK;
}

static mn_status read_quantization(mn_reader *reader, const mn_flat_table *table,
                                   mn_tensor *tensor) {
  mn_flat *flat = &reader->flat;
  mn_flat_table quantization = mn_flat_child(flat, table, MN_TENSOR_QUANTIZATION);
  mn_flat_vector scales = mn_flat_vector_of(flat, &quantization, MN_QUANTIZATION_SCALE, 4);
  mn_flat_vector points = mn_flat_vector_of(flat, &quantization, MN_QUANTIZATION_ZERO_POINT, 8);
  int32_t axis = mn_flat_i32(flat, &quantization, MN_QUANTIZATION_AXIS, 0);
  uint8_t details = mn_flat_u8(flat, &quantization, MN_QUANTIZATION_DETAILS_TYPE, 0);
  if (flat->status != MN_OK) return flat->status;
  if (details != 0)
    return mn_flat_fail(flat, MN_ERR_UNSUPPORTED, quantization.at,
                        "quantization with custom details; expected scales and zero points");
  if (scales.count == 0) return MN_OK;
  MN_TRY(read_scales(reader, tensor, scales));
  MN_TRY(read_zero_points(reader, tensor, points));
  /* TFLM's own person detection names axis 3 of its one-dimensional biases */
  bool bias = tensor->shape.rank == 1 &&
              (tensor->dtype == MN_DTYPE_INT32 || tensor->dtype == MN_DTYPE_INT64);
  if (bias || scales.count == 1) axis = 0;
  tensor->quantization.axis = axis;
  return check_axis(reader, tensor, quantization.at, axis);
}

static mn_status read_tensor(mn_reader *reader, const mn_flat_table *table, mn_tensor *tensor) {
  mn_flat *flat = &reader->flat;
  if (mn_flat_has(flat, table, MN_TENSOR_SPARSITY))
    return mn_flat_fail(flat, MN_ERR_UNSUPPORTED, table->at, "sparse weights; expected dense ones");
  MN_TRY(read_type(reader, table, tensor));
  MN_TRY(read_shape(reader, table, tensor));
  MN_TRY(read_data(reader, table, tensor));
  return read_quantization(reader, table, tensor);
}

mn_status mn_read_tensors(mn_reader *reader, const mn_flat_table *subgraph) {
  mn_flat *flat = &reader->flat;
  mn_flat_enter(flat, "tensors");
  mn_flat_vector tensors = mn_flat_vector_of(flat, subgraph, MN_SUBGRAPH_TENSORS, 4);
  if (flat->status != MN_OK) return flat->status;
  reader->tensors = mn_arena_array(reader->arena, tensors.count, sizeof *reader->tensors);
  if (reader->tensors == NULL) return mn_reader_no_memory(reader);
  reader->tensor_count = (int32_t)tensors.count;
  for (uint32_t i = 0; i < tensors.count; i++) {
    mn_flat_enter(flat, "tensor %u", i);
    mn_flat_table table = mn_flat_item_table(flat, tensors, i);
    const char *name = mn_flat_text(flat, &table, MN_TENSOR_NAME);
    if (flat->status != MN_OK) return flat->status;
    reader->tensors[i].name = name != NULL && name[0] != 0 ? name : NULL;
    mn_flat_enter(flat, "tensor %u \"%.60s\"", i, name != NULL ? name : "");
    MN_TRY(read_tensor(reader, &table, &reader->tensors[i]));
  }
  return MN_OK;
}
