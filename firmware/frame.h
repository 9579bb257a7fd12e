/* frame.h - one frame of a camera for the instruction counter, where a model takes frames.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_FRAME_H
#define MN_FRAME_H

/* QQVGA in RGB565, what small camera modules send; frame_image.c holds it, frame_none.c does not. */
enum { MN_FRAME_WIDTH = 160, MN_FRAME_HEIGHT = 120 };

/* Marks the region of the front end; the counter must be armed. */
void mn_frame_count(void *arena);

#endif
