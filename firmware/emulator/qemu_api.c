/* qemu_api.c - see qemu_api.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "qemu_api.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* Version 2's handle of a counter: a scoreboard and a place in it, passed by value. */
typedef struct qemu_plugin_u64 {
  void *score;
  size_t offset;
} qemu_plugin_u64;

enum { CELLS_PER_BOARD = 4096 };

static struct {
  int version;
  void (*add_plain)(struct qemu_plugin_insn *, int operation, void *counter, uint64_t amount);
  void (*add_cell)(struct qemu_plugin_insn *, int operation, qemu_plugin_u64 counter,
                   uint64_t amount);
  void *(*board_new)(size_t bytes);
  void *(*board_find)(void *board, unsigned cpu);
  const void *(*bytes_at)(const struct qemu_plugin_insn *);
  size_t (*bytes_copy)(const struct qemu_plugin_insn *, void *to, size_t size);
  void *board; /* where the next cell comes from */
  uint64_t *plain;
  size_t cells_left;
} api;

/* The version that this plugin says it was made for: QEMU reads it before it calls anything, and
 * refuses both too old and too new ones. 2 is the oldest that new QEMUs take. */
MN_QEMU_EXPORT extern int qemu_plugin_version;
int qemu_plugin_version = 1;

/* A function of the emulator, by name; POSIX lets the object pointer stand for the function. */
static void look_up(void *function, const char *name) {
  void *found = dlsym(RTLD_DEFAULT, name);
  memcpy(function, &found, sizeof found);
}

__attribute__((constructor)) static void choose_version(void) {
  if (dlsym(RTLD_DEFAULT, "qemu_plugin_scoreboard_new") != NULL) qemu_plugin_version = 2;
}

bool mn_qemu_api_open(const qemu_info_t *info) {
  api.version = info->version.cur;
  look_up(&api.add_plain, "qemu_plugin_register_vcpu_insn_exec_inline");
  look_up(&api.add_cell, "qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu");
  look_up(&api.board_new, "qemu_plugin_scoreboard_new");
  look_up(&api.board_find, "qemu_plugin_scoreboard_find");
  if (api.version >= 3)
    look_up(&api.bytes_copy, "qemu_plugin_insn_data");
  else
    look_up(&api.bytes_at, "qemu_plugin_insn_data");
  bool boards = api.add_cell != NULL && api.board_new != NULL && api.board_find != NULL;
  if (!boards) api.board_new = NULL;
  return (boards || api.add_plain != NULL) && (api.bytes_copy != NULL || api.bytes_at != NULL);
}

/* Cells come from blocks: a scoreboard of its own for every instruction would be slow to make. */
static bool cells_refill(void) {
  if (api.board_new != NULL)
    api.board = api.board_new(CELLS_PER_BOARD * sizeof(uint64_t));
  else
    api.plain = calloc(CELLS_PER_BOARD, sizeof(uint64_t));
  if (api.board == NULL && api.plain == NULL) return false;
  api.cells_left = CELLS_PER_BOARD;
  return true;
}

bool mn_qemu_cell_new(mn_qemu_cell *cell) {
  if (api.cells_left == 0 && !cells_refill()) return false;
  size_t index = CELLS_PER_BOARD - api.cells_left--;
  *cell = (mn_qemu_cell){.board = api.board, .offset = index * sizeof(uint64_t)};
  if (api.board == NULL) cell->plain = api.plain + index;
  return true;
}

uint64_t mn_qemu_cell_read(const mn_qemu_cell *cell) {
  if (cell->board == NULL) return *cell->plain;
  uint64_t value = 0;
  const uint8_t *first_cpu = api.board_find(cell->board, 0);
  memcpy(&value, first_cpu + cell->offset, sizeof value);
  return value;
}

void mn_qemu_count_inline(struct qemu_plugin_insn *instruction, const mn_qemu_cell *cell) {
  if (cell->board == NULL) {
    api.add_plain(instruction, QEMU_PLUGIN_INLINE_ADD_U64, cell->plain, 1);
    return;
  }
  qemu_plugin_u64 counter = {cell->board, cell->offset};
  api.add_cell(instruction, QEMU_PLUGIN_INLINE_ADD_U64, counter, 1);
}

void mn_qemu_insn_bytes(const struct qemu_plugin_insn *instruction, uint8_t *bytes, size_t size) {
  size_t there = qemu_plugin_insn_size(instruction);
  if (there > size) there = size;
  if (api.bytes_copy != NULL)
    api.bytes_copy(instruction, bytes, there);
  else
    memcpy(bytes, api.bytes_at(instruction), there);
}
