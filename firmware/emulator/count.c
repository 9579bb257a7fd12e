/* count.c - a plugin for QEMU's code translator: how often every guest instruction ran, per region.
 *
 * The firmware says where a region begins by a store inside its function mn_bench_mark: the address
 * of the store, less `port`, divided by 4, is the number of the region. That function's own
 * instructions are not counted. Arguments:
 *   out=FILE  mark=ADDRESS:SIZE (hexadecimal, of mn_bench_mark)  port=ADDRESS  regions=COUNT
 * Written when the emulator ends, regions and addresses ascending:
 *   R region total
 *   C address size opcode executed taken      (taken: the next instruction was another one than the
 *                                              one behind it, so a branch was followed)
 * Source: QEMU's documented plugin interface; see qemu_api.h for the versions.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_api.h"

typedef struct counter {
  uint64_t address;
  uint32_t size, opcode; /* opcode: first halfword in the high half when there are two */
  mn_qemu_cell executed;
  uint64_t taken;
  uint64_t executed_before, taken_before; /* when the current region began */
} counter;

/* What one region got: one pair per counter, in the counters' order. */
typedef struct region {
  uint64_t *executed, *taken;
  size_t room;
} region;

/* The last instruction of a block of code, and where the one behind it would be. */
typedef struct block {
  uint64_t start, behind;
  size_t last;
} block;

static struct {
  const char *out;
  uint64_t mark_start, mark_end, port;
  size_t region_count;
  region *regions;
  size_t current;
  counter *counters; /* grows: hold indices, not pointers */
  size_t counter_count, counter_room;
  size_t *slots; /* hash of address -> index + 1 */
  size_t slot_count;
  const block *previous;
  int failed;
} state;

/* ---- Counters by address --------------------------------------------------------------------*/

static size_t *slot_of(uint64_t address) {
  size_t at = (size_t)((address >> 1) * 0x9E3779B97F4A7C15u) & (state.slot_count - 1);
  while (state.slots[at] != 0 && state.counters[state.slots[at] - 1].address != address)
    at = (at + 1) & (state.slot_count - 1);
  return &state.slots[at];
}

/* Doubles the table of counters; the hash stays at most half full. */
static int grow(void) {
  size_t room = state.counter_room == 0 ? 4096 : 2 * state.counter_room;
  counter *counters = realloc(state.counters, room * sizeof *counters);
  if (counters == NULL) return 0;
  state.counters = counters;
  size_t *slots = calloc(2 * room, sizeof *slots);
  if (slots == NULL) return 0;
  free(state.slots);
  state.slots = slots;
  state.slot_count = 2 * room;
  state.counter_room = room;
  for (size_t i = 0; i < state.counter_count; i++) *slot_of(counters[i].address) = i + 1;
  return 1;
}

/* Index of the instruction's counter, made when it is met for the first time. */
static size_t counter_of(const struct qemu_plugin_insn *instruction) {
  uint64_t address = qemu_plugin_insn_vaddr(instruction);
  if (state.counter_count == state.counter_room && !grow()) {
    state.failed = 1;
    return 0;
  }
  size_t *slot = slot_of(address);
  if (*slot != 0) return *slot - 1;
  uint8_t bytes[4] = {0};
  counter *made = &state.counters[state.counter_count];
  *made = (counter){.address = address, .size = (uint32_t)qemu_plugin_insn_size(instruction)};
  mn_qemu_insn_bytes(instruction, bytes, sizeof bytes);
  uint32_t first = (uint32_t)(bytes[0] | bytes[1] << 8),
           second = (uint32_t)(bytes[2] | bytes[3] << 8);
  made->opcode = made->size == 2 ? first : first << 16 | second;
  if (!mn_qemu_cell_new(&made->executed)) state.failed = 1;
  *slot = ++state.counter_count;
  return state.counter_count - 1;
}

/* ---- Regions --------------------------------------------------------------------------------*/

static int region_reserve(region *r) {
  if (r->room >= state.counter_count) return 1;
  size_t room = state.counter_room;
  uint64_t *executed = realloc(r->executed, room * sizeof *executed);
  if (executed == NULL) return 0;
  r->executed = executed;
  uint64_t *taken = realloc(r->taken, room * sizeof *taken);
  if (taken == NULL) return 0;
  r->taken = taken;
  memset(executed + r->room, 0, (room - r->room) * sizeof *executed);
  memset(taken + r->room, 0, (room - r->room) * sizeof *taken);
  r->room = room;
  return 1;
}

/* Gives what was executed since the last change of region to the current one. */
static void settle(void) {
  region *r = &state.regions[state.current];
  if (!region_reserve(r)) {
    state.failed = 1;
    return;
  }
  for (size_t i = 0; i < state.counter_count; i++) {
    counter *c = &state.counters[i];
    uint64_t executed = mn_qemu_cell_read(&c->executed);
    r->executed[i] += executed - c->executed_before;
    r->taken[i] += c->taken - c->taken_before;
    c->executed_before = executed;
    c->taken_before = c->taken;
  }
}

/* ---- What the emulator calls ----------------------------------------------------------------*/

static void on_mark(unsigned cpu, qemu_plugin_meminfo_t info, uint64_t address, void *context) {
  (void)cpu, (void)context;
  if (!qemu_plugin_mem_is_store(info) || address < state.port) return;
  uint64_t id = (address - state.port) / 4;
  if (id >= state.region_count) return;
  settle();
  state.current = (size_t)id;
}

static void on_block(unsigned cpu, void *context) {
  (void)cpu;
  const block *now = context;
  if (state.previous != NULL && now->start != state.previous->behind)
    state.counters[state.previous->last].taken++;
  state.previous = now;
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
  (void)id;
  size_t count = qemu_plugin_tb_n_insns(tb), last = 0;
  for (size_t i = 0; i < count; i++) {
    struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(tb, i);
    uint64_t address = qemu_plugin_insn_vaddr(instruction);
    last = counter_of(instruction);
    if (state.failed) return;
    if (address >= state.mark_start && address < state.mark_end)
      qemu_plugin_register_vcpu_mem_cb(instruction, on_mark, QEMU_PLUGIN_CB_NO_REGS,
                                       QEMU_PLUGIN_MEM_W, NULL);
    else
      mn_qemu_count_inline(instruction, &state.counters[last].executed);
  }
  block *made = malloc(sizeof *made); /* lives as long as the emulator may run the block */
  if (made == NULL || count == 0) {
    state.failed = 1;
    free(made);
    return;
  }
  const counter *end = &state.counters[last];
  *made =
      (block){.start = qemu_plugin_tb_vaddr(tb), .behind = end->address + end->size, .last = last};
  qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, QEMU_PLUGIN_CB_NO_REGS, made);
}

static int by_address(const void *a, const void *b) {
  const counter *x = &state.counters[*(const size_t *)a], *y = &state.counters[*(const size_t *)b];
  return x->address < y->address ? -1 : x->address > y->address;
}

static void write_region(FILE *file, size_t id, const size_t *order) {
  const region *r = &state.regions[id];
  size_t known = r->room < state.counter_count ? r->room : state.counter_count;
  uint64_t total = 0;
  for (size_t i = 0; i < known; i++) total += r->executed[i];
  if (total == 0) return;
  fprintf(file, "R %zu %" PRIu64 "\n", id, total);
  for (size_t i = 0; i < state.counter_count; i++) {
    size_t at = order[i];
    const counter *c = &state.counters[at];
    if (at >= known || r->executed[at] == 0) continue;
    fprintf(file, "C %" PRIx64 " %u %0*x %" PRIu64 " %" PRIu64 "\n", c->address, c->size,
            (int)(2 * c->size), c->opcode, r->executed[at], r->taken[at]);
  }
}

/* The last line says that the file is whole. */
static void on_exit_write(qemu_plugin_id_t id, void *context) {
  (void)id, (void)context;
  settle();
  FILE *file = fopen(state.out, "w");
  if (file == NULL) return;
  size_t *order = malloc((state.counter_count + 1) * sizeof *order);
  if (order != NULL && !state.failed) {
    for (size_t i = 0; i < state.counter_count; i++) order[i] = i;
    qsort(order, state.counter_count, sizeof *order, by_address);
    for (size_t i = 0; i < state.region_count; i++) write_region(file, i, order);
    fprintf(file, "end\n");
  }
  free(order);
  fclose(file);
}

/* ---- Start ----------------------------------------------------------------------------------*/

static void read_argument(const char *text) {
  char *rest = NULL;
  if (strncmp(text, "out=", 4) == 0) state.out = strdup(text + 4);
  if (strncmp(text, "port=", 5) == 0) state.port = strtoull(text + 5, NULL, 16);
  if (strncmp(text, "regions=", 8) == 0) state.region_count = strtoul(text + 8, NULL, 10);
  if (strncmp(text, "mark=", 5) == 0) {
    state.mark_start = strtoull(text + 5, &rest, 16);
    if (*rest == ':') state.mark_end = state.mark_start + strtoull(rest + 1, NULL, 16);
  }
}

MN_QEMU_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
                                       char **argv);
int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv) {
  for (int i = 0; i < argc; i++) read_argument(argv[i]);
  if (state.out == NULL || state.region_count == 0) {
    fprintf(stderr, "count plugin: out=FILE and regions=COUNT are needed\n");
    return -1;
  }
  if (!mn_qemu_api_open(info)) {
    fprintf(stderr, "count plugin: this QEMU offers no way to count that is known here\n");
    return -1;
  }
  state.regions = calloc(state.region_count, sizeof *state.regions);
  if (state.regions == NULL || !grow()) return -1;
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
  qemu_plugin_register_atexit_cb(id, on_exit_write, NULL);
  return 0;
}
