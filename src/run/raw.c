/* raw.c - see raw.h. The CSV is untrusted: every field is checked.
 * SPDX-License-Identifier: Apache-2.0 */
#include "run/raw.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_FIELDS = 64 };

typedef struct csv {
  const char *path;
  char *next; /* rest of the text, cut up as it is read */
  int32_t line;
  char *field[MOST_FIELDS];
  int32_t fields;
  int32_t class_field; /* -1: the last */
} csv;

/* What stored integers become: model = bring[stored + 128]. */
typedef struct requantizer {
  bool on;
  int8_t bring[256];
} requantizer;

static mn_status read_scale(requantizer *r, const mn_infer *infer, const char *text,
                            mn_error *error) {
  char *end = NULL, *last = NULL;
  if (text == NULL) return MN_OK;
  const double scale = strtod(text, &end);
  const long zero = *end == ',' ? strtol(end + 1, &last, 10) : 0;
  if (!(scale > 0 && scale < 1e6) || last == NULL || last == end + 1 || *last != 0 || zero < -128 ||
      zero > 127)
    return mn_error_set(error, MN_ERR_USAGE,
                        "--raw-scale: found \"%s\"; expected SCALE,ZERO, such as 0.5847029,83",
                        text);
  const mn_quantization *q = &infer->input->quantization;
  if (infer->input->dtype != MN_DTYPE_INT8 || q->count != 1)
    return mn_error_set(error, MN_ERR_UNSUPPORTED,
                        "--raw-scale: the model's input is %s; expected int8 with one scale",
                        mn_dtype_text(infer->input->dtype));
  for (int i = 0; i < 256; i++) {
    const double real = (i - 128 - (double)zero) * scale;
    r->bring[i] =
        (int8_t)fmin(fmax(rint(real / (double)q->scale[0]) + q->zero_point[0], -128), 127);
  }
  r->on = true;
  return MN_OK;
}

static void requantize(const requantizer *r, int8_t *input, size_t count) {
  for (size_t i = 0; r->on && i < count; i++) input[i] = r->bring[input[i] + 128];
}

/* The next line that is not empty; false at the end. */
static bool csv_line(csv *c) {
  while (*c->next != 0) {
    char *text = c->next, *end = text + strcspn(text, "\n");
    c->next = *end != 0 ? end + 1 : end;
    *end = 0;
    c->line++;
    if (text[strspn(text, " \t\r")] == 0) continue;
    c->fields = mn_fields(c->field, MOST_FIELDS, text, ',');
    return true;
  }
  return false;
}

/* A first line "file,label,..." tells where the class stands. */
static bool csv_heading(csv *c) {
  for (int32_t i = 1; i < c->fields; i++)
    if (strcasecmp(c->field[i], "label") == 0 || strcasecmp(c->field[i], "class") == 0) {
      c->class_field = i;
      return true;
    }
  return false;
}

static int32_t class_of(const mn_infer *infer, const char *text) {
  char *end;
  int32_t label = mn_model_label(infer->model, text);
  if (label >= 0) return label;
  long index = strtol(text, &end, 10);
  return end != text && *end == 0 && index >= 0 && index < infer->outputs ? (int32_t)index : -1;
}

static mn_status judge_line(mn_eval_result *r, int32_t *confusion, mn_infer *infer, const csv *c,
                            const requantizer *r8, const char *folder, mn_error *error) {
  const int32_t class_field = c->class_field >= 0 ? c->class_field : c->fields - 1;
  if (c->fields < 2 || class_field >= c->fields)
    return mn_error_set(error, MN_ERR_FORMAT, "%s:%d: found %s; expected FILE,...,CLASS", c->path,
                        (int)c->line, c->fields < 0 ? "too many fields" : "too few fields");
  const char *text = c->field[class_field];
  int32_t truth = class_of(infer, text);
  if (truth < 0)
    return mn_error_set(error, MN_ERR_FORMAT,
                        "%s:%d: found class \"%s\"; expected 0 to %d or a label of the model",
                        c->path, (int)c->line, text, (int)infer->outputs - 1);
  mn_arena_mark mark = mn_arena_mark_get(infer->context->arena);
  const char *path = mn_stage_path(infer->context, folder, c->field[0]);
  double *score = mn_arena_array(infer->context->arena, (size_t)infer->outputs, sizeof *score);
  if (path == NULL || score == NULL) return mn_out_of_memory(infer->context, error);
  mn_exec_reset(infer->exec);
  MN_TRY(mn_infer_raw(infer, path, error));
  requantize(r8, mn_exec_input(infer->exec, 0), mn_tensor_bytes(infer->input));
  mn_exec_run(infer->exec, NULL);
  double probability;
  mn_eval_scores(score, infer->model->graph, mn_exec_output(infer->exec, 0));
  confusion[truth * r->classes + mn_eval_winner(&probability, infer->model->graph, score)]++;
  r->items++;
  mn_arena_release(infer->context->arena, mark);
  return MN_OK;
}

static void summarise(mn_eval_result *r, const int32_t *confusion, double *per_class) {
  int64_t right = 0;
  for (int32_t c = 0; c < r->classes; c++) {
    int64_t all = 0;
    for (int32_t k = 0; k < r->classes; k++) all += confusion[c * r->classes + k];
    right += confusion[c * r->classes + c];
    per_class[c] = all > 0 ? (double)confusion[c * r->classes + c] / (double)all : -1;
  }
  r->accuracy = r->items > 0 ? (double)right / r->items : 0;
}

mn_status mn_raw_eval(mn_eval_result *result, const mn_run_context *context, const mn_model *model,
                      const char *folder, const char *labels, const char *scale, mn_error *error) {
  mn_infer infer;
  mn_bytes text;
  requantizer r8 = {0};
  MN_TRY(mn_file_read(&text, context->arena, labels, 64 << 20, error));
  MN_TRY(mn_stage_blame(mn_infer_open(&infer, context, model, false, error), context->arguments[0],
                        error));
  mn_status status = read_scale(&r8, &infer, scale, error);
  if (status != MN_OK) goto done;
  if (infer.outputs > 4096) {
    status = mn_error_set(error, MN_ERR_UNSUPPORTED,
                          "%s: the model has %lld outputs; expected at most 4096 classes", labels,
                          (long long)infer.outputs);
    goto done;
  }
  result->classes = (int32_t)infer.outputs;
  size_t classes = (size_t)infer.outputs;
  int32_t *confusion = mn_arena_array(context->arena, classes * classes, sizeof *confusion);
  double *per_class = mn_arena_array(context->arena, classes, sizeof *per_class);
  char *copy = mn_arena_copy(context->arena, text.data, text.size + 1);
  if (confusion == NULL || per_class == NULL || copy == NULL) {
    status = mn_out_of_memory(context, error);
    goto done;
  }
  csv c = {.path = labels, .next = copy, .class_field = -1};
  for (bool first = true; status == MN_OK && csv_line(&c); first = false)
    if (!first || !csv_heading(&c))
      status = judge_line(result, confusion, &infer, &c, &r8, folder, error);
  if (status == MN_OK && result->items == 0)
    status =
        mn_error_set(error, MN_ERR_FORMAT, "%s: found no line; expected FILE,...,CLASS", labels);
  summarise(result, confusion, per_class);
  result->confusion = confusion;
  result->per_class = per_class;
done:
  mn_infer_close(&infer);
  return status;
}
