/* anomaly_fit.c - gathers the vectors of all windows of the training split and fits a detector to them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "eval/detector_fit.h"
#include "eval/windows.h"

enum { MOST_DIMS = 1024 };

typedef struct gathering {
  mn_windows windows;
  const mn_dataset *dataset;
  const mn_model *model;
  mn_arena *arena;
  mn_detector shape; /* dims and rows alone */
  mn_detector_source source;
  int16_t *block_x; /* [block][dims] */
  int16_t *x;       /* [room][dims] */
  int32_t *state;
  int32_t count, room;
  mn_status status;
} gathering;

/* Dims and rows of the vector that a source gives. */
static bool shape_of(mn_detector *d, const mn_model *model, mn_detector_source source) {
  const mn_graph *graph = model->graph;
  *d = (mn_detector){.rows = model->frontend.height,
                     .dims = model->frontend.width * model->frontend.channels};
  if (source == MN_DETECTOR_EMBEDDING) {
    if (graph->output_count < 2) return false;
    const mn_tensor *t = &graph->tensors[graph->outputs[1]];
    if (t->dtype != MN_DTYPE_INT8) return false;
    d->dims = t->shape.dim[t->shape.rank - 1];
    d->rows = (int32_t)(mn_shape_elements(&t->shape) / d->dims);
  }
  return d->dims >= 1 && d->dims <= MOST_DIMS;
}

int64_t mn_detector_bytes(const mn_detector *detector, const mn_model *model,
                          mn_detector_source source) {
  mn_detector wanted;
  bool fits = shape_of(&wanted, model, source) && detector->dims == wanted.dims &&
              detector->rows == wanted.rows;
  return fits ? mn_detector_tables_bytes(detector) : -1;
}

static void take_window(void *context, mn_exec *exec, const int8_t *input, int32_t index,
                        int32_t thread) {
  gathering *g = context;
  (void)thread;
  const int8_t *tensor = g->source == MN_DETECTOR_BANDS ? input : mn_exec_output(exec, 1);
  mn_detector_take(&g->shape, g->block_x + (ptrdiff_t)index * g->shape.dims, tensor);
}

static void keep_block(void *context, const int32_t *item, int32_t count) {
  gathering *g = context;
  size_t dims = (size_t)g->shape.dims;
  if (g->count + count > g->room) {
    int32_t room = 2 * g->room + 16 * MN_WINDOWS_BLOCK;
    int16_t *x = mn_realloc(g->x, sizeof *x * (size_t)room * dims);
    int32_t *state = x != NULL ? mn_realloc(g->state, sizeof *state * (size_t)room) : NULL;
    if (x != NULL) g->x = x;
    if (state == NULL) {
      g->status = MN_ERR_MEMORY;
      return;
    }
    g->state = state;
    g->room = room;
  }
  for (int32_t i = 0; i < count; i++) {
    const mn_item *from = mn_dataset_item(g->dataset, item[i]);
    memcpy(g->x + (size_t)g->count * dims, g->block_x + (size_t)i * dims, sizeof *g->x * dims);
    g->state[g->count++] = from->anomalous ? -1 : mn_model_label(g->model, from->identity);
  }
}

static bool has_items(const mn_dataset *dataset, mn_split split) {
  for (int32_t i = 0; i < mn_dataset_items(dataset); i++)
    if (mn_dataset_item(dataset, i)->split == split) return true;
  return false;
}

static mn_status gather(gathering *g, unsigned splits, mn_error *error) {
  g->windows.visit = take_window;
  g->windows.block = keep_block;
  g->windows.context = g;
  g->block_x = mn_arena_array(g->windows.arena, (size_t)(MN_WINDOWS_BLOCK * g->shape.dims),
                              sizeof *g->block_x);
  if (g->block_x == NULL) return mn_error_set(error, MN_ERR_MEMORY, "detector: out of memory");
  for (int split = 0; split < MN_SPLIT_COUNT; split++)
    if ((splits & 1u << split) != 0 && has_items(g->dataset, (mn_split)split))
      MN_TRY(mn_windows_run(&g->windows, g->dataset, (mn_split)split, error));
  if (g->status == MN_OK) return MN_OK;
  return mn_error_set(error, g->status, "detector: out of memory");
}

mn_status mn_eval_fit_detector(mn_detector *detector, bool *fitted, mn_arena *arena,
                               const mn_model *model, const mn_dataset *dataset,
                               mn_detector_source source, mn_pool *pool, mn_error *error) {
  gathering g = {.dataset = dataset, .model = model, .source = source};
  *fitted = model->label_count > 0 && shape_of(&g.shape, model, source);
  if (!*fitted) return MN_OK;
  mn_status status = mn_windows_open(&g.windows, model, pool, error);
  if (status == MN_OK) status = gather(&g, 1u << MN_SPLIT_TRAIN, error);
  mn_vectors vectors = {g.count, g.shape.dims, model->label_count, g.x, g.state};
  if (status == MN_OK) status = mn_detector_fit(detector, arena, &vectors, g.shape.rows, error);
  mn_windows_close(&g.windows);
  mn_free(g.x);
  mn_free(g.state);
  return status;
}

/* Means of the states that were heard; the others keep theirs. */
static void replace_means(int16_t *mean, int32_t *heard, const gathering *g, int32_t states) {
  int32_t dims = g->shape.dims;
  for (int32_t k = 0; k < states; k++) {
    int64_t count = 0;
    for (int32_t i = 0; i < g->count; i++) count += g->state[i] == k;
    *heard += count > 0;
    for (int32_t j = 0; count > 0 && j < dims; j++) {
      int64_t sum = 0;
      for (int32_t i = 0; i < g->count; i++)
        sum += g->state[i] == k ? g->x[(ptrdiff_t)i * dims + j] : 0;
      mean[k * dims + j] = (int16_t)(sum / count);
    }
  }
}

mn_status mn_eval_move_detector(mn_detector *moved, int32_t *heard, mn_arena *arena,
                                const mn_detector *detector, const mn_model *model,
                                const mn_dataset *dataset, mn_detector_source source, mn_pool *pool,
                                mn_error *error) {
  gathering g = {.dataset = dataset, .model = model, .source = source};
  size_t values = (size_t)detector->states * (size_t)detector->dims;
  int16_t *mean = mn_arena_copy(arena, detector->mean, values * sizeof *mean);
  if (mean == NULL) return mn_error_set(error, MN_ERR_MEMORY, "detector: out of memory");
  if (mn_detector_bytes(detector, model, source) < 0 || !shape_of(&g.shape, model, source))
    return mn_error_set(error, MN_ERR_FORMAT, "the detector does not fit the model");
  mn_status status = mn_windows_open(&g.windows, model, pool, error);
  if (status == MN_OK) status = gather(&g, (1u << MN_SPLIT_COUNT) - 1, error);
  *heard = 0;
  if (status == MN_OK) replace_means(mean, heard, &g, detector->states);
  *moved = *detector;
  moved->mean = mean;
  mn_windows_close(&g.windows);
  mn_free(g.x);
  mn_free(g.state);
  return status;
}
