/* train_support.h - small bare graphs and made-up batches for the tests of the trainer.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TEST_TRAIN_SUPPORT_H
#define MN_TEST_TRAIN_SUPPORT_H

#include <math.h>
#include <string.h>

#include "micronets/train.h"
#include "support.h"
#include "train/engine.h"

/* A graph under construction: `at` is the tensor that the next layer reads. */
typedef struct sketch {
  mn_arena *arena;
  mn_builder *builder;
  mn_tensor_id input, at;
  int32_t layers;
} sketch;

static mn_tensor_id sketch_tensor(sketch *s, mn_dtype dtype, bool constant, mn_shape shape,
                                  const void *data) {
  mn_error error = {{0}};
  mn_tensor_id id;
  const mn_tensor tensor = {.name = mn_arena_text(s->arena, "t%d", s->layers++),
                            .dtype = dtype,
                            .shape = shape,
                            .constant = constant,
                            .data = data,
                            .data_bytes = data != NULL ? (size_t)mn_shape_elements(&shape) * 4 : 0};
  assert_ok(mn_builder_tensor(s->builder, &id, &tensor, &error), &error);
  return id;
}

static inline sketch sketch_begin(int32_t h, int32_t w, int32_t c) {
  sketch s = {0};
  assert_int_equal(mn_arena_create(&s.arena), MN_OK);
  assert_int_equal(mn_builder_create(&s.builder, s.arena), MN_OK);
  s.input = s.at = sketch_tensor(&s, MN_DTYPE_INT8, false, (mn_shape){4, {1, h, w, c}}, NULL);
  return s;
}

static mn_tensor_id sketch_add(sketch *s, mn_op op) {
  mn_error error = {{0}};
  op.line = s->layers;
  op.origin = op.decision = -1;
  if (op.name == NULL) op.name = mn_arena_text(s->arena, "op%d", s->layers);
  assert_ok(mn_builder_add(s->builder, &s->at, &op, MN_DTYPE_COUNT, &error), &error);
  return s->at;
}

typedef struct layer {
  int32_t channels, kernel_h, kernel_w, stride_h, stride_w;
  mn_activation activation;
  bool no_norm, valid;
  int32_t dilation, multiplier;
  const char *name;
} layer;

static mn_op sketch_window(sketch *s, mn_op_kind kind, layer l) {
  return (mn_op){.kind = kind,
                 .name = l.name,
                 .inputs = 1,
                 .input = {s->at, -1, -1, -1, -1},
                 .activation = l.activation,
                 .batch_norm = !l.no_norm,
                 .window = {l.kernel_h, l.kernel_w, l.stride_h, l.stride_w, l.dilation, l.dilation,
                            l.multiplier, l.valid ? MN_PADDING_VALID : MN_PADDING_SAME}};
}

static inline mn_tensor_id sketch_conv(sketch *s, int32_t inputs, layer l) {
  mn_op op = sketch_window(s, MN_OP_CONV_2D, l);
  op.inputs = 3;
  op.input[1] = sketch_tensor(s, MN_DTYPE_INT8, true,
                              (mn_shape){4, {l.channels, l.kernel_h, l.kernel_w, inputs}}, NULL);
  op.input[2] = sketch_tensor(s, MN_DTYPE_INT32, true, (mn_shape){1, {l.channels}}, NULL);
  return sketch_add(s, op);
}

static inline mn_tensor_id sketch_depthwise(sketch *s, layer l) {
  mn_op op = sketch_window(s, MN_OP_DEPTHWISE_CONV_2D, l);
  op.inputs = 3;
  op.input[1] = sketch_tensor(s, MN_DTYPE_INT8, true,
                              (mn_shape){4, {1, l.kernel_h, l.kernel_w, l.channels}}, NULL);
  op.input[2] = sketch_tensor(s, MN_DTYPE_INT32, true, (mn_shape){1, {l.channels}}, NULL);
  return sketch_add(s, op);
}

static inline mn_tensor_id sketch_dense(sketch *s, int32_t inputs, layer l) {
  mn_op op = {.kind = MN_OP_FULLY_CONNECTED,
              .name = l.name,
              .inputs = 3,
              .activation = l.activation,
              .batch_norm = !l.no_norm,
              .input = {s->at, 0, 0, -1, -1}};
  op.input[1] = sketch_tensor(s, MN_DTYPE_INT8, true, (mn_shape){2, {l.channels, inputs}}, NULL);
  op.input[2] = sketch_tensor(s, MN_DTYPE_INT32, true, (mn_shape){1, {l.channels}}, NULL);
  return sketch_add(s, op);
}

static inline mn_tensor_id sketch_pool(sketch *s, mn_op_kind kind, layer l) {
  l.no_norm = true;
  return sketch_add(s, sketch_window(s, kind, l));
}

static inline mn_tensor_id sketch_join(sketch *s, mn_op_kind kind, mn_tensor_id a, mn_tensor_id b) {
  return sketch_add(s, (mn_op){.kind = kind, .inputs = 2, .input = {a, b, -1, -1, -1}});
}

static inline mn_tensor_id sketch_pad(sketch *s, const int32_t paddings[8]) {
  const void *data = mn_arena_copy(s->arena, paddings, 8 * sizeof *paddings);
  const mn_tensor_id pads = sketch_tensor(s, MN_DTYPE_INT32, true, (mn_shape){2, {4, 2}}, data);
  return sketch_add(s, (mn_op){.kind = MN_OP_PAD, .inputs = 2, .input = {s->at, pads, -1, -1, -1}});
}

static inline mn_tensor_id sketch_reshape(sketch *s, mn_shape shape) {
  const void *data = mn_arena_copy(s->arena, shape.dim, sizeof shape.dim);
  const mn_tensor_id to = sketch_tensor(s, MN_DTYPE_INT32, true, (mn_shape){1, {shape.rank}}, data);
  return sketch_add(s,
                    (mn_op){.kind = MN_OP_RESHAPE, .inputs = 2, .input = {s->at, to, -1, -1, -1}});
}

static inline const mn_graph *sketch_finish(sketch *s) {
  mn_error error = {{0}};
  const mn_graph *graph = NULL;
  assert_ok(mn_builder_finish(&graph, s->builder, &s->input, 1, &s->at, 1, &error), &error);
  return graph;
}

/* DS-CNN: stem 10x4, blocks of depthwise 3x3 and 1x1, pool, classifier. */
static inline const mn_graph *sketch_ds_cnn(sketch *s, int32_t width, int32_t blocks,
                                            int32_t stem_w, int32_t stride, int32_t classes) {
  *s = sketch_begin(49, 10, 1);
  const mn_activation relu = MN_ACTIVATION_RELU;
  sketch_conv(s, 1, (layer){width, 10, 4, 2, stem_w, relu, .name = "stem"});
  int32_t h = 25, w = stem_w == 2 ? 5 : 10;
  for (int32_t i = 0; i < blocks; i++) {
    const int32_t step = i == 0 ? stride : 1;
    sketch_depthwise(s, (layer){width, 3, 3, step, step, relu,
                                .name = mn_arena_text(s->arena, "ds%d.depthwise", i)});
    sketch_conv(s, width,
                (layer){width, 1, 1, 1, 1, relu, .name = mn_arena_text(s->arena, "ds%d.conv", i)});
    h = (h - 1) / step + 1, w = (w - 1) / step + 1;
  }
  sketch_pool(s, MN_OP_AVERAGE_POOL_2D, (layer){0, h, w, 1, 1, .valid = true});
  sketch_conv(s, width, (layer){classes, 1, 1, 1, 1, .no_norm = true, .name = "classifier"});
  sketch_reshape(s, (mn_shape){2, {1, classes}});
  return sketch_finish(s);
}

/* Normal features, one class per item that shifts some of them. */
typedef struct toy {
  mn_batch batch;
  float *x, *target;
  int32_t *label;
} toy;

static inline toy toy_make(mn_arena *arena, int32_t items, int64_t features, int32_t classes,
                           uint64_t seed) {
  toy t = {0};
  mn_rng rng = mn_rng_seed(seed);
  t.x = mn_arena_array(arena, (size_t)(items * features), sizeof *t.x);
  t.target = mn_arena_array(arena, (size_t)(items * classes), sizeof *t.target);
  t.label = mn_arena_array(arena, (size_t)items, sizeof *t.label);
  for (int32_t i = 0; i < items; i++) {
    t.label[i] = (int32_t)mn_rng_below(&rng, (uint32_t)classes);
    t.target[i * classes + t.label[i]] = 1.0f;
    for (int64_t f = 0; f < features; f++)
      t.x[i * features + f] =
          (float)mn_rng_normal(&rng) + (f % classes == t.label[i] ? 1.5f : 0.0f);
  }
  t.batch = (mn_batch){
      .items = items, .classes = classes, .x = t.x, .target = t.target, .label = t.label};
  return t;
}

#endif
