/* plan.h - turns a graph into a flat list of calls and loops with arena offsets, packed constants
 * and kernel rows; and prices it. The only place that computes memory, size or cost: exec runs
 * this plan, emit prints it, search pays its price.
 *
 * Limits count nodes, never time: a plan does not depend on the machine's load.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MICRONETS_PLAN_H
#define MICRONETS_PLAN_H

#include "micronets/base.h"
#include "micronets/features.h"
#include "micronets/graph.h"
#include "micronets/target.h"

/* ---- What a kernel sees (the struct itself is kernels/kernel.h, shared with the MCU) ---------*/
struct mn_kernel_row; /* src/plan/kernel_table.h */

/* Where an operand lies. */
typedef enum mn_place_kind { MN_PLACE_NONE, MN_PLACE_ARENA, MN_PLACE_CONSTANT } mn_place_kind;
typedef struct mn_place {
  mn_place_kind kind;
  int32_t tensor;   /* graph tensor, -1 scratch or packed constant */
  int64_t offset;   /* bytes into the arena; or index into plan->constants */
  int32_t row;      /* tensor row that lies at `offset`: 0 where the whole tensor is there */
  int32_t row_step; /* inside a LOOP: how many rows the slab moves on per iteration */
} mn_place;

/* A packed constant: what ends up in flash, ready for its kernel. Bare graphs: data NULL, size right. */
typedef struct mn_constant {
  const char *name; /* C identifier: "ds4_conv_weights" */
  mn_dtype dtype;   /* element type for printing */
  const void *data;
  size_t bytes;
  bool weights; /* counted as weights (else as constants) in prices */
} mn_constant;

typedef enum mn_step_kind { MN_STEP_CALL, MN_STEP_LOOP, MN_STEP_END } mn_step_kind;
#define MN_CALL_MAX_INPUTS 3
#define MN_CALL_MAX_CONSTANTS 4
typedef struct mn_plan_step {
  mn_step_kind kind;
  /* CALL: output rows [first_row, first_row + rows) of op; in iteration i of a LOOP first_row grows by
   * i * row_step (and each place's row by i * its row_step); rows past the last are cut off. */
  int32_t op, group;
  const struct mn_kernel_row
      *kernel;        /* NULL: nothing to call, y already lies where x lies (reshape) */
  const void *params; /* kernel->params describes it */
  mn_place x[MN_CALL_MAX_INPUTS], y, scratch;
  mn_place constant[MN_CALL_MAX_CONSTANTS];
  int64_t scratch_bytes;
  int32_t first_row, rows, row_step;
  /* LOOP: count iterations of the steps up to the matching END. */
  int32_t count;
} mn_plan_step;

/* The height that first_row and rows of a CALL count in and are cut off at: that of the op's output, or
 * of its input where the kernel takes that row by row and writes its output at the end. */
int32_t mn_plan_step_height(const mn_graph *graph, const mn_plan_step *step);
/* Bytes of one row of the step's output, all of it where it is written at the end. */
int64_t mn_plan_step_row_bytes(const mn_graph *graph, const mn_plan_step *step);

typedef enum mn_runtime { MN_RUNTIME_MICRONETS, MN_RUNTIME_TFLM } mn_runtime;

/* What the .tflite of a graph will say beside it: its bytes count in the price of TFLM. A threshold
 * is counted where there are labels. */
typedef struct mn_file_words {
  const char *const *labels;
  int32_t label_count;
  const char *description, *trained_on; /* may be NULL */
} mn_file_words;

/* Ops [first_op, first_op + op_count) of a schedule. rows 0: one op in one call. */
typedef struct mn_plan_group {
  int32_t first_op, op_count;
  int32_t rows, turns; /* of the last op per turn of the group's loop; its turns */
  int64_t slab_bytes;  /* of tensors that exist only as slabs of rows */
  int64_t arena_bytes; /* no arena that runs the group so is smaller */
} mn_plan_group;

/* What a plan holds in memory, in shares of tensors, so that other widths can be weighed: op i runs at time
 * i + 1, graph inputs are there at time 0. */
typedef struct mn_plan_block {
  int32_t op;          /* that makes it; -1: a graph input */
  mn_tensor_id tensor; /* -1: scratch */
  double share;        /* of the tensor's bytes: a slab holds a part; of scratch all bytes */
  int32_t first, last; /* times it is there at, both included */
  int32_t over[2];     /* blocks that die under it; -1 none. It begins at least */
  double y_share[2], x_share[2]; /* y_share of its tensor's bytes less x_share of theirs below them */
} mn_plan_block;

typedef struct mn_plan_options {
  const char *kernels; /* NULL: the target's family; "host" for exec's fastest rows */
  bool keep_all; /* every tensor keeps its own place: for dumps and the watch hook's reference */
  bool no_in_place;
  bool min_sram;        /* least SRAM, at most 10 % above the fewest cycles where these are modelled */
  bool small;           /* least code */
  int64_t max_cycles;   /* least SRAM within this many modelled cycles; 0: no limit */
  /* Fewest modelled cycles within this many bytes of SRAM, all of mn_price's sram.total; 0: no limit. With
   * max_cycles: refused where these are more. */
  int64_t max_sram;
  const mn_frontend *frontend; /* that max_sram counts; NULL: none. mn_price_graph takes its own */
  const mn_detector *detector; /* whose anomaly score the firmware gives: its numbers; NULL: none */
  bool nearest; /* where max_sram cannot be kept: the schedule of least SRAM instead of an error */
  const mn_plan_group *groups; /* run so, instead of a choice: first_op, op_count, rows; NULL: choose */
  int32_t group_count;
  int64_t node_limit;         /* of the layout search; 0: default */
  const mn_file_words *words; /* NULL: a file without labels */
} mn_plan_options;

typedef struct mn_plan {
  const mn_graph *graph;
  const mn_target *target; /* may be NULL on the host */
  const mn_plan_step *steps;
  const mn_constant *constants;
  const mn_plan_group *groups; /* [group_count], in order */
  const mn_plan_block *blocks; /* [block_count] */
  const int64_t *tensor_offset; /* [tensor_count] arena offset, -1 where it is never materialised */
  int32_t step_count, constant_count;
  int64_t arena_bytes;       /* activations, scratch and state */
  int64_t lower_bound_bytes; /* no layout of this schedule is smaller; equal where proved optimal */
  int64_t schedule_bound_bytes; /* no schedule within the limits of the options has a smaller arena */
  double schedule_bound_cycles; /* none needs fewer; -1: not modelled for every op */
  int32_t arena_align;
  int32_t group_count, block_count;
} mn_plan;

/* Errors: MN_ERR_UNSUPPORTED where an op has no kernel; MN_ERR_BUDGET where max_cycles or max_sram
 * cannot be kept, naming the fastest and the least. */
mn_status mn_plan_make(const mn_plan **plan, mn_arena *arena, const mn_graph *graph,
                       const mn_target *target, const mn_plan_options *options,
                       mn_error *error) MN_MUST_CHECK;

/* A compiled model's memory: the plan's arena, then what the front end needs besides. Emit places it
 * so, price charges it: sram.features = features_bytes (and the detector's vector), arena + features = total_bytes. */
typedef struct mn_frontend_memory {
  int64_t state_offset;   /* from the arena's start; kept from run to run */
  int64_t scratch_offset; /* over the arena, clear of the input tensor; only inside a feed */
  int64_t features_bytes; /* 0: no audio front end */
  int64_t total_bytes;
} mn_frontend_memory;
mn_frontend_memory mn_plan_frontend_memory(const mn_plan *plan, const mn_frontend *frontend);

/* Modelled cycles of one op under this plan (cycles table of room target); -1 unknown. */
double mn_plan_op_cycles(const mn_plan *plan, int32_t op, const mn_target *target);
/* The same under TFLM with CMSIS-NN. */
double mn_tflm_op_cycles(const mn_graph *graph, int32_t op, const mn_target *target);

/* ---- Clean-up ----------------------------------------------------------------------------
 * A frozen graph without what its outputs do not need: the same outputs, bit for bit, from fewer
 * operations. X(name, what it removes): */
#define MN_PASS_LIST(X)                                                                        \
  X(dead_channels, "channels that always hold one value, or that nothing reads")               \
  X(pads, "PAD ops that the next layer's own padding does")                                    \
  X(no_ops, "RESHAPE, QUANTIZE, PAD and pools that change nothing")                            \
  X(dead_ops, "ops whose output nothing reads")                                                \
  X(duplicate_constants, "constants that another one equals")
typedef enum mn_pass {
#define X(name, what) MN_PASS_##name,
  MN_PASS_LIST(X)
#undef X
  MN_PASS_COUNT
} mn_pass;

typedef struct mn_clean {
  const mn_graph *graph; /* ops keep their order and `origin`; in the caller's arena */
  int64_t removed[MN_PASS_COUNT];
  /* [op_count] of `graph`: which channels (last axis) of the source's tensor an op's output still
   * has, in order; NULL: all of them */
  const int32_t *const *channels;
  const int32_t *source; /* [op_count]: the source's op that it was */
} mn_clean;
/* Runs all passes until none finds anything. Errors: MN_ERR_UNSUPPORTED where an op has no kernel. */
mn_status mn_clean_graph(mn_clean *clean, mn_arena *arena, const mn_graph *graph,
                         mn_error *error) MN_MUST_CHECK;

/* ---- Price -------------------------------------------------------------------------------
 * Bytes and ops are exact for our runtime; code and stack come from the measured tables; cycles,
 * ms and mJ are modelled (-1: unknown). */
typedef struct mn_price {
  mn_runtime runtime;
  int64_t max_sram; /* of the options that chose the schedule */
  int64_t macs, ops, params;
  struct {
    int64_t weights, constants, code, total;
  } flash;
  struct {
    int64_t arena, features, data, stack, total, lower_bound;
  } sram;
  struct {
    int64_t arena, head, tail, model_bytes;
  } tflm;                                           /* filled for both runtimes */
  double cycles_modelled, ms_modelled, mj_modelled; /* -1 unknown */
} mn_price;

/* `frontend` may be NULL (none). Works on bare and frozen graphs; scratch memory from `arena` is
 * released again. Under MN_RUNTIME_TFLM, flash.total and sram.total are TFLM's. */
mn_status mn_price_graph(mn_price *price, mn_arena *arena, const mn_graph *graph,
                         const mn_frontend *frontend, const mn_target *target, mn_runtime runtime,
                         const mn_plan_options *options, mn_error *error) MN_MUST_CHECK;

/* TFLM's memory: greedy-by-size head to the byte; tail 8 B per output channel + per-op structs. */
typedef struct mn_tflm_memory {
  int64_t head, tail, arena;
} mn_tflm_memory;
mn_status mn_tflm_memory_of(mn_tflm_memory *memory, mn_arena *arena, const mn_graph *graph,
                            mn_error *error) MN_MUST_CHECK;

/* ---- The differentiable SRAM term of search ----------------------------------------------------
 * One term for each time of a schedule, the bytes that are held then, for expected bytes of tensors; they join
 * in a norm of power `sharpness`; INFINITY: their maximum, in whole aligned blocks, which at the sizes of the
 * plan is the lower bound of its layout. NAN: out of memory. */
typedef struct mn_memory {
  const mn_plan_block *blocks; /* a plan's; op and tensor may be those of another graph, as below */
  int32_t block_count;
  const int32_t *op; /* [op_count]: op[i] runs at time i + 1, an index into op_exists; -1: of no weight */
  int32_t op_count;
} mn_memory;
/* `op_exists` in [0, 1]: how much of an op's term, and of what it makes, counts. dbytes[tensor_count] is
 * overwritten with the gradient. */
double mn_plan_expected_sram(double *dbytes, const mn_memory *memory, const double *tensor_bytes,
                             int32_t tensor_count, const double *op_exists, double sharpness);
/* The paper's: for each op its inputs and its output. */
double mn_paper_expected_sram(double *dbytes, const mn_graph *graph, const double *tensor_bytes,
                              const double *op_exists, double sharpness);

/* Whether a target can name this family of kernels: mve, dsp, m0, plain, ref. */
bool mn_kernel_family_known(const char *family);

#endif
