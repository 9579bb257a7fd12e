/* test_bench.c - the parts of the bench that need neither Arm's compiler nor an emulator.
 * SPDX-License-Identifier: Apache-2.0 */
#include "arena_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/cycle_models.h"
#include "bench/elf.h"
#include "bench/parity.h"
#include "bench/process.h"
#include "bench/scratch.h"
#include "random_graph.h"

static const char *write_text(const char *folder, const char *name, const char *text) {
  const char *path = mn_arena_text(arena, "%s/%s", folder, name);
  assert_ok(mn_file_write(path, text, strlen(text), &error), &error);
  return path;
}

/* ---- Child processes ------------------------------------------------------------------------*/

static mn_status shell(const char *folder, const char *command, double seconds, int *exit_code) {
  const char *arguments[] = {"sh", "-c", command, NULL};
  mn_process process = {.arguments = arguments,
                        .folder = folder,
                        .seconds = seconds,
                        .output = mn_arena_text(arena, "%s/log", folder)};
  return mn_process_run(&process, exit_code, &error);
}

static void a_child_works_in_its_folder_and_its_words_are_kept(void **state) {
  (void)state;
  const char *folder = test_folder();
  int exit_code = -1;
  assert_ok(shell(folder, "pwd; echo wrong >&2; exit 7", 0, &exit_code), &error);
  assert_int_equal(exit_code, 7);
  mn_bytes log = test_read(arena, mn_arena_text(arena, "%s/log", folder));
  assert_string_equal((const char *)log.data, mn_arena_text(arena, "%s\nwrong\n", folder));
  assert_ok(shell(folder, "kill -9 $$", 0, &exit_code), &error);
  assert_int_equal(exit_code, 128 + 9);
}

static void a_program_that_is_not_there_is_named(void **state) {
  (void)state;
  const char *arguments[] = {"no-such-compiler", NULL};
  int exit_code = 0;
  mn_process process = {.arguments = arguments,
                        .output = mn_arena_text(arena, "%s/log", test_folder())};
  assert_int_equal(mn_process_run(&process, &exit_code, &error), MN_ERR_FAILED);
  assert_string_equal(error.text,
                      "program no-such-compiler was not found; install it or put it in PATH");
}

static void a_child_that_never_ends_is_ended(void **state) {
  (void)state;
  int exit_code = 0;
  volatile sig_atomic_t stop = 1;
  mn_monitor monitor = {.stop = &stop};
  const char *arguments[] = {"sleep", "1000", NULL};
  assert_int_equal(shell(test_folder(), "sleep 1000", 0.05, &exit_code), MN_ERR_FAILED);
  assert_non_null(strstr(error.text, "did not end within"));
  mn_process process = {.arguments = arguments,
                        .monitor = &monitor,
                        .output = mn_arena_text(arena, "%s/log", test_folder())};
  assert_int_equal(mn_process_run(&process, &exit_code, &error), MN_ERR_INTERRUPTED);
}

static void a_scratch_folder_is_gone_afterwards(void **state) {
  (void)state;
  const char *folder = NULL;
  int exit_code = -1;
  assert_ok(mn_scratch_make(&folder, arena, &error), &error);
  assert_ok(shell(folder, "mkdir -p a/b && echo x >a/b/c", 0, &exit_code), &error);
  assert_int_equal(exit_code, 0);
  mn_scratch_remove(folder);
  assert_false(mn_file_exists(folder));
}

/* ---- Instruction counts ---------------------------------------------------------------------*/

static const char good_counts[] =
    "R 0 5\nC 3d0 2 2300 5 0\nR 3 12\nC 3d4 2 3301 4 0\nC 3d6 4 f7ffffe7 8 7\nend\n";

static void counts_are_read_by_region(void **state) {
  (void)state;
  mn_counts_file counts;
  const char *path = write_text(test_folder(), "counts", good_counts);
  assert_ok(mn_counts_read(&counts, arena, path, &error), &error);
  assert_int_equal(counts.region_count, 2);
  const mn_region *region = mn_counts_region(&counts, 3);
  assert_non_null(region);
  assert_int_equal(region->total, 12);
  assert_int_equal(region->count, 2);
  assert_int_equal(region->counts[1].opcode, 0xf7ffffe7);
  assert_int_equal(region->counts[1].taken, 7);
  assert_null(mn_counts_region(&counts, 1));
}

static void counts_that_are_cut_short_are_refused(void **state) {
  (void)state;
  static const char *const wrong[] = {"C 3d0 2 2300 5 0\nend\n", "R 0\nend\n",
                                      "R 0 5\nC 3d0 2 2300\nend\n", "hello\nend\n"};
  mn_counts_file counts;
  for (size_t i = 0; i < MN_COUNT(wrong); i++) {
    const char *path = write_text(test_folder(), "counts", wrong[i]);
    assert_int_equal(mn_counts_read(&counts, arena, path, &error), MN_ERR_FORMAT);
    assert_non_null(strstr(error.text, "not a line of the instruction counter"));
  }
  for (size_t length = 0; length < sizeof good_counts - 5; length++) {
    const char *cut = mn_arena_text(arena, "%.*s", (int)length, good_counts);
    assert_int_equal(
        mn_counts_read(&counts, arena, write_text(test_folder(), "counts", cut), &error),
        MN_ERR_FORMAT);
  }
}

/* ---- The M4 model: one instruction each, except where the one before matters ------------------*/

/* Lines of a disassembly, from address 0x100, 2 bytes each. */
static mn_instructions instructions_of(const char *lines) {
  mn_instructions in;
  char text[512];
  size_t used = 0;
  uint32_t address = 0x100;
  for (const char *at = lines; *at != '\0'; address += 2) {
    size_t length = strcspn(at, "\n"), word = strcspn(at, " \n");
    const char *operands = at[word] == ' ' ? at + word + 1 : "";
    used += (size_t)snprintf(text + used, sizeof text - used, "     %x:\t%.*s\t%.*s\n", address,
                             (int)word, at, (int)(length > word ? length - word - 1 : 0), operands);
    at += length + (at[length] == '\n');
  }
  char *copy = mn_arena_copy(arena, text, used + 1);
  assert_ok(mn_instructions_parse(&in, arena, copy, &error), &error);
  return in;
}

static void every_kind_of_instruction_has_its_cycles(void **state) {
  (void)state;
  static const struct {
    const char *text;
    uint32_t size, opcode, executed, taken;
    double cycles;
  } cases[] = {
      {"adds r3, #1", 2, 0x3301, 10, 0, 10},
      {"muls r0, r1", 2, 0x4348, 10, 0, 10},
      {"ldr r0, [r1]", 2, 0x6808, 10, 0, 20},
      {"ldr r0, [pc, #4]", 2, 0x4801, 10, 0, 20},
      {"ldrsb r0, [r1, r2]", 2, 0x5688, 10, 0, 20},
      {"ldrh r0, [r1]", 2, 0x8808, 10, 0, 20},
      {"ldr r0, [sp]", 2, 0x9800, 10, 0, 20},
      {"str r0, [r1]", 2, 0x6008, 10, 0, 10},
      {"strb r0, [r1, r2]", 2, 0x5488, 10, 0, 10},
      {"push {r4-r7, lr}", 2, 0xB5F0, 2, 0, 12},
      {"pop {r4, pc}", 2, 0xBD10, 2, 2, 12},
      {"stmia r0!, {r1, r2}", 2, 0xC006, 2, 0, 6},
      {"bne", 2, 0xD1FB, 10, 9, 28},
      {"b", 2, 0xE7FE, 4, 4, 12},
      {"bx lr", 2, 0x4770, 3, 3, 9},
      {"cbz r0", 2, 0xB100, 5, 1, 7},
      {"cbnz r0", 2, 0xB900, 5, 1, 7},
      {"it ne", 2, 0xBF18, 5, 0, 5},
      {"ldr.w r0, [r1, #260]", 4, 0xF8D10104, 10, 0, 20},
      {"ldrsb.w r0, [r1, #1]", 4, 0xF9910001, 10, 0, 20},
      {"strb.w r0, [r1, #1]", 4, 0xF8810001, 10, 0, 10},
      {"ldrd r0, r1, [r2]", 4, 0xE9D20100, 10, 0, 30},
      {"strd r0, r1, [r2]", 4, 0xE9C20100, 10, 0, 30},
      {"pop.w {r4-r8, pc}", 4, 0xE8BD81F0, 2, 2, 20},
      {"stmdb sp!, {r4-r8, lr}", 4, 0xE92D41F0, 2, 0, 14},
      {"bl", 4, 0xF000F800, 4, 4, 12},
      {"b.w", 4, 0xF000B800, 4, 4, 12},
      {"bne.w", 4, 0xF0408000, 4, 1, 6},
      {"dsb", 4, 0xF3BF8F4F, 4, 0, 4},
      {"tbb [pc, r0]", 4, 0xE8DFF000, 4, 4, 12},
      {"udiv r0, r0, r1", 4, 0xFBB0F0F1, 2, 0, 14},
      {"sdiv r0, r0, r1", 4, 0xFB90F0F1, 2, 0, 14},
      {"smlad r0, r1, r2, r3", 4, 0xFB213002, 10, 0, 10},
      {"smull r0, r1, r2, r3", 4, 0xFB820103, 10, 0, 10},
      {"vldr s0, [r0]", 4, 0xED900A00, 10, 0, 20},
  };
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    mn_count count = {0x100, cases[i].size, cases[i].opcode, cases[i].executed, cases[i].taken};
    mn_region region = {.counts = &count, .count = 1};
    mn_instructions in = instructions_of(cases[i].text);
    double cycles = mn_m4_cycles(&region, &in);
    if (cycles < cases[i].cycles || cycles > cases[i].cycles)
      fail_msg("%s: %g cycles, expected %g", cases[i].text, cycles, cases[i].cycles);
  }
}

static void a_load_right_behind_memory_takes_one_cycle(void **state) {
  (void)state;
  mn_count counts[] = {{0x100, 2, 0x6808, 10, 0},
                       {0x102, 2, 0x6808, 10, 0},
                       {0x104, 2, 0x3301, 10, 0},
                       {0x106, 2, 0x6808, 10, 0},
                       {0x200, 2, 0x6808, 10, 0}};
  mn_region region = {.counts = counts, .count = 5};
  mn_instructions in =
      instructions_of("ldr r0, [r1]\nldr r0, [r1]\nadds r0, #1\nldr r0, [r1]\nnop\nldr r0, [r1]");
  counts[4].address = 0x10a;
  assert_int_equal((int)mn_m4_cycles(&region, &in), 20 + 10 + 10 + 20 + 20);
  assert_int_equal((int)mn_m3_cycles(&region, &in), 20 + 10 + 10 + 20 + 20);
  assert_int_equal((int)mn_m0_cycles(&region, &in), 20 + 20 + 10 + 20 + 20);
}

/* ---- ELF ------------------------------------------------------------------------------------*/

static void what_is_no_arm_program_is_refused(void **state) {
  (void)state;
  mn_elf elf;
  const char *folder = test_folder();
  assert_int_equal(mn_elf_read(&elf, arena, write_text(folder, "text", "hello"), &error),
                   MN_ERR_FORMAT);
  assert_int_equal(mn_elf_read(&elf, arena, "/proc/self/exe", &error), MN_ERR_FORMAT); /* 64 bits */
  assert_int_equal(mn_elf_read(&elf, arena, mn_arena_text(arena, "%s/none", folder), &error),
                   MN_ERR_FORMAT);
}

static void put32(uint8_t *at, uint32_t value) {
  for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> 8 * i);
}

/* Header, then three sections: null, a string table that names them, a table of symbols. */
enum { ELF_BYTES = 52 + 3 * 40 + 32 + 32 };
static void make_elf(uint8_t *file) {
  static const uint8_t start[] = {0x7F, 'E', 'L', 'F', 1, 1};
  uint8_t *sections = file + 52, *strings = sections + 120, *symbols = strings + 32;
  memset(file, 0, ELF_BYTES);
  memcpy(file, start, sizeof start);
  put32(file + 32, 52);            /* section headers */
  put32(file + 46, 40 | 3u << 16); /* their size and number */
  put32(file + 50, 1);             /* names are in section 1 */
  memcpy(strings, "\0names\0symbols\0main", 19);
  put32(sections + 40, 1), put32(sections + 44, 3), put32(sections + 56, 172),
      put32(sections + 60, 32);
  put32(sections + 80, 7), put32(sections + 84, 2), put32(sections + 96, 204),
      put32(sections + 100, 32);
  put32(sections + 104, 1); /* symbols' names */
  put32(symbols + 16, 15), put32(symbols + 20, 0x101), put32(symbols + 24, 8);
  symbols[28] = 0x12, symbols[30] = 1; /* a global function in section 1 */
}

static mn_status read_elf(mn_elf *elf, const uint8_t *file, size_t size) {
  const char *path = mn_arena_text(arena, "%s/elf", test_folder());
  assert_ok(mn_file_write(path, file, size, &error), &error);
  return mn_elf_read(elf, arena, path, &error);
}

static void sections_and_symbols_are_read_and_every_cut_is_survived(void **state) {
  (void)state;
  uint8_t file[ELF_BYTES];
  mn_elf elf;
  make_elf(file);
  assert_ok(read_elf(&elf, file, ELF_BYTES), &error);
  assert_int_equal(elf.section_count, 3);
  assert_string_equal(elf.sections[2].name, "symbols");
  const mn_elf_symbol *symbol = mn_elf_find(&elf, "main");
  assert_non_null(symbol);
  assert_true(symbol->function && symbol->global);
  assert_int_equal(symbol->value, 0x101);
  for (size_t size = 0; size < ELF_BYTES; size++)
    assert_int_equal(read_elf(&elf, file, size), MN_ERR_FORMAT);
}

static void a_damaged_elf_never_leads_outside(void **state) {
  (void)state;
  uint8_t file[ELF_BYTES];
  mn_elf elf;
  mn_rng rng = mn_rng_seed(9);
  for (int i = 0; i < 400; i++) {
    make_elf(file);
    for (int k = 0; k < 4; k++)
      file[6 + mn_rng_below(&rng, ELF_BYTES - 6)] = (uint8_t)mn_rng_next(&rng);
    mn_status status = read_elf(&elf, file, ELF_BYTES); /* the sanitizers look on */
    assert_true(status == MN_OK || status == MN_ERR_FORMAT || status == MN_ERR_MEMORY);
  }
}

/* ---- Vectors --------------------------------------------------------------------------------*/

static const mn_graph *random_graph(uint64_t seed) {
  return test_random_frozen(arena, test_random_bare(arena, seed, 6), seed);
}

static void own_vectors_depend_on_the_seed_alone(void **state) {
  (void)state;
  const mn_graph *graph = random_graph(1);
  mn_vectors a, b, c;
  assert_ok(mn_vectors_make(&a, arena, graph, 3, 5, &error), &error);
  assert_ok(mn_vectors_make(&b, arena, graph, 2, 5, &error), &error);
  assert_ok(mn_vectors_make(&c, arena, graph, 2, 6, &error), &error);
  assert_memory_equal(a.input[1], b.input[1], a.input_bytes);
  assert_memory_not_equal(a.input[0], a.input[1], a.input_bytes);
  assert_memory_not_equal(a.input[0], c.input[0], a.input_bytes);
}

static void a_folder_of_vectors_that_does_not_fit_is_refused(void **state) {
  (void)state;
  const mn_graph *graph = random_graph(1);
  mn_vectors vectors;
  const char *folder = mn_arena_text(arena, "%s", test_folder());
  assert_int_equal(mn_vectors_read(&vectors, arena, graph, folder, &error), MN_ERR_IO);
  assert_non_null(strstr(error.text, "holds no in00.bin"));
  write_text(folder, "in00.bin", "short");
  assert_int_equal(mn_vectors_read(&vectors, arena, graph, folder, &error), MN_ERR_FORMAT);
  assert_non_null(strstr(error.text, "holds 5 bytes; the model's tensor has"));

  assert_ok(mn_vectors_make(&vectors, arena, graph, 1, 1, &error), &error);
  const char *path = mn_arena_text(arena, "%s/in00.bin", folder);
  assert_ok(mn_file_write(path, vectors.input[0], vectors.input_bytes, &error), &error);
  assert_ok(mn_vectors_read(&vectors, arena, graph, folder, &error), &error);
  static const char *const wrong[] = {
      "{", "{\"tensors\": [], \"vectors\": []}",
      "{\"tensors\": [{\"op\": 0, \"bytes\": 4}], \"vectors\": [{\"crc32\": [\"12\"]}]}"};
  for (size_t i = 0; i < MN_COUNT(wrong); i++) {
    write_text(folder, "tensors.json", wrong[i]);
    assert_int_equal(mn_vectors_read(&vectors, arena, graph, folder, &error), MN_ERR_FORMAT);
    assert_non_null(strstr(error.text, "tensors.json"));
  }
}

/* ---- Parity ---------------------------------------------------------------------------------*/

typedef struct scene {
  const mn_graph *graph;
  mn_vectors vectors;
  mn_reference reference;
} scene;

static scene make_scene(void) {
  scene s = {.graph = random_graph(4)};
  assert_ok(mn_vectors_make(&s.vectors, arena, s.graph, 2, 1, &error), &error);
  assert_ok(mn_reference_run(&s.reference, arena, s.graph, &s.vectors, &error), &error);
  return s;
}

/* What a firmware would say whose op `wrong_op` of vector 1 is wrong, and that never shows `lost_op`. */
static mn_bytes speech(const scene *s, int32_t wrong_op, int32_t lost_op) {
  mn_buffer text = {0};
  mn_sink sink = mn_buffer_sink(&text);
  for (int32_t v = 0; v < s->vectors.count; v++) {
    mn_sink_printf(&sink, "vector=%d\n", v);
    for (int32_t op = 0; op < s->graph->op_count; op++) {
      size_t bytes = (size_t)(s->reference.offset[op + 1] - s->reference.offset[op]);
      uint32_t crc = mn_crc32(0, s->reference.tensors[v] + s->reference.offset[op], bytes);
      if (op == lost_op) continue;
      mn_sink_printf(&sink, "op=%d first_row=0 rows=1 bytes=%zu crc=%08x\n", op, bytes,
                     crc ^ (uint32_t)(op == wrong_op && v == 1));
    }
    mn_sink_printf(&sink, "output_bytes=%zu crc=%08x\n", s->vectors.output_bytes,
                   mn_crc32(0, s->reference.output[v], s->vectors.output_bytes));
  }
  const char *copy = mn_arena_text(arena, "%.*s", (int)text.size, (const char *)text.data);
  mn_buffer_free(&text);
  return (mn_bytes){(const uint8_t *)copy, strlen(copy)};
}

static void the_same_bits_are_no_mismatch(void **state) {
  (void)state;
  scene s = make_scene();
  mn_bench_result result = {0};
  assert_ok(mn_parity_check(&result, arena, &s.reference, &s.vectors, speech(&s, -1, -1), &error),
            &error);
  assert_int_equal(result.parity.mismatches, 0);
  assert_int_equal(result.parity.tensors, s.graph->op_count);
  assert_int_equal(result.parity.vectors, 2);
  assert_null(result.parity.first_mismatch);
}

static void one_wrong_tensor_is_found_and_named(void **state) {
  (void)state;
  scene s = make_scene();
  mn_bench_result result = {0};
  int32_t last = s.graph->op_count - 1;
  assert_ok(mn_parity_check(&result, arena, &s.reference, &s.vectors, speech(&s, last, -1), &error),
            &error);
  assert_int_equal(result.parity.mismatches, 1);
  assert_non_null(
      strstr(result.parity.first_mismatch, mn_arena_text(arena, "vector 1, op %d ", last)));
  assert_non_null(strstr(result.parity.first_mismatch, "(firmware)"));
}

static void a_tensor_that_is_never_whole_is_listed(void **state) {
  (void)state;
  scene s = make_scene();
  mn_bench_result result = {0};
  assert_ok(mn_parity_check(&result, arena, &s.reference, &s.vectors, speech(&s, -1, 0), &error),
            &error);
  assert_int_equal(result.parity.mismatches, 0);
  assert_int_equal(result.parity.tensors, s.graph->op_count - 1);
  assert_int_equal(result.parity.not_materialised_count, 1);
  assert_string_equal(result.parity.not_materialised[0], s.graph->ops[0].name);
}

static void stored_tensors_that_differ_are_mismatches(void **state) {
  (void)state;
  scene s = make_scene();
  mn_bench_result result = {0};
  uint8_t *output = mn_arena_copy(arena, s.reference.output[0], s.vectors.output_bytes);
  output[0] ^= 1;
  s.vectors.output[0] = output;
  assert_ok(mn_parity_check(&result, arena, &s.reference, &s.vectors, speech(&s, -1, -1), &error),
            &error);
  assert_int_equal(result.parity.mismatches, 1);
  assert_non_null(strstr(result.parity.first_mismatch, "golden output"));
}

static void a_program_that_stops_or_babbles_is_an_error(void **state) {
  (void)state;
  scene s = make_scene();
  mn_bench_result result = {0};
  mn_bytes all = speech(&s, -1, -1);
  const char *half = mn_arena_text(
      arena, "%.*s", (int)(strstr((const char *)all.data, "vector=1") - (const char *)all.data),
      (const char *)all.data);
  mn_bytes cut = {(const uint8_t *)half, strlen(half)};
  assert_int_equal(mn_parity_check(&result, arena, &s.reference, &s.vectors, cut, &error),
                   MN_ERR_FAILED);
  assert_string_equal(error.text, "the bench program finished 1 of 2 vectors");
  static const char *const babble[] = {"vector=0\nop=99999 first_row=0 rows=1 bytes=1 crc=0\n",
                                       "op=0 first_row=0 rows=1 bytes=1 crc=0\n",
                                       "vector=0\nop=0 first_row=0 rows=1 bytes=99999999 crc=0\n",
                                       "vector=0\nop=0 first_row=-1 rows=1 bytes=1 crc=0\n",
                                       "vector=0\nop=0 first_row=0 rows=0 bytes=1 crc=0\n",
                                       "vector=5\n"};
  for (size_t i = 0; i < MN_COUNT(babble); i++) {
    mn_bytes text = {(const uint8_t *)babble[i], strlen(babble[i])};
    assert_int_equal(mn_parity_check(&result, arena, &s.reference, &s.vectors, text, &error),
                     MN_ERR_FAILED);
    assert_non_null(strstr(error.text, "makes no sense"));
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, done)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_child_works_in_its_folder_and_its_words_are_kept),
      TEST(a_program_that_is_not_there_is_named),
      TEST(a_child_that_never_ends_is_ended),
      TEST(a_scratch_folder_is_gone_afterwards),
      TEST(counts_are_read_by_region),
      TEST(counts_that_are_cut_short_are_refused),
      TEST(every_kind_of_instruction_has_its_cycles),
      TEST(a_load_right_behind_memory_takes_one_cycle),
      TEST(what_is_no_arm_program_is_refused),
      TEST(sections_and_symbols_are_read_and_every_cut_is_survived),
      TEST(a_damaged_elf_never_leads_outside),
      TEST(own_vectors_depend_on_the_seed_alone),
      TEST(a_folder_of_vectors_that_does_not_fit_is_refused),
      TEST(the_same_bits_are_no_mismatch),
      TEST(one_wrong_tensor_is_found_and_named),
      TEST(a_tensor_that_is_never_whole_is_listed),
      TEST(stored_tensors_that_differ_are_mismatches),
      TEST(a_program_that_stops_or_babbles_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
