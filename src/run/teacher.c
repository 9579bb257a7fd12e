/* teacher.c - see teacher.h. The teacher sees the very draws that the network is trained on, quantized
 * as its own input is.
 * SPDX-License-Identifier: Apache-2.0 */
#include "run/teacher.h"

#include <math.h>
#include <string.h>

#include "graph/quantization.h"
#include "micronets/exec.h"

struct mn_teacher {
  mn_model model;
  mn_pool *pool;
  const mn_tensor *input;
  mn_exec **exec; /* [threads] */
  int32_t threads, classes;
  int32_t *label_of; /* [classes]: the teacher's output for a class of the data */
  double *raw;       /* [threads][classes] */
  float *scores;     /* [batch][classes] */
  bool probability;
  const mn_batch *batch;
};

static bool same_frontend(const mn_frontend *a, const mn_frontend *b) {
  bool same = a->kind == b->kind && a->height == b->height && a->width == b->width &&
              a->channels == b->channels;
#define X(key, field, unit, value) same = same && a->field == b->field;
  MN_FRONTEND_KEYS(X)
#undef X
  return same;
}

static mn_status check(const mn_teacher *t, const mn_training *training, mn_error *error) {
  const char *path = training->options->teacher;
  const mn_graph *graph = t->model.graph;
  if (graph->input_count != 1 || graph->output_count != 1 ||
      graph->tensors[graph->inputs[0]].dtype != MN_DTYPE_INT8 ||
      graph->tensors[graph->inputs[0]].quantization.count != 1)
    return mn_error_set(error, MN_ERR_UNSUPPORTED,
                        "%s: found no model of one int8 input and one output; expected one", path);
  if (!same_frontend(&t->model.frontend, &training->frontend))
    return mn_error_set(error, MN_ERR_FORMAT,
                        "%s: its input line is not that of %s; expected the same", path,
                        mn_net_path(training->net));
  if (mn_shape_elements(&graph->tensors[graph->outputs[0]].shape) == t->classes &&
      t->model.label_count == t->classes)
    return MN_OK;
  return mn_error_set(error, MN_ERR_FORMAT, "%s: found %d labels; expected the %d of the data",
                      path, (int)t->model.label_count, (int)t->classes);
}

static mn_status map_labels(mn_teacher *t, const mn_training *training, mn_error *error) {
  for (int32_t c = 0; c < t->classes; c++) {
    const char *name = mn_dataset_class(training->dataset, c);
    t->label_of[c] = -1;
    for (int32_t i = 0; i < t->classes; i++)
      if (strcmp(t->model.labels[i], name) == 0) t->label_of[c] = i;
    if (t->label_of[c] < 0)
      return mn_error_set(error, MN_ERR_FORMAT,
                          "%s: found no label \"%s\"; expected those of the data",
                          training->options->teacher, name);
  }
  return MN_OK;
}

static mn_status make(mn_teacher *t, const mn_training *training, mn_arena *arena,
                      mn_error *error) {
  const mn_run_context *context = training->context;
  const mn_plan *plan;
  mn_plan_options options = {.kernels = "host"};
  MN_TRY(mn_stage_model(&t->model, context, training->options->teacher, error));
  t->pool = context->pool;
  t->threads = mn_pool_threads(context->pool);
  t->classes = mn_dataset_classes(training->dataset);
  MN_TRY(check(t, training, error));
  size_t classes = (size_t)t->classes;
  t->input = &t->model.graph->tensors[t->model.graph->inputs[0]];
  t->probability = mn_eval_is_probability(t->model.graph);
  t->exec = mn_arena_array(arena, (size_t)t->threads, sizeof *t->exec);
  t->label_of = mn_arena_array(arena, classes, sizeof *t->label_of);
  t->raw = mn_arena_array(arena, (size_t)t->threads * classes, sizeof *t->raw);
  t->scores = mn_arena_array(arena, (size_t)training->options->batch * classes, sizeof *t->scores);
  if (t->exec == NULL || t->label_of == NULL || t->raw == NULL || t->scores == NULL)
    return mn_out_of_memory(context, error);
  MN_TRY(map_labels(t, training, error));
  MN_TRY(mn_plan_make(&plan, arena, t->model.graph, NULL, &options, error));
  for (int32_t i = 0; i < t->threads; i++) MN_TRY(mn_exec_create(&t->exec[i], plan, error));
  return MN_OK;
}

mn_status mn_teacher_open(mn_teacher **teacher, const mn_training *training, mn_arena *arena,
                          mn_error *error) {
  mn_teacher *made = mn_arena_alloc(arena, sizeof *made);
  if (made == NULL) return mn_out_of_memory(training->context, error);
  mn_status status = make(made, training, arena, error);
  if (status == MN_OK)
    *teacher = made;
  else
    mn_teacher_close(made);
  return status;
}

void mn_teacher_close(mn_teacher *teacher) {
  if (teacher == NULL || teacher->exec == NULL) return;
  for (int32_t i = 0; i < teacher->threads; i++) mn_exec_destroy(teacher->exec[i]);
}

static void score_item(void *context, int32_t item, int32_t thread) {
  const mn_teacher *t = context;
  const mn_quantization *q = &t->input->quantization;
  const int64_t values = mn_shape_elements(&t->input->shape);
  const float *x = t->batch->x + item * values;
  double *raw = t->raw + (ptrdiff_t)thread * t->classes;
  mn_exec_reset(t->exec[thread]);
  int8_t *input = mn_exec_input(t->exec[thread], 0);
  for (int64_t i = 0; i < values; i++)
    input[i] = mn_quantize_s8(x[i], q->scale[0], q->zero_point[0]);
  mn_exec_run(t->exec[thread], NULL);
  mn_eval_scores(raw, t->model.graph, mn_exec_output(t->exec[thread], 0));
  for (int32_t c = 0; c < t->classes; c++) {
    double score = raw[t->label_of[c]]; /* a probability of 0 is less than half a step */
    t->scores[(ptrdiff_t)item * t->classes + c] =
        (float)(t->probability ? log(fmax(score, 1.0 / 512)) : score);
  }
}

mn_status mn_teacher_teach(void *teacher, const float **scores, const mn_batch *batch,
                           mn_error *error) {
  (void)error;
  mn_teacher *t = teacher;
  t->batch = batch;
  mn_pool_run(t->pool, score_item, t, batch->items);
  *scores = t->scores;
  return MN_OK;
}
