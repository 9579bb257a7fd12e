/* op_list.c - the tables made from the op list and the data type list of graph.h, and the small
 * facts about shapes and tensors.
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "micronets/graph.h"

static const mn_op_info op_info[MN_OP_COUNT] = {
#define X(name, text, code, version, rule) {text, code, version, MN_SCALE_##rule},
    MN_OP_LIST(X)
#undef X
};

const mn_op_info *mn_op_info_get(mn_op_kind kind) {
  assert((unsigned)kind < MN_OP_COUNT);
  return &op_info[kind];
}

typedef struct dtype_info {
  const char *text;
  int32_t tflite_code, bits;
} dtype_info;

static const dtype_info dtypes[MN_DTYPE_COUNT] = {
#define X(name, text, code, bits) {text, code, bits},
    MN_DTYPE_LIST(X)
#undef X
};

const char *mn_dtype_text(mn_dtype dtype) {
  assert((unsigned)dtype < MN_DTYPE_COUNT);
  return dtypes[dtype].text;
}

int32_t mn_dtype_bits(mn_dtype dtype) {
  assert((unsigned)dtype < MN_DTYPE_COUNT);
  return dtypes[dtype].bits;
}

int32_t mn_dtype_tflite(mn_dtype dtype) {
  assert((unsigned)dtype < MN_DTYPE_COUNT);
  return dtypes[dtype].tflite_code;
}

int64_t mn_shape_elements(const mn_shape *shape) {
  int64_t elements = 1;
  for (int32_t d = 0; d < shape->rank; d++) elements *= shape->dim[d];
  return elements;
}

bool mn_shape_equal(const mn_shape *a, const mn_shape *b) {
  if (a->rank != b->rank) return false;
  for (int32_t d = 0; d < a->rank; d++) {
    if (a->dim[d] != b->dim[d]) return false;
  }
  return true;
}

size_t mn_tensor_bytes(const mn_tensor *tensor) {
  size_t bits = (size_t)mn_shape_elements(&tensor->shape) * (size_t)mn_dtype_bits(tensor->dtype);
  return (bits + 7) / 8;
}
