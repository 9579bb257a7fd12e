/* test_plugin_nine.c - the counting plugin in QEMU 9.0: scoreboards.
 * SPDX-License-Identifier: Apache-2.0 */
#define FAKE_VERSION 2
#include "fake_qemu.h"

int main(void) {
  return test_plugin();
}
