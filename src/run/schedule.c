/* schedule.c - how a model is scheduled: what options ask for, and what came of it as JSON.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "micronets/eval.h"
#include "micronets/search.h"
#include "run/stage.h"

mn_status mn_stage_detector(const mn_detector **detector, mn_arena *arena, const mn_model *model,
                            mn_error *error) {
  *detector = NULL;
  for (int s = 0; s < MN_DETECTOR_COUNT && model->score_kind != NULL; s++) {
    mn_score_kind kind = s == MN_DETECTOR_BANDS ? MN_SCORE_BANDS : MN_SCORE_EMBEDDING;
    if (strcmp(model->score_kind, mn_score_text(kind)) == 0)
      MN_TRY(mn_detector_read(detector, arena, model, (mn_detector_source)s, error));
  }
  return MN_OK;
}

mn_status mn_stage_plan_options(mn_plan_options *options, const mn_stage_asked *asked,
                                const mn_model *model, mn_arena *arena, mn_error *error) {
  *options = (mn_plan_options){.min_sram = asked->min_sram,
                               .small = asked->small,
                               .max_cycles = asked->max_cycles,
                               .frontend = &model->frontend};
  MN_TRY(mn_stage_detector(&options->detector, arena, model, error));
  if (asked->max_sram == NULL) return MN_OK;
  if (asked->min_sram)
    return mn_error_set(error, MN_ERR_USAGE,
                        "--max-sram: found --min-sram too; expected one of them");
  if (mn_stage_runtime_of(asked->runtime) == MN_RUNTIME_TFLM)
    return mn_error_set(error, MN_ERR_USAGE,
                        "--max-sram: found --runtime tflm, which has one schedule; leave one out");
  return mn_budget_sram(&options->max_sram, "max-sram", asked->max_sram, error);
}

void mn_stage_put_rule(json_t *object, const mn_plan_options *options) {
  char rule[96] = "at most 2 % above the fewest cycles";
  if (options->small) snprintf(rule, sizeof rule, "least code");
  if (options->min_sram)
    snprintf(rule, sizeof rule, "least SRAM within 10 %% above the fewest cycles");
  if (options->max_cycles > 0)
    snprintf(rule, sizeof rule, "least SRAM within %lld cycles", (long long)options->max_cycles);
  if (options->max_sram > 0)
    snprintf(rule, sizeof rule, "fewest cycles within %lld bytes of SRAM",
             (long long)options->max_sram);
  mn_json_put_text(object, "schedule_rule", rule);
}

static json_t *ops_json(const mn_plan *plan, const mn_plan_group *group) {
  json_t *ops = mn_json_array();
  for (int32_t op = group->first_op; op < group->first_op + group->op_count; op++) {
    const mn_tensor_id y = plan->graph->ops[op].output;
    json_t *row = mn_json_object();
    mn_json_put_text(row, "name", plan->graph->ops[op].name);
    mn_json_put_text(row, "kind", mn_op_info_get(plan->graph->ops[op].kind)->text);
    mn_json_put_known_int(row, "offset", plan->tensor_offset[y]); /* null: a slab of rows */
    mn_json_push(ops, row);
  }
  return ops;
}

/* Groups in the order they run: a call of one op, or a loop over a few rows at a time of several. */
static json_t *schedule_json(const mn_plan *plan) {
  json_t *schedule = mn_json_array();
  for (int32_t i = 0; i < plan->group_count; i++) {
    const mn_plan_group *group = &plan->groups[i];
    json_t *row = mn_json_object();
    mn_json_put(row, "ops", ops_json(plan, group));
    mn_json_put_known_int(row, "rows_per_turn", group->rows > 0 ? group->rows : -1);
    mn_json_put_int(row, "turns", group->turns);
    mn_json_put_int(row, "slab_bytes", group->slab_bytes);
    mn_json_put_int(row, "lower_bound", group->arena_bytes);
    mn_json_push(schedule, row);
  }
  return schedule;
}

/* How far from proved: of this schedule's layout, and of any schedule within the limits, of bytes and of
 * cycles. */
static json_t *bounds_json(const mn_plan *plan) {
  json_t *bounds = mn_json_object();
  mn_json_put_int(bounds, "arena", plan->arena_bytes);
  mn_json_put_int(bounds, "layout", plan->lower_bound_bytes);
  mn_json_put_int(bounds, "schedule", plan->schedule_bound_bytes);
  mn_json_put_int(bounds, "gap", plan->arena_bytes - plan->schedule_bound_bytes);
  mn_json_put_known(bounds, "cycles_modelled", plan->schedule_bound_cycles);
  return bounds;
}

void mn_stage_put_schedule(json_t *object, const mn_plan *plan) {
  mn_json_put(object, "schedule", schedule_json(plan));
  mn_json_put(object, "bounds", bounds_json(plan));
}
