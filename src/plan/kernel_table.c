/* kernel_table.c - the families of kernels and the choice among their rows. See kernel_table.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "plan/kernel_table.h"

#include <string.h>

#include "plan/rows.h"

static const struct family {
  const char *name;
  const mn_rows *rows;
  const char *fallback; /* family that runs what this one refuses; NULL none */
} families[] = {
    {"host", &mn_rows_host, "ref"},   {"mve", &mn_rows_mve, "plain"},
    {"dsp", &mn_rows_dsp, "plain"},   {"m0", &mn_rows_m0, "plain"},
    {"plain", &mn_rows_plain, "ref"}, {"ref", &mn_rows_ref, NULL},
};

const mn_kernel_row *mn_kernel_row_at(int32_t index) {
  for (size_t i = 0; i < MN_COUNT(families); i++) {
    if (index < families[i].rows->count) return &families[i].rows->row[index];
    index -= families[i].rows->count;
  }
  return NULL;
}

static const char no_kernel[] = "no kernel for this op";

static bool belongs(const mn_kernel_row *row, const char *family) {
  return strcmp(row->family, family) == 0 || strcmp(row->symbol, family) == 0 ||
         (row->unit != NULL && strcmp(row->unit, family) == 0);
}

/* The first row of a family that suits the op; `reason` is that of the last one that did not, if
 * possible of one for the op's types. */
static const mn_kernel_row *find_in(const mn_graph *graph, const mn_op *op, const char *family,
                                    const char **reason) {
  const mn_kernel_row *row;
  for (int32_t i = 0; (row = mn_kernel_row_at(i)) != NULL; i++) {
    if (row->op != op->kind || !belongs(row, family)) continue;
    const char *why = row->refuses(graph, op);
    if (why == NULL) return row;
    if (why != mn_refused_types || *reason == no_kernel) *reason = why;
  }
  return NULL;
}

/* What stands behind a family or a unit; the name of a unit falls back as the host does. */
static const char *fallback_of(const char *family) {
  for (size_t i = 0; i < MN_COUNT(families); i++)
    if (strcmp(families[i].name, family) == 0) return families[i].fallback;
  return "ref";
}

const mn_kernel_row *mn_kernel_find(const mn_graph *graph, const mn_op *op, const char *family,
                                    const char **reason) {
  *reason = no_kernel;
  for (; family != NULL; family = fallback_of(family)) {
    const mn_kernel_row *row = find_in(graph, op, family, reason);
    if (row != NULL) return row;
  }
  return NULL;
}

bool mn_kernel_family_known(const char *family) {
  for (size_t i = 0; i < MN_COUNT(families); i++)
    if (strcmp(families[i].name, family) == 0) return families[i].rows != &mn_rows_host;
  return false;
}

const mn_kernel_row *mn_kernel_thrifty(const mn_kernel_row *row) {
  int32_t i = 0;
  while (mn_kernel_row_at(i) != row) i++;
  const mn_kernel_row *next = mn_kernel_row_at(i + 1);
  return next != NULL && next->op == row->op && next->refuses == row->refuses ? next : NULL;
}

bool mn_kernel_family_reaches(const char *family, const char *other) {
  for (; family != NULL; family = fallback_of(family))
    if (strcmp(family, other) == 0) return true;
  return false;
}
