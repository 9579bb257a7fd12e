/* eval.c - runs the int8 model over a data set and counts. Features are the bytes the board would
 * make, the arithmetic is the firmware's.
 * SPDX-License-Identifier: Apache-2.0 */
#include "micronets/eval.h"

#include <string.h>

#include "eval/windows.h"

enum { MOST_CLASSES = 4096 };

/* One judged item. */
typedef struct verdict {
  int32_t truth, winner; /* labels of the model */
  double probability;
} verdict;

typedef struct judging {
  mn_windows windows;
  const mn_model *model;
  const mn_dataset *dataset;
  double *score; /* [threads][classes] */
  int32_t classes;
  int32_t *label_of; /* [dataset classes]: label of the model, -1 left out */
  bool *stranger;    /* [dataset classes]: counted as unknown without being called so */
  verdict block[MN_WINDOWS_BLOCK]; /* of the items in work */
  verdict *verdicts;               /* of all items so far */
  int32_t count, left_out, strangers;
} judging;

static mn_status out_of_memory(mn_error *error) {
  return mn_error_set(error, MN_ERR_MEMORY, "eval: out of memory");
}

/* ---- Labels ----------------------------------------------------------------------------------*/
/* The same names where the model has any, else the same order. */
static mn_status map_labels(judging *j, mn_error *error) {
  int32_t count = mn_dataset_classes(j->dataset), known = 0;
  int32_t unknown = mn_model_label(j->model, "unknown");
  j->label_of = mn_arena_array(j->windows.arena, (size_t)count, sizeof *j->label_of);
  j->stranger = mn_arena_array(j->windows.arena, (size_t)count, sizeof *j->stranger);
  if (j->label_of == NULL || j->stranger == NULL) return out_of_memory(error);
  if (j->model->label_count == 0 && count != j->classes)
    return mn_error_set(
        error, MN_ERR_FORMAT,
        "eval: the data has %d classes and the model %d outputs without labels; name --classes",
        (int)count, (int)j->classes);
  for (int32_t c = 0; c < count; c++) {
    int32_t label =
        j->model->label_count > 0 ? mn_model_label(j->model, mn_dataset_class(j->dataset, c)) : c;
    known += label >= 0;
    j->stranger[c] = label < 0 && unknown >= 0;
    j->label_of[c] = label >= 0 ? label : unknown;
  }
  if (known > 0 || unknown >= 0) return MN_OK;
  return mn_error_set(error, MN_ERR_FORMAT,
                      "eval: the data has no class that the model knows; its first label is \"%s\"",
                      j->model->labels[0]);
}

static bool is_keyword(const mn_model *model, int32_t label) {
  if (label >= model->label_count) return true;
  return strcmp(model->labels[label], "unknown") != 0 &&
         strcmp(model->labels[label], "silence") != 0;
}

/* ---- Running ---------------------------------------------------------------------------------*/
static mn_status check_outputs(judging *j, mn_error *error) {
  const mn_graph *graph = j->model->graph;
  if (graph->output_count != 1)
    return mn_error_set(error, MN_ERR_UNSUPPORTED,
                        "eval: the model has %d outputs; expected one, the scores of the classes",
                        (int)graph->output_count);
  int64_t classes = mn_shape_elements(&graph->tensors[graph->outputs[0]].shape);
  if (classes < 2 || classes > MOST_CLASSES ||
      (j->model->label_count > 0 && j->model->label_count != classes))
    return mn_error_set(error, MN_ERR_UNSUPPORTED,
                        "eval: the model has %lld outputs and %d labels; expected as many",
                        (long long)classes, (int)j->model->label_count);
  j->classes = (int32_t)classes;
  return MN_OK;
}

static void judge_item(void *context, mn_exec *exec, const int8_t *input, int32_t index,
                       int32_t thread) {
  judging *j = context;
  verdict *v = &j->block[index];
  double *score = j->score + thread * j->classes;
  (void)input;
  mn_eval_scores(score, j->model->graph, mn_exec_output(exec, 0));
  v->winner = mn_eval_winner(&v->probability, j->model->graph, score);
}

/* Keeps the verdicts on items whose truth the model can say. */
static void keep_block(void *context, const int32_t *item, int32_t count) {
  judging *j = context;
  for (int32_t i = 0; i < count; i++) {
    int32_t class = mn_dataset_item(j->dataset, item[i])->label;
    int32_t truth = class >= 0 ? j->label_of[class] : -1;
    if (truth < 0) {
      j->left_out++;
      continue;
    }
    j->strangers += j->stranger[class];
    j->block[i].truth = truth;
    j->verdicts[j->count++] = j->block[i];
  }
}

static mn_status prepare(judging *j, mn_error *error) {
  mn_arena *arena = j->windows.arena;
  MN_TRY(check_outputs(j, error));
  MN_TRY(map_labels(j, error));
  j->score = mn_arena_array(arena, (size_t)(j->windows.threads * j->classes), sizeof *j->score);
  j->verdicts = mn_arena_array(arena, (size_t)mn_dataset_items(j->dataset), sizeof *j->verdicts);
  if (j->score == NULL || j->verdicts == NULL) return out_of_memory(error);
  j->windows.visit = judge_item;
  j->windows.block = keep_block;
  j->windows.context = j;
  return MN_OK;
}

/* Close the windows afterwards, whatever comes of it. */
static mn_status judge(judging *j, unsigned splits, mn_pool *pool, mn_error *error) {
  MN_TRY(mn_windows_open(&j->windows, j->model, pool, error));
  MN_TRY(prepare(j, error));
  for (int split = 0; split < MN_SPLIT_COUNT; split++)
    if ((splits & 1u << split) != 0)
      MN_TRY(mn_windows_run(&j->windows, j->dataset, (mn_split)split, error));
  return MN_OK;
}

/* ---- Counting --------------------------------------------------------------------------------*/
static void count_threshold(double *recall, double *false_accepts, const judging *j,
                            double threshold) {
  int64_t keywords = 0, found = 0, others = 0, wrong_others = 0, wrong = 0;
  for (int32_t i = 0; i < j->count; i++) {
    const verdict *v = &j->verdicts[i];
    bool accepted = is_keyword(j->model, v->winner) && v->probability >= threshold;
    bool keyword = is_keyword(j->model, v->truth);
    keywords += keyword;
    others += !keyword;
    found += keyword && accepted && v->winner == v->truth;
    wrong += accepted && v->winner != v->truth;
    wrong_others += !keyword && accepted;
  }
  *recall = keywords > 0 ? (double)found / (double)keywords : -1;
  if (others > 0)
    *false_accepts = (double)wrong_others / (double)others;
  else
    *false_accepts = j->count > 0 ? (double)wrong / j->count : -1;
}

static mn_status summarise(mn_eval_result *result, mn_arena *arena, const judging *j,
                           mn_error *error) {
  size_t classes = (size_t)j->classes;
  int32_t *confusion = mn_arena_array(arena, classes * classes, sizeof *confusion);
  double *per_class = mn_arena_array(arena, classes, sizeof *per_class);
  int64_t right = 0;
  if (confusion == NULL || per_class == NULL) return out_of_memory(error);
  for (int32_t i = 0; i < j->count; i++) {
    confusion[j->verdicts[i].truth * j->classes + j->verdicts[i].winner]++;
    right += j->verdicts[i].truth == j->verdicts[i].winner;
  }
  for (int32_t c = 0; c < j->classes; c++) {
    int64_t all = 0;
    for (int32_t k = 0; k < j->classes; k++) all += confusion[c * j->classes + k];
    per_class[c] = all > 0 ? (double)confusion[c * j->classes + c] / (double)all : -1;
  }
  *result = (mn_eval_result){.items = j->count,
                             .classes = j->classes,
                             .left_out = j->left_out,
                             .taken_as_unknown = j->strangers,
                             .accuracy = j->count > 0 ? (double)right / j->count : -1,
                             .per_class = per_class,
                             .confusion = confusion,
                             .threshold = -1,
                             .recall = -1,
                             .false_accepts = -1};
  if (!j->model->has_threshold) return MN_OK;
  result->threshold = (double)j->model->threshold;
  count_threshold(&result->recall, &result->false_accepts, j, result->threshold);
  return MN_OK;
}

mn_status mn_eval(mn_eval_result *result, mn_arena *arena, const mn_model *model,
                  const mn_dataset *dataset, unsigned splits, mn_pool *pool, mn_error *error) {
  judging j = {.model = model, .dataset = dataset};
  mn_status status = judge(&j, splits, pool, error);
  if (status == MN_OK) status = summarise(result, arena, &j, error);
  mn_windows_close(&j.windows);
  return status;
}

/* A false accept costs twice what a missed word does: a spotter listens to far more other sound. Of
 * equally good thresholds the middle one is taken: it has the most room on both sides. */
static double best_threshold(const judging *j) {
  enum { STEPS = 100 };
  double best = -10, first = 0, last = 0;
  for (int step = 0; step < STEPS; step++) {
    double recall, false_accepts, threshold = (double)step / STEPS;
    count_threshold(&recall, &false_accepts, j, threshold);
    double worth = recall - 2 * false_accepts;
    if (worth > best) {
      best = worth;
      first = threshold;
    }
    if (worth >= best) last = threshold;
  }
  return j->count > 0 ? 0.5 * (first + last) : 0;
}

mn_status mn_eval_calibrate(float *threshold, const mn_model *model, const mn_dataset *dataset,
                            mn_pool *pool, mn_error *error) {
  judging j = {.model = model, .dataset = dataset};
  mn_status status = judge(&j, 1u << MN_SPLIT_VAL, pool, error);
  if (status == MN_OK) *threshold = (float)best_threshold(&j);
  mn_windows_close(&j.windows);
  return status;
}
