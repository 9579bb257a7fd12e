/* test_cycles.c - cycle models on a few instructions, the fit behind the cycle table, costs of ops, and
 * lines of a serial port. SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/cycle_models.h"
#include "bench/fit.h"
#include "bench/serial.h"
#include "models.h"
#include "plan/cycles.h"
#include "plan/kernel_table.h"

static mn_arena *arena;
static mn_error error;

/* ---- Models ---------------------------------------------------------------------------------*/

/* A straight run of lines "mnemonic operands", four bytes each, executed `times`. */
static double cycles_of(const char *core, const char *lines, uint64_t times) {
  enum { MOST = 16 };
  static mn_count counts[MOST];
  mn_region region = {.counts = counts};
  mn_instructions in;
  char text[1024];
  size_t used = 0;
  for (const char *at = lines; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n') {
    size_t length = strcspn(at, "\n"), word = strcspn(at, " \n");
    uint32_t address = 0x100u + 4u * (uint32_t)region.count;
    used += (size_t)snprintf(text + used, sizeof text - used, "  %x:\t%.*s\t%.*s\n", address,
                             (int)word, at, (int)(length > word ? length - word - 1 : 0),
                             at + word + (length > word));
    counts[region.count++] = (mn_count){address, 4, 0, times, 0};
  }
  assert_ok(mn_instructions_parse(&in, arena, mn_arena_copy(arena, text, used + 1), &error),
            &error);
  assert_int_equal(in.count, region.count);
  return mn_cycle_model_of(core)->cycles(&region, &in);
}

static void every_core_has_its_cycles_for_a_run(void **state) {
  (void)state;
  static const struct {
    const char *core, *lines;
    double cycles;
  } cases[] = {
      {"cortex-m0", "ldr r0, [r1, #0]\nstr r0, [r2, #0]\nadds r0, #1", 5},
      {"cortex-m0plus", "push {r4, r5, lr}\nmuls r0, r1, r0", 5},
      {"cortex-m3", "mla r0, r1, r2, r0\nsmull r0, r1, r2, r3\nldr r0, [r1, #0]", 8},
      {"cortex-m4", "mla r0, r1, r2, r0\nsmull r0, r1, r2, r3\nldr r0, [r1, #0]", 4},
      {"cortex-m33", "ldrd r0, r1, [r2]\nsmlad r0, r1, r2, r3", 4},
      /* two at a time, unless the second needs the first or both multiply */
      {"cortex-m7", "add.w r0, r1, r2\nadd.w r3, r4, r5\nadd.w r6, r7, r8\nadd.w r9, r7, r8", 2},
      {"cortex-m7", "add.w r0, r1, r2\nadd.w r3, r0, r5", 2},
      {"cortex-m7", "mul.w r0, r1, r2\nmul.w r3, r4, r5", 2},
      {"cortex-m7", "ldr r0, [r1, #0]\nsmlad r2, r0, r3, r2", 3},
      {"cortex-m7", "ldmia r0!, {r1, r2, r3, r4}", 2},
      /* vectors overlap where their units differ */
      {"cortex-m55", "vldrb.8 q0, [r0]\nvmlava.s8 r2, q0, q1\nvldrb.8 q2, [r0]", 4},
      {"cortex-m55", "vadd.i32 q0, q1, q2\nvadd.i32 q3, q1, q2", 4},
  };
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    double found = cycles_of(cases[i].core, cases[i].lines, 10) / 10;
    if (fabs(found - cases[i].cycles) > 1e-9)
      fail_msg("%s: %s: %g cycles, expected %g", cases[i].core, cases[i].lines, found,
               cases[i].cycles);
  }
  assert_null(mn_cycle_model_of("cortex-a7"));
}

/* ---- Table ----------------------------------------------------------------------------------*/

static void a_fit_finds_the_terms_and_none_below_zero(void **state) {
  (void)state;
  enum { ROWS = 12, TERMS = 3 };
  double terms[ROWS * TERMS], value[ROWS], c[TERMS];
  for (int r = 0; r < ROWS; r++) {
    terms[r * TERMS] = 1;
    terms[r * TERMS + 1] = r + 1;
    terms[r * TERMS + 2] = (r * 7) % 5 + 1;
    value[r] = 40 + 3 * (r + 1);
  }
  mn_fit_nonnegative(c, terms, value, ROWS, TERMS);
  assert_true(fabs(c[0] - 40) < 0.01 && fabs(c[1] - 3) < 0.01 && fabs(c[2]) < 0.01);
  for (int r = 0; r < ROWS; r++) value[r] = 100 - 3 * (r + 1); /* falls with the second term */
  mn_fit_nonnegative(c, terms, value, ROWS, TERMS);
  assert_true(c[0] > 0 && c[1] <= 0 && c[2] >= 0);
}

static void cycles_of_an_op_grow_with_its_calls_and_are_unknown_without_a_row(void **state) {
  (void)state;
  const mn_graph *graph = model_make(arena, 0, NULL);
  int32_t index = 0;
  while (graph->ops[index].kind != MN_OP_CONV_2D) index++;
  const mn_op *op = &graph->ops[index];
  mn_target target = {.core = "cortex-m4"};
  const char *reason = NULL;
  const mn_kernel_row *row = mn_kernel_find(graph, op, "ref", &reason);
  double terms[MN_CYCLE_TERMS];
  mn_cycle_terms(terms, graph, op, 2);
  assert_true(terms[MN_CYCLE_CALLS] > 1.9 && terms[MN_CYCLE_MACS] >= terms[MN_CYCLE_INSIDE_MACS]);
  assert_int_equal((int64_t)terms[MN_CYCLE_MACS], mn_op_macs(graph, index));
  double once = mn_kernel_cycles(row, graph, op, &target, 1);
  assert_true(once > terms[MN_CYCLE_INSIDE_MACS]);
  assert_true(mn_kernel_cycles(row, graph, op, &target, 4) >= once);
  target.cycle_factor = 2;
  assert_true(fabs(mn_kernel_cycles(row, graph, op, &target, 1) - 2 * once) < 1);
  target.core = "cortex-a7";
  assert_true(mn_kernel_cycles(row, graph, op, &target, 1) < 0);
  assert_true(mn_kernel_cycles(row, graph, op, NULL, 1) < 0);
}

/* ---- Serial port ----------------------------------------------------------------------------*/

static void lines_of_a_port_are_whole_or_said_to_be_damaged(void **state) {
  (void)state;
  int ends[2];
  char line[64];
  bool whole = false;
  mn_serial serial = {.device = "pipe", .error = &error};
  static const char said[] = "hello=1 ~%08x\nhello=2 ~00000000\nno checksum\nhello=1";
  assert_int_equal(pipe(ends), 0);
  serial.file = ends[0];
  dprintf(ends[1], said, mn_crc32(0, "hello=1", 7));
  assert_ok(mn_serial_line(&serial, line, sizeof line, 1, &whole), &error);
  assert_true(whole);
  assert_string_equal(line, "hello=1");
  assert_ok(mn_serial_line(&serial, line, sizeof line, 1, &whole), &error);
  assert_false(whole);
  assert_ok(mn_serial_line(&serial, line, sizeof line, 1, &whole), &error);
  assert_false(whole);
  close(ends[1]);
  mn_serial_close(&serial);
}

static void a_port_that_is_none_is_refused(void **state) {
  (void)state;
  mn_serial serial;
  assert_int_equal(mn_serial_open(&serial, arena, "/dev/null:77", NULL, &error), MN_ERR_USAGE);
  assert_non_null(strstr(error.text, "DEVICE:BAUD"));
  assert_int_equal(mn_serial_open(&serial, arena, "/no/such/port", NULL, &error), MN_ERR_IO);
  assert_non_null(strstr(error.text, "/no/such/port: cannot be opened"));
  assert_int_equal(mn_serial_open(&serial, arena, "/dev/null", NULL, &error), MN_ERR_IO);
  assert_non_null(strstr(error.text, "is no serial port"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_core_has_its_cycles_for_a_run),
      cmocka_unit_test(a_fit_finds_the_terms_and_none_below_zero),
      cmocka_unit_test(cycles_of_an_op_grow_with_its_calls_and_are_unknown_without_a_row),
      cmocka_unit_test(lines_of_a_port_are_whole_or_said_to_be_damaged),
      cmocka_unit_test(a_port_that_is_none_is_refused),
  };
  if (mn_arena_create(&arena) != MN_OK) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  mn_arena_destroy(arena);
  return failed;
}
