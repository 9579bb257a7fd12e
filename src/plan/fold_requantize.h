/* fold_requantize.h - requantization in two instructions, chosen and proved at compile time.
 *
 * TFLite's rule (multiply, round, shift, round, add the zero point, clamp to int8) is a rising staircase
 * of the sum s. A sum that is known to stay in [low, high] meets at most 256 steps of it, and
 *
 *   SSAT8((high word of ((s << up) + nudge) * multiplier + offset) >> MN_FOLDED_SHIFT)
 *
 * is a rising staircase too. Where both take every step at the same s they are the same function: that is
 * checked, step by step, and where no (nudge, offset) makes it so the fold is refused. In practice it
 * succeeds where the output's zero point is its minimum (ReLU, ReLU6), which makes the rounding of
 * negative sums, the only bend in TFLite's line, invisible.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_PLAN_FOLD_REQUANTIZE_H
#define MN_PLAN_FOLD_REQUANTIZE_H

#include <stdbool.h>
#include <stdint.h>

/* One channel as the file has it. */
typedef struct mn_requantization {
  int32_t multiplier, shift; /* as mn_requantize */
  int32_t zero_point, min, max;
  int64_t low, high; /* the sum, bias and input offset included, is in [low, high] */
} mn_requantization;

typedef struct mn_folded {
  int32_t up; /* weights and bias are shifted left by this many bits */
  int32_t nudge, multiplier, offset;
} mn_folded;

/* False where no fold with up <= most_up gives the same int8 for every sum. */
bool mn_requantize_fold(mn_folded *folded, const mn_requantization *channel, int32_t most_up);

#endif
