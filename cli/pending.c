/* pending.c - stands in for what is not linked yet; goes as it lands.
 * SPDX-License-Identifier: Apache-2.0 */
#include "micronets/train.h"

#define WEAK __attribute__((weak))

WEAK mn_status mn_checkpoint_attachment(const char *path, uint64_t identity, const char *name,
                                        void *data, size_t bytes, mn_error *error) {
  (void)identity, (void)name, (void)data, (void)bytes;
  return mn_error_set(error, MN_ERR_USAGE, "%s: search is not built yet", path);
}

WEAK void mn_trainer_attach(mn_trainer *trainer, const char *name, void *data, size_t bytes) {
  (void)trainer, (void)name, (void)data, (void)bytes;
}

WEAK mn_status mn_trainer_calibrate(mn_trainer *trainer, mn_feed *feed, int32_t batches,
                                    mn_error *error) {
  (void)trainer, (void)feed, (void)batches;
  return mn_error_set(error, MN_ERR_USAGE, "search is not built yet");
}
