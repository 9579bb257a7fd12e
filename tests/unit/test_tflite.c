/* test_tflite.c - reading and writing .tflite files of our own: what goes in comes out, bytes repeat,
 * sizes are known beforehand, memory may run out anywhere.
 * SPDX-License-Identifier: Apache-2.0 */
#include "micronets/tflite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models.h"
#include "support.h"

static mn_arena *new_arena(void) {
  mn_arena *arena = NULL;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  return arena;
}

static mn_buffer written(const mn_model *model) {
  mn_buffer out = {0};
  mn_sink sink = mn_buffer_sink(&out);
  mn_error error = {{0}};
  assert_ok(mn_tflite_write(&sink, model, &error), &error);
  return out;
}

static mn_model read_back(mn_arena *arena, const mn_buffer *file) {
  mn_model model;
  mn_error error = {{0}};
  assert_ok(mn_tflite_read(&model, arena, (mn_bytes){file->data, file->size}, &error), &error);
  return model;
}

static void assert_same_tensor(const mn_tensor *a, const mn_tensor *b) {
  assert_string_equal(a->name, b->name);
  assert_int_equal(a->dtype, b->dtype);
  assert_true(mn_shape_equal(&a->shape, &b->shape));
  assert_int_equal(a->constant, b->constant);
  assert_int_equal(a->variable, b->variable);
  assert_int_equal(a->quantization.count, b->quantization.count);
  assert_int_equal(a->quantization.axis, b->quantization.axis);
  size_t count = (size_t)a->quantization.count;
  if (count > 0)
    assert_memory_equal(a->quantization.scale, b->quantization.scale, count * sizeof(float));
  if (count > 0)
    assert_memory_equal(a->quantization.zero_point, b->quantization.zero_point,
                        count * sizeof(int32_t));
  assert_int_equal(a->data_bytes, b->data_bytes);
  if (a->constant) assert_memory_equal(a->data, b->data, a->data_bytes);
}

static void assert_same_op(const mn_op *a, const mn_op *b, int32_t index) {
  assert_int_equal(a->kind, b->kind);
  assert_string_equal(a->name, b->name);
  assert_int_equal(b->origin, index);
  assert_int_equal(a->inputs, b->inputs);
  assert_memory_equal(a->input, b->input, sizeof a->input);
  assert_int_equal(a->output, b->output);
  assert_int_equal(a->activation, b->activation);
  assert_memory_equal(&a->window, &b->window, sizeof a->window);
  assert_int_equal(a->keep_dims, b->keep_dims);
  assert_int_equal(a->rank, b->rank);
  assert_float_equal(a->beta, b->beta, 0);
}

static void a_model_should_come_back_as_it_was(void **state) {
  (void)state;
  for (int32_t i = 0; i < MODEL_COUNT; i++) {
    mn_arena *arena = new_arena();
    const mn_graph *graph = model_make(arena, i, NULL);
    mn_buffer file = written(&(mn_model){.graph = graph});
    const mn_graph *again = read_back(arena, &file).graph;
    assert_true(again->frozen);
    assert_int_equal(graph->tensor_count, again->tensor_count);
    for (int32_t t = 0; t < graph->tensor_count; t++)
      assert_same_tensor(&graph->tensors[t], &again->tensors[t]);
    assert_int_equal(graph->op_count, again->op_count);
    for (int32_t o = 0; o < graph->op_count; o++) assert_same_op(&graph->ops[o], &again->ops[o], o);
    assert_int_equal(graph->input_count, again->input_count);
    assert_memory_equal(graph->inputs, again->inputs,
                        (size_t)graph->input_count * sizeof *graph->inputs);
    assert_int_equal(graph->output_count, again->output_count);
    assert_memory_equal(graph->outputs, again->outputs,
                        (size_t)graph->output_count * sizeof *graph->outputs);
    mn_buffer_free(&file);
    mn_arena_destroy(arena);
  }
}

static void writing_twice_should_give_the_same_bytes(void **state) {
  (void)state;
  for (int32_t i = 0; i < MODEL_COUNT; i++) {
    mn_arena *arena = new_arena();
    mn_buffer first = written(&(mn_model){.graph = model_make(arena, i, NULL)});
    mn_model again = read_back(arena, &first);
    mn_buffer second = written(&again);
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.data, second.data, first.size);
    mn_buffer_free(&first);
    mn_buffer_free(&second);
    mn_arena_destroy(arena);
  }
}

static void size_should_be_exact_before_anything_is_learnt(void **state) {
  (void)state;
  static const char *const labels[] = {"a", "b", "c", "d", "e"};
  mn_error error = {{0}};
  for (int32_t i = 0; i < MODEL_COUNT; i++) {
    mn_arena *arena = new_arena();
    const mn_graph *bare = NULL;
    mn_model model = {
        .graph = model_make(arena, i, &bare), .labels = labels, .label_count = i == 0 ? 5 : 0};
    model.has_threshold = i == 0;
    mn_buffer file = written(&model);
    size_t frozen_size = 0, bare_size = 0;
    assert_ok(mn_tflite_size(&frozen_size, &model, &error), &error);
    model.graph = bare;
    model.threshold = 0.123456789f;
    assert_ok(mn_tflite_size(&bare_size, &model, &error), &error);
    assert_int_equal(frozen_size, file.size);
    assert_int_equal(bare_size, file.size);
    mn_buffer_free(&file);
    mn_arena_destroy(arena);
  }
}

static void constants_should_be_16_byte_aligned(void **state) {
  (void)state;
  for (int32_t i = 0; i < MODEL_COUNT; i++) {
    mn_arena *arena = new_arena();
    mn_buffer file = written(&(mn_model){.graph = model_make(arena, i, NULL)});
    const uint8_t *start =
        mn_arena_copy(arena, file.data, file.size); /* arenas are 16-byte aligned */
    mn_model model;
    mn_error error = {{0}};
    assert_ok(mn_tflite_read(&model, arena, (mn_bytes){start, file.size}, &error), &error);
    for (int32_t t = 0; t < model.graph->tensor_count; t++) {
      const mn_tensor *tensor = &model.graph->tensors[t];
      if (tensor->constant) assert_int_equal(((const uint8_t *)tensor->data - start) % 16, 0);
    }
    mn_buffer_free(&file);
    mn_arena_destroy(arena);
  }
}

/* ---- Metadata ------------------------------------------------------------------------------*/
static void metadata_should_survive_byte_for_byte(void **state) {
  (void)state;
  static const char *const labels[] = {"yes", "no", "turn left", "_silence_", "\xc3\xbc"};
  static const uint8_t foreign[] = {0, 1, 2, 0, 255};
  const mn_metadata entries[] = {{"CONVERSION_METADATA", {foreign, sizeof foreign}},
                                 {"", {NULL, 0}}};
  mn_arena *arena = new_arena();
  mn_model model = {.graph = model_make(arena, 0, NULL),
                    .labels = labels,
                    .label_count = 5,
                    .has_threshold = true,
                    .threshold = 0.99609375f,
                    .description = "MLIR Converted.",
                    .trained_on = "synthetic speech",
                    .metadata = entries,
                    .metadata_count = 2};
  mn_buffer file = written(&model);
  mn_model again = read_back(arena, &file);
  assert_int_equal(again.label_count, 5);
  for (int32_t i = 0; i < 5; i++) assert_string_equal(again.labels[i], labels[i]);
  assert_true(again.has_threshold);
  assert_float_equal(again.threshold, 0.99609375f, 0);
  assert_string_equal(again.description, "MLIR Converted.");
  assert_string_equal(again.trained_on, "synthetic speech");
  assert_int_equal(again.metadata_count, 2);
  assert_string_equal(again.metadata[0].name, "CONVERSION_METADATA");
  assert_int_equal(again.metadata[0].data.size, sizeof foreign);
  assert_memory_equal(again.metadata[0].data.data, foreign, sizeof foreign);
  mn_buffer_free(&file);
  mn_arena_destroy(arena);
}

static void a_threshold_should_take_the_same_room_whatever_its_value(void **state) {
  (void)state;
  mn_arena *arena = new_arena();
  mn_model model = {.graph = model_make(arena, 4, NULL), .has_threshold = true};
  const float values[] = {0, 1, 0.5f, 0.33333334f, 1e-9f};
  size_t first = 0;
  for (size_t i = 0; i < MN_COUNT(values); i++) {
    model.threshold = values[i];
    mn_buffer file = written(&model);
    if (i == 0) first = file.size;
    assert_int_equal(file.size, first);
    assert_float_equal(read_back(arena, &file).threshold, values[i], 1e-9);
    mn_buffer_free(&file);
  }
  mn_arena_destroy(arena);
}

static void labels_of_two_lines_should_be_refused(void **state) {
  (void)state;
  const char *const labels[] = {"a\nb", "b", "c", "d", "e"};
  mn_arena *arena = new_arena();
  mn_model model = {.graph = model_make(arena, 0, NULL), .labels = labels, .label_count = 5};
  mn_buffer out = {0};
  mn_sink sink = mn_buffer_sink(&out);
  mn_error error = {{0}};
  assert_int_equal(mn_tflite_write(&sink, &model, &error), MN_ERR_ARGUMENT);
  assert_non_null(strstr(error.text, "more than one line"));
  assert_int_equal(out.size, 0);
  mn_arena_destroy(arena);
}

/* ---- Trouble -------------------------------------------------------------------------------*/
static mn_status refuse_to_write(void *context, const void *data, size_t size) {
  (void)context, (void)data, (void)size;
  return MN_ERR_IO;
}

static void a_full_disk_should_be_reported(void **state) {
  (void)state;
  mn_arena *arena = new_arena();
  const mn_model model = {.graph = model_make(arena, 0, NULL)};
  const mn_sink sink = {refuse_to_write, NULL};
  mn_error error = {{0}};
  assert_int_equal(mn_tflite_write(&sink, &model, &error), MN_ERR_IO);
  assert_non_null(strstr(error.text, "failed"));
  mn_arena_destroy(arena);
}

static void *fail_later(void *context, void *memory, size_t size) {
  int *left = context;
  if (size == 0) {
    free(memory);
    return NULL;
  }
  return (*left)-- > 0 ? realloc(memory, size) : NULL;
}

/* Fails the n-th allocation of reading and writing, for n = 0, 1, ... until all goes well. */
static mn_status read_and_write(const mn_buffer *file) {
  mn_arena *arena = NULL;
  mn_model model;
  size_t size = 0;
  mn_buffer out = {0};
  mn_sink sink = mn_buffer_sink(&out);
  mn_error error = {{0}};
  mn_status status = mn_arena_create(&arena);
  if (status == MN_OK)
    status = mn_tflite_read(&model, arena, (mn_bytes){file->data, file->size}, &error);
  if (status == MN_OK) status = mn_tflite_size(&size, &model, &error);
  if (status == MN_OK) status = mn_tflite_write(&sink, &model, &error);
  mn_buffer_free(&out);
  mn_arena_destroy(arena);
  return status;
}

static void running_out_of_memory_should_be_reported_wherever_it_happens(void **state) {
  (void)state;
  static const char *const labels[] = {"a", "b", "c", "d", "e"};
  mn_arena *arena = new_arena();
  mn_buffer file =
      written(&(mn_model){.graph = model_make(arena, 0, NULL), .labels = labels, .label_count = 5});
  int failures = 0;
  for (;; failures++) {
    int left = failures;
    mn_heap_set(&(mn_heap){fail_later, &left});
    mn_status status = read_and_write(&file);
    mn_heap_set(NULL);
    if (status == MN_OK) break;
    assert_int_equal(status, MN_ERR_MEMORY);
    assert_true(failures < 200);
  }
  assert_true(failures > 5);
  mn_buffer_free(&file);
  mn_arena_destroy(arena);
}

/* ---- Models of others ----------------------------------------------------------------------*/
static void golden_models_should_be_a_fixpoint_of_reading_and_writing(void **state) {
  (void)state;
  static const char *const files[] = {"kws_micronet_s/kws_micronet_s.tflite",
                                      "vww2_50_50_INT8/vww2_50_50_INT8.tflite",
                                      "ds_cnn_s_quantized_int16/ds_cnn_s_quantized_int16.tflite",
                                      "tflm_keyword_scrambled/tflm_keyword_scrambled.tflite",
                                      "tflm_person_detect/tflm_person_detect.tflite",
                                      "int4/int4_kws_ref_cdf/int4_kws_ref_cdf.tflite"};
  if (test_shared("golden") == NULL) skip();
  for (size_t i = 0; i < MN_COUNT(files); i++) {
    mn_arena *arena = new_arena();
    mn_bytes file =
        test_read(arena, mn_arena_text(arena, "%s/%s", test_shared("golden"), files[i]));
    mn_model model;
    mn_error error = {{0}};
    assert_ok(mn_tflite_read(&model, arena, file, &error), &error);
    mn_buffer first = written(&model);
    mn_model again = read_back(arena, &first);
    mn_buffer second = written(&again);
    assert_true(first.size < file.size);
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.data, second.data, first.size);
    mn_buffer_free(&first);
    mn_buffer_free(&second);
    mn_arena_destroy(arena);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_model_should_come_back_as_it_was),
      cmocka_unit_test(writing_twice_should_give_the_same_bytes),
      cmocka_unit_test(size_should_be_exact_before_anything_is_learnt),
      cmocka_unit_test(constants_should_be_16_byte_aligned),
      cmocka_unit_test(metadata_should_survive_byte_for_byte),
      cmocka_unit_test(a_threshold_should_take_the_same_room_whatever_its_value),
      cmocka_unit_test(labels_of_two_lines_should_be_refused),
      cmocka_unit_test(a_full_disk_should_be_reported),
      cmocka_unit_test(running_out_of_memory_should_be_reported_wherever_it_happens),
      cmocka_unit_test(golden_models_should_be_a_fixpoint_of_reading_and_writing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
