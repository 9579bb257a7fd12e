/* The language: what its lines mean, setting, printing, the input line.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net_support.h"

/* ---- Meaning ---------------------------------------------------------------------------------*/
static void expect_options(const mn_net *net, int32_t index, const char *name, const char *values) {
  const mn_decision *decision = mn_net_decision(net, index);
  char text[400] = "";
  for (int32_t k = 0; k < decision->options; k++) {
    snprintf(text + strlen(text), sizeof text - strlen(text), k > 0 ? " %d" : "%d",
             decision->value[k]);
  }
  assert_string_equal(decision->name, name);
  assert_string_equal(text, values);
}

static void choices_come_from_lists_ranges_and_steps(void **state) {
  (void)state;
  static const struct {
    const char *steps, *choice, *values;
  } cases[] = {
      {"", "{8 4 8 16}", "4 8 16"},
      {"", "{28..112 by 28 100 3..4}", "3 4 28 56 84 100 112"},
      {"steps 10% nearest 4", "{..276}", "28 56 84 112 140 164 192 220 248 276"},
      {"steps 10% nearest 4", "{..276 196}", "28 56 84 112 140 164 192 196 220 248 276"},
      {"steps 10% nearest 4", "{..16}", "4 8 12 16"}, /* values that round alike count once */
      {"steps 10% floor 4", "{..16}", "4 8 12 16"},
      {"steps 10% floor 4", "{..32}", "4 8 12 16 20 24 28 32"},
      {"steps 10% floor", "{..24}", "2 4 7 9 12 14 16 19 21 24"},
      {"steps 50% nearest", "{..5}", "3 5"}, /* halves go up */
      {"steps 25% floor 8", "{..8}", "8"},   /* never below one multiple */
  };
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    char text[200];
    snprintf(text, sizeof text, "%s\ninput 8x8x1\nconv 3x3 %s\nfc 2", cases[i].steps,
             cases[i].choice);
    expect_options(parse(text), 0, "conv1.width", cases[i].values);
  }
}

static void a_name_is_one_decision_wherever_it_stands(void **state) {
  (void)state;
  mn_net *net = parse(
      "input 8x8x1\nconv 3x3 w={4 8}\nblock times 2\n conv 3x3 w weights b={4 8}\n"
      " conv 3x3 {4 8 12} weights b\nend\nconv 1x1 w optional\nfc classes=3\nfc classes");
  assert_int_equal(mn_net_decisions(net), 5);
  expect_options(net, 0, "w", "4 8");
  expect_options(net, 1, "b", "4 8");
  expect_options(net, 2, "block1.conv2.width", "4 8 12");
  expect_options(net, 3, "block2.conv2.width", "4 8 12");
  expect_options(net, 4, "conv2.optional", "0 1");
  assert_int_equal(mn_net_decision(net, 1)->kind, MN_DECISION_BITS);
  mn_pick pick = pick_of(net);
  mn_pick_largest(&pick, net);
  const mn_graph *graph = lower(net, &pick);
  assert_int_equal(graph->tensors[graph->ops[0].output].shape.dim[3], 8);
  assert_int_equal(graph->tensors[graph->ops[graph->op_count - 2].output].shape.dim[1], 3);
}

static void defaults_hold_for_the_lines_below_and_not_for_ibn(void **state) {
  (void)state;
  mn_net *net = parse(
      "input 8x8x1\nconv 3x3 8\ndefault relu nobn weights 4\nds 3x3 8 linear\n"
      "ibn 3x3 8 8\nds 3x3 8 bn weights 8\nfc 2");
  const mn_graph *graph = lower(net, NULL);
  static const mn_activation expected[] = {
      MN_ACTIVATION_RELU6, MN_ACTIVATION_NONE,  MN_ACTIVATION_NONE,
      MN_ACTIVATION_RELU6, MN_ACTIVATION_RELU6, MN_ACTIVATION_NONE,
      MN_ACTIVATION_RELU,  MN_ACTIVATION_RELU,  MN_ACTIVATION_NONE};
  static const bool bn[] = {true, false, false, false, false, false, true, true, false};
  assert_int_equal(graph->op_count, 9);
  for (int32_t op = 0; op < 9; op++) {
    assert_int_equal(graph->ops[op].activation, expected[op]);
    assert_int_equal(graph->ops[op].batch_norm, bn[op]);
  }
  assert_int_equal(graph->tensors[graph->ops[0].input[1]].dtype, MN_DTYPE_INT8);
  assert_int_equal(graph->tensors[graph->ops[1].input[1]].dtype, MN_DTYPE_INT4);
  assert_int_equal(graph->tensors[graph->ops[7].input[1]].dtype, MN_DTYPE_INT8);
}

static void the_last_layer_is_bare_unless_its_line_says_otherwise(void **state) {
  (void)state;
  const mn_graph *bare =
      lower(parse("input 8x8x1\ndefault relu\nds 3x3 2\nflatten\nsoftmax"), NULL);
  assert_int_equal(bare->ops[0].activation, MN_ACTIVATION_RELU);
  assert_int_equal(bare->ops[1].activation, MN_ACTIVATION_NONE);
  assert_false(bare->ops[1].batch_norm);
  assert_true(bare->ops[0].batch_norm);
  const mn_graph *own = lower(parse("input 8x8x1\ndefault relu\nconv 1x1 2 relu6 bn"), NULL);
  assert_int_equal(own->ops[0].activation, MN_ACTIVATION_RELU6);
  assert_true(own->ops[0].batch_norm);
}

static void sixteen_bit_activations_reach_from_input_to_bias(void **state) {
  (void)state;
  const mn_graph *graph = lower(parse("input 490\ndefault relu activations 16\nfc 2"), NULL);
  assert_int_equal(graph->tensors[graph->inputs[0]].dtype, MN_DTYPE_INT16);
  assert_int_equal(graph->tensors[graph->ops[0].input[2]].dtype, MN_DTYPE_INT64);
  assert_int_equal(graph->tensors[graph->outputs[0]].dtype, MN_DTYPE_INT16);
}

static void residuals_are_padded_pooled_or_projected(void **state) {
  (void)state;
  const mn_graph *graph =
      lower(parse("input 9x9x4\nconv 3x3 6 residual stride 2\nblock projection relu\n conv 3x3 8\n"
                  " conv 3x3 12 stride 2\nend\nfc 2"),
            NULL);
  static const char *const expected[] = {"conv1.pool",      "conv1",        "conv1.pad",
                                         "conv1.add",       "block1.conv1", "block1.conv2",
                                         "block1.shortcut", "block1.add",   "fc1"};
  assert_int_equal(graph->op_count, MN_COUNT(expected));
  for (size_t i = 0; i < MN_COUNT(expected); i++) {
    assert_string_equal(graph->ops[i].name, expected[i]);
  }
  const mn_op *pad = &graph->ops[2], *pool = &graph->ops[0], *shortcut = &graph->ops[6];
  const int32_t *paddings = graph->tensors[pad->input[1]].data;
  assert_int_equal(paddings[7], 2);
  assert_int_equal(pool->window.kernel_h, 2);
  assert_int_equal(graph->tensors[pool->output].shape.dim[1], 5);
  assert_int_equal(shortcut->window.stride_h, 2);
  assert_int_equal(shortcut->activation, MN_ACTIVATION_NONE);
  assert_int_equal(graph->ops[3].activation, MN_ACTIVATION_NONE);
  assert_int_equal(graph->ops[7].activation, MN_ACTIVATION_RELU);
}

static void an_absent_layer_leaves_its_shortcut(void **state) {
  (void)state;
  mn_net *net = parse("input 8x8x3\nds 3x3 8 stride 2 optional\nds 3x3 8 optional times 2\nfc 2");
  mn_pick pick = pick_of(net);
  const mn_graph *graph = lower(net, &pick);
  assert_int_equal(graph->op_count, 2);
  assert_string_equal(graph->ops[0].name, "ds1");
  assert_int_equal(graph->ops[0].kind, MN_OP_AVERAGE_POOL_2D);
  assert_string_equal(printed(net, &pick), "input 8x8x3\nds1: pool avg 2x2\nfc 2\n");
}

/* ---- Printing --------------------------------------------------------------------------------*/
static void a_printed_network_keeps_its_names_and_has_no_choices(void **state) {
  (void)state;
  mn_net *net = parse(
      "steps 10% nearest 4\ninput 49x10x1 mfcc\nconv 10x4 {..276}\n"
      "ds 3x3 {..276} optional times 3 # comment\nstem: ds 3x3 w={4 8}\n"
      "block residual optional relu\n  conv 3x3 w\n  a: conv 3x3 w linear\nend\n"
      "pool avg\nconv 1x1 classes=12\nfc classes linear\nflatten");
  mn_pick pick = pick_of(net);
  mn_pick_largest(&pick, net);
  pick.option[2] = 0; /* ds1 */
  assert_string_equal(
      printed(net, &pick),
      "input 49x10x1 mfcc rate 16kHz length 1s window 40ms step 20ms mels 40 from 20Hz to 4kHz keep 10\n"
      "conv 10x4 276\nds2: ds 3x3 276\nds3: ds 3x3 276\nstem: ds 3x3 8\n"
      "block relu residual\n  conv 3x3 8\n  a: conv 3x3 8 linear\nend\n"
      "pool avg\nconv 1x1 classes=12\nfc classes linear\nflatten\n");
  assert_string_equal(
      strchr(printed(net, NULL), '\n'),
      "\nconv 10x4 {28 56 84 112 140 164 192 220 248 276}\n"
      "ds 3x3 {28 56 84 112 140 164 192 220 248 276} optional\n"
      "ds 3x3 {28 56 84 112 140 164 192 220 248 276} optional\n"
      "ds 3x3 {28 56 84 112 140 164 192 220 248 276} optional\n"
      "stem: ds 3x3 w={4 8}\nblock relu residual optional\n  conv 3x3 w\n  a: conv 3x3 w linear\nend\n"
      "pool avg\nconv 1x1 classes=12\nfc classes linear\nflatten\n");
}

static void corners_of_the_language_survive_printing(void **state) {
  (void)state;
  static const char *const cases[] = {
      "input 8x8x1\ndefault relu nobn\nds 3x3 2",
      "input 8x8x1\ndefault linear valid\nds 3x3 2 relu6",
      "input 8x8x1\ndefault nobn\nibn 3x3 4 2 valid",
      "input 8x8x1\ndefault nobn\nibn 3x3 4 2 bn",
      "input 8x8x1\ndefault relu\nconv 5 2",
      "input 8x8x1\nconv 3x3 2 stride 2x1 linear bn",
      "input 8x8x1\npool max 3x3 stride 2 valid\npool avg 2x2\npool max\nfc 2",
      "input 8x8x1\ndepthwise 3x3 multiplier 4 stride 2\nfc 2",
      "input 8x8x1\nconv 3x3 4 weights 4 activations 4\nfc 2 weights 4",
      "input 8x8x1\nblock residual times 2\nconv 3x3 4 times 2\nx: conv 3x3 4\nend\nfc 2",
      "input 8x8x1\nblock projection relu6\nconv 1x1 8\nconv 1x1 4 stride 2\nend\nfc 2",
      "input 8x8x1\nconv 3x3 w={8} weights {8} activations {8 8}\nfc 2",
      "input 64\nreshape 8x8x1\nconv 3x3 4\nsoftmax",
      "input 8x8x1\nds2: ds 3x3 4\nds3: ds 3x3 4 residual\nds1: ds 3x3 4\nfc 2",
      "input image size 32 colour rgb\nfc 2",
      "input 640 logmel window 64ms step 32ms mels 128 frames 5 every 1 mel slaney log db\nfc 640",
      "input logmel window 62500us step 20ms from 0Hz to 7600Hz level normalised resize 32x16\nfc 2",
      "input 18x32x3 spectrum rate 200Hz length 1s window 300ms step 40ms from 0Hz to 100Hz "
      "channels 3\nfc 2",
      "input spectrum rate 3200Hz frames 64 window 80ms step 40ms bands 64 from 0Hz to 1600Hz log db "
      "every 20 resize 32x32\nfc 2",
  };
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    mn_net *net = parse(cases[i]);
    char *text = printed(net, NULL);
    mn_net *again = parse(text);
    assert_string_equal(printed(again, NULL), text);
    assert_true(mn_net_hash(net) == mn_net_hash(again));
    const mn_graph *a = lower(net, NULL), *b = lower(again, NULL);
    assert_int_equal(a->op_count, b->op_count);
    for (int32_t op = 0; op < a->op_count; op++) {
      assert_string_equal(a->ops[op].name, b->ops[op].name);
      assert_int_equal(a->ops[op].activation, b->ops[op].activation);
      assert_int_equal(a->ops[op].batch_norm, b->ops[op].batch_norm);
      assert_memory_equal(&a->ops[op].window, &b->ops[op].window, sizeof a->ops[op].window);
      assert_true(mn_shape_equal(&a->tensors[a->ops[op].output].shape,
                                 &b->tensors[b->ops[op].output].shape));
      assert_int_equal(a->tensors[a->ops[op].output].dtype, b->tensors[b->ops[op].output].dtype);
    }
    mn_pick pick = pick_of(net);
    assert_true(mn_net_contains(&pick, net, again));
  }
}

static void what_changes_a_network_changes_its_hash(void **state) {
  (void)state;
  static const char *const cases[] = {
      "input 8x8x1\nconv 3x3 4\nfc 2",      "input 8x8x1\nconv 3x3 4 relu\nfc 2",
      "input 8x8x1\nconv 3x3 4 nobn\nfc 2", "input 8x8x1\na: conv 3x3 4\nfc 2",
      "input 8x8x1\nconv 3x3 {4 8}\nfc 2",  "input 8x8x1\nconv 3x3 4\nfc classes=2",
      "input 8x8x2\nconv 3x3 4\nfc 2",      "input 8x8x1\nconv 3x3 4 optional\nfc 2",
  };
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    for (size_t k = 0; k < i; k++) {
      assert_true(mn_net_hash(parse(cases[i])) != mn_net_hash(parse(cases[k])));
    }
  }
  assert_true(mn_net_hash(parse("input 8x8x1 # a\n\n\tconv  3x3 4\r\nfc 2")) ==
              mn_net_hash(parse(cases[0])));
}

/* Every ```net block of docs/net.md is a file that parses, prints and lowers. */
static void the_examples_of_the_manual_are_right(void **state) {
  (void)state;
  mn_bytes manual = test_read(arena, test_source("docs/net.md"));
  int32_t examples = 0;
  for (char *at = (char *)(uintptr_t)manual.data; (at = strstr(at, "```net\n")) != NULL;) {
    char *begin = at + 7, *end = strstr(begin, "```");
    assert_non_null(end);
    *end = 0;
    mn_net *net = parse(begin);
    mn_pick pick = pick_of(net);
    mn_pick_largest(&pick, net);
    lower(net, &pick);
    char *text = printed(net, &pick);
    assert_string_equal(printed(parse(text), NULL), text);
    examples++;
    at = end + 1;
  }
  assert_int_equal(examples, 5);
}

/* ---- Setting ---------------------------------------------------------------------------------*/
static const char settable[] =
    "input image size {32 64} colour {grey rgb}\nconv 3x3 w={4 8}\n"
    "ds 3x3 {4 8 16} optional weights {4 8} times 4\nfc classes=12";

static void names_and_decisions_can_be_pinned(void **state) {
  (void)state;
  static const char *const pairs[][2] = {{"classes", "5"},     {"w", "8"},
                                         {"ds4.width", "16"},  {"ds4.optional", "off"},
                                         {"ds1.weights", "4"}, {"ds1.optional", "on"},
                                         {"input.size", "64"}, {"input.colour", "rgb"}};
  mn_net *net = parse(settable);
  double before = mn_net_networks_log10(net);
  for (size_t i = 0; i < MN_COUNT(pairs); i++) {
    assert_ok(mn_net_set(net, pairs[i][0], pairs[i][1], &error), &error);
  }
  assert_true(mn_net_networks_log10(net) < before);
  mn_pick pick = pick_of(net);
  const mn_graph *graph = lower(net, &pick);
  assert_int_equal(graph->tensors[graph->inputs[0]].shape.dim[1], 64);
  assert_int_equal(graph->tensors[graph->inputs[0]].shape.dim[3], 3);
  assert_int_equal(graph->tensors[graph->outputs[0]].shape.dim[1], 5);
  char *text = printed(net, NULL);
  assert_non_null(
      strstr(text, "input image size 64 colour rgb\nconv 3x3 8\nds 3x3 {4 8 16} weights 4\n"));
  assert_null(strstr(text, "ds4"));
  assert_string_equal(printed(parse(text), NULL), text);
  assert_ok(mn_net_set(net, "w", "4", &error), &error); /* and pinned anew */
  assert_int_equal(lower(net, &pick)->tensors[3].shape.dim[3], 4);
}

static void what_cannot_be_set_is_said_with_the_options(void **state) {
  (void)state;
  static const struct {
    const char *name, *value, *message;
  } cases[] = {
      {"clases", "3", "x.net: nothing is named \"clases\"; did you mean \"classes\"?"},
      {"zebra", "3", "x.net: nothing is named \"zebra\"; names are such as classes"},
      {"ds4.wdth", "3", "x.net: nothing is named \"ds4.wdth\"; did you mean \"ds4.width\"?"},
      {"ds4.width", "141", "x.net: ds4.width cannot be 141; it is one of 4 8 16"},
      {"ds4.optional", "1", "x.net: ds4.optional cannot be 1; it is one of off on"},
      {"input.colour", "red", "x.net: input.colour cannot be red; it is one of grey rgb"},
      {"classes", "many", "x.net: classes cannot be many; a number from 1 to 65535 is expected"},
      {"classes", "0", "x.net: classes cannot be 0; a number from 1 to 65535 is expected"},
      {"classes", "12x", "x.net: classes cannot be 12x; a number from 1 to 65535 is expected"},
  };
  mn_net *net = parse(settable);
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    assert_int_equal(mn_net_set(net, cases[i].name, cases[i].value, &error), MN_ERR_ARGUMENT);
    assert_string_equal(error.text, cases[i].message);
  }
}

static void picks_are_copied_compared_and_drawn(void **state) {
  (void)state;
  mn_net *net = parse(settable);
  mn_rng one = mn_rng_seed(3), two = mn_rng_seed(3);
  mn_pick a = pick_of(net), b = pick_of(net);
  assert_int_equal(a.count, mn_net_decisions(net));
  mn_pick_random(&a, net, &one);
  mn_pick_random(&b, net, &two);
  assert_true(mn_pick_equal(&a, &b));
  mn_pick_largest(&a, net);
  assert_false(mn_pick_equal(&a, &b));
  mn_pick_copy(&b, &a);
  assert_true(mn_pick_equal(&a, &b));
  mn_pick_smallest(&b, net);
  assert_int_equal(b.option[0], 0);
}

/* ---- The input line --------------------------------------------------------------------------*/
static char *frontend_text(const mn_frontend *frontend) {
  mn_buffer buffer = {0};
  mn_sink sink = mn_buffer_sink(&buffer);
  assert_int_equal(mn_frontend_print(&sink, frontend), MN_OK);
  char *text = mn_arena_text(arena, "%.*s", (int)buffer.size, (const char *)buffer.data);
  mn_buffer_free(&buffer);
  return text;
}

static void the_input_line_gives_the_feature_shape_and_comes_back_as_it_was(void **state) {
  (void)state;
  static const struct {
    const char *line, *canonical;
    int32_t height, width, channels;
  } cases[] = {
      {"input mfcc",
       "input mfcc rate 16kHz length 1s window 40ms step 20ms mels 40 from 20Hz to 4kHz keep 10",
       49, 10, 1},
      {"input 49x10x1 mfcc window 30ms style mlperf",
       "input mfcc rate 16kHz length 1s window 30ms step 20ms mels 40 from 20Hz to 4kHz keep 10 style mlperf",
       49, 10, 1},
      {"input logmel level normalised to 7.6kHz length 800ms",
       "input logmel rate 16kHz length 800ms window 40ms step 20ms mels 40 from 20Hz to 7600Hz level normalised",
       39, 40, 1},
      {"input logmel window 64ms step 32ms mels 64 frames 64 every 20 resize 32x32",
       "input logmel rate 16kHz window 64ms step 32ms mels 64 from 20Hz to 4kHz frames 64 every 20 resize 32x32",
       32, 32, 1},
      {"input image size 96 colour rgb", "input image size 96 colour rgb", 96, 96, 3},
      {"input image size 50", "input image size 50 colour grey", 50, 50, 1},
      {"input 28x28x1", "input 28x28x1", 28, 28, 1},
      {"input 640", "input 640x1x1", 640, 1, 1},
  };
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    mn_frontend frontend, again;
    assert_ok(mn_frontend_parse(&frontend, cases[i].line, &error), &error);
    assert_int_equal(frontend.height, cases[i].height);
    assert_int_equal(frontend.width, cases[i].width);
    assert_int_equal(frontend.channels, cases[i].channels);
    assert_string_equal(frontend_text(&frontend), cases[i].canonical);
    assert_ok(mn_frontend_parse(&again, cases[i].canonical, &error), &error);
    assert_string_equal(frontend_text(&again), cases[i].canonical);
#define X(key, field, unit, initial) assert_int_equal(frontend.field, again.field);
    MN_FRONTEND_KEYS(X)
#undef X
  }
}

static void a_damaged_input_line_is_refused(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"", "input line:1:1: the end of the line where \"input\" is expected"},
      {"inptu mfcc", "input line:1:1: \"inptu\" where \"input\" is expected"},
      {"input mfcc mels {20 40}", "input line:1:17: mels cannot be a choice"},
      {"input mfcc rate 99999999kHz",
       "input line:1:17: \"99999999kHz\" is no rate; write it as 16kHz or 20Hz"},
      {"input mfcc rate 401kHz", "input line:1:17: rate \"401kHz\" is out of range"},
      {"input spectrum rate 200Hz",
       "input line:1:1: the band must rise from \"from\" to \"to\", and end at half the rate or below"},
      {"input spectrum mels 20", "input line:1:16: \"mels\" is no setting of spectrum"},
  };
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    mn_frontend frontend;
    assert_int_equal(mn_frontend_parse(&frontend, cases[i][0], &error), MN_ERR_FORMAT);
    assert_string_equal(error.text, cases[i][1]);
  }
}

static void choices_of_the_input_line_are_followed_by_the_pick(void **state) {
  (void)state;
  mn_net *net = parse("input logmel mels {20 40}\nconv 3x3 4\nfc 2");
  mn_pick pick = pick_of(net);
  mn_frontend frontend;
  assert_int_equal(mn_net_decision(net, 0)->kind, MN_DECISION_INPUT);
  assert_ok(mn_net_frontend(&frontend, net, &pick, &error), &error);
  assert_int_equal(frontend.width, 20);
  mn_pick_largest(&pick, net);
  assert_ok(mn_net_frontend(&frontend, net, &pick, &error), &error);
  assert_int_equal(frontend.width, 40);
  assert_int_equal(lower(net, &pick)->tensors[0].shape.dim[2], 40);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(choices_come_from_lists_ranges_and_steps),
      TEST(a_name_is_one_decision_wherever_it_stands),
      TEST(defaults_hold_for_the_lines_below_and_not_for_ibn),
      TEST(the_last_layer_is_bare_unless_its_line_says_otherwise),
      TEST(sixteen_bit_activations_reach_from_input_to_bias),
      TEST(residuals_are_padded_pooled_or_projected),
      TEST(an_absent_layer_leaves_its_shortcut),
      TEST(a_printed_network_keeps_its_names_and_has_no_choices),
      TEST(corners_of_the_language_survive_printing),
      TEST(what_changes_a_network_changes_its_hash),
      TEST(the_examples_of_the_manual_are_right),
      TEST(names_and_decisions_can_be_pinned),
      TEST(what_cannot_be_set_is_said_with_the_options),
      TEST(picks_are_copied_compared_and_drawn),
      TEST(the_input_line_gives_the_feature_shape_and_comes_back_as_it_was),
      TEST(a_damaged_input_line_is_refused),
      TEST(choices_of_the_input_line_are_followed_by_the_pick),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
