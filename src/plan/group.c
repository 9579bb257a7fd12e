/* group.c - one group of ops in one loop: rows per turn, slabs, bytes, cycles. See schedule.h.
 *
 * Backwards from the last op, an op makes per turn as many rows as its readers take, and runs ahead of
 * them by what their windows reach below; then all are shifted by whole turns until the first turn
 * asks for no rows that are not next. Rows outside of a tensor are cut off when the loop runs.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "kernels/pad.h"
#include "plan/arguments.h"
#include "plan/layout.h"
#include "plan/schedule.h"

static int64_t aligned(int64_t bytes) {
  return (bytes + MN_ARENA_ALIGN - 1) / MN_ARENA_ALIGN * MN_ARENA_ALIGN;
}

static int64_t bytes_of(const mn_scheduler *s, mn_tensor_id id) {
  return (int64_t)mn_tensor_bytes(&s->graph->tensors[id]);
}

static int64_t row_bytes(const mn_scheduler *s, mn_tensor_id id) {
  return bytes_of(s, id) / s->graph->tensors[id].shape.dim[1];
}

/* ---- Windows -------------------------------------------------------------------------------*/
static bool is_image(const mn_tensor *tensor) {
  return tensor->shape.rank == 4 && tensor->shape.dim[0] == 1 && !tensor->variable;
}

/* Inside of a loop the op counts rows of its input. */
static bool by_input_rows(const mn_scheduler *s, int32_t op) {
  return s->turns[op].kernel->by_input_rows;
}

static mn_row_window window_of(const mn_scheduler *s, int32_t index) {
  const mn_op *op = &s->graph->ops[index];
  const mn_kernel_arguments *a = &s->arguments[index];
  const mn_tensor *x = &s->graph->tensors[op->input[0]], *y = &s->graph->tensors[op->output];
  if (is_image(x) && by_input_rows(s, index))
    return (mn_row_window){1, 0, 1, x->shape.dim[1], x->shape.dim[1]};
  if (!is_image(x) || !is_image(y)) return (mn_row_window){0};
  mn_row_window w = {1, 0, 1, y->shape.dim[1], x->shape.dim[1]};
  switch (op->kind) {
    case MN_OP_CONV_2D:
    case MN_OP_DEPTHWISE_CONV_2D:
    case MN_OP_AVERAGE_POOL_2D:
    case MN_OP_MAX_POOL_2D: {
      mn_kernel_window window = mn_window_of(s->graph, op);
      w.stride = window.stride_h;
      w.before = window.pad_top;
      w.span = (window.kernel_h - 1) * window.dilation_h + 1;
      return w;
    }
    case MN_OP_PAD: w.before = ((const mn_pad *)a->params)->before_h; return w;
    case MN_OP_ADD:
    case MN_OP_QUANTIZE: return w;
    default: return (mn_row_window){0};
  }
}

static bool allocate(mn_scheduler *s) {
  size_t ops = (size_t)s->graph->op_count;
  s->window = mn_arena_array(s->arena, ops, sizeof *s->window);
  s->standing = mn_arena_array(s->arena, ops, sizeof *s->standing);
  s->rows = mn_arena_array(s->arena, ops, sizeof *s->rows);
  s->passing = mn_arena_array(s->arena, ops, sizeof *s->passing);
  s->cycles = mn_arena_array(s->arena, 2 * ops * (MN_MOST_ROWS + 1), sizeof *s->cycles);
  return s->window != NULL && s->standing != NULL && s->rows != NULL && s->passing != NULL &&
         s->cycles != NULL;
}

/* Where the cycle table knows nothing of a kernel: near enough to weigh calls against each other. */
static double estimated_cycles(const mn_scheduler *s, int32_t op, int32_t calls) {
  const mn_shape *y = &s->graph->tensors[s->graph->ops[op].output].shape;
  int32_t channels = y->rank > 0 ? y->dim[y->rank - 1] : 1;
  return 2.0 * (double)mn_op_macs(s->graph, op) + 4.0 * (double)mn_shape_elements(y) +
         calls * (200.0 + 4.0 * channels);
}

/* Modelled cycles of an op by one kernel in so many calls. Without a board each call counts one. */
static double cycles_of(mn_scheduler *s, const mn_kernel_row *row, int32_t op, int32_t calls) {
  const mn_op *o = &s->graph->ops[op];
  if (s->target == NULL) return calls;
  double cycles = calls > 1 && by_input_rows(s, op)
                      ? mn_sum_cycles(s->graph, o, s->target, calls)
                      : mn_kernel_cycles(row, s->graph, o, s->target, calls);
  if (cycles >= 0) return cycles;
  s->uncounted = row->symbol;
  return estimated_cycles(s, op, calls);
}

static double *cycles_at(const mn_scheduler *s, bool thrifty, int32_t op) {
  int64_t row = (thrifty ? s->graph->op_count : 0) + op;
  return &s->cycles[row * (MN_MOST_ROWS + 1)];
}

/* Of one whole call, and of loops that make so many rows a turn. */
static void prepare_cycles(mn_scheduler *s, bool thrifty, const mn_kernel_row *row, int32_t op) {
  double *cycles = cycles_at(s, thrifty, op);
  cycles[0] = cycles_of(s, row, op, 1);
  for (int32_t rows = 1; rows <= MN_MOST_ROWS && s->window[op].span > 0; rows++)
    cycles[rows] = cycles_of(s, row, op, (s->window[op].height + rows - 1) / rows);
}

mn_status mn_scheduler_prepare(mn_scheduler *s, mn_error *error) {
  const mn_graph *g = s->graph;
  if (!allocate(s)) return mn_error_set(error, MN_ERR_MEMORY, "out of memory while scheduling");
  for (int32_t op = 0; op < g->op_count; op++) {
    s->window[op] = window_of(s, op);
    for (int32_t t = 0; t < g->tensor_count; t++)
      if (s->storage[t] == t && s->first[t] <= op && s->last[t] > op)
        s->standing[op] += aligned(bytes_of(s, t));
  }
  if (s->target == NULL) s->uncounted = g->op_count > 0 ? s->steps[0].kernel->symbol : "";
  for (int32_t op = 0; op < g->op_count; op++) {
    const mn_kernel_row *thrifty = s->thrifty[op].kernel;
    prepare_cycles(s, false, s->steps[op].kernel, op);
    if (thrifty != NULL) prepare_cycles(s, true, thrifty, op);
  }
  return MN_OK;
}

/* ---- Rows per turn -----------------------------------------------------------------------------*/
static bool reads(const mn_scheduler *s, int32_t op, mn_tensor_id id) {
  for (int32_t i = 0; i < MN_CALL_MAX_INPUTS; i++)
    if (s->arguments[op].x[i] == id) return true;
  return false;
}

/* Behind the last op of the group that may read the tensor. */
static int32_t readers_end(const mn_group *group, const mn_scheduler *s, mn_tensor_id id) {
  const int32_t end = group->first + group->count, last = s->last[s->storage[id]];
  return last < end ? last : end;
}

/* First input row that op needs for the rows of a turn, not cut. */
static int32_t first_needed(const mn_scheduler *s, int32_t op, int32_t turn) {
  return (s->rows[op].first_row + turn * s->rows[op].step) * s->window[op].stride -
         s->window[op].before;
}

/* Rows of op from those of its readers, which are known; false: they ask for different speeds. */
static bool fit_op(const mn_group *group, const mn_scheduler *s, int32_t op) {
  mn_op_rows *rows = &s->rows[op];
  const mn_tensor_id y = s->graph->ops[op].output;
  const int32_t readers = readers_end(group, s, y);
  int32_t end = INT32_MIN, low = INT32_MAX;
  rows->step = 0;
  for (int32_t r = op + 1; r < readers; r++) {
    if (!reads(s, r, y)) continue;
    const mn_row_window *w = &s->window[r];
    int32_t step = s->rows[r].step * w->stride, first = first_needed(s, r, 0);
    int32_t reader_end = first + (s->rows[r].step - 1) * w->stride + w->span;
    if (rows->step != 0 && rows->step != step) return false;
    rows->step = step;
    if (reader_end > end) end = reader_end;
    if (first < low) low = first;
  }
  if (rows->step == 0) return false;
  rows->first_row = end - rows->step;
  rows->slab_row = low < rows->first_row ? low : rows->first_row;
  rows->slab_rows = end - rows->slab_row;
  return true;
}

/* Shifts all by whole turns, so that no op begins behind its first row; then counts the turns. */
static void align_turns(mn_group *group, const mn_scheduler *s) {
  int32_t late = 0;
  group->turns = 0;
  for (int32_t op = group->first; op < group->first + group->count; op++) {
    int32_t turns = (s->rows[op].first_row + s->rows[op].step - 1) / s->rows[op].step;
    if (s->rows[op].first_row > 0 && turns > late) late = turns;
  }
  for (int32_t op = group->first; op < group->first + group->count; op++) {
    mn_op_rows *rows = &s->rows[op];
    rows->first_row -= late * rows->step;
    rows->slab_row -= late * rows->step;
    int32_t turns = (s->window[op].height - rows->first_row + rows->step - 1) / rows->step;
    if (turns > group->turns) group->turns = turns;
    bool whole = rows->slab_rows >= s->window[op].height ||
                 !mn_group_is_inner(group, s, s->graph->ops[op].output);
    if (whole) rows->slab_row = rows->slab_rows = 0;
  }
}

static bool fit_rows(mn_group *group, const mn_scheduler *s) {
  int32_t last = group->first + group->count - 1;
  for (int32_t op = group->first; op <= last; op++)
    if (s->window[op].span == 0 || (op < last && by_input_rows(s, op))) return false;
  if (group->rows >= s->window[last].height) return false;
  s->rows[last] = (mn_op_rows){.step = group->rows};
  for (int32_t op = last - 1; op >= group->first; op--)
    if (!fit_op(group, s, op)) return false;
  align_turns(group, s);
  return true;
}

/* ---- Bytes ---------------------------------------------------------------------------------*/
bool mn_group_is_inner(const mn_group *group, const mn_scheduler *s, mn_tensor_id id) {
  int32_t end = group->first + group->count;
  return group->rows > 0 && s->storage[id] == id && s->first[id] > group->first &&
         s->first[id] < end && s->last[id] <= end;
}

/* The first row of `x` that anything in the group reads after turn `turn` of the last op's call;
 * INT32_MAX: nothing does. The last op itself may read on what its own call has not read yet. */
static int32_t still_read(const mn_group *group, const mn_scheduler *s, mn_tensor_id x,
                          int32_t turn) {
  const int32_t last = group->first + group->count - 1, readers = readers_end(group, s, x);
  int32_t least = INT32_MAX;
  for (int32_t op = group->first; op < readers; op++) {
    if (!reads(s, op, x)) continue;
    bool same_call = op == last && s->turns[op].kernel->overlap != MN_OVERLAP_ELEMENT;
    int32_t next = turn + (same_call ? 0 : 1);
    if (s->rows[op].first_row + next * s->rows[op].step >= s->window[op].height) continue;
    int32_t row = first_needed(s, op, next);
    if (row < least) least = row;
  }
  return least < 0 ? 0 : least;
}

static bool loop_distance(mn_dying *dying, const mn_group *group, const mn_scheduler *s,
                          int32_t op) {
  mn_tensor_id x = dying->x;
  if (s->graph->tensors[x].shape.rank != 4 || by_input_rows(s, op)) return false;
  int64_t x_row = row_bytes(s, x), y_row = row_bytes(s, s->graph->ops[op].output);
  for (int32_t turn = 0; turn < group->turns; turn++) {
    int32_t end = s->rows[op].first_row + (turn + 1) * s->rows[op].step;
    int32_t row = still_read(group, s, x, turn);
    if (end > s->window[op].height) end = s->window[op].height;
    if (end <= 0 || row == INT32_MAX || end * y_row - row * x_row <= dying->distance) continue;
    dying->distance = end * y_row - row * x_row;
    dying->y_share = (double)end / s->window[op].height;
    dying->x_share = (double)row / s->graph->tensors[x].shape.dim[1];
  }
  return true;
}

/* Bytes by which the output overtakes what a kernel that goes pixel by pixel has read. */
static bool pixel_distance(mn_dying *dying, const mn_scheduler *s, mn_tensor_id y) {
  int64_t more = bytes_of(s, y) - bytes_of(s, dying->x);
  if (more > 0) *dying = (mn_dying){dying->x, more, 1, 1};
  return true;
}

/* How far the output of the last op must begin below input dying->x of the group; false: it must be
 * disjoint. */
static bool find_distance(mn_dying *dying, const mn_group *group, const mn_scheduler *s) {
  int32_t end = group->first + group->count;
  mn_tensor_id x = dying->x, y = s->graph->ops[end - 1].output;
  if (s->options->keep_all || s->options->no_in_place || x < 0) return false;
  mn_tensor_id place = s->storage[x];
  bool dies = s->last[place] > group->first && s->last[place] <= end;
  if (!dies || s->storage[y] != y || s->first[place] > group->first) return false;
  if (s->graph->tensors[y].variable || s->graph->tensors[place].variable) return false;
  if (group->rows > 0) return loop_distance(dying, group, s, end - 1);
  switch (s->steps[end - 1].kernel->overlap) {
    case MN_OVERLAP_ELEMENT:
    case MN_OVERLAP_PLANE: return true;
    case MN_OVERLAP_PIXEL: return pixel_distance(dying, s, y);
    default: return false;
  }
}

int32_t mn_group_dying(mn_dying *dying, const mn_group *group, const mn_scheduler *s) {
  int32_t count = 0;
  for (int32_t op = group->first; op < group->first + group->count; op++)
    for (int32_t i = 0; i < MN_CALL_MAX_INPUTS && count < MN_BLOCK_MAX_OVER; i++) {
      mn_dying one = {.x = s->arguments[op].x[i]};
      if (!find_distance(&one, group, s)) continue;
      if (count > 0 && s->storage[dying[0].x] == s->storage[one.x]) continue;
      dying[count++] = one;
    }
  return count;
}

/* The least that the output of the last op adds to the inputs that die. */
static int64_t added_by_last(mn_group *group, const mn_scheduler *s) {
  mn_dying dying[MN_BLOCK_MAX_OVER];
  mn_tensor_id y = s->graph->ops[group->first + group->count - 1].output;
  int64_t bytes = aligned(bytes_of(s, y)), least = bytes;
  int32_t count = mn_group_dying(dying, group, s);
  for (int32_t i = 0; i < count; i++) {
    int64_t x = aligned(bytes_of(s, dying[i].x)), covered = aligned(dying[i].distance) + x;
    int64_t added = (covered > bytes ? covered : bytes) - x;
    if (added >= least) continue;
    least = added;
    group->drift = aligned(dying[i].distance);
  }
  return least;
}

static int64_t slab_bytes(const mn_scheduler *s, int32_t op) {
  mn_tensor_id y = s->graph->ops[op].output;
  return aligned(s->rows[op].slab_rows > 0 ? s->rows[op].slab_rows * row_bytes(s, y)
                                           : bytes_of(s, y));
}

/* A slab without a halo is empty between its last reader and the next turn. */
bool mn_op_is_passing(const mn_scheduler *s, int32_t op) {
  return s->rows[op].slab_rows > 0 && s->rows[op].slab_rows == s->rows[op].step;
}

static bool is_thrifty(const mn_group *group, const mn_scheduler *s, int32_t op) {
  return group->thrifty && s->thrifty[op].kernel != NULL;
}

const mn_plan_step *mn_group_step(const mn_group *group, const mn_scheduler *s, int32_t op) {
  if (is_thrifty(group, s, op)) return &s->thrifty[op];
  return group->rows > 0 ? &s->turns[op] : &s->steps[op];
}

static int64_t scratch_bytes(const mn_group *group, const mn_scheduler *s, int32_t op) {
  return aligned(mn_group_step(group, s, op)->scratch_bytes);
}

/* The most that passing slabs and scratch take at the time of one op. */
static int64_t passing_bytes(const mn_group *group, const mn_scheduler *s) {
  const int32_t last = group->first + group->count - 1;
  int64_t most = 0;
  for (int32_t op = group->first; op <= last; op++)
    s->passing[op] = group->rows > 0 && by_input_rows(s, op) ? 0 : scratch_bytes(group, s, op);
  for (int32_t op = group->first; op < last; op++) {
    if (!mn_op_is_passing(s, op)) continue;
    const int64_t slab = slab_bytes(s, op);
    for (int32_t at = op; at < s->last[s->graph->ops[op].output] && at <= last; at++)
      s->passing[at] += slab;
  }
  for (int32_t op = group->first; op <= last; op++)
    if (s->passing[op] > most) most = s->passing[op];
  return most;
}

static void count_bytes(mn_group *group, const mn_scheduler *s) {
  int32_t last = group->first + group->count - 1;
  mn_tensor_id y = s->graph->ops[last].output;
  group->bytes = s->standing[group->first];
  group->slab_bytes = group->drift = 0;
  if (s->storage[y] == y) group->bytes += added_by_last(group, s);
  if (group->rows > 0 && by_input_rows(s, last)) group->bytes += scratch_bytes(group, s, last);
  for (int32_t op = group->first; op < last; op++) {
    if (s->rows[op].slab_rows > 0) group->slab_bytes += slab_bytes(s, op);
    if (!mn_op_is_passing(s, op)) group->bytes += slab_bytes(s, op);
  }
  group->bytes += passing_bytes(group, s);
}

/* ---- Cycles --------------------------------------------------------------------------------*/
enum { CYCLES_PER_MOVE = 90, CYCLES_PER_TURN = 6 };

int32_t mn_calls_in_loop(int32_t first_row, int32_t step, int32_t height) {
  return (height - first_row + step - 1) / step - -first_row / step;
}

/* By words where rows are whole words. */
double mn_move_cycles(int64_t bytes, int64_t row_bytes) {
  return CYCLES_PER_MOVE + (double)bytes * (row_bytes % 4 == 0 ? 1.5 : 6.0);
}

double mn_sum_cycles(const mn_graph *graph, const mn_op *op, const mn_target *target,
                     int32_t calls) {
  const char *reason;
  const mn_kernel_row *row = mn_kernel_find(graph, op, "ref", &reason);
  double whole = row != NULL ? mn_kernel_cycles(row, graph, op, target, 1) : -1;
  int32_t channels = graph->tensors[op->input[0]].shape.dim[3];
  return whole < 0 ? -1 : whole + calls * (60.0 + 6.0 * channels);
}

static double move_cycles(const mn_scheduler *s, int32_t op) {
  if (s->rows[op].slab_rows == 0 || mn_op_is_passing(s, op)) return 0;
  int64_t row = row_bytes(s, s->graph->ops[op].output);
  return mn_move_cycles((s->rows[op].slab_rows - s->rows[op].step) * row, row);
}

static void count_cycles(mn_group *group, const mn_scheduler *s) {
  bool board = s->target != NULL;
  group->cycles = group->rows > 0 && board ? CYCLES_PER_TURN * group->turns : 0;
  for (int32_t op = group->first; op < group->first + group->count; op++) {
    int32_t rows = group->rows == 0 ? 0 : s->rows[op].step;
    group->cycles +=
        cycles_at(s, is_thrifty(group, s, op), op)[rows < MN_MOST_ROWS ? rows : MN_MOST_ROWS];
    if (group->rows > 0 && board) group->cycles += move_cycles(s, op) * group->turns;
  }
}

bool mn_group_fit(mn_group *group, const mn_scheduler *s) {
  if (group->rows > 0 && !fit_rows(group, s)) return false;
  if (group->rows == 0) s->rows[group->first] = (mn_op_rows){0};
  count_bytes(group, s);
  count_cycles(group, s);
  return true;
}
