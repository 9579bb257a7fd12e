/* board.c - see board.h; firmware/io_serial.c has the protocol.
 * SPDX-License-Identifier: Apache-2.0 */
#include "bench/board.h"

#include <stdio.h>
#include <string.h>

#include "bench/serial.h"
#include "mark.h"

/* The hello of a board that is being flashed takes a while; afterwards one inference may. */
enum { HELLO_SECONDS = 300, LINE_SECONDS = 120, MOST_LINE = 256 };

typedef struct talk {
  mn_workshop *shop;
  mn_serial serial;
  const mn_vectors *vectors;
  int32_t next; /* vector */
  mn_buffer text;
  bool over;
} talk;

uint32_t mn_board_model_id(const mn_plan *plan) {
  uint32_t id = 0;
  for (int32_t i = 0; i < plan->constant_count; i++)
    if (plan->constants[i].data != NULL)
      id = mn_crc32(id, plan->constants[i].data, plan->constants[i].bytes);
  return id;
}

/* Boards say hello until they are heard; what came before may be half of it, or of something else. */
static mn_status wait_for_hello(talk *t, uint32_t model_id) {
  char line[MOST_LINE];
  unsigned found;
  bool whole = false;
  for (;;) {
    MN_TRY(mn_serial_line(&t->serial, line, sizeof line, HELLO_SECONDS, &whole));
    if (whole && sscanf(line, "hello=1 model=%x", &found) == 1) break;
  }
  if (found == model_id) return mn_serial_write(&t->serial, "G", 1);
  return mn_error_set(t->shop->error, MN_ERR_FAILED,
                      "%s: the board runs another program (%08x; expected %08x); flash %s/%s",
                      t->serial.device, found, model_id, t->shop->folder, MN_PROGRAM_BOARD);
}

/* One vector in a frame, or the word that there is none. */
static mn_status send_input(talk *t, int32_t vector) {
  if (vector >= t->vectors->count) return mn_serial_write(&t->serial, "E", 1);
  const uint8_t *data = t->vectors->input[vector];
  size_t size = t->vectors->input_bytes;
  uint32_t crc = mn_crc32(0, data, size);
  const uint8_t tail[] = {(uint8_t)crc, (uint8_t)(crc >> 8), (uint8_t)(crc >> 16),
                          (uint8_t)(crc >> 24)};
  MN_TRY(mn_serial_write(&t->serial, "I", 1));
  MN_TRY(mn_serial_write(&t->serial, data, size));
  return mn_serial_write(&t->serial, tail, sizeof tail);
}

static mn_status answer(talk *t, const char *line) {
  unsigned long size;
  if (sscanf(line, "want=%lu", &size) == 1) {
    if (size != t->vectors->input_bytes)
      return mn_error_set(t->shop->error, MN_ERR_FAILED,
                          "%s: the board wants inputs of %lu bytes; the model's have %zu",
                          t->serial.device, size, t->vectors->input_bytes);
    return send_input(t, t->next++);
  }
  if (strcmp(line, "again=1") == 0) return send_input(t, t->next - 1);
  t->over = strncmp(line, "bye=", 4) == 0;
  if (strncmp(line, "hello=", 6) == 0 || t->over) return MN_OK;
  if (mn_buffer_append(&t->text, line, strlen(line)) == MN_OK &&
      mn_buffer_append(&t->text, "\n", 1) == MN_OK)
    return MN_OK;
  return mn_error_set(t->shop->error, MN_ERR_MEMORY, "out of memory");
}

static mn_status listen(talk *t) {
  char line[MOST_LINE];
  bool whole = false;
  while (!t->over) {
    MN_TRY(mn_serial_line(&t->serial, line, sizeof line, LINE_SECONDS, &whole));
    if (!whole)
      return mn_error_set(t->shop->error, MN_ERR_FAILED,
                          "%s: a line came damaged: \"%.60s\"; look at cable and baud rate",
                          t->serial.device, line);
    MN_TRY(answer(t, line));
  }
  return MN_OK;
}

mn_status mn_board_run(mn_bytes *text, mn_workshop *shop, const char *port, uint32_t model_id,
                       const mn_vectors *vectors) {
  talk t = {.shop = shop, .vectors = vectors};
  MN_TRY(mn_serial_open(&t.serial, shop->arena, port, shop->monitor, shop->error));
  mn_monitor_message(shop->monitor, MN_LEVEL_WARNING,
                     "flash %s/%s and reset the board; waiting for it at %s", shop->folder,
                     MN_PROGRAM_BOARD, t.serial.device);
  mn_status status = wait_for_hello(&t, model_id);
  if (status == MN_OK) status = listen(&t);
  if (status == MN_OK && mn_buffer_append(&t.text, "", 1) != MN_OK)
    status = mn_error_set(shop->error, MN_ERR_MEMORY, "out of memory");
  if (status == MN_OK) {
    *text = (mn_bytes){mn_arena_copy(shop->arena, t.text.data, t.text.size), t.text.size - 1};
    if (text->data == NULL) status = mn_error_set(shop->error, MN_ERR_MEMORY, "out of memory");
  }
  mn_buffer_free(&t.text);
  mn_serial_close(&t.serial);
  return status;
}

/* ---- Figures --------------------------------------------------------------------------------*/

/* The number behind "key" at the start of a line; -1: it is not there. */
static int64_t number_of(const char *text, const char *key) {
  const char *at = strstr(text, key);
  long long number = -1;
  return at != NULL && sscanf(at + strlen(key), "%lld", &number) == 1 ? number : -1;
}

mn_status mn_board_measure(mn_bench_result *result, mn_workshop *shop, const mn_graph *graph,
                           mn_bytes text) {
  const char *lines = (const char *)text.data;
  mn_bench_layer *layers = mn_arena_array(shop->arena, (size_t)graph->op_count + 1, sizeof *layers);
  if (layers == NULL) return mn_error_set(shop->error, MN_ERR_MEMORY, "out of memory");
  for (int32_t i = 0; i < graph->op_count; i++)
    layers[i] = (mn_bench_layer){.name = graph->ops[i].name,
                                 .kind = mn_op_info_get(graph->ops[i].kind)->text,
                                 .macs = mn_op_macs(graph, i),
                                 .instructions = -1,
                                 .cycles_modelled = -1};
  double total = 0;
  for (const char *at = lines; (at = strstr(at, "region=")) != NULL; at++) {
    int region;
    unsigned cycles;
    if (sscanf(at, "region=%d cycles=%x", &region, &cycles) != 2) continue;
    if (region != MN_REGION_OUTSIDE && region != MN_REGION_FEED) total += cycles;
    int32_t op = region - MN_REGION_FIRST_LAYER;
    if (op >= 0 && op < graph->op_count) layers[op].cycles = cycles;
  }
  int64_t run = number_of(lines, "\nstack="), feed = number_of(lines, "feed_stack=");
  result->sram.stack = feed > run ? feed : run;
  result->instructions = -1;
  result->cycles_modelled = result->ms_modelled = result->mj_modelled = -1;
  result->cycles = total;
  result->layers = layers;
  result->layer_count = graph->op_count;
  return MN_OK;
}
