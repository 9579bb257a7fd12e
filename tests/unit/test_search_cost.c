/* test_search_cost.c - the search's smooth price: exact at one-hot, with the right gradient; masks and
 * architecture parameters; repair keeps budgets. SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <math.h>
#include <string.h>

#include "search/internal.h"

typedef struct fixture {
  mn_arena *arena;
  mn_net *net;
  const mn_graph *supernet;
  const mn_gate_map *gates;
  mn_pick widest;
  mn_options options;
  mn_search_config config;
  mn_error error;
} fixture;

static void open_text(fixture *f, const char *path, mn_bytes text) {
  assert_ok(mn_net_parse(&f->net, f->arena, path, text, &f->error), &f->error);
  assert_int_equal(mn_pick_create(&f->widest, f->arena, f->net), MN_OK);
  mn_pick_largest(&f->widest, f->net);
  assert_ok(mn_net_lower_supernet(&f->supernet, &f->gates, f->arena, f->net, &f->widest, &f->error),
            &f->error);
  f->options.allowed = mn_arena_array(f->arena, (size_t)mn_net_decisions(f->net), sizeof(bool *));
  for (int32_t d = 0; d < mn_net_decisions(f->net); d++) {
    size_t count = (size_t)mn_net_decision(f->net, d)->options;
    f->options.allowed[d] = mn_arena_array(f->arena, count, sizeof(bool));
    memset(f->options.allowed[d], 1, count);
  }
  f->config = (mn_search_config){.runtime = MN_RUNTIME_MICRONETS};
}

static void open_space(fixture *f, const char *file) {
  memset(f, 0, sizeof *f);
  assert_int_equal(mn_arena_create(&f->arena), MN_OK);
  open_text(f, file, test_read(f->arena, test_source(file)));
}

static void open_lines(fixture *f, const char *lines) {
  memset(f, 0, sizeof *f);
  assert_int_equal(mn_arena_create(&f->arena), MN_OK);
  open_text(f, "lines.net", (mn_bytes){(const uint8_t *)lines, strlen(lines)});
}

static double **new_rows(fixture *f) {
  double **rows = mn_arena_array(f->arena, (size_t)mn_net_decisions(f->net), sizeof *rows);
  for (int32_t d = 0; d < mn_net_decisions(f->net); d++)
    rows[d] = mn_arena_array(f->arena, (size_t)mn_net_decision(f->net, d)->options, sizeof **rows);
  return rows;
}

static const double *const *read_only(double **rows) {
  return (const double *const *)rows;
}

static void set_one_hot(fixture *f, double **p, const mn_pick *pick) {
  for (int32_t d = 0; d < pick->count; d++)
    for (int32_t k = 0; k < mn_net_decision(f->net, d)->options; k++)
      p[d][k] = k == pick->option[d];
}

static void expected_ops_and_flash_should_equal_the_lowered_graph_at_one_hot(void **state) {
  (void)state;
  static const char *const spaces[] = {"spaces/kws.net", "spaces/ad.net"};
  for (size_t s = 0; s < MN_COUNT(spaces); s++) {
    fixture f;
    open_space(&f, spaces[s]);
    double **p = new_rows(&f);
    mn_cost cost;
    assert_int_equal(mn_cost_create(&cost, f.arena, f.supernet, f.gates, f.net, &f.config), MN_OK);
    assert_ok(mn_cost_schedule(&cost, &f.widest, f.arena, &f.config, &f.error), &f.error);
    mn_rng rng = mn_rng_seed(s + 1);
    mn_pick pick;
    assert_int_equal(mn_pick_create(&pick, f.arena, f.net), MN_OK);
    for (int n = 0; n < 300; n++) {
      mn_arena_mark mark = mn_arena_mark_get(f.arena);
      const mn_graph *graph;
      double value[METRIC_COUNT];
      mn_pick_random(&pick, f.net, &rng);
      set_one_hot(&f, p, &pick);
      assert_int_equal(mn_cost_forward(&cost, value, read_only(p)), MN_OK);
      assert_ok(mn_net_lower(&graph, f.arena, f.net, &pick, &f.error), &f.error);
      mn_counts counts = mn_graph_counts(graph);
      assert_true(fabs(value[METRIC_OPS] - (double)counts.ops) < 0.5);
      assert_true(fabs(value[METRIC_FLASH] - (double)(counts.weights + 9 * counts.biases)) < 0.5);
      mn_arena_release(f.arena, mark);
    }
    mn_arena_destroy(f.arena);
  }
}

/* On a board, loops and all: what search adds is names and widths. Only bounds can be told exactly. */
static void at_one_hot_expected_sram_should_be_the_bound_of_the_scheduled_network(void **state) {
  (void)state;
  static const struct {
    const char *space, *target, *budget;
    int picks;
  } cases[] = {{"spaces/kws.net", NULL, "sram=1M", 100},
               {"spaces/kws.net", "targets/mps2-an386.ini", "sram=24K", 20},
               {"spaces/ad.net", "targets/mps2-an386.ini", "sram=60K", 15},
               {"spaces/ic.net", "targets/mps2-an386.ini", "sram=1M", 10},
               {"spaces/vww.net", "targets/mps2-an386.ini", "sram=20K", 5}};
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    fixture f;
    mn_cost cost;
    mn_pick pick;
    mn_rng rng = mn_rng_seed(i + 1);
    open_space(&f, cases[i].space);
    if (cases[i].target != NULL)
      assert_ok(mn_target_read(&f.config.target, f.arena, test_source(cases[i].target), &f.error),
                &f.error);
    assert_ok(mn_budget_parse(&f.config.budget, cases[i].budget, &f.error), &f.error);
    double **p = new_rows(&f);
    assert_int_equal(mn_cost_create(&cost, f.arena, f.supernet, f.gates, f.net, &f.config), MN_OK);
    assert_int_equal(mn_pick_create(&pick, f.arena, f.net), MN_OK);
    for (int n = 0; n < cases[i].picks; n++) {
      mn_price price;
      double value[METRIC_COUNT];
      mn_pick_random(&pick, f.net, &rng);
      for (int32_t d = 0; d < pick.count; d++)
        if (mn_net_decision(f.net, d)->kind == MN_DECISION_INPUT)
          pick.option[d] = f.widest.option[d];
      set_one_hot(&f, p, &pick);
      assert_ok(mn_search_price(&price, f.arena, f.net, &pick, &f.config, &f.error), &f.error);
      assert_ok(mn_cost_schedule(&cost, &pick, f.arena, &f.config, &f.error), &f.error);
      assert_int_equal(mn_cost_forward(&cost, value, read_only(p)), MN_OK);
      double most = mn_plan_expected_sram(cost.dtensor_bytes, &cost.memory, cost.tensor_bytes,
                                          f.supernet->tensor_count, cost.exists, (double)INFINITY);
      bool proved = price.sram.lower_bound == price.sram.arena;
      if (most > (double)price.sram.arena || (proved && most < 0.98 * (double)price.sram.arena))
        fail_msg("%s pick %d: expected %g, arena %lld", cases[i].space, n, most,
                 (long long)price.sram.arena);
    }
    mn_arena_destroy(f.arena);
  }
}

/* PADs between unequal widths are in the network and not in the supernet: it may have more ops. */
static void the_schedule_of_a_network_of_many_pads_should_find_its_ops(void **state) {
  (void)state;
  fixture f;
  mn_cost cost;
  mn_pick pick;
  open_lines(&f,
             "input 49x10x1\nconv 10x4 {16 32} stride 8\nconv 1x1 {8 32} residual times 40\nfc 2");
  assert_int_equal(mn_pick_create(&pick, f.arena, f.net), MN_OK);
  mn_pick_smallest(&pick, f.net);
  assert_int_equal(mn_cost_create(&cost, f.arena, f.supernet, f.gates, f.net, &f.config), MN_OK);
  assert_ok(mn_cost_schedule(&cost, &pick, f.arena, &f.config, &f.error), &f.error);
  assert_true(cost.memory.op_count > f.supernet->op_count);
  assert_true(mn_pick_equal(&cost.scheduled, &pick));
  for (int32_t op = 0; op < cost.memory.op_count; op++)
    assert_in_range(cost.op[op], 0, f.supernet->op_count - 1);
  mn_arena_destroy(f.arena);
}

/* The pool of its shortcut begins with the same name and comes first. */
static void a_strided_layer_should_be_scheduled_as_itself_and_not_as_its_shortcut(void **state) {
  (void)state;
  static const char *const shortcuts[] = {"optional", "residual"};
  for (size_t s = 0; s < MN_COUNT(shortcuts); s++) {
    fixture f;
    mn_cost cost;
    const mn_graph *graph = NULL;
    mn_arena *text;
    assert_int_equal(mn_arena_create(&text), MN_OK);
    open_lines(&f,
               mn_arena_text(text, "input 16x16x4\nconv 3x3 8\nconv 3x3 {16 64} stride 2 %s\nfc 2",
                             shortcuts[s]));
    assert_int_equal(mn_cost_create(&cost, f.arena, f.supernet, f.gates, f.net, &f.config), MN_OK);
    assert_ok(mn_cost_schedule(&cost, &f.widest, f.arena, &f.config, &f.error), &f.error);
    assert_ok(mn_net_lower(&graph, f.arena, f.net, &f.widest, &f.error), &f.error);
    int32_t compared = 0;
    for (int32_t op = 0; op < graph->op_count; op++) {
      if (graph->ops[op].kind == MN_OP_PAD) continue;
      assert_int_equal(f.supernet->ops[cost.op[op]].kind, graph->ops[op].kind);
      compared++;
    }
    assert_true(compared >= 3);
    mn_arena_destroy(f.arena);
    mn_arena_destroy(text);
  }
}

/* Probabilities from random logits, and the same with one logit moved. */
static void fill_random(fixture *f, double **p, uint64_t seed, int32_t moved_d, int32_t moved_k,
                        double by) {
  mn_rng rng = mn_rng_seed(seed);
  for (int32_t d = 0; d < mn_net_decisions(f->net); d++) {
    int32_t options = mn_net_decision(f->net, d)->options;
    for (int32_t k = 0; k < options; k++) p[d][k] = mn_rng_range(&rng, 0.05, 1);
    if (d == moved_d) p[d][moved_k] += by;
  }
}

static void cost_gradient_should_agree_with_finite_differences(void **state) {
  (void)state;
  fixture f;
  open_space(&f, "spaces/kws.net");
  double **p = new_rows(&f), **dp = new_rows(&f);
  mn_cost cost;
  assert_ok(
      mn_target_read(&f.config.target, f.arena, test_source("targets/mps2-an386.ini"), &f.error),
      &f.error);
  assert_int_equal(mn_cost_create(&cost, f.arena, f.supernet, f.gates, f.net, &f.config), MN_OK);
  assert_ok(mn_cost_schedule(&cost, &f.widest, f.arena, &f.config, &f.error), &f.error);
  cost.ms_per_op = 2e-6;
  const double weight[METRIC_COUNT] = {1e-5, 2e-5, 3e-7, 0.5, 0};
  double value[METRIC_COUNT];
  fill_random(&f, p, 3, -1, 0, 0);
  assert_int_equal(mn_cost_forward(&cost, value, read_only(p)), MN_OK);
  mn_cost_backward(&cost, dp, weight, read_only(p));
  int compared = 0;
  for (int32_t d = 0; d < mn_net_decisions(f.net); d++)
    for (int32_t k = 0; k < mn_net_decision(f.net, d)->options; k += 3) {
      double total[2] = {0, 0};
      for (int side = 0; side < 2; side++) {
        fill_random(&f, p, 3, d, k, side == 0 ? 1e-5 : -1e-5);
        assert_int_equal(mn_cost_forward(&cost, value, read_only(p)), MN_OK);
        for (int m = 0; m < METRIC_COUNT; m++) total[side] += weight[m] * value[m];
      }
      double numeric = (total[0] - total[1]) / 2e-5;
      if (fabs(numeric - dp[d][k]) > 2e-3 * (fabs(numeric) + 1e-3))
        fail_msg("%s option %d: numeric %g, gradient %g", mn_net_decision(f.net, d)->name, k,
                 numeric, dp[d][k]);
      compared++;
    }
  assert_true(compared > 40);
  mn_arena_destroy(f.arena);
}

static void masks_should_be_open_exactly_below_the_picked_width(void **state) {
  (void)state;
  fixture f;
  open_space(&f, "spaces/kws.net");
  mn_architecture a;
  mn_pick pick;
  mn_rng rng = mn_rng_seed(5);
  assert_int_equal(mn_architecture_create(&a, f.arena, f.net, f.supernet, f.gates, &f.options),
                   MN_OK);
  assert_int_equal(mn_pick_create(&pick, f.arena, f.net), MN_OK);
  mn_pick_random(&pick, f.net, &rng);
  mn_architecture_fix(&a, &pick);
  int masks = 0, depthwise = 0;
  for (int32_t op = 0; op < f.supernet->op_count; op++) {
    int32_t d = f.gates->mask_decision[op];
    depthwise += a.mask[op] != NULL && d < 0;
    if (d < 0) continue;
    const mn_shape *shape = &f.supernet->tensors[f.supernet->ops[op].output].shape;
    int32_t width = mn_net_decision(f.net, d)->value[pick.option[d]];
    for (int32_t c = 0; c < shape->dim[shape->rank - 1]; c++)
      assert_true(a.mask[op][c] == (c < width ? 1.0f : 0.0f));
    masks++;
  }
  assert_int_equal(masks, 10); /* first conv and nine blocks */
  assert_int_equal(depthwise, 9);
  mn_architecture_sample(&a, &rng, 1.0);
  for (int32_t d = 0; d < a.decisions; d++) {
    double sum = 0;
    for (int32_t k = 0; k < mn_net_decision(f.net, d)->options; k++) sum += a.p[d][k];
    assert_true(fabs(sum - 1) < 1e-12);
  }
  mn_arena_destroy(f.arena);
}

static void a_projection_should_be_as_open_as_the_branch_it_is_added_to(void **state) {
  (void)state;
  fixture f;
  mn_architecture a;
  mn_pick pick;
  open_lines(
      &f, "input 8x8x4\nblock projection\nconv 3x3 {8 32}\nconv 3x3 {16 64} residual\nend\nfc 2");
  assert_int_equal(mn_architecture_create(&a, f.arena, f.net, f.supernet, f.gates, &f.options),
                   MN_OK);
  assert_int_equal(mn_pick_create(&pick, f.arena, f.net), MN_OK);
  mn_pick_smallest(&pick, f.net);
  mn_architecture_fix(&a, &pick);
  int32_t op = 0;
  while (strcmp(f.supernet->ops[op].name, "block1.shortcut") != 0) op++;
  assert_non_null(a.mask[op]);
  for (int32_t c = 0; c < 64; c++) assert_true(a.mask[op][c] == (c < 16 ? 1.0f : 0.0f));
  mn_arena_destroy(f.arena);
}

static void gate_gradient_should_agree_with_finite_differences_channel_by_channel(void **state) {
  (void)state;
  fixture f;
  open_space(&f, "spaces/kws.net");
  double **p = new_rows(&f), **dp = new_rows(&f);
  float open[276], slope[276];
  mn_rng rng = mn_rng_seed(4);
  for (int c = 0; c < 276; c++) slope[c] = (float)mn_rng_range(&rng, -1, 1);
  int compared = 0;
  for (int32_t gate = 0; gate < f.gates->gate_count; gate += 5) {
    for (int32_t d = 0; d < mn_net_decisions(f.net); d++)
      memset(dp[d], 0, sizeof(double) * (size_t)mn_net_decision(f.net, d)->options);
    fill_random(&f, p, 6, -1, 0, 0);
    mn_gate_open_gradient(dp, slope, f.gates, gate, f.net, read_only(p));
    for (int32_t d = 0; d < mn_net_decisions(f.net); d += 3) {
      double total[2] = {0, 0};
      for (int side = 0; side < 2; side++) {
        fill_random(&f, p, 6, d, 1, side == 0 ? 0.05 : -0.05);
        mn_gate_open(open, f.gates, gate, f.net, read_only(p));
        for (int c = 0; c < f.gates->gates[gate].width; c++)
          total[side] += (double)slope[c] * (double)open[c];
      }
      assert_true(fabs((total[0] - total[1]) / 0.1 - dp[d][1]) < 1e-3 * (1 + fabs(dp[d][1])));
      compared++;
    }
  }
  assert_true(compared > 20);
  mn_arena_destroy(f.arena);
}

/* A made loss, sum over channels of mask * slope, pulls the first width where the slope says. */
static void architecture_should_follow_the_gradient_and_leave_removed_options_alone(void **state) {
  (void)state;
  fixture f;
  open_space(&f, "spaces/kws.net");
  mn_architecture a;
  f.options.allowed[0][9] = false;
  assert_int_equal(mn_architecture_create(&a, f.arena, f.net, f.supernet, f.gates, &f.options),
                   MN_OK);
  int32_t op = 0;
  while (f.gates->mask_decision[op] != 0) op++;
  mn_rng rng = mn_rng_seed(2);
  for (int step = 1; step <= 200; step++) {
    mn_architecture_sample(&a, &rng, 1.0);
    for (int32_t other = 0; other < f.supernet->op_count; other++)
      for (int32_t c = 0; a.mask[other] != NULL && c < 276; c++) a.mask_gradient[other][c] = 0;
    for (int32_t c = 0; c < 276; c++) a.mask_gradient[op][c] = c < 140 ? -0.01f : 0.01f;
    mn_architecture_probability(&a);
    mn_architecture_update(&a, NULL, 1.0, 0.05, step);
  }
  mn_pick pick;
  assert_int_equal(mn_pick_create(&pick, f.arena, f.net), MN_OK);
  mn_architecture_argmax(&a, &pick);
  assert_int_equal(mn_net_decision(f.net, 0)->value[pick.option[0]], 140);
  assert_true(mn_architecture_liking(&a, 0, 9) == -INFINITY);
  assert_true(mn_architecture_liking(&a, 0, pick.option[0]) > mn_architecture_liking(&a, 0, 0));
  mn_arena_destroy(f.arena);
}

static double like_all(const void *context, int32_t decision, int32_t option) {
  (void)context, (void)decision, (void)option;
  return 0;
}

static void repair_should_meet_every_budget_and_use_it(void **state) {
  (void)state;
  fixture f;
  open_space(&f, "spaces/kws.net");
  static const char *const budgets[] = {"ops=5.3M", "ops=20M,sram=96K", "sram=32K", "flash=60K"};
  mn_rng rng = mn_rng_seed(8);
  for (size_t b = 0; b < MN_COUNT(budgets); b++) {
    mn_pick pick;
    mn_price price, wider;
    assert_int_equal(mn_pick_create(&pick, f.arena, f.net), MN_OK);
    mn_pick_random(&pick, f.net, &rng);
    assert_ok(mn_budget_parse(&f.config.budget, budgets[b], &f.error), &f.error);
    assert_ok(mn_search_fit(&pick, &price, f.arena, f.net, &f.config, like_all, NULL, &f.error),
              &f.error);
    assert_true(mn_budget_met(&f.config.budget, &price));
    /* nothing wider fits: otherwise the budget was not used */
    for (int32_t d = 0; d < pick.count; d++) {
      if (pick.option[d] + 1 >= mn_net_decision(f.net, d)->options) continue;
      pick.option[d]++;
      assert_ok(mn_search_price(&wider, f.arena, f.net, &pick, &f.config, &f.error), &f.error);
      pick.option[d]--;
      assert_true(!mn_budget_met(&f.config.budget, &wider) || wider.params <= price.params);
    }
  }
  mn_arena_destroy(f.arena);
}

/* Four machines and an embedding of as many values as the last convolution reads. */
static void a_classifier_of_machines_should_be_priced_with_its_detector(void **state) {
  (void)state;
  fixture f;
  mn_pick pick;
  mn_price alone, judged;
  mn_subject subject;
  open_space(&f, "spaces/ad.net");
  assert_int_equal(mn_pick_create(&pick, f.arena, f.net), MN_OK);
  mn_pick_smallest(&pick, f.net);
  assert_ok(mn_search_price(&alone, f.arena, f.net, &pick, &f.config, &f.error), &f.error);
  f.config.machines = 4;
  assert_ok(mn_search_price(&judged, f.arena, f.net, &pick, &f.config, &f.error), &f.error);
  assert_ok(mn_search_subject(&subject, f.arena, f.net, &pick, &f.config, &f.error), &f.error);
  const mn_detector *d = subject.options.detector;
  assert_int_equal(subject.graph->output_count, 2);
  assert_int_equal(d->rows, 1);
  assert_int_equal(judged.flash.total - alone.flash.total,
                   2 * 4 * d->dims + 4 * d->dims * (d->dims + 1) + 4 * d->dims);
  assert_int_equal(judged.sram.features - alone.sram.features, 4 * d->dims);
  mn_arena_destroy(f.arena);
}

static void infeasible_budget_should_be_refused_with_line_and_smallest_prices(void **state) {
  (void)state;
  fixture f;
  open_space(&f, "spaces/kws.net");
  assert_ok(mn_budget_parse(&f.config.budget, "ops=100K", &f.error), &f.error);
  assert_int_equal(mn_search_feasible(f.net, &f.config, &f.error), MN_ERR_BUDGET);
  assert_non_null(strstr(f.error.text, "ops=100000 cannot be met"));
  assert_non_null(strstr(f.error.text, "(conv1)"));
  assert_ok(mn_budget_parse(&f.config.budget, "ops=5.3M", &f.error), &f.error);
  assert_ok(mn_search_feasible(f.net, &f.config, &f.error), &f.error);
  mn_arena_destroy(f.arena);
}

/* A narrow layer between two wide ones: the network without it is the larger one. */
static void a_budget_that_an_optional_layer_makes_possible_should_be_met(void **state) {
  (void)state;
  fixture f;
  mn_pick pick;
  mn_price price;
  open_lines(&f, "input 16x16x4\nconv 3x3 64\nconv 1x1 8 optional\nconv 3x3 64\npool avg\nfc 2");
  assert_ok(mn_budget_parse(&f.config.budget, "ops=10M", &f.error), &f.error);
  assert_ok(mn_search_feasible(f.net, &f.config, &f.error), &f.error);
  assert_int_equal(mn_pick_create(&pick, f.arena, f.net), MN_OK);
  mn_pick_smallest(&pick, f.net);
  assert_ok(mn_search_fit(&pick, &price, f.arena, f.net, &f.config, like_all, NULL, &f.error),
            &f.error);
  assert_true(price.ops <= 10000000 && pick.option[0] == 1);
  mn_arena_destroy(f.arena);
}

/* The width is that of a layer that is always there too. */
static void pruning_should_not_price_an_optional_layer_for_a_width_it_shares(void **state) {
  (void)state;
  fixture f;
  open_lines(
      &f,
      "input 49x10x1\nconv 10x4 8 stride 2\nconv 3x3 w={16 64} optional\nconv 1x1 w\npool avg\nfc 2");
  assert_ok(mn_budget_parse(&f.config.budget, "ops=300K", &f.error), &f.error);
  assert_ok(mn_search_prune(&f.options, f.arena, f.net, f.gates, f.supernet, &f.config, &f.error),
            &f.error);
  int widths = 0;
  for (int32_t d = 0; d < mn_net_decisions(f.net); d++)
    if (mn_net_decision(f.net, d)->kind == MN_DECISION_WIDTH) {
      assert_true(f.options.allowed[d][1]);
      widths++;
    }
  assert_int_equal(widths, 1);
  mn_arena_destroy(f.arena);
}

static void pruning_should_keep_what_a_feasible_network_can_have(void **state) {
  (void)state;
  fixture f;
  open_space(&f, "spaces/kws.net");
  assert_ok(mn_budget_parse(&f.config.budget, "ops=5.3M", &f.error), &f.error);
  assert_ok(mn_search_prune(&f.options, f.arena, f.net, f.gates, f.supernet, &f.config, &f.error),
            &f.error);
  assert_true(f.options.allowed[0][0]);
  assert_false(f.options.allowed[0][9]); /* a first conv of 276 channels alone is 10.8 Mops */
  int removed = 0, kept = 0;
  for (int32_t d = 0; d < mn_net_decisions(f.net); d++)
    for (int32_t k = 0; k < mn_net_decision(f.net, d)->options; k++)
      f.options.allowed[d][k] ? kept++ : removed++;
  assert_true(removed >= 4 && kept > 40);
  mn_arena_destroy(f.arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(expected_ops_and_flash_should_equal_the_lowered_graph_at_one_hot),
      cmocka_unit_test(at_one_hot_expected_sram_should_be_the_bound_of_the_scheduled_network),
      cmocka_unit_test(the_schedule_of_a_network_of_many_pads_should_find_its_ops),
      cmocka_unit_test(a_strided_layer_should_be_scheduled_as_itself_and_not_as_its_shortcut),
      cmocka_unit_test(cost_gradient_should_agree_with_finite_differences),
      cmocka_unit_test(masks_should_be_open_exactly_below_the_picked_width),
      cmocka_unit_test(a_projection_should_be_as_open_as_the_branch_it_is_added_to),
      cmocka_unit_test(gate_gradient_should_agree_with_finite_differences_channel_by_channel),
      cmocka_unit_test(architecture_should_follow_the_gradient_and_leave_removed_options_alone),
      cmocka_unit_test(repair_should_meet_every_budget_and_use_it),
      cmocka_unit_test(a_classifier_of_machines_should_be_priced_with_its_detector),
      cmocka_unit_test(infeasible_budget_should_be_refused_with_line_and_smallest_prices),
      cmocka_unit_test(a_budget_that_an_optional_layer_makes_possible_should_be_met),
      cmocka_unit_test(pruning_should_not_price_an_optional_layer_for_a_width_it_shares),
      cmocka_unit_test(pruning_should_keep_what_a_feasible_network_can_have),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
