/* Prices: what they are made of, and what bare networks promise.
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
      cmocka_unit_test(a_price_should_be_made_of_the_plans_bytes),
      cmocka_unit_test(a_bare_network_should_never_be_priced_below_its_frozen_one),
      cmocka_unit_test(published_keyword_networks_should_have_their_known_arenas),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
