/* frontend.c - prints frontend.h and frontend.c: the numbers and tables of the front end.
 * SPDX-License-Identifier: Apache-2.0 */
#include "emit/layout.h"
#include "emit/writer.h"

static mn_status print_frontend_header(mn_emitter *e) {
  const char *p = e->prefix;
  mn_print(
      e,
      "/* frontend.h - numbers and tables of the audio front end. Not for users of model.h. */\n");
  mn_print(e,
           "#ifndef %s_FRONTEND_H\n#define %s_FRONTEND_H\n\n#include \"" MN_EMIT_FEATURES "\"\n\n",
           e->upper, e->upper);
  mn_print(e,
           "extern const %s_mn_audio %s_audio;\nextern const %s_mn_feature_scale "
           "%s_feature_scale;\n\n#endif\n",
           p, p, p, p);
  return mn_emit_file(e, "frontend.h");
}

static void print_table_s32(mn_emitter *e, const char *name, const int32_t *table, int32_t count) {
  if (count == 0) return;
  mn_print(e, "%s_SECTION_WEIGHTS static const int32_t %s_%s[%d] = {\n", e->upper, e->prefix, name,
           count);
  mn_print_elements(e, MN_DTYPE_INT32, table, (size_t)count * sizeof *table);
  mn_print(e, "};\n");
}

static void print_table_u16(mn_emitter *e, const char *name, const uint16_t *table, int32_t count) {
  mn_print(e, "%s_SECTION_WEIGHTS static const uint16_t %s_%s[%d] = {", e->upper, e->prefix, name,
           count);
  for (int32_t i = 0; i < count; i++) mn_print(e, "%s%u,", i % 16 == 0 ? "\n  " : "", table[i]);
  mn_print(e, "\n};\n");
}

/* The table's printer follows from its element type. */
#define PRINT_TABLE(e, name, table, count) \
  _Generic((table), const int32_t *: print_table_s32, const uint16_t *: print_table_u16)(e, name, table, count)

static mn_status print_frontend_source(mn_emitter *e) {
  const mn_audio *a = &e->audio;
  const mn_tensor *x = &e->plan->graph->tensors[e->plan->graph->inputs[0]];
  const char *p = e->prefix;
  mn_feature_scale scale =
      mn_audio_scale(a, x->quantization.scale[0], x->quantization.zero_point[0]);
  mn_print(
      e, "/* frontend.c - see frontend.h. */\n#include \"frontend.h\"\n\n#include \"model.h\"\n\n");
#define X(name, type, count) PRINT_TABLE(e, #name, a->name, (int32_t)(count));
  MN_AUDIO_TABLES(X)
#undef X
  mn_print(e, "\n%s_SECTION_WEIGHTS const %s_mn_audio %s_audio = {\n", e->upper, p, p);
#define X(name) mn_print(e, "    .%s = %d,\n", #name, a->name);
  MN_AUDIO_NUMBERS(X)
#undef X
#define X(name, type, count) \
  if ((count) > 0) mn_print(e, "    .%s = %s_%s,\n", #name, p, #name);
  MN_AUDIO_TABLES(X)
#undef X
  mn_print(e,
           "};\n\n%s_SECTION_WEIGHTS const %s_mn_feature_scale %s_feature_scale = {%d, %d, %d};\n",
           e->upper, p, p, scale.multiplier, scale.shift, scale.zero_point);
  return mn_emit_file(e, "frontend.c");
}

/* Photos need one constant, from the input tensor's scale. */
static mn_status print_image_scale(mn_emitter *e) {
  const mn_tensor *x = &e->plan->graph->tensors[e->plan->graph->inputs[0]];
  const mn_frontend *f = &e->model->frontend;
  const char *p = e->prefix;
  const char *reason = mn_frontend_check(f);
  if (reason != NULL) return mn_error_set(e->error, MN_ERR_UNSUPPORTED, "front end: %s", reason);
  int64_t made = (int64_t)f->height * f->width * f->channels;
  if (x->quantization.count != 1 || mn_shape_elements(&x->shape) != made)
    return mn_error_set(e->error, MN_ERR_FORMAT,
                        "the front end makes %lld values, the input tensor takes %lld",
                        (long long)made, (long long)mn_shape_elements(&x->shape));
  mn_feature_scale scale = mn_image_scale(x->quantization.scale[0], x->quantization.zero_point[0]);
  mn_print(e,
           "/* frontend.h - the scale of the image front end. Not for users of model.h. */\n"
           "#ifndef %s_FRONTEND_H\n#define %s_FRONTEND_H\n\n#include \"" MN_EMIT_FEATURES
           "\"\n\n"
           "extern const %s_mn_feature_scale %s_feature_scale;\n\n#endif\n",
           e->upper, e->upper, p, p);
  MN_TRY(mn_emit_file(e, "frontend.h"));
  mn_print(e,
           "/* frontend.c - see frontend.h. */\n#include \"frontend.h\"\n\n#include "
           "\"model.h\"\n\n%s_SECTION_WEIGHTS const %s_mn_feature_scale %s_feature_scale = {%d, "
           "%d, %d};\n",
           e->upper, p, p, scale.multiplier, scale.shift, scale.zero_point);
  return mn_emit_file(e, "frontend.c");
}

mn_status mn_emit_frontend(mn_emitter *e) {
  const mn_emit_layout layout = mn_emit_layout_of(e->plan, e->model, e->detector);
  if (layout.sees) return print_image_scale(e);
  if (!layout.has_frontend) return MN_OK;
  MN_TRY(print_frontend_header(e));
  return print_frontend_source(e);
}
