/* The golden models against TFLM: every vector, every tensor by CRC32, in every kernel family and both
 * with and without shared memory; models with state also as a sequence.
 * SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "micronets/exec.h"
#include "micronets/tflite.h"
#include "support.h"

/* Folder under golden/, and the model's name in it. */
static const char *const models[] = {
    "tflm_hello_world_int8",
    "mlcommons_ad01_int8",
    "tflm_micro_speech_quantized",
    "mlcommons_str_ww_ref_model",
    "ds_cnn_s_quantized",
    "mlcommons_kws_ref_model",
    "vww2_50_50_INT8",
    "tflm_person_detect",
    "mlcommons_vww_96_int8",
    "kws_micronet_s",
    "mlcommons_pretrainedResnet_quant",
    "kws_micronet_m",
    "ad_small_int8",
    "vww3_128_128_INT8",
    "ds_cnn_l_quantized",
    "ad_medium_int8_7c32b09",
    "ds_cnn_s_quantized_int16",
    "tflm_keyword_scrambled",
    "int4/int4_ad01_f",
    "int4/int4_kws_ref_cdf",
    "int4/int4_kws_micronet_s_c",
    "int4/int4_kws_micronet_s_cd",
    "int4/int4_kws_micronet_m_cd",
    "int4/int4_vww2_c",
};

static const char *name_of(const char *model) {
  const char *slash = strrchr(model, '/');
  return slash != NULL ? slash + 1 : model;
}

/* CRC of every op's output, gathered row by row. */
typedef struct gathered {
  uint32_t crc[256];
} gathered;

static void gather(void *context, int32_t op, int32_t first_row, int32_t rows, const void *data,
                   size_t bytes) {
  gathered *g = context;
  (void)rows;
  assert_true(op < 256);
  g->crc[op] = mn_crc32(first_row == 0 ? 0 : g->crc[op], data, bytes);
}

static int compare(const json_t *expected, const gathered *got, const char *model, int vector) {
  int mismatches = 0;
  for (size_t op = 0; op < json_array_size(expected); op++) {
    uint32_t want = (uint32_t)strtoul(json_string_value(json_array_get(expected, op)), NULL, 16);
    if (want == got->crc[op]) continue;
    printf("%s vector %d op %zu: %08x, expected %08x\n", model, vector, op, got->crc[op], want);
    mismatches++;
  }
  return mismatches;
}

typedef struct tally {
  int tensors, mismatches;
} tally;

static tally run_vectors(mn_arena *arena, const mn_plan *plan, const json_t *vectors,
                         const char *model) {
  tally t = {0, 0};
  mn_error error = {{0}};
  mn_exec *exec = NULL;
  assert_ok(mn_exec_create(&exec, plan, &error), &error);
  for (size_t v = 0; v < json_array_size(vectors); v++) {
    const json_t *vector = json_array_get(vectors, v);
    int k = (int)json_integer_value(json_object_get(vector, "k"));
    char name[128];
    snprintf(name, sizeof name, "golden/%s/in%02d.bin", model, k);
    mn_bytes input = test_read(arena, test_shared(name));
    memcpy(mn_exec_input(exec, 0), input.data, input.size);
    mn_exec_reset(exec);
    gathered got = {{0}};
    mn_exec_run(exec, &(mn_watch){gather, &got});
    const json_t *expected = json_object_get(vector, "crc32");
    t.tensors += (int)json_array_size(expected);
    t.mismatches += compare(expected, &got, model, k);
  }
  mn_exec_destroy(exec);
  return t;
}

static void every_tensor_of_the_golden_models_should_match(const char *family,
                                                           mn_plan_options options) {
  tally all = {0, 0};
  for (size_t m = 0; m < MN_COUNT(models); m++) {
    mn_arena *arena = NULL;
    mn_error error = {{0}};
    assert_int_equal(mn_arena_create(&arena), MN_OK);
    char name[128];
    snprintf(name, sizeof name, "golden/%s/%s.tflite", models[m], name_of(models[m]));
    mn_model model;
    assert_ok(mn_tflite_read(&model, arena, test_read(arena, test_shared(name)), &error), &error);
    snprintf(name, sizeof name, "golden/%s/tensors.json", models[m]);
    json_t *golden = json_load_file(test_shared(name), 0, NULL);
    assert_non_null(golden);

    const mn_plan *plan = NULL;
    options.kernels = family;
    assert_ok(mn_plan_make(&plan, arena, model.graph, NULL, &options, &error), &error);
    tally t = run_vectors(arena, plan, json_object_get(golden, "vectors"), models[m]);
    all.tensors += t.tensors;
    all.mismatches += t.mismatches;
    json_decref(golden);
    mn_arena_destroy(arena);
  }
  printf("%s%s%s: %d tensors compared, %d mismatches\n", family,
         options.keep_all ? ", all kept" : "", options.min_sram ? ", least memory" : "",
         all.tensors, all.mismatches);
  assert_true(all.tensors > 3000);
  assert_int_equal(all.mismatches, 0);
}

static void reference_kernels_should_match_every_tensor_of_tflm(void **state) {
  (void)state;
  every_tensor_of_the_golden_models_should_match("ref", (mn_plan_options){0});
}

static void host_kernels_should_match_every_tensor_of_tflm(void **state) {
  (void)state;
  every_tensor_of_the_golden_models_should_match("host", (mn_plan_options){0});
}

static void plain_kernels_should_match_every_tensor_of_tflm(void **state) {
  (void)state;
  every_tensor_of_the_golden_models_should_match("plain", (mn_plan_options){0});
}

static void m0_kernels_should_match_every_tensor_of_tflm(void **state) {
  (void)state;
  every_tensor_of_the_golden_models_should_match("m0", (mn_plan_options){0});
}

static void narrower_host_kernels_should_match_every_tensor_of_tflm(void **state) {
  (void)state;
  every_tensor_of_the_golden_models_should_match("avx2", (mn_plan_options){0});
}

static void dsp_kernels_should_match_every_tensor_of_tflm(void **state) {
  (void)state;
  every_tensor_of_the_golden_models_should_match("dsp", (mn_plan_options){0});
}

static void host_kernels_should_match_with_every_tensor_kept(void **state) {
  (void)state;
  every_tensor_of_the_golden_models_should_match("host", (mn_plan_options){.keep_all = true});
}

static void host_kernels_should_match_row_by_row_in_the_least_memory(void **state) {
  (void)state;
  every_tensor_of_the_golden_models_should_match("host", (mn_plan_options){.min_sram = true});
}

/* seqNN.bin: outputs where the state stays from one input to the next. */
static void state_should_be_kept_from_run_to_run(void **state) {
  (void)state;
  static const char folder[] = "golden/tflm_keyword_scrambled";
  mn_arena *arena = NULL;
  mn_error error = {{0}};
  mn_exec *exec = NULL;
  const mn_plan *plan = NULL;
  mn_model model;
  char name[128];
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  snprintf(name, sizeof name, "%s/tflm_keyword_scrambled.tflite", folder);
  assert_ok(mn_tflite_read(&model, arena, test_read(arena, test_shared(name)), &error), &error);
  assert_ok(mn_plan_make(&plan, arena, model.graph, NULL, NULL, &error), &error);
  assert_ok(mn_exec_create(&exec, plan, &error), &error);
  for (int k = 0; k < 4; k++) {
    snprintf(name, sizeof name, "%s/in%02d.bin", folder, k);
    mn_bytes input = test_read(arena, test_shared(name));
    snprintf(name, sizeof name, "%s/seq%02d.bin", folder, k);
    mn_bytes expected = test_read(arena, test_shared(name));
    memcpy(mn_exec_input(exec, 0), input.data, input.size);
    mn_exec_run(exec, NULL);
    assert_memory_equal(mn_exec_output(exec, 0), expected.data, expected.size);
  }
  mn_exec_destroy(exec);
  mn_arena_destroy(arena);
}

int main(void) {
  test_need_shared();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reference_kernels_should_match_every_tensor_of_tflm),
      cmocka_unit_test(host_kernels_should_match_every_tensor_of_tflm),
      cmocka_unit_test(plain_kernels_should_match_every_tensor_of_tflm),
      cmocka_unit_test(m0_kernels_should_match_every_tensor_of_tflm),
      cmocka_unit_test(narrower_host_kernels_should_match_every_tensor_of_tflm),
      cmocka_unit_test(dsp_kernels_should_match_every_tensor_of_tflm),
      cmocka_unit_test(host_kernels_should_match_with_every_tensor_kept),
      cmocka_unit_test(state_should_be_kept_from_run_to_run),
      cmocka_unit_test(host_kernels_should_match_row_by_row_in_the_least_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
