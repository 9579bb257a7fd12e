/* test_plugin_old.c - the counting plugin in QEMU 7 and 8: plain counters.
 * SPDX-License-Identifier: Apache-2.0 */
#define FAKE_VERSION 1
#include "fake_qemu.h"

int main(void) {
  return test_plugin();
}
