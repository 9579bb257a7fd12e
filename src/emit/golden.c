/* golden.c - prints golden_test.c, which runs the compiled model on stored inputs, and the two
 * small files beside it: Makefile and README.md. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "emit/layout.h"
#include "emit/writer.h"

static void print_cases(mn_emitter *e, const char *name, const mn_tensor *tensor, bool input) {
  mn_print(e, "static const %s %s[%d][%lld] = {\n", mn_c_type(tensor->dtype), name,
           e->config->golden_count, (long long)mn_shape_elements(&tensor->shape));
  for (int32_t i = 0; i < e->config->golden_count; i++) {
    const mn_emit_golden *golden = &e->config->golden[i];
    mn_print(e, "  {\n");
    mn_print_elements(e, tensor->dtype, input ? golden->input : golden->output,
                      mn_tensor_bytes(tensor));
    mn_print(e, "  },\n");
  }
  mn_print(e, "};\n\n");
}

mn_status mn_emit_golden_test(mn_emitter *e) {
  const mn_graph *graph = e->plan->graph;
  const char *p = e->prefix, *u = e->upper;
  if (e->config->golden_count == 0) return MN_OK;
  mn_print(
      e,
      "/* golden_test.c - runs the model on stored inputs; 0: every output is as it should be. */\n"
      "#include <stdio.h>\n#include <string.h>\n\n#include \"model.h\"\n\n");
  print_cases(e, "inputs", &graph->tensors[graph->inputs[0]], true);
  print_cases(e, "outputs", &graph->tensors[graph->outputs[0]], false);
  mn_print(
      e,
      "%s_SECTION_ARENA static _Alignas(%s_ARENA_ALIGN) unsigned char arena[%s_ARENA_BYTES];\n\n",
      u, u, u);
  mn_print(e, "int main(void) {\n  int wrong = 0;\n  %s_init(arena);\n", p);
  mn_print(e, "  for (int i = 0; i < %d; i++) {\n", e->config->golden_count);
  mn_print(e, "    memcpy(%s_input(arena), inputs[i], %s_INPUT_BYTES);\n    %s_run(arena);\n", p, u,
           p);
  mn_print(e, "    if (memcmp(%s_output(arena), outputs[i], %s_OUTPUT_BYTES) != 0) wrong++;\n  }\n",
           p, u);
  mn_print(e, "  printf(\"%%d of %d outputs are wrong\\n\", wrong);\n  return wrong != 0;\n}\n",
           e->config->golden_count);
  return mn_emit_file(e, "golden_test.c");
}

static const char *output_type(const mn_emitter *e) {
  const mn_graph *graph = e->plan->graph;
  return mn_c_type(graph->tensors[graph->outputs[0]].dtype);
}

static mn_status print_readme(mn_emitter *e) {
  const char *p = e->prefix;
  mn_print(e,
           "# A compiled neural network\n\nMade by micronets %s. Everything it needs is in this "
           "folder; the "
           "only header to include is `model.h`.\n\n",
           MICRONETS_VERSION);
  mn_print(e,
           "```c\n#include \"model.h\"\n\nstatic _Alignas(%s_ARENA_ALIGN) uint8_t "
           "arena[%s_ARENA_BYTES];\n\n",
           e->upper, e->upper);
  const mn_emit_layout layout = mn_emit_layout_of(e->plan, e->model, e->detector);
  mn_print(e, "%s_init(arena);\n", p);
  if (layout.has_frontend)
    mn_print(e, "while (!%s_feed(arena, pcm, samples)) /* fill pcm with the next samples */;\n", p);
  else if (layout.sees)
    mn_print(e, "%s_image(arena, pixels, width, height, %s_RGB565);\n", p, e->upper);
  else
    mn_print(e, "memcpy(%s_input(arena), features, %s_INPUT_BYTES);\n", p, e->upper);
  mn_print(e, "%s_run(arena);\nconst %s *scores = %s_output(arena);\n", p, output_type(e), p);
  if (mn_emit_decides(e))
    mn_print(e, "int label = %s_decide(arena); /* of %s_labels; -1: none is likely enough */\n", p,
             p);
  mn_print(e, "```\n\n");
  mn_print(
      e,
      "Build: compile every `.c` file but `golden_test.c` with any C11 compiler (`-std=c11 -O2`). "
      "`make check` builds and runs the golden test with the host's compiler.\n\n");
  if (e->model->trained_on != NULL) mn_print(e, "Trained on: %s\n", e->model->trained_on);
  return mn_emit_file(e, "README.md");
}

mn_status mn_emit_makefile(mn_emitter *e) {
  mn_print(e,
           "# make check: builds the model for this machine and runs its golden test.\nCC ?= cc\n"
           "CFLAGS ?= -std=c11 -O2 -Wall -Wextra -Werror\nSOURCES =");
  for (int32_t i = 0; i < e->file_count; i++) {
    size_t length = strlen(e->files[i]);
    if (length > 2 && strcmp(e->files[i] + length - 2, ".c") == 0) mn_print(e, " %s", e->files[i]);
  }
  mn_print(
      e,
      "\n\ncheck: golden_test\n\t./golden_test\n\ngolden_test: $(SOURCES)\n"
      "\t$(CC) $(CFLAGS) -o $@ $(SOURCES)\n\nclean:\n\trm -f golden_test\n\n.PHONY: check clean\n");
  MN_TRY(mn_emit_file(e, "Makefile"));
  return print_readme(e);
}
