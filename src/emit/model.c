/* model.c - prints model.c: parameters of every call, and the functions of model.h.
 *
 * A plan's step becomes one direct call of one kernel; where operands lie is in the text, so
 * nothing is looked up or decided on the device. SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <string.h>

#include "emit/layout.h"
#include "emit/writer.h"

/* Names come from the model's file: only characters that cannot end a comment. */
static void print_name(mn_emitter *e, const char *name) {
  for (const char *at = name; at != NULL && *at != '\0'; at++) {
    bool plain = isalnum((unsigned char)*at) || strchr("._-:", *at) != NULL;
    mn_print(e, "%c", plain ? *at : '_');
  }
}

/* ---- Parameters -----------------------------------------------------------------------------*/

static bool has_kernel(const mn_plan *plan, int32_t index) {
  return plan->steps[index].kind == MN_STEP_CALL && plan->steps[index].kernel != NULL;
}

/* Two steps with the same parameters share one struct: the index of the first that has them. */
static int32_t params_owner(const mn_plan *plan, int32_t index) {
  const mn_plan_step *step = &plan->steps[index];
  for (int32_t i = 0; i < index; i++) {
    const mn_plan_step *other = &plan->steps[i];
    if (has_kernel(plan, i) && other->kernel->params == step->kernel->params &&
        memcmp(other->params, step->params, step->kernel->params->size) == 0)
      return i;
  }
  return index;
}

static void print_params(mn_emitter *e, int32_t index) {
  if (!has_kernel(e->plan, index) || params_owner(e->plan, index) != index) return;
  const mn_plan_step *step = &e->plan->steps[index];
  const mn_params_info *info = step->kernel->params;
  mn_print(e, "static const %s_%s params_%d = {\n", e->prefix, info->type, index);
  for (int32_t i = 0; i < info->field_count; i++) {
    int32_t value;
    memcpy(&value, (const char *)step->params + (size_t)i * sizeof value, sizeof value);
    mn_print(e, "    .%s = %d,\n", info->name[i], value);
  }
  mn_print(e, "};\n");
}

/* ---- Calls ----------------------------------------------------------------------------------*/

static void print_place(mn_emitter *e, const mn_place *place) {
  switch (place->kind) {
    case MN_PLACE_NONE: mn_print(e, "0"); break;
    case MN_PLACE_ARENA: mn_print(e, "memory + %lld", (long long)place->offset); break;
    case MN_PLACE_CONSTANT:
      mn_print(e, "%s_%s", e->prefix, e->plan->constants[place->offset].name);
      break;
  }
}

/* The filled part of a list of places; trailing absent ones are left to the initialiser's zeros. */
static void print_places(mn_emitter *e, const char *field, const mn_place *places, int32_t count) {
  while (count > 0 && places[count - 1].kind == MN_PLACE_NONE) count--;
  if (count == 0) return;
  mn_print(e, "      .%s = {", field);
  for (int32_t i = 0; i < count; i++) {
    if (i > 0) mn_print(e, ", ");
    print_place(e, &places[i]);
  }
  mn_print(e, "},\n");
}

/* "12" outside of a loop or where the turn does not matter, else "12 + i * 4". */
static void print_shifted(mn_emitter *e, int32_t first, int32_t step) {
  mn_print(e, "%d", first);
  if (step != 0) mn_print(e, " + i * %d", step);
}

static void print_rows(mn_emitter *e, const mn_plan_step *step, bool in_loop) {
  int32_t inputs = MN_CALL_MAX_INPUTS;
  while (inputs > 0 && step->x[inputs - 1].row == 0 && step->x[inputs - 1].row_step == 0) inputs--;
  if (inputs > 0) mn_print(e, "      .x_row = {");
  for (int32_t k = 0; k < inputs; k++) {
    if (k > 0) mn_print(e, ", ");
    print_shifted(e, step->x[k].row, in_loop ? step->x[k].row_step : 0);
  }
  if (inputs > 0) mn_print(e, "},\n");
  mn_print(e, "      .y_row = ");
  print_shifted(e, step->y.row, in_loop ? step->y.row_step : 0);
  mn_print(e, ",\n      .first_row = ");
  print_shifted(e, step->first_row, in_loop ? step->row_step : 0);
  mn_print(e, ",\n      .rows = %d,\n", step->rows);
}

static void print_watch(mn_emitter *e, const mn_plan_step *step) {
  if (!e->config->watch || step->y.tensor < 0) return;
  long long row_bytes = (long long)mn_plan_step_row_bytes(e->plan->graph, step);
  if (step->kernel != NULL && step->kernel->by_input_rows) {
    mn_print(e, "  if (io.first_row + io.rows == %d) MN_WATCH(%d, 0, 1, io.y, %lld);\n",
             mn_plan_step_height(e->plan->graph, step), step->op, row_bytes);
    return;
  }
  mn_print(
      e,
      "  MN_WATCH(%d, io.first_row, io.rows,\n           (const uint8_t *)io.y + (io.first_row - "
      "io.y_row) * %lld, io.rows * %lld);\n",
      step->op, row_bytes, row_bytes);
}

static void print_call(mn_emitter *e, int32_t index, bool in_loop) {
  const mn_plan_step *step = &e->plan->steps[index];
  const mn_op *op = &e->plan->graph->ops[step->op];
  int32_t height = mn_plan_step_height(e->plan->graph, step);
  mn_print(e, "  /* %d ", step->op);
  print_name(e, op->name);
  mn_print(e, ": %s%s */\n", mn_op_info_get(op->kind)->text,
           has_kernel(e->plan, index) ? "" : ", nothing to do");
  if (!has_kernel(e->plan, index) && !e->config->watch) return;
  if (e->config->watch) mn_print(e, "  MN_MARK(%d);\n", step->op);
  mn_print(e, "  io = (%s_mn_kernel_io){\n", e->prefix);
  print_places(e, "x", step->x, MN_CALL_MAX_INPUTS);
  mn_print(e, "      .y = ");
  print_place(e, &step->y);
  mn_print(e, ",\n");
  print_places(e, "constant", step->constant, MN_CALL_MAX_CONSTANTS);
  if (step->scratch.kind == MN_PLACE_ARENA)
    mn_print(e, "      .scratch = memory + %lld,\n", (long long)step->scratch.offset);
  print_rows(e, step, in_loop);
  mn_print(e, "  };\n");
  /* The first and last turn of a loop may ask for rows outside the output. */
  if (in_loop) mn_print(e, "  if (clip_rows(&io, %d)) {\n", height);
  if (has_kernel(e->plan, index))
    mn_print(e, "  %s_%s(&params_%d, &io);\n", e->prefix, step->kernel->symbol,
             params_owner(e->plan, index));
  print_watch(e, step);
  if (in_loop) mn_print(e, "  }\n");
}

static bool has_loops(const mn_plan *plan) {
  for (int32_t i = 0; i < plan->step_count; i++)
    if (plan->steps[i].kind == MN_STEP_LOOP) return true;
  return false;
}

static void print_clip(mn_emitter *e) {
  if (!has_loops(e->plan)) return;
  mn_print(e,
           "/* Cuts off rows outside of an output of `height` rows; 0: none is left. */\n"
           "static int clip_rows(%s_mn_kernel_io *io, int32_t height) {\n"
           "  int32_t end = io->first_row + io->rows;\n"
           "  if (io->first_row < 0) io->first_row = 0;\n"
           "  if (end > height) end = height;\n"
           "  io->rows = end - io->first_row;\n"
           "  return io->rows > 0;\n}\n\n",
           e->prefix);
}

/* ---- The functions of model.h ---------------------------------------------------------------*/

/* Variable tensors start at their zero point. Returns how many there are. */
static int32_t print_resets(mn_emitter *e) {
  const mn_graph *graph = e->plan->graph;
  int32_t count = 0;
  for (int32_t i = 0; i < graph->tensor_count; i++) {
    const mn_tensor *t = &graph->tensors[i];
    if (!t->variable || e->plan->tensor_offset[i] < 0) continue;
    count++;
    int32_t zero = t->quantization.count > 0 ? t->quantization.zero_point[0] : 0;
    mn_print(e, "  for (size_t i = 0; i < %zu; i++) ((%s *)(void *)(memory + %lld))[i] = %d;\n",
             (size_t)mn_shape_elements(&t->shape), mn_c_type(t->dtype),
             (long long)e->plan->tensor_offset[i], zero);
  }
  return count;
}

static void print_init(mn_emitter *e) {
  const mn_emit_layout layout = mn_emit_layout_of(e->plan, e->model, e->detector);
  mn_print(e, "%s_SECTION_CODE void %s_init(void *arena) {\n  uint8_t *memory = arena;\n", e->upper,
           e->prefix);
  int32_t resets = print_resets(e);
  if (layout.has_frontend)
    mn_print(e, "  %s_mn_audio_reset(&%s_audio, memory + %lld);\n", e->prefix, e->prefix,
             (long long)layout.memory.state_offset);
  if (resets == 0 && !layout.has_frontend)
    mn_print(e, "  (void)memory; /* nothing is kept between runs */\n");
  mn_print(e, "}\n\n");
}

static void print_access(mn_emitter *e) {
  const mn_plan *plan = e->plan;
  const mn_tensor_id in = plan->graph->inputs[0], out = plan->graph->outputs[0];
  const char *x = mn_c_type(plan->graph->tensors[in].dtype);
  const char *y = mn_c_type(plan->graph->tensors[out].dtype);
  mn_print(e, "%s_SECTION_CODE %s *%s_input(void *arena) {\n", e->upper, x, e->prefix);
  mn_print(e, "  return (%s *)(void *)((uint8_t *)arena + %lld);\n}\n\n", x,
           (long long)plan->tensor_offset[in]);
  mn_print(e, "%s_SECTION_CODE const %s *%s_output(const void *arena) {\n", e->upper, y, e->prefix);
  mn_print(e, "  return (const %s *)(const void *)((const uint8_t *)arena + %lld);\n}\n\n", y,
           (long long)plan->tensor_offset[out]);
}

static void print_run(mn_emitter *e) {
  mn_print(e, "%s_SECTION_CODE void %s_run(void *arena) {\n", e->upper, e->prefix);
  mn_print(e, "  uint8_t *memory = arena;\n  %s_mn_kernel_io io;\n\n", e->prefix);
  bool in_loop = false;
  for (int32_t i = 0; i < e->plan->step_count; i++) {
    const mn_plan_step *step = &e->plan->steps[i];
    switch (step->kind) {
      case MN_STEP_CALL: print_call(e, i, in_loop); break;
      case MN_STEP_LOOP: mn_print(e, "  for (int32_t i = 0; i < %d; i++) {\n", step->count); break;
      case MN_STEP_END: mn_print(e, "  }\n"); break;
    }
    in_loop = step->kind == MN_STEP_LOOP || (in_loop && step->kind != MN_STEP_END);
  }
  mn_print(e, "}\n\n");
}

static void print_feed(mn_emitter *e) {
  const mn_emit_layout layout = mn_emit_layout_of(e->plan, e->model, e->detector);
  const char *p = e->prefix;
  mn_print(e, "%s_SECTION_CODE int %s_feed(void *arena, const int16_t *pcm, size_t n) {\n",
           e->upper, p);
  if (layout.has_frontend)
    mn_print(e,
             "  uint8_t *memory = arena;\n"
             "  return %s_mn_audio_feed(&%s_audio, memory + %lld, memory + %lld, %s_input(arena),\n"
             "                          &%s_feature_scale, pcm, n);\n}\n\n",
             p, p, (long long)layout.memory.state_offset, (long long)layout.memory.scratch_offset,
             p, p);
  else
    mn_print(e,
             "  (void)arena;\n  (void)pcm;\n  (void)n;\n  return 0; /* this model has no front end "
             "*/\n}\n\n");
}

static void print_image(mn_emitter *e) {
  const mn_frontend *f = &e->model->frontend;
  const char *p = e->prefix, *u = e->upper;
  if (!mn_emit_layout_of(e->plan, e->model, e->detector).sees) return;
  mn_print(e,
           "%s_SECTION_CODE void %s_image(void *arena, const void *pixels, int32_t width, int32_t "
           "height,\n    int format) {\n",
           u, p);
  mn_print(
      e,
      "  const %s_mn_image_frame frame = {pixels, width, height, (%s_mn_image_format)format};\n"
      "  %s_mn_image_input(%s_input(arena), %d, %d, &%s_feature_scale, &frame);\n}\n\n",
      p, p, p, p, f->size, f->channels, p);
}

/* A label as C text: quotes, backslashes and anything but plain ASCII are escaped in octal. */
static void print_string(mn_emitter *e, const char *text) {
  mn_print(e, "\"");
  for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
    bool plain = *at >= ' ' && *at < 127 && *at != '"' && *at != '\\' && *at != '?';
    if (plain)
      mn_print(e, "%c", *at);
    else
      mn_print(e, "\\%03o", *at);
  }
  mn_print(e, "\"");
}

static void print_labels(mn_emitter *e) {
  mn_print(e, "const char *const %s_labels[] = {\n", e->prefix);
  for (int32_t i = 0; i < e->model->label_count; i++) {
    mn_print(e, "    ");
    print_string(e, e->model->labels[i]);
    mn_print(e, ",\n");
  }
  if (e->model->label_count == 0) mn_print(e, "    0, /* the model names no classes */\n");
  const mn_graph *graph = e->plan->graph;
  const mn_tensor *y = &graph->tensors[graph->outputs[0]];
  int32_t threshold = mn_emit_threshold(e);
  bool least = threshold == INT32_MIN; /* which is no C literal */
  mn_print(e, "};\n\nconst %s %s_threshold = %d%s;\n", mn_c_type(y->dtype), e->prefix,
           least ? threshold + 1 : threshold, least ? " - 1" : "");
}

static bool first_use_of_header(const mn_plan *plan, int32_t index) {
  if (!has_kernel(plan, index)) return false;
  const char *header = plan->steps[index].kernel->params->header;
  for (int32_t i = 0; i < index; i++)
    if (has_kernel(plan, i) && strcmp(plan->steps[i].kernel->params->header, header) == 0)
      return false;
  return true;
}

static void print_hooks(mn_emitter *e) {
  if (!e->config->watch) return;
  mn_print(e,
           "/* For measuring: told before each step, and of every finished stretch of rows. */\n");
  mn_print(e, "#ifdef MN_HOOKS\n#include MN_HOOKS\n#endif\n");
  mn_print(e, "#ifndef MN_MARK\n#define MN_MARK(op) ((void)0)\n#endif\n");
  mn_print(
      e,
      "#ifndef MN_WATCH\n#define MN_WATCH(op, first_row, rows, data, bytes) ((void)0)\n#endif\n\n");
}

mn_status mn_emit_model(mn_emitter *e) {
  mn_print(e,
           "/* model.c - see model.h: one direct call per step of the plan. */\n#include "
           "\"model.h\"\n\n");
  for (int32_t i = 0; i < e->plan->step_count; i++)
    if (first_use_of_header(e->plan, i))
      mn_print(e, "#include \"%s\"\n", e->plan->steps[i].kernel->params->header);
  const mn_emit_layout layout = mn_emit_layout_of(e->plan, e->model, e->detector);
  if (layout.has_frontend || layout.sees) mn_print(e, "#include \"frontend.h\"\n");
  if (e->detector != NULL) mn_print(e, "#include \"anomaly_tables.h\"\n");
  mn_print(e, "#include \"weights.h\"\n\n");
  print_hooks(e);
  for (int32_t i = 0; i < e->plan->step_count; i++) print_params(e, i);
  mn_print(e, "\n");
  print_init(e);
  print_access(e);
  print_clip(e);
  print_run(e);
  print_feed(e);
  mn_print_detector_code(e);
  print_image(e);
  print_labels(e);
  mn_print_decide_code(e);
  return mn_emit_file(e, "model.c");
}
