/* rng.c - xoshiro256** (Blackman and Vigna) seeded by splitmix64.
 * SPDX-License-Identifier: Apache-2.0 */
#include "micronets/base.h"

#include <assert.h>
#include <math.h>

static uint64_t split_mix(uint64_t *state) {
  uint64_t z = *state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

mn_rng mn_rng_seed(uint64_t seed) {
  mn_rng rng;
  for (int i = 0; i < 4; i++) rng.state[i] = split_mix(&seed);
  return rng;
}

mn_rng mn_rng_stream(uint64_t seed, uint64_t a, uint64_t b) {
  uint64_t mixed = split_mix(&seed);
  mixed ^= a;
  mixed = split_mix(&mixed) ^ b;
  return mn_rng_seed(split_mix(&mixed));
}

static uint64_t rotate(uint64_t x, int bits) {
  return (x << bits) | (x >> (64 - bits));
}

uint64_t mn_rng_next(mn_rng *rng) {
  uint64_t *s = rng->state;
  uint64_t result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotate(s[3], 45);
  return result;
}

uint32_t mn_rng_below(mn_rng *rng, uint32_t bound) {
  assert(bound > 0);
  uint32_t reject = (0u - bound) % bound; /* 2^32 mod bound values would be drawn too often */
  for (;;) {
    uint32_t x = (uint32_t)(mn_rng_next(rng) >> 32);
    if (x >= reject) return x % bound;
  }
}

double mn_rng_uniform(mn_rng *rng) {
  return (double)(mn_rng_next(rng) >> 11) * 0x1p-53;
}

double mn_rng_range(mn_rng *rng, double low, double high) {
  return low + (high - low) * mn_rng_uniform(rng);
}

double mn_rng_normal(mn_rng *rng) {
  double u = 1.0 - mn_rng_uniform(rng), v = mn_rng_uniform(rng);
  return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

void mn_rng_shuffle(mn_rng *rng, int32_t *order, int32_t count) {
  for (int32_t i = count - 1; i > 0; i--) {
    int32_t j = (int32_t)mn_rng_below(rng, (uint32_t)i + 1);
    int32_t kept = order[i];
    order[i] = order[j];
    order[j] = kept;
  }
}
