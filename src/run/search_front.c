/* search_front.c - trains what search found at several sizes, one network a rank. See search_front.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "run/search_front.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/standard.h"
#include "run/train.h"

enum { FLOAT_VAL, FLOAT_TEST, INT8_VAL, INT8_TEST, FIGURES };

static const char *path_of(const mn_front_training *front, int32_t number, const char *suffix) {
  return mn_arena_text(front->context->arena, "%s/%02d.%s", front->folder, (int)number, suffix);
}

static mn_options_train options_of(const mn_front_training *front, const char *net) {
  mn_options_train o;
  MN_OPTIONS_TRAIN(MN_SET_STANDARD)
  o.net = net;
  o.init = front->supernet;
  o.epochs = front->epochs;
  o.resume = front->resume;
  return o;
}

/* ---- What an older search left ---------------------------------------------------------------*/
/* What a front leaves under the names NN.net and, after training, NN.tflite and NN.ckpt; a process that was
 * killed leaves the beginning of one beside it, NN.ckpt.PID.tmp. */
typedef struct front_file {
  int32_t number;
  bool trained, begun;
} front_file;

static bool is_of_front(front_file *file, const char *name) {
  static const char *const suffix[] = {"net", "tflite", "ckpt"};
  const long found = strtol(name, NULL, 10);
  char whole[32];
  for (size_t i = 0; i < MN_COUNT(suffix) && found >= 0 && found < INT32_MAX; i++) {
    const size_t length = (size_t)snprintf(whole, sizeof whole, "%02ld.%s", found, suffix[i]);
    if (strncmp(name, whole, length) != 0) continue;
    const char *rest = name + length;
    *file = (front_file){(int32_t)found, i > 0, *rest == '.' && mn_stage_has_suffix(rest, ".tmp")};
    return *rest == 0 || file->begun;
  }
  return false;
}

static mn_status remove_older(const char *folder, const bool *stands, int32_t count,
                              mn_error *error) {
  DIR *open = opendir(folder);
  if (open == NULL) return MN_OK; /* there was none */
  mn_status status = MN_OK;
  for (const struct dirent *e = readdir(open); e != NULL && status == MN_OK; e = readdir(open)) {
    front_file file;
    if (!is_of_front(&file, e->d_name)) continue;
    if (!file.begun && file.number < count && (!file.trained || stands[file.number])) continue;
    if (unlinkat(dirfd(open), e->d_name, 0) != 0 && errno != ENOENT)
      status =
          mn_error_set(error, MN_ERR_IO, "%s/%s: is of an older search and cannot be removed: %s",
                       folder, e->d_name, strerror(errno));
  }
  closedir(open);
  return status;
}

mn_status mn_search_front_clear(const char *folder, const bool *stands, int32_t count,
                                mn_error *error) {
  const mn_status status = mn_ranks_me() == 0 ? remove_older(folder, stands, count, error) : MN_OK;
  mn_ranks_wait(); /* before any rank writes there */
  return status;
}

/* ---- Training --------------------------------------------------------------------------------*/
/* The figures of one network, minus one where a split has no items. */
static mn_status train_one(double figure[FIGURES], const mn_front_training *front, int32_t number,
                           mn_error *error) {
  const mn_run_context *context = front->context;
  const json_t *row = json_array_get(front->rows, (size_t)number);
  const char *text = json_string_value(json_object_get(row, "text"));
  const char *path = json_string_value(json_object_get(row, "net"));
  const mn_bytes bytes = {(const uint8_t *)text, strlen(text)};
  const mn_options_train options = options_of(front, path);
  mn_training training = {.context = context,
                          .options = &options,
                          .dataset = front->dataset,
                          .seed = (uint64_t)context->common->seed,
                          .arithmetic = front->arithmetic,
                          .checkpoint = path_of(front, number, "ckpt"),
                          .model = path_of(front, number, "tflite")};
  mn_trained trained;
  if (training.checkpoint == NULL || training.model == NULL)
    return mn_out_of_memory(context, error);
  MN_TRY(mn_net_parse(&training.net, context->arena, path, bytes, error));
  MN_TRY(mn_stage_classes(training.net, training.dataset, error));
  MN_TRY(mn_training_lower(&training, error));
  MN_TRY(mn_train_once(&trained, &training, error));
  figure[FLOAT_VAL] = trained.float_val;
  figure[FLOAT_TEST] = trained.float_test;
  figure[INT8_VAL] = trained.val.items > 0 ? trained.val.accuracy : -1;
  figure[INT8_TEST] = trained.test.items > 0 ? trained.test.accuracy : -1;
  return MN_OK;
}

static void put_pair(json_t *row, const char *key, const double *figure) {
  json_t *pair = mn_json_object();
  mn_json_put_known(pair, "val", figure[0]);
  mn_json_put_known(pair, "test", figure[1]);
  mn_json_put(row, key, pair);
}

mn_status mn_search_train_front(const mn_front_training *front, mn_error *error) {
  const int32_t count = (int32_t)json_array_size(front->rows), ranks = mn_ranks_count(),
                me = mn_ranks_me();
  double *figures = mn_arena_array(front->context->arena, (size_t)count * FIGURES, sizeof *figures);
  mn_status status = figures != NULL ? MN_OK : mn_out_of_memory(front->context, error);
  mn_ranks_part();
  for (int32_t i = me; i < count && status == MN_OK; i += ranks) {
    mn_monitor_message(front->context->monitor, MN_LEVEL_NOTE, "front: network %d of %d", i + 1,
                       count);
    status = train_one(figures + (ptrdiff_t)i * FIGURES, front, i, error);
  }
  const bool fine = mn_ranks_meet(status == MN_OK);
  MN_TRY(status);
  if (!fine) return mn_error_set(error, MN_ERR_INTERRUPTED, "search: another rank stopped");
  mn_ranks_sum(figures, count * FIGURES);
  for (int32_t i = 0; i < count; i++) {
    json_t *row = json_array_get(front->rows, (size_t)i);
    mn_json_put_text(row, "model", path_of(front, i, "tflite"));
    put_pair(row, "float", figures + (ptrdiff_t)i * FIGURES + FLOAT_VAL);
    put_pair(row, "int8", figures + (ptrdiff_t)i * FIGURES + INT8_VAL);
  }
  return MN_OK;
}
