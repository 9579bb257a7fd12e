/* kernel_table.h - one row per kernel: what it can run, what it needs, how its constants are packed,
 * and the C function with the source files that hold it. Plan chooses rows, exec calls their bodies,
 * emit prints their parameters and copies their files.
 *
 * A new kernel is a new file in src/kernels and a new row in rows_<family>.c.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_PLAN_KERNEL_TABLE_H
#define MN_PLAN_KERNEL_TABLE_H

#include "kernels/kernel.h"
#include "micronets/plan.h"

/* Reflection of a parameter struct: it is `field_count` int32_t in this order, nothing else, so that
 * ((const int32_t *)params)[i] is field name[i]. */
typedef struct mn_params_info {
  const char *type;   /* "mn_conv_2d" */
  const char *header; /* "conv_2d.h", in src/kernels */
  size_t size;
  const char *const *name;
  int32_t field_count;
} mn_params_info;

/* What one op hands to one kernel: filled by the row's `arguments`, the only walker from op to kernel. */
typedef struct mn_kernel_arguments {
  void *params;                                /* of params_info.size bytes */
  mn_tensor_id x[MN_CALL_MAX_INPUTS];          /* activation inputs; -1 none */
  mn_constant constant[MN_CALL_MAX_CONSTANTS]; /* bytes 0: absent; data NULL on a bare graph */
  int32_t constants;
  int64_t scratch_bytes;
} mn_kernel_arguments;

/* Whether an output may be written over an input that nothing reads afterwards. */
typedef enum mn_overlap {
  MN_OVERLAP_NONE,    /* x and y are disjoint */
  MN_OVERLAP_ELEMENT, /* y may lie exactly over x, or begin before it */
  MN_OVERLAP_ALIAS,   /* y is x: nothing to call where both lie in one place (reshape) */
  /* A 1x1 kernel of stride 1 that reads all channels of a small group of pixels into scratch before it
   * writes those pixels' outputs, pixels ascending: y may begin max(0, bytes of y - bytes of x) or
   * more below x. */
  MN_OVERLAP_PIXEL,
  /* A depthwise kernel of stride 1 and equal shapes that gathers a channel's rows into scratch before
   * it writes them, channel by channel: y may lie exactly over x. */
  MN_OVERLAP_PLANE
} mn_overlap;

typedef struct mn_kernel_row {
  mn_op_kind op;
  const char *family; /* "ref": runs everywhere; "plain": fast portable C; "m0": the
                         same for Cortex-M0; "dsp", "mve": Arm
                         extensions; "host": this machine's vector units */
  const char *unit;   /* "avx512", "avx2": asked for by this name too; NULL none */
  const char *symbol; /* "mn_conv_2d_s8_ref" */
  const char *const
      *sources; /* files of src/kernels the symbol needs (with headers), NULL-terminated */
  const mn_params_info *params;
  /* NULL where this op of this graph (and this machine) suits the kernel, else the reason. */
  const char *(*refuses)(const mn_graph *graph, const mn_op *op);
  mn_status (*arguments)(mn_kernel_arguments *arguments, mn_arena *arena, const mn_graph *graph,
                         const mn_op *op, mn_error *error);
  mn_overlap overlap;
  bool
      by_input_rows; /* called with rows of its input, see kernels/pool_sum.h; only inside of loops */
  mn_kernel_body *body; /* NULL where it cannot run on this machine */
} mn_kernel_row;

/* The first row of `family` (or of that unit) that suits the op, else of the families behind it: dsp,
 * mve and m0, then plain, then ref; host, then ref. NULL: `reason` says why. */
const mn_kernel_row *mn_kernel_find(const mn_graph *graph, const mn_op *op, const char *family,
                                    const char **reason);
/* All rows, for tests and for the code-size table: NULL past the last one. */
const mn_kernel_row *mn_kernel_row_at(int32_t index);
/* True where `family` is `other` or falls back to it. */
bool mn_kernel_family_reaches(const char *family, const char *other);

/* The kernel that does what `row` does with the same parameters and constants, in less scratch and more
 * cycles: the row behind it, where that refuses the same ops and so is never found first. NULL: none. */
const mn_kernel_row *mn_kernel_thrifty(const mn_kernel_row *row);
/* Moves the halo rows of a slab up between two turns of a loop: no op's kernel, x[0] above y. */
const mn_kernel_row *mn_kernel_move(void);
/* The kernel that takes the rows of op's input as they come and writes its one output row at the end;
 * NULL: there is none. */
const mn_kernel_row *mn_kernel_by_input_rows(const mn_graph *graph, const mn_op *op);
/* Modelled cycles of `op` by this kernel, done in `calls` calls, on the target's board: its core's
 * row of the cycle table times the board's factor. -1: unknown kernel or core. */
double mn_kernel_cycles(const mn_kernel_row *row, const mn_graph *graph, const mn_op *op,
                        const mn_target *target, int32_t calls);

#endif
