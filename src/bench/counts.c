/* counts.c - see counts.h; the format is that of firmware/emulator/count.c.
 * SPDX-License-Identifier: Apache-2.0 */
#include "bench/counts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct reader {
  const char *path;
  mn_error *error;
  int32_t line;
} reader;

static mn_status bad(const reader *r) {
  return mn_error_set(r->error, MN_ERR_FORMAT, "%s:%d: not a line of the instruction counter",
                      r->path, r->line);
}

/* How many lines begin with `letter`. */
static size_t lines_with(const char *text, char letter) {
  size_t count = 0;
  for (const char *at = text; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n')
    count += *at == letter;
  return count;
}

static bool parse_count(mn_count *count, const char *line) {
  return sscanf(line, "C %" SCNx32 " %" SCNu32 " %" SCNx32 " %" SCNu64 " %" SCNu64, &count->address,
                &count->size, &count->opcode, &count->executed, &count->taken) == 5;
}

mn_status mn_counts_read(mn_counts_file *counts, mn_arena *arena, const char *path,
                         mn_error *error) {
  mn_bytes text = {0};
  MN_TRY(mn_file_read(&text, arena, path, 0, error));
  const char *at = (const char *)text.data;
  mn_counts_file made = {.regions =
                             mn_arena_array(arena, lines_with(at, 'R') + 1, sizeof *made.regions)};
  mn_count *next = mn_arena_array(arena, lines_with(at, 'C') + 1, sizeof *next);
  if (made.regions == NULL || next == NULL)
    return mn_error_set(error, MN_ERR_MEMORY, "out of memory");
  reader r = {.path = path, .error = error};
  for (; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n') {
    mn_region *region = made.region_count > 0 ? &made.regions[made.region_count - 1] : NULL;
    r.line++;
    if (strncmp(at, "end", 3) == 0) {
      *counts = made;
      return MN_OK;
    }
    if (*at == 'R') {
      region = &made.regions[made.region_count++];
      region->counts = next;
      if (sscanf(at, "R %" SCNd32 " %" SCNd64, &region->id, &region->total) != 2) return bad(&r);
    } else if (*at == 'C' && region != NULL) {
      if (!parse_count(next++, at)) return bad(&r);
      region->count++;
    } else {
      return bad(&r);
    }
  }
  return mn_error_set(error, MN_ERR_FORMAT, "%s: is cut short; the emulator did not finish", path);
}

const mn_region *mn_counts_region(const mn_counts_file *counts, int32_t id) {
  for (int32_t i = 0; i < counts->region_count; i++)
    if (counts->regions[i].id == id) return &counts->regions[i];
  return NULL;
}
