/* What the language refuses and how that is said; hostile texts and failing memory.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net_support.h"

/* ---- Errors ----------------------------------------------------------------------------------*/
static void every_mistake_is_named_with_line_and_column(void **state) {
  (void)state;
  static const struct {
    const char *text, *message;
  } cases[] = {
      {"input 8x8x1\ncnov 3x3 8", "2:1: unknown word \"cnov\"; did you mean \"conv\"?"},
      {"input 8x8x1\nfrobnicate 3x3 8",
       "2:1: unknown word \"frobnicate\"; a line starts with input, default, steps, end or "
       "a layer: conv depthwise ds ibn fc pool flatten reshape softmax block"},
      {"steps 10% nearest 4\ninput 49x10x1\n# kws\nds   3x3  {..276} strid 2 optional\nfc 2",
       "4:19: unknown word \"strid\" after ds; did you mean \"stride\"?"},
      {"input 8x8x1\nconv 3x3 8 wide\nfc 2",
       "2:12: unknown word \"wide\" after conv; it takes relu6 relu linear same valid bn "
       "nobn optional residual projection stride weights activations times"},
      {"input 8x8x1\nfc 8 stride 2\nfc 2",
       "2:6: \"stride\" has no meaning for fc; it takes relu6 relu linear bn nobn optional "
       "residual projection weights activations times"},
      {"input 8x8x1\nflatten relu\nfc 2",
       "2:9: \"relu\" has no meaning for flatten; it takes no attributes"},
      {"input 8x8x1\nconv 3x3 8 relu linear\nfc 2",
       "2:17: \"linear\" sets again what this line has set; keep one of them"},
      {"input 8x8x1\nconv 3x3 8 stride 2 stride 1\nfc 2",
       "2:21: \"stride\" sets again what this line has set; keep one of them"},
      {"input 8x8x1\nconv 3x3",
       "2:9: the line ends before the width; a number, a choice {...} or a name is expected"},
      {"input 8x8x1\nconv wide 8",
       "2:6: \"wide\" is no kernel; write it as HxW, such as 3x3 or 2x1"},
      {"input 8x8x1\nconv 3x3x3 8",
       "2:6: \"3x3x3\" is no kernel; write it as HxW, such as 3x3 or 2x1"},
      {"input 8x8x1\nconv 0x3 8", "2:6: \"0x3\" is no kernel; write it as HxW, such as 3x3 or 2x1"},
      {"input 8x8x1\nconv 3x3 0", "2:10: width of 0; a number from 1 to 65535 is expected"},
      {"input 8x8x1\nconv 3x3 70000", "2:10: width of 70000; a number from 1 to 65535 is expected"},
      {"input 8x8x1\nconv 3x3 8kHz",
       "2:10: \"8kHz\" is no width; a number, a choice {...} or a name is expected"},
      {"input 8x8x1\nconv 3x3 w\nfc 2",
       "2:10: \"w\" is not named above; a number, a choice {...} or name=... is expected"},
      {"input 8x8x1\nconv 3x3 width=8\nconv 3x3 widht\nfc 2",
       "3:10: \"widht\" is not named above; did you mean \"width\"?"},
      {"input 8x8x1\nconv 3x3 w=8\nconv 3x3 w=16\nfc 2",
       "3:10: \"w\" is named twice; line 2 names it first"},
      {"input 8x8x1\nconv 3x3 stride=8\nfc 2",
       "2:10: \"stride\" is a word of the language and cannot be a name"},
      {"input 8x8x1\nconv 3x3 b={4 8} weights b\nfc 2",
       "2:26: \"b\" is named on line 2 for something else than weights"},
      {"input 8x8x1\nconv 3x3 {28:276}\nfc 2",
       "2:13: \":\" inside a choice; values are set apart by blanks, a range is a..b by s"},
      {"input 8x8x1\nconv 3x3 {28..276 by 28}\nfc 2", "2:11: 28..276 by 28 never reaches 276"},
      {"input 8x8x1\nconv 3x3 {8..4}\nfc 2", "2:11: 8..4 by 1 never reaches 4"},
      {"input 8x8x1\nconv 3x3 {..276}\nfc 2",
       "2:11: {..N} needs a steps line above, such as: steps 10% nearest 4"},
      {"input 8x8x1\nconv 3x3 {}\nfc 2", "2:10: an empty choice; write its values between { and }"},
      {"input 8x8x1\nconv 3x3 {8 16\nfc 2", "2:15: the choice has no closing \"}\""},
      {"input 8x8x1\nconv 3x3 {8 wide}\nfc 2",
       "2:13: \"wide\" inside a choice; values are set apart by blanks, a range is a..b by "
       "s"},
      {"input 8x8x1\nconv 3x3 {1..2000}\nfc 2", "2:11: a choice of more than 1024 values"},
      {"input 8x8x1\nconv {3x3 5x5} 8\nfc 2",
       "2:6: a kernel cannot be a choice; widths, bits and parts of the input line can"},
      {"input 8x8x1\nconv 3x3 8 stride {1 2}\nfc 2",
       "2:19: a stride cannot be a choice; widths, bits and parts of the input line can"},
      {"input 8x8x1\nconv 3x3 8 weights 5\nfc 2", "2:20: weights of 5 bits; 4 or 8 are possible"},
      {"input 8x8x1\nconv 3x3 8 weights {4 6}\nfc 2",
       "2:23: weights of 6 bits; 4 or 8 are possible"},
      {"input 8x8x1\nconv 3x3 8 activations 32\nfc 2",
       "2:24: activations of 32 bits; 4, 8 or 16 are possible"},
      {"input 8x8x1\nconv 3x3 8 times 0\nfc 2",
       "2:18: \"0\" is no number of copies; a number from 1 to 256 is expected"},
      {"input 8x8x1\na: conv 3x3 8 times 2\nfc 2",
       "2:4: the name \"a\" cannot stand for 2 layers; leave it or times out"},
      {"input 8x8x1\nconv 3x3 8\nconv1: conv 3x3 8\nfc 2",
       "3:8: two layers are called \"conv1\"; the first is on line 2"},
      {"input 8x8x1\nstride: conv 3x3 8\nfc 2",
       "2:1: \"stride\" is a word of the language and cannot be a name"},
      {"input 8x8x1\npool sum", "2:6: \"sum\" is no pool; write avg or max"},
      {"input 8x8x1\npool avg stride 2\nfc 2",
       "2:1: pool over the whole map takes no window attributes; give a window"},
      {"input 8x8x1\nreshape\nfc 2",
       "2:8: the line ends before the shape; write it as HxWxC, such as 49x10x1"},
      {"input 8x8x1\nblock\nconv 3x3 8\nfc 2", "2:1: block has no end"},
      {"input 8x8x1\nblock\nblock\nend\nend\nfc 2",
       "3:1: a block inside the block of line 2; blocks hold layers only"},
      {"input 8x8x1\nend\nfc 2", "2:1: \"end\" without a block"},
      {"input 8x8x1\nblock\nend\nfc 2",
       "2:1: block holds no layer that is always there; give it one"},
      {"input 8x8x1\nblock optional\nconv 3x3 8 optional\nend\nfc 2",
       "3:1: conv is optional inside an optional block; only one of them can be"},
      {"input 9x9x4\nblock optional\nconv 1x1 4 stride 65535\nconv 1x1 4 stride 65535\nend\nfc 2",
       "2:1: the strides of this block make more than 65535; expected less"},
      {"input 8x8x1\nblock relu\nconv 3x3 8\nend\nfc 2",
       "2:1: an activation of a block stands after its sum; add residual or projection"},
      {"input 8x8x1\nblock stride 2\nconv 3x3 8\nend\nfc 2",
       "2:7: \"stride\" has no meaning for block; it takes relu6 relu linear optional "
       "residual projection times"},
      {"input 8x8x1\nblock optional\nfc 3\nend",
       "3:1: block1.fc1 gives the scores and cannot be optional"},
      {"input 8x8x1\nblock residual\nconv 3x3 8\nflatten\nend\nfc 2",
       "4:1: flatten inside a residual, projection or optional block changes the shape; put "
       "it outside"},
      {"input 8x8x1\nconv 3x3 8 valid optional\nfc 2",
       "2:1: valid inside a residual, projection or optional branch shrinks one way only; "
       "use same"},
      {"input 8x8x1\nfc 3 optional", "2:1: fc1 gives the scores and cannot be optional"},
      {"input 8x8x1\nfc {3 4}",
       "2:1: fc1 gives the scores; its width cannot be a choice, write classes=12"},
      {"input 8x8x1\nibn 3x3 8 8 relu\nfc 2",
       "2:13: \"relu\" has no meaning for ibn; it takes same valid bn nobn optional "
       "residual projection stride weights activations times"},
      {"conv 3x3 8", "1:1: a layer stands above the input line; begin with \"input\""},
      {"input 8x8x1", "1:1: there are no layers below the input line"},
      {"# nothing", "1:1: there is no input line; begin with one, such as: input 49x10x1 mfcc"},
      {"input 8x8x1\ninput 8x8x1\nfc 2", "2:1: a second input line; the first is line 1"},
      {"input 8x8x0\nfc 2", "1:7: \"8x8x0\" is no input size; write it as HxWxC, such as 49x10x1"},
      {"input mfc\nfc 2", "1:7: \"mfc\" is no front end; did you mean \"mfcc\"?"},
      {"input\nfc 2",
       "1:6: the line ends before the front end; a size or one of mfcc logmel spectrum "
       "image is expected"},
      {"input 8x8x1 mfcc\nfc 2", "1:1: the size holds 64 values; the front end gives 49x10x1"},
      {"input mfcc rate 16\nfc 2", "1:17: \"16\" is no rate; write it as 16kHz or 20Hz"},
      {"input mfcc rate 16kHz windw 30ms\nfc 2",
       "1:23: unknown word \"windw\" after mfcc; did you mean \"window\"?"},
      {"input mfcc size 32\nfc 2", "1:12: \"size\" is no setting of mfcc"},
      {"input mfcc rate 8kHz rate 8kHz\nfc 2", "1:22: \"rate\" is given twice"},
      {"input mfcc mels {20 40} style mlperv\nfc 2",
       "1:31: \"mlperv\" is no style; did you mean \"mlperf\"?"},
      {"input mfcc keep {5 10}\nfc 2", "1:17: keep cannot be a choice"},
      {"input mfcc keep 50\nfc 2", "1:1: keep must not exceed mels"},
      {"input mfcc window 2s\nfc 2", "1:1: the length must hold one window at least"},
      {"input mfcc to 9kHz\nfc 2",
       "1:1: the band must rise from \"from\" to \"to\", and end at half the rate or below"},
      {"input image colour {grey red} size 32\nfc 2",
       "1:26: \"red\" is no colour; did you mean \"grey\"?"},
      {"input image\nfc 2", "1:1: an image needs its size in pixels, such as: size 96"},
      {"input image size 5000\nfc 2",
       "1:18: \"5000\" is no size; a number from 1 to 4096 is expected"},
      {"input logmel resize 32\nfc 2", "1:21: \"32\" is no size; write it as HxW, such as 32x32"},
      {"steps 7% floor\ninput 8\nfc 2",
       "1:7: \"7%\" is no step; a percentage that divides 100 is expected, such as 10%"},
      {"steps 10% up\ninput 8\nfc 2", "1:11: \"up\" is no rounding; floor or nearest is expected"},
      {"steps 10% floor 4 4\ninput 8\nfc 2", "1:19: \"4\" after steps; the line should end there"},
      {"default\ninput 8\nfc 2", "1:1: default needs attributes, such as relu or weights 4"},
      {"default stride 2\ninput 8\nfc 2",
       "1:9: \"stride\" has no meaning for default; it takes relu6 relu linear same valid "
       "bn nobn weights activations"},
      {"default rleu\ninput 8\nfc 2",
       "1:9: unknown word \"rleu\" after default; did you mean \"relu\"?"},
      {"input 8x8x1\nconv 3x3 8 ; relu\nfc 2",
       "2:12: \";\" has no meaning after conv; it takes relu6 relu linear same valid bn "
       "nobn optional residual projection stride weights activations times"},
      {"input 8x8x1\nconv 3x3 8 \xc3\xa9\nfc 2",
       "2:12: the byte 0xc3 has no meaning after conv; it takes relu6 relu linear same "
       "valid bn nobn optional residual projection stride weights activations times"},
      {"input 8x8x1\nconv 3x3 8 3x\nfc 2",
       "2:12: \"3x\" has no meaning after conv; it takes relu6 relu linear same valid bn "
       "nobn optional residual projection stride weights activations times"},
      {"input 8x8x1\nend 3", "2:5: \"3\" after end; the line should end there"},
  };
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    mn_net *net = NULL;
    mn_bytes text = {(const uint8_t *)cases[i].text, strlen(cases[i].text)};
    assert_int_equal(mn_net_parse(&net, arena, "x.net", text, &error), MN_ERR_FORMAT);
    assert_null(net);
    assert_memory_equal(error.text, "x.net:", 6);
    assert_string_equal(error.text + 6, cases[i].message);
  }
}

static void lowering_names_the_line_and_the_layer(void **state) {
  (void)state;
  static const struct {
    const char *text, *message;
  } cases[] = {
      {"input 8x8x1\nflatten\nconv 3x3 8\nfc 2",
       "x.net:3 (conv1): op conv1 (CONV_2D): input and weights must have four axes; input [1, 64], "
       "second operand [8, 3, 3, 64]"},
      {"input 8x8x1\nreshape 5x5x1\nfc 2",
       "x.net:2 (reshape1): op reshape1 (RESHAPE): [1, 8, 8, 1] holds 64 values, [1, 5, 5, 1] holds 25"},
      {"input 8x8x1\nconv 9x9 4 valid\nfc 2",
       "x.net:2 (conv1): op conv1 (CONV_2D): the window is larger than the input; input [1, 8, 8, 1], "
       "second operand [4, 9, 9, 1]"},
      {"input 8\npool avg\nfc 2", "x.net:2:1: pool1: a pool needs a map of height and width"},
      {"input 8x8x300\ndepthwise 3x3 multiplier 256\nfc 2",
       "x.net:2:1: depthwise1: the multiplier gives more than 65535 channels"},
      {"input 8\nfc 16 projection\nfc 2",
       "x.net:2:1: fc1: a projection needs a map of height and width"},
      {"input 4096x4096x64\nconv 1x1 128\nfc 2",
       "x.net:2 (conv1): op conv1 (CONV_2D): the output would be too large; input [1, 4096, 4096, 64], "
       "second operand [128, 1, 1, 64]"},
  };
  for (size_t i = 0; i < MN_COUNT(cases); i++) {
    const mn_graph *graph = NULL;
    assert_int_equal(mn_net_lower(&graph, arena, parse(cases[i].text), NULL, &error),
                     MN_ERR_FORMAT);
    assert_string_equal(error.text, cases[i].message);
  }
}

/* ---- Hostile texts and failing memory --------------------------------------------------------*/
static const char sample[] =
    "steps 10% nearest 4\ninput 49x10x1 mfcc window 40ms mels 40\ndefault relu weights b={4 8}\n"
    "conv 10x4 w={..276 196} stride 2x1\nx: ds 3x3 {28..56 by 28} optional residual\n"
    "block projection relu times 2\n  ibn 3x3 {..32} w nobn\n  pool max 2x2 stride 1\nend\n"
    "pool avg\nflatten\nfc classes=12 linear\nsoftmax # end\n";

/* Parses, and uses what was parsed; only crashes and leaks matter. */
static void try_text(const uint8_t *text, size_t size) {
  mn_arena_mark mark = mn_arena_mark_get(arena);
  mn_net *net = NULL;
  mn_bytes bytes = {text, size};
  if (mn_net_parse(&net, arena, "x.net", bytes, &error) == MN_OK) {
    mn_pick pick = pick_of(net);
    const mn_graph *graph = NULL;
    const mn_gate_map *gates = NULL;
    mn_pick_largest(&pick, net);
    char *out = printed(net, &pick);
    (void)!mn_net_lower(&graph, arena, net, &pick, &error);
    (void)!mn_net_lower_supernet(&graph, &gates, arena, net, &pick, &error);
    mn_net *again = NULL;
    mn_bytes back = {(const uint8_t *)out, strlen(out)};
    if (mn_net_parse(&again, arena, "back.net", back, &error) != MN_OK) {
      fail_msg("%s in\n%s", error.text, out);
    }
  } else {
    assert_memory_equal(error.text, "x.net:", 6);
    assert_null(strchr(error.text, '\n'));
  }
  mn_arena_release(arena, mark);
}

static void cut_and_damaged_texts_never_crash(void **state) {
  (void)state;
  static const char alphabet[] = " \n{}=:.x#0123459%abcdefgklmnoprstuvwz_";
  uint8_t text[sizeof sample];
  mn_rng rng = mn_rng_seed(5);
  for (size_t size = 0; size < sizeof sample; size++) {
    uint8_t *exact = malloc(size + 1); /* so that a sanitizer sees reads past the end */
    assert_non_null(exact);
    memcpy(exact, sample, size);
    try_text(exact, size);
    free(exact);
  }
  for (int i = 0; i < 20000; i++) {
    memcpy(text, sample, sizeof sample);
    for (uint32_t k = 0; k <= mn_rng_below(&rng, 4); k++) {
      size_t at = mn_rng_below(&rng, sizeof sample - 1);
      text[at] = mn_rng_below(&rng, 8) == 0
                     ? (uint8_t)mn_rng_below(&rng, 256)
                     : (uint8_t)alphabet[mn_rng_below(&rng, sizeof alphabet - 1)];
    }
    try_text(text, sizeof sample - 1);
  }
}

static void files_without_end_are_refused(void **state) {
  (void)state;
  size_t size = (1 << 20) + 1;
  uint8_t *text = mn_arena_alloc(arena, size);
  memset(text, '\n', size);
  mn_net *net = NULL;
  assert_int_equal(mn_net_parse(&net, arena, "x.net", (mn_bytes){text, size}, &error),
                   MN_ERR_FORMAT);
  assert_string_equal(error.text, "x.net: has 1048577 bytes; a .net file has at most 1048576");
  char many[400] = "input 8x8x1\n";
  for (int i = 0; i < 5; i++) strcat(many, "conv 3x3 4 times 256\n");
  strcat(many, "fc 2");
  assert_int_equal(
      mn_net_parse(&net, arena, "x.net", (mn_bytes){(uint8_t *)many, strlen(many)}, &error),
      MN_ERR_FORMAT);
  assert_string_equal(error.text, "x.net:6:1: more than 1024 layers");
}

/* Everything the room does once, with memory of its own. */
static mn_status everything(mn_error *problem) {
  mn_arena *own = NULL;
  mn_net *net = NULL;
  mn_pick pick;
  const mn_graph *graph = NULL;
  const mn_gate_map *gates = NULL;
  mn_buffer buffer = {0};
  mn_sink sink = mn_buffer_sink(&buffer);
  mn_status status = mn_arena_create(&own);
  if (status != MN_OK) return status;
  mn_bytes text = {(const uint8_t *)sample, sizeof sample - 1};
  status = mn_net_parse(&net, own, "x.net", text, problem);
  if (status == MN_OK) status = mn_pick_create(&pick, own, net);
  if (status == MN_OK) status = mn_net_print(&sink, net, &pick);
  if (status == MN_OK) status = mn_net_lower(&graph, own, net, &pick, problem);
  if (status == MN_OK) status = mn_net_lower_supernet(&graph, &gates, own, net, &pick, problem);
  mn_buffer_free(&buffer);
  mn_arena_destroy(own);
  return status;
}

static void every_failed_allocation_is_reported(void **state) {
  (void)state;
  mn_status status = MN_ERR_MEMORY;
  int failures = 0;
  for (int n = 0; status != MN_OK; n++) {
    int64_t left = n;
    mn_heap heap = test_failing_heap(&left);
    mn_error problem = {{0}};
    mn_heap_set(&heap);
    status = everything(&problem);
    mn_heap_set(NULL);
    if (status != MN_OK) {
      assert_int_equal(status, MN_ERR_MEMORY);
      failures++;
    }
    assert_true(n < 10000);
  }
  assert_true(failures > 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(every_mistake_is_named_with_line_and_column),
      TEST(lowering_names_the_line_and_the_layer),
      TEST(cut_and_damaged_texts_never_crash),
      TEST(files_without_end_are_refused),
      TEST(every_failed_allocation_is_reported),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
