/* quantize.c - features to int8 as the model's input tensor wants them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "features/parts.h"

/* 1 / (scale 2^fraction) = multiplier / 2^shift. A float is mantissa x 2^exponent, and 2^54 /
 * mantissa has 30 or 31 bits: the error is below 2^-30, whatever the machine. */
static mn_feature_scale scale_of(int32_t fraction, float scale, int32_t zero_point) {
  uint32_t bits;
  memcpy(&bits, &scale, sizeof bits);
  int32_t exponent = (int32_t)(bits >> 23 & 0xff) - 150;
  uint64_t mantissa = (bits & 0x7fffff) | 0x800000;
  mn_feature_scale result = {0};
  result.multiplier = (int32_t)((((uint64_t)1 << 53) + mantissa / 2) / mantissa);
  result.shift = 53 + exponent + fraction;
  result.zero_point = zero_point;
  return result;
}

mn_feature_scale mn_audio_scale(const mn_audio *audio, float scale, int32_t zero_point) {
  return scale_of(audio->fraction, scale, zero_point);
}

mn_feature_scale mn_image_scale(float scale, int32_t zero_point) {
  return scale_of(MN_IMAGE_FRACTION, scale, zero_point);
}

void mn_feature_quantize_s8(int8_t *q, const int16_t *feature, size_t count,
                            const mn_feature_scale *scale) {
  for (size_t i = 0; i < count; i++) {
    int64_t product = (int64_t)feature[i] * scale->multiplier, value = 0;
    int64_t magnitude = product < 0 ? -product : product;
    if (scale->shift <= 0) {
      value = product == 0 ? 0 : INT16_MAX; /* a scale below every step: saturates */
    } else if (scale->shift < 62) {
      value = (magnitude + ((int64_t)1 << (scale->shift - 1))) >> scale->shift;
    }
    value = (product < 0 ? -value : value) + scale->zero_point;
    q[i] = (int8_t)(value > INT8_MAX ? INT8_MAX : value < INT8_MIN ? INT8_MIN : value);
  }
}

int8_t mn_image_quantize_s8(uint8_t pixel, const mn_feature_scale *scale) {
  int16_t feature = (int16_t)(pixel - 128);
  int8_t q;
  mn_feature_quantize_s8(&q, &feature, 1, scale);
  return q;
}
