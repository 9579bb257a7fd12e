/* The published networks and the spaces: counts of the paper, layer lists of the files, membership.
 * SPDX-License-Identifier: Apache-2.0 */
#include "arena_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "micronets/net.h"

static mn_net *parse(const char *path, mn_bytes text) {
  mn_net *net = NULL;
  assert_ok(mn_net_parse(&net, arena, path, text, &error), &error);
  return net;
}

static mn_net *parse_text(const char *path, const char *text) {
  return parse(path, (mn_bytes){(const uint8_t *)text, strlen(text)});
}

static mn_net *load(const char *path) {
  return parse(path, test_read(arena, test_source(path)));
}

static const mn_graph *lower(const mn_net *net, const mn_pick *pick) {
  const mn_graph *graph = NULL;
  assert_ok(mn_net_lower(&graph, arena, net, pick, &error), &error);
  return graph;
}

static const mn_graph *network(const char *name) {
  char path[80];
  snprintf(path, sizeof path, "networks/%s.net", name);
  mn_net *net = load(path);
  assert_int_equal(mn_net_decisions(net), 0);
  return lower(net, NULL);
}

/* The published networks: multiply-accumulates twice, weights, biases. */
static void published_networks_have_the_counts_of_their_files(void **state) {
  (void)state;
  static const struct {
    const char *name;
    int64_t ops, weights, biases;
  } cases[] = {
      {"micronet_kws_s", 16653504, 59136, 1104},   {"micronet_kws_m", 31112704, 110432, 1552},
      {"micronet_kws_l", 131428152, 496428, 3900}, {"micronet_vww_2", 6286832, 85840, 3462},
      {"micronet_vww_3", 45130080, 260910, 5919},  {"micronet_vww_4", 37657600, 228602, 5346},
      {"micronet_ad_s", 37480384, 194228, 1748},   {"micronet_ad_m", 124693440, 373296, 2876},
      {"micronet_ad_l", 128989312, 359408, 2904},
  };
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    mn_counts counts = mn_graph_counts(network(cases[i].name));
    assert_int_equal(counts.ops, cases[i].ops);
    assert_int_equal(counts.weights, cases[i].weights);
    assert_int_equal(counts.biases, cases[i].biases);
  }
}

/* Hundredths of Mops, of the published networks with true rounding; MLPerf's in MACs. */
static void baselines_have_the_ops_of_their_papers(void **state) {
  (void)state;
  static const struct {
    const char *name;
    int64_t hundredths;
  } cases[] = {{"ds_cnn_s_stride1", 718}, {"ds_cnn_m_stride1", 3788}, {"ds_cnn_l_stride1", 10915}};
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    assert_int_equal((mn_graph_counts(network(cases[i].name)).ops + 5000) / 10000,
                     cases[i].hundredths);
  }
  static const struct {
    const char *name;
    int64_t macs;
  } exact[] = {{"ds_cnn_s", 2656768},   {"ds_cnn_l", 28327812},  {"person_detect", 7157888},
               {"mlperf_kws", 2656768}, {"mlperf_vww", 7489664}, {"mlperf_ic", 12501632},
               {"mlperf_ad", 264192}};
  for (size_t i = 0; i < MN_COUNT(exact); i++) {
    assert_int_equal(mn_graph_counts(network(exact[i].name)).macs, exact[i].macs);
  }
  /* Hello Edge: 19.6 Mops */
  assert_int_equal((mn_graph_counts(network("ds_cnn_m")).ops + 50000) / 100000, 196);
}

/* ---- Layer lists -----------------------------------------------------------------------------*/
static void show_shape(char *text, size_t size, const mn_shape *shape) {
  size_t used = (size_t)snprintf(text, size, "[");
  for (int32_t d = 0; d < shape->rank; d++) {
    used += (size_t)snprintf(text + used, size - used, "%s%d", d > 0 ? ", " : "", shape->dim[d]);
  }
  snprintf(text + used, size - used, "]");
}

/* One op as a line of the layer lists shows it; window parts only where they change the result. */
static void show_op(char *text, size_t size, const mn_graph *graph, int32_t index) {
  static const char *const activations[] = {"none", "relu", "relu6"};
  const mn_op *op = &graph->ops[index];
  const mn_shape *x = &graph->tensors[op->input[0]].shape;
  char shape[80], window[64] = "";
  show_shape(shape, sizeof shape, &graph->tensors[op->output].shape);
  bool conv = op->kind == MN_OP_CONV_2D || op->kind == MN_OP_DEPTHWISE_CONV_2D;
  if (conv) {
    bool point = op->window.kernel_h * op->window.kernel_w == 1;
    snprintf(window, sizeof window, "%dx%d s%dx%d %s", op->window.kernel_h, op->window.kernel_w,
             op->window.stride_h, op->window.stride_w,
             point                                   ? "any"
             : op->window.padding == MN_PADDING_SAME ? "SAME"
                                                     : "VALID");
  } else if (op->kind == MN_OP_AVERAGE_POOL_2D) {
    snprintf(window, sizeof window, "%dx%d", op->window.kernel_h, op->window.kernel_w);
    assert_true(op->window.kernel_h == x->dim[1] && op->window.kernel_w == x->dim[2]);
  }
  bool has = conv || op->kind == MN_OP_FULLY_CONNECTED || op->kind == MN_OP_ADD;
  snprintf(text, size, "%s %s %s %s %lld", mn_op_info_get(op->kind)->text, shape, window,
           has ? activations[op->activation] : "", (long long)mn_op_macs(graph, index));
}

static char *trimmed(char *text) {
  while (*text == ' ') text++;
  size_t length = strlen(text);
  while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\n')) text[--length] = 0;
  return text;
}

/* "0 | CONV_2D | [[in]] | [out] | 10x4 | s1x1 | SAME | relu6 | macs | ..." */
static bool read_dump_line(char *line, char *text, size_t size) {
  char *field[9], *next = line;
  int count = 0;
  while (count < 9 && next != NULL) {
    field[count++] = next;
    next = strchr(next, '|');
    if (next != NULL) *next++ = 0;
  }
  if (count < 9) return false;
  for (int i = 0; i < 9; i++) field[i] = trimmed(field[i]);
  if (field[0][0] < '0' || field[0][0] > '9') return false;
  bool conv = strstr(field[1], "CONV_2D") != NULL;
  char window[64] = "";
  if (conv) {
    snprintf(window, sizeof window, "%s %s %s", field[4], field[5],
             strcmp(field[4], "1x1") == 0 ? "any" : field[6]);
  } else if (strcmp(field[1], "AVERAGE_POOL_2D") == 0) {
    snprintf(window, sizeof window, "%s", field[4]);
  }
  bool has = conv || strcmp(field[1], "FULLY_CONNECTED") == 0 || strcmp(field[1], "ADD") == 0;
  snprintf(text, size, "%s %s %s %s %s", field[1], field[3], window, has ? field[7] : "", field[8]);
  return true;
}

static void compare_with_dump(const char *name, const mn_graph *graph, const char *dump) {
  char path[100], line[600], expected[300], given[300];
  snprintf(path, sizeof path, "paper/layers/%s.txt", dump);
  FILE *file = fopen(test_shared(path), "r");
  if (file == NULL) fail_msg("no %s", path);
  int32_t index = 0;
  while (fgets(line, sizeof line, file) != NULL) {
    if (!read_dump_line(line, expected, sizeof expected)) continue;
    if (index >= graph->op_count) fail_msg("%s ends at op %d", name, index);
    show_op(given, sizeof given, graph, index);
    if (strcmp(given, expected) != 0)
      fail_msg("%s op %d: '%s', not '%s'", name, index, given, expected);
    index++;
  }
  fclose(file);
  assert_int_equal(index, graph->op_count);
}

static void networks_equal_the_layer_lists_of_their_files_op_by_op(void **state) {
  (void)state;
  static const char *const pairs[][2] = {
      {"micronet_kws_s", "kws_micronet_s"},     {"micronet_kws_m", "kws_micronet_m"},
      {"micronet_ad_s", "ad_small_int8"},       {"micronet_ad_m", "ad_medium_int8_7c32b09"},
      {"micronet_vww_2", "vww2_50_50_INT8"},    {"micronet_vww_3", "vww3_128_128_INT8"},
      {"ds_cnn_s", "ds_cnn_s_quantized"},       {"ds_cnn_l", "ds_cnn_l_quantized"},
      {"person_detect", "tflm_person_detect"},  {"mlperf_kws", "mlcommons_kws_ref_model"},
      {"mlperf_vww", "mlcommons_vww_96_int8"},  {"mlperf_ic", "mlcommons_pretrainedResnet_quant"},
      {"mlperf_ad", "mlcommons_ad01_int8"},     {"mlperf_kws", "mlcommons_kws_ref_model_float32"},
      {"mlperf_vww", "mlcommons_vww_96_float"}, {"mlperf_ic", "mlcommons_pretrainedResnet"},
      {"mlperf_ad", "mlcommons_ad01_fp32"},
  };
  /* networks of others that we do not ship */
  static const char *const others[][2] = {
      {"tflm_hello_world_int8", "input 1\ndefault relu\nfc 16 times 2\nfc 1"},
      {"tflm_micro_speech_quantized",
       "input 1960\ndefault relu\nreshape 49x40x1\ndepthwise 10x8 stride 2 multiplier 8\nfc 4\n"
       "softmax"},
      {"ds_cnn_s_quantized_int16",
       "input 490\ndefault relu activations 16\nreshape 49x10x1\nconv 10x4 64 stride 2\n"
       "ds 3x3 64 times 4\npool avg\nflatten\nfc 12\nsoftmax"},
      {"mlcommons_str_ww_ref_model",
       "input 30x1x40\ndefault relu valid\ndepthwise 3x1 linear\nconv 1x1 128\n"
       "depthwise 5x1 linear\nconv 1x1 128\ndepthwise 10x1 linear\nconv 1x1 128\n"
       "depthwise 15x1 linear\nconv 1x1 32\nflatten\nfc 3\nsoftmax"},
  };
  if (test_shared("") == NULL) {
    printf("skipped: layer lists ($MN_SHARED) are absent\n");
    skip();
  }
  for (size_t i = 0; i < MN_COUNT(pairs); i++) {
    compare_with_dump(pairs[i][0], network(pairs[i][0]), pairs[i][1]);
  }
  for (size_t i = 0; i < MN_COUNT(others); i++) {
    compare_with_dump(others[i][0], lower(parse_text("other.net", others[i][1]), NULL),
                      others[i][0]);
  }
}

/* The same without development data: the ops and widths that matter, of three networks. */
static void ops_stand_in_the_order_of_the_files(void **state) {
  (void)state;
  static const struct {
    const char *name;
    int32_t op;
    const char *text;
  } cases[] = {
      {"micronet_kws_m", 0, "CONV_2D [1, 49, 10, 140] 10x4 s1x1 SAME relu6 2744000"},
      {"micronet_kws_m", 1, "DEPTHWISE_CONV_2D [1, 25, 5, 140] 3x3 s2x2 SAME relu6 157500"},
      {"micronet_kws_m", 12, "CONV_2D [1, 1, 1, 12] 1x1 s1x1 any none 2352"},
      {"micronet_kws_m", 13, "RESHAPE [1, 12]   0"},
      {"micronet_vww_2", 10, "PAD [1, 13, 13, 24]   0"},
      {"micronet_vww_2", 11, "ADD [1, 13, 13, 24]  none 0"},
      {"micronet_vww_2", 68, "AVERAGE_POOL_2D [1, 1, 1, 128] 2x2  0"},
      {"mlperf_ic", 3, "ADD [1, 32, 32, 16]  relu 0"},
      {"mlperf_ic", 6, "CONV_2D [1, 16, 16, 32] 1x1 s2x2 any none 131072"},
      {"mlperf_ic", 14, "FULLY_CONNECTED [1, 10]  none 640"},
      {"ds_cnn_l", 0, "RESHAPE [1, 49, 10, 1]   0"},
      {"person_detect", 0, "DEPTHWISE_CONV_2D [1, 48, 48, 8] 3x3 s2x2 SAME relu6 165888"},
  };
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    char given[300];
    show_op(given, sizeof given, network(cases[i].name), cases[i].op);
    assert_string_equal(given, cases[i].text);
  }
}

static void the_last_layer_and_folded_layers_know_their_batch_norm(void **state) {
  (void)state;
  const mn_graph *graph = network("micronet_kws_s");
  assert_true(graph->ops[0].batch_norm);
  assert_false(graph->ops[12].batch_norm);
  assert_string_equal(graph->ops[0].name, "conv1");
  assert_string_equal(graph->ops[1].name, "ds1.depthwise");
  assert_string_equal(graph->ops[2].name, "ds1.conv");
  assert_string_equal(graph->tensors[graph->ops[2].input[1]].name, "ds1.conv.weights");
  assert_int_equal(graph->ops[1].line, 4);
  assert_false(graph->frozen);
}

/* ---- Spaces ----------------------------------------------------------------------------------*/
static const char *const spaces[] = {"spaces/kws.net",      "spaces/ad.net",
                                     "spaces/vww.net",      "spaces/ic.net",
                                     "spaces/ic_small.net", "spaces/ic_separable.net"};

static void the_kws_space_has_the_figures_of_the_design(void **state) {
  (void)state;
  mn_net *net = load("spaces/kws.net");
  mn_pick pick;
  assert_ok(mn_pick_create(&pick, arena, net), &error);
  assert_int_equal(mn_net_decisions(net), 19);
  assert_int_equal((int)(mn_net_networks_log10(net) * 10), 127); /* 10^12.75 */
  const mn_decision *width = mn_net_decision(net, 0);
  static const int32_t steps[] = {28, 56, 84, 112, 140, 164, 192, 220, 248, 276};
  assert_string_equal(width->name, "conv1.width");
  assert_int_equal(width->options, 10);
  assert_memory_equal(width->value, steps, sizeof steps);
  mn_pick_smallest(&pick, net);
  assert_int_equal(mn_graph_counts(lower(net, &pick)).macs / 10000, 54);
  mn_pick_largest(&pick, net);
  assert_int_equal(mn_graph_counts(lower(net, &pick)).macs / 100000, 939);
}

static void expect_member(const mn_net *space, const char *name) {
  char path[80];
  snprintf(path, sizeof path, "networks/%s.net", name);
  mn_net *net = load(path);
  mn_pick pick;
  assert_ok(mn_pick_create(&pick, arena, space), &error);
  if (!mn_net_contains(&pick, space, net)) fail_msg("%s is no member", name);
  const mn_graph *a = lower(space, &pick), *b = lower(net, NULL);
  assert_int_equal(a->op_count, b->op_count);
  for (int32_t op = 0; op < a->op_count; op++) {
    char one[300], two[300];
    show_op(one, sizeof one, a, op);
    show_op(two, sizeof two, b, op);
    assert_string_equal(one, two);
  }
}

static void published_networks_are_members_of_their_spaces(void **state) {
  (void)state;
  mn_net *kws = load("spaces/kws.net"), *ad = load("spaces/ad.net");
  expect_member(kws, "micronet_kws_s");
  expect_member(kws, "micronet_kws_m");
  expect_member(kws, "micronet_kws_l");
  expect_member(ad, "micronet_ad_s");
  expect_member(ad, "micronet_ad_m");
  expect_member(ad, "micronet_ad_l");
  mn_pick pick;
  assert_ok(mn_pick_create(&pick, arena, kws), &error);
  assert_false(mn_net_contains(&pick, kws, load("networks/micronet_ad_s.net")));
  assert_false(mn_net_contains(&pick, kws, load("networks/ds_cnn_s_stride1.net"))); /* 64 */
  assert_false(mn_net_contains(&pick, kws, load("networks/mlperf_kws.net")));
  assert_false(mn_net_contains(&pick, kws, kws)); /* a space is no network */
}

/* The space under another rounding. */
static mn_net *vww_space(const char *rounding) {
  mn_bytes file = test_read(arena, test_source("spaces/vww.net"));
  const char *text = (const char *)file.data, *old = "steps 10% nearest 4";
  const char *at = strstr(text, old);
  assert_non_null(at);
  return parse_text("vww.net", mn_arena_text(arena, "%.*ssteps 10%% %s%s", (int)(at - text), text,
                                             rounding, at + strlen(old)));
}

static void the_vww_space_holds_the_published_networks_under_their_roundings(void **state) {
  (void)state;
  expect_member(vww_space("floor 4"), "micronet_vww_2");
  expect_member(vww_space("floor"), "micronet_vww_3");
  mn_net *space = vww_space("nearest 4");
  mn_pick pick;
  assert_ok(mn_pick_create(&pick, arena, space), &error);
  assert_false(mn_net_contains(&pick, space, load("networks/micronet_vww_4.net")));
  /* its one layer that no rounding explains: 14 of 144 */
  mn_bytes file = test_read(arena, test_source("networks/micronet_vww_4.net"));
  char *at = strstr((char *)(uintptr_t)file.data, " 14 16");
  assert_non_null(at);
  at[2] = '6';
  assert_true(mn_net_contains(&pick, space, parse("vww_4", file)));
}

static char *printed(const mn_net *net, const mn_pick *pick) {
  mn_buffer buffer = {0};
  mn_sink sink = mn_buffer_sink(&buffer);
  assert_int_equal(mn_net_print(&sink, net, pick), MN_OK);
  char *text = mn_arena_text(arena, "%.*s", (int)buffer.size, (const char *)buffer.data);
  mn_buffer_free(&buffer);
  return text;
}

static bool same_op(const mn_op *x, const mn_op *y) {
  return x->kind == y->kind && x->inputs == y->inputs && x->output == y->output &&
         x->activation == y->activation && x->batch_norm == y->batch_norm &&
         memcmp(x->input, y->input, sizeof x->input) == 0 &&
         memcmp(&x->window, &y->window, sizeof x->window) == 0;
}

static void expect_same_graph(const mn_graph *a, const mn_graph *b) {
  assert_int_equal(a->op_count, b->op_count);
  assert_int_equal(a->tensor_count, b->tensor_count);
  for (int32_t t = 0; t < a->tensor_count; t++) {
    assert_string_equal(a->tensors[t].name, b->tensors[t].name);
    assert_int_equal(a->tensors[t].dtype, b->tensors[t].dtype);
    assert_true(mn_shape_equal(&a->tensors[t].shape, &b->tensors[t].shape));
  }
  for (int32_t o = 0; o < a->op_count; o++) {
    assert_string_equal(a->ops[o].name, b->ops[o].name);
    assert_true(same_op(&a->ops[o], &b->ops[o]));
  }
}

static void expect_round_trip(const mn_net *net, const mn_pick *pick) {
  char *text = printed(net, pick);
  mn_net *again = parse_text("printed.net", text);
  assert_int_equal(mn_net_decisions(again), 0);
  assert_null(strpbrk(text, "{}"));
  assert_null(strstr(text, "times"));
  assert_string_equal(printed(again, NULL), text);
  expect_same_graph(lower(net, pick), lower(again, NULL));
  mn_pick found;
  assert_ok(mn_pick_create(&found, arena, net), &error);
  assert_true(mn_net_contains(&found, net, again));
}

static void what_is_printed_of_300_random_picks_parses_to_the_same_network(void **state) {
  (void)state;
  for (size_t s = 0; s < MN_COUNT(spaces); s++) {
    mn_net *net = load(spaces[s]);
    mn_rng rng = mn_rng_seed(s + 1);
    mn_pick pick;
    assert_ok(mn_pick_create(&pick, arena, net), &error);
    for (int i = 0; i < 300; i++) {
      mn_arena_mark mark = mn_arena_mark_get(arena);
      mn_pick_random(&pick, net, &rng);
      expect_round_trip(net, &pick);
      mn_arena_release(arena, mark);
    }
  }
}

static void a_printed_space_is_the_same_space(void **state) {
  (void)state;
  for (size_t s = 0; s < MN_COUNT(spaces); s++) {
    mn_net *net = load(spaces[s]);
    char *text = printed(net, NULL);
    mn_net *again = parse_text(spaces[s], text);
    assert_string_equal(printed(again, NULL), text);
    assert_true(mn_net_hash(net) == mn_net_hash(again));
    assert_int_equal(mn_net_decisions(net), mn_net_decisions(again));
    for (int32_t d = 0; d < mn_net_decisions(net); d++) {
      const mn_decision *a = mn_net_decision(net, d), *b = mn_net_decision(again, d);
      assert_string_equal(a->name, b->name);
      assert_int_equal(a->options, b->options);
      assert_memory_equal(a->value, b->value, (size_t)a->options * sizeof *a->value);
    }
  }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)
int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(published_networks_have_the_counts_of_their_files),
      TEST(baselines_have_the_ops_of_their_papers),
      TEST(networks_equal_the_layer_lists_of_their_files_op_by_op),
      TEST(ops_stand_in_the_order_of_the_files),
      TEST(the_last_layer_and_folded_layers_know_their_batch_norm),
      TEST(the_kws_space_has_the_figures_of_the_design),
      TEST(published_networks_are_members_of_their_spaces),
      TEST(the_vww_space_holds_the_published_networks_under_their_roundings),
      TEST(what_is_printed_of_300_random_picks_parses_to_the_same_network),
      TEST(a_printed_space_is_the_same_space),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
