/* rows_host.c - kernels for the vector units of the machine that runs the command.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/add.h"
#include "kernels/conv_2d.h"
#include "kernels/depthwise_conv_2d.h"
#include "kernels/fully_connected.h"
#include "kernels/pool_2d.h"
#include "plan/arguments_host.h"
#include "plan/rows.h"

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
#define HOST(kind, type, part, function, refuse, walk, over)                                \
  {                                                                                         \
    .op = MN_OP_##kind, .family = "host", .unit = part, .symbol = #function,                \
    .sources = (const char *const[]){NULL}, .params = &mn_params_##type, .refuses = refuse, \
    .arguments = walk, .overlap = MN_OVERLAP_##over, .body = function                       \
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
HOST_WALK(avx512, conv_2d_narrow, 16, 4)
HOST_WALKS(avx2, 8, 2)
#define X86_ROWS                                                                               \
  HOST(CONV_2D, conv_2d, "avx512", mn_conv_2d_narrow_s8_avx512, refuses_conv_2d_narrow_avx512, \
       walk_conv_2d_narrow_avx512, NONE),                                                      \
      HOST_ROWS(avx512), HOST_ROWS(avx2),
#else
#define X86_ROWS
#endif

static const mn_kernel_row rows[] = {
    X86_ROWS HOST(AVERAGE_POOL_2D, pool_2d, NULL, mn_average_pool_2d_s8_host, mn_refuses_pool_2d,
                  mn_walk_pool_2d, NONE),
    HOST(MAX_POOL_2D, pool_2d, NULL, mn_max_pool_2d_s8_host, mn_refuses_pool_2d, mn_walk_pool_2d,
         NONE),
};

const mn_rows mn_rows_host = {rows, (int32_t)MN_COUNT(rows)};
