/* sound_memory.c - see sound_memory.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/sound_memory.h"

#include <string.h>

static sf_count_t length(void *context) {
  return (sf_count_t)((mn_sound_memory *)context)->bytes.size;
}

/* Stays inside: a header that was written into a pipe does not know where the sound ends. */
static sf_count_t seek(sf_count_t offset, int whence, void *context) {
  mn_sound_memory *memory = context;
  const sf_count_t size = (sf_count_t)memory->bytes.size;
  const sf_count_t base = whence == SEEK_CUR ? memory->at : whence == SEEK_END ? size : 0;
  if (offset < -base) offset = -base;
  if (offset > size - base) offset = size - base;
  return memory->at = base + offset;
}

static sf_count_t read_on(void *to, sf_count_t count, void *context) {
  mn_sound_memory *memory = context;
  const sf_count_t left = (sf_count_t)memory->bytes.size - memory->at;
  if (count > left) count = left;
  if (count <= 0) return 0;
  memcpy(to, memory->bytes.data + memory->at, (size_t)count);
  memory->at += count;
  return count;
}

static sf_count_t tell(void *context) {
  return ((mn_sound_memory *)context)->at;
}

SNDFILE *mn_sound_open(mn_sound_memory *memory, SF_INFO *info) {
  SF_VIRTUAL_IO calls = {length, seek, read_on, NULL, tell};
  return sf_open_virtual(&calls, SFM_READ, info, memory);
}
