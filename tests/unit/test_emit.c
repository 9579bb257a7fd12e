/* test_emit.c - compiled models: they compile alone, compute what the host computes, link together,
 * hear what the host hears. Everything is made here and built with the host's compilers.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "micronets/emit.h"
#include "micronets/exec.h"
#include "micronets/net.h"
#include "plan/kernel_table.h"
#include "random_graph.h"

enum { GOLDEN = 2, MOST_OPS = 9 };

/* A model of a random graph, its plan, and inputs with the outputs that belong to them. */
typedef struct fixture {
  mn_arena *arena;
  mn_model model;
  const mn_plan *plan;
  mn_emit_golden golden[GOLDEN];
  mn_error error;
} fixture;

static void run_golden(fixture *f, const mn_plan *plan) {
  const mn_graph *graph = plan->graph;
  size_t in = mn_tensor_bytes(&graph->tensors[graph->inputs[0]]);
  size_t out = mn_tensor_bytes(&graph->tensors[graph->outputs[0]]);
  mn_exec *exec = NULL;
  assert_ok(mn_exec_create(&exec, plan, &f->error), &f->error);
  for (int32_t i = 0; i < GOLDEN; i++) {
    uint8_t *input = mn_arena_alloc(f->arena, in);
    test_random_bytes(input, in, 100 + (uint64_t)i);
    memcpy(mn_exec_input(exec, 0), input, in);
    mn_exec_run(exec, NULL);
    f->golden[i] = (mn_emit_golden){input, mn_arena_copy(f->arena, mn_exec_output(exec, 0), out)};
  }
  mn_exec_destroy(exec);
}

static fixture begin_with(const mn_graph *graph, mn_arena *arena, mn_plan_options options) {
  fixture f = {.arena = arena, .model = {.graph = graph}};
  const mn_plan *kept = NULL;
  const mn_plan_options keep = {.kernels = "ref", .keep_all = true};
  options.kernels = "ref";
  assert_ok(mn_plan_make(&kept, arena, graph, NULL, &keep, &f.error), &f.error);
  assert_ok(mn_plan_make(&f.plan, arena, graph, NULL, &options, &f.error), &f.error);
  run_golden(&f, kept);
  return f;
}

static fixture begin(const mn_graph *graph, mn_arena *arena) {
  return begin_with(graph, arena, (mn_plan_options){0});
}

static fixture begin_random(mn_arena *arena, uint64_t seed) {
  return begin(test_random_frozen(arena, test_random_bare(arena, seed, MOST_OPS), seed), arena);
}

static mn_emit_config config_of(const fixture *f, const char *folder, const char *prefix) {
  return (mn_emit_config){
      .folder = folder, .prefix = prefix, .golden = f->golden, .golden_count = GOLDEN};
}

static void emit(fixture *f, const char *folder, const char *prefix) {
  mn_emit_result result = {0};
  mn_emit_config config = config_of(f, folder, prefix);
  assert_ok(mn_emit_c(&result, f->arena, f->plan, &f->model, &config, &f->error), &f->error);
  assert_true(result.file_count > 5);
}

static int shell(mn_arena *arena, const char *folder, const char *command) {
  return system(
      mn_arena_text(arena, "cd %s && { %s; } >log 2>&1 || { cat log; exit 1; }", folder, command));
}

static const char *folder_of(mn_arena *arena, const char *root, const char *name) {
  return mn_arena_text(arena, "%s/%s", root, name);
}

/* ---- Alone ----------------------------------------------------------------------------------*/

static void random_models_compile_alone_and_give_the_hosts_outputs(void **state) {
  (void)state;
  const char *root = test_folder();
  for (uint64_t seed = 1; seed <= 6; seed++) {
    mn_arena *arena = NULL;
    assert_int_equal(mn_arena_create(&arena), MN_OK);
    fixture f = begin_random(arena, seed);
    const char *folder = mn_arena_text(arena, "%s/%d", root, (int)seed);
    emit(&f, folder, "net");
    assert_int_equal(
        shell(arena, folder, "make check CFLAGS='-std=c11 -O1 -Wall -Wextra -Wpedantic -Werror'"),
        0);
    mn_arena_destroy(arena);
  }
}

static void a_wrong_output_fails_the_golden_test(void **state) {
  (void)state;
  mn_arena *arena = NULL;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  fixture f = begin_random(arena, 3);
  const mn_graph *graph = f.model.graph;
  size_t bytes = mn_tensor_bytes(&graph->tensors[graph->outputs[0]]);
  uint8_t *wrong = mn_arena_copy(arena, f.golden[1].output, bytes);
  wrong[bytes - 1] ^= 1;
  f.golden[1].output = wrong;
  const char *folder = test_folder();
  emit(&f, folder, "net");
  assert_int_equal(
      shell(arena, folder, "make golden_test && ! ./golden_test && ./golden_test | grep '1 of 2'"),
      0);
  mn_arena_destroy(arena);
}

static void the_other_compiler_and_c_plus_plus_take_it_too(void **state) {
  (void)state;
  mn_arena *arena = NULL;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  fixture f = begin_random(arena, 4);
  const char *folder = test_folder();
  emit(&f, folder, "net");
  assert_int_equal(shell(arena, folder, "if command -v clang; then make check CC=clang; fi"), 0);
  assert_int_equal(shell(arena, folder,
                         "if command -v g++; then echo '#include \"model.h\"' >u.cc && "
                         "g++ -std=c++11 -Wall -Wextra -Werror -c u.cc; fi"),
                   0);
  mn_arena_destroy(arena);
}

static void a_compiled_model_has_no_writable_globals_and_calls_no_heap(void **state) {
  (void)state;
  mn_arena *arena = NULL;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  fixture f = begin_random(arena, 5);
  const char *folder = test_folder();
  emit(&f, folder, "net");
  assert_int_equal(
      shell(arena, folder,
            "rm golden_test.c && cc -std=c11 -O2 -fno-pic -c *.c && ! nm *.o | grep ' [BbDdC] ' && "
            "! nm -u *.o | grep -E 'malloc|calloc|free|printf'"),
      0);
  mn_arena_destroy(arena);
}

static void the_same_model_is_printed_the_same(void **state) {
  (void)state;
  mn_arena *arena = NULL;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  fixture f = begin_random(arena, 6);
  const char *root = test_folder();
  emit(&f, folder_of(arena, root, "a"), "net");
  emit(&f, folder_of(arena, root, "b"), "net");
  assert_int_equal(shell(arena, root, "diff -r a b"), 0);
  mn_arena_destroy(arena);
}

/* ---- Together -------------------------------------------------------------------------------*/

static const char two_models[] =
    "#include \"a/model.h\"\n#include \"b/model.h\"\n#include <string.h>\n"
    "enum { BYTES = ONE_ARENA_BYTES > TWO_ARENA_BYTES ? ONE_ARENA_BYTES : TWO_ARENA_BYTES };\n"
    "static _Alignas(16) unsigned char arena[BYTES], own[TWO_ARENA_BYTES];\n"
    "int main(void) {\n"
    "  static int8_t shared[TWO_OUTPUT_BYTES];\n"
    "  one_init(arena); memset(one_input(arena), 7, ONE_INPUT_BYTES); one_run(arena);\n"
    "  two_init(arena); memset(two_input(arena), 9, TWO_INPUT_BYTES); two_run(arena);\n"
    "  memcpy(shared, two_output(arena), TWO_OUTPUT_BYTES);\n"
    "  two_init(own); memset(two_input(own), 9, TWO_INPUT_BYTES); two_run(own);\n"
    "  return memcmp(shared, two_output(own), TWO_OUTPUT_BYTES) != 0;\n}\n";

static void two_models_link_into_one_image_and_share_an_arena(void **state) {
  (void)state;
  mn_arena *arena = NULL;
  mn_error error = {{0}};
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  const char *root = test_folder();
  fixture a = begin_random(arena, 7), b = begin_random(arena, 8);
  emit(&a, folder_of(arena, root, "a"), "one");
  emit(&b, folder_of(arena, root, "b"), "two");
  assert_ok(
      mn_file_write(folder_of(arena, root, "main.c"), two_models, sizeof two_models - 1, &error),
      &error);
  assert_int_equal(shell(arena, root,
                         "rm */golden_test.c && for m in a b; do for f in $m/*.c; do "
                         "cc -std=c11 -O1 -c $f -o $m-$(basename $f .c).o; done; done && "
                         "cc -std=c11 -I. main.c *.o -o both && ./both"),
                   0);
  mn_arena_destroy(arena);
}

/* ---- Row loops ------------------------------------------------------------------------------*/

/* The plan with every call of a kernel that works row by row turned into a loop of `turn` rows that
 * begins before the first row: what fused schedules will ask for. */
static mn_plan *looped(fixture *f, int32_t turn) {
  const mn_plan *plan = f->plan;
  mn_plan *made = mn_arena_copy(f->arena, plan, sizeof *plan);
  mn_plan_step *steps = mn_arena_array(f->arena, 3 * (size_t)plan->step_count, sizeof *steps);
  int32_t count = 0;
  for (int32_t i = 0; i < plan->step_count; i++) {
    mn_plan_step step = plan->steps[i];
    if (step.rows < 3) {
      steps[count++] = step;
      continue;
    }
    steps[count++] = (mn_plan_step){.kind = MN_STEP_LOOP, .count = step.rows / turn + 2};
    step.first_row = 1 - turn;
    step.rows = step.row_step = turn;
    steps[count++] = step;
    steps[count++] = (mn_plan_step){.kind = MN_STEP_END};
  }
  assert_true(count > plan->step_count);
  made->steps = steps;
  made->step_count = count;
  return made;
}

static void row_loops_compute_the_same(void **state) {
  (void)state;
  mn_arena *arena = NULL;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  /* Seeds are tried until one has an image of some rows. */
  fixture f = {0};
  for (uint64_t seed = 20; seed < 60; seed++) {
    f = begin_random(arena, seed);
    int32_t high = 0;
    for (int32_t i = 0; i < f.plan->step_count; i++) high += f.plan->steps[i].rows >= 3;
    if (high >= 2) break;
  }
  f.plan = looped(&f, 2);
  const char *folder = test_folder();
  emit(&f, folder, "net");
  assert_int_equal(shell(arena, folder, "grep -q 'for (int32_t i' model.c && make check"), 0);
  mn_arena_destroy(arena);
}

static void schedules_of_least_memory_compute_the_same(void **state) {
  (void)state;
  const char *root = test_folder();
  int loops = 0, sums = 0;
  for (uint64_t seed = 60; seed < 400 && (loops < 4 || sums < 2); seed++) {
    mn_arena *arena = NULL;
    assert_int_equal(mn_arena_create(&arena), MN_OK);
    const mn_graph *graph =
        test_random_frozen(arena, test_random_bare(arena, seed, MOST_OPS), seed);
    fixture f = begin_with(graph, arena, (mn_plan_options){.min_sram = true});
    bool fused = false, sum = false;
    for (int32_t g = 0; g < f.plan->group_count; g++) fused |= f.plan->groups[g].op_count > 1;
    for (int32_t s = 0; s < f.plan->step_count; s++)
      sum |= f.plan->steps[s].kernel != NULL && f.plan->steps[s].kernel->by_input_rows;
    if ((fused && loops < 4) || sum) {
      const char *folder = mn_arena_text(arena, "%s/%d", root, (int)seed);
      emit(&f, folder, "net");
      assert_int_equal(
          shell(arena, folder, "make check CFLAGS='-std=c11 -O1 -Wall -Wextra -Wpedantic -Werror'"),
          0);
      loops++;
      sums += sum;
    }
    mn_arena_destroy(arena);
  }
  assert_true(loops >= 4);
}

/* ---- Sound ----------------------------------------------------------------------------------*/

enum { SAMPLES = 40000 };

/* A small spotter: the paper's front end and one layer. */
static fixture begin_spotter(mn_arena *arena) {
  static const char text[] =
      "input 49x10x1 mfcc rate 16kHz length 1s window 40ms step 20ms mels 40 from 20Hz to 4000Hz keep 10\n"
      "conv 10x4 8 stride 2\npool avg\nconv 1x1 3\nflatten\n";
  mn_net *net = NULL;
  mn_pick pick;
  mn_error error = {{0}};
  const mn_graph *bare = NULL;
  mn_frontend frontend;
  mn_bytes bytes = {(const uint8_t *)text, sizeof text - 1};
  assert_ok(mn_net_parse(&net, arena, "spotter.net", bytes, &error), &error);
  assert_int_equal(mn_pick_create(&pick, arena, net), MN_OK);
  assert_ok(mn_net_frontend(&frontend, net, &pick, &error), &error);
  assert_ok(mn_net_lower(&bare, arena, net, &pick, &error), &error);
  fixture f = begin(test_random_frozen(arena, bare, 5), arena);
  f.model.frontend = frontend;
  return f;
}

/* What the host's front end makes of the sound: every complete input tensor, one after another. */
static mn_buffer hear(const fixture *f, const int16_t *pcm) {
  const mn_tensor *x = &f->model.graph->tensors[f->model.graph->inputs[0]];
  size_t bytes = mn_tensor_bytes(x);
  mn_audio audio;
  mn_buffer heard = {0};
  mn_audio_build(&audio, mn_arena_alloc(f->arena, mn_frontend_tables_bytes(&f->model.frontend)),
                 &f->model.frontend);
  void *state = mn_arena_alloc(f->arena, mn_audio_state_bytes(&audio));
  void *scratch = mn_arena_alloc(f->arena, mn_audio_scratch_bytes(&audio));
  int8_t *input = mn_arena_alloc(f->arena, bytes);
  mn_feature_scale scale =
      mn_audio_scale(&audio, x->quantization.scale[0], x->quantization.zero_point[0]);
  mn_audio_reset(&audio, state);
  for (size_t at = 0; at < SAMPLES; at += 160)
    if (mn_audio_feed(&audio, state, scratch, input, &scale, pcm + at, 160))
      assert_int_equal(mn_buffer_append(&heard, input, bytes), MN_OK);
  assert_true(heard.size >= 2 * bytes);
  return heard;
}

static const char hear_main[] =
    "#include \"net/model.h\"\n#include <stdio.h>\n"
    "static _Alignas(16) unsigned char arena[NET_ARENA_BYTES];\nstatic int16_t pcm[160];\n"
    "int main(void) {\n  FILE *in = fopen(\"sound\", \"rb\"), *out = fopen(\"heard\", \"wb\");\n"
    "  net_init(arena);\n  if (!in || !out || NET_HOP_SAMPLES != 320) return 1;\n"
    "  for (size_t n; (n = fread(pcm, 2, 160, in)) > 0;)\n    if (net_feed(arena, pcm, n)) {\n"
    "      fwrite(net_input(arena), 1, NET_INPUT_BYTES, out);\n      net_run(arena);\n    }\n"
    "  return fclose(out) != 0;\n}\n";

static void a_spotter_hears_hop_by_hop_what_the_host_hears(void **state) {
  (void)state;
  mn_arena *arena = NULL;
  mn_error error = {{0}};
  static int16_t pcm[SAMPLES];
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  test_random_bytes(pcm, sizeof pcm, 77);
  fixture f = begin_spotter(arena);
  mn_buffer heard = hear(&f, pcm);
  const char *root = test_folder();
  emit(&f, folder_of(arena, root, "net"), "net");
  assert_ok(mn_file_write(folder_of(arena, root, "sound"), pcm, sizeof pcm, &error), &error);
  assert_ok(mn_file_write(folder_of(arena, root, "expected"), heard.data, heard.size, &error),
            &error);
  assert_ok(
      mn_file_write(folder_of(arena, root, "main.c"), hear_main, sizeof hear_main - 1, &error),
      &error);
  assert_int_equal(shell(arena, root,
                         "make -C net check && rm net/golden_test.c && "
                         "cc -std=c11 -Wall -Wextra -Werror main.c net/*.c -o main && ./main && "
                         "cmp heard expected"),
                   0);
  mn_buffer_free(&heard);
  mn_arena_destroy(arena);
}

static void code_and_weights_go_where_the_macros_say(void **state) {
  (void)state;
  mn_arena *arena = NULL;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  fixture f = begin_spotter(arena);
  const char *folder = test_folder();
  emit(&f, folder, "net");
  assert_int_equal(
      shell(arena, folder,
            "for f in $(ls *.c | grep -v golden); do cc -std=c11 -O2 -Wall -Wextra -Werror -c $f "
            "'-DNET_SECTION_CODE=__attribute__((section(\".fast\")))' "
            "'-DNET_SECTION_WEIGHTS=__attribute__((section(\".far\")))'; done && "
            "size -A *.o | grep '^.fast' && size -A weights.o | grep '^.far' && "
            "! size -A *.o | grep -E '^.text +[1-9]' && "
            "! size -A weights.o | grep -E '^.rodata +[1-9]'"),
      0);
  mn_arena_destroy(arena);
}

static void a_front_end_that_does_not_fit_the_input_is_refused(void **state) {
  (void)state;
  mn_arena *arena = NULL;
  mn_emit_result result;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  fixture f = begin_spotter(arena);
  f.model.frontend.keep = 11;
  mn_emit_config config = config_of(&f, test_folder(), "net");
  assert_int_equal(mn_emit_c(&result, arena, f.plan, &f.model, &config, &f.error), MN_ERR_FORMAT);
  assert_non_null(strstr(f.error.text, "539 values, the input tensor takes 490"));
  mn_arena_destroy(arena);
}

/* ---- Words ----------------------------------------------------------------------------------*/

/* The exit code of a program that uses the model as a user would, its folder among those of headers. */
static int run_with(fixture *f, const char *main_text, const char *defines) {
  const char *folder = test_folder();
  emit(f, folder, "net");
  assert_ok(
      mn_file_write(folder_of(f->arena, folder, "main.c"), main_text, strlen(main_text), &f->error),
      &f->error);
  return shell(f->arena, folder,
               mn_arena_text(
                   f->arena,
                   "rm golden_test.c && cc -I. -std=c11 -Wall -Werror %s *.c -o main -lm && ./main",
                   defines));
}

static void labels_and_threshold_are_constants(void **state) {
  (void)state;
  static const char *const labels[] = {"yes", "n\"o\\?", "z\xC3\xBCge"};
  static const char main_text[] =
      "#include \"model.h\"\n#include <string.h>\nint main(void) {\n"
      "  return NET_LABELS != 3 || strcmp(net_labels[0], \"yes\") || strcmp(net_labels[1], "
      "\"n\\\"o\\\\?\") ||\n"
      "         strcmp(net_labels[2], \"z\\303\\274ge\") || net_threshold != EXPECTED;\n}\n";
  mn_arena *arena = NULL;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  fixture f = begin_random(arena, 9);
  const mn_quantization *q = &f.model.graph->tensors[f.model.graph->outputs[0]].quantization;
  f.model.labels = labels;
  f.model.label_count = 3;
  f.model.has_threshold = true;
  f.model.threshold = q->scale[0] * (float)(20 - q->zero_point[0]) - q->scale[0] * 0.25f;
  assert_int_equal(run_with(&f, main_text, "-DEXPECTED=20"), 0);
  mn_arena_destroy(arena);
}

/* Random outputs against a softmax in real numbers; those within the table's rounding of the threshold aside. */
static void decide_follows_the_probability_of_the_winner(void **state) {
  (void)state;
  static const char main_text[] =
      "#include \"model.h\"\n#include <math.h>\n#include <stdlib.h>\n"
      "static _Alignas(NET_ARENA_ALIGN) uint8_t arena[NET_ARENA_BYTES];\n"
      "int main(void) {\n"
      "  int8_t *y = (int8_t *)net_output(arena);\n"
      "  int accepted = 0, refused = 0;\n"
      "  for (int n = 0; n < 20000; n++) {\n"
      "    int best = 0;\n"
      "    double sum = 0;\n"
      "    for (int k = 0; k < NET_LABELS; k++) y[k] = (int8_t)(rand() % (1 + n % 256) - n % 128);\n"
      "    for (int k = 1; k < NET_LABELS; k++) if (y[k] > y[best]) best = k;\n"
      "    for (int k = 0; k < NET_LABELS; k++) sum += exp((double)NET_OUTPUT_SCALE * (y[k] - y[best]));\n"
      "    if (fabs(1 / sum - THRESHOLD) < 1e-3) continue;\n"
      "    if (net_decide(arena) != (1 / sum >= THRESHOLD ? best : -1)) return 1;\n"
      "    1 / sum >= THRESHOLD ? accepted++ : refused++;\n"
      "  }\n"
      "  return accepted < 100 || refused < 100;\n}\n";
  mn_arena *arena = NULL;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  fixture f = begin_spotter(arena);
  const mn_graph *graph = f.model.graph;
  const int64_t outputs = mn_shape_elements(&graph->tensors[graph->outputs[0]].shape);
  const char **labels = mn_arena_array(arena, (size_t)outputs, sizeof *labels);
  for (int64_t i = 0; i < outputs; i++) labels[i] = "word";
  assert_false(mn_graph_is_probability(graph));
  f.model.labels = labels;
  f.model.label_count = (int32_t)outputs;
  f.model.has_threshold = true;
  f.model.threshold = 0.4f;
  assert_int_equal(run_with(&f, main_text, "-DTHRESHOLD=0.4"), 0);
  mn_arena_destroy(arena);
}

static void what_cannot_be_printed_is_refused_in_words(void **state) {
  (void)state;
  static const char *const bad[] = {"",    "Kws", "9k",
                                    "k-w", "k w", "a234567890123456789012345678901234567890"};
  mn_arena *arena = NULL;
  mn_emit_result result;
  assert_int_equal(mn_arena_create(&arena), MN_OK);
  fixture f = begin_random(arena, 10);
  for (size_t i = 0; i < MN_COUNT(bad); i++) {
    mn_emit_config config = config_of(&f, test_folder(), bad[i]);
    assert_int_equal(mn_emit_c(&result, arena, f.plan, &f.model, &config, &f.error), MN_ERR_USAGE);
    assert_non_null(strstr(f.error.text, "expected a lower-case letter"));
  }
  const mn_graph *bare = test_random_bare(arena, 10, MOST_OPS);
  const mn_plan *plan = NULL;
  assert_ok(mn_plan_make(&plan, arena, bare, NULL, &(mn_plan_options){.kernels = "ref"}, &f.error),
            &f.error);
  mn_emit_config config = config_of(&f, test_folder(), "net");
  assert_int_equal(mn_emit_c(&result, arena, plan, &(mn_model){.graph = bare}, &config, &f.error),
                   MN_ERR_UNSUPPORTED);
  config.folder = "/proc/none/of/this";
  assert_int_not_equal(mn_emit_c(&result, arena, f.plan, &f.model, &config, &f.error), MN_OK);
  mn_arena_destroy(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_models_compile_alone_and_give_the_hosts_outputs),
      cmocka_unit_test(a_wrong_output_fails_the_golden_test),
      cmocka_unit_test(the_other_compiler_and_c_plus_plus_take_it_too),
      cmocka_unit_test(a_compiled_model_has_no_writable_globals_and_calls_no_heap),
      cmocka_unit_test(code_and_weights_go_where_the_macros_say),
      cmocka_unit_test(the_same_model_is_printed_the_same),
      cmocka_unit_test(two_models_link_into_one_image_and_share_an_arena),
      cmocka_unit_test(row_loops_compute_the_same),
      cmocka_unit_test(schedules_of_least_memory_compute_the_same),
      cmocka_unit_test(a_spotter_hears_hop_by_hop_what_the_host_hears),
      cmocka_unit_test(a_front_end_that_does_not_fit_the_input_is_refused),
      cmocka_unit_test(labels_and_threshold_are_constants),
      cmocka_unit_test(decide_follows_the_probability_of_the_winner),
      cmocka_unit_test(what_cannot_be_printed_is_refused_in_words),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
