/* Prices: the smooth SRAM term against the planner on random picks, and what a price is made of.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "micronets/net.h"
#include "micronets/plan.h"
#include "plan/kernel_table.h"
#include "random_graph.h"
#include "support.h"

static mn_net *parse(mn_arena *arena, const char *path) {
  mn_net *net = NULL;
  mn_error error = {{0}};
  mn_bytes text = test_read(arena, test_source(path));
  assert_ok(mn_net_parse(&net, arena, path, text, &error), &error);
  return net;
}

static double share_of(const mn_gate_map *gates, const double *width, mn_tensor_id tensor) {
  int32_t gate = gates->tensor_gate[tensor];
  return gate < 0 ? 1 : width[gate] / gates->gates[gate].width;
}

/* What search would hand over for one pick: every probability 0 or 1. */
static double expected_of_pick(mn_arena *arena, const mn_net *net, const mn_graph *supernet,
                               const mn_gate_map *gates, const mn_pick *pick) {
  double **p = mn_arena_array(arena, (size_t)pick->count, sizeof *p);
  for (int32_t d = 0; d < pick->count; d++) {
    p[d] = mn_arena_array(arena, (size_t)mn_net_decision(net, d)->options, sizeof **p);
    p[d][pick->option[d]] = 1;
  }
  double *width = mn_arena_array(arena, (size_t)gates->gate_count, sizeof *width);
  double *exists = mn_arena_array(arena, (size_t)supernet->op_count, sizeof *exists);
  double *bytes = mn_arena_array(arena, (size_t)supernet->tensor_count, sizeof *bytes);
  double *gradient = mn_arena_array(arena, (size_t)supernet->tensor_count, sizeof *gradient);
  mn_gate_widths(width, gates, net, (const double *const *)p);
  for (int32_t op = 0; op < supernet->op_count; op++) {
    int32_t on = gates->op_decision[op], off = gates->op_decision_off[op];
    exists[op] = (on < 0 || pick->option[on] == 1) && (off < 0 || pick->option[off] == 0);
  }
  for (int32_t t = 0; t < supernet->tensor_count; t++)
    bytes[t] = supernet->tensors[t].constant
                   ? 0
                   : (double)mn_tensor_bytes(&supernet->tensors[t]) * share_of(gates, width, t);
  return mn_plan_expected_sram(gradient, supernet, bytes, exists, INFINITY, false);
}

static void check_space(const char *path, int picks) {
  mn_arena *arena = NULL;
  mn_error error = {{0}};
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  mn_net *net = parse(arena, path);
  mn_pick pick, widest;
  mn_rng rng = mn_rng_seed(11);
  assert_int_equal(mn_pick_create(&pick, arena, net), MN_OK);
  assert_int_equal(mn_pick_create(&widest, arena, net), MN_OK);
  int not_optimal = 0;
  for (int i = 0; i < picks; i++) {
    mn_arena_mark mark = mn_arena_mark_get(arena);
    const mn_graph *supernet, *graph;
    const mn_gate_map *gates;
    const mn_plan *plan;
    mn_pick_random(&pick, net, &rng);
    mn_pick_largest(&widest, net);
    for (int32_t d = 0; d < pick.count; d++)
      if (mn_net_decision(net, d)->kind == MN_DECISION_INPUT) widest.option[d] = pick.option[d];
    assert_ok(mn_net_lower_supernet(&supernet, &gates, arena, net, &widest, &error), &error);
    assert_ok(mn_net_lower(&graph, arena, net, &pick, &error), &error);
    assert_ok(mn_plan_make(&plan, arena, graph, NULL, NULL, &error), &error);
    double expected = expected_of_pick(arena, net, supernet, gates, &pick);
    not_optimal += plan->arena_bytes != plan->lower_bound_bytes;
    if (fabs(expected - (double)plan->arena_bytes) > 0.5)
      fail_msg("%s pick %d: expected %g, arena %lld", path, i, expected,
               (long long)plan->arena_bytes);
    mn_arena_release(arena, mark);
  }
  assert_int_equal(not_optimal, 0);
  mn_arena_destroy(arena);
}

static void at_one_hot_the_smooth_sram_should_be_the_arena_of_the_lowered_network(void **state) {
  (void)state;
  check_space("spaces/kws.net", 300);
  check_space("spaces/ad.net", 300);
  check_space("spaces/vww.net", 100);
  check_space("spaces/ic.net", 100);
}

/* ---- Prices --------------------------------------------------------------------------------*/
static mn_price price_of(mn_arena *arena, const mn_graph *graph, mn_runtime runtime) {
  mn_price price;
  mn_error error = {{0}};
  assert_ok(mn_price_graph(&price, arena, graph, NULL, NULL, runtime, NULL, &error), &error);
  return price;
}

static void a_price_should_be_made_of_the_plans_bytes(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 60; seed++) {
    mn_arena *arena = NULL;
    mn_error error = {{0}};
    const mn_plan *plan = NULL;
    assert_int_equal(mn_arena_create(&arena), MN_OK);
    const mn_graph *graph = test_random_frozen(arena, test_random_bare(arena, seed, 8), seed);
    size_t before = mn_arena_mark_get(arena).used;
    mn_price price = price_of(arena, graph, MN_RUNTIME_MICRONETS);
    assert_int_equal(mn_arena_mark_get(arena).used, before); /* scratch was given back */
    assert_ok(mn_plan_make(&plan, arena, graph, NULL, NULL, &error), &error);
    int64_t weights = 0, constants = 0;
    for (int32_t i = 0; i < plan->constant_count; i++) {
      int64_t padded = ((int64_t)plan->constants[i].bytes + 3) / 4 * 4;
      if (plan->constants[i].weights)
        weights += padded;
      else
        constants += padded;
    }
    assert_int_equal(price.flash.weights, weights);
    assert_true(price.flash.constants >= constants);
    assert_int_equal(price.sram.arena, plan->arena_bytes);
    assert_int_equal(price.sram.total,
                     price.sram.arena + price.sram.features + price.sram.data + price.sram.stack);
    assert_int_equal(price.flash.total,
                     price.flash.weights + price.flash.constants + price.flash.code);
    assert_int_equal(price.macs * 2, price.ops);
    mn_arena_destroy(arena);
  }
}

static void a_bare_network_should_never_be_priced_below_its_frozen_one(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 60; seed++) {
    mn_arena *arena = NULL;
    assert_int_equal(mn_arena_create(&arena), MN_OK);
    const mn_graph *bare = test_random_bare(arena, seed, 8);
    mn_price promised = price_of(arena, bare, MN_RUNTIME_MICRONETS);
    mn_price paid = price_of(arena, test_random_frozen(arena, bare, seed), MN_RUNTIME_MICRONETS);
    assert_int_equal(promised.sram.total, paid.sram.total);
    assert_int_equal(promised.flash.weights, paid.flash.weights);
    assert_true(promised.flash.total >= paid.flash.total);
    mn_arena_destroy(arena);
  }
}

static void published_keyword_networks_should_have_their_known_arenas(void **state) {
  (void)state;
  static const struct {
    const char *path;
    int64_t arena;
  } known[] = {{"networks/micronet_kws_m.net", 86112}, {"networks/micronet_kws_s.net", 51680}};
  for (size_t i = 0; i < MN_COUNT(known); i++) {
    mn_arena *arena = NULL;
    mn_error error = {{0}};
    mn_pick pick;
    const mn_graph *graph = NULL;
    assert_int_equal(mn_arena_create(&arena), MN_OK);
    mn_net *net = parse(arena, known[i].path);
    assert_int_equal(mn_pick_create(&pick, arena, net), MN_OK);
    assert_ok(mn_net_lower(&graph, arena, net, &pick, &error), &error);
    mn_price price = price_of(arena, graph, MN_RUNTIME_MICRONETS);
    assert_in_range(price.sram.arena, known[i].arena - 64, known[i].arena);
    assert_int_equal(price.sram.arena, price.sram.lower_bound);
    mn_arena_destroy(arena);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(at_one_hot_the_smooth_sram_should_be_the_arena_of_the_lowered_network),
      cmocka_unit_test(a_price_should_be_made_of_the_plans_bytes),
      cmocka_unit_test(a_bare_network_should_never_be_priced_below_its_frozen_one),
      cmocka_unit_test(published_keyword_networks_should_have_their_known_arenas),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
