/* header.c - prints model.h, the only header that a user of a compiled model includes.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "emit/layout.h"
#include "emit/writer.h"
#include "graph/quantization.h"

/* The smallest output that means at least the model's threshold; the type's least where it has none. */
static int32_t quantized_threshold(const mn_model *model, const mn_tensor *y) {
  const mn_quantization *q = &y->quantization;
  mn_limits limits = mn_dtype_limits(y->dtype);
  if (!model->has_threshold || q->count == 0) return limits.min;
  double real = ceil((double)model->threshold / (double)q->scale[0]) + q->zero_point[0];
  return real < limits.min ? limits.min : real > limits.max ? limits.max : (int32_t)real;
}

int32_t mn_emit_threshold(const mn_emitter *e) {
  const mn_graph *graph = e->plan->graph;
  return quantized_threshold(e->model, &graph->tensors[graph->outputs[0]]);
}

static void print_quantization(mn_emitter *e, const char *which, const mn_tensor *tensor) {
  const mn_quantization *q = &tensor->quantization;
  bool known = q->count > 0;
  mn_print(e, "#define %s_%s_SCALE %.9ef\n", e->upper, which, known ? (double)q->scale[0] : 1.0);
}

static void print_shape(mn_emitter *e, const char *which, const mn_tensor *tensor) {
  mn_print(e, "   %s ", which);
  for (int32_t i = 0; i < tensor->shape.rank; i++)
    mn_print(e, "%s%d", i > 0 ? "x" : "", tensor->shape.dim[i]);
  mn_print(e, " %s", mn_dtype_text(tensor->dtype));
}

static void print_about(mn_emitter *e, const mn_tensor *x, const mn_tensor *y) {
  mn_print(e,
           "/* model.h - a neural network compiled by micronets %s. Made by a program: do not "
           "edit.\n *\n *",
           MICRONETS_VERSION);
  print_shape(e, "input", x);
  mn_print(e, ",");
  print_shape(e, "output", y);
  mn_print(e, "; real = scale * (value - zero point).\n");
  mn_print(
      e,
      " * The caller owns the arena: %s_ARENA_BYTES bytes at a multiple of %s_ARENA_ALIGN. Nothing "
      "else\n"
      " * is written, so several arenas may be at work at once, and models that do not keep state\n"
      " * between runs may share one.\n */\n",
      e->upper, e->upper);
}

static void print_sections(mn_emitter *e) {
  mn_print(
      e,
      "/* Where things lie: an attribute, for example __attribute__((section(\".qspi\"))). */\n");
  static const char *const sections[] = {"WEIGHTS", "CODE", "ARENA"};
  for (size_t i = 0; i < MN_COUNT(sections); i++)
    mn_print(e, "#ifndef %s_SECTION_%s\n#define %s_SECTION_%s\n#endif\n", e->upper, sections[i],
             e->upper, sections[i]);
}

static void print_numbers(mn_emitter *e, const mn_tensor *x, const mn_tensor *y) {
  const mn_emit_layout layout = mn_emit_layout_of(e->plan, e->model, e->detector);
  const char *u = e->upper;
  mn_print(e, "enum {\n");
  mn_print(e, "  %s_INPUT_BYTES = %zu,\n", u, mn_tensor_bytes(x));
  mn_print(e, "  %s_OUTPUT_BYTES = %zu,\n", u, mn_tensor_bytes(y));
  mn_print(e, "  %s_ARENA_BYTES = %lld,\n", u, (long long)layout.memory.total_bytes);
  mn_print(e, "  %s_ARENA_ALIGN = %d,\n", u, layout.align);
  mn_print(e, "  %s_LABELS = %d,\n", u, e->model->label_count);
  mn_print(e, "  %s_HOP_SAMPLES = %d, /* 0: the model takes tensors, not sound */\n", u,
           layout.has_frontend ? e->audio.step : 0);
  mn_print(e, "  %s_INPUT_ZERO_POINT = %d,\n", u,
           x->quantization.count > 0 ? x->quantization.zero_point[0] : 0);
  mn_print(e, "  %s_OUTPUT_ZERO_POINT = %d\n", u,
           y->quantization.count > 0 ? y->quantization.zero_point[0] : 0);
  mn_print(e, "};\n");
  mn_print_detector_numbers(e);
  print_quantization(e, "INPUT", x);
  print_quantization(e, "OUTPUT", y);
}

static void print_image(mn_emitter *e) {
  const char *p = e->prefix, *u = e->upper;
  mn_print(
      e,
      "/* How a frame's pixels lie in memory, row by row without gaps. 565: two bytes, the low "
      "one first;\n * _BE the high one, as many cameras send them. */\n"
      "enum { %s_GREY8, %s_RGB888, %s_RGB565, %s_RGB565_BE };\n",
      u, u, u, u);
  mn_print(e,
           "/* Fills the input tensor from a frame of any size, shorter side up to %d: its largest "
           "centred\n * square, resized as the training photos were. */\n"
           "void %s_image(void *arena, const void *pixels, int32_t width, int32_t height, int "
           "format);\n\n",
           MN_IMAGE_MOST_FRAME, p);
}

static void print_functions(mn_emitter *e, const char *x_type, const char *y_type) {
  const char *p = e->prefix, *u = e->upper;
  mn_print(e,
           "/* Makes an arena ready; also resets what is kept between runs and the sound fed so "
           "far. */\n"
           "void %s_init(void *arena);\n",
           p);
  mn_print(e,
           "/* Where to write the input tensor. A run destroys it. */\n"
           "%s *%s_input(void *arena);\n",
           x_type, p);
  mn_print(e, "/* One inference. */\nvoid %s_run(void *arena);\n", p);
  mn_print(e,
           "/* %s_OUTPUT_BYTES bytes; valid until the next run or feed. */\n"
           "const %s *%s_output(const void *arena);\n",
           u, y_type, p);
  mn_print(
      e,
      "/* Sound or vibration, any number of samples (of every channel, interleaved) at a time;\n"
      " * %s_HOP_SAMPLES of them are one hop. 1: the "
      "input "
      "tensor\n"
      " * holds a new, complete stretch of it: call %s_run before the next feed. A model "
      "without\n"
      " * a front end takes nothing and returns 0. */\n",
      u, p);
  mn_print(e, "int %s_feed(void *arena, const int16_t *pcm, size_t n);\n\n", p);
  if (mn_emit_layout_of(e->plan, e->model, e->detector).sees) print_image(e);
  mn_print(e, "extern const char *const %s_labels[];\n", p);
  const bool is_probability = mn_graph_is_probability(e->plan->graph);
  mn_print(e, "/* The model's threshold as an output%s */\nextern const %s %s_threshold;\n",
           is_probability ? ": one below it is not worth reporting."
                          : "; these outputs are no probabilities, to which it is meant.",
           y_type, p);
  mn_print_decide_function(e);
  mn_print_detector_functions(e);
}

mn_status mn_emit_header(mn_emitter *e) {
  const mn_graph *graph = e->plan->graph;
  const mn_tensor *x = &graph->tensors[graph->inputs[0]], *y = &graph->tensors[graph->outputs[0]];
  print_about(e, x, y);
  mn_print(e,
           "#ifndef %s_MODEL_H\n#define %s_MODEL_H\n\n#include <stddef.h>\n#include <stdint.h>\n\n",
           e->upper, e->upper);
  print_sections(e);
  mn_print(e, "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
  print_numbers(e, x, y);
  mn_print(e, "\n");
  print_functions(e, mn_c_type(x->dtype), mn_c_type(y->dtype));
  mn_print(e, "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
  return mn_emit_file(e, "model.h");
}
