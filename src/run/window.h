/* window.h - how much a network hears at once follows the words that are spoken.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_RUN_WINDOW_H
#define MN_RUN_WINDOW_H

#include "run/stage.h"

/* The window in microseconds for clips of so many seconds: 1 s, longer in steps of a half up to 3 s. */
int32_t mn_window_for(double seconds);
/* Where one in ten spoken clips is longer than a second, *path becomes FOLDER/space.net: the space with
 * a longer input. */
mn_status mn_window_space(const char **path, const mn_run_context *context, const char *folder,
                          const mn_dataset *dataset, mn_error *error) MN_MUST_CHECK;
/* A warning where a network is too short for what is spoken to it. */
void mn_window_warn(const mn_run_context *context, const mn_dataset *dataset,
                    const mn_frontend *frontend);

#endif
