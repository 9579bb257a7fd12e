/* check.h - is an op of an untrusted file one that every room below can compute? Roles, types,
 * constants, quantization; shapes are the builder's (graph room).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TFLITE_CHECK_H
#define MN_TFLITE_CHECK_H

#include "tflite/flat_read.h"
#include "tflite/options.h"

/* `at` is the op's place in the file; flat->where already names the op. */
mn_status mn_check_op(mn_flat *flat, size_t at, const mn_op *op,
                      const mn_tensor *tensors) MN_MUST_CHECK;

#endif
