/* price.c - what a graph costs: bytes from the plan itself, code and stack from the measured table,
 * TFLM's figures from its own planner and file format.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "kernels/move.h"
#include "micronets/plan.h"
#include "micronets/tflite.h"
#include "plan/schedule.h"
#include "plan/sram.h"
#include "plan/tflm_memory.h"

#define CONSTANT_ALIGN 4 /* of every array and struct that emit prints */

static int64_t round_up(int64_t bytes) {
  return (bytes + CONSTANT_ALIGN - 1) / CONSTANT_ALIGN * CONSTANT_ALIGN;
}

/* ---- Flash ---------------------------------------------------------------------------------*/
static bool same_params(const mn_plan_step *a, const mn_plan_step *b) {
  return a->kernel != NULL && a->kernel->params == b->kernel->params &&
         memcmp(a->params, b->params, b->kernel->params->size) == 0;
}

/* Equal parameter structs are printed once. On a bare graph scales may still make them differ. */
static bool params_are_new(const mn_plan *plan, int32_t index) {
  for (int32_t s = 0; s < index && plan->graph->frozen; s++)
    if (same_params(&plan->steps[s], &plan->steps[index])) return false;
  return true;
}

static void price_constants(mn_price *price, const mn_plan *plan) {
  for (int32_t i = 0; i < plan->constant_count; i++) {
    const mn_constant *constant = &plan->constants[i];
    int64_t *to = constant->weights ? &price->flash.weights : &price->flash.constants;
    *to += round_up((int64_t)constant->bytes);
  }
  for (int32_t s = 0; s < plan->step_count; s++)
    if (plan->steps[s].kernel != NULL && params_are_new(plan, s))
      price->flash.constants += (int64_t)plan->steps[s].kernel->params->size;
}

/* ---- Code ----------------------------------------------------------------------------------*/
static bool kernel_is_new(const mn_plan *plan, int32_t index) {
  const mn_kernel_row *kernel = plan->steps[index].kernel;
  for (int32_t s = 0; s < index && kernel != NULL; s++)
    if (plan->steps[s].kernel != NULL && strcmp(plan->steps[s].kernel->symbol, kernel->symbol) == 0)
      return false;
  return kernel != NULL;
}

/* Kernels once each, the emitted functions, and their calls. */
static void price_code(mn_price *price, const mn_plan *plan, const mn_target *target) {
  mn_code_size run = mn_size_of(target, "run"), call = mn_size_of(target, "call"),
               turn = mn_size_of(target, "turn");
  bool in_loop = false;
  price->flash.code += run.text_bytes;
  for (int32_t s = 0; s < plan->step_count; s++) {
    if (plan->steps[s].kind != MN_STEP_CALL) in_loop = plan->steps[s].kind == MN_STEP_LOOP;
    if (plan->steps[s].kernel != NULL)
      price->flash.code += in_loop ? turn.text_bytes : call.text_bytes;
    if (kernel_is_new(plan, s))
      price->flash.code += mn_size_of(target, plan->steps[s].kernel->symbol).text_bytes;
  }
}

/* The constants beside the tables: mn_audio with 4-byte pointers, as on the target, and the scale. */
#define X(...) +4
enum { AUDIO_BYTES = 0 MN_AUDIO_NUMBERS(X) MN_AUDIO_TABLES(X) };
#undef X

/* Tables of sound; code of the front end and its scale. */
static void price_frontend(mn_price *price, const mn_frontend *frontend, const mn_target *target) {
  bool sees = frontend != NULL && frontend->kind == MN_FRONTEND_IMAGE;
  bool listens = frontend != NULL && mn_frontend_listens(frontend);
  if (!sees && !listens) return;
  price->flash.constants += (int64_t)sizeof(mn_feature_scale);
  price->flash.code += mn_size_of(target, sees ? "image" : "feed").text_bytes;
  if (listens)
    price->flash.constants += round_up((int64_t)mn_frontend_tables_bytes(frontend)) + AUDIO_BYTES;
}

static void price_detector(mn_price *price, const mn_detector *detector) {
  if (detector != NULL) price->flash.constants += mn_detector_tables_bytes(detector);
}

/* ---- Entry ---------------------------------------------------------------------------------*/
static void price_memory(mn_price *price, const mn_plan *plan, const mn_plan_options *options,
                         const mn_target *target) {
  mn_sram sram = mn_plan_sram(plan, options, target);
  price->sram.arena = sram.arena;
  price->sram.lower_bound = plan->lower_bound_bytes;
  price->sram.features = sram.features;
  price->sram.stack = sram.stack;
}

static mn_status price_tflm(mn_price *price, mn_arena *arena, const mn_graph *graph,
                            const mn_frontend *frontend, const mn_file_words *words,
                            mn_error *error) {
  mn_tflm_memory memory;
  mn_model model = {.graph = graph};
  size_t bytes = 0;
  if (frontend != NULL) model.frontend = *frontend;
  if (words != NULL) {
    model.labels = words->labels;
    model.label_count = words->label_count;
    model.has_threshold = words->label_count > 0;
    model.description = words->description;
    model.trained_on = words->trained_on;
  }
  MN_TRY(mn_tflm_memory_of(&memory, arena, graph, error));
  MN_TRY(mn_tflite_size(&bytes, &model, error));
  price->tflm.arena = memory.arena;
  price->tflm.head = memory.head;
  price->tflm.tail = memory.tail;
  price->tflm.model_bytes = (int64_t)bytes;
  return MN_OK;
}

/* ---- Time ----------------------------------------------------------------------------------*/
static double step_cycles(const mn_plan *plan, const mn_plan_step *step, const mn_target *target,
                          int32_t turns) {
  const mn_op *op = &plan->graph->ops[step->op];
  int32_t height = mn_plan_step_height(plan->graph, step);
  if (step->kernel == mn_kernel_move())
    return turns * mn_move_cycles(((const mn_move *)step->params)->bytes,
                                  mn_plan_step_row_bytes(plan->graph, step));
  int32_t calls = turns > 0 ? mn_calls_in_loop(step->first_row, step->row_step, height) : 1;
  if (step->kernel->by_input_rows) return mn_sum_cycles(plan->graph, op, target, calls);
  return mn_kernel_cycles(step->kernel, plan->graph, op, target, calls);
}

double mn_plan_op_cycles(const mn_plan *plan, int32_t op, const mn_target *target) {
  double cycles = 0;
  int32_t turns = 0; /* 0: outside of loops */
  for (int32_t s = 0; s < plan->step_count; s++) {
    const mn_plan_step *step = &plan->steps[s];
    if (step->kind != MN_STEP_CALL) turns = step->kind == MN_STEP_LOOP ? step->count : 0;
    if (step->kind != MN_STEP_CALL || step->op != op || step->kernel == NULL) continue;
    double of_step = step_cycles(plan, step, target, turns);
    if (of_step < 0) return -1;
    cycles += of_step;
  }
  return cycles;
}

/* Unknown as a whole where one op is. */
static void price_time(mn_price *price, const mn_plan *plan, const mn_target *target) {
  double cycles = 0;
  price->cycles_modelled = price->ms_modelled = price->mj_modelled = -1;
  if (target == NULL) return;
  for (int32_t op = 0; op < plan->graph->op_count; op++) {
    bool tflm = price->runtime == MN_RUNTIME_TFLM;
    double of_op =
        tflm ? mn_tflm_op_cycles(plan->graph, op, target) : mn_plan_op_cycles(plan, op, target);
    if (of_op < 0) return;
    cycles += of_op;
  }
  price->cycles_modelled = cycles;
  price->ms_modelled = 1e3 * cycles / target->clock_hz;
  if (target->active_watts > 0) price->mj_modelled = price->ms_modelled * target->active_watts;
}

/* Under TFLM the file is what lies in flash, beside its interpreter and our front end. */
static void use_tflm(mn_price *price, const mn_graph *graph, const mn_frontend *frontend,
                     const mn_target *target) {
  price->flash.weights = price->tflm.model_bytes;
  price->sram.arena = price->tflm.arena;
  price->sram.stack = mn_frontend_stack(frontend, target);
  if (target == NULL) return;
  price->flash.code += mn_tflm_code_bytes(graph);
  if (price->sram.stack < MN_TFLM_STACK_BYTES) price->sram.stack = MN_TFLM_STACK_BYTES;
}

static void sum_up(mn_price *price) {
  price->flash.total = price->flash.weights + price->flash.constants + price->flash.code;
  price->sram.total =
      price->sram.arena + price->sram.features + price->sram.data + price->sram.stack;
}

mn_status mn_price_graph(mn_price *price, mn_arena *arena, const mn_graph *graph,
                         const mn_frontend *frontend, const mn_target *target, mn_runtime runtime,
                         const mn_plan_options *options, mn_error *error) {
  mn_arena_mark mark = mn_arena_mark_get(arena);
  mn_counts counts = mn_graph_counts(graph);
  mn_price made = {
      .runtime = runtime, .macs = counts.macs, .ops = counts.ops, .params = counts.params};
  const mn_plan *plan = NULL;
  mn_plan_options asked = options != NULL ? *options : (mn_plan_options){0};
  asked.frontend = frontend;
  if (runtime == MN_RUNTIME_TFLM) asked.detector = NULL; /* the score is ours */
  made.max_sram = asked.max_sram;
  mn_status status = mn_plan_make(&plan, arena, graph, target, &asked, error);
  if (status == MN_OK) status = price_tflm(&made, arena, graph, frontend, asked.words, error);
  if (status == MN_OK) {
    bool tflm = runtime == MN_RUNTIME_TFLM;
    if (!tflm) price_constants(&made, plan);
    if (!tflm) price_code(&made, plan, target);
    price_frontend(&made, frontend, target);
    price_detector(&made, asked.detector);
    price_memory(&made, plan, &asked, target);
    if (tflm) use_tflm(&made, graph, frontend, target);
    price_time(&made, plan, target);
    sum_up(&made);
    *price = made;
  }
  mn_arena_release(arena, mark);
  return status;
}
