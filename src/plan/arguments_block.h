/* arguments_block.h - walkers of the kernels that work on blocks (families plain and m0): what the
 * reference walkers gave, with the input's zero point folded into the bias and weights in the order in
 * which the kernels read them. SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_PLAN_ARGUMENTS_BLOCK_H
#define MN_PLAN_ARGUMENTS_BLOCK_H

#include "plan/arguments.h"

/* What makes an op one of a kind that may be written over its input: a 1x1 convolution of stride 1, a
 * depthwise one of stride 1 and equal shapes. */
mn_refuses mn_refuses_pointwise, mn_refuses_depthwise_in_place;
/* A depthwise convolution of one input channel is an ordinary one. */
mn_refuses mn_refuses_one_channel;
/* What the families refuse besides: sums with the bias that may not lie below 2^30, 2^29 for m0. */
mn_refuses mn_plain_refuses_pointwise, mn_plain_refuses_conv_2d, mn_plain_refuses_one_channel;
mn_refuses mn_plain_refuses_depthwise_in_place, mn_plain_refuses_depthwise_conv_2d;
mn_refuses mn_plain_refuses_fully_connected;
mn_refuses mn_m0_refuses_pointwise, mn_m0_refuses_conv_2d, mn_m0_refuses_one_channel;
mn_refuses mn_m0_refuses_depthwise_in_place, mn_m0_refuses_depthwise_conv_2d;
mn_refuses mn_m0_refuses_fully_connected;

/* Suffix _pairs: weights [O / 2][terms][2], _rows: [O][terms]. */
mn_walk mn_block_walk_conv_2d_pairs, mn_block_walk_conv_2d_halves;
mn_walk mn_block_walk_one_channel_pairs, mn_block_walk_one_channel_halves;
mn_walk mn_block_walk_depthwise_conv_2d;
mn_walk mn_block_walk_fully_connected;

/* ---- Shared with arguments_mve.c ---------------------------------------------------------------*/
/* Weights of one op as a function of output channel and term. */
typedef struct mn_pack_source {
  const int8_t *weights; /* NULL on a bare graph */
  int32_t outputs, terms;
  int64_t channel_step, term_step;
  int32_t zero_point; /* of the weights */
  int32_t folded;     /* what the bias loses for each unit of the weights' sum */
} mn_pack_source;

/* Weights in groups of `rows` output channels, [terms][rows] each, the last one filled up with zeros; and
 * `biases` of them, folded. Both take the place of what the reference walker gave. */
mn_status mn_pack_rows(mn_kernel_arguments *arguments, mn_arena *arena, const mn_op *op,
                       const mn_pack_source *source, int32_t rows, int32_t biases, mn_error *error);

#endif
