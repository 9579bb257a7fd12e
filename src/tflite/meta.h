/* meta.h - our own metadata entry, "micronets": what eval, run and compile need beside the graph.
 * Text, one line each, in this order; every line but the first may be missing:
 *
 *   micronets 1
 *   input 49x10x1 mfcc rate 16kHz ...      the front end as a .net file says it
 *   label yes                              as many as outputs, in their order
 *   threshold 0.500000000                  always nine decimals: the file's size does not depend on it
 *   score probability 1.500000000e+00      anomaly detection: kind of score, threshold on it
 *   trained_on synthetic speech of ...
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_TFLITE_META_H
#define MN_TFLITE_META_H

#include "micronets/tflite.h"

bool mn_meta_needed(const mn_model *model); /* false: nothing to say, no entry */
mn_status mn_meta_print(const mn_sink *out, const mn_model *model, mn_error *error) MN_MUST_CHECK;
/* Fills front end, labels, threshold and trained_on; the rest of `model` stays. */
mn_status mn_meta_parse(mn_model *model, mn_arena *arena, mn_bytes text,
                        mn_error *error) MN_MUST_CHECK;

#endif
