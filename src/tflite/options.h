/* options.h - what the file says about an op beside its tensors: one table of option fields, read by
 * the reader and the writer alike; the roles of its inputs; the version it is written with.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TFLITE_OPTIONS_H
#define MN_TFLITE_OPTIONS_H

#include "micronets/graph.h"

/* Which member of mn_op an option field is. FORMAT: only value 0 is understood. */
typedef enum mn_option {
  MN_OPTION_PADDING,
  MN_OPTION_STRIDE_W,
  MN_OPTION_STRIDE_H,
  MN_OPTION_DILATION_W,
  MN_OPTION_DILATION_H,
  MN_OPTION_MULTIPLIER,
  MN_OPTION_KERNEL_W,
  MN_OPTION_KERNEL_H,
  MN_OPTION_ACTIVATION,
  MN_OPTION_KEEP_DIMS,
  MN_OPTION_BETA,
  MN_OPTION_RANK,
  MN_OPTION_FORMAT
} mn_option;

/* Strides, dilations, windows and ranks beyond this are damage, and would overflow shape arithmetic. */
enum { MN_OPTION_MAX = 4096 };

#define MN_OPTION_FIELDS 8
typedef struct mn_option_field {
  uint8_t slot, bytes; /* bytes 0 ends the list */
  mn_option option;
  int32_t absent; /* the schema's default, which is not written */
} mn_option_field;

/* The role of an input decides what it may be. */
typedef enum mn_role {
  MN_ROLE_NONE,
  MN_ROLE_ACTIVATION,
  MN_ROLE_WEIGHTS,
  MN_ROLE_TIME,    /* svdf: weights over time, int16 or int8 */
  MN_ROLE_BIAS,    /* may be absent */
  MN_ROLE_NUMBERS, /* constant int32: a shape, axes, paddings */
  MN_ROLE_STATE
} mn_role;
const char *mn_role_text(mn_role role); /* "weights": the suffix of its tensor's name */

typedef struct mn_op_format {
  uint8_t options_type; /* code of the options union; 0: none is needed */
  int32_t inputs_min, inputs_max;
  mn_role role[MN_OP_MAX_INPUTS];
  mn_option_field fields[MN_OPTION_FIELDS];
} mn_op_format;
const mn_op_format *mn_op_format_of(mn_op_kind kind);

/* Value of an option in an op, as the file's integer (a float as its bits), and back.
 * set returns false where the value is not one that we know. */
uint32_t mn_option_get(const mn_op *op, mn_option option);
bool mn_option_set(mn_op *op, mn_option option, uint32_t value);

/* The version that says what this op with these types needs of a runtime. */
int32_t mn_op_file_version(const mn_op *op, const mn_tensor *tensors);

#endif
