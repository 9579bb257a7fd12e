/* test_plugin_new.c - the counting plugin in QEMU 9.1 to 10: scoreboards, bytes copied out.
 * SPDX-License-Identifier: Apache-2.0 */
#define FAKE_VERSION 4
#include "fake_qemu.h"

int main(void) {
  return test_plugin();
}
