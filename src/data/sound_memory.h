/* sound_memory.h - libsndfile on a sound that lies in memory.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_DATA_SOUND_MEMORY_H
#define MN_DATA_SOUND_MEMORY_H

#include <sndfile.h>

#include "micronets/base.h"

typedef struct mn_sound_memory {
  mn_bytes bytes;
  sf_count_t at;
} mn_sound_memory;

/* As sf_open for reading; `memory` must outlive what it gives. NULL: sf_strerror(NULL) tells why. */
SNDFILE *mn_sound_open(mn_sound_memory *memory, SF_INFO *info);

#endif
