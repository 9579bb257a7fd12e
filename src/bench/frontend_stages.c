/* frontend_stages.c - see frontend_stages.h. What ran is known per address, so a stage is the sum over
 * its functions: nothing is built into the front end for being measured.
 * SPDX-License-Identifier: Apache-2.0 */
#include "bench/frontend_stages.h"

#include <stdlib.h>
#include <string.h>

#include "mark.h"

/* Functions of src/features by stage; statics stand for themselves where the compiler left them. */
static const struct {
  const char *function;
  int32_t stage;
} functions[] = {
    {"window_frame", 0},
    {"headroom", 0},
    {"take_frame", 0},
    {"take_step", 0},
    {"mn_audio_push", 0},
    {"mn_fft", 1},
    {"mn_fft_magnitude", 2},
    {"mn_sqrt", 2},
    {"mn_cosine", 2},
    {"mn_mel_energies", 2},
    {"mn_log2", 3},
    {"mn_exp2", 3},
    {"mn_mel_cepstrum", 4},
    {"mn_audio_row", 5},
    {"clip_level", 5},
    {"subtract_level", 5},
    {"divide_by_peak", 5},
    {"hold_frame", 5},
    {"mn_feature_quantize_s8", 5},
    {"mn_audio_feed", 5},
    {"mn_image_resize", 6},
    {"area_span", 6},
    {"linear_span", 6},
    {"span_of", 6},
    {"add_grey", 6},
    {"add_rgb888", 6},
    {"add_565", 6},
    {"add_rgb565", 6},
    {"add_rgb565_be", 6},
    {"add_row", 6},
    {"weight_of", 6},
    {"bytes_of", 6},
    {"store", 6},
    {"mn_image_input", 7},
    {"mn_image_quantize_s8", 7},
    {"image", 7},
};
static const char *const stages[] = {"ring and window",   "fft",    "mel",      "log",    "dct",
                                     "rows and quantize", "resize", "quantize", "library"};
enum { STAGES = MN_COUNT(stages), LIBRARY = STAGES - 1 };

/* "model_mn_fft.constprop.0" ends, up to its first point, with "mn_fft". */
static bool is_named(const char *symbol, const char *function) {
  size_t length = strcspn(symbol, "."), tail = strlen(function);
  if (length < tail || strncmp(symbol + length - tail, function, tail) != 0) return false;
  return length == tail || symbol[length - tail - 1] == '_';
}

static int32_t stage_of(const char *symbol) {
  for (size_t i = 0; i < MN_COUNT(functions); i++)
    if (is_named(symbol, functions[i].function)) return functions[i].stage;
  return LIBRARY;
}

static const mn_elf_symbol *function_at(const mn_elf *elf, uint32_t address) {
  for (int32_t i = 0; i < elf->symbol_count; i++) {
    const mn_elf_symbol *s = &elf->symbols[i];
    if (s->function && address - (s->value & ~1u) < s->size) return s;
  }
  return NULL;
}

/* The part of a region that belongs to one stage, copied into `part`. */
static mn_region part_of(const mn_region *region, const int8_t *stage, int32_t wanted,
                         mn_count *part) {
  mn_region made = {.id = region->id, .counts = part};
  for (int32_t i = 0; i < region->count; i++) {
    if (stage[i] != wanted) continue;
    part[made.count++] = region->counts[i];
    made.total += (int64_t)region->counts[i].executed;
  }
  return made;
}

mn_status mn_frontend_stages(const mn_bench_layer **made, int32_t *count, mn_arena *arena,
                             const mn_counted *counted, mn_error *error) {
  mn_elf elf;
  const mn_region *region = mn_counts_region(&counted->counts, MN_REGION_FEED);
  *count = 0;
  if (region == NULL) return MN_OK;
  MN_TRY(mn_elf_read(&elf, arena, counted->path, error));
  mn_bench_layer *layers = mn_arena_array(arena, STAGES, sizeof *layers);
  int8_t *stage = mn_arena_array(arena, (size_t)region->count, sizeof *stage);
  mn_count *part = mn_arena_array(arena, (size_t)region->count, sizeof *part);
  if (layers == NULL || stage == NULL || part == NULL)
    return mn_error_set(error, MN_ERR_MEMORY, "out of memory");
  for (int32_t i = 0; i < region->count; i++) {
    const mn_elf_symbol *function = function_at(&elf, region->counts[i].address);
    stage[i] = (int8_t)stage_of(function != NULL ? function->name : "");
  }
  for (int32_t s = 0; s < (int32_t)STAGES; s++) {
    mn_region own = part_of(region, stage, s, part);
    if (own.total == 0) continue;
    layers[(*count)++] = (mn_bench_layer){.name = stages[s],
                                          .kind = "frontend",
                                          .instructions = own.total,
                                          .cycles_modelled = mn_counted_cycles(counted, &own)};
  }
  *made = layers;
  return MN_OK;
}
