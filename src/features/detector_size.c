/* detector_size.c - how large a detector is, before it is fitted. Not part of firmware.
 * SPDX-License-Identifier: Apache-2.0 */
#include "micronets/features.h"

#define MOST_FACTOR_BYTES (128 << 10)

mn_detector mn_detector_of(int32_t states, int32_t dims, int32_t rows) {
  mn_detector made = {.states = states, .factors = states, .dims = dims, .rows = rows};
  int64_t triangle = (int64_t)dims * (dims + 1) / 2;
  if (states * triangle * (int64_t)sizeof(int16_t) > MOST_FACTOR_BYTES) made.factors = 1;
  return made;
}

int64_t mn_detector_tables_bytes(const mn_detector *d) {
  int64_t bytes = 0;
#define X(name, type, count) bytes += (int64_t)sizeof(type) * (count);
  MN_DETECTOR_TABLES(X)
#undef X
  return bytes;
}

int64_t mn_detector_vector_bytes(const mn_detector *d) {
  return 2 * (int64_t)sizeof(int16_t) * d->dims;
}
