/* test_tflite_malformed.c - files that are cut short, damaged or hostile: one clear error, and under
 * the address sanitizer no byte outside the file is touched.
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "micronets/tflite.h"
#include "models.h"
#include "support.h"
#include "tflite/schema.h"

/* ---- A file of our own, and a way around in it ------------------------------------------------*/
static mn_buffer model_file(int32_t index) {
  static const char *const labels[] = {"a", "b", "c", "d", "e"};
  mn_arena *arena = NULL;
  mn_error error = {{0}};
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  const mn_model model = {.graph = model_make(arena, index, NULL),
                          .labels = labels,
                          .label_count = index == 0 ? 5 : 0,
                          .description = "description"};
  mn_buffer out = {0};
  mn_sink sink = mn_buffer_sink(&out);
  assert_ok(mn_tflite_write(&sink, &model, &error), &error);
  mn_arena_destroy(arena);
  return out;
}

static uint32_t u32(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

static void set_u32(uint8_t *at, uint32_t value) {
  memcpy(at, &value, sizeof value);
}

static uint8_t *follow(uint8_t *at) {
  return at + u32(at);
}

static uint8_t *field(uint8_t *table, int32_t slot) {
  uint16_t offset;
  const uint8_t *vtable = table - (int32_t)u32(table);
  memcpy(&offset, vtable + 4 + 2 * slot, sizeof offset);
  assert_true(offset != 0);
  return table + offset;
}

static uint8_t *child(uint8_t *table, int32_t slot) {
  return follow(field(table, slot));
}
static uint8_t *item(uint8_t *vector, uint32_t index) {
  return follow(vector + 4 + 4 * index);
}
static uint8_t *subgraph(uint8_t *file) {
  return item(child(follow(file), MN_MODEL_SUBGRAPHS), 0);
}
static uint8_t *tensor(uint8_t *file, uint32_t index) {
  return item(child(subgraph(file), MN_SUBGRAPH_TENSORS), index);
}
static uint8_t *op(uint8_t *file, uint32_t index) {
  return item(child(subgraph(file), MN_SUBGRAPH_OPERATORS), index);
}
static uint8_t *options(uint8_t *file, uint32_t index) {
  return child(op(file, index), MN_OPERATOR_OPTIONS);
}
static uint8_t *code(uint8_t *file, uint32_t index) {
  return item(child(follow(file), MN_MODEL_OPERATOR_CODES), index);
}
static uint8_t *scales(uint8_t *file, uint32_t index, int32_t slot) {
  return child(child(tensor(file, index), MN_TENSOR_QUANTIZATION), slot);
}

/* ---- Reading -------------------------------------------------------------------------------*/
/* Reads a copy that ends where the file ends, so that the sanitizer sees every step beyond. */
static mn_status read_copy(const uint8_t *data, size_t size, mn_error *error) {
  mn_arena *arena = NULL;
  uint8_t *copy = malloc(size > 0 ? size : 1);
  assert_non_null(copy);
  memcpy(copy, data, size);
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  mn_model model;
  mn_status status = mn_tflite_read(&model, arena, (mn_bytes){copy, size}, error);
  if (status == MN_OK) {
    mn_buffer out = {0};
    mn_sink sink = mn_buffer_sink(&out);
    assert_ok(mn_tflite_write(&sink, &model, error), error); /* what reads must write */
    assert_ok(mn_tflite_read(&model, arena, (mn_bytes){out.data, out.size}, error), error);
    mn_buffer_free(&out);
  }
  mn_arena_destroy(arena);
  free(copy);
  return status;
}

static void a_file_cut_short_at_any_length_should_be_refused(void **state) {
  (void)state;
  for (int32_t i = 0; i < MODEL_COUNT; i++) {
    mn_buffer file = model_file(i);
    for (size_t size = 0; size < file.size; size++) {
      mn_error error = {{0}};
      mn_status status = read_copy(file.data, size, &error);
      if (status == MN_OK)
        fail_msg("%s cut to %zu of %zu bytes was read", model_names[i], size, file.size);
      assert_int_equal(status, MN_ERR_FORMAT);
      assert_non_null(strstr(error.text, "offset "));
    }
    mn_buffer_free(&file);
  }
}

static void any_damaged_byte_should_be_read_or_refused_but_never_crash(void **state) {
  (void)state;
  static const uint8_t flips[] = {0x01, 0x80, 0xff, 0x10};
  for (int32_t i = 0; i < MODEL_COUNT; i++) {
    mn_buffer file = model_file(i);
    size_t refused = 0;
    for (size_t at = 0; at < file.size; at++) {
      uint8_t kept = file.data[at];
      for (size_t f = 0; f < MN_COUNT(flips); f++) {
        mn_error error = {{0}};
        file.data[at] = kept ^ flips[f];
        mn_status status = read_copy(file.data, file.size, &error);
        assert_true(status == MN_OK || status == MN_ERR_FORMAT || status == MN_ERR_UNSUPPORTED);
        assert_true(status == MN_OK || error.text[0] != 0);
        refused += status != MN_OK;
      }
      file.data[at] = kept;
    }
    assert_true(refused > file.size / 2);
    mn_buffer_free(&file);
  }
}

/* ---- One fault each ------------------------------------------------------------------------
 * Model "conv": tensors 0 input, 1 conv1.weights, 2 conv1.bias, 3 conv1, ...; ops 0 conv1, 1 and 2 ds2,
 * 3 pool3, 4 flatten4, 5 fc5, 6 softmax6. */
static void wrong_identifier(uint8_t *f) {
  f[4] = 'X';
}
static void root_outside(uint8_t *f) {
  set_u32(f, 0x7fffff00);
}
static void root_unaligned(uint8_t *f) {
  set_u32(f, u32(f) + 2);
}
static void field_list_outside(uint8_t *f) {
  set_u32(follow(f), 0x7fffffff);
}
static void other_schema(uint8_t *f) {
  set_u32(field(follow(f), MN_MODEL_VERSION), 2);
}
static void two_subgraphs(uint8_t *f) {
  set_u32(child(follow(f), MN_MODEL_SUBGRAPHS), 2);
}
static void half_float(uint8_t *f) {
  *field(tensor(f, 1), MN_TENSOR_TYPE) = 1;
}
static void float_input(uint8_t *f) {
  *field(tensor(f, 0), MN_TENSOR_TYPE) = 0;
}
static void uint8_input(uint8_t *f) {
  *field(tensor(f, 0), MN_TENSOR_TYPE) = 3;
}
static void empty_axis(uint8_t *f) {
  set_u32(child(tensor(f, 1), MN_TENSOR_SHAPE) + 4, 0);
}
static void negative_axis(uint8_t *f) {
  set_u32(child(tensor(f, 1), MN_TENSOR_SHAPE) + 8, (uint32_t)-4);
}
static void huge_shape(uint8_t *f) {
  for (uint32_t i = 0; i < 4; i++)
    set_u32(child(tensor(f, 1), MN_TENSOR_SHAPE) + 4 + 4 * i, 0x7fffffff);
}
static void many_axes(uint8_t *f) {
  set_u32(child(tensor(f, 1), MN_TENSOR_SHAPE), 7);
}
static void vector_outside(uint8_t *f) {
  set_u32(child(tensor(f, 1), MN_TENSOR_SHAPE), 0x40000000);
}
static void other_shape(uint8_t *f) {
  set_u32(child(tensor(f, 1), MN_TENSOR_SHAPE) + 4, 9);
}
static void buffer_outside(uint8_t *f) {
  set_u32(field(tensor(f, 1), MN_TENSOR_BUFFER), 1000);
}
static void short_data(uint8_t *f) {
  set_u32(child(item(child(follow(f), MN_MODEL_BUFFERS), 1), MN_BUFFER_DATA), 95);
}
static void scale_nan(uint8_t *f) {
  set_u32(scales(f, 1, MN_QUANTIZATION_SCALE) + 8, 0x7fc00000);
}
static void scale_negative(uint8_t *f) {
  set_u32(scales(f, 0, MN_QUANTIZATION_SCALE) + 4, 0xbf800000);
}
static void scale_missing(uint8_t *f) {
  set_u32(scales(f, 0, MN_QUANTIZATION_SCALE), 0);
}
static void scales_too_few(uint8_t *f) {
  set_u32(scales(f, 1, MN_QUANTIZATION_SCALE), 7);
}
static void zero_point_outside(uint8_t *f) {
  set_u32(scales(f, 0, MN_QUANTIZATION_ZERO_POINT) + 4, 200);
}
static void asymmetric_weights(uint8_t *f) {
  set_u32(scales(f, 1, MN_QUANTIZATION_ZERO_POINT) + 12, 3);
}
static void softmax_rescales(uint8_t *f) {
  set_u32(scales(f, u32(child(op(f, 6), MN_OPERATOR_OUTPUTS) + 4), MN_QUANTIZATION_SCALE) + 4,
          0x3f000000);
}
static void input_outside(uint8_t *f) {
  set_u32(child(op(f, 0), MN_OPERATOR_INPUTS) + 4, 99);
}
static void input_negative(uint8_t *f) {
  set_u32(child(op(f, 0), MN_OPERATOR_INPUTS) + 4, (uint32_t)-1);
}
static void weights_absent(uint8_t *f) {
  set_u32(child(op(f, 0), MN_OPERATOR_INPUTS) + 8, (uint32_t)-1);
}
static void too_many_inputs(uint8_t *f) {
  set_u32(child(op(f, 0), MN_OPERATOR_INPUTS), 6);
}
static void swapped_ops(uint8_t *f) {
  uint8_t *ops = child(subgraph(f), MN_SUBGRAPH_OPERATORS) + 4, *first = follow(ops),
          *second = follow(ops + 4);
  set_u32(ops, (uint32_t)(second - ops));
  set_u32(ops + 4, (uint32_t)(first - (ops + 4)));
}
static void writes_constant(uint8_t *f) {
  set_u32(child(op(f, 0), MN_OPERATOR_OUTPUTS) + 4, 1);
}
static void graph_input_constant(uint8_t *f) {
  set_u32(child(subgraph(f), MN_SUBGRAPH_INPUTS) + 4, 1);
}
static void graph_output_outside(uint8_t *f) {
  set_u32(child(subgraph(f), MN_SUBGRAPH_OUTPUTS) + 4, 77);
}
static void new_version(uint8_t *f) {
  set_u32(field(code(f, 0), MN_CODE_VERSION), 99);
}
static void unknown_op(uint8_t *f) {
  set_u32(field(code(f, 0), MN_CODE_BUILTIN), 117);
}
static void code_outside(uint8_t *f) {
  set_u32(field(op(f, 1), MN_OPERATOR_CODE), 50);
}
static void stride_zero(uint8_t *f) {
  set_u32(field(options(f, 0), 1), 0);
}
static void stride_huge(uint8_t *f) {
  set_u32(field(options(f, 0), 1), 0x7fffffff);
}
static void tanh_activation(uint8_t *f) {
  *field(options(f, 0), 3) = 4;
}
static void other_options(uint8_t *f) {
  *field(op(f, 0), MN_OPERATOR_OPTIONS_TYPE) = 8;
}
static void other_multiplier(uint8_t *f) {
  set_u32(field(options(f, 1), 3), 3);
}
static void beta_nan(uint8_t *f) {
  set_u32(field(options(f, 6), 0), 0x7fc00000);
}
static void name_unending(uint8_t *f) {
  uint8_t *name = child(tensor(f, 0), MN_TENSOR_NAME);
  name[4 + u32(name)] = 'x';
}
static void description_with_zero(uint8_t *f) {
  child(follow(f), MN_MODEL_DESCRIPTION)[8] = 0;
}
static uint8_t *own_entry(uint8_t *f) {
  return item(child(follow(f), MN_MODEL_METADATA), 0);
}
static void metadata_outside(uint8_t *f) {
  set_u32(field(own_entry(f), MN_METADATA_BUFFER), 500);
}
static uint8_t *own_text(uint8_t *f) {
  uint32_t buffer = u32(field(own_entry(f), MN_METADATA_BUFFER));
  return child(item(child(follow(f), MN_MODEL_BUFFERS), buffer), MN_BUFFER_DATA);
}
static void metadata_newer(uint8_t *f) {
  own_text(f)[4 + 10] = '2';
}
static void metadata_unknown_key(uint8_t *f) {
  own_text(f)[4 + 12] = 'L';
}
static void metadata_unfinished(uint8_t *f) {
  set_u32(own_text(f), u32(own_text(f)) - 1);
}
static void labels_too_few(uint8_t *f) {
  set_u32(own_text(f), u32(own_text(f)) - 8);
}

typedef struct fault {
  void (*damage)(uint8_t *file);
  mn_status status;
  const char *says;
} fault;

static const fault faults[] = {
    {wrong_identifier, MN_ERR_FORMAT, "not a .tflite file"},
    {root_outside, MN_ERR_FORMAT, "runs past the end"},
    {root_unaligned, MN_ERR_FORMAT, "is not aligned"},
    {field_list_outside, MN_ERR_FORMAT, "outside the file"},
    {other_schema, MN_ERR_UNSUPPORTED, "schema version 2; expected 3"},
    {two_subgraphs, MN_ERR_UNSUPPORTED, "2 subgraphs; expected one"},
    {half_float, MN_ERR_UNSUPPORTED, "tensor type float16 (code 1) is not supported"},
    {float_input, MN_ERR_UNSUPPORTED,
     "is float32; expected int8 or int16: quantize the model fully"},
    {uint8_input, MN_ERR_FORMAT, "zero point -43 does not fit uint8"},
    {empty_axis, MN_ERR_FORMAT, "axis 0 has size 0; expected at least 1"},
    {negative_axis, MN_ERR_FORMAT, "axis 1 has size -4"},
    {huge_shape, MN_ERR_FORMAT, "more than 2147483647 elements"},
    {many_axes, MN_ERR_UNSUPPORTED, "7 axes; at most 6"},
    {vector_outside, MN_ERR_FORMAT, "a vector of 4294967296 bytes runs past the end"},
    {other_shape, MN_ERR_FORMAT, "its data has 96 bytes; its shape and type need 108"},
    {buffer_outside, MN_ERR_FORMAT, "buffer 1000; the file has"},
    {short_data, MN_ERR_FORMAT, "its data has 95 bytes; its shape and type need 96"},
    {scale_nan, MN_ERR_FORMAT, "scale 1 is nan; expected a positive number"},
    {scale_negative, MN_ERR_FORMAT, "scale 0 is -1; expected a positive number"},
    {scale_missing, MN_ERR_FORMAT, "without a scale"},
    {scales_too_few, MN_ERR_FORMAT, "8 zero points for 7 scales"},
    {zero_point_outside, MN_ERR_FORMAT, "does not fit int8"},
    {asymmetric_weights, MN_ERR_UNSUPPORTED, "have zero point 3 in channel 1; expected 0"},
    {softmax_rescales, MN_ERR_FORMAT, "has another scale or zero point than its op gives"},
    {input_outside, MN_ERR_FORMAT, "tensor 99; the file has"},
    {input_negative, MN_ERR_FORMAT, "input 0 (input) is absent"},
    {weights_absent, MN_ERR_FORMAT, "input 1 (weights) is absent"},
    {too_many_inputs, MN_ERR_UNSUPPORTED, "6 tensors; at most 5"},
    {swapped_ops, MN_ERR_FORMAT, "op ds2.depthwise reads tensor conv1 before it has a value"},
    {writes_constant, MN_ERR_UNSUPPORTED, "is a constant; only computed tensors"},
    {graph_input_constant, MN_ERR_FORMAT, "is constant, a variable or without a scale"},
    {graph_output_outside, MN_ERR_FORMAT, "tensor 77; the file has"},
    {new_version, MN_ERR_UNSUPPORTED, "CONV_2D version 99; versions up to"},
    {unknown_op, MN_ERR_UNSUPPORTED,
     "op HARD_SWISH (code 117) is not supported; expected CONV_2D, DEPTHWISE"},
    {code_outside, MN_ERR_FORMAT, "operator code 50; the file has"},
    {stride_zero, MN_ERR_UNSUPPORTED, "option field 1 has value 0"},
    {stride_huge, MN_ERR_UNSUPPORTED, "option field 1 has value 2147483647"},
    {tanh_activation, MN_ERR_UNSUPPORTED, "option field 3 has value 4"},
    {other_options, MN_ERR_FORMAT, "options of type 8; expected type 1"},
    {other_multiplier, MN_ERR_FORMAT, "the depth multiplier differs from the weights"},
    {beta_nan, MN_ERR_UNSUPPORTED, "option field 0 has value"},
    {name_unending, MN_ERR_FORMAT, "does not end with a zero byte"},
    {description_with_zero, MN_ERR_FORMAT, "does not end with a zero byte, or holds one inside"},
    {metadata_outside, MN_ERR_FORMAT, "buffer 500; the file has"},
    {metadata_newer, MN_ERR_FORMAT, "expected \"micronets 1\" first"},
    {metadata_unknown_key, MN_ERR_FORMAT, "line \"Label a\"; expected input, label"},
    {metadata_unfinished, MN_ERR_FORMAT, "expected an end of line"},
    {labels_too_few, MN_ERR_FORMAT, "4 labels; the output has 5 values"},
};

static void every_fault_should_be_named_with_what_was_expected(void **state) {
  (void)state;
  for (size_t i = 0; i < MN_COUNT(faults); i++) {
    mn_buffer file = model_file(0);
    mn_error error = {{0}};
    assert_ok(read_copy(file.data, file.size, &error), &error);
    faults[i].damage(file.data);
    mn_status status = read_copy(file.data, file.size, &error);
    if (status != faults[i].status || strstr(error.text, faults[i].says) == NULL)
      fail_msg("fault %zu: status %d, \"%s\"; expected %d, \"%s\"", i, status, error.text,
               faults[i].status, faults[i].says);
    if (strchr(error.text, '\n') != NULL) fail_msg("more than one line: %s", error.text);
    mn_buffer_free(&file);
  }
}

/* ---- Shared parts must not multiply the work --------------------------------------------------*/
static void a_million_references_to_one_tensor_should_be_refused_quickly(void **state) {
  (void)state;
  enum { COPIES = 200000 };
  mn_buffer file = model_file(4);
  size_t old = file.size;
  uint32_t at = (uint32_t)((old + 3) / 4 * 4), bytes = at + 4 + 4 * COPIES;
  uint8_t *data = calloc(1, bytes);
  assert_non_null(data);
  memcpy(data, file.data, old);
  uint8_t *slot = field(subgraph(data), MN_SUBGRAPH_OPERATORS);
  uint32_t target = (uint32_t)(op(data, 0) - data);
  /* a vector at the end cannot point backwards: its offsets leave the file */
  set_u32(slot, at - (uint32_t)(slot - data));
  set_u32(data + at, COPIES);
  for (uint32_t i = 0; i < COPIES; i++) set_u32(data + at + 4 + 4 * i, target - (at + 4 + 4 * i));
  mn_error error = {{0}};
  assert_int_equal(read_copy(data, bytes, &error), MN_ERR_FORMAT);
  free(data);
  mn_buffer_free(&file);
}

static void out_of_line_data_should_be_read_and_checked(void **state) {
  (void)state;
  mn_buffer file = model_file(4);
  mn_error error = {{0}};
  /* buffer 1 as a table of offset and size: rewritten where its vtable can be ours, at the end */
  size_t table_at =
      (file.size + 15) / 16 * 16 + 4; /* the table's 64-bit fields start 4 further on */
  uint8_t tail[64] = {0};
  assert_int_equal(mn_buffer_append(&file, tail, table_at + 20 + 10 - file.size), MN_OK);
  uint8_t *table = file.data + table_at, *vtable = table + 20;
  uint8_t *slot = child(follow(file.data), MN_MODEL_BUFFERS) + 4 + 4;
  uint8_t *data = child(follow(slot), MN_BUFFER_DATA);
  uint64_t offset = (uint64_t)(data + 4 - file.data), size = u32(data);
  set_u32(slot, (uint32_t)(table - slot));
  set_u32(table, (uint32_t)(int32_t)(table - vtable));
  memcpy(table + 4, &offset, 8);
  memcpy(table + 12, &size, 8);
  memcpy(vtable, (const uint16_t[]){10, 20, 0, 4, 12}, 10);
  assert_ok(read_copy(file.data, file.size, &error), &error);
  size = 1u << 30;
  memcpy(table + 12, &size, 8);
  assert_int_equal(read_copy(file.data, file.size, &error), MN_ERR_FORMAT);
  assert_non_null(strstr(error.text, "data of 1073741824 bytes"));
  mn_buffer_free(&file);
}

/* What the fuzzer kept: every file that once took a new way through the reader. */
static void every_file_of_the_corpus_should_be_read_or_refused(void **state) {
  (void)state;
  const char *folder = test_source("tests/fuzz/corpus/tflite");
  DIR *entries = opendir(folder);
  int read = 0, refused = 0;
  assert_non_null(entries);
  for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    mn_arena *arena = NULL;
    mn_error error = {{0}};
    assert_int_equal(mn_arena_create(&arena), MN_OK);
    mn_bytes file = test_read(arena, mn_arena_text(arena, "%s/%s", folder, entry->d_name));
    mn_status status = read_copy(file.data, file.size, &error);
    assert_true(status == MN_OK || status == MN_ERR_FORMAT || status == MN_ERR_UNSUPPORTED);
    read += status == MN_OK;
    refused += status != MN_OK;
    mn_arena_destroy(arena);
  }
  closedir(entries);
  assert_true(read >= MODEL_COUNT && refused > 50);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_file_cut_short_at_any_length_should_be_refused),
      cmocka_unit_test(any_damaged_byte_should_be_read_or_refused_but_never_crash),
      cmocka_unit_test(every_fault_should_be_named_with_what_was_expected),
      cmocka_unit_test(a_million_references_to_one_tensor_should_be_refused_quickly),
      cmocka_unit_test(out_of_line_data_should_be_read_and_checked),
      cmocka_unit_test(every_file_of_the_corpus_should_be_read_or_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
