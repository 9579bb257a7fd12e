/* models.h - small networks for tests, made here: no file of anybody else is needed. A model is
 * built layer by layer, then frozen with random weights and ranges.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TEST_MODELS_H
#define MN_TEST_MODELS_H

#include "micronets/graph.h"
#include "support.h"

typedef struct model {
  mn_arena *arena;
  mn_builder *builder;
  mn_rng rng;
  mn_dtype values, weights; /* of activations and of weights */
} model;

model model_begin(mn_arena *arena, uint64_t seed, mn_dtype values, mn_dtype weights);
mn_tensor_id model_input(model *m, const char *name, mn_shape shape);
mn_tensor_id model_conv(model *m, const char *name, mn_tensor_id x, int32_t channels,
                        mn_window window, mn_activation activation);
mn_tensor_id model_depthwise(model *m, const char *name, mn_tensor_id x, mn_window window,
                             mn_activation activation);
mn_tensor_id model_fully_connected(model *m, const char *name, mn_tensor_id x, int32_t channels,
                                   bool bias, mn_activation activation);
mn_tensor_id model_pool(model *m, const char *name, mn_tensor_id x, mn_op_kind kind,
                        mn_window window);
mn_tensor_id model_add(model *m, const char *name, mn_tensor_id a, mn_tensor_id b,
                       mn_activation activation);
mn_tensor_id model_pad(model *m, const char *name, mn_tensor_id x, const int32_t paddings[8]);
mn_tensor_id model_mean(model *m, const char *name, mn_tensor_id x, bool keep_dims);
mn_tensor_id model_reshape(model *m, const char *name, mn_tensor_id x, mn_shape shape,
                           bool as_tensor);
mn_tensor_id model_softmax(model *m, const char *name, mn_tensor_id x);
mn_tensor_id model_quantize(model *m, const char *name, mn_tensor_id x, mn_dtype dtype);
const mn_graph *model_finish(model *m, const mn_tensor_id *inputs, int32_t input_count,
                             const mn_tensor_id *outputs, int32_t output_count);
/* Random weights, biases, scales and ranges. */
const mn_graph *model_freeze(model *m, const mn_graph *bare);

/* Ready-made ones. `bare` may be NULL. */
#define MODEL_COUNT 6
extern const char *const model_names[MODEL_COUNT]; /* conv, residual, int4, int16, dense, svdf */
const mn_graph *model_make(mn_arena *arena, int32_t index, const mn_graph **bare);

#endif
