/* test_tflm_memory.c - TFLite Micro's arena, to the byte: what was recorded on the emulated Cortex-M4
 * with CMSIS-NN for every golden model, and a case small enough to work out by hand.
 * SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "micronets/plan.h"
#include "micronets/tflite.h"
#include "plan/tflm_memory.h"
#include "models.h"
#include "support.h"

static mn_tflm_memory memory_of(mn_arena *arena, const mn_graph *graph) {
  mn_tflm_memory memory = {0};
  mn_error error = {{0}};
  assert_ok(mn_tflm_memory_of(&memory, arena, graph, &error), &error);
  return memory;
}

static void a_small_network_should_need_what_one_counts_by_hand(void **state) {
  (void)state;
  mn_arena *arena = NULL;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  model m = model_begin(arena, 1, MN_DTYPE_INT8, MN_DTYPE_INT8);
  mn_tensor_id x = model_input(&m, "x", (mn_shape){2, {1, 100}});
  mn_tensor_id a = model_fully_connected(&m, "a", x, 40, true, MN_ACTIVATION_RELU);
  mn_tensor_id b = model_fully_connected(&m, "b", a, 100, true, MN_ACTIVATION_RELU);
  const mn_graph *graph = model_finish(&m, &x, 1, &b, 1);
  mn_tflm_memory memory = memory_of(arena, graph);
  assert_int_equal(memory.head, 112 + 48); /* x and b take turns, a stands above them */
  /* base, 7 tensors, 2 nodes, 2 options to 10; data at multiples of 16; both ends */
  assert_int_equal(memory.tail, 288 + 80 + 80 + 16 + 52 + 12 + 52);
  assert_int_equal(memory.arena, memory.head + memory.tail);
  mn_tflm_memory frozen = memory_of(arena, model_freeze(&m, graph));
  assert_int_equal(frozen.arena, memory.arena);
  mn_arena_destroy(arena);
}

static void the_price_of_a_bare_graph_should_be_the_size_of_the_file_to_come(void **state) {
  (void)state;
  static const char *const labels[] = {"yes", "no", "up", "down", "unknown"};
  const mn_file_words words = {labels, 5, "micronets 1.2.3", "speech of nobody"};
  mn_arena *arena = NULL;
  mn_price price;
  mn_buffer file = {0};
  mn_sink sink = mn_buffer_sink(&file);
  mn_error error = {{0}};
  const mn_graph *bare = NULL;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  mn_model made = {.graph = model_make(arena, 0, &bare),
                   .labels = labels,
                   .label_count = 5,
                   .has_threshold = true,
                   .threshold = 0.625f,
                   .description = words.description,
                   .trained_on = words.trained_on};
  const mn_plan_options options = {.words = &words};
  assert_ok(mn_tflite_write(&sink, &made, &error), &error);
  assert_ok(mn_price_graph(&price, arena, bare, NULL, NULL, MN_RUNTIME_TFLM, &options, &error),
            &error);
  assert_int_equal(price.tflm.model_bytes, file.size);
  assert_int_equal(price.flash.total - price.flash.code, file.size);
  mn_buffer_free(&file);
  mn_arena_destroy(arena);
}

static mn_arena *arena_with_model(const char *folder, json_t *entry, const char *name,
                                  mn_model *model) {
  mn_arena *arena = NULL;
  mn_error error = {{0}};
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  const char *file = json_string_value(json_object_get(entry, "tflite"));
  const char *path = mn_arena_text(arena, "%s/%s/%s", folder,
                                   json_string_value(json_object_get(entry, "dir")), file);
  if (!mn_file_exists(path)) path = mn_arena_text(arena, "%s/int4/%s/%s", folder, name, file);
  assert_ok(mn_tflite_read(model, arena, test_read(arena, path), &error), &error);
  return arena;
}

static void every_golden_model_should_need_what_was_recorded(void **state) {
  (void)state;
  if (test_shared("golden") == NULL) skip();
  const char *folder = test_shared("golden");
  json_t *index = json_load_file(test_shared("golden/index.json"), 0, NULL);
  assert_non_null(index);
  const char *name;
  json_t *entry;
  int count = 0, sizes = 0;
  json_object_foreach(json_object_get(index, "models"), name, entry) {
    mn_model model;
    mn_arena *arena = arena_with_model(folder, entry, name, &model);
    mn_tflm_memory memory = memory_of(arena, model.graph);
    json_t *results = json_object_get(entry, "results");
    json_int_t head = json_integer_value(json_object_get(results, "head_m4_cmsis"));
    json_int_t tail = json_integer_value(json_object_get(results, "tail_m4_cmsis"));
    if (memory.head != head || memory.tail != tail)
      fail_msg("%s: head %lld, tail %lld; recorded %lld, %lld", name, (long long)memory.head,
               (long long)memory.tail, (long long)head, (long long)tail);
    json_t *code = json_object_get(results, "codero_m4_cmsis_typed");
    bool int8 = json_is_integer(code) && strcmp(name, "ds_cnn_s_quantized_int16") != 0;
    if (int8) assert_int_equal(mn_tflm_code_bytes(model.graph), json_integer_value(code));
    sizes += int8;
    mn_arena_destroy(arena);
    count++;
  }
  assert_int_equal(count, 24);
  assert_int_equal(sizes, 17);
  json_decref(index);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_small_network_should_need_what_one_counts_by_hand),
      cmocka_unit_test(the_price_of_a_bare_graph_should_be_the_size_of_the_file_to_come),
      cmocka_unit_test(every_golden_model_should_need_what_was_recorded),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
