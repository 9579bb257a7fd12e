/* outputs_m0.c - see outputs.h. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/outputs.h"

#include "kernels/dot.h"
#include "kernels/multiply_m0.h"
#include "kernels/requantize.h"

/* One channel, shifted to the right: `offset` brings the zero point and the half that it rounds by. Halves
 * go away from zero: one less where x is negative. */
typedef struct channel {
  int32_t bias, high, low, right, offset; /* high, low: of the multiplier */
} channel;

#if MN_DOT_ASSEMBLY
/* As below, where the last bit that ASRS drops comes back as ADCS's carry: 30 instructions an output.
 *   r0 sum, r1 y, r6, r7 multiplier; r2 upper part, r3 lower, r4 what they make, r5 sign */
static inline void write_right(const mn_outputs *q, int8_t *y, const int32_t *sum, const channel *c,
                               int32_t count) {
  const int32_t right = c->right;
  register const int32_t *from __asm__("r0") = sum;
  register int8_t *to __asm__("r1") = y;
  register int32_t high __asm__("r6") = c->high, low __asm__("r7") = c->low;
  register int32_t bias __asm__("r8") = c->bias, offset __asm__("r9") = c->offset;
  register int32_t min __asm__("r10") = q->min, max __asm__("r11") = q->max;
  register int32_t step __asm__("r12") = q->step;
  register const int32_t *end __asm__("lr") = sum + count;
  __asm__ volatile(
      ".syntax unified\n"
      "1:\n"
      "ldm r0!, {r2}\n"
      "add r2, r8\n"
      "asrs r5, r2, #31\n"
      "sxth r3, r2\n"
      "subs r2, r2, r3\n"
      "asrs r2, r2, #16\n"
      "movs r4, r3\n"
      "muls r4, r7\n"
      "asrs r4, r4, #16\n"
      "muls r3, r6\n"
      "adds r4, r4, r3\n"
      "movs r3, r2\n"
      "muls r3, r7\n"
      "adds r4, r4, r3\n"
      "muls r2, r6\n"
      "lsls r2, r2, #1\n"
      "asrs r4, r4, #15\n"
      "adcs r4, r2\n"
      "adds r4, r4, r5\n"
      "add r4, r9\n"
      "ldr r3, %[right]\n"
      "asrs r4, r3\n"
      "cmp r4, r10\n"
      "bge 2f\n"
      "mov r4, r10\n"
      "2:\n"
      "cmp r4, r11\n"
      "ble 3f\n"
      "mov r4, r11\n"
      "3:\n"
      "strb r4, [r1]\n"
      "add r1, r12\n"
      "cmp r0, lr\n"
      "bne 1b\n"
      : "+l"(from), "+l"(to)
      : "l"(high), "l"(low), "h"(bias), "h"(offset), "h"(min), "h"(max), "h"(step),
        "h"(end), [right] "m"(right)
      : "r2", "r3", "r4", "r5", "cc", "memory");
}
#else
static inline void write_right(const mn_outputs *q, int8_t *y, const int32_t *sum, const channel *c,
                               int32_t count) {
  for (const int32_t *end = sum + count; sum != end; y += q->step) {
    int32_t x = *sum++ + c->bias, less = x >> 31;
    x = (mn_multiply_high_m0(x, c->high, c->low) + c->offset + less) >> c->right;
    *y = (int8_t)mn_clamp(x, q->min, q->max);
  }
}
#endif

void mn_outputs_write_m0(const mn_outputs *q, int8_t *y, const int32_t *sum, int32_t first,
                         int32_t channels, int32_t count) {
  for (int32_t c = first; c < first + channels; c++, sum += q->sum_step) {
    int32_t bias = (int32_t)((uint32_t)q->bias[c] + (uint32_t)q->start);
    int32_t k = c * q->per_channel, multiplier = q->multiplier[k], right = -q->shift[k];
    if (right < 1 || right > MN_OUTPUTS_MOST_SHIFT) {
      mn_outputs_write_any(q, y + c, sum, bias, multiplier, -right, count);
      continue;
    }
    int32_t offset = (2 * q->zero_point + 1) * (1 << (right - 1));
    channel right_shifted = {bias, multiplier >> 16, multiplier & 0xffff, right, offset};
    write_right(q, y + c, sum, &right_shifted, count);
  }
}
