/* detector.c - prints detector.h and detector.c: the tables of the anomaly score, and the functions of
 * model.h that give it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "emit/layout.h"
#include "emit/writer.h"

/* The detector that the model is judged by goes into the firmware; the other one stays in the file. */
mn_status mn_emit_find_detector(mn_emitter *e) {
  static const char *const kinds[MN_DETECTOR_COUNT] = {"embedding", "bands"};
  for (int source = 0; source < MN_DETECTOR_COUNT && e->model->score_kind != NULL; source++) {
    if (strcmp(e->model->score_kind, kinds[source]) != 0) continue;
    e->detector_source = (mn_detector_source)source;
    MN_TRY(mn_detector_read(&e->detector, e->arena, e->model, e->detector_source, e->error));
  }
  if (e->detector == NULL) return MN_OK;
  const mn_graph *graph = e->plan->graph;
  bool on_bands = e->detector_source == MN_DETECTOR_BANDS;
  if (!on_bands && graph->output_count < 2)
    return mn_error_set(e->error, MN_ERR_FORMAT, "the detector's tensor is no output of the model");
  const mn_tensor *t = &graph->tensors[on_bands ? graph->inputs[0] : graph->outputs[1]];
  if (t->dtype == MN_DTYPE_INT8 &&
      mn_shape_elements(&t->shape) == (int64_t)e->detector->dims * e->detector->rows)
    return MN_OK;
  return mn_error_set(e->error, MN_ERR_FORMAT, "the detector does not fit the model's tensors");
}

static void print_table(mn_emitter *e, const char *name, const char *type, size_t element,
                        const void *data, int32_t count) {
  mn_print(e, "%s_SECTION_WEIGHTS static const %s %s_%s[%d] = {", e->upper, type, e->prefix, name,
           (int)count);
  for (int32_t i = 0; i < count; i++) {
    int32_t value = element == 1 ? ((const uint8_t *)data)[i] : ((const int16_t *)data)[i];
    mn_print(e, "%s%d,", i % 16 == 0 ? "\n  " : "", (int)value);
  }
  mn_print(e, "\n};\n");
}

static mn_status print_header(mn_emitter *e) {
  const char *p = e->prefix, *u = e->upper;
  mn_print(e, "/* detector.h - tables of the anomaly score. Not for users of model.h. */\n");
  mn_print(e,
           "#ifndef %s_DETECTOR_H\n#define %s_DETECTOR_H\n\n#include \"" MN_EMIT_FEATURES "\"\n\n",
           u, u);
  mn_print(e, "extern const %s_mn_detector %s_detector;\n\n#endif\n", p, p);
  return mn_emit_file(e, "anomaly_tables.h");
}

static mn_status print_source(mn_emitter *e) {
  const mn_detector *d = e->detector;
  const char *p = e->prefix;
  mn_print(e,
           "/* anomaly_tables.c - see anomaly_tables.h. */\n#include \"anomaly_tables.h\"\n\n"
           "#include \"model.h\"\n\n");
#define X(name, type, count) print_table(e, #name, #type, sizeof(type), d->name, count);
  MN_DETECTOR_TABLES(X)
#undef X
  mn_print(e, "\n%s_SECTION_WEIGHTS const %s_mn_detector %s_detector = {\n", e->upper, p, p);
#define X(name) mn_print(e, "    .%s = %d,\n", #name, (int)d->name);
  MN_DETECTOR_NUMBERS(X)
#undef X
#define X(name, type, count) mn_print(e, "    .%s = %s_%s,\n", #name, p, #name);
  MN_DETECTOR_TABLES(X)
#undef X
  mn_print(e, "};\n");
  return mn_emit_file(e, "anomaly_tables.c");
}

mn_status mn_emit_detector(mn_emitter *e) {
  if (e->detector == NULL) return MN_OK;
  MN_TRY(print_header(e));
  return print_source(e);
}

/* ---- model.h and model.c -----------------------------------------------------------------------*/
void mn_print_detector_numbers(mn_emitter *e) {
  if (e->detector == NULL) return;
  mn_print(e, "enum {\n  %s_SCORE_STATES = %d,\n  %s_SITE_WORDS = %d\n};\n", e->upper,
           (int)e->detector->states, e->upper, (int)mn_detector_site_words(e->detector));
}

void mn_print_detector_functions(mn_emitter *e) {
  const char *p = e->prefix, *u = e->upper;
  if (e->detector == NULL) return;
  mn_print(
      e,
      "\n/* Anomaly score, Q8: about 256 for what is normal, %s_score_threshold and above for an "
      "anomaly.\n"
      " * state: which machine or state of %s_labels is meant; -1: the nearest. Call it %s.\n"
      " * site: what is normal where the device hangs, or 0. */\n"
      "int32_t %s_score(void *arena, int state, const int32_t *site);\n"
      "extern const int32_t %s_score_threshold;\n",
      p, p,
      e->detector_source == MN_DETECTOR_BANDS
          ? "when\n * the input tensor is complete, before a run, which it does not need"
          : "after a run",
      p, p);
  mn_print(
      e,
      "/* Re-calibration: %s_SITE_WORDS words of the caller. Clear them for one state, then add "
      "what is\n"
      " * heard of it while all is well, at the moments when the score is asked for. */\n"
      "void %s_site_clear(int32_t *site, int state);\n"
      "void %s_site_add(void *arena, int32_t *site);\n",
      u, p, p);
}

void mn_print_detector_code(mn_emitter *e) {
  const mn_plan *plan = e->plan;
  const char *p = e->prefix, *u = e->upper;
  if (e->detector == NULL) return;
  bool on_bands = e->detector_source == MN_DETECTOR_BANDS;
  mn_tensor_id tensor = on_bands ? plan->graph->inputs[0] : plan->graph->outputs[1];
  const mn_emit_layout layout = mn_emit_layout_of(plan, e->model, e->detector);
  mn_print(e, "%s_SECTION_CODE static int16_t *take_vector(uint8_t *memory) {\n", u);
  mn_print(e, "  int16_t *vector = (void *)(memory + %lld);\n", (long long)layout.score_offset);
  mn_print(e, "  %s_mn_detector_take(&%s_detector, vector, (const int8_t *)memory + %lld);\n", p, p,
           (long long)plan->tensor_offset[tensor]);
  mn_print(e, "  return vector;\n}\n\n");
  mn_print(e,
           "%s_SECTION_CODE int32_t %s_score(void *arena, int state, const int32_t *site) {\n"
           "  int16_t *vector = take_vector(arena);\n"
           "  return %s_mn_detector_score(&%s_detector, vector + %d, vector, state, site);\n}\n\n",
           u, p, p, p, (int)e->detector->dims);
  mn_print(e,
           "%s_SECTION_CODE void %s_site_clear(int32_t *site, int state) {\n"
           "  %s_mn_detector_site_clear(&%s_detector, site, state);\n}\n\n"
           "%s_SECTION_CODE void %s_site_add(void *arena, int32_t *site) {\n"
           "  %s_mn_detector_site_add(&%s_detector, site, take_vector(arena));\n}\n\n",
           u, p, p, p, u, p, p, p);
  mn_print(e, "const int32_t %s_score_threshold = %d;\n\n", p,
           (int)fmin(INT32_MAX, ceil((double)e->model->score_threshold * 256)));
}
