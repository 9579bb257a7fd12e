/* bench_main.c - runs a compiled model (prefix "model") on inputs that io.h brings, and reports.
 *
 * For each input: the checksum of every finished stretch of rows (where the hooks are built in) and of
 * the output. Then, on the last one, how deep the stack went, and one run between marks for the
 * instruction counter, or the board's own. SPDX-License-Identifier: Apache-2.0 */
#include "crc32.h"
#include "frame.h"
#include "hooks.h"
#include "io.h"
#include "model.h"
#include "stack.h"

void mn_bench_rows(int32_t op, int32_t first_row, int32_t rows, const void *data, uint32_t bytes);
extern uint32_t mn_bench_checks;
uint32_t mn_bench_checks;

enum { MOST_HOPS = 1000 };

MODEL_SECTION_ARENA static _Alignas(MODEL_ARENA_ALIGN) uint8_t arena[MODEL_ARENA_BYTES];
static uint8_t input[MODEL_INPUT_BYTES];
static int16_t pcm[MODEL_HOP_SAMPLES + 1];

void mn_bench_rows(int32_t op, int32_t first_row, int32_t rows, const void *data, uint32_t bytes) {
  mn_line_number("op", op);
  mn_line_number("first_row", first_row);
  mn_line_number("rows", rows);
  mn_line_number("bytes", (int32_t)bytes);
  mn_line_hex("crc", mn_firmware_crc32(data, bytes));
  mn_line_end();
}

static void copy_input(void) {
  uint8_t *to = (uint8_t *)model_input(arena);
  for (size_t i = 0; i < MODEL_INPUT_BYTES; i++) to[i] = input[i];
}

static void run_vector(int32_t index) {
  mn_line_number("vector", index);
  mn_line_end();
  model_init(arena);
  copy_input();
  mn_bench_checks = 1;
  model_run(arena);
  mn_bench_checks = 0;
  mn_line_number("output_bytes", MODEL_OUTPUT_BYTES);
  mn_line_hex("crc", mn_firmware_crc32(model_output(arena), MODEL_OUTPUT_BYTES));
  mn_line_end();
}

static void make_hop(void) {
  static uint32_t noise = 1;
  for (int32_t i = 0; i < MODEL_HOP_SAMPLES; i++) {
    noise = noise * 1664525u + 1013904223u;
    pcm[i] = (int16_t)(noise >> 16);
  }
}

/* The deepest stack of a feed, over the hops that make one input of sound of a sort. */
static void measure_feed(void) {
  uint32_t deepest = 0;
  mn_stack_result = MODEL_HOP_SAMPLES == 0;
  for (int32_t hop = 0; hop < MOST_HOPS && !mn_stack_result; hop++) {
    make_hop();
    uint32_t used = mn_stack_used((mn_any_function *)model_feed, arena, pcm, MODEL_HOP_SAMPLES);
    if (used > deepest) deepest = used;
  }
  mn_line_number("feed_stack", (int32_t)deepest);
  mn_line_end();
}

/* One whole input of sound, hop by hop, or one frame, for the counter. */
static void count_feed(void) {
  int complete = MODEL_HOP_SAMPLES == 0;
  model_init(arena);
  mn_bench_armed = 1;
  for (int32_t hop = 0; hop < MOST_HOPS && !complete; hop++) {
    make_hop();
    mn_bench_mark(MN_REGION_FEED);
    complete = model_feed(arena, pcm, MODEL_HOP_SAMPLES);
    mn_bench_mark(MN_REGION_OUTSIDE);
  }
  mn_frame_count(arena);
  mn_bench_armed = 0;
  model_init(arena);
}

/* The last input once more, for the stack, and once more, for the counter. */
static void measure(void) {
  model_init(arena);
  measure_feed();
  copy_input();
  mn_line_number("stack", (int32_t)mn_stack_used((mn_any_function *)model_run, arena, 0, 0));
  mn_line_end();
  count_feed();
  copy_input();
  mn_bench_armed = 1;
  mn_bench_mark(MN_REGION_WHOLE);
  model_run(arena);
  mn_bench_mark(MN_REGION_OUTSIDE);
}

int main(void) {
  int32_t vectors = 0;
  if (!mn_io_begin()) return 2;
  while (mn_io_input(input, sizeof input)) run_vector(vectors++);
  if (vectors > 0 && MN_BENCH_MEASURES) measure();
  mn_line_number("vectors", vectors);
  mn_line_end();
  return 0;
}
