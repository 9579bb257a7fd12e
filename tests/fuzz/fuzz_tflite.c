/* fuzz_tflite.c - any bytes as a .tflite: refused with a message, or read, written, and read again.
 * Seeds: tests/fuzz/corpus/tflite (made by tflite_make; inputs that once failed are kept there).
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "micronets/tflite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_and_read(const mn_model *model, mn_arena *arena) {
  mn_error error = {{0}};
  mn_buffer out = {0};
  mn_sink sink = mn_buffer_sink(&out);
  mn_model again;
  size_t counted = 0;
  if (mn_tflite_write(&sink, model, &error) != MN_OK) abort();
  if (mn_tflite_size(&counted, model, &error) != MN_OK || counted != out.size) abort();
  if (mn_tflite_read(&again, arena, (mn_bytes){out.data, out.size}, &error) != MN_OK) abort();
  mn_buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  mn_arena *arena = NULL;
  mn_error error = {{0}};
  mn_model model;
  if (mn_arena_create(&arena) != MN_OK) return 0;
  mn_status status = mn_tflite_read(&model, arena, (mn_bytes){data, size}, &error);
  if (status != MN_OK && error.text[0] == 0) abort();
  if (status == MN_OK) write_and_read(&model, arena);
  mn_arena_destroy(arena);
  return 0;
}
