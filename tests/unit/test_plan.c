/* The planner: layouts against exhaustive search, plans against each other on random graphs, prices.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "micronets/exec.h"
#include "plan/kernel_table.h"
#include "plan/layout.h"
#include "models.h"
#include "random_graph.h"
#include "support.h"

/* ---- Layout --------------------------------------------------------------------------------*/
enum { FEW = 6 };

static bool live_together(const mn_block *a, const mn_block *b) {
  return a->first <= b->last && b->first <= a->last;
}

static bool may_lie_below(const mn_block *blocks, int32_t a, int32_t b) {
  for (int32_t i = 0; i < MN_BLOCK_MAX_OVER; i++)
    if (blocks[a].over[i] == b && blocks[b].offset - blocks[a].offset >= blocks[a].distance[i])
      return true;
  return blocks[b].offset - blocks[a].offset >= blocks[a].bytes;
}

static bool layout_is_valid(const mn_block *blocks, int32_t count) {
  for (int32_t a = 0; a < count; a++)
    for (int32_t b = 0; b < a; b++)
      if (live_together(&blocks[a], &blocks[b]) && !may_lie_below(blocks, a, b) &&
          !may_lie_below(blocks, b, a))
        return false;
  return true;
}

/* All offsets in steps of 1 up to `most`: the truth for tiny cases. */
static int64_t smallest_layout(mn_block *blocks, int32_t count, int32_t next, int64_t most) {
  if (next == count) {
    int64_t end = 0;
    for (int32_t b = 0; b < count; b++)
      end = blocks[b].offset + blocks[b].bytes > end ? blocks[b].offset + blocks[b].bytes : end;
    return end;
  }
  int64_t best = most;
  for (int64_t offset = 0; offset + blocks[next].bytes < best; offset++) {
    blocks[next].offset = offset;
    if (!layout_is_valid(blocks, next + 1)) continue;
    int64_t end = smallest_layout(blocks, count, next + 1, best);
    if (end < best) best = end;
  }
  return best;
}

static int32_t random_blocks(mn_block *blocks, mn_rng *rng) {
  int32_t count = 2 + (int32_t)mn_rng_below(rng, FEW - 1);
  for (int32_t b = 0; b < count; b++) {
    int32_t first = (int32_t)mn_rng_below(rng, 6);
    blocks[b] = (mn_block){.bytes = 1 + mn_rng_below(rng, 5),
                           .first = first,
                           .last = first + (int32_t)mn_rng_below(rng, 4),
                           .over = {-1, -1}};
  }
  for (int32_t y = 0; y < count; y++)
    for (int32_t x = 0; x < count; x++)
      if (x != y && blocks[x].last == blocks[y].first && blocks[x].first < blocks[y].first &&
          mn_rng_below(rng, 2) == 0) {
        blocks[y].over[0] = x;
        blocks[y].distance[0] = mn_rng_below(rng, 3);
      }
  return count;
}

static void layouts_should_be_valid_and_as_small_as_exhaustive_search_finds(void **state) {
  (void)state;
  mn_arena *arena = NULL;
  mn_error error = {{0}};
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  int beaten_bound = 0;
  for (uint64_t seed = 0; seed < 400; seed++) {
    mn_rng rng = mn_rng_seed(seed);
    mn_block blocks[FEW], copy[FEW];
    int32_t count = random_blocks(blocks, &rng);
    memcpy(copy, blocks, sizeof blocks);
    mn_layout layout;
    mn_layout_limits limits = {.align = 1, .nodes = 1000000, .most = INT64_MAX};
    assert_ok(mn_layout_solve(&layout, blocks, count, &limits, arena, &error), &error);
    assert_true(layout_is_valid(blocks, count));
    assert_int_equal(layout.bytes, layout.lower_bound);
    if (layout.nodes > 0) beaten_bound++;
    int64_t truth = smallest_layout(copy, count, 0, layout.bytes + 1);
    if (truth != layout.bytes)
      fail_msg("seed %d: %d, truth %d", (int)seed, (int)layout.bytes, (int)truth);
  }
  assert_true(beaten_bound > 3); /* the search itself was exercised */
  mn_arena_destroy(arena);
}

/* ---- Plans against each other ------------------------------------------------------------------*/
typedef struct seen {
  uint32_t crc[64];
  int32_t rows[64];
} seen;

static void see(void *context, int32_t op, int32_t first_row, int32_t rows, const void *data,
                size_t bytes) {
  seen *s = context;
  assert_int_equal(s->rows[op], first_row);
  s->crc[op] = mn_crc32(first_row == 0 ? 0 : s->crc[op], data, bytes);
  s->rows[op] += rows;
}

/* Every op of the plan once, over an arena that held `filling` before. */
static seen run(const mn_plan *plan, uint64_t seed, int filling) {
  seen s = {{0}, {0}};
  mn_error error = {{0}};
  mn_exec *exec = NULL;
  assert_ok(mn_exec_create(&exec, plan, &error), &error);
  uint8_t *base = (uint8_t *)mn_exec_input(exec, 0) - plan->tensor_offset[plan->graph->inputs[0]];
  memset(base, filling, (size_t)plan->arena_bytes);
  const mn_tensor *x = &plan->graph->tensors[plan->graph->inputs[0]];
  test_random_bytes(mn_exec_input(exec, 0), mn_tensor_bytes(x), seed);
  mn_exec_run(exec, &(mn_watch){see, &s});
  mn_exec_destroy(exec);
  return s;
}

static const mn_plan *make_plan(mn_arena *arena, const mn_graph *graph, mn_plan_options options) {
  const mn_plan *plan = NULL;
  mn_error error = {{0}};
  assert_ok(mn_plan_make(&plan, arena, graph, NULL, &options, &error), &error);
  return plan;
}

static void check_same(const mn_plan *plan, const seen *a, const seen *b, uint64_t seed,
                       const char *what) {
  for (int32_t op = 0; op < plan->graph->op_count; op++)
    if (a->crc[op] != b->crc[op])
      fail_msg("seed %d, %s: op %d (%s) differs", (int)seed, what, op,
               mn_op_info_get(plan->graph->ops[op].kind)->text);
}

static void every_plan_should_compute_what_the_keep_everything_plan_computes(void **state) {
  (void)state;
  static const mn_plan_options options[] = {{.kernels = "ref"},
                                            {.kernels = "ref", .no_in_place = true},
                                            {.kernels = "ref", .min_sram = true},
                                            {.kernels = "ref", .small = true},
                                            {.kernels = "host", .min_sram = true},
                                            {.kernels = "host"},
                                            {.kernels = "host", .no_in_place = true},
                                            {.kernels = "host", .keep_all = true},
                                            {.kernels = "dsp"},
                                            {.kernels = "dsp", .min_sram = true},
                                            {.kernels = "avx2"},
                                            {.kernels = "avx2", .keep_all = true}};
  int in_place = 0, aliases = 0, loops = 0, fused = 0;
  for (uint64_t seed = 0; seed < 200; seed++) {
    mn_arena *arena = NULL;
    assert_int_equal(mn_arena_create(&arena), MN_OK);
    const mn_graph *graph = test_random_frozen(arena, test_random_bare(arena, seed, 12), seed);
    const mn_plan *kept =
        make_plan(arena, graph, (mn_plan_options){.kernels = "ref", .keep_all = true});
    seen truth = run(kept, seed, 0);
    for (size_t o = 0; o < MN_COUNT(options); o++) {
      const mn_plan *plan = make_plan(arena, graph, options[o]);
      seen got = run(plan, seed, 0x5a);
      check_same(plan, &truth, &got, seed, options[o].kernels);
      assert_true(plan->arena_bytes <= kept->arena_bytes || options[o].kernels[0] != 'r');
      assert_true(plan->lower_bound_bytes <= plan->arena_bytes);
      for (int32_t g = 0; g < plan->group_count; g++) {
        loops += plan->groups[g].rows > 0;
        fused += plan->groups[g].op_count > 1;
      }
      assert_true(plan->schedule_bound_bytes <= plan->arena_bytes);
      for (int32_t s = 0; s < plan->step_count; s++) {
        if (plan->steps[s].kind != MN_STEP_CALL) continue;
        if (plan->steps[s].kernel == NULL)
          aliases++;
        else if (plan->steps[s].x[0].kind == MN_PLACE_ARENA &&
                 plan->steps[s].x[0].offset == plan->steps[s].y.offset)
          in_place++;
      }
    }
    mn_arena_destroy(arena);
  }
  assert_true(in_place > 50);
  assert_true(loops > 100);
  assert_true(fused > 10);
  assert_true(aliases > 50);
}

/* Any groups that fit into loops, not just those that a limit asks for. */
static const mn_plan *plan_of_random_groups(mn_arena *arena, const mn_graph *graph,
                                            const char *family, mn_rng *rng) {
  mn_plan_group *groups = mn_arena_array(arena, 64, sizeof *groups);
  const mn_plan *plan = NULL;
  int32_t count = 0;
  for (int32_t op = 0; op < graph->op_count;) {
    mn_plan_group *group = &groups[count++];
    for (int32_t tries = 0;; tries++) {
      mn_error error = {{0}};
      int32_t most = graph->op_count - op;
      *group = (mn_plan_group){.first_op = op, .op_count = 1};
      if (tries < 12) {
        group->op_count = 1 + (int32_t)mn_rng_below(rng, (uint32_t)most);
        group->rows = 1 + (int32_t)mn_rng_below(rng, 4);
      }
      /* the rest one by one, to ask for this group alone */
      int32_t all = count;
      for (int32_t rest = op + group->op_count; rest < graph->op_count; rest++)
        groups[all++] = (mn_plan_group){.first_op = rest, .op_count = 1};
      mn_plan_options options = {.kernels = family, .groups = groups, .group_count = all};
      if (mn_plan_make(&plan, arena, graph, NULL, &options, &error) == MN_OK) break;
      assert_true(tries < 12);
    }
    op += group->op_count;
  }
  return plan;
}

static void any_groups_in_loops_should_compute_what_the_keep_everything_plan_computes(
    void **state) {
  (void)state;
  static const char *const families[] = {"ref", "host", "plain", "dsp"};
  int fused = 0, moves = 0, over = 0, sums = 0;
  for (uint64_t seed = 0; seed < 600; seed++) {
    mn_arena *arena = NULL;
    mn_rng rng = mn_rng_stream(seed, 9, 1);
    assert_int_equal(mn_arena_create(&arena), MN_OK);
    const mn_graph *graph = test_random_frozen(arena, test_random_bare(arena, seed, 12), seed);
    const mn_plan *kept =
        make_plan(arena, graph, (mn_plan_options){.kernels = "ref", .keep_all = true});
    const mn_plan *plan =
        plan_of_random_groups(arena, graph, families[seed % MN_COUNT(families)], &rng);
    seen truth = run(kept, seed, 0), got = run(plan, seed, 0x5a);
    check_same(plan, &truth, &got, seed, "groups");
    for (int32_t g = 0; g < plan->group_count; g++) fused += plan->groups[g].op_count > 1;
    for (int32_t s = 0; s < plan->step_count; s++) {
      const mn_plan_step *step = &plan->steps[s];
      if (step->kind != MN_STEP_CALL || step->kernel == NULL) continue;
      moves += step->kernel == mn_kernel_move();
      sums += step->kernel->by_input_rows;
      over += step->x[0].kind == MN_PLACE_ARENA && step->y.tensor >= 0 && step->rows < 4 &&
              step->x[0].offset >= step->y.offset && step->x[0].offset - step->y.offset < 64;
    }
    mn_arena_destroy(arena);
  }
  assert_true(fused > 200);
  assert_true(moves > 40);
  assert_true(over > 100);
  assert_true(sums > 10);
}

/* A few rows at a time, as a row loop would ask for them, give the whole tensor. */
static void kernels_should_compute_any_range_of_rows(void **state) {
  (void)state;
  int split = 0;
  for (uint64_t seed = 0; seed < 120; seed++) {
    mn_arena *arena = NULL;
    assert_int_equal(mn_arena_create(&arena), MN_OK);
    const mn_graph *graph = test_random_frozen(arena, test_random_bare(arena, seed, 6), seed);
    const mn_plan *kept =
        make_plan(arena, graph, (mn_plan_options){.kernels = "ref", .keep_all = true});
    seen truth = run(kept, seed, 0);
    mn_plan_step *steps = mn_arena_array(arena, (size_t)kept->step_count * 5, sizeof *steps);
    mn_plan rowwise = *kept;
    rowwise.steps = steps;
    rowwise.step_count = 0;
    for (int32_t s = 0; s < kept->step_count; s++) {
      mn_plan_step step = kept->steps[s];
      int32_t rows = step.rows, at_once = 1 + (int32_t)(seed % 3);
      step.rows = at_once;
      step.row_step = at_once;
      steps[rowwise.step_count++] =
          (mn_plan_step){.kind = MN_STEP_LOOP, .count = (rows + at_once - 1) / at_once};
      steps[rowwise.step_count++] = step;
      steps[rowwise.step_count++] = (mn_plan_step){.kind = MN_STEP_END};
      split += rows > at_once;
    }
    seen got = run(&rowwise, seed, 0);
    check_same(kept, &truth, &got, seed, "row by row");
    mn_arena_destroy(arena);
  }
  assert_true(split > 100);
}

/* ---- Thrifty kernels -----------------------------------------------------------------------------*/
static int32_t count_calls(const mn_plan *plan, const char *symbol) {
  int32_t calls = 0;
  for (int32_t s = 0; s < plan->step_count; s++)
    calls += plan->steps[s].kernel != NULL && strcmp(plan->steps[s].kernel->symbol, symbol) == 0;
  return calls;
}

/* Of two depthwise layers that run over their input, one decides what the arena is. */
static const mn_graph *two_depthwise_layers(mn_arena *arena) {
  const mn_window same = {3, 3, 1, 1, 1, 1, 1, MN_PADDING_SAME};
  const mn_window pool = {4, 4, 4, 4, 1, 1, 1, MN_PADDING_VALID};
  model m = model_begin(arena, 3, MN_DTYPE_INT8, MN_DTYPE_INT8);
  mn_tensor_id x = model_input(&m, "x", (mn_shape){4, {1, 24, 24, 8}});
  mn_tensor_id y = model_depthwise(&m, "large", x, same, MN_ACTIVATION_RELU);
  y = model_pool(&m, "pool", y, MN_OP_AVERAGE_POOL_2D, pool);
  y = model_depthwise(&m, "small", y, same, MN_ACTIVATION_RELU);
  return model_finish(&m, &x, 1, &y, 1);
}

static void kernels_in_less_scratch_should_run_only_where_that_makes_the_arena_smaller(
    void **state) {
  (void)state;
  const char *narrow = "mn_depthwise_3x3_narrow_s8_dsp", *wide = "mn_depthwise_3x3_s8_dsp";
  mn_arena *arena = NULL;
  mn_error error = {{0}};
  const mn_target *target = NULL;
  const mn_plan *plan = NULL, *least = NULL, *within = NULL;
  double cycles = 0;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  assert_ok(mn_target_read(&target, arena, "mps2-an386", &error), &error);
  const mn_graph *graph = two_depthwise_layers(arena);
  mn_plan_options options = {0};
  assert_ok(mn_plan_make(&plan, arena, graph, target, &options, &error), &error);
  assert_int_equal(count_calls(plan, wide), 2);
  for (int32_t op = 0; op < graph->op_count; op++) cycles += mn_plan_op_cycles(plan, op, target);
  options.max_cycles = (int64_t)(1.5 * cycles);
  assert_ok(mn_plan_make(&least, arena, graph, target, &options, &error), &error);
  assert_int_equal(count_calls(least, narrow), 1);
  assert_int_equal(count_calls(least, wide), 1);
  assert_true(least->arena_bytes < plan->arena_bytes);
  options.max_cycles = (int64_t)ceil(cycles); /* none to spare */
  assert_ok(mn_plan_make(&within, arena, graph, target, &options, &error), &error);
  assert_int_equal(count_calls(within, narrow), 0);
  mn_arena_destroy(arena);
}

/* ---- Bare and frozen -------------------------------------------------------------------------*/
static void a_bare_graph_should_have_the_arena_of_its_frozen_one_and_no_smaller_constants(
    void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 60; seed++) {
    mn_arena *arena = NULL;
    assert_int_equal(mn_arena_create(&arena), MN_OK);
    const mn_graph *bare = test_random_bare(arena, seed, 12);
    const mn_graph *frozen = test_random_frozen(arena, bare, seed);
    const mn_plan *a = make_plan(arena, bare, (mn_plan_options){0});
    const mn_plan *b = make_plan(arena, frozen, (mn_plan_options){0});
    assert_int_equal(a->arena_bytes, b->arena_bytes);
    assert_int_equal(a->constant_count, b->constant_count);
    for (int32_t i = 0; i < a->constant_count; i++) {
      assert_true(a->constants[i].bytes >= b->constants[i].bytes);
      assert_string_equal(a->constants[i].name, b->constants[i].name);
    }
    mn_arena_destroy(arena);
  }
}

/* ---- The smooth term -------------------------------------------------------------------------*/
typedef double smooth_term(double *gradient, const mn_plan *plan, const double *bytes,
                           const double *exists, double sharpness);

static double of_schedule(double *gradient, const mn_plan *plan, const double *bytes,
                          const double *exists, double sharpness) {
  static int32_t op[64];
  for (int32_t i = 0; i < plan->graph->op_count; i++) op[i] = i;
  const mn_memory memory = {plan->blocks, plan->block_count, op, plan->graph->op_count};
  return mn_plan_expected_sram(gradient, &memory, bytes, plan->graph->tensor_count, exists,
                               sharpness);
}

static double of_paper(double *gradient, const mn_plan *plan, const double *bytes,
                       const double *exists, double sharpness) {
  return mn_paper_expected_sram(gradient, plan->graph, bytes, exists, sharpness);
}

static double *bytes_of_tensors(mn_arena *arena, const mn_graph *graph) {
  double *bytes = mn_arena_array(arena, (size_t)graph->tensor_count, sizeof *bytes);
  for (int32_t t = 0; t < graph->tensor_count; t++)
    bytes[t] = graph->tensors[t].constant ? 0 : (double)mn_tensor_bytes(&graph->tensors[t]);
  return bytes;
}

static void check_gradient(mn_arena *arena, const mn_plan *plan, smooth_term *term, uint64_t seed) {
  const mn_graph *graph = plan->graph;
  size_t tensors = (size_t)graph->tensor_count;
  double *bytes = bytes_of_tensors(arena, graph), exists[64], step = 1e-4;
  double *gradient = mn_arena_array(arena, tensors, sizeof *gradient);
  double *unused = mn_arena_array(arena, tensors, sizeof *unused);
  mn_rng rng = mn_rng_stream(seed, 3, 3);
  for (int32_t op = 0; op < graph->op_count; op++) exists[op] = mn_rng_range(&rng, 0.2, 1);
  /* off the edges at which rows of a slab or an output written over its input change sides */
  for (size_t t = 0; t < tensors; t++) bytes[t] *= mn_rng_range(&rng, 0.9, 1.1);
  double smooth = term(gradient, plan, bytes, exists, 40);
  for (size_t t = 0; t < tensors; t++) {
    double kept = bytes[t];
    if (graph->tensors[t].constant) continue;
    bytes[t] = kept + step;
    double up = term(unused, plan, bytes, exists, 40);
    bytes[t] = kept;
    if (fabs((up - smooth) / step - gradient[t]) > 1e-2)
      fail_msg("seed %d tensor %d: %g, numeric %g", (int)seed, (int)t, gradient[t],
               (up - smooth) / step);
  }
}

static void expected_sram_should_be_the_plans_bound_and_have_the_gradient_of_its_value(
    void **state) {
  (void)state;
  static const mn_plan_options options[] = {{0}, {.kernels = "ref", .min_sram = true}};
  int slabs = 0, over = 0;
  for (uint64_t seed = 0; seed < 200; seed++) {
    mn_arena *arena = NULL;
    assert_int_equal(mn_arena_create(&arena), MN_OK);
    const mn_graph *bare = test_random_bare(arena, seed, 12);
    const mn_plan *plan = make_plan(arena, bare, options[seed % 2]);
    double *gradient = mn_arena_array(arena, (size_t)bare->tensor_count, sizeof *gradient);
    double exists[64];
    for (int32_t op = 0; op < bare->op_count; op++) exists[op] = 1;
    double most =
        of_schedule(gradient, plan, bytes_of_tensors(arena, bare), exists, (double)INFINITY);
    double bound = (double)plan->lower_bound_bytes;
    if (most > bound + 0.5 || most < 0.98 * bound)
      fail_msg("seed %d: expected %g, bound %d, arena %d", (int)seed, most,
               (int)plan->lower_bound_bytes, (int)plan->arena_bytes);
    check_gradient(arena, plan, of_schedule, seed);
    check_gradient(arena, plan, of_paper, seed);
    for (int32_t b = 0; b < plan->block_count; b++) {
      slabs += plan->blocks[b].tensor >= 0 && plan->blocks[b].share < 1;
      over += plan->blocks[b].y_share[0] > 0;
    }
    mn_arena_destroy(arena);
  }
  assert_true(slabs > 10 && over > 20);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(layouts_should_be_valid_and_as_small_as_exhaustive_search_finds),
      cmocka_unit_test(every_plan_should_compute_what_the_keep_everything_plan_computes),
      cmocka_unit_test(any_groups_in_loops_should_compute_what_the_keep_everything_plan_computes),
      cmocka_unit_test(kernels_should_compute_any_range_of_rows),
      cmocka_unit_test(kernels_in_less_scratch_should_run_only_where_that_makes_the_arena_smaller),
      cmocka_unit_test(
          a_bare_graph_should_have_the_arena_of_its_frozen_one_and_no_smaller_constants),
      cmocka_unit_test(expected_sram_should_be_the_plans_bound_and_have_the_gradient_of_its_value),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
