/* internal.h - what the files of one variant share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TRAIN_INT16_INTERNAL_H
#define MN_TRAIN_INT16_INTERNAL_H

#include "train/half.h"
#include "train/lanes/vector.h"

void MN_LANE(int16_gemm)(const mn_gemm *g);
float MN_LANE(int16_pack)(uint32_t *to, const float *from, int32_t k, int32_t n, int32_t n_valid,
                          ptrdiff_t k_step, ptrdiff_t n_step, float most);
float MN_LANE(int16_read)(uint16_t *y, const float *z, const mn_view *view, const mn_walk *walk,
                          float most);
float MN_LANE(int16_unnormalize)(uint16_t *dz, const float *g, const float *z,
                                 const mn_unnormalize *k, int64_t rows, int32_t channels,
                                 float most);

extern const mn_half MN_LANE(int16_table);

#endif
