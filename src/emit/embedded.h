/* embedded.h - source files that the program carries with it: kernels, front ends, firmware.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_EMIT_EMBEDDED_H
#define MN_EMIT_EMBEDDED_H

#include <stddef.h>
#include <stdint.h>

typedef struct mn_embedded_file {
  const char *name;          /* "kernels/conv_2d.h", "features/...", "firmware/startup.c" */
  const unsigned char *data; /* ends with a zero byte that is not counted */
  size_t size;
} mn_embedded_file;

extern const mn_embedded_file mn_embedded_files[];
extern const int32_t mn_embedded_file_count;

const mn_embedded_file *mn_embedded_find(const char *name); /* NULL: not there */

#endif
