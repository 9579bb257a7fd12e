/* size_image.c - as size_main.c, for a model that takes frames of a camera.
 * SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

const void *mn_size_main(void *arena, const int16_t *pcm, size_t n);

const void *mn_size_main(void *arena, const int16_t *pcm, size_t n) {
  model_init(arena);
  *model_input(arena) = (int8_t)model_feed(arena, pcm, n);
  model_image(arena, pcm, (int32_t)n, (int32_t)n, MODEL_RGB565);
  model_run(arena);
  return model_output(arena);
}
