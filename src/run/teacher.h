/* teacher.h - a model whose scores guide a training: train --teacher.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_RUN_TEACHER_H
#define MN_RUN_TEACHER_H

#include "run/train.h"

typedef struct mn_teacher mn_teacher;
/* The .tflite named by the options. Errors: MN_ERR_FORMAT where its front end or its classes are not
 * those of the training. */
mn_status mn_teacher_open(mn_teacher **teacher, const mn_training *training, mn_arena *arena,
                          mn_error *error) MN_MUST_CHECK;
void mn_teacher_close(mn_teacher *teacher); /* NULL is a no-op */
/* A mn_teach: scores of the batch by the executor, in the pool. */
mn_status mn_teacher_teach(void *teacher, const float **scores, const mn_batch *batch,
                           mn_error *error);

#endif
