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
  const char *serial_board;            /* firmware/ file of a real board's serial port; NULL: none */
  const char *serial_linker;           /* and the linker script for that board */
  /* Energy and speed figures: 0 unknown; the file names the source of each. */
  double active_watts;
  const char *active_watts_source;
  double cycle_factor;                 /* board cycles per modelled cycle; 0: taken as 1 */
  const char *cycle_factor_source;
  double error_percent;                /* of that factor against public boards; 0 unknown */
  const char *error_basis;             /* what those boards ran: "tflm_cmsis_nn"; NULL unknown */
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
 * kernels ("mn_conv_2d_s8_ref") there are four rows of the emitted model itself:
 *   "run"   its functions and the frame of its run     "call"  each call of a kernel, at most
 *   "feed"  the audio front end                        "turn"  each call inside of a loop, at
 *                                                   most; its stack is what a run with loops adds   */
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

/* ---- Cycles --------------------------------------------------------------------------------
 * Cycles of a kernel on a core as a sum over what its work consists of, each with a coefficient that
 * is 0 or more: fitted by least squares to measured layers (exact instruction counts, the core's
 * cycle model). Memory that never waits: a board's factor comes on top. */
#define MN_CYCLE_TERM_LIST(X)                                                          \
  X(CALLS)         /* calls of the kernel */                                          \
  X(CALL_CHANNELS) /* calls times output channels */                                  \
  X(ROWS)          /* output rows */                                                  \
  X(POSITIONS)     /* output rows times columns */                                    \
  X(OUTPUTS)       /* output values */                                                \
  X(INPUTS)        /* values of the first input */                                    \
  X(GATHERED)      /* input values under the windows of all positions */              \
  X(INSIDE_ROWS)   /* rows of windows inside the map, per output value; filters */    \
  X(INSIDE_TAPS)   /* taps of windows inside the map, per output channel of a conv */ \
  X(MACS)          /* multiply-accumulates, or values a pool looks at */              \
  X(INSIDE_MACS)   /* those that do not fall on padding; those over an SVDF's time */ \
  X(MACS_BY_4)     /* MACs with depth, channels and columns in whole small groups */  \
  X(MACS_BY_16)    /* MACs with depth or channels in whole vectors of 16 */           \
  X(OTHER_MACS)    /* MACs of windows other than 3x3, which kernels do by a loop */   \
  X(OTHER_ROWS)    /* rows of such windows, per output value */

typedef enum mn_cycle_term {
#define X(name) MN_CYCLE_##name,
  MN_CYCLE_TERM_LIST(X)
#undef X
  MN_CYCLE_TERMS
} mn_cycle_term;

typedef struct mn_cycle_row {
  const char *symbol; /* "mn_conv_2d_s8_ref" */
  uint64_t sources;   /* hash of the kernel's files that were measured; 0: not of ours */
  int32_t layers;     /* how many were measured */
  double mean_error, worst_error; /* of the fit on those, as a fraction */
  double cycles[MN_CYCLE_TERMS];
} mn_cycle_row;

typedef struct mn_cycle_table {
  const char *core; /* "cortex-m4" */
  const mn_cycle_row *rows;
  int32_t row_count;
} mn_cycle_table;

/* The tables that ship, made by scripts/cycle_table.sh. */
typedef struct mn_cycle_tables {
  const char *compiler;
  const mn_cycle_table *tables;
  int32_t table_count;
} mn_cycle_tables;
extern const mn_cycle_tables mn_cycle_tables_shipped;
/* The same for operators of TFLM with CMSIS-NN ("tflm_ADD"), from public figures
 * (bench/cycles/tflm_table.py). */
extern const mn_cycle_tables mn_cycle_tables_tflm;

/* Of a kernel, or of an operator of TFLM; NULL: unknown. */
const mn_cycle_row *mn_target_cycle_row(const mn_target *target, const char *symbol);

#endif
