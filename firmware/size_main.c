/* size_main.c - calls every function of a compiled model and nothing else: what this program holds
 * beyond its own entry is what the model costs. It is linked to be measured, never run.
 * SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

const void *mn_size_main(void *arena, const int16_t *pcm, size_t n);

const void *mn_size_main(void *arena, const int16_t *pcm, size_t n) {
  model_init(arena);
  *model_input(arena) = (int8_t)model_feed(arena, pcm, n);
  model_run(arena);
  return model_output(arena);
}
