/* conv_narrow_body.h - convolution to at most 16 channels, where the product of conv_body.h would load as
 * often as it multiplies: a vector holds 4 channels of 4 positions, a 128-bit lane each, so that one
 * shuffle of the input serves 4 positions. AVX-512 only. Included after rounding_body.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_CONV_NARROW_BODY_H
#define MN_KERNELS_CONV_NARROW_BODY_H

#include "kernels/host/plane_body.h"

#define MOST_QUADS 8

typedef struct narrow {
  int32_t kernel_h, groups; /* groups: of one kernel row */
  int64_t kernel_row;       /* plane elements from one kernel row to the next */
  const weight_value *weights;
  const int32_t *bias;
  channels channels;
} narrow;

/* 16 bytes of each of 4 positions, which follow each other where `whole`. */
static inline __attribute__((always_inline)) vec load_quad(const plane_value *const *x,
                                                           int64_t from, const int whole) {
  if (whole) return load(x[0] + from);
  vec quad = splat(0);
#pragma GCC unroll 4
  for (int32_t m = 0; m < 4; m++) {
    __m128i part = _mm_loadu_si128((const __m128i *)(const void *)(x[m] + from));
    quad = _mm512_mask_broadcast_i32x4(quad, (__mmask16)(0xf << 4 * m), part);
  }
  return quad;
}

/* Sums of `quads` of positions by `sets` of 4 channels; both are constants at every call. */
static inline __attribute__((always_inline)) void narrow_sums(vec *sums, const narrow *p,
                                                              const plane_value *const *x,
                                                              const int32_t quads,
                                                              const int32_t sets, const int whole) {
  vec acc[MOST_QUADS][4];
  const weight_value *w = p->weights;
#pragma GCC unroll 8
  for (int32_t q = 0; q < quads; q++)
#pragma GCC unroll 4
    for (int32_t s = 0; s < sets; s++) acc[q][s] = load(p->bias + s * LANES);

  for (int32_t i = 0; i < p->kernel_h; i++)
    for (int32_t first = 0; first < p->groups; first += 4) {
      vec in[MOST_QUADS], group = splat(0x03020100); /* group: one of every lane's four */
#pragma GCC unroll 8
      for (int32_t q = 0; q < quads; q++)
        in[q] = load_quad(x + 4 * q, i * p->kernel_row + first * GROUP, whole);
      int32_t count = p->groups - first < 4 ? p->groups - first : 4;
#pragma GCC unroll 1
      for (int32_t g = 0; g < count; g++, w += sets * LANES * GROUP) {
        vec weights[4];
#pragma GCC unroll 4
        for (int32_t s = 0; s < sets; s++) weights[s] = load(w + s * LANES * GROUP);
#pragma GCC unroll 8
        for (int32_t q = 0; q < quads; q++) {
          vec values = _mm512_shuffle_epi8(in[q], group);
#pragma GCC unroll 4
          for (int32_t s = 0; s < sets; s++) acc[q][s] = dot(acc[q][s], values, weights[s]);
        }
        group = add(group, splat(0x04040404));
      }
    }
#pragma GCC unroll 8
  for (int32_t q = 0; q < quads; q++)
#pragma GCC unroll 4
    for (int32_t s = 0; s < sets; s++) sums[q * sets + s] = acc[q][s];
}

static inline __attribute__((always_inline)) void multiply_narrow(const narrow *p, vec *packed,
                                                                  const plane_value *const *x,
                                                                  const int32_t quads,
                                                                  const int32_t sets,
                                                                  const int whole) {
  vec sums[MOST_QUADS * 4];
  const int32_t at[4] = {0, LANES, 2 * LANES, 3 * LANES};
  narrow_sums(sums, p, x, quads, sets, whole);
#pragma GCC unroll 1
  for (int32_t q = 0; q < quads; q++) packed[q] = quantize(sums + q * sets, &p->channels, at, sets);
}

static void multiply_sets(const narrow *p, vec *packed, const plane_value *const *x, int32_t sets,
                          int whole) {
  switch (sets) {
    case 1: multiply_narrow(p, packed, x, 8, 1, 0); break;
    case 2: multiply_narrow(p, packed, x, 8, 2, 0); break;
    case 3: multiply_narrow(p, packed, x, 4, 3, 0); break;
    default:
      if (whole)
        multiply_narrow(p, packed, x, 4, 4, 1);
      else
        multiply_narrow(p, packed, x, 4, 4, 0);
      break;
  }
}

/* Where dword i of the output of 4 positions lies in the packed bytes. */
static vec order_of(int32_t sets) {
  int32_t order[LANES] = {0};
  for (int32_t i = 0; i < 4 * sets; i++) order[i] = i / sets * 4 + i % sets;
  return load(order);
}

void HOST(mn_conv_2d_narrow_s8)(const void *params, const mn_kernel_io *io) {
  const mn_conv_2d *p = params;
  window w = window_of(p);
  plane from = make_plane(&w, io, p->input_zero_point);
  int32_t sets = p->output_c / 4, positions = io->rows * p->output_w;
  int32_t together = sets < 3 ? 32 : 16;
  narrow sums = {.kernel_h = p->kernel_h,
                 .groups = (p->kernel_w * p->input_c + GROUP - 1) / GROUP,
                 .kernel_row = from.row * p->dilation_h,
                 .weights = io->constant[0],
                 .bias = io->constant[1],
                 .channels = channels_of(io, sets * LANES, p->output_zero_point, p->output_min,
                                         p->output_max)};
  vec order = order_of(sets);
  int whole = p->stride_w * p->input_c == 16 && p->output_w % 4 == 0;
  int8_t *y = (int8_t *)io->y + (io->first_row - io->y_row) * p->output_w * p->output_c;
  walk at = walk_from(p, &from, positions);
  for (int32_t first = 0; first < positions; first += together) {
    const plane_value *x[4 * MOST_QUADS];
    vec packed[MOST_QUADS];
    next_positions(x, &at, together);
    multiply_sets(&sums, packed, x, sets, whole);
    for (int32_t q = 0; q < together && first + q < positions; q += 4) {
      int32_t left = positions - first - q < 4 ? positions - first - q : 4;
      store_bytes(y + (first + q) * p->output_c, _mm512_permutexvar_epi32(order, packed[q / 4]),
                  left * p->output_c);
    }
  }
}

#endif
