/* rows.h - what the files that hold rows of the kernel table share: one file, rows_<family>.c, and one
 * mn_rows per kernel family; kernel_table.c joins them. Within a family the first row that suits wins.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_PLAN_ROWS_H
#define MN_PLAN_ROWS_H

#include "plan/arguments.h"

typedef struct mn_rows {
  const mn_kernel_row *row;
  int32_t count;
} mn_rows;
extern const mn_rows mn_rows_ref, mn_rows_host, mn_rows_plain, mn_rows_m0, mn_rows_dsp, mn_rows_mve;

extern const mn_params_info mn_params_conv_2d, mn_params_depthwise_conv_2d;
extern const mn_params_info mn_params_depthwise_3x3_mve;
extern const mn_params_info mn_params_fully_connected, mn_params_pool_2d, mn_params_add;
extern const mn_params_info mn_params_add_linear, mn_params_pad, mn_params_copy, mn_params_softmax,
    mn_params_mean;
extern const mn_params_info mn_params_rescale, mn_params_rescale_any, mn_params_svdf;
extern const mn_params_info mn_params_move;

/* A row of a family whose code is emitted: kind and overlap without their prefixes, the parameter
 * struct without "mn_", the body, its two walkers, and every source file it needs. */
#define MN_ROW(kind, name, type, function, refuse, walk, over, ...)                      \
  {                                                                                      \
    .op = MN_OP_##kind, .family = name, .symbol = #function,                             \
    .sources = (const char *const[]){__VA_ARGS__, NULL}, .params = &mn_params_##type,    \
    .refuses = refuse, .arguments = walk, .overlap = MN_OVERLAP_##over, .body = function \
  }

#endif
