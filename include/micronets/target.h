/* target.h - boards: core, memory, tables with their sources, and the emulator that stands for them.
 * Files of targets/ (INI), which a user copies and edits.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MICRONETS_TARGET_H
#define MICRONETS_TARGET_H

#include "micronets/base.h"
#include "micronets/graph.h"

typedef struct mn_target {
  const char *name, *path, *core;      /* "nucleo-f446re", file, "cortex-m4" */
  const char *description;
  int64_t flash_bytes, sram_bytes;
  double clock_hz;
  const char *cpu_flags;               /* for arm-none-eabi-gcc: "-mcpu=cortex-m4 -mthumb" */
  const char *kernels;                 /* family of kernel rows: "ref", later "dsp", "mve" */
  const char *machine;                 /* QEMU machine that stands for it: "mps2-an386" */
  const char *linker;                  /* firmware/ linker script for that machine */
  /* Energy and speed figures: 0 unknown; the file names the source of each. */
  double active_watts;
  const char *active_watts_source;
  double cycle_factor;                 /* board cycles per modelled cycle */
  const char *cycle_factor_source;
  double error_percent;                /* of that factor against public boards; 0 unknown */
} mn_target;

/* NAME of targets/ or the path of a file (it has a slash or ends in .ini).
 * Errors: MN_ERR_FORMAT with file:line; MN_ERR_USAGE for an unknown name, with the nearest. The target
 * lives in arena. */
mn_status mn_target_read(const mn_target **target, mn_arena *arena, const char *name_or_path,
                         mn_error *error) MN_MUST_CHECK;

/* The same from bytes; `path` is what messages and target->path say. */
mn_status mn_target_parse(const mn_target **target, mn_arena *arena, const char *path, mn_bytes text,
                          mn_error *error) MN_MUST_CHECK;
/* Names of the shipped targets, sorted. */
const char *const *mn_target_names(mn_arena *arena, int32_t *count);

/* Full path of a file or folder that comes with the tool ("targets", "networks/ds-cnn-s.net"): in
 * share/micronets of an installation, or in the source tree of a build. NULL: not there. */
const char *mn_shipped_path(mn_arena *arena, const char *path);

/* ---- Code sizes ----------------------------------------------------------------------------
 * Code and stack bytes as the firmware's compiler makes them, library functions included. Besides
 * kernels ("mn_conv_2d_s8_ref") there are three rows of the emitted model itself:
 *   "run"   its functions and the frame of its run     "call"  each call of a kernel, at most
 *   "feed"  the audio front end                                                                 */
typedef struct mn_code_size {
  const char *symbol;
  int32_t text_bytes, stack_bytes;
} mn_code_size;

typedef struct mn_code_size_table {
  const char *core, *cpu_flags;
  const mn_code_size *rows;
  int32_t row_count;
} mn_code_size_table;

/* The table that ships, measured with `compiler` from sources of that hash (mn_bench_sources_hash). */
typedef struct mn_code_sizes {
  const char *compiler; /* first line of its --version */
  uint64_t sources_hash;
  const mn_code_size_table *tables;
  int32_t table_count;
} mn_code_sizes;
extern const mn_code_sizes mn_code_sizes_shipped;

/* The row of the target's table; the largest of all tables where no table is for its flags; NULL:
 * unknown symbol. */
const mn_code_size *mn_target_code_size(const mn_target *target, const char *symbol);
/* Looks rows up in `sizes` (borrowed) from now on; NULL: the shipped ones. Not while others price. */
void mn_target_code_sizes_use(const mn_code_sizes *sizes);

#endif
