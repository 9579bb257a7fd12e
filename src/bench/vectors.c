/* vectors.c - see vectors.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "bench/vectors.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_VECTORS = 100 };

static mn_status no_memory(mn_error *error) {
  return mn_error_set(error, MN_ERR_MEMORY, "out of memory");
}

static mn_status begin(mn_vectors *vectors, mn_arena *arena, const mn_graph *graph, int32_t count,
                       mn_error *error) {
  *vectors = (mn_vectors){
      .count = count,
      .input = mn_arena_array(arena, (size_t)count + 1, sizeof *vectors->input),
      .output = mn_arena_array(arena, (size_t)count + 1, sizeof *vectors->output),
      .input_bytes = mn_tensor_bytes(&graph->tensors[graph->inputs[0]]),
      .output_bytes = mn_tensor_bytes(&graph->tensors[graph->outputs[0]]),
  };
  return vectors->input != NULL && vectors->output != NULL ? MN_OK : no_memory(error);
}

mn_status mn_vectors_make(mn_vectors *vectors, mn_arena *arena, const mn_graph *graph,
                          int32_t count, uint64_t seed, mn_error *error) {
  MN_TRY(begin(vectors, arena, graph, count, error));
  for (int32_t i = 0; i < count; i++) {
    mn_rng rng = mn_rng_stream(seed, (uint64_t)i, 0);
    uint8_t *input = mn_arena_alloc(arena, vectors->input_bytes);
    if (input == NULL) return no_memory(error);
    for (size_t b = 0; b < vectors->input_bytes; b++) input[b] = (uint8_t)mn_rng_next(&rng);
    vectors->input[i] = input;
  }
  return MN_OK;
}

/* ---- Golden folders -------------------------------------------------------------------------*/

static mn_status read_exactly(const uint8_t **data, mn_arena *arena, const char *path, size_t bytes,
                              mn_error *error) {
  mn_bytes file = {0};
  MN_TRY(mn_file_read(&file, arena, path, 0, error));
  if (file.size != bytes)
    return mn_error_set(error, MN_ERR_FORMAT, "%s: holds %zu bytes; the model's tensor has %zu",
                        path, file.size, bytes);
  *data = file.data;
  return MN_OK;
}

static const char *numbered(mn_arena *arena, const char *folder, const char *word, int32_t number) {
  return mn_arena_text(arena, "%s/%s%02d.bin", folder, word, number);
}

/* One row of checksums, hexadecimal words. */
static bool read_row(uint32_t *crc, const json_t *row, int32_t count) {
  if (!json_is_array(row) || json_array_size(row) != (size_t)count) return false;
  for (int32_t i = 0; i < count; i++) {
    const char *word = json_string_value(json_array_get(row, (size_t)i));
    if (word == NULL || strlen(word) != 8) return false;
    crc[i] = (uint32_t)strtoul(word, NULL, 16);
  }
  return true;
}

static mn_status read_tensors(mn_vectors *vectors, mn_arena *arena, const json_t *root,
                              const char *path, mn_error *error) {
  const json_t *tensors = json_object_get(root, "tensors"),
               *rows = json_object_get(root, "vectors");
  size_t count = json_array_size(tensors);
  mn_golden_tensor *made = mn_arena_array(arena, count + 1, sizeof *made);
  uint32_t *crc = mn_arena_array(arena, (count + 1) * (size_t)vectors->count, sizeof *crc);
  if (made == NULL || crc == NULL) return no_memory(error);
  if (json_array_size(rows) < (size_t)vectors->count)
    return mn_error_set(error, MN_ERR_FORMAT, "%s: has checksums of %zu vectors; there are %d",
                        path, json_array_size(rows), vectors->count);
  for (size_t i = 0; i < count; i++) {
    const json_t *tensor = json_array_get(tensors, i);
    made[i] =
        (mn_golden_tensor){.op = (int32_t)json_integer_value(json_object_get(tensor, "op")),
                           .bytes = (size_t)json_integer_value(json_object_get(tensor, "bytes"))};
  }
  for (int32_t v = 0; v < vectors->count; v++) {
    const json_t *row = json_object_get(json_array_get(rows, (size_t)v), "crc32");
    if (!read_row(crc + (size_t)v * count, row, (int32_t)count))
      return mn_error_set(error, MN_ERR_FORMAT, "%s: vector %d: expected %zu checksums of 8 digits",
                          path, v, count);
  }
  vectors->tensors = made;
  vectors->tensor_count = (int32_t)count;
  vectors->crc = crc;
  return MN_OK;
}

static mn_status read_checksums(mn_vectors *vectors, mn_arena *arena, const char *path,
                                mn_error *error) {
  mn_bytes text = {0};
  json_error_t where;
  MN_TRY(mn_file_read(&text, arena, path, 0, error));
  json_t *root = json_loadb((const char *)text.data, text.size, 0, &where);
  if (root == NULL)
    return mn_error_set(error, MN_ERR_FORMAT, "%s:%d:%d: %s", path, where.line, where.column,
                        where.text);
  mn_status status = read_tensors(vectors, arena, root, path, error);
  json_decref(root);
  return status;
}

mn_status mn_vectors_read(mn_vectors *vectors, mn_arena *arena, const mn_graph *graph,
                          const char *folder, mn_error *error) {
  int32_t count = 0;
  for (const char *path; count < MOST_VECTORS; count++) {
    path = numbered(arena, folder, "in", count);
    if (path == NULL) return no_memory(error);
    if (!mn_file_exists(path)) break;
  }
  if (count == 0)
    return mn_error_set(error, MN_ERR_IO,
                        "%s: holds no in00.bin; expected a folder of golden vectors", folder);
  MN_TRY(begin(vectors, arena, graph, count, error));
  for (int32_t i = 0; i < count; i++) {
    const char *in = numbered(arena, folder, "in", i), *out = numbered(arena, folder, "out", i);
    if (in == NULL || out == NULL) return no_memory(error);
    MN_TRY(read_exactly(&vectors->input[i], arena, in, vectors->input_bytes, error));
    if (mn_file_exists(out))
      MN_TRY(read_exactly(&vectors->output[i], arena, out, vectors->output_bytes, error));
  }
  const char *json = mn_arena_text(arena, "%s/tensors.json", folder);
  const char *activations = mn_arena_text(arena, "%s/act00.bin", folder);
  if (json == NULL || activations == NULL) return no_memory(error);
  if (mn_file_exists(activations))
    MN_TRY(mn_file_read(&vectors->activations, arena, activations, 0, error));
  return mn_file_exists(json) ? read_checksums(vectors, arena, json, error) : MN_OK;
}
