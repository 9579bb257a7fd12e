/* lanes_internal.h - what the files of one variant share: vectors and each other's functions.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TRAIN_LANES_INTERNAL_H
#define MN_TRAIN_LANES_INTERNAL_H

#include "train/lanes/vector.h"

void MN_LANE(gemm)(const mn_gemm *g);
void MN_LANE(pack)(float *to, const float *from, int32_t k, int32_t n, int32_t n_valid,
                   ptrdiff_t k_step, ptrdiff_t n_step);
void MN_LANE(read)(float *y, const void *z, const mn_view *view, const mn_walk *walk);
void MN_LANE(row_sums)(double *sum, double *square, const float *z, int64_t rows, int32_t channels);
void MN_LANE(finish)(void *g, const void *z, const mn_finish *finish, int64_t rows,
                     int32_t channels);
void MN_LANE(unnormalize)(float *dz, const void *g, const void *z, const mn_unnormalize *k,
                          const mn_walk *walk);
void MN_LANE(depthwise)(void *z, ptrdiff_t z_pixel, ptrdiff_t z_line, const float *plane,
                        const float *weights, const mn_plane *p, float *sum, float *square);
void MN_LANE(depthwise_weights)(float *gradient, const float *plane, const float *dz,
                                ptrdiff_t dz_line, ptrdiff_t dz_pixel, const mn_plane *p);
void MN_LANE(weave)(uint32_t *to, const uint16_t *from, int32_t rows, int32_t columns);
void MN_LANE(combine)(void *y, mn_form form, const float *a, float ka, const float *b, float kb,
                      int64_t count);
void MN_LANE(scale)(void *y, mn_form form, const float *x, float k, bool accumulate, int64_t count);
void MN_LANE(widen)(float *y, const void *x, mn_form form, int64_t count);
double MN_LANE(dot)(const float *a, const float *b, int64_t count);
void MN_LANE(adamw)(const mn_update *u, int64_t first, int64_t count);
void MN_LANE(sgd)(const mn_update *u, int64_t first, int64_t count);
void MN_LANE(reduce)(float *y, const mn_update *u, int64_t first, int64_t count);

extern const mn_lanes MN_LANE(table);

#endif
