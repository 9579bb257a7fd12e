/* tflm_project.c - prints a model as a project for TFLite Micro: the file as a C array, the list of
 * operators that it needs, the size of its arena, a main, and how to build them. Nothing of our own
 * runtime is in it. SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <string.h>

#include "emit/writer.h"

enum { BYTES_PER_LINE = 16 };

static void print_header(mn_emitter *e, const mn_tflm_memory *memory) {
  mn_print(e,
           "/* model.h - the model file as an array, and what TFLite Micro needs to run it. */\n"
           "#ifndef %s_MODEL_H\n#define %s_MODEL_H\n\n#include <stddef.h>\n\n"
           "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n",
           e->upper, e->upper);
  mn_print(
      e,
      "/* The arena of the interpreter for CMSIS-NN on a Cortex-M4: %lld bytes of tensors and "
      "scratch,\n * then %lld of what it keeps about tensors and operators. A multiple of 16 is "
      "expected. */\n",
      (long long)memory->head, (long long)memory->tail);
  mn_print(e,
           "enum { %s_ARENA_BYTES = %lld };\n\nextern const unsigned char %s_tflite[];\n"
           "extern const size_t %s_tflite_bytes;\n\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n",
           e->upper, (long long)memory->arena, e->prefix, e->prefix);
}

static void print_array(mn_emitter *e, mn_bytes file) {
  mn_print(e,
           "/* model.c - see model.h. */\n#include \"model.h\"\n\n"
           "_Alignas(16) const unsigned char %s_tflite[] = {",
           e->prefix);
  for (size_t i = 0; i < file.size; i++)
    mn_print(e, "%s%u,", i % BYTES_PER_LINE == 0 ? "\n    " : " ", file.data[i]);
  mn_print(e, "\n};\nconst size_t %s_tflite_bytes = sizeof %s_tflite;\n", e->prefix, e->prefix);
}

/* ---- Operators ------------------------------------------------------------------------------*/

static bool is_first_of_kind(const mn_graph *graph, int32_t op) {
  for (int32_t i = 0; i < op; i++)
    if (graph->ops[i].kind == graph->ops[op].kind) return false;
  return true;
}

static int32_t kinds_of(const mn_graph *graph) {
  int32_t count = 0;
  for (int32_t op = 0; op < graph->op_count; op++) count += is_first_of_kind(graph, op);
  return count;
}

/* The resolver's name of an operator: "DEPTHWISE_CONV_2D" is added by AddDepthwiseConv2D. */
static void print_registration(mn_emitter *e, const char *text) {
  char before = '_';
  mn_print(e, "  resolver.Add");
  for (const char *at = text; *at != '\0'; before = *at++) {
    bool begins = before == '_' || isdigit((unsigned char)before);
    if (*at != '_') mn_print(e, "%c", begins ? *at : tolower((unsigned char)*at));
  }
  mn_print(e, "();\n");
}

static void print_resolver(mn_emitter *e) {
  const mn_graph *graph = e->model->graph;
  int32_t kinds = kinds_of(graph);
  mn_print(
      e,
      "// ops.h - the operators of this model and no others.\n#ifndef %s_OPS_H\n#define %s_OPS_H\n\n"
      "#include \"tensorflow/lite/micro/micro_mutable_op_resolver.h\"\n\n"
      "using %s_resolver = tflite::MicroMutableOpResolver<%d>;\n\n"
      "inline void %s_add_ops(%s_resolver &resolver) {\n",
      e->upper, e->upper, e->prefix, kinds, e->prefix, e->prefix);
  for (int32_t op = 0; op < graph->op_count; op++)
    if (is_first_of_kind(graph, op))
      print_registration(e, mn_op_info_get(graph->ops[op].kind)->text);
  mn_print(e, "}\n\n#endif\n");
}

/* ---- Main and notes -------------------------------------------------------------------------*/

static void print_main(mn_emitter *e) {
  const char *p = e->prefix, *u = e->upper;
  mn_print(e,
           "// main.cc - one inference on an input of zeros, to show that everything is there.\n"
           "#include <cstdint>\n#include <cstdio>\n#include <cstring>\n\n#include \"model.h\"\n"
           "#include \"ops.h\"\n#include \"tensorflow/lite/micro/micro_interpreter.h\"\n"
           "#include \"tensorflow/lite/schema/schema_generated.h\"\n\n"
           "alignas(16) static uint8_t arena[%s_ARENA_BYTES];\n\nint main() {\n"
           "  const tflite::Model *model = tflite::GetModel(%s_tflite);\n",
           u, p);
  mn_print(e,
           "  static %s_resolver resolver;\n  %s_add_ops(resolver);\n"
           "  static tflite::MicroInterpreter interpreter(model, resolver, arena, sizeof arena);\n"
           "  if (interpreter.AllocateTensors() != kTfLiteOk) {\n"
           "    std::printf(\"the arena of %%d bytes is too small\\n\", %s_ARENA_BYTES);\n"
           "    return 1;\n  }\n",
           p, p, u);
  mn_print(
      e,
      "  TfLiteTensor *input = interpreter.input(0);\n"
      "  std::memset(input->data.raw, 0, input->bytes);\n"
      "  if (interpreter.Invoke() != kTfLiteOk) return 1;\n"
      "  const TfLiteTensor *output = interpreter.output(0);\n"
      "  for (size_t i = 0; i < output->bytes; i++) std::printf(\"%%d \", output->data.int8[i]);\n"
      "  std::printf(\"\\narena: %%d of %%d bytes\\n\", "
      "static_cast<int>(interpreter.arena_used_bytes()),\n              %s_ARENA_BYTES);\n"
      "  return 0;\n}\n",
      u);
}

static void print_readme(mn_emitter *e, size_t bytes, const mn_tflm_memory *memory) {
  mn_print(e,
           "# %s for TFLite Micro\n\n"
           "| file | what |\n|---|---|\n"
           "| `model.c`, `model.h` | the model, %zu bytes, and `%s_ARENA_BYTES` = %lld |\n"
           "| `ops.h` | the operators it needs, and no others |\n"
           "| `main.cc` | allocates, runs once on zeros, prints the output |\n\n",
           e->prefix, bytes, e->upper, (long long)memory->arena);
  mn_print(
      e,
      "The arena's head (%lld bytes: tensors and scratch) is TFLite Micro's own greedy plan, computed\n"
      "for CMSIS-NN on a Cortex-M4. Its tail (%lld bytes) is modelled and within 2 %% of what was\n"
      "recorded with TFLite Micro 90b983c2; `arena_used_bytes()` says what yours takes. Other kernels\n"
      "and cores ask for other scratch.\n\n",
      (long long)memory->head, (long long)memory->tail);
  mn_print(
      e,
      "Build, in a checkout of tflite-micro:\n\n"
      "    make -f tensorflow/lite/micro/tools/make/Makefile TARGET=cortex_m_generic \\\n"
      "        TARGET_ARCH=cortex-m4+fp OPTIMIZED_KERNEL_DIR=cmsis_nn microlite\n"
      "    arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -O2 -c model.c\n"
      "    arm-none-eabi-g++ -mcpu=cortex-m4 -mthumb -O2 -fno-rtti -fno-exceptions \\\n"
      "        -DTF_LITE_STATIC_MEMORY -I. -I<tflite-micro> -I<its third_party downloads> \\\n"
      "        main.cc model.o <gen>/lib/libtensorflow-microlite.a -T <your board>.ld\n\n"
      "The board brings start-up code, a linker script and `DebugLog`. `TF_LITE_STATIC_MEMORY` must be\n"
      "set as the library was built, else structures differ.\n");
}

mn_status mn_emit_tflm(mn_emit_result *result, mn_arena *arena, const mn_model *model,
                       mn_bytes file, const mn_emit_config *config, mn_error *error) {
  mn_tflm_memory memory;
  mn_emitter e = {.model = model, .config = config, .arena = arena, .error = error};
  MN_TRY(mn_tflm_memory_of(&memory, arena, model->graph, error));
  MN_TRY(mn_emitter_begin(&e));
  print_header(&e, &memory);
  mn_status status = mn_emit_file(&e, "model.h");
  print_array(&e, file);
  if (status == MN_OK) status = mn_emit_file(&e, "model.c");
  print_resolver(&e);
  if (status == MN_OK) status = mn_emit_file(&e, "ops.h");
  print_main(&e);
  if (status == MN_OK) status = mn_emit_file(&e, "main.cc");
  print_readme(&e, file.size, &memory);
  if (status == MN_OK) status = mn_emit_file(&e, "README.md");
  mn_buffer_free(&e.text);
  MN_TRY(status);
  *result = (mn_emit_result){.files = e.files, .file_count = e.file_count};
  return MN_OK;
}
