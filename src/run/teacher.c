/* teacher.c - see teacher.h. The teacher sees the very draws that the network is trained on; a .tflite
 * quantized as its own input is, a checkpoint as they are.
 * SPDX-License-Identifier: Apache-2.0 */
#include "run/teacher.h"

#include <math.h>
#include <string.h>

#include "graph/quantization.h"
#include "micronets/exec.h"

struct mn_teacher {
  const mn_training *training;
  const char *path;
  int32_t classes;
  float *scores; /* [batch][classes] */
  bool probability;
  const mn_batch *batch;
  /* of a .tflite */
  mn_model model;
  mn_pool *pool;
  const mn_tensor *input;
  mn_exec **exec; /* [threads] */
  int32_t threads;
  int32_t *label_of; /* [classes]: the teacher's output for a class of the data */
  double *raw;       /* [threads][classes] */
  /* of a checkpoint; NULL: it is a .tflite */
  mn_trainer *network;
};

static mn_status check_frontend(const mn_teacher *t, const mn_frontend *a, mn_error *error) {
  const mn_frontend *b = &t->training->frontend;
  bool same = a->kind == b->kind && a->height == b->height && a->width == b->width &&
              a->channels == b->channels;
#define X(key, field, unit, value) same = same && a->field == b->field;
  MN_FRONTEND_KEYS(X)
#undef X
  if (same) return MN_OK;
  return mn_error_set(error, MN_ERR_FORMAT,
                      "%s: its input line is not that of %s; expected the same", t->path,
                      mn_net_path(t->training->net));
}

static mn_status check_outputs(const mn_teacher *t, const mn_graph *graph, int32_t labels,
                               mn_error *error) {
  const int64_t outputs = mn_shape_elements(&graph->tensors[graph->outputs[0]].shape);
  if (outputs == t->classes && labels == t->classes) return MN_OK;
  return mn_error_set(error, MN_ERR_FORMAT,
                      "%s: found %lld outputs and %d labels; expected the %d classes of the data",
                      t->path, (long long)outputs, (int)labels, (int)t->classes);
}

/* ---- A .tflite -----------------------------------------------------------------------------------*/
static mn_status check_model(const mn_teacher *t, mn_error *error) {
  const mn_graph *graph = t->model.graph;
  if (graph->input_count != 1 || graph->output_count < 1 ||
      graph->tensors[graph->inputs[0]].dtype != MN_DTYPE_INT8 ||
      graph->tensors[graph->inputs[0]].quantization.count != 1)
    return mn_error_set(error, MN_ERR_UNSUPPORTED,
                        "%s: found no model of one int8 input; expected one", t->path);
  MN_TRY(check_frontend(t, &t->model.frontend, error));
  return check_outputs(t, graph, t->model.label_count, error);
}

static mn_status map_labels(mn_teacher *t, mn_error *error) {
  for (int32_t c = 0; c < t->classes; c++) {
    const char *name = mn_dataset_class(t->training->dataset, c);
    t->label_of[c] = mn_model_label(&t->model, name);
    if (t->label_of[c] < 0)
      return mn_error_set(error, MN_ERR_FORMAT,
                          "%s: found no label \"%s\"; expected those of the data", t->path, name);
  }
  return MN_OK;
}

static mn_status open_model(mn_teacher *t, mn_arena *arena, mn_error *error) {
  const mn_run_context *context = t->training->context;
  const mn_plan *plan;
  mn_plan_options options = {.kernels = "host"};
  MN_TRY(mn_stage_model(&t->model, context, t->path, error));
  MN_TRY(check_model(t, error));
  t->pool = context->pool;
  t->threads = mn_pool_threads(context->pool);
  t->input = &t->model.graph->tensors[t->model.graph->inputs[0]];
  t->probability = mn_graph_is_probability(t->model.graph);
  t->exec = mn_arena_array(arena, (size_t)t->threads, sizeof *t->exec);
  t->label_of = mn_arena_array(arena, (size_t)t->classes, sizeof *t->label_of);
  t->raw = mn_arena_array(arena, (size_t)t->threads * (size_t)t->classes, sizeof *t->raw);
  if (t->exec == NULL || t->label_of == NULL || t->raw == NULL)
    return mn_out_of_memory(context, error);
  MN_TRY(map_labels(t, error));
  MN_TRY(mn_plan_make(&plan, arena, t->model.graph, NULL, &options, error));
  for (int32_t i = 0; i < t->threads; i++) MN_TRY(mn_exec_create(&t->exec[i], plan, error));
  return MN_OK;
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
  for (int32_t c = 0; c < t->classes; c++)
    t->scores[(ptrdiff_t)item * t->classes + c] = (float)raw[t->label_of[c]];
}

/* ---- A checkpoint --------------------------------------------------------------------------------*/
static int32_t layers_with_weights(const mn_graph *graph) {
  int32_t layers = 0;
  for (int32_t op = 0; op < graph->op_count; op++) layers += mn_op_weights(graph, op) > 0;
  return layers;
}

static mn_status open_checkpoint(mn_teacher *t, mn_arena *arena, mn_error *error) {
  const mn_training *job = t->training;
  const mn_text_list nothing = {0};
  mn_net *net;
  mn_frontend frontend;
  const mn_graph *graph;
  int32_t layers = 0;
  MN_TRY(mn_stage_net(&net, job->context, job->options->teacher_net, &nothing, error));
  MN_TRY(mn_stage_classes(net, job->dataset, error));
  MN_TRY(mn_stage_lower(&graph, &frontend, arena, net, error));
  MN_TRY(check_frontend(t, &frontend, error));
  MN_TRY(check_outputs(t, graph, t->classes, error));
  mn_train_config config = mn_train_defaults();
  config.steps = 1;
  config.batch = (int32_t)job->options->batch;
  config.pool = job->context->pool;
  config.quantize_from = -1;
  MN_TRY(mn_trainer_create(&t->network, graph, &config, error));
  MN_TRY(mn_trainer_load_layers(t->network, &layers, t->path, error));
  t->probability = mn_graph_is_probability(graph);
  if (layers == layers_with_weights(graph)) return MN_OK;
  return mn_error_set(error, MN_ERR_FORMAT, "%s: holds %d of the %d layers of %s; expected all",
                      t->path, (int)layers, (int)layers_with_weights(graph), mn_net_path(net));
}

/* ---- Both ----------------------------------------------------------------------------------------*/
static mn_status make(mn_teacher *t, mn_arena *arena, mn_error *error) {
  const mn_training *job = t->training;
  if (job->reconstructs)
    return mn_error_set(error, MN_ERR_USAGE,
                        "--teacher: found an auto-encoder to train; expected a classifier");
  const size_t classes = (size_t)t->classes;
  t->scores = mn_arena_array(arena, (size_t)job->options->batch * classes, sizeof *t->scores);
  if (t->scores == NULL) return mn_out_of_memory(job->context, error);
  return job->options->teacher_net != NULL ? open_checkpoint(t, arena, error)
                                           : open_model(t, arena, error);
}

mn_status mn_teacher_open(mn_teacher **teacher, const mn_training *training, mn_arena *arena,
                          mn_error *error) {
  mn_teacher *made = mn_arena_alloc(arena, sizeof *made);
  if (made == NULL) return mn_out_of_memory(training->context, error);
  *made = (mn_teacher){.training = training,
                       .path = training->options->teacher,
                       .classes = mn_dataset_classes(training->dataset)};
  mn_status status = make(made, arena, error);
  if (status == MN_OK)
    *teacher = made;
  else
    mn_teacher_close(made);
  return status;
}

void mn_teacher_close(mn_teacher *teacher) {
  if (teacher == NULL) return;
  mn_trainer_destroy(teacher->network);
  for (int32_t i = 0; i < teacher->threads && teacher->exec != NULL; i++)
    mn_exec_destroy(teacher->exec[i]);
}

mn_status mn_teacher_teach(void *teacher, const float **scores, const mn_batch *batch,
                           mn_error *error) {
  mn_teacher *t = teacher;
  const ptrdiff_t count = (ptrdiff_t)batch->items * t->classes;
  t->batch = batch;
  if (t->network != NULL)
    MN_TRY(mn_trainer_scores(t->network, t->scores, batch, NULL, error));
  else
    mn_pool_run(t->pool, score_item, t, batch->items);
  /* A probability of 0 in 8 bits is less than half a step. */
  const double least = t->network != NULL ? 1e-12 : 1.0 / 512;
  for (ptrdiff_t i = 0; i < count && t->probability; i++)
    t->scores[i] = (float)log(fmax((double)t->scores[i], least));
  *scores = t->scores;
  return MN_OK;
}
