/* Supernets: at one-hot probabilities widths, existence and ops are those of the lowered network;
 * gradients agree with differences.
 * SPDX-License-Identifier: Apache-2.0 */
#include "arena_support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "micronets/net.h"

static mn_net *parse_text(const char *path, const char *text) {
  mn_net *net = NULL;
  mn_bytes bytes = {(const uint8_t *)text, strlen(text)};
  assert_ok(mn_net_parse(&net, arena, path, bytes, &error), &error);
  return net;
}

/* Spaces of the repository, and one with everything that can meet in a graph. */
static const char everything[] =
    "input image size {32 50} colour {grey rgb}\n"
    "steps 25% nearest 4\n"
    "conv 3x3 w={..24} stride 2\n"
    "ds 3x3 {..32} stride 2 optional\n"
    "ds 5x3 {..32} residual optional\n"
    "ibn 3x3 {..48} {..16} residual optional stride 2\n"
    "ibn 3x3 {..48} {..24} residual\n"
    "block residual relu times 2\n"
    "  conv 3x3 {..24} weights b={4 8}\n"
    "  conv 3x3 {..24} linear optional weights b\n"
    "end\n"
    "block projection optional times 2\n"
    "  depthwise 3x3\n"
    "  conv 1x1 {..40} stride 2 activations {8 16}\n"
    "  pool max 2x2 stride 1\n"
    "end\n"
    "block optional\n"
    "  ds 3x3 w residual stride 2\n"
    "end\n"
    "depthwise 3x3 optional\n"
    "flatten\n"
    "fc {..16} nobn\n"
    "fc {..16} optional residual\n"
    "fc classes=5\n"
    "softmax\n";
static const char *const spaces[] = {
    "spaces/kws.net",      "spaces/ad.net",           "spaces/vww.net", "spaces/ic.net",
    "spaces/ic_small.net", "spaces/ic_separable.net", "everything"};

static mn_net *space(const char *name) {
  if (strcmp(name, "everything") == 0) return parse_text("everything.net", everything);
  mn_bytes text = test_read(arena, test_source(name));
  return parse_text(name, (const char *)text.data);
}

typedef struct super {
  const mn_net *net;
  const mn_graph *graph;
  const mn_gate_map *gates;
  mn_pick pick;
  double **p, *width;
} super;

/* The widest supernet whose input and bits are those of the present pick. */
static super lower_super(const mn_net *net, const mn_pick *pick) {
  super s = {.net = net};
  mn_pick widest;
  assert_ok(mn_pick_create(&widest, arena, net), &error);
  for (int32_t d = 0; d < mn_net_decisions(net); d++) {
    const mn_decision *decision = mn_net_decision(net, d);
    bool pinned = decision->kind == MN_DECISION_INPUT || decision->kind == MN_DECISION_BITS;
    widest.option[d] = pinned ? pick->option[d] : decision->options - 1;
  }
  assert_ok(mn_net_lower_supernet(&s.graph, &s.gates, arena, net, &widest, &error), &error);
  s.width = mn_arena_array(arena, (size_t)s.gates->gate_count, sizeof *s.width);
  s.p = mn_arena_array(arena, (size_t)mn_net_decisions(net) + 1, sizeof *s.p);
  for (int32_t d = 0; d < mn_net_decisions(net); d++) {
    s.p[d] = mn_arena_array(arena, (size_t)mn_net_decision(net, d)->options, sizeof **s.p);
  }
  return s;
}

static const double *const *probabilities(const super *s) {
  return (const double *const *)s->p;
}

static void set_one_hot(super *s, const mn_pick *pick) {
  for (int32_t d = 0; d < pick->count; d++) {
    for (int32_t k = 0; k < mn_net_decision(s->net, d)->options; k++) {
      s->p[d][k] = k == pick->option[d] ? 1 : 0;
    }
  }
  mn_gate_widths(s->width, s->gates, s->net, probabilities(s));
}

static double share(const super *s, mn_tensor_id tensor) {
  int32_t gate = s->gates->tensor_gate[tensor];
  assert_true(gate >= 0);
  return s->width[gate] / s->gates->gates[gate].width;
}

static double exists(const super *s, int32_t op) {
  int32_t on = s->gates->op_decision[op], off = s->gates->op_decision_off[op];
  return (on >= 0 ? s->p[on][1] : 1) * (off >= 0 ? s->p[off][0] : 1);
}

static double expected_macs(const super *s, int32_t op) {
  const mn_op *o = &s->graph->ops[op];
  double in = o->kind == MN_OP_DEPTHWISE_CONV_2D ? 1 : share(s, o->input[0]);
  return exists(s, op) * in * share(s, o->output) * (double)mn_op_macs(s->graph, op);
}

static int32_t find_op(const mn_graph *graph, const char *name) {
  for (int32_t op = 0; op < graph->op_count; op++) {
    if (strcmp(graph->ops[op].name, name) == 0) return op;
  }
  return -1;
}

static double real_elements(const mn_graph *graph, int32_t op) {
  return (double)mn_shape_elements(&graph->tensors[graph->ops[op].output].shape);
}

/* Op of the supernet that becomes this op: the same name; the pool of an absent layer has the
 * layer's name. */
static int32_t super_op(const super *s, const mn_op *op) {
  char pool[80];
  int32_t found = find_op(s->graph, op->name);
  snprintf(pool, sizeof pool, "%s.pool", op->name);
  if (found < 0 || s->graph->ops[found].kind != op->kind) found = find_op(s->graph, pool);
  return found;
}

/* Whole numbers but for the rounding of the shares. */
static void expect_whole(double given, double expected, const char *what) {
  if (fabs(given - expected) > 1e-9 * (1 + expected))
    fail_msg("%s: %.9g, not %.9g", what, given, expected);
}

static void expect_exact(super *s, const mn_pick *pick) {
  const mn_graph *real = NULL;
  assert_ok(mn_net_lower(&real, arena, s->net, pick, &error), &error);
  set_one_hot(s, pick);
  double macs = 0;
  int32_t present = 0, counted = 0;
  for (int32_t op = 0; op < s->graph->op_count; op++) {
    mn_op_kind kind = s->graph->ops[op].kind;
    macs += expected_macs(s, op);
    if (kind != MN_OP_MIX && kind != MN_OP_PAD) present += exists(s, op) > 0.5;
  }
  expect_whole(macs, (double)mn_graph_counts(real).macs, "MACs");
  for (int32_t op = 0; op < real->op_count; op++) {
    if (real->ops[op].kind == MN_OP_PAD) continue; /* which side is padded hangs on the pick */
    int32_t from = super_op(s, &real->ops[op]);
    if (from < 0) fail_msg("%s is not in the supernet", real->ops[op].name);
    assert_int_equal(s->graph->ops[from].kind, real->ops[op].kind);
    assert_true(exists(s, from) == 1);
    expect_whole(expected_macs(s, from), (double)mn_op_macs(real, op), real->ops[op].name);
    expect_whole(share(s, s->graph->ops[from].output) * real_elements(s->graph, from),
                 real_elements(real, op), real->ops[op].name);
    counted++;
  }
  assert_int_equal(present, counted); /* and nothing else is there */
}

static void one_hot_widths_and_ops_are_those_of_the_network_for_300_picks_of_every_space(
    void **st) {
  (void)st;
  for (size_t i = 0; i < MN_COUNT(spaces); i++) {
    mn_net *net = space(spaces[i]);
    mn_rng rng = mn_rng_seed(i + 10);
    mn_pick pick;
    assert_ok(mn_pick_create(&pick, arena, net), &error);
    for (int k = 0; k < 300; k++) {
      mn_arena_mark mark = mn_arena_mark_get(arena);
      mn_pick_random(&pick, net, &rng);
      super s = lower_super(net, &pick);
      expect_exact(&s, &pick);
      mn_arena_release(arena, mark);
    }
  }
}

/* Softmax of noise: an interior point without ties. */
static void set_random(super *s, mn_rng *rng) {
  for (int32_t d = 0; d < mn_net_decisions(s->net); d++) {
    double sum = 0;
    int32_t options = mn_net_decision(s->net, d)->options;
    for (int32_t k = 0; k < options; k++) sum += s->p[d][k] = exp(mn_rng_normal(rng));
    for (int32_t k = 0; k < options; k++) s->p[d][k] /= sum;
  }
}

static double weighted_widths(super *s, const double *weight) {
  double sum = 0;
  mn_gate_widths(s->width, s->gates, s->net, probabilities(s));
  for (int32_t g = 0; g < s->gates->gate_count; g++) sum += weight[g] * s->width[g];
  return sum;
}

static void expect_gradient(super *s, mn_rng *rng) {
  int32_t decisions = mn_net_decisions(s->net);
  double *weight = mn_arena_array(arena, (size_t)s->gates->gate_count, sizeof *weight);
  double **dp = mn_arena_array(arena, (size_t)decisions + 1, sizeof *dp);
  for (int32_t g = 0; g < s->gates->gate_count; g++) weight[g] = mn_rng_normal(rng);
  for (int32_t d = 0; d < decisions; d++) {
    dp[d] = mn_arena_array(arena, (size_t)mn_net_decision(s->net, d)->options, sizeof **dp);
  }
  mn_gate_widths_gradient(dp, weight, s->gates, s->net, probabilities(s));
  /* along the simplex, from option 0 to option k: elsewhere both sides of a union may tie at 1 */
  for (int32_t d = 0; d < decisions; d++) {
    for (int32_t k = 1; k < mn_net_decision(s->net, d)->options; k++) {
      const double step = 1e-7;
      double first = s->p[d][0], other = s->p[d][k];
      s->p[d][0] = first - step;
      s->p[d][k] = other + step;
      double high = weighted_widths(s, weight);
      s->p[d][0] = first + step;
      s->p[d][k] = other - step;
      double low = weighted_widths(s, weight);
      s->p[d][0] = first;
      s->p[d][k] = other;
      double measured = (high - low) / (2 * step), given = dp[d][k] - dp[d][0];
      if (fabs(measured - given) > 1e-4 * (1 + fabs(measured))) {
        fail_msg("%s option %d: %g, not %g", mn_net_decision(s->net, d)->name, k, given, measured);
      }
    }
  }
}

static void gradients_of_widths_agree_with_differences(void **state) {
  (void)state;
  for (size_t i = 0; i < MN_COUNT(spaces); i++) {
    mn_net *net = space(spaces[i]);
    mn_rng rng = mn_rng_seed(i + 20);
    mn_pick pick;
    assert_ok(mn_pick_create(&pick, arena, net), &error);
    super s = lower_super(net, &pick);
    set_random(&s, &rng);
    expect_gradient(&s, &rng);
  }
}

static void open_channels_sum_up_to_the_width_and_never_widen(void **state) {
  (void)state;
  float open[1024];
  for (size_t i = 0; i < MN_COUNT(spaces); i++) {
    mn_net *net = space(spaces[i]);
    mn_rng rng = mn_rng_seed(i + 30);
    mn_pick pick;
    assert_ok(mn_pick_create(&pick, arena, net), &error);
    super s = lower_super(net, &pick);
    set_random(&s, &rng);
    mn_gate_widths(s.width, s.gates, net, probabilities(&s));
    for (int32_t g = 0; g < s.gates->gate_count; g++) {
      int32_t width = s.gates->gates[g].width;
      double sum = 0;
      if (width > 1024) continue;
      mn_gate_open(open, s.gates, g, net, probabilities(&s));
      for (int32_t c = 0; c < width; c++) {
        sum += (double)open[c];
        assert_true(open[c] >= 0 && open[c] <= 1.0001f);
        if (c > 0) assert_true(open[c] <= open[c - 1]); /* masks are prefixes */
      }
      assert_true(fabs(sum - s.width[g]) < 1e-3 * (1 + sum));
    }
  }
}

static void a_supernet_has_a_mix_behind_every_optional_layer(void **state) {
  (void)state;
  mn_net *net = space("spaces/kws.net");
  mn_pick pick;
  assert_ok(mn_pick_create(&pick, arena, net), &error);
  super s = lower_super(net, &pick);
  int32_t mixes = 0, pools = 0, masks = 0;
  for (int32_t op = 0; op < s.graph->op_count; op++) {
    const mn_op *o = &s.graph->ops[op];
    mixes += o->kind == MN_OP_MIX;
    pools += o->kind == MN_OP_AVERAGE_POOL_2D;
    masks += s.gates->mask_decision[op] >= 0;
    if (o->kind == MN_OP_MIX) {
      assert_int_equal(mn_net_decision(net, o->decision)->kind, MN_DECISION_OPTIONAL);
      assert_int_equal(s.gates->op_decision[op], -1);
    }
  }
  assert_int_equal(mixes, 9);
  assert_int_equal(pools, 2); /* the shortcut of ds1 and the last one */
  assert_int_equal(masks, 10);
  int32_t pool = find_op(s.graph, "ds1.pool"), conv = find_op(s.graph, "ds1.conv");
  assert_true(pool >= 0 && s.gates->op_decision_off[pool] == s.gates->op_decision[conv]);
}

static void a_supernet_may_be_narrower_than_its_space(void **state) {
  (void)state;
  mn_net *net = space("spaces/kws.net");
  const mn_graph *graph = NULL;
  const mn_gate_map *gates = NULL;
  mn_pick pick;
  assert_ok(mn_pick_create(&pick, arena, net), &error);
  mn_pick_largest(&pick, net);
  pick.option[0] = 2;
  assert_ok(mn_net_lower_supernet(&graph, &gates, arena, net, &pick, &error), &error);
  assert_int_equal(graph->tensors[graph->ops[0].output].shape.dim[3], 84);
  double *width = mn_arena_array(arena, (size_t)gates->gate_count, sizeof *width);
  double one[11] = {0}, last[11] = {0};
  const double *p[19];
  last[9] = 1; /* wider than the supernet: opens what there is */
  for (int d = 0; d < 19; d++) p[d] = d == 0 ? last : one;
  mn_gate_widths(width, gates, net, p);
  assert_true(width[gates->tensor_gate[graph->ops[0].output]] == 84);
}

static void pinned_decisions_leave_no_gate(void **state) {
  (void)state;
  mn_net *net = space("spaces/kws.net");
  const mn_graph *graph = NULL;
  const mn_gate_map *gates = NULL;
  mn_pick pick;
  for (int32_t d = 0; d < mn_net_decisions(net); d++) {
    const mn_decision *decision = mn_net_decision(net, d);
    const char *value = decision->kind == MN_DECISION_OPTIONAL ? (d % 4 == 0 ? "off" : "on") : "84";
    assert_ok(mn_net_set(net, decision->name, value, &error), &error);
  }
  assert_true(mn_net_networks_log10(net) < 0.001);
  assert_ok(mn_pick_create(&pick, arena, net), &error);
  assert_ok(mn_net_lower_supernet(&graph, &gates, arena, net, &pick, &error), &error);
  for (int32_t op = 0; op < graph->op_count; op++) {
    assert_int_not_equal(graph->ops[op].kind, MN_OP_MIX);
    assert_int_equal(gates->mask_decision[op], -1);
    assert_int_equal(gates->op_decision[op], -1);
  }
  for (int32_t g = 0; g < gates->gate_count; g++)
    assert_int_equal(gates->gates[g].kind, MN_GATE_FULL);
}

static void what_no_gate_can_say_is_refused(void **state) {
  (void)state;
  static const struct {
    const char *text, *message;
  } cases[] = {
      {"input 8x8x1\nconv 3x3 {4 8}\ndepthwise 3x3 multiplier 2\nfc 2",
       "x.net:3:1: depthwise1: a multiplier needs an input whose width is no choice"},
      {"input 8x8x1\nconv 3x3 {4 8}\nreshape 4x4x32\nfc 2",
       "x.net:3:1: reshape1: reshape of a map whose width is a choice"},
      {"input 8x8x1\nconv 3x3 {4 8}\nflatten\nfc {8 16} residual\nfc 2",
       "x.net:4:1: fc1: a sum behind flatten needs widths that are no choice"},
      {"input 8x8x1\nconv 3x3 {4 8}\nflatten\nfc {8 16} optional\nfc 2",
       "x.net:4:1: fc1: an optional layer behind flatten needs widths that are no choice"},
      {"input 8x8x1\nconv 3x3 4\nfc 16 optional\nfc 2",
       "x.net:3 (fc1): op fc1.mix (MIX): branches may differ "
       "in channels only; input [1, 16], second operand [1, 8, 8, 4]"},
  };
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    mn_net *net = parse_text("x.net", cases[i].text);
    const mn_graph *graph = NULL;
    const mn_gate_map *gates = NULL;
    mn_pick pick;
    assert_ok(mn_pick_create(&pick, arena, net), &error);
    mn_pick_largest(&pick, net);
    assert_int_equal(mn_net_lower_supernet(&graph, &gates, arena, net, &pick, &error),
                     MN_ERR_FORMAT);
    assert_string_equal(error.text, cases[i].message);
  }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)
int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(one_hot_widths_and_ops_are_those_of_the_network_for_300_picks_of_every_space),
      TEST(gradients_of_widths_agree_with_differences),
      TEST(open_channels_sum_up_to_the_width_and_never_widen),
      TEST(a_supernet_has_a_mix_behind_every_optional_layer),
      TEST(a_supernet_may_be_narrower_than_its_space),
      TEST(pinned_decisions_leave_no_gate),
      TEST(what_no_gate_can_say_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
