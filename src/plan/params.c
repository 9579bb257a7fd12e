/* params.c - reflection of the parameter structs, one table per type from its own field list, so that
 * any of them can be printed as a C initialiser. A new struct is a new line here and in rows.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/add.h"
#include "kernels/add_linear.h"
#include "kernels/conv_2d.h"
#include "kernels/copy.h"
#include "kernels/depthwise_3x3_mve.h"
#include "kernels/depthwise_conv_2d.h"
#include "kernels/fully_connected.h"
#include "kernels/mean.h"
#include "kernels/move.h"
#include "kernels/pad.h"
#include "kernels/pool_2d.h"
#include "kernels/rescale.h"
#include "kernels/softmax.h"
#include "kernels/svdf.h"
#include "plan/rows.h"

/* clang-format off */
#define PARAMS(X)                                                                        \
  X(conv_2d, "conv_2d.h", MN_CONV_2D_FIELDS)                                             \
  X(depthwise_conv_2d, "depthwise_conv_2d.h", MN_DEPTHWISE_CONV_2D_FIELDS)               \
  X(depthwise_3x3_mve, "depthwise_3x3_mve.h", MN_DEPTHWISE_CONV_2D_FIELDS)               \
  X(fully_connected, "fully_connected.h", MN_FULLY_CONNECTED_FIELDS)                     \
  X(pool_2d, "pool_2d.h", MN_POOL_2D_FIELDS)                                             \
  X(add, "add.h", MN_ADD_FIELDS)                                                         \
  X(add_linear, "add_linear.h", MN_ADD_LINEAR_FIELDS)                                    \
  X(pad, "pad.h", MN_PAD_FIELDS)                                                         \
  X(copy, "copy.h", MN_COPY_FIELDS)                                                      \
  X(softmax, "softmax.h", MN_SOFTMAX_FIELDS)                                             \
  X(mean, "mean.h", MN_MEAN_FIELDS)                                                      \
  X(rescale, "rescale.h", MN_RESCALE_FIELDS)                                             \
  X(rescale_any, "rescale.h", MN_RESCALE_ANY_FIELDS)                                     \
  X(svdf, "svdf.h", MN_SVDF_FIELDS)                                                      \
  X(move, "move.h", MN_MOVE_FIELDS)
/* clang-format on */

/* Every field is an int32_t, so the offset is the index times four: checked below. */
#define NAME(name) #name,
#define TABLE(type, header, FIELDS)                         \
  static const char *const type##_names[] = {FIELDS(NAME)}; \
  _Static_assert(sizeof(mn_##type) == MN_COUNT(type##_names) * sizeof(int32_t), #type);
PARAMS(TABLE)

#define INFO(type, header, FIELDS)                                                               \
  const mn_params_info mn_params_##type = {"mn_" #type, header, sizeof(mn_##type), type##_names, \
                                           (int32_t)MN_COUNT(type##_names)};
PARAMS(INFO)
