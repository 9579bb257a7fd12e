/* frame_none.c - see frame.h: for models that take no frames, and where there is no room for one.
 * SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

void mn_frame_count(void *arena) {
  (void)arena;
}
