/* csv.h - a recording of a sensor as text: a line a sample, a column a channel.
 *
 *   # rate 200Hz            either this (Hz or kHz), or a column of times that runs on without pauses
 *   # scale 8192            counts of int16 for 1.0; 8192 unless it is said
 *   time,x,y,z              names, may be missing; "time", "t" or "timestamp" in seconds, "..._ms" or
 *   0.000,0.012,0.061,0.243   "..._us" in those units: gives the rate, is no channel
 *
 * Cells are parted by semicolons or tabs where there are any, else by commas; quotes around one go.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_DATA_CSV_H
#define MN_DATA_CSV_H

#include "micronets/base.h"

bool mn_is_csv(const char *path);

typedef struct mn_csv {
  int16_t *pcm; /* [frames][channels]; release with mn_free */
  int64_t frames;
  int32_t channels, rate_hz;
} mn_csv;
/* Errors: MN_ERR_FORMAT with `name`, line, what was found and expected. */
mn_status mn_csv_read(mn_csv *csv, mn_bytes text, const char *name, mn_error *error) MN_MUST_CHECK;

#endif
