/* lanes.h - the table of vector kernels that the training units are made of. One source
 * (src/train/lanes/), compiled per instruction set with 4, 8 or 16 floats a vector.
 *
 * Rows are pixels: [rows][channels], channels padded to a multiple of the lanes, with a stride in
 * floats from row to row. Only raw outputs z are stored; a view says how their readers see them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TRAIN_LANES_H
#define MN_TRAIN_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How stored numbers lie in memory; pointers to what may be either are void, and strides count elements. Rounded
 * to nearest, ties to even. A compact value has raw outputs z in half floats and gradients g in bf16. */
typedef enum mn_form {
  MN_FORM_FLOAT,
  MN_FORM_HALF, /* IEEE 754 binary16: 11 bits of precision; above 65,519 infinite */
  MN_FORM_BF16  /* the upper half of a float: 8 bits, and its range */
} mn_form;
static inline mn_form mn_form_of_z(bool compact) {
  return compact ? MN_FORM_HALF : MN_FORM_FLOAT;
}
static inline mn_form mn_form_of_g(bool compact) {
  return compact ? MN_FORM_BF16 : MN_FORM_FLOAT;
}
static inline ptrdiff_t mn_form_bytes(mn_form form) {
  return form == MN_FORM_FLOAT ? sizeof(float) : sizeof(uint16_t);
}

/* y = round(clamp(scale * z + shift, low, high) / step) * step: batch norm, bias, activation, mask
 * and fake quantization at once. */
typedef struct mn_view {
  const float *scale, *shift, *low, *high; /* [channels]; scale NULL: as stored */
  float step, inverse;                     /* grid of fake quantization; 0: no rounding */
  bool compact;                            /* the value is */
} mn_view;

/* Turns dL/dy into g = dL/du, u = what the activation reads, and gathers the sums that batch norm,
 * bias, mask and range need for their own gradients. */
typedef struct mn_finish {
  mn_view view;
  /* A masked output keeps the parts of its view apart: y = round(clamp(mask * clamp(u))). */
  const float *mask, *raw_scale, *raw_shift, *raw_low, *raw_high; /* mask NULL: none */
  double *sum, *dot;                                              /* += g, g * z */
  double *open;                                                   /* += dL/dmask; where masked */
  double *error, *above, *below; /* += dL/dy times rounding error; dL/dy over high, under low */
} mn_finish;

/* C[m][n] (+)= sum over k of a[i * a_row + k * a_column] * b[k][n]; n a multiple of the lanes. Elements of
 * A and B are floats, or pairs of 16 bits (half.h); all strides count elements. */
typedef struct mn_gemm {
  int32_t m, n, k;
  const void *a;
  ptrdiff_t a_row, a_column;
  const void *b;
  ptrdiff_t b_row; /* 0: b is packed by `pack` */
  void *c;
  ptrdiff_t c_row;
  mn_form form;        /* of C */
  bool accumulate;     /* to what is there */
  float scale;         /* what 1 stands for in sums of 16-bit integers */
  float *sum, *square; /* [n] += column sums of the new C; NULL: none */
} mn_gemm;

/* Geometry of a depthwise pass over one padded plane [height][width][stride]. */
typedef struct mn_plane {
  int32_t channels, stride; /* of the plane's pixels */
  int32_t width;            /* padded */
  int32_t out_h, out_w, kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  ptrdiff_t weight_row, weight_tap; /* floats from row to row of the kernel, from tap to tap */
  mn_form form;                     /* of z */
  bool accumulate;                  /* z grows by it */
} mn_plane;

typedef struct mn_update {
  float *value, *first, *second; /* parameter and its moments */
  const float *gradient;         /* shard 0 */
  ptrdiff_t shard_stride;
  int32_t shards;
  float rate, decay;                               /* value *= 1 - decay first */
  float beta1, beta2, correct1, correct2, epsilon; /* AdamW; SGD: beta1 is the momentum */
} mn_update;

/* A walk over `lines` lines of `rows` rows; strides in floats, from and to. */
typedef struct mn_walk {
  int64_t rows;
  int32_t lines, channels;
  ptrdiff_t from_row, from_line, to_row, to_line;
} mn_walk;

/* Batch norm's backward pass: dz = on_g * g + on_z * z + constant. */
typedef struct mn_unnormalize {
  const float *on_g, *on_z, *constant; /* [channels] */
  bool compact;                        /* the value is */
} mn_unnormalize;

typedef struct mn_lanes {
  const char *name;
  int32_t lanes;
  void (*gemm)(const mn_gemm *g);
  void (*pack)(float *to, const float *from, int32_t k, int32_t n, int32_t n_valid,
               ptrdiff_t k_step, ptrdiff_t n_step);
  void (*read)(float *y, const void *z, const mn_view *view, const mn_walk *walk);
  void (*row_sums)(double *sum, double *square, const float *z, int64_t rows, int32_t channels);
  void (*finish)(void *g, const void *z, const mn_finish *finish, int64_t rows, int32_t channels);
  void (*unnormalize)(float *dz, const void *g, const void *z, const mn_unnormalize *k,
                      const mn_walk *walk);
  /* z[y * z_line + x * z_pixel] = plane * weights; sum and square [channels] grow by it; NULL: none. A
   * kernel without taps makes zeros. */
  void (*depthwise)(void *z, ptrdiff_t z_pixel, ptrdiff_t z_line, const float *plane,
                    const float *weights, const mn_plane *p, float *sum, float *square);
  /* gradient[tap] += sum over out pixels of dz * plane; dz[y * dz_line + x * dz_pixel]. */
  void (*depthwise_weights)(float *gradient, const float *plane, const float *dz, ptrdiff_t dz_line,
                            ptrdiff_t dz_pixel, const mn_plane *p);
  /* Rows 2r and 2r + 1 of [rows][columns] into row r of pairs; behind an odd last row, zeros. columns: any. */
  void (*weave)(uint32_t *to, const uint16_t *from, int32_t rows, int32_t columns);
  void (*combine)(void *y, mn_form form, const float *a, float ka, const float *b, float kb,
                  int64_t count);
  void (*scale)(void *y, mn_form form, const float *x, float k, bool accumulate, int64_t count);
  void (*widen)(float *y, const void *x, mn_form form, int64_t count);
  double (*dot)(const float *a, const float *b, int64_t count);
  void (*adamw)(const mn_update *u, int64_t first, int64_t count);
  void (*sgd)(const mn_update *u, int64_t first, int64_t count);
  void (*reduce)(float *y, const mn_update *u, int64_t first, int64_t count);
} mn_lanes;

/* The best table this processor runs, or the one named ("avx512", "avx2", "portable"); NULL if it
 * does not exist or cannot run here. */
const mn_lanes *mn_lanes_get(const char *isa);

/* Whether kernels may use the tiles of AMX (bytes and bf16): the processor has them, and the operating system,
 * which is asked for them here, gives them to this process. */
bool mn_amx_get(void);

#endif
