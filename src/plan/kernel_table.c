/* kernel_table.c - the rows. See kernel_table.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "plan/kernel_table.h"

#include <string.h>

#include "kernels/add.h"
#include "kernels/conv_2d.h"
#include "kernels/copy.h"
#include "kernels/depthwise_conv_2d.h"
#include "kernels/fully_connected.h"
#include "kernels/mean.h"
#include "kernels/pad.h"
#include "kernels/pool_2d.h"
#include "kernels/rescale.h"
#include "kernels/softmax.h"
#include "plan/arguments_host.h"

/* ---- Parameter structs: one reflection table per type, from its own field list ---------------*/
/* clang-format off */
#define PARAMS(X)                                                                        \
  X(conv_2d, "conv_2d.h", MN_CONV_2D_FIELDS)                                             \
  X(depthwise_conv_2d, "depthwise_conv_2d.h", MN_DEPTHWISE_CONV_2D_FIELDS)               \
  X(fully_connected, "fully_connected.h", MN_FULLY_CONNECTED_FIELDS)                     \
  X(pool_2d, "pool_2d.h", MN_POOL_2D_FIELDS)                                             \
  X(add, "add.h", MN_ADD_FIELDS)                                                         \
  X(pad, "pad.h", MN_PAD_FIELDS)                                                         \
  X(copy, "copy.h", MN_COPY_FIELDS)                                                      \
  X(softmax, "softmax.h", MN_SOFTMAX_FIELDS)                                             \
  X(mean, "mean.h", MN_MEAN_FIELDS)                                                      \
  X(rescale, "rescale.h", MN_RESCALE_FIELDS)
/* clang-format on */

/* Every field is an int32_t, so the offset is the index times four: checked below. */
#define NAME(name) #name,
#define TABLE(type, header, FIELDS)                         \
  static const char *const type##_names[] = {FIELDS(NAME)}; \
  _Static_assert(sizeof(mn_##type) == MN_COUNT(type##_names) * sizeof(int32_t), #type);
PARAMS(TABLE)

#define INFO(type, header, FIELDS)                                                     \
  static const mn_params_info type##_params = {"mn_" #type, header, sizeof(mn_##type), \
                                               type##_names, (int32_t)MN_COUNT(type##_names)};
PARAMS(INFO)

/* ---- Rows ----------------------------------------------------------------------------------*/
#define SOURCES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define REF(kind, type, function, walker, over, ...)                                           \
  {                                                                                            \
    .op = MN_OP_##kind, .family = "ref", .symbol = #function, .sources = SOURCES(__VA_ARGS__), \
    .params = &type##_params, .refuses = mn_refuses_##walker, .arguments = mn_walk_##walker,   \
    .overlap = MN_OVERLAP_##over, .body = function                                             \
  }

/* Rows of the host's vector units: fastest first; a machine without the unit refuses them. */
#define HOST_WALK(isa, walker, lanes, group)                                                  \
  static const char *refuses_##walker##_##isa(const mn_graph *graph, const mn_op *op) {       \
    return mn_host_has_##isa() ? mn_host_refuses_##walker(graph, op) : "no " #isa;            \
  }                                                                                           \
  static mn_status walk_##walker##_##isa(mn_kernel_arguments *arguments, mn_arena *arena,     \
                                         const mn_graph *graph, const mn_op *op,              \
                                         mn_error *error) {                                   \
    return mn_host_walk_##walker(arguments, arena, graph, op, (mn_host_layout){lanes, group}, \
                                 error);                                                      \
  }
#define HOST_WALKS(isa, lanes, group)                                            \
  HOST_WALK(isa, conv_2d, lanes, group)                                          \
  HOST_WALK(isa, one_channel, lanes, group)                                      \
  HOST_WALK(isa, depthwise_conv_2d, lanes, group)                                \
  HOST_WALK(isa, fully_connected, lanes, group)                                  \
  static const char *refuses_add_##isa(const mn_graph *graph, const mn_op *op) { \
    return mn_host_has_##isa() ? mn_refuses_add(graph, op) : "no " #isa;         \
  }
#define HOST(kind, type, part, function, refuse, walk, over)                                  \
  {                                                                                           \
    .op = MN_OP_##kind, .family = "host", .unit = part, .symbol = #function,                  \
    .sources = SOURCES(NULL), .params = &type##_params, .refuses = refuse, .arguments = walk, \
    .overlap = MN_OVERLAP_##over, .body = function                                            \
  }
#define HOST_ROWS(isa)                                                                         \
  HOST(CONV_2D, conv_2d, #isa, mn_conv_2d_s8_##isa, refuses_conv_2d_##isa, walk_conv_2d_##isa, \
       NONE),                                                                                  \
      HOST(DEPTHWISE_CONV_2D, depthwise_conv_2d, #isa, mn_depthwise_conv_2d_s8_##isa,          \
           refuses_depthwise_conv_2d_##isa, walk_depthwise_conv_2d_##isa, NONE),               \
      HOST(DEPTHWISE_CONV_2D, conv_2d, #isa, mn_conv_2d_s8_##isa, refuses_one_channel_##isa,   \
           walk_one_channel_##isa, NONE),                                                      \
      HOST(FULLY_CONNECTED, fully_connected, #isa, mn_fully_connected_s8_##isa,                \
           refuses_fully_connected_##isa, walk_fully_connected_##isa, NONE),                   \
      HOST(ADD, add, #isa, mn_add_s8_##isa, refuses_add_##isa, mn_walk_add, ELEMENT)

#if defined(__x86_64__)
HOST_WALKS(avx512, 16, 4)
HOST_WALKS(avx2, 8, 2)
#define X86_ROWS HOST_ROWS(avx512), HOST_ROWS(avx2),
#else
#define X86_ROWS
#endif

static const mn_kernel_row rows[] = {
    X86_ROWS HOST(AVERAGE_POOL_2D, pool_2d, NULL, mn_average_pool_2d_s8_host, mn_refuses_pool_2d,
                  mn_walk_pool_2d, NONE),
    HOST(MAX_POOL_2D, pool_2d, NULL, mn_max_pool_2d_s8_host, mn_refuses_pool_2d, mn_walk_pool_2d,
         NONE),
    REF(CONV_2D, conv_2d, mn_conv_2d_s8_ref, conv_2d, NONE, "kernel.h", "requantize.h", "conv_2d.h",
        "conv_2d_ref.c"),
    REF(DEPTHWISE_CONV_2D, depthwise_conv_2d, mn_depthwise_conv_2d_s8_ref, depthwise_conv_2d, NONE,
        "kernel.h", "requantize.h", "depthwise_conv_2d.h", "depthwise_conv_2d_ref.c"),
    REF(FULLY_CONNECTED, fully_connected, mn_fully_connected_s8_ref, fully_connected, NONE,
        "kernel.h", "requantize.h", "fully_connected.h", "fully_connected_ref.c"),
    REF(AVERAGE_POOL_2D, pool_2d, mn_average_pool_2d_s8_ref, pool_2d, NONE, "kernel.h",
        "requantize.h", "pool_2d.h", "average_pool_2d_ref.c"),
    REF(MAX_POOL_2D, pool_2d, mn_max_pool_2d_s8_ref, pool_2d, NONE, "kernel.h", "requantize.h",
        "pool_2d.h", "max_pool_2d_ref.c"),
    REF(MEAN, mean, mn_mean_s8_ref, mean, NONE, "kernel.h", "requantize.h", "mean.h", "mean_ref.c"),
    REF(ADD, add, mn_add_s8_ref, add, ELEMENT, "kernel.h", "requantize.h", "add.h", "add_ref.c"),
    REF(PAD, pad, mn_pad_s8_ref, pad, NONE, "kernel.h", "pad.h", "pad_ref.c"),
    REF(RESHAPE, copy, mn_copy_ref, reshape, ALIAS, "kernel.h", "copy.h", "copy_ref.c"),
    REF(SOFTMAX, softmax, mn_softmax_s8_ref, softmax, ELEMENT, "kernel.h", "requantize.h",
        "softmax.h", "softmax_ref.c"),
    REF(QUANTIZE, rescale, mn_rescale_s8_ref, quantize, ELEMENT, "kernel.h", "requantize.h",
        "rescale.h", "rescale_ref.c"),
};

const mn_kernel_row *mn_kernel_rows(int32_t *count) {
  *count = (int32_t)MN_COUNT(rows);
  return rows;
}

static bool belongs(const mn_kernel_row *row, const char *family) {
  return strcmp(row->family, family) == 0 || (row->unit != NULL && strcmp(row->unit, family) == 0);
}

/* The first row of a family that suits the op; `reason` is that of the last one that did not. */
static const mn_kernel_row *find_in(const mn_graph *graph, const mn_op *op, const char *family,
                                    const char **reason) {
  for (size_t i = 0; i < MN_COUNT(rows); i++) {
    if (rows[i].op != op->kind || !belongs(&rows[i], family)) continue;
    *reason = rows[i].refuses(graph, op);
    if (*reason == NULL) return &rows[i];
  }
  return NULL;
}

const mn_kernel_row *mn_kernel_find(const mn_graph *graph, const mn_op *op, const char *family,
                                    const char **reason) {
  *reason = "no kernel for this op";
  const mn_kernel_row *row = find_in(graph, op, family, reason);
  return row != NULL ? row : find_in(graph, op, "ref", reason);
}
