/* board.h - what a real board brings for the bench program: one file per board, named in its target.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_BOARD_H
#define MN_BOARD_H

#include <stdint.h>

/* Full clock, memory accelerators on, the serial port at 115200 baud, 8N1. */
void mn_board_start(void);
void mn_board_put(uint8_t byte); /* waits until the port takes it */
int mn_board_get(void);          /* the next byte, -1: none has come yet */

#endif
