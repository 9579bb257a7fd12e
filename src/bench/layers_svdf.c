/* layers_svdf.c - see layers.h: SVDF layers, which are not made by freezing.
 * SPDX-License-Identifier: Apache-2.0 */
#include "bench/layers.h"

typedef struct svdf_maker {
  mn_arena *arena;
  mn_builder *builder;
  mn_dtype state; /* and time weights */
  mn_rng rng;
  mn_error *error;
} svdf_maker;

typedef enum tensor_role { VALUES, CONSTANT, STATE } tensor_role;

static mn_status add(svdf_maker *m, mn_tensor_id *id, const char *name, mn_dtype dtype,
                     mn_shape shape, tensor_role role) {
  static const float scale = 0.01f;
  static const int32_t zero_point = 0;
  mn_tensor tensor = {.name = name,
                      .dtype = dtype,
                      .shape = shape,
                      .constant = role == CONSTANT,
                      .variable = role == STATE,
                      .quantization = {1, 0, &scale, &zero_point}};
  size_t bytes = mn_tensor_bytes(&tensor);
  uint8_t *data = role == CONSTANT ? mn_arena_alloc(m->arena, bytes + 1) : NULL;
  if (role == CONSTANT && data == NULL)
    return mn_error_set(m->error, MN_ERR_MEMORY, "out of memory");
  for (size_t i = 0; data != NULL && i < bytes; i++) data[i] = (uint8_t)mn_rng_next(&m->rng);
  tensor.data = data;
  tensor.data_bytes = data != NULL ? bytes : 0;
  return mn_builder_tensor(m->builder, id, &tensor, m->error);
}

static int32_t between(svdf_maker *m, int32_t least, int32_t most) {
  return least + (int32_t)mn_rng_below(&m->rng, (uint32_t)(most - least + 1));
}

/* Of keyword spotters: 8 to 128 values in, 8 to 128 filters of 2 to 16 steps. */
static mn_status add_layer(svdf_maker *m, mn_tensor_id *y, int32_t index) {
  int32_t inputs = 8 * between(m, 1, 16), memory = between(m, 2, 16), rank = between(m, 1, 2);
  int32_t units = 8 * between(m, 1, 8), filters = rank * units;
  mn_op op = {.kind = MN_OP_SVDF,
              .name = mn_arena_text(m->arena, "l%d", index),
              .origin = -1,
              .decision = -1,
              .inputs = 5,
              .rank = rank,
              .activation = MN_ACTIVATION_RELU};
  if (op.name == NULL) return mn_error_set(m->error, MN_ERR_MEMORY, "out of memory");
  MN_TRY(add(m, &op.input[0], "x", MN_DTYPE_INT8, (mn_shape){2, {1, inputs}}, CONSTANT));
  MN_TRY(
      add(m, &op.input[1], "weights", MN_DTYPE_INT8, (mn_shape){2, {filters, inputs}}, CONSTANT));
  MN_TRY(add(m, &op.input[2], "time", m->state, (mn_shape){2, {filters, memory}}, CONSTANT));
  MN_TRY(add(m, &op.input[3], "bias", MN_DTYPE_INT32, (mn_shape){1, {units}}, CONSTANT));
  MN_TRY(add(m, &op.input[4], "state", m->state, (mn_shape){2, {1, filters * memory}}, STATE));
  MN_TRY(add(m, y, "y", MN_DTYPE_INT8, (mn_shape){2, {1, units}}, VALUES));
  op.output = *y;
  return mn_builder_add_checked(m->builder, &op, m->error);
}

static mn_status build(const mn_graph **graph, svdf_maker *m, int32_t count) {
  mn_tensor_id input, y = -1;
  MN_TRY(mn_builder_create(&m->builder, m->arena));
  MN_TRY(add(m, &input, "input", MN_DTYPE_INT8, (mn_shape){2, {1, 16}}, VALUES));
  for (int32_t i = 0; i < count; i++) MN_TRY(add_layer(m, &y, i));
  return mn_builder_finish(graph, m->builder, &input, 1, &y, 1, m->error);
}

mn_status mn_layers_make_svdf(const mn_graph **graph, mn_arena *arena, const mn_kernel_row *row,
                              int32_t count, uint64_t seed, mn_error *error) {
  static const mn_dtype states[] = {MN_DTYPE_INT16, MN_DTYPE_INT8};
  for (size_t i = 0; i < MN_COUNT(states); i++) {
    svdf_maker m = {.arena = arena,
                    .state = states[i],
                    .rng = mn_rng_stream(seed, MN_OP_SVDF, i),
                    .error = error};
    MN_TRY(build(graph, &m, count));
    if (row->refuses(*graph, &(*graph)->ops[0]) == NULL) return MN_OK;
  }
  *graph = NULL;
  return MN_OK;
}
