/* auc.c - area under the ROC curve by ranks (Mann and Whitney): sort once, add the ranks of the
 * positive items, equal scores sharing their mean rank.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "micronets/eval.h"

typedef struct scored {
  double score;
  bool positive;
} scored;

static int rising_score(const void *a, const void *b) {
  const scored *x = a, *y = b;
  return (x->score > y->score) - (x->score < y->score);
}

static double positive_ranks(const scored *items, int32_t count) {
  double sum = 0;
  for (int32_t first = 0, end; first < count; first = end) {
    int32_t positives = 0;
    for (end = first; end < count && items[end].score <= items[first].score; end++)
      positives += items[end].positive;
    sum += positives * 0.5 * (double)(first + 1 + end);
  }
  return sum;
}

mn_status mn_eval_auc(double *area, const double *score, const bool *positive, int32_t count,
                      mn_error *error) {
  scored *items = mn_calloc((size_t)count + 1, sizeof *items);
  if (items == NULL) return mn_error_set(error, MN_ERR_MEMORY, "eval: out of memory");
  double positives = 0;
  for (int32_t i = 0; i < count; i++) {
    items[i] = (scored){score[i], positive[i]};
    positives += positive[i];
  }
  qsort(items, (size_t)count, sizeof *items, rising_score);
  double ranks = positive_ranks(items, count), negatives = count - positives;
  mn_free(items);
  *area = positives < 1 || negatives < 1
              ? -1
              : (ranks - positives * (positives + 1) / 2) / (positives * negatives);
  return MN_OK;
}
