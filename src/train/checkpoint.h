/* checkpoint.h - the state of a trainer as one file, written under another name and renamed.
 *
 * Little-endian:
 *    0  8 bytes  "MNTRAIN" and the version, '1'
 *    8  u64      identity (mn_trainer_save)
 *   16  i64      steps done
 *   24  i64      step at which fake quantization began, -1: not yet
 *   32  f64      loss summed over the steps of the epoch under way
 *   40  i64 x 3  of that epoch: steps, items scored right, items counted
 *   64  u32 x 2  number of records, of attachments
 *   72  records
 *       u32 x 6  length of the op's name, kind (mn_parameter_kind), part (0 value, 1 first moment,
 *                2 second moment), outer, taps, inner
 *       u32      1: canonical order is [taps][inner][outer] (depthwise), 0: [outer][taps][inner]
 *       bytes    name, without zero
 *       f32      outer * taps * inner values
 *       attachments
 *       u32 x 2  length of the name, bytes of the block
 *       bytes    name, block
 *  end  u32      CRC-32 of everything before
 *
 * A file is untrusted: every length is checked before use, nothing is taken over before all is.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TRAIN_CHECKPOINT_H
#define MN_TRAIN_CHECKPOINT_H

#include "train/engine.h"

/* An empty attachment of this name tells the arithmetic of the training; none: float32. */
extern const char *const mn_arithmetic_blocks[MN_ARITHMETICS];

typedef struct mn_record {
  const char *op; /* not terminated */
  size_t op_length;
  mn_parameter form; /* kind, outer, taps, inner, taps_first; the rest is unset */
  int32_t part;
  const uint8_t *values;
} mn_record;

typedef struct mn_block {
  const char *name; /* not terminated */
  size_t name_length;
  mn_bytes data;
} mn_block;

typedef struct mn_checkpoint {
  uint64_t identity;
  int64_t step, quantized_since;
  mn_tally tally;
  int32_t record_count;
  mn_record *records; /* borrow the file's bytes */
  int32_t block_count;
  mn_block *blocks;
} mn_checkpoint;

mn_status mn_checkpoint_read(mn_checkpoint *checkpoint, mn_arena *arena, const char *path,
                             mn_error *error) MN_MUST_CHECK;
mn_status mn_checkpoint_write(const mn_trainer *trainer, const char *path, uint64_t identity,
                              mn_error *error) MN_MUST_CHECK;
/* The block of an attachment, or NULL. */
const mn_block *mn_checkpoint_block(const mn_checkpoint *checkpoint, const char *name);
/* The record of a parameter's part, or NULL. */
const mn_record *mn_checkpoint_find(const mn_checkpoint *checkpoint, const char *op,
                                    mn_parameter_kind kind, int32_t part);

#endif
