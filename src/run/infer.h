/* infer.h - one model on the host, input by input, for run and for eval --raw.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_RUN_INFER_H
#define MN_RUN_INFER_H

#include "micronets/exec.h"
#include "run/stage.h"

typedef struct mn_infer {
  const mn_model *model;
  const mn_run_context *context;
  mn_exec *exec;
  const mn_tensor *input, *output;
  int64_t outputs; /* elements of the output tensor */
  mn_audio audio;  /* with a front end only */
  void *state, *scratch;
  int16_t *pcm, *feature;
} mn_infer;

/* `model`: of mn_stage_model, which has checked its front end. Memory comes from the context's arena; release with mn_infer_close. */
mn_status mn_infer_open(mn_infer *infer, const mn_run_context *context, const mn_model *model,
                        bool keep_all, mn_error *error) MN_MUST_CHECK;
void mn_infer_close(mn_infer *infer);
/* Fills the input tensor: stored bytes of a file, or a clip or photo through the front end. */
mn_status mn_infer_raw(mn_infer *infer, const char *path, mn_error *error) MN_MUST_CHECK;
mn_status mn_infer_file(mn_infer *infer, const char *path, mn_error *error) MN_MUST_CHECK;
/* Opens a recording for its windows, and fills the input tensor with one of them. */
mn_status mn_infer_listen(mn_listening **listening, const mn_infer *infer, const char *path,
                          mn_error *error) MN_MUST_CHECK;
mn_status mn_infer_window(mn_infer *infer, const mn_listening *listening, int32_t index,
                          mn_error *error) MN_MUST_CHECK;
#endif
