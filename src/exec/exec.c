/* exec.c - runs a plan on the host: one arena, the kernels' own bodies, a watch hook.
 * SPDX-License-Identifier: Apache-2.0 */
#include "micronets/exec.h"

#include <assert.h>
#include <string.h>

#include "plan/kernel_table.h"

#define HOST_ALIGN 64 /* whole cache lines for vector kernels */

struct mn_exec {
  const mn_plan *plan;
  uint8_t *arena;
};

/* ---- Life ----------------------------------------------------------------------------------*/
static mn_status check_runnable(const mn_plan *plan, mn_error *error) {
  if (!plan->graph->frozen)
    return mn_error_set(error, MN_ERR_ARGUMENT, "a network without weights cannot run");
  for (int32_t s = 0; s < plan->step_count; s++) {
    const mn_plan_step *step = &plan->steps[s];
    if (step->kind != MN_STEP_CALL || step->kernel == NULL || step->kernel->body != NULL) continue;
    return mn_error_set(error, MN_ERR_UNSUPPORTED, "op %s: kernel %s cannot run on this machine",
                        plan->graph->ops[step->op].name, step->kernel->symbol);
  }
  return MN_OK;
}

mn_status mn_exec_create(mn_exec **exec, const mn_plan *plan, mn_error *error) {
  MN_TRY(check_runnable(plan, error));
  mn_exec *made = mn_calloc(1, sizeof *made);
  size_t bytes = (size_t)plan->arena_bytes + HOST_ALIGN;
  uint8_t *arena = mn_malloc_aligned(bytes, HOST_ALIGN);
  if (made == NULL || arena == NULL) {
    mn_free(made);
    mn_free_aligned(arena);
    return mn_error_set(error, MN_ERR_MEMORY, "out of memory: %lld bytes of arena",
                        (long long)plan->arena_bytes);
  }
  memset(arena, 0, bytes);
  *made = (mn_exec){.plan = plan, .arena = arena};
  mn_exec_reset(made);
  *exec = made;
  return MN_OK;
}

void mn_exec_destroy(mn_exec *exec) {
  if (exec == NULL) return;
  mn_free_aligned(exec->arena);
  mn_free(exec);
}

void mn_exec_reset(mn_exec *exec) {
  const mn_graph *graph = exec->plan->graph;
  for (int32_t t = 0; t < graph->tensor_count; t++) {
    const mn_tensor *tensor = &graph->tensors[t];
    if (!tensor->variable || exec->plan->tensor_offset[t] < 0) continue;
    int32_t zero = tensor->quantization.count > 0 ? tensor->quantization.zero_point[0] : 0;
    uint8_t *to = exec->arena + exec->plan->tensor_offset[t];
    size_t width = (size_t)(mn_dtype_bits(tensor->dtype) / 8);
    for (size_t i = 0; i + width <= mn_tensor_bytes(tensor); i += width)
      memcpy(to + i, &zero, width < sizeof zero ? width : sizeof zero);
  }
}

/* ---- Inputs and outputs -----------------------------------------------------------------------*/
static uint8_t *tensor_at(const mn_exec *exec, mn_tensor_id id) {
  assert(exec->plan->tensor_offset[id] >= 0);
  return exec->arena + exec->plan->tensor_offset[id];
}

void *mn_exec_input(mn_exec *exec, int32_t index) {
  assert(index >= 0 && index < exec->plan->graph->input_count);
  return tensor_at(exec, exec->plan->graph->inputs[index]);
}

const void *mn_exec_output(const mn_exec *exec, int32_t index) {
  assert(index >= 0 && index < exec->plan->graph->output_count);
  mn_tensor_id id = exec->plan->graph->outputs[index];
  const mn_tensor *tensor = &exec->plan->graph->tensors[id];
  return tensor->constant ? tensor->data : tensor_at(exec, id);
}

/* ---- Running -------------------------------------------------------------------------------*/
static void *address(const mn_exec *exec, const mn_place *place) {
  switch (place->kind) {
    case MN_PLACE_ARENA: return exec->arena + place->offset;
    case MN_PLACE_CONSTANT: { /* kernels read constants through const pointers only */
      union {
        const void *read;
        void *plain;
      } data = {exec->plan->constants[place->offset].data};
      return data.plain;
    }
    default: return NULL;
  }
}

/* Iteration `i` of the loop around the step (0 outside of loops). */
static mn_kernel_io io_of(const mn_exec *exec, const mn_plan_step *step, int32_t i) {
  mn_kernel_io io = {.y = address(exec, &step->y),
                     .scratch = address(exec, &step->scratch),
                     .y_row = step->y.row + i * step->y.row_step,
                     .first_row = step->first_row + i * step->row_step,
                     .rows = step->rows};
  for (int32_t k = 0; k < MN_KERNEL_INPUTS; k++) {
    io.x[k] = address(exec, &step->x[k]);
    io.x_row[k] = step->x[k].row + i * step->x[k].row_step;
  }
  for (int32_t k = 0; k < MN_KERNEL_CONSTANTS; k++)
    io.constant[k] = address(exec, &step->constant[k]);
  return io;
}

/* Cuts off rows outside the output, which the first and last turn of a loop may ask for. */
static void clip_rows(mn_kernel_io *io, int32_t height) {
  int32_t end = io->first_row + io->rows;
  if (io->first_row < 0) io->first_row = 0;
  if (end > height) end = height;
  io->rows = end > io->first_row ? end - io->first_row : 0;
}

static void call(const mn_exec *exec, const mn_plan_step *step, int32_t i, const mn_watch *watch) {
  const mn_graph *graph = exec->plan->graph;
  int32_t height = mn_plan_step_height(graph, step);
  mn_kernel_io io = io_of(exec, step, i);
  clip_rows(&io, height);
  if (io.rows == 0) return;
  if (step->kernel != NULL) step->kernel->body(step->params, &io);
  if (watch == NULL || step->y.tensor < 0) return;
  size_t row_bytes = (size_t)mn_plan_step_row_bytes(graph, step);
  if (step->kernel != NULL && step->kernel->by_input_rows) {
    if (io.first_row + io.rows == height)
      watch->rows(watch->context, step->op, 0, 1, io.y, row_bytes);
    return;
  }
  const uint8_t *data = (const uint8_t *)io.y + (size_t)(io.first_row - io.y_row) * row_bytes;
  watch->rows(watch->context, step->op, io.first_row, io.rows, data, (size_t)io.rows * row_bytes);
}

/* Runs the steps of one loop and returns the index behind its END. Loops are not nested. */
static int32_t run_loop(const mn_exec *exec, int32_t loop, const mn_watch *watch) {
  const mn_plan_step *steps = exec->plan->steps;
  int32_t end = loop + 1;
  while (steps[end].kind != MN_STEP_END) end++;
  for (int32_t i = 0; i < steps[loop].count; i++)
    for (int32_t s = loop + 1; s < end; s++) call(exec, &steps[s], i, watch);
  return end + 1;
}

void mn_exec_run(mn_exec *exec, const mn_watch *watch) {
  const mn_plan *plan = exec->plan;
  for (int32_t s = 0; s < plan->step_count;) {
    if (plan->steps[s].kind == MN_STEP_LOOP) {
      s = run_loop(exec, s, watch);
    } else {
      call(exec, &plan->steps[s++], 0, watch);
    }
  }
}
