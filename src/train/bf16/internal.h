/* internal.h - what the files of one variant share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TRAIN_BF16_INTERNAL_H
#define MN_TRAIN_BF16_INTERNAL_H

#include "train/bf16/vector.h"

void MN_LANE(bf16_gemm)(const mn_gemm *g);
void MN_LANE(bf16_pack)(uint32_t *to, const float *from, int32_t k, int32_t n, int32_t n_valid,
                        ptrdiff_t k_step, ptrdiff_t n_step);
void MN_LANE(bf16_read)(uint16_t *y, const float *z, const mn_view *view, const mn_walk *walk);
void MN_LANE(bf16_unnormalize)(uint16_t *dz, const float *g, const float *z,
                               const mn_unnormalize *k, int64_t rows, int32_t channels);
void MN_LANE(bf16_weave)(uint32_t *to, const uint16_t *from, int32_t rows, int32_t columns);

extern const mn_bf16 MN_LANE(bf16_table);

#endif
