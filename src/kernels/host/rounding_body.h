/* rounding_body.h - from int32 sums to int8, exactly as kernels/requantize.h, mostly in float. Included
 * after a simd_*.h.
 *
 * For a sum s, a multiplier m and a right shift r > 0 the definition is, exactly,
 *   floor(s m / 2^(31+r) + 1/2 + d), d = 2^-(r+1) for s >= 0 and -2^-(r+1) else,
 * since floors nest. In float s * factor + d is off by less than 2^-14 wherever the clamp does not hide
 * it, so only values that close to a tie need the definition itself; one in thousands does. Channels
 * without a right shift have factor 0 and nudge 1/2: they always take the definition.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_KERNELS_ROUNDING_BODY_H
#define MN_KERNELS_ROUNDING_BODY_H

#define SURE (0.5f - 1.0f / 12000) /* distance from a whole number that rounds the same in both */

/* What follows the sums of an op, by position in the packed order of channels (host.h). */
typedef struct channels {
  const int32_t *multiplier, *shift;
  const float *factor, *nudge;
  limits range;
} channels;

static channels channels_of(const mn_kernel_io *io, int32_t count, int32_t zero_point, int32_t low,
                            int32_t high) {
  const float *factor = io->constant[3];
  return (channels){.multiplier = io->constant[2],
                    .shift = (const int32_t *)io->constant[2] + count,
                    .factor = factor,
                    .nudge = factor + count,
                    .range = limits_of(zero_point, low, high)};
}

static __attribute__((noinline)) void by_definition(vec *q, const vec *acc, const channels *c,
                                                    const int32_t *at, int32_t count) {
  for (int32_t v = 0; v < count; v++) {
    scaling s = scaling_of(load(c->multiplier + at[v]), load(c->shift + at[v]));
    q[v] = requantize(acc[v], &s);
  }
}

/* Up to 4 vectors of sums, of the channels at[v] and following, as bytes in the order of pack(). */
static inline __attribute__((always_inline)) vec quantize(const vec *acc, const channels *c,
                                                          const int32_t *at, const int32_t count) {
  vec q[4] = {splat(0), splat(0), splat(0), splat(0)};
  real worst = real_splat(0);
#pragma GCC unroll 4
  for (int32_t v = 0; v < count; v++) {
    real nudge = with_sign(real_load(c->nudge + at[v]), acc[v]);
    real y = multiply_add(to_real(acc[v]), real_load(c->factor + at[v]), nudge);
    worst = farther(worst, y);
    q[v] = to_whole(y);
  }
  if (__builtin_expect(any_above(worst, SURE), 0)) {
    vec sums[4], exact[4]; /* copies: on the common path the registers need no address */
    for (int32_t v = 0; v < count; v++) sums[v] = acc[v];
    by_definition(exact, sums, c, at, count);
    for (int32_t v = 0; v < count; v++) q[v] = exact[v];
  }
  return pack(q, c->range);
}

#endif
