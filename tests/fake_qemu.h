/* fake_qemu.h - an emulator in miniature that loads our counting plugin: just enough of QEMU's plugin
 * interface to run a few blocks of made-up instructions. FAKE_VERSION 1 counts into plain variables as
 * QEMU 7 and 8 do; 2 and above into scoreboards; from 3 on an instruction's bytes are copied out.
 * A test program includes it once.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TEST_FAKE_QEMU_H
#define MN_TEST_FAKE_QEMU_H

#include "support.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef void fake_memory_call(unsigned cpu, uint32_t info, uint64_t address, void *context);
typedef void fake_block_call(unsigned cpu, void *context);
struct qemu_plugin_tb;
typedef void fake_translate_call(uint64_t id, struct qemu_plugin_tb *tb);
typedef void fake_exit_call(uint64_t id, void *context);

/* A made-up instruction, and what the plugin asked for. */
struct qemu_plugin_insn {
  uint64_t address;
  size_t size;
  uint8_t bytes[4];
  uint64_t store; /* where it stores to, 0: it does not */
  uint64_t *(*counter)(struct qemu_plugin_insn *);
  void *board;
  size_t offset;
  fake_memory_call *on_memory;
};

struct qemu_plugin_tb {
  struct qemu_plugin_insn *first;
  size_t count;
  bool translated;
  fake_block_call *on_run;
  void *context;
};

static fake_translate_call *on_translate;
static fake_exit_call *on_exit_call;

/* ---- What the plugin calls, in every version ------------------------------------------------*/
EXPORT size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
EXPORT struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb,
                                                        size_t index);
EXPORT uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
EXPORT uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *instruction);
EXPORT size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *instruction);
EXPORT bool qemu_plugin_mem_is_store(uint32_t info);
EXPORT void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *instruction,
                                             fake_memory_call *call, int flags, int rw,
                                             void *context);
EXPORT void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, fake_block_call *call,
                                                 int flags, void *context);
EXPORT void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, fake_translate_call *call);
EXPORT void qemu_plugin_register_atexit_cb(uint64_t id, fake_exit_call *call, void *context);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb) {
  return tb->count;
}
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index) {
  return tb->first + index;
}
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb) {
  return tb->first->address;
}
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *instruction) {
  return instruction->address;
}
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *instruction) {
  return instruction->size;
}
bool qemu_plugin_mem_is_store(uint32_t info) {
  return info == 1;
}
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *instruction, fake_memory_call *call,
                                      int flags, int rw, void *context) {
  (void)flags, (void)rw, (void)context;
  instruction->on_memory = call;
}
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, fake_block_call *call,
                                          int flags, void *context) {
  (void)flags;
  tb->on_run = call;
  tb->context = context;
}
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, fake_translate_call *call) {
  (void)id;
  on_translate = call;
}
void qemu_plugin_register_atexit_cb(uint64_t id, fake_exit_call *call, void *context) {
  (void)id, (void)context;
  on_exit_call = call;
}

/* ---- What differs ---------------------------------------------------------------------------*/
#if FAKE_VERSION < 2
EXPORT void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *instruction,
                                                       int operation, void *counter,
                                                       uint64_t amount);
static uint64_t *plain_counter(struct qemu_plugin_insn *instruction) {
  return instruction->board;
}
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *instruction, int operation,
                                                void *counter, uint64_t amount) {
  assert_int_equal(operation, 0);
  assert_int_equal(amount, 1);
  instruction->counter = plain_counter;
  instruction->board = counter;
}
#else
typedef struct fake_u64 {
  void *board;
  size_t offset;
} fake_u64;
EXPORT void qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(
    struct qemu_plugin_insn *instruction, int operation, fake_u64 entry, uint64_t amount);
EXPORT void *qemu_plugin_scoreboard_new(size_t bytes);
EXPORT void *qemu_plugin_scoreboard_find(void *board, unsigned cpu);
/* A board's memory is found through it, as it may move in the real one. */
void *qemu_plugin_scoreboard_new(size_t bytes) {
  void **board = malloc(sizeof *board);
  assert_non_null(board);
  *board = calloc(1, bytes);
  return board;
}
void *qemu_plugin_scoreboard_find(void *board, unsigned cpu) {
  assert_int_equal(cpu, 0);
  return *(void **)board;
}
static uint64_t *board_counter(struct qemu_plugin_insn *instruction) {
  return (uint64_t *)(void *)((uint8_t *)qemu_plugin_scoreboard_find(instruction->board, 0) +
                              instruction->offset);
}
void qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(struct qemu_plugin_insn *instruction,
                                                         int operation, fake_u64 entry,
                                                         uint64_t amount) {
  assert_int_equal(operation, 0);
  assert_int_equal(amount, 1);
  instruction->counter = board_counter;
  instruction->board = entry.board;
  instruction->offset = entry.offset;
}
#endif

#if FAKE_VERSION < 3
EXPORT const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *instruction);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *instruction) {
  return instruction->bytes;
}
#else
EXPORT size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *instruction, void *to,
                                    size_t size);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *instruction, void *to, size_t size) {
  assert_true(size <= instruction->size);
  memcpy(to, instruction->bytes, size);
  return size;
}
#endif

/* ---- Running --------------------------------------------------------------------------------*/

static void fake_run(struct qemu_plugin_tb *tb) {
  if (!tb->translated) on_translate(0, tb);
  tb->translated = true;
  tb->on_run(0, tb->context);
  for (size_t i = 0; i < tb->count; i++) {
    struct qemu_plugin_insn *instruction = tb->first + i;
    if (instruction->counter != NULL) ++*instruction->counter(instruction);
    if (instruction->on_memory != NULL && instruction->store != 0)
      instruction->on_memory(0, 1, instruction->store, NULL);
  }
}

/* A loop of two instructions, and the function whose stores say where a region begins. */
static struct qemu_plugin_insn loop_code[] = {
    {.address = 0x100, .size = 2, .bytes = {0x01, 0x33}},
    {.address = 0x102, .size = 4, .bytes = {0x00, 0xF0, 0x00, 0xB8}},
};
static struct qemu_plugin_insn mark_code[] = {
    {.address = 0x200, .size = 2, .bytes = {0x03, 0x60}, .store = 0x20000000},
    {.address = 0x202, .size = 2, .bytes = {0x70, 0x47}},
};
static struct qemu_plugin_tb loop_block = {.first = loop_code, .count = 2};
static struct qemu_plugin_tb mark_block = {.first = mark_code, .count = 2};

static void mark(uint32_t region) {
  mark_code[0].store = 0x20000000u + 4 * region;
  fake_run(&mark_block);
}

static void run_program(void) {
  fake_run(&loop_block);
  mark(1);
  for (int i = 0; i < 10; i++) fake_run(&loop_block);
  mark(2);
  for (int i = 0; i < 3; i++) fake_run(&loop_block);
  mark(1);
  fake_run(&loop_block);
  mark(0);
  on_exit_call(0, NULL);
}

/* The first line and the last say it: 2 instructions a turn; the jump is always followed. */
static const char expected[] =
    "R 0 2\nC 100 2 3301 1 0\nC 102 4 f000b800 1 1\n"
    "R 1 22\nC 100 2 3301 11 0\nC 102 4 f000b800 11 11\n"
    "R 2 6\nC 100 2 3301 3 0\nC 102 4 f000b800 3 3\nend\n";

typedef struct fake_info {
  const char *target_name;
  struct {
    int min, cur;
  } version;
} fake_info;

static void the_plugin_counts_every_instruction_by_region(void **state) {
  (void)state;
  const char *binary = getenv("MN_BINARY");
  char path[1024], out[1024];
  mn_arena *arena = NULL;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  snprintf(path, sizeof path, "%s/micronets-count.so", binary != NULL ? binary : ".");
  snprintf(out, sizeof out, "out=%s/counts", test_folder());
  void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (plugin == NULL) fail_msg("%s", dlerror());

  /* QEMU reads the version first: 1 where there are no scoreboards, 2 where there are. */
  const int *version = dlsym(plugin, "qemu_plugin_version");
  assert_non_null(version);
  assert_int_equal(*version, FAKE_VERSION < 2 ? 1 : 2);

  int (*install)(uint64_t, const fake_info *, int, char **);
  void *found = dlsym(plugin, "qemu_plugin_install");
  assert_non_null(found);
  memcpy(&install, &found, sizeof install);
  fake_info info = {.target_name = "arm", .version = {0, FAKE_VERSION}};
  char mark_argument[] = "mark=200:4", port[] = "port=20000000", regions[] = "regions=4";
  char *nothing[] = {port}, *all[] = {out, mark_argument, port, regions};
  assert_int_not_equal(install(0, &info, 1, nothing), 0);
  assert_int_equal(install(0, &info, 4, all), 0);
  run_program();
  assert_string_equal((const char *)test_read(arena, out + 4).data, expected);
  mn_arena_destroy(arena);
}

static int test_plugin(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_plugin_counts_every_instruction_by_region)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
