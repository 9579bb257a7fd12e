/* taps.c - see taps.h. Two outputs at a time, so that they share weights and, at stride 1, values.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/taps.h"

#define ONE_ROW(x, k) a += (x)[0] * (k)[0] + (x)[1] * (k)[1] + (x)[2] * (k)[2]
#define TWO_ROW(x, k, stride)                    \
  do {                                           \
    int32_t w = (k)[0];                          \
    a += (x)[0] * w, b += (x)[stride] * w;       \
    w = (k)[1];                                  \
    a += (x)[1] * w, b += (x)[(stride) + 1] * w; \
    w = (k)[2];                                  \
    a += (x)[2] * w, b += (x)[(stride) + 2] * w; \
  } while (0)

/* The first even number of outputs. */
#define PAIRS(stride)                                                                     \
  for (; sum != end; sum += 2, x += 2 * (stride), y += 2 * (stride), z += 2 * (stride)) { \
    int32_t a = 0, b = 0;                                                                 \
    TWO_ROW(x, k, stride);                                                                \
    TWO_ROW(y, k + 3, stride);                                                            \
    TWO_ROW(z, k + 6, stride);                                                            \
    sum[0] = a, sum[1] = b;                                                               \
  }

static void pairs_1(int32_t *sum, const uint8_t *x, int32_t width, int32_t count, const int8_t *k) {
  const uint8_t *y = x + width, *z = y + width;
  const int32_t *end = sum + count;
  PAIRS(1)
}

static void pairs_2(int32_t *sum, const uint8_t *x, int32_t width, int32_t count, const int8_t *k) {
  const uint8_t *y = x + width, *z = y + width;
  const int32_t *end = sum + count;
  PAIRS(2)
}

void mn_taps_3x3(int32_t *sum, const uint8_t *x, int32_t width, int32_t count, int32_t stride,
                 const int8_t *k) {
  int32_t n = stride <= 2 ? count & ~1 : 0;
  if (stride == 1)
    pairs_1(sum, x, width, n, k);
  else
    pairs_2(sum, x, width, n, k);
  for (x += n * stride; n < count; n++, x += stride) {
    int32_t a = 0;
    ONE_ROW(x, k);
    ONE_ROW(x + width, k + 3);
    ONE_ROW(x + 2 * width, k + 6);
    sum[n] = a;
  }
}

static int32_t row_of(const uint8_t *x, const int8_t *k, int32_t count, int32_t dilation) {
  int32_t sum = 0;
  for (const int8_t *end = k + count; k != end; x += dilation) sum += *x * *k++;
  return sum;
}

void mn_taps_any(const mn_taps *t, int32_t *sum, const uint8_t *x, int32_t count, const int8_t *k) {
  int32_t rows = t->kernel_h, columns = t->kernel_w, row = t->row, dilation = t->dilation;
  if (columns == 1) columns = rows, dilation = row, rows = 1; /* a column runs as a row does */
  for (const int32_t *end = sum + count; sum != end; x += t->stride) {
    int32_t all = 0;
    for (int32_t i = 0; i < rows; i++)
      all += row_of(x + i * row, k + i * columns, columns, dilation);
    *sum++ = all;
  }
}
