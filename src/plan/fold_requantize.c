/* fold_requantize.c - see fold_requantize.h.
 *
 * With P = ((s << up) + nudge) * multiplier + offset * 2^32 the folded value is floor(P / 2^(32 + shift)).
 * So step v at sum t (the smallest s whose output is at least v) asks of
 * C = nudge * multiplier + offset * 2^32 two things: P(t) >= v * 2^(32 + shift) > P(t - 1). All steps
 * leave an interval of C; any (nudge, offset) that hits it will do.
 * SPDX-License-Identifier: Apache-2.0 */
#include "plan/fold_requantize.h"

#include "kernels/depthwise_3x3.h"
#include "kernels/requantize.h"

#define MOST_NUDGE 20000
#define MOST_SHIFT 23 /* so that products of step_at fit an int64 */

typedef struct interval {
  int64_t low, high;
} interval;

/* Of one sum, by the definition. */
static int32_t output_of(const mn_requantization *r, int64_t s) {
  int32_t q = mn_requantize((int32_t)s, r->multiplier, r->shift) + r->zero_point;
  return mn_clamp(q, r->min, r->max);
}

/* The smallest sum in (low, high] whose output is at least v; output(low) < v <= output(high). */
static int64_t step_at(const mn_requantization *r, int32_t v) {
  int64_t low = r->low, high = r->high; /* output(low) < v <= output(high) */
  int64_t half = (int64_t)1 << (30 - r->shift);
  int64_t guess = ((v - r->zero_point) * 2 * half - half) / r->multiplier;
  for (int64_t reach = 4; guess - reach > low && guess + reach < high; reach *= 8) {
    if (output_of(r, guess - reach) >= v || output_of(r, guess + reach) < v) continue;
    low = guess - reach;
    high = guess + reach;
    break;
  }
  while (high - low > 1) {
    int64_t middle = low + (high - low) / 2;
    if (output_of(r, middle) >= v)
      high = middle;
    else
      low = middle;
  }
  return high;
}

static void at_least(interval *c, int64_t bound) {
  if (bound > c->low) c->low = bound;
}
static void at_most(interval *c, int64_t bound) {
  if (bound < c->high) c->high = bound;
}

/* What every step of the definition leaves of C. */
static interval allowed(const mn_requantization *r, const mn_folded *f) {
  const int64_t unit = (int64_t)1 << (32 + MN_FOLDED_SHIFT), scale = (int64_t)1 << f->up;
  interval c = {-((int64_t)1 << 60), (int64_t)1 << 60};
  int32_t first = output_of(r, r->low), last = output_of(r, r->high);
  for (int32_t v = first + 1; v <= last && c.low <= c.high; v++) {
    int64_t t = step_at(r, v);
    at_least(&c, v * unit - t * scale * f->multiplier);
    at_most(&c, v * unit - (t - 1) * scale * f->multiplier - 1);
  }
  if (first > INT8_MIN) at_least(&c, first * unit - r->low * scale * f->multiplier);
  if (last < INT8_MAX) at_most(&c, (last + 1) * unit - r->high * scale * f->multiplier - 1);
  return c;
}

static int64_t ceiling(int64_t a) {
  return -(-a >> 32);
}

/* The smallest nudge for which a whole offset hits the interval. */
static bool hit(mn_folded *f, interval c) {
  for (int32_t i = 0; i < 2 * MOST_NUDGE && c.low <= c.high; i++) {
    int32_t nudge = i & 1 ? -(i + 1) / 2 : i / 2;
    int64_t offset = ceiling(c.low - (int64_t)nudge * f->multiplier);
    int64_t reached = offset * ((int64_t)1 << 32) + (int64_t)nudge * f->multiplier;
    if (reached > c.high || offset > INT32_MAX / 2 || offset < INT32_MIN / 2) continue;
    f->nudge = nudge;
    f->offset = (int32_t)offset;
    return true;
  }
  return false;
}

/* Twice a sum must fit an int32 in the definition; the shifted one too. */
static bool fits(const mn_requantization *r, int32_t up) {
  const int64_t limit = ((int64_t)1 << 31) - MOST_NUDGE - 1;
  return r->low >= -limit / 2 && r->high <= limit / 2 && r->low * ((int64_t)1 << up) >= -limit &&
         r->high * ((int64_t)1 << up) <= limit;
}

bool mn_requantize_fold(mn_folded *folded, const mn_requantization *channel, int32_t most_up) {
  const mn_requantization *r = channel;
  if (r->min != INT8_MIN || r->max != INT8_MAX || r->shift > 0 || r->multiplier <= 0) return false;
  int32_t up = MN_FOLDED_SHIFT + 1 + r->shift, down = up < 0 ? -up : 0;
  if (up > most_up || r->shift < -MOST_SHIFT) return false;
  *folded = (mn_folded){.up = up < 0 ? 0 : up,
                        .multiplier = mn_shift_right_rounding(r->multiplier, down)};
  return fits(r, folded->up) && hit(folded, allowed(r, folded));
}
