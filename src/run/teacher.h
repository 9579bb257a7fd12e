/* teacher.h - a model whose scores guide a training: train --teacher.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_RUN_TEACHER_H
#define MN_RUN_TEACHER_H

#include "run/train.h"

typedef struct mn_teacher mn_teacher;
/* The .tflite named by the options, or the checkpoint with its .net: that one in float, its outputs the classes
 * of the data in order. Errors: MN_ERR_FORMAT where front end or classes are not those of the training. */
mn_status mn_teacher_open(mn_teacher **teacher, const mn_training *training, mn_arena *arena,
                          mn_error *error) MN_MUST_CHECK;
void mn_teacher_close(mn_teacher *teacher); /* NULL is a no-op */
/* A mn_teach: scores of the batch. */
mn_status mn_teacher_teach(void *teacher, const float **scores, const mn_batch *batch,
                           mn_error *error);

#endif
