/* random_nets.c - writes random networks for differential tests: random_nets FOLDER FIRST COUNT KIND.
 * KIND: s8, s16 (int16 activations), s4 (int4 weights), u8 (uint8 at both
 * ends), svdf. For every seed netN.tflite, netN.in (its
 * inputs, one after another, state kept) and netN.FAMILY (outputs of all ops, in order, of each).
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "micronets/exec.h"
#include "micronets/tflite.h"
#include "random_graph.h"
#include "support.h"

static const char *folder, *kind;
static int32_t runs = 1;

static const mn_graph *make_graph(mn_arena *arena, uint64_t seed) {
  mn_dtype values = strcmp(kind, "s16") == 0 ? MN_DTYPE_INT16 : MN_DTYPE_INT8;
  if (strcmp(kind, "u8") == 0) values = MN_DTYPE_UINT8;
  mn_dtype weights = strcmp(kind, "s4") == 0 ? MN_DTYPE_INT4 : MN_DTYPE_INT8;
  if (strcmp(kind, "svdf") == 0) return test_random_svdf(arena, seed);
  return test_random_frozen(arena, test_random_typed(arena, seed, 6, values, weights), seed);
}

static void append(void *context, int32_t op, int32_t first_row, int32_t rows, const void *data,
                   size_t bytes) {
  (void)op, (void)first_row, (void)rows;
  if (mn_buffer_append(context, data, bytes) != MN_OK) exit(1);
}

static void write_file(mn_arena *arena, uint64_t seed, const char *ending, const void *data,
                       size_t size) {
  mn_error error = {{0}};
  const char *path = mn_arena_text(arena, "%s/net%d.%s", folder, (int)seed, ending);
  if (mn_file_write(path, data, size, &error) == MN_OK) return;
  fprintf(stderr, "random_nets: %s\n", error.text);
  exit(1);
}

static void write_outputs(mn_arena *arena, const mn_graph *graph, const char *family,
                          uint64_t seed) {
  const mn_plan *plan = NULL;
  mn_exec *exec = NULL;
  mn_error error = {{0}};
  mn_buffer outputs = {0};
  mn_plan_options options = {.kernels = family};
  if (mn_plan_make(&plan, arena, graph, NULL, &options, &error) != MN_OK ||
      mn_exec_create(&exec, plan, &error) != MN_OK) {
    fprintf(stderr, "random_nets: seed %d: %s\n", (int)seed, error.text);
    exit(1);
  }
  size_t bytes = mn_tensor_bytes(&graph->tensors[graph->inputs[0]]);
  uint8_t *inputs = mn_arena_array(arena, (size_t)runs, bytes);
  test_random_bytes(inputs, (size_t)runs * bytes, seed);
  write_file(arena, seed, "in", inputs, (size_t)runs * bytes);
  for (int32_t run = 0; run < runs; run++) {
    memcpy(mn_exec_input(exec, 0), inputs + (size_t)run * bytes, bytes);
    mn_exec_run(exec, &(mn_watch){append, &outputs});
  }
  write_file(arena, seed, family, outputs.data, outputs.size);
  mn_buffer_free(&outputs);
  mn_exec_destroy(exec);
}

static void make(uint64_t seed) {
  mn_arena *arena = NULL;
  mn_error error = {{0}};
  mn_buffer file = {0};
  mn_sink sink = mn_buffer_sink(&file);
  if (mn_arena_create(&arena) != MN_OK) exit(1);
  const mn_graph *graph = make_graph(arena, seed);
  mn_model model = {.graph = graph};
  if (mn_tflite_write(&sink, &model, &error) != MN_OK) {
    fprintf(stderr, "random_nets: seed %d: %s\n", (int)seed, error.text);
    exit(1);
  }
  write_file(arena, seed, "tflite", file.data, file.size);
  mn_buffer_free(&file);
  write_outputs(arena, graph, "ref", seed);
  write_outputs(arena, graph, "host", seed);
  write_outputs(arena, graph, "avx2", seed);
  mn_arena_destroy(arena);
}

int main(int count, char **arguments) {
  if (count != 5) {
    fprintf(stderr, "usage: random_nets FOLDER FIRST COUNT s8|s16|s4|u8|svdf\n");
    return 2;
  }
  folder = arguments[1];
  kind = arguments[4];
  if (strcmp(kind, "svdf") == 0) runs = 3;
  uint64_t first = strtoull(arguments[2], NULL, 10), nets = strtoull(arguments[3], NULL, 10);
  for (uint64_t seed = first; seed < first + nets; seed++) make(seed);
  return 0;
}
