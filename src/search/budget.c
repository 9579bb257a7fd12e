/* budget.c - "flash=100K,sram=64K,ops=16M,ms=100,mj=10": reading it and holding a price against it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "search/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* K and M: 1024 and 1024^2 for bytes, 10^3 and 10^6 for ops; ms and mJ take none. */
static double unit_of(int metric, char suffix) {
  bool bytes = metric == METRIC_FLASH || metric == METRIC_SRAM;
  bool plain = metric == METRIC_MS || metric == METRIC_MJ;
  if (suffix == '\0') return 1;
  if (!plain && (suffix == 'K' || suffix == 'k')) return bytes ? 1024 : 1e3;
  if (!plain && suffix == 'M') return bytes ? 1024 * 1024 : 1e6;
  return 0;
}

static mn_status read_value(double *value, const char *option, int metric, const char *text,
                            mn_error *error) {
  char *end;
  double number = strtod(text, &end);
  double unit = end[0] != '\0' && end[1] != '\0' ? 0 : unit_of(metric, *end);
  bool whole = metric < METRIC_MS; /* bytes and ops; less than one of them would read as no limit */
  if (end == text || unit == 0 || !isfinite(number) || number <= 0 || number * unit > 9e15 ||
      (whole && number * unit < 1))
    return mn_error_set(error, MN_ERR_USAGE, "--%s: \"%s\" for %s; a number %s was expected",
                        option, text, mn_metric_names[metric],
                        whole ? "of at least 1, with K or M behind it if you like," : "above 0");
  *value = number * unit;
  return MN_OK;
}

static int metric_index(const char *name) {
  for (int i = 0; i < METRIC_COUNT; i++)
    if (strcmp(name, mn_metric_names[i]) == 0) return i;
  return -1;
}

static mn_status read_part(double *values, char *part, mn_error *error) {
  char *equals = strchr(part, '=');
  if (equals == NULL)
    return mn_error_set(error, MN_ERR_USAGE,
                        "--budget: \"%s\"; NAME=NUMBER was expected, for example sram=64K", part);
  *equals = '\0';
  int metric = metric_index(part);
  if (metric < 0) {
    const char *near = mn_nearest(part, mn_metric_names, METRIC_COUNT);
    return mn_error_set(error, MN_ERR_USAGE,
                        "--budget: \"%s\" is no metric; flash, sram, ops, ms or mj%s%s%s", part,
                        near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
  }
  if (values[metric] > 0)
    return mn_error_set(error, MN_ERR_USAGE, "--budget: %s stands twice; give it once", part);
  return read_value(&values[metric], "budget", metric, equals + 1, error);
}

mn_status mn_budget_sram(int64_t *bytes, const char *option, const char *text, mn_error *error) {
  double value = 0;
  MN_TRY(read_value(&value, option, METRIC_SRAM, text, error));
  *bytes = (int64_t)value;
  return MN_OK;
}

mn_status mn_budget_parse(mn_budget *budget, const char *text, mn_error *error) {
  char copy[256];
  double values[METRIC_COUNT] = {0};
  size_t length = strlen(text);
  if (length == 0 || length >= sizeof copy)
    return mn_error_set(error, MN_ERR_USAGE,
                        "--budget: \"%.40s\"; for example sram=64K,ops=16M was expected", text);
  memcpy(copy, text, length + 1);
  for (char *part = copy, *next; part != NULL; part = next) {
    next = strchr(part, ',');
    if (next != NULL) *next++ = '\0';
    MN_TRY(read_part(values, part, error));
  }
  *budget = (mn_budget){.flash = (int64_t)values[METRIC_FLASH],
                        .sram = (int64_t)values[METRIC_SRAM],
                        .ops = (int64_t)values[METRIC_OPS],
                        .ms = values[METRIC_MS],
                        .mj = values[METRIC_MJ]};
  return MN_OK;
}

bool mn_budget_met(const mn_budget *budget, const mn_price *price) {
  for (int m = 0; m < METRIC_COUNT; m++) {
    double limit = mn_budget_limit(budget, m), value = mn_price_metric(price, m);
    if (limit > 0 && (value < 0 || value > limit)) return false;
  }
  return true;
}

mn_status mn_budget_price(mn_price *price, mn_plan_options *options, mn_arena *arena,
                          const mn_graph *graph, const mn_frontend *frontend,
                          const mn_target *target, mn_runtime runtime, const mn_budget *budget,
                          mn_error *error) {
  MN_TRY(mn_price_graph(price, arena, graph, frontend, target, runtime, options, error));
  const mn_budget scheduled = {.sram = budget->sram, .ms = budget->ms, .mj = budget->mj};
  bool schedules = runtime == MN_RUNTIME_MICRONETS && budget->sram > 0;
  if (!schedules || mn_budget_met(&scheduled, price)) return MN_OK;
  options->max_sram = budget->sram;
  options->nearest = true;
  return mn_price_graph(price, arena, graph, frontend, target, runtime, options, error);
}
